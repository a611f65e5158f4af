"""What goes wrong with a step."""

from __future__ import annotations


class StepError(Exception):
    """A step that makes no sense on this machine as it is: one line for people."""
