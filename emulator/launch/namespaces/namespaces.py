"""Network namespaces as programs hold them: by being in one, by a name under /run/netns, by an open file, by a socket.

Each of these holds the namespace; when the last is gone, it dies. Threads and sockets say when they let go, names are
taken away by a call. Of open files it is told that one has been closed (nsfs.py), but not whether another is still open
somewhere. So a namespace whose file was given out is looked for among the open files of all processes whenever one is
closed, or somebody has left it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from nlemu.emulator.launch.namespaces.nsfs import NamespaceFiles
from nlemu.emulator.launch.trap.borrow import Borrowed
from nlemu.emulator.launch.trap.task import descendants

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.launch.supervisor import Supervisor
    from nlemu.emulator.launch.trap.credentials import Cred, UserNamespace


UNNAMED = "unnamed-"
"""How those are called that have no name yet."""


class Mount(NamedTuple):
    """A namespace that is mounted on a file: the file's path, what links to the namespace say, and its device."""

    path: str
    link: str
    device: int


class Namespaces:
    """The files and names of namespaces. place: our directory; `names` below it stands for /run/netns."""

    def __init__(self, supervisor: Supervisor, place: str) -> None:
        self.supervisor = supervisor
        self.directory = os.path.join(place, "netns")
        os.mkdir(self.directory, 0o755)
        self.bound: dict[str, Net] = {}
        """What is mounted on a name."""
        self._public: set[str] = set()
        """Names that the host knows too."""
        self.mounted: dict[tuple[int, int], Net] = {}
        """By device and inode, the files of programs on which a namespace is mounted."""
        self._paths: dict[tuple[int, int], str] = {}
        """Where these are."""
        self.files = NamespaceFiles(os.path.join(place, "nsfs"))
        self._given: set[Net] = set()
        """Those whose file may be open somewhere, and are held for that."""
        self._made = 0
        self._owners: dict[Net, UserNamespace] = {}
        """Of those that do not belong to the first user namespace."""

    def refresh(self) -> None:
        """Names may come and go without us: those of the machine are under /run/netns."""
        machine = self.supervisor.machine
        for name in [name for name in self._public if machine.nets.get(name) is not self.bound[name]]:
            self._public.discard(name)
            self.bound.pop(name).release()
            with suppress(OSError):
                self.remove_name(name)
        if len(machine.nets) - 1 != len(self._public):
            for name, net in machine.nets.items():
                if name not in self.bound and net is not machine.init_net:
                    with suppress(OSError):
                        self.create_name(name)
                    net.hold()
                    self.bound[name] = net
                    self._public.add(name)

    def owner(self, net: Net) -> UserNamespace:
        """net->user_ns"""
        return self._owners.get(net, self.supervisor.space)

    def make(self, cred: Cred) -> Net:
        """copy_net_ns(): a namespace without a name, of that task's user namespace; the caller holds it."""
        machine = self.supervisor.machine
        self._made += 1
        net = machine.new_net(f"{UNNAMED}{os.getpid()}-{id(self)}-{self._made}")
        if cred.space is not self.supervisor.space:
            self._owners = {one: space for one, space in self._owners.items() if not one.dying}
            self._owners[net] = cred.space
        return machine.unname_net(net.name)

    # Files

    def open(self, net: Net) -> int:
        """The file that stands for it, open, to be given to a program and closed."""
        if net not in self._given:
            self._given.add(net)
            net.hold()
        return self.files.open(net)

    def behind(self, borrowed: Borrowed) -> Net | None:
        """The namespace that an open file stands for."""
        return self.files.behind(borrowed.device, borrowed.inode)

    def closed(self, _event: int = 0) -> None:
        """Somebody has closed a namespace's file."""
        self.files.heard()
        if self._given:
            self.sweep()
            self.supervisor.settle()

    def sweep(self) -> None:
        """Lets go of namespaces whose files are open nowhere any more."""
        loose = self._given - set(self.bound.values()) - {self.supervisor.machine.init_net}
        for process in self.supervisor.tasks:
            loose.difference_update(process.nets.values())
        if not loose:
            return
        places = {}
        for net in loose:
            found = self.files.identity(net)
            places[found.st_dev, found.st_ino] = net
        for pid in descendants(self.supervisor.parent):
            with suppress(OSError):
                for number in os.listdir(f"/proc/{pid}/fd"):
                    with suppress(OSError):
                        found = os.stat(f"/proc/{pid}/fd/{number}")
                        places.pop((found.st_dev, found.st_ino), None)
        for net in places.values():
            self._given.discard(net)
            self.files.forget(net)
            net.release()

    # Names

    def create_name(self, name: str) -> None:
        """An empty file under /run/netns, on which a namespace can be mounted."""
        os.close(os.open(os.path.join(self.directory, name), os.O_CREAT | os.O_EXCL | os.O_RDONLY, 0o644))

    def remove_name(self, name: str) -> None:
        """unlink(). OSError EBUSY while something is mounted there, ENOENT."""
        if name in self.bound:
            raise OSError(errno.EBUSY, "a namespace is mounted there")
        os.unlink(os.path.join(self.directory, name))

    def bind(self, name: str, net: Net) -> None:
        """mount --bind of a namespace's file on a name. OSError ENOENT."""
        if not os.path.exists(os.path.join(self.directory, name)):
            raise OSError(errno.ENOENT, "nothing to mount on")
        net.hold()
        if name in self.bound:
            self.bound[name].release()
        self.bound[name] = net
        if net.name.startswith(UNNAMED) and self.supervisor.host.name(name, net):
            self._public.add(name)

    def unbind(self, name: str) -> None:
        """umount(). OSError EINVAL: nothing is mounted there."""
        net = self.bound.pop(name, None)
        if net is None:
            raise OSError(errno.EINVAL, "nothing is mounted there")
        if name in self._public:
            self._public.discard(name)
            self.supervisor.host.unname(name)
        net.release()
        self.sweep()

    def mount(self, place: tuple[int, int], path: str, net: Net) -> None:
        """mount --bind of a namespace's file on any other file, by its device and inode, and where it is."""
        net.hold()
        self._paths[place] = path
        if place in self.mounted:
            self.mounted[place].release()
        self.mounted[place] = net

    def unmount(self, place: tuple[int, int]) -> None:
        """umount() of that."""
        del self._paths[place]
        self.mounted.pop(place).release()
        self.sweep()

    def mounts(self) -> Iterator[Mount]:
        """All that are mounted, on names and on other files."""
        on_names = ((f"/run/netns/{name}", net) for name, net in self.bound.items())
        for path, net in (*on_names, *((self._paths[place], net) for place, net in self.mounted.items())):
            yield Mount(path, self.files.link(net), self.files.identity(net).st_dev)

    def close(self) -> None:
        """Those that were named stay, if the host does; nobody holds the others any more."""
        for net in (*self.bound.values(), *self.mounted.values(), *self._given):
            net.release()
        self.bound.clear()
        self._given.clear()
        self.mounted.clear()
        self.files.close()
