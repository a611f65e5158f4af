"""The commands of the devlink family, in the order of the kernel's table (net/devlink/netlink_gen.c).

A device is named by its bus and its own name, or by its index; every request that takes attributes takes these.
Requests to do are read liberally, dumps strictly. What a reply holds is declared for what simulated
devices have and the emulator tells of them.
"""

from typing import Any

from nlemu.protocol.families.devlink.attributes import Devlink as A
from nlemu.protocol.schema.attributes import Attr, Layout
from nlemu.protocol.schema.family import Family, Half
from nlemu.protocol.schema.policy import LIBERAL, STRICT, Policy
from nlemu.protocol.uapi.devlink import (
    DEVLINK_GENL_MCGRP_CONFIG_NAME,
    DEVLINK_GENL_NAME,
    DEVLINK_GENL_VERSION,
    DevlinkCmd,
)
from nlemu.protocol.uapi.genetlink import GenlFlag
from nlemu.protocol.uapi.netlink import NLM_F

ADMIN = GenlFlag.ADMIN_PERM
CONFIG = DEVLINK_GENL_MCGRP_CONFIG_NAME
HANDLE = (A.bus_name, A.dev_name, A.index)
ALL = Half()
"""A dump of all that takes nothing (GENL_DONT_VALIDATE_DUMP keeps nobody from looking: there is no policy)."""

devlink = Family(
    DEVLINK_GENL_NAME, version=DEVLINK_GENL_VERSION, groups=(CONFIG,), strict_from=DevlinkCmd.SELFTESTS_RUN + 1,
    dump_flags=NLM_F.MULTI,
)


def take(*taken: Attr[Any], flags: int = 0, level: int = LIBERAL) -> Half:
    """A request to do: the device, and that."""
    return Half(Policy(*HANDLE, *taken, top=A.index.number, chosen_from=A), flags=flags, level=level)


def list_by(*taken: Attr[Any], flags: int = 0, level: int = STRICT) -> Half:
    """A dump: of one device or of all, and that."""
    top = max(A.index.number, *(attr.number for attr in taken)) if taken else A.index.number
    return Half(Policy(*HANDLE, *taken, top=top, chosen_from=A), flags=flags, level=level)


def told(*attrs: Attr[Any]) -> Layout:
    """A reply: the device, and that."""
    return Layout(*HANDLE, *attrs)


DEVICE = told(A.reload_failed, A.dev_stats)
"""devlink_nl_fill()."""
PORT = told(
    A.port_index, A.port_type, A.port_netdev_ifindex, A.port_netdev_name, A.port_splittable, A.port_flavour,
    A.port_number, A.port_controller_number, A.port_pci_pf_number, A.port_pci_vf_number, A.port_external,
    A.port_function,
)
"""devlink_nl_port_fill(), of physical ports and those of virtual functions."""
INFO = told(
    A.info_serial_number, A.info_board_serial_number, A.info_version_fixed, A.info_version_stored,
    A.info_version_running, A.info_driver_name,
)
"""devlink_nl_info_fill(), in the order of the one driver there is."""
ESWITCH = told(A.eswitch_mode, A.eswitch_inline_mode, A.eswitch_encap_mode)
"""devlink_nl_eswitch_fill()."""
PARAM = told(A.param)
"""devlink_nl_param_fill()."""
REGION = told(
    A.port_index, A.region_name, A.region_size, A.region_max_snapshots, A.region_snapshots, A.region_snapshot_id,
)
"""devlink_nl_region_fill(), devlink_nl_region_notify_build()."""
REPORTER = told(A.port_index, A.health_reporter)
"""devlink_nl_health_reporter_fill()."""
TRAP = told(
    A.trap_group_name, A.trap_name, A.trap_type, A.trap_generic, A.trap_action, A.trap_metadata, A.stats,
)
"""devlink_nl_trap_fill()."""
TRAP_GROUP = told(A.trap_group_name, A.trap_generic, A.trap_policer_id, A.stats)
"""devlink_nl_trap_group_fill()."""
RATE = told(
    A.rate_type, A.port_index, A.rate_node_name, A.rate_tx_share, A.rate_tx_max, A.rate_tx_priority, A.rate_tx_weight,
    A.rate_parent_node_name, A.rate_tc_bws,
)
"""devlink_nl_rate_fill()."""
FLASH = told(
    A.flash_update_status_msg, A.flash_update_component, A.flash_update_status_done, A.flash_update_status_total,
    A.flash_update_status_timeout,
)
"""devlink_nl_flash_update_fill()."""
TRAP_POLICER = told(A.trap_policer_id, A.trap_policer_rate, A.trap_policer_burst, A.stats)
"""devlink_nl_trap_policer_fill()."""

GET = devlink.operation(DevlinkCmd.GET, A, do=take(), dump=ALL, replies=DEVICE, reply_cmd=DevlinkCmd.NEW)
PORT_GET = devlink.operation(
    DevlinkCmd.PORT_GET, A, do=take(A.port_index), dump=list_by(), replies=PORT,
    reply_cmd=DevlinkCmd.PORT_NEW,
)
PORT_SET = devlink.operation(
    DevlinkCmd.PORT_SET, A, do=take(A.port_index, A.port_type, A.port_function, flags=ADMIN),
)
PORT_NEW = devlink.operation(
    DevlinkCmd.PORT_NEW, A, do=take(A.port_index, A.port_flavour, A.port_pci_pf_number, A.port_pci_sf_number,
    A.port_controller_number, flags=ADMIN), replies=told(A.port_index),
)
PORT_DEL = devlink.operation(DevlinkCmd.PORT_DEL, A, do=take(A.port_index, flags=ADMIN))
PORT_SPLIT = devlink.operation(
    DevlinkCmd.PORT_SPLIT, A, do=take(A.port_index, A.port_split_count, flags=ADMIN),
)
PORT_UNSPLIT = devlink.operation(DevlinkCmd.PORT_UNSPLIT, A, do=take(A.port_index, flags=ADMIN))
SB_GET = devlink.operation(
    DevlinkCmd.SB_GET, A, do=take(A.sb_index), dump=list_by(), replies=told(A.sb_index),
    reply_cmd=DevlinkCmd.SB_NEW,
)
SB_POOL_GET = devlink.operation(
    DevlinkCmd.SB_POOL_GET, A, do=take(A.sb_index, A.sb_pool_index), dump=list_by(), replies=told(A.sb_index,
    A.sb_pool_index), reply_cmd=DevlinkCmd.SB_POOL_NEW,
)
SB_POOL_SET = devlink.operation(
    DevlinkCmd.SB_POOL_SET, A, do=take(A.sb_index, A.sb_pool_index, A.sb_pool_threshold_type, A.sb_pool_size,
    flags=ADMIN),
)
SB_PORT_POOL_GET = devlink.operation(
    DevlinkCmd.SB_PORT_POOL_GET, A, do=take(A.port_index, A.sb_index, A.sb_pool_index), dump=list_by(),
    replies=told(A.port_index, A.sb_index, A.sb_pool_index), reply_cmd=DevlinkCmd.SB_PORT_POOL_NEW,
)
SB_PORT_POOL_SET = devlink.operation(
    DevlinkCmd.SB_PORT_POOL_SET, A, do=take(A.port_index, A.sb_index, A.sb_pool_index, A.sb_threshold,
    flags=ADMIN),
)
SB_TC_POOL_BIND_GET = devlink.operation(
    DevlinkCmd.SB_TC_POOL_BIND_GET, A, do=take(A.port_index, A.sb_index, A.sb_pool_type, A.sb_tc_index),
    dump=list_by(), replies=told(A.port_index, A.sb_index, A.sb_pool_type, A.sb_tc_index),
    reply_cmd=DevlinkCmd.SB_TC_POOL_BIND_NEW,
)
SB_TC_POOL_BIND_SET = devlink.operation(
    DevlinkCmd.SB_TC_POOL_BIND_SET, A, do=take(A.port_index, A.sb_index, A.sb_pool_index, A.sb_pool_type,
    A.sb_tc_index, A.sb_threshold, flags=ADMIN),
)
SB_OCC_SNAPSHOT = devlink.operation(DevlinkCmd.SB_OCC_SNAPSHOT, A, do=take(A.sb_index, flags=ADMIN))
SB_OCC_MAX_CLEAR = devlink.operation(DevlinkCmd.SB_OCC_MAX_CLEAR, A, do=take(A.sb_index, flags=ADMIN))
ESWITCH_GET = devlink.operation(DevlinkCmd.ESWITCH_GET, A, do=take(flags=ADMIN), replies=ESWITCH)
ESWITCH_SET = devlink.operation(
    DevlinkCmd.ESWITCH_SET, A, do=take(A.eswitch_mode, A.eswitch_inline_mode, A.eswitch_encap_mode,
    flags=ADMIN),
)
DPIPE_TABLE_GET = devlink.operation(
    DevlinkCmd.DPIPE_TABLE_GET, A, do=take(A.dpipe_table_name), replies=told(A.dpipe_tables),
)
DPIPE_ENTRIES_GET = devlink.operation(
    DevlinkCmd.DPIPE_ENTRIES_GET, A, do=take(A.dpipe_table_name), replies=told(A.dpipe_entries),
)
DPIPE_HEADERS_GET = devlink.operation(
    DevlinkCmd.DPIPE_HEADERS_GET, A, do=take(), replies=told(A.dpipe_headers),
)
DPIPE_TABLE_COUNTERS_SET = devlink.operation(
    DevlinkCmd.DPIPE_TABLE_COUNTERS_SET, A, do=take(A.dpipe_table_name, A.dpipe_table_counters_enabled,
    flags=ADMIN),
)
RESOURCE_SET = devlink.operation(
    DevlinkCmd.RESOURCE_SET, A, do=take(A.resource_id, A.resource_size, flags=ADMIN),
)
RESOURCE_DUMP = devlink.operation(
    DevlinkCmd.RESOURCE_DUMP, A, do=take(A.port_index), dump=list_by(A.resource_scope_mask),
    replies=told(A.port_index, A.resource_list),
)
RELOAD = devlink.operation(
    DevlinkCmd.RELOAD, A, do=take(A.reload_action, A.reload_limits, A.netns_pid, A.netns_fd, A.netns_id,
    flags=ADMIN), replies=told(A.reload_actions_performed),
)
PARAM_GET = devlink.operation(DevlinkCmd.PARAM_GET, A, do=take(A.param_name), dump=list_by(), replies=PARAM)
PARAM_SET = devlink.operation(
    DevlinkCmd.PARAM_SET, A, do=take(A.param_name, A.param_type, A.param_value_cmode, A.param_reset_default,
    flags=ADMIN),
)
REGION_GET = devlink.operation(
    DevlinkCmd.REGION_GET, A, do=take(A.port_index, A.region_name), dump=list_by(), replies=REGION,
)
REGION_NEW = devlink.operation(
    DevlinkCmd.REGION_NEW, A, do=take(A.port_index, A.region_name, A.region_snapshot_id, flags=ADMIN),
    replies=told(A.port_index, A.region_name, A.region_snapshot_id),
)
REGION_DEL = devlink.operation(
    DevlinkCmd.REGION_DEL, A, do=take(A.port_index, A.region_name, A.region_snapshot_id, flags=ADMIN),
)
REGION_READ = devlink.operation(
    DevlinkCmd.REGION_READ, A, dump=list_by(A.port_index, A.region_name, A.region_snapshot_id,
    A.region_direct, A.region_chunk_addr, A.region_chunk_len, flags=ADMIN, level=LIBERAL),
    replies=told(A.port_index, A.region_name, A.region_chunks),
)
PORT_PARAM_GET = devlink.operation(
    DevlinkCmd.PORT_PARAM_GET, A, do=take(A.port_index), dump=Half(level=LIBERAL),
    replies=told(A.port_index),
)
PORT_PARAM_SET = devlink.operation(DevlinkCmd.PORT_PARAM_SET, A, do=take(A.port_index, flags=ADMIN))
INFO_GET = devlink.operation(DevlinkCmd.INFO_GET, A, do=take(), dump=ALL, replies=INFO)
HEALTH_REPORTER_GET = devlink.operation(
    DevlinkCmd.HEALTH_REPORTER_GET, A, do=take(A.port_index, A.health_reporter_name),
    dump=list_by(A.port_index), replies=REPORTER,
)
HEALTH_REPORTER_SET = devlink.operation(
    DevlinkCmd.HEALTH_REPORTER_SET, A, do=take(A.port_index, A.health_reporter_name,
    A.health_reporter_graceful_period, A.health_reporter_auto_recover, A.health_reporter_auto_dump,
    A.health_reporter_burst_period, flags=ADMIN),
)
HEALTH_REPORTER_RECOVER = devlink.operation(
    DevlinkCmd.HEALTH_REPORTER_RECOVER, A, do=take(A.port_index, A.health_reporter_name, flags=ADMIN),
)
HEALTH_REPORTER_DIAGNOSE = devlink.operation(
    DevlinkCmd.HEALTH_REPORTER_DIAGNOSE, A, do=take(A.port_index, A.health_reporter_name, flags=ADMIN),
    replies=Layout(A.fmsg),
)
HEALTH_REPORTER_DUMP_GET = devlink.operation(
    DevlinkCmd.HEALTH_REPORTER_DUMP_GET, A, dump=list_by(A.port_index, A.health_reporter_name, flags=ADMIN,
    level=LIBERAL), replies=Layout(A.fmsg),
)
HEALTH_REPORTER_DUMP_CLEAR = devlink.operation(
    DevlinkCmd.HEALTH_REPORTER_DUMP_CLEAR, A, do=take(A.port_index, A.health_reporter_name, flags=ADMIN),
)
FLASH_UPDATE = devlink.operation(
    DevlinkCmd.FLASH_UPDATE, A, do=take(A.flash_update_file_name, A.flash_update_component,
    A.flash_update_overwrite_mask, flags=ADMIN),
)
TRAP_GET = devlink.operation(
    DevlinkCmd.TRAP_GET, A, do=take(A.trap_name), dump=list_by(), replies=TRAP,
    reply_cmd=DevlinkCmd.TRAP_NEW,
)
TRAP_SET = devlink.operation(DevlinkCmd.TRAP_SET, A, do=take(A.trap_name, A.trap_action, flags=ADMIN))
TRAP_GROUP_GET = devlink.operation(
    DevlinkCmd.TRAP_GROUP_GET, A, do=take(A.trap_group_name), dump=list_by(), replies=TRAP_GROUP,
    reply_cmd=DevlinkCmd.TRAP_GROUP_NEW,
)
TRAP_GROUP_SET = devlink.operation(
    DevlinkCmd.TRAP_GROUP_SET, A, do=take(A.trap_group_name, A.trap_action, A.trap_policer_id, flags=ADMIN),
)
TRAP_POLICER_GET = devlink.operation(
    DevlinkCmd.TRAP_POLICER_GET, A, do=take(A.trap_policer_id), dump=list_by(), replies=TRAP_POLICER,
    reply_cmd=DevlinkCmd.TRAP_POLICER_NEW,
)
TRAP_POLICER_SET = devlink.operation(
    DevlinkCmd.TRAP_POLICER_SET, A, do=take(A.trap_policer_id, A.trap_policer_rate, A.trap_policer_burst,
    flags=ADMIN),
)
HEALTH_REPORTER_TEST = devlink.operation(
    DevlinkCmd.HEALTH_REPORTER_TEST, A, do=take(A.port_index, A.health_reporter_name, flags=ADMIN),
)
RATE_GET = devlink.operation(
    DevlinkCmd.RATE_GET, A, do=take(A.port_index, A.rate_node_name), dump=list_by(),
    replies=RATE, reply_cmd=DevlinkCmd.RATE_NEW,
)
RATE_SET = devlink.operation(
    DevlinkCmd.RATE_SET, A, do=take(A.rate_node_name, A.rate_tx_share, A.rate_tx_max, A.rate_tx_priority,
    A.rate_tx_weight, A.rate_parent_node_name, A.rate_tc_bws, flags=ADMIN),
)
RATE_NEW = devlink.operation(
    DevlinkCmd.RATE_NEW, A, do=take(A.rate_node_name, A.rate_tx_share, A.rate_tx_max, A.rate_tx_priority,
    A.rate_tx_weight, A.rate_parent_node_name, A.rate_tc_bws, flags=ADMIN),
)
RATE_DEL = devlink.operation(DevlinkCmd.RATE_DEL, A, do=take(A.rate_node_name, flags=ADMIN))
LINECARD_GET = devlink.operation(
    DevlinkCmd.LINECARD_GET, A, do=take(A.linecard_index), dump=list_by(), replies=told(A.linecard_index),
    reply_cmd=DevlinkCmd.LINECARD_NEW,
)
LINECARD_SET = devlink.operation(
    DevlinkCmd.LINECARD_SET, A, do=take(A.linecard_index, A.linecard_type, flags=ADMIN),
)
SELFTESTS_GET = devlink.operation(DevlinkCmd.SELFTESTS_GET, A, do=take(), dump=ALL, replies=told())
SELFTESTS_RUN = devlink.operation(DevlinkCmd.SELFTESTS_RUN, A, do=take(A.selftests, flags=ADMIN))
NOTIFY_FILTER_SET = devlink.operation(DevlinkCmd.NOTIFY_FILTER_SET, A, do=take(A.port_index, level=STRICT))

NEW_NTF = devlink.event(DevlinkCmd.NEW, CONFIG, GET)
DEL_NTF = devlink.event(DevlinkCmd.DEL, CONFIG, GET)
PORT_NEW_NTF = devlink.event(DevlinkCmd.PORT_NEW, CONFIG, PORT_GET, name="port-new-ntf")
PORT_DEL_NTF = devlink.event(DevlinkCmd.PORT_DEL, CONFIG, PORT_GET, name="port-del-ntf")
PARAM_NEW_NTF = devlink.event(DevlinkCmd.PARAM_NEW, CONFIG, PARAM_GET)
PARAM_DEL_NTF = devlink.event(DevlinkCmd.PARAM_DEL, CONFIG, PARAM_GET)
REGION_NEW_NTF = devlink.event(DevlinkCmd.REGION_NEW, CONFIG, REGION_GET, name="region-new-ntf")
REGION_DEL_NTF = devlink.event(DevlinkCmd.REGION_DEL, CONFIG, REGION_GET, name="region-del-ntf")
TRAP_NEW_NTF = devlink.event(DevlinkCmd.TRAP_NEW, CONFIG, TRAP_GET)
TRAP_DEL_NTF = devlink.event(DevlinkCmd.TRAP_DEL, CONFIG, TRAP_GET)
TRAP_GROUP_NEW_NTF = devlink.event(DevlinkCmd.TRAP_GROUP_NEW, CONFIG, TRAP_GROUP_GET)
TRAP_GROUP_DEL_NTF = devlink.event(DevlinkCmd.TRAP_GROUP_DEL, CONFIG, TRAP_GROUP_GET)
TRAP_POLICER_NEW_NTF = devlink.event(DevlinkCmd.TRAP_POLICER_NEW, CONFIG, TRAP_POLICER_GET)
TRAP_POLICER_DEL_NTF = devlink.event(DevlinkCmd.TRAP_POLICER_DEL, CONFIG, TRAP_POLICER_GET)
RATE_NEW_NTF = devlink.event(DevlinkCmd.RATE_NEW, CONFIG, RATE_GET, name="rate-new-ntf")
RATE_DEL_NTF = devlink.event(DevlinkCmd.RATE_DEL, CONFIG, RATE_GET, name="rate-del-ntf")
REPORTER_NTF = devlink.event(
    DevlinkCmd.HEALTH_REPORTER_RECOVER, CONFIG, HEALTH_REPORTER_GET, name="health-reporter-recover-ntf",
)
FLASH_UPDATE_NTF = devlink.event(
    DevlinkCmd.FLASH_UPDATE, CONFIG, attributes=A, layout=FLASH, name="flash-update-ntf",
)
FLASH_UPDATE_END_NTF = devlink.event(DevlinkCmd.FLASH_UPDATE_END, CONFIG, attributes=A, layout=FLASH)
FLASH_UPDATE_STATUS_NTF = devlink.event(DevlinkCmd.FLASH_UPDATE_STATUS, CONFIG, attributes=A, layout=FLASH)
