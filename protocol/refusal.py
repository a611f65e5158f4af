"""The one exception by which a request is refused.

It is raised where the fact is found out, in whatever layer that is, and turned into an error message with extended
acknowledgement attributes in one place. Anything else that escapes is a bug.
"""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """A request is refused.

    errno: the positive errno number. text: NLMSGERR_ATTR_MSG, the kernel's words. at: what is to blame: the name of an
    argument when the model raises it (a handler knows its attribute), or the attribute itself. missing, nest: the type of
    an attribute that is not there and the nest it was expected in (NLMSGERR_ATTR_MISS_TYPE, _MISS_NEST). policy: what
    the attribute should have been (NLMSGERR_ATTR_POLICY).
    """

    __slots__ = ("at", "errno", "missing", "nest", "policy", "text")

    def __init__(self, errno: int, text: str | None = None, *, at: Any = None, missing: int | None = None,
                 nest: Any = None, policy: Any = None) -> None:
        super().__init__(errno, text)
        self.errno = errno
        self.text = text
        self.at = at
        self.missing = missing
        self.nest = nest
        self.policy = policy
