"""What a link message asks for: header and attributes, which namespace it means, which device, which parameters.

rtnetlink reads its requests message by message, liberally: old clients send what no policy of today would let pass.
What is strict here is strict there (net/core/rtnetlink.c).
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.netns import capable_in, net_of_descriptor, net_of_pid
from nlemu.emulator.handlers.route.link.af_spec import check_af
from nlemu.emulator.kernel.core.net import Net
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.protocol.families.route.link import TAKEN, Link
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Attrs
from nlemu.protocol.schema.link_kind import LINK
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.wire.extack import Extack
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.netlink.call import Call

HEADER = 16  # struct nlmsghdr
BODY = HEADER + 16  # and struct ifinfomsg


def parse(call: Call, level: int = LIBERAL) -> Attrs:
    """nlmsg_parse_deprecated(), or a stricter one: header and attributes, which the call keeps too. EINVAL, and what
    the policy refuses."""
    message = call.message
    end = len(message)
    if end < BODY:
        raise Refusal(errno.EINVAL, "Invalid header length")
    call.fixed = LINK.decode(message, HEADER, BODY)
    call.attrs = Attrs(message, validate(TAKEN, message, BODY, end, level, call.extack), BODY, end)
    return call.attrs


def parse_peer(message: bytes, at: int, end: int, extack: Extack) -> tuple[Any, Attrs]:
    """rtnl_nla_parse_ifinfomsg(): the header and the attributes of a peer, described by the attribute whose payload
    stands there."""
    first = at + BODY - HEADER
    header = LINK.decode(message, at, end)
    if header.index < 0:
        raise Refusal(errno.EINVAL, "ifindex can't be negative", at=at - 4)
    return header, Attrs(message, validate(TAKEN, message, first, end, LIBERAL, extack), first, end)


def parse_quietly(policy: Policy, message: bytes, span: tuple[int, int]) -> Attrs:
    """nla_parse_nested_deprecated() without an extack: of what is wrong inside only the errno is told."""
    try:
        return Attrs(message, validate(policy, message, *span, LIBERAL, Extack()), *span)
    except Refusal as refused:
        raise Refusal(refused.errno) from refused


# Namespaces


def check_one_netns(attrs: Attrs, *, only_id: bool = False) -> None:
    """rtnl_ensure_unique_netns(): a request names a namespace in one way; where only_id, by its id. EOPNOTSUPP,
    EINVAL."""
    ways = sum(attr in attrs for attr in (Link.net_ns_pid, Link.net_ns_fd))
    if only_id:
        if ways:
            raise Refusal(errno.EOPNOTSUPP, "specified netns attribute not supported")
    elif ways + (Link.target_netnsid in attrs) > 1:
        raise Refusal(errno.EINVAL, "multiple netns identifying attributes specified")


def named_net(call: Call, attrs: Attrs) -> Net | None:
    """rtnl_link_get_net_ifla(): by process id or by descriptor; None when neither is there."""
    pid = attrs.get(Link.net_ns_pid)
    if pid is not None:
        return net_of_pid(call, pid)
    number = attrs.get(Link.net_ns_fd)
    return None if number is None else net_of_descriptor(call, number)


def target_net(call: Call, attrs: Attrs) -> Net:
    """rtnl_link_get_net_capable(): where the link is to be: the sender's own namespace if nothing is said. EINVAL,
    EPERM, and those of pids and descriptors."""
    net = named_net(call, attrs)
    if net is None:
        nsid = attrs.get(Link.target_netnsid)
        net = call.net if nsid is None else call.net.by_id(nsid)
        if net is None:
            raise Refusal(errno.EINVAL)
    if not capable_in(call, net):
        raise Refusal(errno.EPERM)
    return net


# Devices


def is_named(attrs: Attrs) -> bool:
    """Whether there is a name to look a device up by."""
    return Link.ifname in attrs or Link.alt_ifname in attrs


def named_device(net: Net, attrs: Attrs) -> Device | None:
    """rtnl_dev_get(): by name, else by alternative name; either attribute may hold either."""
    name = attrs.get(Link.ifname)
    if name is None:
        name = attrs.get(Link.alt_ifname)
    return None if name is None else net.by_name(name)


def wanted_device(net: Net, index: int, attrs: Attrs) -> Device:
    """The device of that index, or else of that name, as most requests about a link look for it."""
    if index > 0:
        dev = net.device(index)
    elif is_named(attrs):
        dev = named_device(net, attrs)
    else:
        raise Refusal(errno.EINVAL)
    if dev is None:
        raise Refusal(errno.ENODEV)
    return dev


# Parameters


NAMES: dict[Attr[Any], str] = {
    Link.ifname: "name",
    Link.num_tx_queues: "num_tx_queues",
    Link.num_rx_queues: "num_rx_queues",
    Link.mtu: "mtu",
    Link.address: "address",
    Link.broadcast: "broadcast",
    Link.txqlen: "txqlen",
    Link.operstate: "operstate",
    Link.linkmode: "link_mode",
    Link.group: "group",
    Link.gso_max_size: "gso_max_size",
    Link.gso_max_segs: "gso_max_segs",
    Link.gro_max_size: "gro_max_size",
    Link.gso_ipv4_max_size: "gso_ipv4_max_size",
    Link.gro_ipv4_max_size: "gro_ipv4_max_size",
    Link.link: "link",
    Link.master: "master",
}
"""Attributes that are parameters, and which."""
PARAMS = {attr.number: (name, attr) for attr, name in NAMES.items()}


def link_params(attrs: Attrs, header: Any, extack: Extack) -> LinkParams:
    """What the attributes say of a link to be made or changed."""
    said = {name: attrs[attr] for name, attr in (PARAMS[number] for number in attrs.spans if number in PARAMS)}
    span = attrs.spans.get(Link.af_spec.number)
    if span is not None:
        said["check_af"] = lambda dev: check_af(dev, attrs.message, *span, extack)
    return LinkParams(ifindex=header.index, flags=header.flags, change=header.change, **said)
