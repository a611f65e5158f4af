"""Traffic control, as far as it is there before anybody sets it up: queueing disciplines, and the classes, filters,
chains and actions of which there are none.

RTM_*QDISC and RTM_GETTCLASS of net/sched/sch_api.c, in the order of tc_fill_qdisc() and tc_fill_tclass();
RTM_GETTFILTER and RTM_GETCHAIN of net/sched/cls_api.c; RTM_GETACTION of net/sched/act_api.c.
"""

import construct as c

from nlemu.protocol.families.route.family import route
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Half, Registered
from nlemu.protocol.schema.kinds import binary, flag, nest, string, structure, u8, u32
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.schema.structs import (
    gnet_stats_basic,
    gnet_stats_queue,
    tc_prio_qopt,
    tc_stats,
    tcamsg,
    tcmsg,
)
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_UNSPEC

HEADER = structure(tcmsg, "tcmsg")
ACTIONS_HEADER = structure(tcamsg, "tcamsg")
TCA_MAX = 16
TCA_ROOT_MAX = 5
ESTIMATOR = structure(c.Bytes(2), "tc_estimator")
"""Of which the policy looks at the length."""


class Stats(AttrSet):
    """TCA_STATS_*, of the library that counts (linux/gen_stats.h)."""

    basic = Attr(1, structure(gnet_stats_basic, "gnet_stats_basic"))
    queue = Attr(3, structure(gnet_stats_queue, "gnet_stats_queue"))
    order = (basic, queue)


class Tca(AttrSet):
    """TCA_*."""

    kind = Attr(1, string)
    options = Attr(2, binary)
    stats = Attr(3, structure(tc_stats, "tc_stats"))
    rate = Attr(5, binary)
    stats2 = Attr(7, nest(Stats, flagged=False))
    stab = Attr(8, nest(None, flagged=False))
    dump_invisible = Attr(10, flag)
    chain = Attr(11, u32)
    hw_offload = Attr(12, u8)
    ingress_block = Attr(13, u32)
    egress_block = Attr(14, u32)


class Actions(AttrSet):
    """TCA_ROOT_*."""

    tab = Attr(1, nest(None, flagged=False))
    flags = Attr(2, binary)
    count = Attr(3, u32)
    time_delta = Attr(4, u32)


PRIO = structure(tc_prio_qopt, "tc_prio_qopt")

TAKEN = Policy(
    Tca.kind, Tca.options.but(kind=nest(None, flagged=False)), Tca.rate.but(kind=ESTIMATOR), Tca.stab,
    Tca.dump_invisible, Tca.chain, Tca.ingress_block, Tca.egress_block, top=TCA_MAX, chosen_from=Tca,
)
"""rtm_tca_policy"""
TOLD = Layout(Tca.kind, Tca.options, Tca.hw_offload, Tca.stats2, Tca.stats)

SET = Registered(do=Half(TAKEN, level=LIBERAL))
LIST = Registered(dump=Half(TAKEN, level=LIBERAL))

NEWQDISC = route.operation(RTM.NEWQDISC, Tca, fixed=HEADER, registered={AF_UNSPEC: SET})
DELQDISC = route.operation(RTM.DELQDISC, Tca, fixed=HEADER, registered={AF_UNSPEC: SET})
GETQDISC = route.operation(
    RTM.GETQDISC, Tca, fixed=HEADER, replies=TOLD, reply_cmd=RTM.NEWQDISC,
    registered={
        AF_UNSPEC: Registered(do=Half(TAKEN, level=LIBERAL), dump=Half(TAKEN, level=LIBERAL, done_apart=True))
    },
)
GETTCLASS = route.operation(
    RTM.GETTCLASS, Tca, fixed=HEADER, replies=TOLD, reply_cmd=RTM.NEWTCLASS,
    registered={AF_UNSPEC: Registered(dump=Half(None, done_apart=True))},
)
GETTFILTER = route.operation(
    RTM.GETTFILTER, Tca, fixed=HEADER, replies=TOLD, reply_cmd=RTM.NEWTFILTER, registered={AF_UNSPEC: LIST}
)
GETCHAIN = route.operation(
    RTM.GETCHAIN, Tca, fixed=HEADER, replies=TOLD, reply_cmd=RTM.NEWCHAIN, registered={AF_UNSPEC: LIST}
)
GETACTION = route.operation(
    RTM.GETACTION, Actions, fixed=ACTIONS_HEADER, replies=Layout(Actions.count), reply_cmd=RTM.GETACTION,
    registered={
        AF_UNSPEC: Registered(
            dump=Half(
                Policy(Actions.tab, Actions.flags, Actions.time_delta, top=TCA_ROOT_MAX, chosen_from=Actions),
                level=LIBERAL,
            )
        )
    },
)
