"""/proc/PID/status: what the real file says, but for who the task is (fs/proc/array.c).

Ids and capabilities are those of the emulated kernel, called as the reader's user namespace calls them. NoNewPrivs and
Seccomp are this machine's: they are what they are.
"""

from __future__ import annotations

from collections.abc import Iterable

from nlemu.emulator.launch.files.tree import File
from nlemu.emulator.launch.trap.credentials import Cred, UserNamespace


def file(real: str, owner: Cred, reader: Cred) -> File:
    """The file of a task. real: the path of this machine's; owner: who the task is; reader: who reads it."""
    return File(lambda: _told(real, owner, reader.space), private=True)


def _told(real: str, owner: Cred, space: UserNamespace) -> str:
    told = lines(owner, space)
    with open(real) as text:
        return "".join(told.get(line.partition(":")[0], line) for line in text)


def lines(owner: Cred, space: UserNamespace) -> dict[str, str]:
    """task_state() and task_cap(): the lines about who a task is, by their names."""
    uids = (UserNamespace.inside(space.users, number) for number in owner.uids)
    gids = (UserNamespace.inside(space.groups, number) for number in owner.gids)
    groups = (UserNamespace.inside(space.groups, number) for number in owner.groups)
    sets = {
        "CapInh": owner.inheritable, "CapPrm": owner.permitted, "CapEff": owner.effective, "CapBnd": owner.bounding,
        "CapAmb": owner.ambient,
    }
    return {
        "Uid": f"Uid:\t{_in_columns(uids)}\n", "Gid": f"Gid:\t{_in_columns(gids)}\n",
        "Groups": f"Groups:\t{' '.join(str(group) for group in groups)} \n",
        **{name: f"{name}:\t{mask:016x}\n" for name, mask in sets.items()},
    }


def _in_columns(numbers: Iterable[int]) -> str:
    return "\t".join(str(number) for number in numbers)
