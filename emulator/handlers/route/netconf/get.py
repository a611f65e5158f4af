"""Settings are asked for: inet_netconf_get_devconf(), inet_netconf_dump_devconf(), and the same of IPv6 and MPLS."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.devices import devices
from nlemu.emulator.handlers.route.netconf.fill import body
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.protocol.families.route.netconf import GETNETCONF, Netconf
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netconf import NETCONFA_IFINDEX_ALL, NETCONFA_IFINDEX_DEFAULT
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6, AF_MPLS

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.netlink.call import Call, Messages

NO_DEVICE = {AF_INET: errno.ENODEV, AF_INET6: errno.EINVAL, AF_MPLS: errno.EINVAL}


def settings(dev: Device, family: int) -> Any:
    """Those of a device; None where it does not have the family."""
    if family == AF_MPLS:
        return dev.mpls
    part = dev.ip4 if family == AF_INET else dev.ip6
    return None if part is None else part.conf


def shared(net: Net, family: int) -> dict[int, Any]:
    """Those of the namespace, by the number that stands for them."""
    if family == AF_MPLS:
        return {}
    state: Any = ip4.of(net) if family == AF_INET else ip6.of(net)
    return {NETCONFA_IFINDEX_ALL: state.conf_all, NETCONFA_IFINDEX_DEFAULT: state.conf_default}


def get(call: Call, family: int) -> bytes:
    """inet_netconf_get_devconf(): EINVAL, ENODEV."""
    ifindex = call.attrs.get(Netconf.ifindex)
    if ifindex is None:
        raise Refusal(errno.EINVAL)
    conf = shared(call.net, family).get(ifindex)
    if conf is None:
        dev = call.net.device(ifindex)
        conf = None if dev is None else settings(dev, family)
    if conf is None:
        raise Refusal(NO_DEVICE[family])
    return body(call.machine.build, family, ifindex, conf)


def walk(call: Call, family: int) -> Messages:
    """inet_netconf_dump_devconf(): all devices, then what stands for all, then what new ones begin with."""
    for dev in devices(call.net):
        conf = settings(dev, family)
        if conf is not None:
            yield partial(body, call.machine.build, family, dev.ifindex, conf)
    for ifindex, conf in shared(call.net, family).items():
        yield partial(body, call.machine.build, family, ifindex, conf)


for number in (AF_INET, AF_INET6, AF_MPLS):
    doit_of(GETNETCONF, number)(partial(get, family=number))
    dumpit_of(GETNETCONF, number)(partial(walk, family=number))
