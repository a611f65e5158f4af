"""The fixed structures of SIOCETHTOOL, as in linux/ethtool.h.

Each begins with its command. Fields have the words of the attributes that say the same by netlink, where there are
such (``rx_max`` is ``rx_max_pending`` of struct ethtool_ringparam), so that a record of one is read by the names of the
other. What may follow a structure (strings, counters, words of features) is not in it.
"""

import construct as c

from nlemu.protocol.schema.structs import s32, u8, u16, u32, u64
from nlemu.protocol.uapi.ethtool import (
    ETHTOOL_FLASH_MAX_FILENAME,
    LINK_MODE_MASK_NBITS,
    MAX_NUM_QUEUE,
    SOPASS_MAX,
)

LINK_MODE_WORDS = (LINK_MODE_MASK_NBITS + 31) // 32
"""__ETHTOOL_LINK_MODE_MASK_NU32."""
link_modes = c.Array(LINK_MODE_WORDS, u32)
name = c.Bytes(32)
cmd = "cmd" / u32


def numbers(title: str, *fields: str) -> c.Construct:
    """A structure of the command and numbers of 32 bits."""
    return title / c.Struct(cmd, *(field / u32 for field in fields))


ethtool_value = numbers("ethtool_value", "data")
ethtool_cmd = "ethtool_cmd" / c.Struct(
    cmd,
    "supported" / u32,
    "advertising" / u32,
    "speed" / u16,
    "duplex" / u8,
    "port" / u8,
    "phy_address" / u8,
    "transceiver" / u8,
    "autoneg" / u8,
    "mdio_support" / u8,
    "maxtxpkt" / u32,
    "maxrxpkt" / u32,
    "speed_hi" / u16,
    "tp_mdix" / u8,
    "tp_mdix_ctrl" / u8,
    "lp_advertising" / u32,
    c.Padding(8),
)
ethtool_link_settings = "ethtool_link_settings" / c.Struct(
    cmd,
    "speed" / u32,
    "duplex" / u8,
    "port" / u8,
    "phy_address" / u8,
    "autoneg" / u8,
    "mdio_support" / u8,
    "tp_mdix" / u8,
    "tp_mdix_ctrl" / u8,
    "link_mode_masks_nwords" / c.Int8sl,
    "transceiver" / u8,
    "master_slave_cfg" / u8,
    "master_slave_state" / u8,
    "rate_matching" / u8,
    c.Padding(28),
)
link_mode_masks = "link_mode_masks" / c.Struct(
    "supported" / link_modes, "advertising" / link_modes, "lp_advertising" / link_modes
)
"""What follows it where both sides have as many words."""
ethtool_drvinfo = "ethtool_drvinfo" / c.Struct(
    cmd,
    "driver" / name,
    "version" / name,
    "fw_version" / name,
    "bus_info" / name,
    "erom_version" / name,
    c.Padding(12),
    "n_priv_flags" / u32,
    "n_stats" / u32,
    "testinfo_len" / u32,
    "eedump_len" / u32,
    "regdump_len" / u32,
)
ethtool_coalesce = numbers(
    "ethtool_coalesce", "rx_usecs", "rx_max_frames", "rx_usecs_irq", "rx_max_frames_irq", "tx_usecs", "tx_max_frames",
    "tx_usecs_irq", "tx_max_frames_irq", "stats_block_usecs", "use_adaptive_rx", "use_adaptive_tx", "pkt_rate_low",
    "rx_usecs_low", "rx_max_frames_low", "tx_usecs_low", "tx_max_frames_low", "pkt_rate_high", "rx_usecs_high",
    "rx_max_frames_high", "tx_usecs_high", "tx_max_frames_high", "rate_sample_interval",
)
ethtool_ringparam = numbers(
    "ethtool_ringparam", "rx_max", "rx_mini_max", "rx_jumbo_max", "tx_max", "rx", "rx_mini", "rx_jumbo", "tx"
)
ethtool_channels = numbers(
    "ethtool_channels", "rx_max", "tx_max", "other_max", "combined_max", "rx_count", "tx_count", "other_count",
    "combined_count",
)
ethtool_pauseparam = numbers("ethtool_pauseparam", "autoneg", "rx", "tx")
ethtool_fecparam = numbers("ethtool_fecparam", "active", "fec", "reserved")
ethtool_perm_addr = numbers("ethtool_perm_addr", "size")
ethtool_gstrings = numbers("ethtool_gstrings", "string_set", "len")
ethtool_sset_info = "ethtool_sset_info" / c.Struct(cmd, c.Padding(4), "sset_mask" / u64)
ethtool_stats = numbers("ethtool_stats", "n_stats")
ethtool_gfeatures = numbers("ethtool_gfeatures", "size")
ethtool_get_features_block = "ethtool_get_features_block" / c.Struct(
    "available" / u32, "requested" / u32, "active" / u32, "never_changed" / u32
)
ethtool_set_features_block = "ethtool_set_features_block" / c.Struct("valid" / u32, "requested" / u32)
ethtool_ts_info = "ethtool_ts_info" / c.Struct(
    cmd,
    "so_timestamping" / u32,
    "phc_index" / s32,
    "tx_types" / u32,
    c.Padding(12),
    "rx_filters" / u32,
    c.Padding(12),
)
ethtool_modinfo = "ethtool_modinfo" / c.Struct(cmd, "type" / u32, "eeprom_len" / u32, c.Padding(32))
ethtool_wolinfo = "ethtool_wolinfo" / c.Struct(
    cmd, "supported" / u32, "wolopts" / u32, "sopass" / c.Bytes(SOPASS_MAX), c.Padding(2)
)
ethtool_tunable = numbers("ethtool_tunable", "id", "type_id", "len")
"""Behind it stands the number."""
ethtool_test = numbers("ethtool_test", "flags", "reserved", "len")
"""Behind it stand results of 64 bits."""
ethtool_eeprom = numbers("ethtool_eeprom", "magic", "offset", "len")
"""Behind it stand the bytes."""
ethtool_rxnfc = "ethtool_rxnfc" / c.Struct(
    cmd, "flow_type" / u32, "data" / u64, "fs" / c.Bytes(168), "rule_cnt" / u32, c.Padding(4)
)
"""``fs``: a rule, which commands about what is hashed do not look at; ``rule_cnt`` is ``rss_context`` as well, and
behind it begin the locations of rules."""
ethtool_rxfh_indir = "ethtool_rxfh_indir" / c.Struct(cmd, "size" / u32)
"""Behind it stands the table."""
ethtool_rxfh = "ethtool_rxfh" / c.Struct(
    cmd, "rss_context" / u32, "indir_size" / u32, "key_size" / u32, "hfunc" / u8, "input_xfrm" / u8,
    "rsvd8" / c.Bytes(2), "rsvd32" / u32,
)
"""Behind it stand the table and the key."""
ethtool_flash = "ethtool_flash" / c.Struct(cmd, "region" / u32, "data" / c.Bytes(ETHTOOL_FLASH_MAX_FILENAME))
ethtool_per_queue_op = "ethtool_per_queue_op" / c.Struct(
    cmd, "sub_command" / u32, "queue_mask" / c.Array(MAX_NUM_QUEUE // 32, u32)
)
