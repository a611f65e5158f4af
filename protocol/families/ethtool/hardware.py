"""Attributes of what hangs on a NIC: modules, PHYs, powered cables, MACs that merge frames.

No device here has any of it, so most of these sets know only what a request may hold; the commands answer that there
is nothing.
"""

from nlemu.protocol.families.ethtool.common import HEADER, HEADER_PHY, HEADER_STATS, unread
from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import binary, nest, nul_string, string, u8, u16, u32, u64
from nlemu.protocol.uapi.ethtool import (
    ETH_MODULE_EEPROM_PAGE_LEN,
    ETH_MODULE_MAX_I2C_ADDRESS,
    ModulePowerMode,
    ModulePowerModePolicy,
    PsePodlAdminState,
)


class CableTest(AttrSet):
    """ETHTOOL_A_CABLE_TEST_*."""

    header = Attr(1, HEADER_PHY)


class TdrCfg(AttrSet):
    """ETHTOOL_A_CABLE_TEST_TDR_CFG_*."""

    first = Attr(1, u32)
    last = Attr(2, u32)
    step = Attr(3, u32)
    pair = Attr(4, u8)


class CableTestTdr(AttrSet):
    """ETHTOOL_A_CABLE_TEST_TDR_*."""

    header = Attr(1, HEADER_PHY)
    cfg = Attr(2, unread(TdrCfg))


class ModuleEeprom(AttrSet):
    """ETHTOOL_A_MODULE_EEPROM_*."""

    header = Attr(1, HEADER)
    offset = Attr(2, u32, max=2 * ETH_MODULE_EEPROM_PAGE_LEN - 1)
    length = Attr(3, u32, min=1, max=ETH_MODULE_EEPROM_PAGE_LEN)
    page = Attr(4, u8)
    bank = Attr(5, u8)
    i2c_address = Attr(6, u8, min=0, max=ETH_MODULE_MAX_I2C_ADDRESS)
    data = Attr(7, binary)


class Module(AttrSet):
    """ETHTOOL_A_MODULE_*."""

    header = Attr(1, HEADER)
    power_mode_policy = Attr(
        2, u8, min=int(ModulePowerModePolicy.HIGH), max=int(ModulePowerModePolicy.AUTO), shown=ModulePowerModePolicy
    )
    power_mode = Attr(3, u8, shown=ModulePowerMode)


class ModuleFwFlash(AttrSet):
    """ETHTOOL_A_MODULE_FW_FLASH_*."""

    header = Attr(1, HEADER)
    file_name = Attr(2, nul_string)
    password = Attr(3, u32)


_OFF, _ON = int(PsePodlAdminState.DISABLED), int(PsePodlAdminState.ENABLED)


class Pse(AttrSet):
    """ETHTOOL_A_PSE_*, ETHTOOL_A_PODL_PSE_*, ETHTOOL_A_C33_PSE_*."""

    header = Attr(1, HEADER_PHY)
    podl_pse_admin_control = Attr(3, u32, min=_OFF, max=_ON, shown=PsePodlAdminState)
    c33_pse_admin_control = Attr(6, u32, min=_OFF, max=_ON, shown=PsePodlAdminState)
    c33_pse_avail_pw_limit = Attr(12, u32)
    pse_prio = Attr(16, u32)


class Plca(AttrSet):
    """ETHTOOL_A_PLCA_*."""

    header = Attr(1, HEADER_PHY)
    version = Attr(2, u16)
    enabled = Attr(3, u8, max=1)
    status = Attr(4, u8)
    node_cnt = Attr(5, u32, min=1, max=255)
    node_id = Attr(6, u32, max=255)
    to_tmr = Attr(7, u32, max=255)
    burst_cnt = Attr(8, u32, max=255)
    burst_tmr = Attr(9, u32, max=255)


class MmStat(AttrSet):
    """ETHTOOL_A_MM_STAT_*; 1 is for padding."""

    reassembly_errors = Attr(2, u64)
    smd_errors = Attr(3, u64)
    reassembly_ok = Attr(4, u64)
    rx_frag_count = Attr(5, u64)
    tx_frag_count = Attr(6, u64)
    hold_count = Attr(7, u64)


class Mm(AttrSet):
    """ETHTOOL_A_MM_*."""

    header = Attr(1, HEADER_STATS)
    pmac_enabled = Attr(2, u8, max=1)
    tx_enabled = Attr(3, u8, max=1)
    tx_active = Attr(4, u8)
    tx_min_frag_size = Attr(5, u32, min=60, max=252)
    rx_min_frag_size = Attr(6, u32)
    verify_enabled = Attr(7, u8, max=1)
    verify_status = Attr(8, u8)
    verify_time = Attr(9, u32, min=1, max=128)
    max_verify_time = Attr(10, u32)
    stats = Attr(11, nest(MmStat))


class Phy(AttrSet):
    """ETHTOOL_A_PHY_*."""

    header = Attr(1, HEADER)
    index = Attr(2, u32)
    drvname = Attr(3, string)
    name = Attr(4, string)


class Mse(AttrSet):
    """ETHTOOL_A_MSE_*."""

    header = Attr(1, HEADER_PHY)
