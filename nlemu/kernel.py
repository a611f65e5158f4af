"""A kernel for a test: a daemon, and all that a test does with it, in one object.

It is put together from what stands beside it: a daemon in a thread (emulator/daemon/background.py), its control
socket and clients of families (emulator/client/client.py), a stand-in for `socket.socket`
(emulator/client/stand_in.py), and `nlemu run`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from socket import AF_NETLINK, SOCK_DGRAM
from typing import TYPE_CHECKING, Any, Self

from nlemu.emulator.client.control import Control, NoDaemon
from nlemu.emulator.client.stand_in import StandIn, netlink_socket
from nlemu.emulator.daemon.background import daemon
from nlemu.emulator.kernel.core.build import DEFAULT, Build, find_build
from nlemu.emulator.machine.machine import Machine
from nlemu.fault import Fault
from nlemu.protocol.uapi.netlink import NetlinkProtocol

if TYPE_CHECKING:
    from nlemu.client import AsyncClient
    from nlemu.emulator.client.client import Client
    from nlemu.emulator.coverage.watch import Watch
    from nlemu.emulator.script.explanation import Reason
    from nlemu.emulator.script.history import Requests
    from nlemu.emulator.script.recording import Recording
    from nlemu.namespace import Namespace
    from nlemu.nic import Nic
    from nlemu.protocol.captures.events import Datagram
    from nlemu.snapshot import Snapshot

UNRECORDED = "nothing was recorded: that is for Kernel(record=True)"
NETDEVSIMS = ("plain", "dma")


class Kernel:
    """One emulated kernel, until the block ends. ``directory`` is the daemon's, for whoever wants its sockets.

    seed, netdevsim, kernel: as for `nlemu serve`; raises LookupError for a kernel that there is not, with those that
    there are, and ValueError for such a netdevsim. world: a file with what there is at first (docs/worlds.md);
    WorldError names the line where it cannot be made. faults: what fails from the first request on, each as a line of
    the control socket (docs/faults.md), ``[{"fault": "route.newlink", "errno": "ENOMEM"}]``; WorldError names the one
    that cannot be, and there is no kernel then. record: what goes over its sockets is kept (save_pcap()). coverage: who
    watches what is exercised of it (docs/coverage.md). Its clock stands still, so that every run is the same; `sleep()`
    moves it. directory: a daemon that runs already, whose machine this is then; raises NoDaemon if there is none.
    """

    def __init__(
        self, directory: str | os.PathLike[str] | None = None, *, seed: int = 0, netdevsim: str = "plain",
        kernel: str | None = None, world: str | os.PathLike[str] | None = None, record: bool = False,
        faults: Sequence[Mapping[str, Any]] = (), coverage: Watch | None = None,
    ) -> None:
        build = None if kernel is None else find_build(kernel)
        if netdevsim not in NETDEVSIMS:
            raise ValueError(f"there is no netdevsim {netdevsim!r}: it is one of {', '.join(NETDEVSIMS)}")
        self._recording: Recording | None = None
        self._traffic: deque[Datagram] = deque()
        self._why: deque[Reason] = deque()
        with ExitStack() as stack:
            if directory is None:
                directory = self._begin(stack, self._machines(build, world, faults, seed, netdevsim), record, coverage)
            self.directory = Path(directory)
            self._control = stack.enter_context(Control(directory))
            self._clients: dict[tuple[str, str], Client] = {}
            self._listening: list[Client] = []
            self._stack = stack.pop_all()
        # One that is not closed ends with the interpreter, or when nobody has it any more.
        self._close = weakref.finalize(self, self._stack.close)

    def _begin(
        self, stack: ExitStack, make: Callable[[], Machine], record: bool, coverage: Watch | None
    ) -> Path:
        watched = make if coverage is None else lambda: coverage.begin(make())
        if not record:
            return stack.enter_context(daemon(watched))
        from nlemu.emulator.script.recording import in_memory

        self._recording, self._traffic = recording, _ = in_memory()
        self._why = recording.reasons
        return stack.enter_context(daemon(lambda: recording.begin(watched())))

    @property
    def recorded(self) -> bool:
        """Whether what goes over its sockets is kept here."""
        return self._recording is not None

    def why(self) -> list[str]:
        """Why requests were refused, the last hundred: which function of the kernel refused, and what was so. Of a
        kernel that was made with ``record=True``."""
        return [line for one in tuple(self._why) for line in one.explanation().lines()]

    def save_pcap(self, path: str | os.PathLike[str]) -> int:
        """Writes what went over the kernel's sockets as a pcapng, for Wireshark, `nlemu dissect` and `nlemu replay`:
        the last 10,000 datagrams of a kernel that was made with ``record=True``. Returns how many there are; raises
        ValueError for one that was not, OSError."""
        if self._recording is None:
            raise ValueError(UNRECORDED)
        from nlemu.emulator.script.recording import save

        traffic = list(self._traffic)
        with open(path, "wb") as stream:
            save(self._recording.families, traffic, stream)
        return len(traffic)

    @property
    def requests(self) -> Requests:
        """What was asked of it, of a kernel that was made with ``record=True`` as the fixture is, and of a daemon with
        ``--history``: the requests of the last 10,000 datagrams, with their values and their outcome.

            assert kernel.requests.of("route.newlink")[-1]["ifname"] == "red"

        Raises ControlError for a kernel of which nothing was recorded."""
        from nlemu.emulator.script.history import Asked, Requests

        def known() -> list[str]:
            told: dict[str, list[str]] = self.do(operations=True)
            return [f"{family}.{name}" for family, of in told.items() for name in of]

        return Requests((Asked(**one) for one in self.do(requests="*")), known)

    def forget(self) -> None:
        """What was recorded so far is forgotten: requests and traffic begin anew."""
        self.do(requests="*", forget=True)

    def traffic(self, last: int = 40) -> list[str]:
        """The last messages that were recorded, a line each, as `nlemu dissect --brief` shows them."""
        from nlemu.emulator.script.story import messages

        if self._recording is None:
            raise ValueError(UNRECORDED)
        return messages(self._recording.families, list(self._traffic), last)

    @staticmethod
    def _machines(
        build: Build | None, world: str | os.PathLike[str] | None, faults: Sequence[Mapping[str, Any]], seed: int,
        netdevsim: str,
    ) -> Callable[[], Machine]:
        if world is None and not faults:
            return lambda: Machine(seed=seed, netdevsim=netdevsim, build=build or DEFAULT)
        from nlemu.emulator.script.beginning import begin
        from nlemu.emulator.world import file

        known = None if world is None else file.read(Path(world))
        make = partial(begin, known, faults=faults, build=build, seed=seed, netdevsim=netdevsim)
        made = [make()]  # what cannot be made is told here
        return lambda: made.pop() if made else make()

    def close(self) -> None:
        """Ends it, its clients and its daemon (not one that ran already). Twice does no harm."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def do(self, **step: Any) -> Any:
        """What is not netlink, as a line for the control socket: ``do(netns="pod")``, ``do(nsim_new=[1, 1, 4])``.

        docs/sockets.md lists them. Returns what the daemon has to tell (True if nothing); raises ControlError.
        """
        told = self._control.do(**step)
        if "reset" in step:
            while self._clients:  # their connections were closed
                self._clients.popitem()[1].close()
        elif "netns_del" in step:  # another may have the name one day
            for which in [which for which in self._clients if which[1] == step["netns_del"]]:
                self._clients.pop(which).close()
        return told

    def nic(
        self, profile: str | os.PathLike[str] | Mapping[str, Any], name: str | None = None, *,
        queues: int | None = None, netns: str = "init", address: str | None = None, **more: Any,
    ) -> Nic:
        """Plugs in a NIC of a profile ("mlx5_core", "bnxt_en" ...; one's own, by its name in the world, as a file, or
        in words: docs/nics.md), at an address on the PCI bus or at the next that is free. more: what docs/queues.md
        tells of `nic_new`. Raises ControlError, ValueError for a file of which no profile can be made, OSError."""
        from nlemu.nic import Nic, free_address

        if isinstance(profile, os.PathLike):
            from nlemu.emulator.world.profile_file import read_one

            profile = read_one(Path(profile))
        place = address or free_address(self)
        said = {"name": name, "queues": queues, "netns": None if netns == "init" else netns, **more}
        self.do(nic_new=place, profile=profile, **{key: value for key, value in said.items() if value is not None})
        return Nic(self, place, {"nic_del": place})

    def netdevsim(self, ports: int = 1, queues: int = 1, *, number: int | None = None) -> Nic:
        """Plugs in a netdevsim with so many ports, of so many queues each. Raises ControlError."""
        from nlemu.nic import Nic, free_number

        number = free_number(self) if number is None else number
        self.do(nsim_new=[number, ports, queues])
        return Nic(self, f"netdevsim{number}", {"nsim_del": number})

    def namespace(self, name: str) -> Namespace:
        """A namespace of that name, which is made if there is none."""
        from nlemu.namespace import Namespace

        if name not in self.state()["namespaces"]:
            self.do(netns=name)
        return Namespace(self, name)

    def sleep(self, seconds: float) -> None:
        """So much of the kernel's time passes, at once."""
        self.do(sleep=seconds)

    def snapshot(self) -> Snapshot:
        """The kernel as it is now, to come back to: ``with kernel.snapshot(): ...`` or its `restore()`. It takes a
        fraction of a millisecond, and so does coming back."""
        from nlemu.snapshot import Snapshot

        return Snapshot(self)

    def restore(self, snapshot: Snapshot) -> None:
        """The kernel as it was: devices, namespaces, faults, clock and randomness. Sockets that are open stay so, with
        their options and groups; what was told to them and was not read yet is thrown away, and a dump that is under
        way ends. Those in namespaces that there were not are closed. What was recorded is kept. Raises ControlError for
        a kernel that was reset since."""
        self.do(restore=snapshot.name)
        for which, client in list(self._clients.items()):
            if not client.discard():
                self._clients.pop(which).close()
        self._listening = [client for client in self._listening if client.sock.fileno() >= 0 and client.discard()]

    def __repr__(self) -> str:
        if not self._close.alive:
            return "<nlemu.Kernel, closed>"
        try:
            state, faults = self.state(), self.do(faults=True)
        except NoDaemon:
            return f"<nlemu.Kernel in {self.directory}, whose daemon is gone>"
        told = [
            f"{name} ({', '.join(device['name'] for device in one['devices'])})"
            for name, one in state["namespaces"].items()
        ]
        waiting = [one["name"] for one in faults if one["left"] != 0]
        return (
            f"<nlemu.Kernel {state['kernel']['name']}, seed {state['kernel']['seed']}: {', '.join(told)}"
            f"{f'; faults: {chr(44).join(waiting)}' if waiting else ''}; in {self.directory}>"
        )

    def state(self) -> dict[str, Any]:
        """Everything there is."""
        told: dict[str, Any] = self.do(state=True)
        return told

    def fault(self, operation: str, **what: Any) -> Fault:
        """Has requests fail: ``fault("netdev.queue-create", errno="ENOMEM")``, ``fault("route.getlink", after=1,
        errno="EIO")``. docs/faults.md tells what there is. A context that ends it, and demands that it struck; raises
        ControlError for what cannot be."""
        return self._waiting("fault", operation, what)

    def interrupt(self, operation: str, **what: Any) -> Fault:
        """Has dumps say that they may be inconsistent: ``interrupt("route.getaddr")``."""
        return self._waiting("interrupt", operation, what)

    def notice(self, operation: str, fate: str, **what: Any) -> Fault:
        """Has notifications get lost or come otherwise: ``notice("route.newlink", "swap")``."""
        return self._waiting("notice", operation, {"fate": fate, **what})

    def _waiting(self, verb: str, operation: str, what: dict[str, Any]) -> Fault:
        taken = {one["name"] for one in self.do(faults=True)}
        name = what.pop("name", None) or next(f"{verb} {n}" for n in count(1) if f"{verb} {n}" not in taken)
        self.do(**{verb: operation, "name": name, **what})
        return Fault(self, name, f"{verb} {operation}")

    def family(self, name: str, netns: str = "init") -> Client:
        """A family by the name of its specification, in a namespace: ``family("netdev").dump("queue-get")``.

        The same client each time, closed with the kernel. It raises NlError for what is refused.
        """
        client = self._clients.get((name, netns))
        if client is not None and client.cut_off():  # by a fault, or who reset the daemon
            client.close()
            client = None
        if client is None:
            client = self._client(name, netns)
            self._clients[name, netns] = client
        return client

    def async_family(self, name: str, netns: str = "init") -> AsyncClient:
        """A client of a family for trio and asyncio: ``await kernel.async_family("netdev").dump("queue-get")``. One of
        its own each time, closed with the kernel at the latest."""
        from nlemu.client import AsyncClient

        client = self._client(name, netns)
        self._listening.append(client)
        return AsyncClient(client)

    def async_listen(self, name: str, group: str, netns: str = "init") -> AsyncClient:
        """The same that has joined a multicast group: ``async for one in client.notifications()``. BadValue
        for no group."""
        from nlemu.client import AsyncClient

        client = self._client(name, netns)
        client.subscribe(self._control, group)
        self._listening.append(client)
        return AsyncClient(client)

    def listen(self, name: str, group: str, netns: str = "init") -> Client:
        """A client of its own that has joined a multicast group of a family: ``listen("netdev", "mgmt")``.

        ``notifications(0)`` is what has been told since; closed with the kernel. Raises BadValue for no group.
        """
        client = self._client(name, netns)
        client.subscribe(self._control, group)
        self._listening.append(client)
        return client

    def _client(self, name: str, netns: str) -> Client:
        from nlemu.emulator.client.client import Client

        return self._stack.enter_context(Client.open(self._control, name, netns=netns))

    def socket(self, netns: str = "init") -> type[StandIn]:
        """A class in the place of `socket.socket`: its netlink sockets are this kernel's, in that namespace."""
        return netlink_socket(self.directory, netns)

    def iproute(self, netns: str = "init") -> Any:
        """A pyroute2.IPRoute in that namespace, closed with the kernel. ModuleNotFoundError: that is not installed."""
        try:
            from pyroute2 import IPRoute
        except ModuleNotFoundError:
            raise ModuleNotFoundError("iproute() is pyroute2's: pip install pyroute2", name="pyroute2") from None

        sock = self.socket(netns)(AF_NETLINK, SOCK_DGRAM, NetlinkProtocol.ROUTE)
        return self._stack.enter_context(IPRoute(use_socket=sock))

    def run(
        self, *command: str | os.PathLike[str], netns: str = "init", **options: Any
    ) -> subprocess.CompletedProcess[Any]:
        """Runs a program for which this is the kernel (`nlemu run`), and waits for its end.

        Its output is text that was captured, and a failure raises CalledProcessError, unless options of
        subprocess.run() say otherwise.
        """
        usual = {"check": True, "text": True, "stdout": subprocess.PIPE}
        launch = [sys.executable, "-m", "nlemu", "run", "--dir", os.fspath(self.directory), "--netns", netns, "--"]
        return subprocess.run([*launch, *command], **(usual | options))
