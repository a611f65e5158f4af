"""Where the scripts are, and how one is run."""

from __future__ import annotations

from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[4] / "fixtures" / "scripts"
COMMAND = "cd {folder} && unshare -n -m sh -c 'mount -t sysfs sysfs /sys; exec sh {name}.sh'"


def names() -> list[str]:
    """Of all scripts."""
    return sorted(path.stem for path in SCRIPTS.glob("*.sh") if path.stem != "words")


def recorded(name: str) -> Path:
    """What Linux printed."""
    return SCRIPTS / f"{name}.txt"
