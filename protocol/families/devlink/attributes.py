"""The attributes of the devlink family: DEVLINK_ATTR_* of uapi/linux/devlink.h.

All messages and most nests share one space of numbers; the specification (Documentation/netlink/specs/devlink.yaml)
calls what stands in a nest a subset of it. So an attribute is declared in the first of these that holds it, and named
from there in the others. Which of a value's bytes mean what (param-value-data, fmsg-obj-value-data) depends on another
attribute; they are bytes here.
"""

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import (
    binary,
    bitfield32,
    flag,
    nest,
    nul_string,
    sparse_u8,
    u8,
    u16,
    u32,
    u64,
    uint,
)
from nlemu.protocol.uapi.devlink import (
    DevlinkDpipeActionType,
    DevlinkDpipeFieldMappingType,
    DevlinkDpipeHeaderId,
    DevlinkDpipeMatchType,
    DevlinkEswitchEncapMode,
    DevlinkEswitchInlineMode,
    DevlinkEswitchMode,
    DevlinkParamCmode,
    DevlinkPortFlavour,
    DevlinkPortFnOpstate,
    DevlinkPortFnState,
    DevlinkPortType,
    DevlinkRateType,
    DevlinkReloadAction,
    DevlinkResourceUnit,
    DevlinkSbPoolType,
    DevlinkSbThresholdType,
    DevlinkTrapAction,
    DevlinkTrapType,
    DevlinkVarAttrType,
)

U32_MAX = 0xFFFFFFFF


class DlPortFunction(AttrSet):
    """A function that a port leads to: DEVLINK_PORT_FN_ATTR_*, as far as requests take them."""

    hw_addr = Attr(1, binary)
    state = Attr(2, u8, enum=DevlinkPortFnState)
    opstate = Attr(3, u8, enum=DevlinkPortFnOpstate)
    caps = Attr(4, bitfield32, mask=0xF)


class DlPortFunctionSet(AttrSet):
    """The same, as the kernel looks at it when it sets one (devlink_function_nl_policy)."""

    hw_addr = DlPortFunction.hw_addr
    state = DlPortFunction.state
    caps = DlPortFunction.caps
    max_io_eqs = Attr(6, u32)


class DlRateTcBws(AttrSet):
    """The bandwidth of a traffic class: DEVLINK_RATE_TC_ATTR_*."""

    index = Attr(1, u8, max=7)
    bw = Attr(2, u32)


class DlSelftestId(AttrSet):
    """Self-tests: DEVLINK_ATTR_SELFTEST_ID_*."""

    flash = Attr(1, flag)


class DlAttrStats(AttrSet):
    """What was trapped: DEVLINK_ATTR_STATS_*, which begin with 0."""

    stats_rx_packets = Attr(0, u64)
    stats_rx_bytes = Attr(1, u64)
    stats_rx_dropped = Attr(2, u64)
    order = (stats_rx_dropped, stats_rx_packets, stats_rx_bytes)


class DlTrapMetadata(AttrSet):
    """What is told of a trapped packet: DEVLINK_ATTR_TRAP_METADATA_TYPE_*, which begin with 0."""

    trap_metadata_type_in_port = Attr(0, flag)
    trap_metadata_type_fa_cookie = Attr(1, flag)


class DlReloadStatsEntry(AttrSet):
    """How often, under one limit."""

    reload_stats_limit = Attr(159, u8)
    reload_stats_value = Attr(160, u32)


class DlReloadActStats(AttrSet):
    """By limit."""

    reload_stats_entry = Attr(158, nest(DlReloadStatsEntry), multi=True)


class DlReloadActInfo(AttrSet):
    """Of one action of reloads."""

    reload_action = Attr(153, u8, min=1, enum=DevlinkReloadAction)
    reload_action_stats = Attr(163, nest(DlReloadActStats), multi=True)


class DlReloadStats(AttrSet):
    """By action."""

    reload_action_info = Attr(162, nest(DlReloadActInfo), multi=True)


class DlDevStats(AttrSet):
    """How often a device was reloaded: by us, and by others."""

    reload_stats = Attr(157, nest(DlReloadStats))
    remote_reload_stats = Attr(161, nest(DlReloadStats))


class DlInfoVersion(AttrSet):
    """One version of something."""

    info_version_name = Attr(103, nul_string)
    info_version_value = Attr(104, nul_string)


class DlDpipeMatch(AttrSet):
    """What a table matches."""

    dpipe_match_type = Attr(42, u32, enum=DevlinkDpipeMatchType)
    dpipe_header_id = Attr(52, u32, enum=DevlinkDpipeHeaderId)
    dpipe_header_global = Attr(54, u8)
    dpipe_header_index = Attr(55, u32)
    dpipe_field_id = Attr(58, u32)


class DlDpipeTableMatches(AttrSet):
    """All that a table matches."""

    dpipe_match = Attr(40, nest(DlDpipeMatch), multi=True)


class DlDpipeAction(AttrSet):
    """What a table does."""

    dpipe_action_type = Attr(45, u32, enum=DevlinkDpipeActionType)
    dpipe_header_id = DlDpipeMatch.dpipe_header_id
    dpipe_header_global = DlDpipeMatch.dpipe_header_global
    dpipe_header_index = DlDpipeMatch.dpipe_header_index
    dpipe_field_id = DlDpipeMatch.dpipe_field_id


class DlDpipeTableActions(AttrSet):
    """All that a table does."""

    dpipe_action = Attr(43, nest(DlDpipeAction), multi=True)


class DlDpipeTable(AttrSet):
    """A table of the pipeline."""

    dpipe_table_name = Attr(29, nul_string)
    dpipe_table_size = Attr(30, u64)
    dpipe_table_matches = Attr(31, nest(DlDpipeTableMatches))
    dpipe_table_actions = Attr(32, nest(DlDpipeTableActions))
    dpipe_table_counters_enabled = Attr(33, u8)
    dpipe_table_resource_id = Attr(75, u64)
    dpipe_table_resource_units = Attr(76, u64)


class DlDpipeTables(AttrSet):
    """The tables of the pipeline."""

    dpipe_table = Attr(28, nest(DlDpipeTable), multi=True)


class DlDpipeMatchValue(AttrSet):
    """What an entry matches."""

    dpipe_match = DlDpipeTableMatches.dpipe_match
    dpipe_value = Attr(46, binary)
    dpipe_value_mask = Attr(47, binary)
    dpipe_value_mapping = Attr(48, u32)


class DlDpipeEntryMatchValues(AttrSet):
    """All that an entry matches."""

    dpipe_match_value = Attr(41, nest(DlDpipeMatchValue), multi=True)


class DlDpipeActionValue(AttrSet):
    """What an entry does."""

    dpipe_action = DlDpipeTableActions.dpipe_action
    dpipe_value = DlDpipeMatchValue.dpipe_value
    dpipe_value_mask = DlDpipeMatchValue.dpipe_value_mask
    dpipe_value_mapping = DlDpipeMatchValue.dpipe_value_mapping


class DlDpipeEntryActionValues(AttrSet):
    """All that an entry does."""

    dpipe_action_value = Attr(44, nest(DlDpipeActionValue), multi=True)


class DlDpipeEntry(AttrSet):
    """An entry of a table."""

    dpipe_entry_index = Attr(36, u64)
    dpipe_entry_match_values = Attr(37, nest(DlDpipeEntryMatchValues))
    dpipe_entry_action_values = Attr(38, nest(DlDpipeEntryActionValues))
    dpipe_entry_counter = Attr(39, u64)


class DlDpipeEntries(AttrSet):
    """The entries of a table."""

    dpipe_entry = Attr(35, nest(DlDpipeEntry), multi=True)


class DlDpipeField(AttrSet):
    """A field of a header."""

    dpipe_field_name = Attr(57, nul_string)
    dpipe_field_id = DlDpipeMatch.dpipe_field_id
    dpipe_field_bitwidth = Attr(59, u32)
    dpipe_field_mapping_type = Attr(60, u32, enum=DevlinkDpipeFieldMappingType)


class DlDpipeHeaderFields(AttrSet):
    """The fields of a header."""

    dpipe_field = Attr(56, nest(DlDpipeField), multi=True)


class DlDpipeHeader(AttrSet):
    """A header."""

    dpipe_header_name = Attr(51, nul_string)
    dpipe_header_id = DlDpipeMatch.dpipe_header_id
    dpipe_header_global = DlDpipeMatch.dpipe_header_global
    dpipe_header_fields = Attr(53, nest(DlDpipeHeaderFields))


class DlDpipeHeaders(AttrSet):
    """All headers."""

    dpipe_header = Attr(50, nest(DlDpipeHeader), multi=True)


class DlResource(AttrSet):
    """A resource; those inside it stand in a list of their own."""

    resource_name = Attr(65, nul_string)
    resource_id = Attr(66, u64)
    resource_size = Attr(67, u64)
    resource_size_new = Attr(68, u64)
    resource_size_valid = Attr(69, u8)
    resource_size_min = Attr(70, u64)
    resource_size_max = Attr(71, u64)
    resource_size_gran = Attr(72, u64)
    resource_unit = Attr(73, u8, enum=DevlinkResourceUnit)
    resource_occ = Attr(74, u64)
    resource_list = Attr(63, nest(None, flagged=False))
    order = (
        resource_name, resource_size, resource_id, resource_size_new, resource_occ, resource_size_gran,
        resource_size_max, resource_size_min, resource_unit, resource_size_valid, resource_list,
    )


class DlResourceList(AttrSet):
    """Resources."""

    resource = Attr(64, nest(DlResource, flagged=False), multi=True)


DlResource.resource_list.kind.told = DlResourceList  # type: ignore[attr-defined]


class DlParamValue(AttrSet):
    """A value, and when it takes effect."""

    param_value_data = Attr(86, binary)
    param_value_cmode = Attr(87, u8, enum=DevlinkParamCmode)
    param_value_default = Attr(182, binary)
    order = (param_value_cmode, param_value_data, param_value_default)


class DlParamValuesList(AttrSet):
    """The values of a parameter."""

    param_value = Attr(85, nest(DlParamValue, flagged=False), multi=True)


class DlParam(AttrSet):
    """A parameter; the specification lacks its values."""

    param_name = Attr(81, nul_string)
    param_generic = Attr(82, flag)
    param_type = Attr(83, sparse_u8, shown=DevlinkVarAttrType)
    param_values_list = Attr(84, nest(DlParamValuesList, flagged=False))


class DlRegionSnapshot(AttrSet):
    """A snapshot of a region."""

    region_snapshot_id = Attr(92, u32)


class DlRegionSnapshots(AttrSet):
    """The snapshots of a region."""

    region_snapshot = Attr(91, nest(DlRegionSnapshot, flagged=False), multi=True)


class DlRegionChunk(AttrSet):
    """A piece of a region."""

    region_chunk_data = Attr(95, binary)
    region_chunk_addr = Attr(96, u64)


class DlRegionChunks(AttrSet):
    """Pieces of a region."""

    region_chunk = Attr(94, nest(DlRegionChunk, flagged=False), multi=True)


class DlFmsg(AttrSet):
    """A message of a reporter, in pieces."""

    fmsg_obj_nest_start = Attr(107, flag)
    fmsg_pair_nest_start = Attr(108, flag)
    fmsg_arr_nest_start = Attr(109, flag)
    fmsg_nest_end = Attr(110, flag)
    fmsg_obj_name = Attr(111, nul_string)
    fmsg_obj_value_type = Attr(112, u8, shown=DevlinkVarAttrType)
    fmsg_obj_value_data = Attr(113, binary)


class DlHealthReporter(AttrSet):
    """A reporter of health."""

    health_reporter_name = Attr(115, nul_string)
    health_reporter_state = Attr(116, u8)
    health_reporter_err_count = Attr(117, u64)
    health_reporter_recover_count = Attr(118, u64)
    health_reporter_graceful_period = Attr(120, u64)
    health_reporter_auto_recover = Attr(121, u8)
    health_reporter_dump_ts = Attr(119, u64)
    health_reporter_dump_ts_ns = Attr(137, u64)
    health_reporter_auto_dump = Attr(141, u8)
    health_reporter_burst_period = Attr(181, u64)
    order = (
        health_reporter_name, health_reporter_state, health_reporter_err_count, health_reporter_recover_count,
        health_reporter_graceful_period, health_reporter_burst_period, health_reporter_auto_recover,
        health_reporter_dump_ts, health_reporter_dump_ts_ns, health_reporter_auto_dump,
    )


class DlLinecardSupportedTypes(AttrSet):
    """What a line card can be."""

    linecard_type = Attr(173, nul_string)


class Devlink(AttrSet):
    """DEVLINK_ATTR_*; 61 is for padding."""

    bus_name = Attr(1, nul_string)
    dev_name = Attr(2, nul_string)
    port_index = Attr(3, u32)
    port_type = Attr(4, u16, enum=DevlinkPortType)
    port_desired_type = Attr(5, u16)
    port_netdev_ifindex = Attr(6, u32)
    port_netdev_name = Attr(7, nul_string)
    port_ibdev_name = Attr(8, nul_string)
    port_split_count = Attr(9, u32)
    port_split_group = Attr(10, u32)
    sb_index = Attr(11, u32)
    sb_size = Attr(12, u32)
    sb_ingress_pool_count = Attr(13, u16)
    sb_egress_pool_count = Attr(14, u16)
    sb_ingress_tc_count = Attr(15, u16)
    sb_egress_tc_count = Attr(16, u16)
    sb_pool_index = Attr(17, u16)
    sb_pool_type = Attr(18, u8, enum=DevlinkSbPoolType)
    sb_pool_size = Attr(19, u32)
    sb_pool_threshold_type = Attr(20, u8, enum=DevlinkSbThresholdType)
    sb_threshold = Attr(21, u32)
    sb_tc_index = Attr(22, u16)
    sb_occ_cur = Attr(23, u32)
    sb_occ_max = Attr(24, u32)
    eswitch_mode = Attr(25, u16, enum=DevlinkEswitchMode)
    eswitch_inline_mode = Attr(26, u8, enum=DevlinkEswitchInlineMode)
    dpipe_tables = Attr(27, nest(DlDpipeTables, flagged=False))
    dpipe_table = DlDpipeTables.dpipe_table
    dpipe_table_name = DlDpipeTable.dpipe_table_name
    dpipe_table_size = DlDpipeTable.dpipe_table_size
    dpipe_table_matches = DlDpipeTable.dpipe_table_matches
    dpipe_table_actions = DlDpipeTable.dpipe_table_actions
    dpipe_table_counters_enabled = DlDpipeTable.dpipe_table_counters_enabled
    dpipe_entries = Attr(34, nest(DlDpipeEntries))
    dpipe_entry = DlDpipeEntries.dpipe_entry
    dpipe_entry_index = DlDpipeEntry.dpipe_entry_index
    dpipe_entry_match_values = DlDpipeEntry.dpipe_entry_match_values
    dpipe_entry_action_values = DlDpipeEntry.dpipe_entry_action_values
    dpipe_entry_counter = DlDpipeEntry.dpipe_entry_counter
    dpipe_match = DlDpipeTableMatches.dpipe_match
    dpipe_match_value = DlDpipeEntryMatchValues.dpipe_match_value
    dpipe_match_type = DlDpipeMatch.dpipe_match_type
    dpipe_action = DlDpipeTableActions.dpipe_action
    dpipe_action_value = DlDpipeEntryActionValues.dpipe_action_value
    dpipe_action_type = DlDpipeAction.dpipe_action_type
    dpipe_value = DlDpipeMatchValue.dpipe_value
    dpipe_value_mask = DlDpipeMatchValue.dpipe_value_mask
    dpipe_value_mapping = DlDpipeMatchValue.dpipe_value_mapping
    dpipe_headers = Attr(49, nest(DlDpipeHeaders))
    dpipe_header = DlDpipeHeaders.dpipe_header
    dpipe_header_name = DlDpipeHeader.dpipe_header_name
    dpipe_header_id = DlDpipeMatch.dpipe_header_id
    dpipe_header_fields = DlDpipeHeader.dpipe_header_fields
    dpipe_header_global = DlDpipeMatch.dpipe_header_global
    dpipe_header_index = DlDpipeMatch.dpipe_header_index
    dpipe_field = DlDpipeHeaderFields.dpipe_field
    dpipe_field_name = DlDpipeField.dpipe_field_name
    dpipe_field_id = DlDpipeMatch.dpipe_field_id
    dpipe_field_bitwidth = DlDpipeField.dpipe_field_bitwidth
    dpipe_field_mapping_type = DlDpipeField.dpipe_field_mapping_type
    eswitch_encap_mode = Attr(62, u8, enum=DevlinkEswitchEncapMode)
    resource_list = Attr(63, nest(DlResourceList, flagged=False))
    resource = DlResourceList.resource
    resource_name = DlResource.resource_name
    resource_id = DlResource.resource_id
    resource_size = DlResource.resource_size
    resource_size_new = DlResource.resource_size_new
    resource_size_valid = DlResource.resource_size_valid
    resource_size_min = DlResource.resource_size_min
    resource_size_max = DlResource.resource_size_max
    resource_size_gran = DlResource.resource_size_gran
    resource_unit = DlResource.resource_unit
    resource_occ = DlResource.resource_occ
    dpipe_table_resource_id = DlDpipeTable.dpipe_table_resource_id
    dpipe_table_resource_units = DlDpipeTable.dpipe_table_resource_units
    port_flavour = Attr(77, u16, enum=DevlinkPortFlavour)
    port_number = Attr(78, u32)
    port_split_subport_number = Attr(79, u32)
    param = Attr(80, nest(DlParam, flagged=False))
    param_name = DlParam.param_name
    param_generic = DlParam.param_generic
    param_type = DlParam.param_type
    param_values_list = DlParam.param_values_list
    param_value = DlParamValuesList.param_value
    param_value_data = DlParamValue.param_value_data
    param_value_cmode = DlParamValue.param_value_cmode
    region_name = Attr(88, nul_string)
    region_size = Attr(89, u64)
    region_snapshots = Attr(90, nest(DlRegionSnapshots, flagged=False))
    region_snapshot = DlRegionSnapshots.region_snapshot
    region_snapshot_id = DlRegionSnapshot.region_snapshot_id
    region_chunks = Attr(93, nest(DlRegionChunks, flagged=False))
    region_chunk = DlRegionChunks.region_chunk
    region_chunk_data = DlRegionChunk.region_chunk_data
    region_chunk_addr = DlRegionChunk.region_chunk_addr
    region_chunk_len = Attr(97, u64)
    info_driver_name = Attr(98, nul_string)
    info_serial_number = Attr(99, nul_string)
    info_version_fixed = Attr(100, nest(DlInfoVersion, flagged=False), multi=True)
    info_version_running = Attr(101, nest(DlInfoVersion, flagged=False), multi=True)
    info_version_stored = Attr(102, nest(DlInfoVersion, flagged=False), multi=True)
    info_version_name = DlInfoVersion.info_version_name
    info_version_value = DlInfoVersion.info_version_value
    sb_pool_cell_size = Attr(105, u32)
    fmsg = Attr(106, nest(DlFmsg, flagged=False))
    fmsg_obj_nest_start = DlFmsg.fmsg_obj_nest_start
    fmsg_pair_nest_start = DlFmsg.fmsg_pair_nest_start
    fmsg_arr_nest_start = DlFmsg.fmsg_arr_nest_start
    fmsg_nest_end = DlFmsg.fmsg_nest_end
    fmsg_obj_name = DlFmsg.fmsg_obj_name
    fmsg_obj_value_type = DlFmsg.fmsg_obj_value_type
    fmsg_obj_value_data = DlFmsg.fmsg_obj_value_data
    health_reporter = Attr(114, nest(DlHealthReporter, flagged=False))
    health_reporter_name = DlHealthReporter.health_reporter_name
    health_reporter_state = DlHealthReporter.health_reporter_state
    health_reporter_err_count = DlHealthReporter.health_reporter_err_count
    health_reporter_recover_count = DlHealthReporter.health_reporter_recover_count
    health_reporter_dump_ts = DlHealthReporter.health_reporter_dump_ts
    health_reporter_graceful_period = DlHealthReporter.health_reporter_graceful_period
    health_reporter_auto_recover = DlHealthReporter.health_reporter_auto_recover
    flash_update_file_name = Attr(122, nul_string)
    flash_update_component = Attr(123, nul_string)
    flash_update_status_msg = Attr(124, nul_string)
    flash_update_status_done = Attr(125, u64)
    flash_update_status_total = Attr(126, u64)
    port_pci_pf_number = Attr(127, u16)
    port_pci_vf_number = Attr(128, u16)
    stats = Attr(129, nest(DlAttrStats))
    trap_name = Attr(130, nul_string)
    trap_action = Attr(131, u8, enum=DevlinkTrapAction)
    trap_type = Attr(132, u8, enum=DevlinkTrapType)
    trap_generic = Attr(133, flag)
    trap_metadata = Attr(134, nest(DlTrapMetadata))
    trap_group_name = Attr(135, nul_string)
    reload_failed = Attr(136, u8)
    health_reporter_dump_ts_ns = DlHealthReporter.health_reporter_dump_ts_ns
    netns_fd = Attr(138, u32)
    netns_pid = Attr(139, u32)
    netns_id = Attr(140, u32)
    health_reporter_auto_dump = DlHealthReporter.health_reporter_auto_dump
    trap_policer_id = Attr(142, u32)
    trap_policer_rate = Attr(143, u64)
    trap_policer_burst = Attr(144, u64)
    port_function = Attr(145, nest(DlPortFunction))
    info_board_serial_number = Attr(146, nul_string)
    port_lanes = Attr(147, u32)
    port_splittable = Attr(148, u8)
    port_external = Attr(149, u8)
    port_controller_number = Attr(150, u32)
    flash_update_status_timeout = Attr(151, u64)
    flash_update_overwrite_mask = Attr(152, bitfield32, mask=3)
    reload_action = DlReloadActInfo.reload_action
    reload_actions_performed = Attr(154, bitfield32, mask=6)
    reload_limits = Attr(155, bitfield32, mask=6)
    dev_stats = Attr(156, nest(DlDevStats))
    reload_stats = DlDevStats.reload_stats
    reload_stats_entry = DlReloadActStats.reload_stats_entry
    reload_stats_limit = DlReloadStatsEntry.reload_stats_limit
    reload_stats_value = DlReloadStatsEntry.reload_stats_value
    remote_reload_stats = DlDevStats.remote_reload_stats
    reload_action_info = DlReloadStats.reload_action_info
    reload_action_stats = DlReloadActInfo.reload_action_stats
    port_pci_sf_number = Attr(164, u32)
    rate_type = Attr(165, u16, enum=DevlinkRateType)
    rate_tx_share = Attr(166, u64)
    rate_tx_max = Attr(167, u64)
    rate_node_name = Attr(168, nul_string)
    rate_parent_node_name = Attr(169, nul_string)
    region_max_snapshots = Attr(170, u32)
    linecard_index = Attr(171, u32)
    linecard_state = Attr(172, u8)
    linecard_type = DlLinecardSupportedTypes.linecard_type
    linecard_supported_types = Attr(174, nest(DlLinecardSupportedTypes))
    nested_devlink = Attr(175, nest(None))
    selftests = Attr(176, nest(DlSelftestId))
    rate_tx_priority = Attr(177, u32)
    rate_tx_weight = Attr(178, u32)
    region_direct = Attr(179, flag)
    rate_tc_bws = Attr(180, nest(DlRateTcBws), multi=True)
    health_reporter_burst_period = DlHealthReporter.health_reporter_burst_period
    param_value_default = DlParamValue.param_value_default
    param_reset_default = Attr(183, flag)
    index = Attr(184, uint, max=U32_MAX)
    resource_scope_mask = Attr(185, u32, mask=3)
