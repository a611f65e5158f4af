"""bond: IFLA_BOND_* and IFLA_BOND_SLAVE_* of uapi/linux/if_link.h."""

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import array, be32, binary, nest, s32, structure, u8, u16, u32
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.if_bonding import BondLink, BondMode, BondState, BondXmitPolicy, LacpState
from nlemu.protocol.uapi.if_ether import ETH_ALEN
from nlemu.protocol.uapi.netdevice import MAX_ADDR_LEN


class BondAdInfoAttrs(AttrSet):
    """IFLA_BOND_AD_INFO_*: the active aggregator."""

    aggregator = Attr(1, u16)
    num_ports = Attr(2, u16)
    actor_key = Attr(3, u16)
    partner_key = Attr(4, u16)
    partner_mac = Attr(5, binary)


class Bond(AttrSet):
    """IFLA_BOND_*, written as by bond_fill_info()."""

    mode = Attr(1, u8, shown=BondMode)
    active_slave = Attr(2, u32)
    miimon = Attr(3, u32)
    updelay = Attr(4, u32)
    downdelay = Attr(5, u32)
    use_carrier = Attr(6, u8)
    arp_interval = Attr(7, u32)
    arp_ip_target = Attr(8, array(be32, first=0, flagged=False))
    arp_validate = Attr(9, u32)
    arp_all_targets = Attr(10, u32)
    primary = Attr(11, u32)
    primary_reselect = Attr(12, u8)
    fail_over_mac = Attr(13, u8)
    xmit_hash_policy = Attr(14, u8, shown=BondXmitPolicy)
    resend_igmp = Attr(15, u32)
    num_peer_notif = Attr(16, u8)
    all_slaves_active = Attr(17, u8)
    min_links = Attr(18, u32)
    lp_interval = Attr(19, u32)
    packets_per_slave = Attr(20, u32)
    ad_lacp_rate = Attr(21, u8)
    ad_select = Attr(22, u8)
    ad_info = Attr(23, nest(BondAdInfoAttrs, flagged=False))
    ad_actor_sys_prio = Attr(24, u16)
    ad_user_port_key = Attr(25, u16)
    ad_actor_system = Attr(26, binary, length=ETH_ALEN)
    tlb_dynamic_lb = Attr(27, u8)
    peer_notif_delay = Attr(28, u32, max=300000)
    ad_lacp_active = Attr(29, u8)
    missed_max = Attr(30, u8)
    ns_ip6_target = Attr(31, array(binary, first=0))
    coupled_control = Attr(32, u8)
    broadcast_neigh = Attr(33, u8)
    lacp_strict = Attr(34, u8)
    order = (
        mode, active_slave, miimon, updelay, downdelay, peer_notif_delay, use_carrier, arp_interval, arp_ip_target,
        arp_validate, arp_all_targets, ns_ip6_target, primary, primary_reselect, fail_over_mac, xmit_hash_policy,
        resend_igmp, num_peer_notif, all_slaves_active, min_links, lp_interval, packets_per_slave, ad_lacp_active,
        ad_lacp_rate, ad_select, tlb_dynamic_lb, missed_max, coupled_control, broadcast_neigh, lacp_strict,
        ad_actor_sys_prio, ad_user_port_key, ad_actor_system, ad_info,
    )


class BondSlaveAttrs(AttrSet):
    """IFLA_BOND_SLAVE_*, written as by bond_fill_slave_info()."""

    state = Attr(1, u8, shown=BondState)
    mii_status = Attr(2, u8, shown=BondLink)
    link_failure_count = Attr(3, u32)
    perm_hwaddr = Attr(4, binary)
    queue_id = Attr(5, u16)
    ad_aggregator_id = Attr(6, u16)
    ad_actor_oper_port_state = Attr(7, u8, shown=LacpState)
    ad_partner_oper_port_state = Attr(8, u16, shown=LacpState)
    prio = Attr(9, s32)
    actor_port_prio = Attr(10, u16)
    ad_churn_actor_state = Attr(11, u8)
    ad_churn_partner_state = Attr(12, u8)
    order = (
        state, mii_status, link_failure_count, perm_hwaddr, queue_id, prio, ad_aggregator_id,
        ad_actor_oper_port_state, ad_partner_oper_port_state, ad_churn_actor_state, ad_churn_partner_state,
        actor_port_prio,
    )


BondSlave = BondSlaveAttrs
NESTED = nest(None)
TARGETS = 16
NESTS = (Bond.arp_ip_target, Bond.ns_ip6_target, Bond.ad_info)


def _room(size: int) -> object:
    """What get_size sets aside, whatever is told."""
    return structure(c.Bytes(size), "room")


KIND = LinkKind(
    "bond", Bond,
    policy=Policy(
        *(attr for attr in Bond.order if attr not in NESTS), *(attr.but(kind=NESTED) for attr in NESTS),
        chosen_from=Bond,
    ),
    sized=(
        *(attr for attr in Bond.order if attr not in (*NESTS, Bond.ad_actor_system)),
        Bond.arp_ip_target.but(kind=_room(4 + TARGETS * 8)), Bond.ns_ip6_target.but(kind=_room(4 + TARGETS * 20)),
        Bond.ad_info.but(kind=_room(4 + 4 * 8 + 12)), Bond.ad_actor_system.but(kind=_room(ETH_ALEN)),
    ),
    slave=BondSlave,
    slave_policy=Policy(BondSlave.queue_id, BondSlave.prio, BondSlave.actor_port_prio, top=12, chosen_from=BondSlave),
    slave_sized=(
        *(attr for attr in BondSlave.order if attr is not BondSlave.perm_hwaddr),
        BondSlave.perm_hwaddr.but(kind=_room(MAX_ADDR_LEN)),
    ),
)
"""bond_link_ops"""
