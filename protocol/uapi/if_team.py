"""uapi/linux/if_team.h: the commands of the team family."""

from enum import IntEnum

TEAM_GENL_NAME = "team"
TEAM_GENL_VERSION = 1
TEAM_STRING_MAX_LEN = 32
TEAM_GENL_CHANGE_EVENT_MC_GRP_NAME = "change_event"


class TeamCmd(IntEnum):
    """TEAM_CMD_*."""

    NOOP = 0
    OPTIONS_SET = 1
    OPTIONS_GET = 2
    PORT_LIST_GET = 3
