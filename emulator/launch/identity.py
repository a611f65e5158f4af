"""Who a program is: the calls that ask and change it (kernel/sys.c, uid16 left out; kernel/capability.c, groups.c).

What is answered is what the emulated kernel says (credentials.py). Where the real one would do the same, because the
program runs with real privileges, it does it too, so that files are opened as who the program has become.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import replace

from nlemu.emulator.launch import capabilities
from nlemu.emulator.launch.trap.call import PASS, Answer, Call
from nlemu.emulator.launch.trap.credentials import (
    ALL,
    CAP_SETGID,
    CAP_SETPCAP,
    CAP_SETUID,
    KEEP_CAPS,
    LAST_CAP,
    NO_CAP_AMBIENT_RAISE,
    Cred,
    Pr,
    UserNamespace,
)

UNCHANGED = 0xFFFFFFFF
NGROUPS_MAX = 65536
VERSIONS = {0x19980330: 1, 0x20071026: 2, 0x20080522: 2}
"""_LINUX_CAPABILITY_VERSION_*, and how many pieces a set has."""
VERSION = 0x20080522
AMBIENT_IS_SET, AMBIENT_RAISE, AMBIENT_LOWER, AMBIENT_CLEAR_ALL = 1, 2, 3, 4
REAL_CAPS = 1 << CAP_SETUID | 1 << CAP_SETGID


def really(call: Call) -> bool:
    """Whether the real kernel would let the program change its ids."""
    return capabilities.has(call.tid, REAL_CAPS)


def become(call: Call, cred: Cred) -> None:
    """The caller is that from now on."""
    call.supervisor.tasks.become(call.tid, cred)


def change(call: Call, cred: Cred) -> Answer:
    """The same, for the real kernel too where it lets."""
    become(call, cred)
    return PASS if really(call) else 0


def mine(call: Call) -> Cred:
    """Who the caller is."""
    return call.supervisor.tasks.cred(call.tid)


# Asking


def get_id(call: Call) -> Answer:
    """getuid(), geteuid(), getgid(), getegid()."""
    cred = mine(call)
    ids, table = (cred.uids, cred.space.users) if call.name.endswith("uid") else (cred.gids, cred.space.groups)
    return UserNamespace.inside(table, ids[1 if "gete" in call.name else 0])


def get_ids(call: Call) -> Answer:
    """getresuid(), getresgid()."""
    cred = mine(call)
    ids, table = (cred.uids, cred.space.users) if call.name == "getresuid" else (cred.gids, cred.space.groups)
    for place, number in zip(call.args[:3], ids, strict=False):
        call.write(place, struct.pack("=I", UserNamespace.inside(table, number)))
    return 0


def getgroups(call: Call) -> Answer:
    """getgroups(). OSError EINVAL."""
    cred, room = mine(call), call.cint(0)
    if room < 0 or 0 < room < len(cred.groups):
        raise OSError(errno.EINVAL, "no room for the groups")
    if room:
        told = (UserNamespace.inside(cred.space.groups, group) for group in cred.groups)
        call.write(call.args[1], struct.pack(f"={len(cred.groups)}I", *told))
    return len(cred.groups)


# Changing


def _wanted(call: Call, count: int, users: bool) -> list[int | None]:
    """The ids that a call names, as of the first user namespace; None where one is to stay. OSError EINVAL."""
    space = mine(call).space
    wanted: list[int | None] = []
    for arg in call.args[:count]:
        number = arg & 0xFFFFFFFF
        known = UserNamespace.outside(space.users if users else space.groups, number)
        if number != UNCHANGED and known is None:
            raise OSError(errno.EINVAL, "no such id here")
        wanted.append(None if number == UNCHANGED else known)
    return wanted


def set_ids(call: Call) -> Answer:
    """setuid(), setreuid(), setresuid(), and of groups. OSError EPERM, EINVAL."""
    users = call.name.endswith("uid")
    cred = mine(call)
    real, effective, saved, _ = cred.uids if users else cred.gids
    able = cred.able(CAP_SETUID if users else CAP_SETGID)
    match call.name:
        case "setuid" | "setgid":
            (wanted,) = _wanted(call, 1, users)
            if wanted is None:
                raise OSError(errno.EINVAL, "no such id")
            if able:
                real = saved = wanted
            elif wanted not in (real, saved):
                raise OSError(errno.EPERM, "CAP_SETUID")
            effective = wanted
        case "setreuid" | "setregid":
            first, second = _wanted(call, 2, users)
            before = real
            if first is not None and not able and first not in (real, effective):
                raise OSError(errno.EPERM, "CAP_SETUID")
            if second is not None and not able and second not in (real, effective, saved):
                raise OSError(errno.EPERM, "CAP_SETUID")
            real = real if first is None else first
            effective = effective if second is None else second
            if first is not None or (second is not None and second != before):
                saved = effective
        case _:
            three = _wanted(call, 3, users)
            old = (real, effective, saved)
            if not able and any(one is not None and one not in old for one in three):
                raise OSError(errno.EPERM, "CAP_SETUID")
            real, effective, saved = (then if one is None else one for one, then in zip(three, old, strict=True))
    ids = (real, effective, saved, effective)
    return change(call, cred.with_uids(ids) if users else replace(cred, gids=ids))


def set_fsid(call: Call) -> Answer:
    """setfsuid(), setfsgid(): what it was."""
    users = call.name == "setfsuid"
    cred = mine(call)
    ids, table = (cred.uids, cred.space.users) if users else (cred.gids, cred.space.groups)
    wanted = UserNamespace.outside(table, call.args[0] & 0xFFFFFFFF)
    if wanted is not None and (wanted in ids or cred.able(CAP_SETUID if users else CAP_SETGID)):
        become(call, cred.with_fsuid(wanted) if users else replace(cred, gids=(*ids[:3], wanted)))
        if really(call):
            return PASS
    return UserNamespace.inside(table, ids[3])


def setgroups(call: Call) -> Answer:
    """setgroups(). OSError EPERM, EINVAL."""
    cred, count = mine(call), call.cint(0)
    if not (cred.able(CAP_SETGID) and cred.space.groups and cred.space.setgroups):
        raise OSError(errno.EPERM, "CAP_SETGID")
    if not 0 <= count <= NGROUPS_MAX:
        raise OSError(errno.EINVAL, "that many groups")
    numbers = struct.unpack(f"={count}I", call.read(call.args[1], 4 * count)) if count else ()
    groups = [UserNamespace.outside(cred.space.groups, number) for number in numbers]
    known = tuple(sorted(group for group in groups if group is not None))
    if len(known) != count:
        raise OSError(errno.EINVAL, "no such group here")
    return change(call, replace(cred, groups=known))


# Capabilities


def _header(call: Call) -> tuple[int, int]:
    """cap_validate_magic(): how many pieces a set has, and whose it is. OSError EINVAL."""
    version, pid = struct.unpack("=Ii", call.read(call.args[0], 8))
    if version not in VERSIONS:
        call.write(call.args[0], struct.pack("=I", VERSION))
        raise OSError(errno.EINVAL, "version")
    return VERSIONS[version], pid


def capget(call: Call) -> Answer:
    """capget(). OSError EINVAL, ESRCH."""
    try:
        pieces, pid = _header(call)
    except OSError:
        if not call.args[1]:
            return 0
        raise
    if not call.args[1]:
        return 0
    if pid < 0:
        raise OSError(errno.EINVAL, "process")
    try:
        cred = mine(call) if pid in (0, call.tid) else call.supervisor.tasks.cred(pid)
    except OSError:
        return PASS
    sets = cred.effective, cred.permitted, cred.inheritable
    data = b"".join(struct.pack("=3I", *(one >> 32 * piece & 0xFFFFFFFF for one in sets)) for piece in range(pieces))
    call.write(call.args[1], data)
    return 0


def capset(call: Call) -> Answer:
    """capset(). OSError EINVAL, EPERM."""
    pieces, pid = _header(call)
    if pid not in (0, call.tid):
        raise OSError(errno.EPERM, "of another process")
    words = struct.unpack(f"={3 * pieces}I", call.read(call.args[1], 12 * pieces))
    effective, permitted, inheritable = (
        sum(words[3 * piece + which] << 32 * piece for piece in range(pieces)) & ALL for which in range(3)
    )
    become(call, mine(call).with_capabilities(effective, permitted, inheritable))
    return 0


def prctl(call: Call) -> Answer:
    """cap_task_prctl(). OSError EINVAL, EPERM."""
    cred, option, value = mine(call), call.cint(0), call.args[1]
    match option:
        case Pr.GET_KEEPCAPS:
            return int(bool(cred.securebits & KEEP_CAPS))
        case Pr.SET_KEEPCAPS:
            if value > 1:
                raise OSError(errno.EINVAL, "neither on nor off")
            if cred.securebits & KEEP_CAPS << 1:
                raise OSError(errno.EPERM, "locked")
            become(call, replace(cred, securebits=cred.securebits & ~KEEP_CAPS | (KEEP_CAPS if value else 0)))
            return 0
        case Pr.CAPBSET_READ:
            if value > LAST_CAP:
                raise OSError(errno.EINVAL, "no such capability")
            return cred.bounding >> value & 1
        case Pr.CAPBSET_DROP:
            if not cred.able(CAP_SETPCAP):
                raise OSError(errno.EPERM, "CAP_SETPCAP")
            if value > LAST_CAP:
                raise OSError(errno.EINVAL, "no such capability")
            become(call, replace(cred, bounding=cred.bounding & ~(1 << value)))
            return 0
        case Pr.GET_SECUREBITS:
            return cred.securebits
        case Pr.SET_SECUREBITS:
            locked = cred.securebits >> 1 & 0x55
            if cred.securebits & ~value & 0xAA or (cred.securebits ^ value) & locked or value & ~0xFF:
                raise OSError(errno.EPERM, "locked")
            if not cred.able(CAP_SETPCAP):
                raise OSError(errno.EPERM, "CAP_SETPCAP")
            become(call, replace(cred, securebits=value))
            return 0
    return _ambient(call, cred)


def _ambient(call: Call, cred: Cred) -> Answer:
    """prctl(PR_CAP_AMBIENT)."""
    what, capability = call.args[1], call.args[2]
    if call.args[3] or call.args[4]:
        raise OSError(errno.EINVAL, "arguments")
    if what == AMBIENT_CLEAR_ALL:
        if capability:
            raise OSError(errno.EINVAL, "arguments")
        become(call, replace(cred, ambient=0))
        return 0
    if what not in (AMBIENT_IS_SET, AMBIENT_RAISE, AMBIENT_LOWER) or capability > LAST_CAP:
        raise OSError(errno.EINVAL, "no such capability")
    bit = 1 << capability
    if what == AMBIENT_IS_SET:
        return int(bool(cred.ambient & bit))
    if what == AMBIENT_RAISE:
        if not cred.permitted & cred.inheritable & bit or cred.securebits & NO_CAP_AMBIENT_RAISE:
            raise OSError(errno.EPERM, "not permitted and inheritable")
        become(call, replace(cred, ambient=cred.ambient | bit))
    else:
        become(call, replace(cred, ambient=cred.ambient & ~bit))
    return 0


CALLS = {
    **dict.fromkeys(("getuid", "geteuid", "getgid", "getegid"), get_id),
    **dict.fromkeys(("getresuid", "getresgid"), get_ids),
    **dict.fromkeys(("setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid"), set_ids),
    **dict.fromkeys(("setfsuid", "setfsgid"), set_fsid),
    "getgroups": getgroups, "setgroups": setgroups, "capget": capget, "capset": capset, "prctl": prctl,
}
