"""The daemon's directory: who owns it, what lies in it, and how it is left.

    DIR/control                 the control socket
    DIR/<namespace>/generic     one listening socket for each namespace and protocol
    DIR/<namespace>/route
    DIR/.page                   where the live page is, if there is one: a URL with a token, for the owner alone
    DIR/.run-<...>/             what belongs to a session of `nlemu run --dir`, made and removed by its launcher

The lock is on the directory itself (flock), so there is no lock file to leave behind, and a daemon that was killed
leaves no lock at all: its sockets are then nobody's and are cleared away. Only sockets by those names
and .page are ever removed, and directories only when they are empty: whatever else a user keeps in there is his.

Reachability is the only protection a socket has, so a directory made here is open to its owner alone, if he does not
say otherwise; one that exists keeps the permissions that it was given.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CONTROL = "control"
PAGE = ".page"
SCRATCH = ".run-"
PROTOCOLS = {"route": 0, "generic": 16}
"""The sockets of a namespace, and the netlink protocol each speaks (NETLINK_ROUTE, NETLINK_GENERIC)."""

BACKLOG = 4096
"""Clients that have connected and were not looked at yet: as many as Linux lets wait (net.core.somaxconn)."""
PATH_MAX_BYTES = 107
"""sizeof(sun_path) of include/uapi/linux/un.h, less the terminating zero."""


class DirectoryError(Exception):
    """Why a directory cannot be served, or a namespace not be given a place in it: one line for people."""


class Directory:
    """The paths below one directory. Nothing is touched before `claim()`.

    mode: the permissions of who may connect, as an octal number has them for a directory: 0o770 lets the group in,
    0o777 everybody; group: the number of the group that it belongs to, None for the usual one.
    """

    def __init__(self, path: str | os.PathLike[str], *, mode: int = 0o700, group: int | None = None) -> None:
        self.path = Path(path)
        self.mode, self.group = mode, group
        self.check_path(self.control)

    @property
    def control(self) -> Path:
        """Where the control socket is."""
        return self.path / CONTROL

    @property
    def page(self) -> Path:
        """Where the URL of the live page is."""
        return self.path / PAGE

    def namespace(self, name: str) -> Path:
        """Where the sockets of a namespace are."""
        return self.path / name

    def scratch(self, name: str) -> Path:
        """The directory that a launcher has made here for its session (emulator/launch/supervision.py). DirectoryError:
        that is no name of one."""
        if not name.startswith(SCRATCH) or "/" in name:
            raise DirectoryError(f"{name!r} is no session's directory: its name begins with {SCRATCH}")
        return self.path / name

    def check_path(self, path: Path) -> None:
        """Raises DirectoryError when the path does not fit into a socket address."""
        length = len(os.fsencode(path))
        if length > PATH_MAX_BYTES:
            raise DirectoryError(f"{path}: a socket's path has room for {PATH_MAX_BYTES} bytes, and this is {length}")

    def check_name(self, name: str) -> None:
        """Raises DirectoryError unless a namespace of that name can have its sockets here."""
        if not name or name in (".", "..") or "/" in name or not name.isprintable():
            raise DirectoryError(f"{name!r} is no name for a namespace: it has to be a plain file name")
        if name.startswith(SCRATCH):
            raise DirectoryError(f"{name!r} is no name for a namespace: so begin those of sessions")
        if name == PAGE:
            raise DirectoryError(f"{name!r} is no name for a namespace: the live page has it")
        if name == CONTROL:
            raise DirectoryError(f"{name!r} is no name for a namespace: the control socket has it")
        for protocol in PROTOCOLS:
            self.check_path(self.namespace(name) / protocol)

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Makes the directory if need be and owns it; on the way out it is as it was before.

        Raises DirectoryError when somebody else owns it, or when it cannot be made or written.
        """
        made = self._make()
        try:
            lock = self._lock()
        except OSError as error:
            raise DirectoryError(f"{self.path}: {error.strerror}") from error
        try:
            self._clear()
            yield
        finally:
            # Somebody may have deleted the directory, and another daemon have made it anew: that is not ours.
            if self._is_locked_by(lock):
                self._clear()
            else:
                made = False
            if made:
                with suppress(OSError):
                    self.path.rmdir()
            os.close(lock)

    def listen(self, path: Path, kind: socket.SocketKind) -> socket.socket:
        """A non-blocking socket that listens on a path below this directory, in a subdirectory that is made."""
        made = path.parent != self.path and not path.parent.exists()
        sock = socket.socket(socket.AF_UNIX, kind)
        try:
            if made:
                path.parent.mkdir()
            sock.setblocking(False)
            sock.bind(os.fspath(path))
            path.chmod(self.mode & 0o666)  # whatever the umask, and whoever may look into a directory that was there
            self._admit(path, self.mode & 0o666)
            if made:
                self._admit(path.parent, self.mode)
            sock.listen(BACKLOG)
        except OSError as error:
            sock.close()
            if made:
                with suppress(OSError):
                    path.parent.rmdir()
            raise DirectoryError(f"{path}: {error.strerror}") from error
        return sock

    def remove(self, name: str) -> None:
        """Takes a namespace's sockets away, and its directory unless there is something else in it."""
        directory = self.namespace(name)
        removed = [_remove_socket(directory / protocol) for protocol in PROTOCOLS]
        if any(removed):
            with suppress(OSError):
                directory.rmdir()

    def _make(self) -> bool:
        try:
            self.path.mkdir(mode=0o700, parents=True)
            self._admit(self.path, self.mode)
        except FileExistsError:
            return False
        except OSError as error:
            raise DirectoryError(f"{self.path}: {error.strerror}") from error
        return True

    def _admit(self, path: Path, mode: int) -> None:
        if (self.mode, self.group) != (0o700, None):
            if self.group is not None:
                os.chown(path, -1, self.group)
            path.chmod(mode)

    def _lock(self) -> int:
        while True:
            lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_locked_by(lock):
                    return lock
            except BlockingIOError:
                os.close(lock)
                raise DirectoryError(f"{self.path}: another daemon serves this directory") from None
            # The owner went away between the two calls, and took the directory along.
            os.close(lock)
            self._make()

    def _is_locked_by(self, lock: int) -> bool:
        """Whether the directory at the path is the one that was locked."""
        try:
            return os.path.samestat(os.fstat(lock), os.stat(self.path))
        except OSError:
            return False

    def _clear(self) -> None:
        _remove_socket(self.control)
        with suppress(OSError):
            if stat.S_ISREG(self.page.lstat().st_mode):
                self.page.unlink()
        names = []
        with suppress(OSError), os.scandir(self.path) as entries:  # it may have been taken from under us
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        for name in names:
            self.remove(name)


def _remove_socket(path: Path) -> bool:
    with suppress(OSError):
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
            return True
    return False
