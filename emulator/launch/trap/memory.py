"""The memory of a supervised process: process_vm_readv() and process_vm_writev().

They check permissions as the kernel does when it copies for a system call: a page that is not there, or may not be
written, is EFAULT. (/proc/PID/mem would write to read-only pages.) Whether the process is still the one that made the
call has to be asked afterwards (`Listener.valid()`), before anything that was read is believed.
"""

from __future__ import annotations

import ctypes
import errno
import os

from nlemu.emulator.launch.trap.architectures import architecture
from nlemu.emulator.launch.trap.seccomp import libc

PAGE = os.sysconf("SC_PAGE_SIZE")
PATH_MAX = 4096
ADDRESS_MAX = 1 << 63


class _Iovec(ctypes.Structure):
    """struct iovec."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Source(ctypes.Structure):
    """struct iovec, of bytes of ours."""

    _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]


_arch = architecture()
_READV = _arch.numbers["process_vm_readv"] if _arch else -1
_WRITEV = _arch.numbers["process_vm_writev"] if _arch else -1


class Memory:
    """Reads and writes; one for a supervisor, since it keeps its buffers."""

    def __init__(self) -> None:
        self._local = _Iovec()
        self._remote = _Iovec()
        self._small = ctypes.create_string_buffer(PATH_MAX)

    def _move(self, call: int, tid: int, address: int, local: int, length: int) -> int:
        """How many bytes could be moved; at least one, if length is not 0."""
        if not length:
            return 0
        if address >= ADDRESS_MAX:
            raise OSError(errno.EFAULT, "a wild pointer")
        self._local.base, self._local.length = local, length
        self._remote.base, self._remote.length = address, length
        moved: int = libc.syscall(
            call, tid, ctypes.byref(self._local), ctypes.c_ulong(1), ctypes.byref(self._remote), ctypes.c_ulong(1),
            ctypes.c_ulong(0),
        )
        if moved <= 0:
            raise OSError(errno.EFAULT, "a wild pointer")  # also what a process is told that may not be looked into
        return moved

    def read(self, tid: int, address: int, length: int) -> bytes:
        """That many bytes. OSError EFAULT."""
        buffer = self._small if length <= PATH_MAX else ctypes.create_string_buffer(length)
        if self._move(_READV, tid, address, ctypes.addressof(buffer), length) != length and length:
            raise OSError(errno.EFAULT, "a wild pointer")
        return ctypes.string_at(buffer, length)

    def write(self, tid: int, *pieces: tuple[int, bytes]) -> None:
        """Puts bytes to addresses. OSError EFAULT, perhaps after some of it has been written."""
        pieces = tuple(piece for piece in pieces if piece[1])
        if not pieces:
            return
        count = len(pieces)
        if any(address >= ADDRESS_MAX for address, _ in pieces):
            raise OSError(errno.EFAULT, "a wild pointer")
        local, remote = (_Source * count)(), (_Iovec * count)()
        total = 0
        for index, (address, data) in enumerate(pieces):
            length = len(data)
            total += length
            local[index].base, local[index].length = data, length
            remote[index].base, remote[index].length = address, length
        moved: int = libc.syscall(
            _WRITEV, tid, local, ctypes.c_ulong(count), remote, ctypes.c_ulong(count), ctypes.c_ulong(0)
        )
        if moved != total:
            raise OSError(errno.EFAULT, "a wild pointer")

    def string(self, tid: int, address: int) -> bytes:
        """Up to the first zero byte. OSError EFAULT, ENAMETOOLONG (as getname() says of a path)."""
        # A read that crosses into a page that is not there gives what is before it.
        moved = self._move(_READV, tid, address, ctypes.addressof(self._small), PATH_MAX)
        found = ctypes.string_at(self._small, moved)
        end = found.find(b"\0")
        if end >= 0:
            return found[:end]
        raise OSError(errno.ENAMETOOLONG if moved == PATH_MAX else errno.EFAULT, "not a string")
