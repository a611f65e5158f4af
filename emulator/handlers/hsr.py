"""The HSR family: which nodes a device knows, and when it heard of one (net/hsr/hsr_netlink.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.hsr.hsr import NSEC_PER_MSEC, Hsr, PortType, find, state_of
from nlemu.emulator.netlink.registry import doit
from nlemu.protocol.families.hsr import ADDRESS, GET_NODE_LIST, GET_NODE_STATUS, NODE_DOWN, RING_ERROR
from nlemu.protocol.families.hsr import Hsr as Attribute
from nlemu.protocol.frame import message
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.hsr_netlink import HsrCmd
from nlemu.protocol.uapi.if_ether import ETH_ALEN
from nlemu.protocol.uapi.if_link import HsrProtocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.machine.machine import Machine
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.attributes import Values

EVENTS = {HsrCmd.RING_ERROR: RING_ERROR, HsrCmd.NODE_DOWN: NODE_DOWN}


def find_device(call: Call) -> Hsr | None:
    """The device that a request names, if it is one. Without, the error is sent here, and the request granted all the
    same: who wants an ack has both."""
    index = call.attrs.get(Attribute.ifindex)
    dev = None if index is None else call.net.device(index)
    if dev is not None and dev.kind is not None and dev.kind.name == "hsr":
        return state_of(dev)
    call.endpoint.acknowledge(call, errno.EINVAL)
    return None


@doit(GET_NODE_STATUS)
def get_node_status(call: Call) -> Values | None:
    """hsr_get_node_status(), hsr_get_node_data(): ENOENT for a node that is not known. Ages are in milliseconds."""
    if ADDRESS not in call.attrs:
        call.endpoint.acknowledge(call, errno.EINVAL)
        return None
    hsr = find_device(call)
    if hsr is None:
        return None
    address = call.attrs.payload(ADDRESS)[:ETH_ALEN]
    node = find(hsr.nodes, address)
    if node is None:
        raise Refusal(errno.ENOENT)
    now = hsr.dev.kernel.clock.now
    first, second, other = (hsr.port(kind) for kind in (PortType.SLAVE_A, PortType.SLAVE_B, node.addr_b_port))
    numbered = hsr.protocol == HsrProtocol.HSR
    return {
        Attribute.ifindex: hsr.dev.ifindex,
        Attribute.node_addr: [address],
        Attribute.node_addr_b: None if other is None else node.address_b,
        Attribute.addr_b_ifindex: None if other is None else other.dev.ifindex,
        Attribute.if1_age: (now - node.time_in[PortType.SLAVE_A]) // NSEC_PER_MSEC,
        Attribute.if1_seq: node.last_number(PortType.SLAVE_B) if numbered else 0,
        Attribute.if1_ifindex: None if first is None else first.dev.ifindex,
        Attribute.if2_age: (now - node.time_in[PortType.SLAVE_B]) // NSEC_PER_MSEC,
        Attribute.if2_seq: node.last_number(PortType.SLAVE_A) if numbered else 0,
        Attribute.if2_ifindex: None if second is None else second.dev.ifindex,
    }


@doit(GET_NODE_LIST)
def get_node_list(call: Call) -> Values | None:
    """hsr_get_node_list(): in one message, of as many nodes as there are."""
    hsr = find_device(call)
    if hsr is None:
        return None
    return {Attribute.ifindex: hsr.dev.ifindex, Attribute.node_addr: [node.address_a for node in hsr.nodes]}


def tell(machine: Machine, net: Net, command: HsrCmd, address: bytes, ifindex: int | None) -> None:
    """hsr_nl_ringerror(), hsr_nl_nodedown()."""
    op = EVENTS[command]
    values = {Attribute.node_addr: [address], Attribute.ifindex: ifindex}
    machine.families.notify(net, op, lambda: message(machine.number(op), 0, 0, 0, op.body(values)))
