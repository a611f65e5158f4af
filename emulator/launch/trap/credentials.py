"""Who a task is: struct cred, user namespaces, and how one becomes another (kernel/cred.c, security/commoncap.c).

A program under `nlemu run` begins as root of the emulated kernel, or as the user who runs it. What it does from there
on is followed here as the kernel does it: user and group ids, five sets of capabilities, the securebits, and the user
namespace that all of them are about. Nothing here knows of processes; a change makes a new object, so whoever has one,
as a socket has that of who opened it, has it as it was. Ids are those of the first user namespace.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass, replace
from enum import IntEnum

OVERFLOW_ID = 65534
"""overflowuid: what an id is called in a user namespace that has no number for it."""
LAST_CAP = 40  # CAP_CHECKPOINT_RESTORE (include/uapi/linux/capability.h)
ALL = (1 << LAST_CAP + 1) - 1
CAP_DAC_OVERRIDE = 1
CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_NET_ADMIN, CAP_NET_RAW, CAP_IPC_LOCK = 6, 7, 8, 12, 13, 14
CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_BPF = 19, 21, 39
FS_CAPS = 0b11111 | 1 << 27 | 1 << 32 | 1 << 9
"""CAP_FS_SET: what setfsuid() takes and gives."""
NOROOT, NO_SETUID_FIXUP, KEEP_CAPS, NO_CAP_AMBIENT_RAISE = 1 << 0, 1 << 2, 1 << 4, 1 << 6  # SECBIT_*

UCRED = struct.Struct("=iII")
"""struct ucred"""


class Pr(IntEnum):
    """PR_*: of prctl() what has to do with capabilities (include/uapi/linux/prctl.h)."""

    GET_KEEPCAPS = 7
    SET_KEEPCAPS = 8
    CAPBSET_READ = 23
    CAPBSET_DROP = 24
    GET_SECUREBITS = 27
    SET_SECUREBITS = 28
    CAP_AMBIENT = 47


Map = tuple[tuple[int, int, int], ...]
"""Lines of a map: first id inside, first id of the first user namespace, how many."""
EVERYBODY: Map = ((0, 0, 0xFFFFFFFF),)


class UserNamespace:
    """struct user_namespace. owner: the user id of who made it; users, groups: its maps, empty until they are set."""

    def __init__(self, parent: UserNamespace | None = None, owner: int = 0) -> None:
        self.parent, self.owner = parent, owner
        self.level: int = 0 if parent is None else parent.level + 1
        self.users: Map = EVERYBODY if parent is None else ()
        self.groups: Map = EVERYBODY if parent is None else ()
        self.setgroups = True

    @staticmethod
    def outside(table: Map, number: int) -> int | None:
        """make_kuid(): what an id of the namespace is in the first one; None: nothing."""
        for inside, outside, count in table:
            if inside <= number < inside + count:
                return outside + number - inside
        return None

    @staticmethod
    def inside(table: Map, number: int) -> int:
        """from_kuid_munged(): what an id is called in the namespace."""
        for inside, outside, count in table:
            if outside <= number < outside + count:
                return inside + number - outside
        return OVERFLOW_ID


@dataclass(frozen=True, slots=True)
class Cred:
    """struct cred: ids as real, effective, saved and of the file system; capabilities as masks."""

    space: UserNamespace
    uids: tuple[int, int, int, int]
    gids: tuple[int, int, int, int]
    groups: tuple[int, ...] = ()
    effective: int = 0
    permitted: int = 0
    inheritable: int = 0
    bounding: int = ALL
    ambient: int = 0
    securebits: int = 0

    @classmethod
    def root(cls, space: UserNamespace) -> Cred:
        """The first process's."""
        return cls(space, (0,) * 4, (0,) * 4, effective=ALL, permitted=ALL)

    @classmethod
    def user(cls, space: UserNamespace, uid: int, gid: int, groups: tuple[int, ...] = ()) -> Cred:
        """An ordinary user's."""
        return cls(space, (uid,) * 4, (gid,) * 4, groups)

    def capable(self, space: UserNamespace, capability: int) -> bool:
        """cap_capable(): in a user namespace: in its own by its capabilities, in one that its user made in all."""
        where: UserNamespace | None = space
        while where is not None:
            if where is self.space:
                return bool(self.effective >> capability & 1)
            if where.level <= self.space.level:
                return False
            if where.parent is self.space and where.owner == self.uids[1]:
                return True
            where = where.parent
        return False

    def able(self, capability: int) -> bool:
        """ns_capable(current_user_ns())."""
        return bool(self.effective >> capability & 1)

    # Ids

    def with_uids(self, uids: tuple[int, int, int, int]) -> Cred:
        """cap_task_fix_setuid(): other user ids, and what that does to the capabilities."""
        new = replace(self, uids=uids)
        if self.securebits & NO_SETUID_FIXUP:
            return new
        effective, permitted, ambient = self.effective, self.permitted, self.ambient
        if 0 in self.uids[:3] and 0 not in uids[:3]:
            if not self.securebits & KEEP_CAPS:
                permitted = effective = 0
            ambient = 0
        if self.uids[1] == 0 and uids[1] != 0:
            effective = 0
        elif self.uids[1] != 0 and uids[1] == 0:
            effective = permitted
        return replace(new, effective=effective, permitted=permitted, ambient=ambient)

    def with_fsuid(self, uid: int) -> Cred:
        """The same for setfsuid()."""
        effective = self.effective
        if not self.securebits & NO_SETUID_FIXUP:
            if self.uids[3] == 0 and uid != 0:
                effective &= ~FS_CAPS
            elif self.uids[3] != 0 and uid == 0:
                effective |= self.permitted & FS_CAPS
        return replace(self, uids=(*self.uids[:3], uid), effective=effective)

    def executed(self) -> Cred:
        """cap_bprm_creds_from_file(): after an execve() of a file without capabilities or set-id bits."""
        uids = (*self.uids[:2], self.uids[1], self.uids[1])
        gids = (*self.gids[:2], self.gids[1], self.gids[1])
        root = UserNamespace.outside(self.space.users, 0)
        permitted, effective = self.ambient, self.ambient
        ambient = self.ambient
        if not self.securebits & NOROOT and root is not None and root in self.uids[:2]:
            permitted = self.bounding | self.inheritable
            effective = permitted if self.uids[1] == root else 0
            if self.uids[1] == root:
                ambient = 0
        return replace(
            self, uids=uids, gids=gids, permitted=permitted, effective=effective, ambient=ambient,
            securebits=self.securebits & ~KEEP_CAPS,
        )

    def in_new_space(self) -> Cred:
        """create_user_ns(): all capabilities, in a user namespace of its own."""
        return self.entered(UserNamespace(self.space, self.uids[1]))

    def entered(self, space: UserNamespace) -> Cred:
        """userns_install()."""
        return replace(
            self, space=space, effective=ALL, permitted=ALL, inheritable=0, bounding=ALL, ambient=0, securebits=0
        )

    # Capabilities

    def with_capabilities(self, effective: int, permitted: int, inheritable: int) -> Cred:
        """cap_capset(). OSError EPERM."""
        limited = not self.able(CAP_SETPCAP)
        if (
            (limited and inheritable & ~(self.inheritable | self.permitted))
            or inheritable & ~(self.inheritable | self.bounding)
            or permitted & ~self.permitted
            or effective & ~permitted
        ):
            raise OSError(errno.EPERM, "more capabilities")
        return replace(
            self, effective=effective, permitted=permitted, inheritable=inheritable,
            ambient=self.ambient & permitted & inheritable,
        )
