"""A machine to try addresses and routes on, and what it tells of them, as short texts."""

from __future__ import annotations

import ipaddress

from nlemu.emulator.kernel.core.build import RECORDED_7_2, Build
from nlemu.emulator.kernel.core.events import NullAnnouncer, Origin
from nlemu.emulator.kernel.core.lifetime import INFINITY
from nlemu.emulator.kernel.core.net import Net
from nlemu.emulator.kernel.devices import flags
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.links import new_link
from nlemu.emulator.kernel.inet.neighbour import Neighbour
from nlemu.emulator.kernel.ipv4 import address as ip4_address
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4.address import Address4
from nlemu.emulator.kernel.ipv4.fib import Route4
from nlemu.emulator.kernel.ipv6 import address as ip6_address
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.address import PERMANENT, Address6, Wanted
from nlemu.emulator.kernel.ipv6.fib import Route6
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.protocol.uapi.rtnetlink import RTM, RTN

WORDS = {RTM.NEWADDR: "+", RTM.NEWROUTE: "+", RTM.NEWNEIGH: "+"}


def four(text: str) -> int:
    return int(ipaddress.IPv4Address(text))


def six(text: str) -> int:
    return int(ipaddress.IPv6Address(text))


def text4(route: Route4) -> str:
    return f"{RTN(route.type).name.lower()} {ipaddress.IPv4Address(route.dst)}/{route.length}"


def text6(route: Route6) -> str:
    return f"{RTN(route.type).name.lower()} {ipaddress.IPv6Address(route.dst)}/{route.length}"


class IpNews(NullAnnouncer):
    """`heard()`: what was told since it was last asked."""

    def __init__(self) -> None:
        self._heard: list[str] = []

    def _say(self, event: int, text: str) -> None:
        self._heard.append(f"{WORDS.get(RTM(event), '-')} {text}")

    def address4(self, event: int, ifa: Address4, *, origin: Origin | None = None) -> None:
        self._say(event, f"{ipaddress.IPv4Address(ifa.local)}/{ifa.length} {ifa.flags:#x}")

    def address6(self, event: int, ifa: Address6) -> None:
        self._say(event, f"{ipaddress.IPv6Address(ifa.address)}/{ifa.length} {ifa.flags:#x}")

    def route4(
        self, net: Net, event: int, route: Route4, *, nlflags: int = 0, origin: Origin | None = None
    ) -> None:
        self._say(event, text4(route))

    def route6(
        self, net: Net, event: int, route: Route6, *, nlflags: int = 0, origin: Origin | None = None
    ) -> None:
        self._say(event, text6(route))

    def neighbour(self, event: int, entry: Neighbour, *, portid: int = 0) -> None:
        self._say(event, f"neighbour {ipaddress.IPv6Address(entry.address)}")

    def heard(self) -> list[str]:
        heard, self._heard = self._heard, []
        return heard


class IpWorld:
    """A machine with one dummy device, "d", which is up, has an address of the link, and has been listened to."""

    def __init__(self, build: Build = RECORDED_7_2) -> None:
        self.kernel = Kernel(build=build)
        self.net = self.kernel.init_net
        self.news = IpNews()
        self.kernel.announcer = self.news
        self.dev = self.dummy("d")
        flags.open_device(self.dev)
        self.kernel.advance(3)
        self.news.heard()

    def dummy(self, name: str) -> Device:
        last = len(self.net)
        params = LinkParams(name=name, address=bytes([2, 0, 0, 0, 0, last]))
        return new_link(self.net, DUMMY, params)

    def add4(
        self, text: str, *, dev: Device | None = None, valid: int = INFINITY, preferred: int = INFINITY,
        broadcast: str = "0.0.0.0", scope: int = 0,
    ) -> Address4:
        local = ipaddress.IPv4Interface(text)
        dev = dev or self.dev
        ifa = Address4(
            dev, int(local.ip), int(local.ip), local.network.prefixlen, four(broadcast), dev.name, scope=scope
        )
        ip4_address.add(ifa, valid, preferred, exclusive=True, replace=False)
        return ifa

    def add6(
        self, text: str, *, dev: Device | None = None, valid: int = INFINITY, preferred: int = INFINITY,
        flags: int = 0,
    ) -> None:
        address = ipaddress.IPv6Interface(text)
        permanent = PERMANENT if valid == INFINITY else 0
        expires = None if valid == INFINITY else self.kernel.clock.now + valid * 10**9
        wanted = Wanted(
            int(address.ip), address.network.prefixlen, flags=flags | permanent, valid=valid, preferred=preferred
        )
        ip6_address.add(dev or self.dev, wanted, expires)

    def routes4(self) -> list[str]:
        return [text4(route) for table in ip4.of(self.net).fib.in_order() for route in table]

    def routes6(self) -> list[str]:
        return [text6(route) for node in ip6.of(self.net).fib.nodes() for route in node]

    def addresses4(self, dev: Device | None = None) -> list[str]:
        return [str(ipaddress.IPv4Address(ifa.local)) for ifa in (dev or self.dev).inet.addresses]

    def addresses6(self, dev: Device | None = None) -> list[str]:
        return [str(ipaddress.IPv6Address(ifa.address)) for ifa in (dev or self.dev).inet6.addresses]
