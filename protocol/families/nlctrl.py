"""nlctrl: the controller of generic netlink, which tells families, their numbers, groups and policies.

As net/netlink/genetlink.c of Linux 7.2 has it. Its two lists of operations and groups are nests without NLA_F_NESTED,
as everything from before that flag; the policies are nests with it.
"""

from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Family, Half
from nlemu.protocol.schema.kinds import array, nest, nul_string, u16, u32
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.uapi.genetlink import GENL_NAMSIZ, CtrlCmd, GenlFlag
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.wire.advertise import PolicyType


class McastGroup(AttrSet):
    """CTRL_ATTR_MCAST_GRP_*."""

    name = Attr(1, nul_string)
    id = Attr(2, u32)
    order = (id, name)


class Op(AttrSet):
    """CTRL_ATTR_OP_*."""

    id = Attr(1, u32)
    flags = Attr(2, u32, flags=GenlFlag)


class OpPolicy(AttrSet):
    """CTRL_ATTR_POLICY_*."""

    do = Attr(1, u32)
    dump = Attr(2, u32)


class Ctrl(AttrSet):
    """CTRL_ATTR_*."""

    family_id = Attr(1, u16)
    family_name = Attr(2, nul_string, length=GENL_NAMSIZ - 1)
    version = Attr(3, u32)
    hdrsize = Attr(4, u32)
    maxattr = Attr(5, u32)
    ops = Attr(6, array(nest(Op, flagged=False), flagged=False))
    mcast_groups = Attr(7, array(nest(McastGroup, flagged=False), flagged=False))
    policy = Attr(8, array(array(nest(PolicyType))))
    op_policy = Attr(9, array(nest(OpPolicy)))
    op = Attr(10, u32)
    order = (family_name, family_id, version, hdrsize, maxattr, ops, mcast_groups)


nlctrl = Family("nlctrl", version=2, groups=("notify",), strict_from=CtrlCmd.GETPOLICY + 1, dump_flags=NLM_F.MULTI)

WHICH = Policy(Ctrl.family_id, Ctrl.family_name)

GETFAMILY = nlctrl.operation(
    CtrlCmd.GETFAMILY,
    Ctrl,
    do=Half(WHICH, level=LIBERAL),
    # The dump validates, and then tells of every family whatever was asked for.
    dump=Half(WHICH),
    replies=Layout(*Ctrl.order),
    reply_cmd=CtrlCmd.NEWFAMILY,
)
GETPOLICY = nlctrl.operation(
    CtrlCmd.GETPOLICY,
    Ctrl,
    dump=Half(Policy(Ctrl.family_id, Ctrl.family_name, Ctrl.op), done_apart=True),
    replies=Layout(Ctrl.family_id, Ctrl.op_policy, Ctrl.policy),
)

GROUPS = Layout(Ctrl.family_name, Ctrl.family_id, Ctrl.mcast_groups)
NEWFAMILY = nlctrl.event(CtrlCmd.NEWFAMILY, "notify", GETFAMILY)
DELFAMILY = nlctrl.event(CtrlCmd.DELFAMILY, "notify", GETFAMILY)
NEWMCAST_GRP = nlctrl.event(CtrlCmd.NEWMCAST_GRP, "notify", GETFAMILY, layout=GROUPS)
DELMCAST_GRP = nlctrl.event(CtrlCmd.DELMCAST_GRP, "notify", GETFAMILY, layout=GROUPS)
