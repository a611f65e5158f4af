"""The team family: options and ports of teams.

As Documentation/netlink/specs/team.yaml of Linux 7.2 has it. A list is a nest of nests that all have the number 1. What
is told of a team to whoever listens looks like what is asked for.
"""

from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Family, Half
from nlemu.protocol.schema.kinds import binary, flag, nest, string, u8, u32
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.uapi.genetlink import GenlFlag
from nlemu.protocol.uapi.if_team import (
    TEAM_GENL_CHANGE_EVENT_MC_GRP_NAME,
    TEAM_GENL_NAME,
    TEAM_GENL_VERSION,
    TEAM_STRING_MAX_LEN,
    TeamCmd,
)


class AttrOption(AttrSet):
    """TEAM_ATTR_OPTION_*, written as by team_nl_fill_one_option_get()."""

    name = Attr(1, string, length=TEAM_STRING_MAX_LEN)
    changed = Attr(2, flag)
    type = Attr(3, u8)
    data = Attr(4, binary)
    removed = Attr(5, flag)
    port_ifindex = Attr(6, u32)
    array_index = Attr(7, u32)
    order = (name, port_ifindex, array_index, type, data, removed, changed)


OPTION = Policy(*AttrOption.order, chosen_from=AttrOption)
"""team_attr_option_nl_policy"""


class ItemOption(AttrSet):
    """TEAM_ATTR_ITEM_OPTION."""

    option = Attr(1, nest(OPTION, flagged=False))


OPTIONS = Policy(ItemOption.option, chosen_from=ItemOption)
"""team_item_option_nl_policy"""


class AttrPort(AttrSet):
    """TEAM_ATTR_PORT_*, written as by team_nl_fill_one_port_get()."""

    ifindex = Attr(1, u32)
    changed = Attr(2, flag)
    linkup = Attr(3, flag)
    speed = Attr(4, u32)
    duplex = Attr(5, u8)
    removed = Attr(6, flag)
    order = (ifindex, changed, removed, linkup, speed, duplex)


class ItemPort(AttrSet):
    """TEAM_ATTR_ITEM_PORT."""

    port = Attr(1, nest(AttrPort, flagged=False))


class Team(AttrSet):
    """TEAM_ATTR_*."""

    team_ifindex = Attr(1, u32)
    list_option = Attr(2, nest(OPTIONS, flagged=False))
    list_port = Attr(3, nest(ItemPort, flagged=False))


team = Family(
    TEAM_GENL_NAME, version=TEAM_GENL_VERSION, attributes=2, strict_from=TeamCmd.PORT_LIST_GET + 1,
    groups=(TEAM_GENL_CHANGE_EVENT_MC_GRP_NAME,), option="NET_TEAM",
)

TAKEN = Policy(Team.team_ifindex, Team.list_option, chosen_from=Team)
"""team_nl_policy"""
ASKED = Half(TAKEN, flags=GenlFlag.ADMIN_PERM, level=LIBERAL)

NOOP = team.operation(TeamCmd.NOOP, Team, do=Half(TAKEN, level=LIBERAL), replies=Layout())
OPTIONS_SET = team.operation(TeamCmd.OPTIONS_SET, Team, do=ASKED)
OPTIONS_GET = team.operation(
    TeamCmd.OPTIONS_GET, Team, do=ASKED, replies=Layout(Team.team_ifindex, Team.list_option)
)
PORT_LIST_GET = team.operation(
    TeamCmd.PORT_LIST_GET, Team, do=ASKED, replies=Layout(Team.team_ifindex, Team.list_port)
)
OPTIONS_TOLD = team.event(
    TeamCmd.OPTIONS_GET, TEAM_GENL_CHANGE_EVENT_MC_GRP_NAME, OPTIONS_GET, name="options-ntf"
)
PORTS_TOLD = team.event(
    TeamCmd.PORT_LIST_GET, TEAM_GENL_CHANGE_EVENT_MC_GRP_NAME, PORT_LIST_GET, name="port-list-ntf"
)
