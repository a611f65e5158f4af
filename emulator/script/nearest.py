"""What somebody may have meant by a name that there is not."""

from __future__ import annotations

from collections.abc import Collection

CONSTANTS = ("rtm_", "cmd_")
"""How the kernel's headers begin names of operations."""
LIKE = 0.6
"""How alike two names have to be, as difflib measures it."""


def nearest(word: str, names: Collection[str]) -> str | None:
    """The name that is the most like a word; of names with a family in front, also one that is like it behind the dot,
    and as the kernel's headers write it: "route.getlink" for "getlnk" and for "RTM_GETLINK". None: nothing is like
    it."""
    from difflib import get_close_matches

    plain = word.lower()
    for prefix in CONSTANTS:
        plain = plain.removeprefix(prefix)
    behind = plain.rpartition(".")[2]
    for asked, known in (
        (plain, {name.lower(): name for name in reversed(list(names))}),
        (behind, {name.lower().rpartition(".")[2]: name for name in reversed(list(names))}),
    ):
        found = get_close_matches(asked, known, 1, LIKE)
        if found:
            return known[found[0]]
    return None


def meant(word: str, names: Collection[str]) -> str:
    """The same as the end of a sentence: "; is route.getlink meant?", or nothing."""
    name = nearest(word, names)
    return "" if name is None else f"; is {name} meant?"
