"""A device's firmware is written anew, and how that goes on (net/devlink/dev.c)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FlashStatus:
    """struct devlink_flash_notify: what is done, to which component, how much of it of how much, in bytes, and how long
    it may take, in seconds. text None: it begins, or ends."""

    text: str | None = None
    component: str | None = None
    done: int = 0
    total: int = 0
    timeout: int = 0
