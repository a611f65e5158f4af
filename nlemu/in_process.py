"""Python programs in this process on an emulated kernel, without `nlemu run`.

    with nlemu.patch() as kernel:
        pyroute2.IPRoute().link("add", ifname="d0", kind="dummy")

    @nlemu.patch(netns="pod")
    def test_it(): ...

Whatever opens netlink sockets meanwhile, in any thread and through any class that was derived from `socket.socket`, has
the kernel's. So do the functions of the module `socket` that ask for interfaces. What else could lead to the machine's
own interfaces is refused: ioctls about them (SIOCGIF..., SIOCETHTOOL ...), of which there is no kernel in this process
that could answer. What was there before is there again afterwards; sockets that are still open stay the kernel's.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, ExitStack, contextmanager
from types import TracebackType
from typing import Any

from nlemu.emulator.client.stand_in import patched
from nlemu.kernel import Kernel

SOCKET_IOCTLS = range(0x8900, 0x8A00)
"""include/uapi/linux/sockios.h"""


class patch(ContextDecorator):
    """A context and a decorator; entering it returns the kernel.

    kernel: whose sockets they are; without one, a kernel of their own until the end, which is made with ``options`` as
    Kernel() takes them. netns: in which of its namespaces.
    """

    def __init__(self, kernel: Kernel | None = None, *, netns: str = "init", **options: Any) -> None:
        if kernel is not None and options:
            raise TypeError(f"{', '.join(options)}: that is for a kernel that is made here")
        self._wanted = kernel, netns, options
        self._stack = ExitStack()

    def _recreate_cm(self) -> patch:
        """One for each call of what it decorates."""
        kernel, netns, options = self._wanted
        return patch(kernel, netns=netns, **options)

    def __enter__(self) -> Kernel:
        given, netns, options = self._wanted
        with ExitStack() as stack:
            kernel = stack.enter_context(Kernel(**options)) if given is None else given
            if netns not in kernel.state()["namespaces"]:
                kernel.do(netns=netns)
            stack.enter_context(patched(kernel.directory, netns))
            for module, name, function in _functions(kernel, netns):
                stack.enter_context(_replaced(module, name, function))
            self._stack = stack.pop_all()
        return kernel

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def __call__(self, function: Any) -> Any:
        """As a decorator."""
        return super().__call__(function)


@contextmanager
def _replaced(module: Any, name: str, function: object) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, function)
    try:
        yield
    finally:
        setattr(module, name, before)


def _functions(kernel: Kernel, netns: str) -> Iterator[tuple[Any, str, Callable[..., Any]]]:
    """What stands in the place of which function of which module."""

    def links() -> list[tuple[int, str]]:
        told = kernel.family("rt-link", netns).dump("getlink")
        return [(link["ifi-index"], link["ifname"]) for link in told]

    def if_nametoindex(name: str | bytes) -> int:
        for index, found in links():
            if found == os.fsdecode(name):
                return index
        raise OSError("no interface with this name")

    def if_indextoname(index: int) -> str:
        for found, name in links():
            if found == index:
                return name
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))

    ordinary = fcntl.ioctl

    def ioctl(fd: Any, request: int, *rest: Any) -> Any:
        if request in SOCKET_IOCTLS:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        return ordinary(fd, request, *rest)

    yield socket, "if_nameindex", links
    yield socket, "if_nametoindex", if_nametoindex
    yield socket, "if_indextoname", if_indextoname
    yield fcntl, "ioctl", ioctl
