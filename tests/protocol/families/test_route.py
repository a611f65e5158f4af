"""Declarations of rtnetlink that no trace shows: what is read of virtual functions, and how long a tunnel's id is."""

import errno

import pytest

from nlemu.protocol.decode.printer import decode
from nlemu.protocol.families.route import rule
from nlemu.protocol.families.route.link import NEWLINK, Link
from nlemu.protocol.families.route.link_vf import Port, Vf, VfInfoList, VfPorts, VfStats, VfVlans
from nlemu.protocol.families.route.rule import Fra
from nlemu.protocol.frame import message
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs, pack
from nlemu.protocol.schema.policy import LIBERAL
from nlemu.protocol.uapi.netlink import NetlinkProtocol
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.wire.extack import Extack
from nlemu.protocol.wire.validate import validate


def test_virtual_functions_are_read() -> None:
    """As rtnl_fill_vfinfo() and rtnl_vf_ports_fill() of net/core/rtnetlink.c nest them."""
    body = NEWLINK.body(
        {
            Link.vfinfo_list: {
                VfInfoList.info: [
                    {
                        Vf.rate: {"vf": 0, "min_tx_rate": 10, "max_tx_rate": 100},
                        Vf.link_state: {"vf": 0, "link_state": 2},
                        Vf.stats: {VfStats.rx_packets: 7},
                        Vf.vlan_list: {VfVlans.info: [{"vf": 0, "vlan": 3, "vlan_proto": 0x8100}]},
                    },
                    {Vf.trust: {"vf": 1, "setting": 1}},
                ]
            },
            Link.vf_ports: {VfPorts.port: [{Port.vf: 0, Port.response: 1}]},
        },
        bytes(16),
    )
    told = decode(message(RTM.NEWLINK, 0, 0, 0, body), NetlinkProtocol.ROUTE)["attributes"]
    assert told == {
        "vfinfo-list": {
            "info": [
                {
                    "link-state": {"vf": 0, "link-state": "disable"},
                    "rate": {"vf": 0, "min-tx-rate": 10, "max-tx-rate": 100},
                    "stats": {"rx-packets": 7},
                    "vlan-list": {"info": [{"vf": 0, "vlan": 3, "qos": 0, "vlan-proto": 0x8100}]},
                },
                {"trust": {"vf": 1, "setting": 1}},
            ]
        },
        "vf-ports": {"port": [{"vf": 0, "response": 1}]},
    }


@pytest.mark.parametrize(("size", "refused"), [(4, True), (8, False), (12, False)])
def test_a_tunnel_s_id_has_eight_bytes(size: int, refused: bool) -> None:
    """NLA_U64 of fib_rule_policy; the validation of rules is liberal, so more is only warned of."""
    data = pack(Fra.tun_id.number, bytes(size))
    if refused:
        with pytest.raises(Refusal) as error:
            validate(rule.TAKEN, data, 0, len(data), LIBERAL, Extack())
        assert error.value.errno == errno.ERANGE
    else:
        assert Fra.tun_id.number in validate(rule.TAKEN, data, 0, len(data), LIBERAL, Extack())


def test_a_tunnel_s_id_is_in_network_order() -> None:
    data = pack(Fra.tun_id.number, (5).to_bytes(8, "big"))
    assert Attrs.index(data, 0, len(data))[Fra.tun_id] == 5
