"""A tree of files that are not there: directories, files and links, made when somebody looks.

A node knows nothing of descriptors or processes. Files say what they hold when they are read, and take what is written
as the kernel's do: a whole write is one request, refused with an errno or done.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net




class Node:
    """Something with a name. mode: as stat() has it."""

    mode = 0


class File(Node):
    """read: what it holds, or raises OSError; write: what is done with what is written, and write_in the same where it
    matters in which namespace the writer is. Without one of them the file's mode does not allow it."""

    def __init__(
        self,
        read: Callable[[], str] | None = None,
        write: Callable[[str], object] | None = None,
        *,
        write_in: Callable[[str, Net | None], object] | None = None,
        open_to_all: bool = True,
        anybody: bool = False,
        private: bool = False,
    ) -> None:
        self.anybody = anybody
        """Who may write is looked at when something is written."""
        self.private = private
        """What it holds depends on who reads it."""
        self._read, self._write, self._write_in = read, write, write_in
        everybody = 0o444 if open_to_all else 0o400
        self.mode = stat.S_IFREG | (everybody if read else 0) | (0o200 if self.writable else 0)

    @property
    def readable(self) -> bool:
        """Whether it can be read."""
        return self._read is not None

    @property
    def writable(self) -> bool:
        """Whether it can be written."""
        return self._write is not None or self._write_in is not None

    def read(self) -> bytes:
        """OSError as a read() of the kernel's file."""
        if self._read is None:
            raise OSError(errno.EACCES, "not to be read")
        return self._read().encode("utf-8", "surrogateescape")

    def write(self, data: bytes, net: Net | None = None) -> None:
        """OSError as a write() to the kernel's file. net: the namespace of whoever writes, where that is known; it may
        be another than that of who opened the file."""
        text = data.decode("utf-8", "surrogateescape")
        try:
            if self._write_in is not None:
                self._write_in(text, net)
            elif self._write is not None:
                self._write(text)
            else:
                raise OSError(errno.EACCES, "not to be written")
        except Refusal as refusal:
            raise OSError(refusal.errno, refusal.text or "") from refusal
        except ValueError:
            raise OSError(errno.EINVAL, "not what the file takes") from None


class Directory(Node):
    """entries: by name, what makes the node."""

    mode = stat.S_IFDIR | 0o755

    def __init__(self, entries: Mapping[str, Callable[[], Node]]) -> None:
        self._entries = entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def child(self, name: str) -> Node | None:
        """The entry of that name, made now; None if there is none."""
        make = self._entries.get(name)
        return None if make is None else make()


class Link(Node):
    """A symbolic link. target: as readlink() has it; make: what is there."""

    mode = stat.S_IFLNK | 0o777

    def __init__(self, target: str, make: Callable[[], Node]) -> None:
        self.target = target
        self.follow = make


class Character(Node):
    """A character device. device: its number."""

    def __init__(self, device: int) -> None:
        self.device = device
        self.mode = stat.S_IFCHR | 0o666


class NetFile(Node):
    """The file of a namespace."""

    mode = stat.S_IFREG | 0o444

    def __init__(self, net: Net, link: str | None = None) -> None:
        self.net = net
        self.link = link
        """Where it is a link of procfs: what readlink() says."""


def file_of(read: Callable[[Any], str], of: object) -> File:
    """A file that holds what is told of something when it is read."""
    return File(lambda: read(of))


def walk(node: Node, parts: list[str], *, follow: bool = True) -> Node | None:
    """The node at the end of a path, links on the way followed, the last one too if `follow`. None: it is not there.

    Raises OSError ENOTDIR."""
    for index, part in enumerate(parts):
        if isinstance(node, Link):
            node = node.follow()
        if not isinstance(node, Directory):
            raise OSError(errno.ENOTDIR, part)
        child = node.child(part)
        if child is None:
            return None
        node = child
        if isinstance(node, Link) and (follow or index < len(parts) - 1):
            node = node.follow()
    return node
