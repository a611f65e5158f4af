"""What no device here has: each command says so in the kernel's way, after looking at the request as far as it does.

Energy-Efficient Ethernet (some NICs' drivers have it, and none of the cards that they have here), PHYs and their
cables, power over the cable, MACs that merge frames. Which refusal comes first is all there is to tell
(net/ethtool/eee.c, cabletest.c, pse-pd.c, plca.c, mm.c, phy.c, mse.c).
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.ethtool.common import Request, check_phy, inside, parse_header, query, setting
from nlemu.emulator.netlink.call import Call
from nlemu.emulator.netlink.registry import doit
from nlemu.protocol.families.ethtool.commands import (
    CABLE_TEST_ACT,
    CABLE_TEST_TDR_ACT,
    EEE_GET,
    EEE_NTF,
    EEE_SET,
    MM_GET,
    MM_NTF,
    MM_SET,
    MSE_GET,
    PHY_GET,
    PLCA_GET_CFG,
    PLCA_GET_STATUS,
    PLCA_NTF,
    PLCA_SET_CFG,
    PSE_GET,
    PSE_SET,
)
from nlemu.protocol.families.ethtool.hardware import CableTestTdr, TdrCfg
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Values
from nlemu.protocol.uapi.ethtool import MAX_CABLE_LENGTH_CM, CablePair

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

TDR_FIRST = TDR_STEP = 100


def nothing(dev: Device, request: Request) -> Values:
    """ethnl_default_doit(): a query that no driver here answers."""
    raise Refusal(errno.EOPNOTSUPP)


def no_change(dev: Device, request: Request) -> bool:
    """ethnl_default_set_doit(): a setting that no driver here takes."""
    raise Refusal(errno.EOPNOTSUPP)


for _op, _ntf in ((EEE_GET, EEE_NTF), (MM_GET, MM_NTF)):
    query(_op, ntf=_ntf)(nothing)
for _op, _ntf in ((EEE_SET, EEE_NTF), (MM_SET, MM_NTF)):
    setting(_op, _ntf)(no_change)


# -- PHYs -------------------------------------------------------------------------------------


def no_phy(request: Request) -> Refusal:
    """EOPNOTSUPP, with what looking for the PHY has left behind: one that is named is missed by name."""
    try:
        check_phy(request)
    except Refusal as refusal:
        refusal.errno = errno.EOPNOTSUPP
        return refusal
    return Refusal(errno.EOPNOTSUPP)


def without_phy(dev: Device, request: Request) -> Values:
    """plca_get_cfg_prepare_data(), plca_get_status_prepare_data(), phy_prepare_data()."""
    raise no_phy(request)


query(PLCA_GET_CFG, ntf=PLCA_NTF, per_phy=True)(without_phy)
query(PLCA_GET_STATUS, per_phy=True)(without_phy)
query(PHY_GET, per_phy=True)(without_phy)


@query(MSE_GET, per_phy=True)
def mse(dev: Device, request: Request) -> Values:
    """mse_prepare_data()."""
    check_phy(request)
    raise Refusal(errno.EOPNOTSUPP)


@query(PSE_GET, per_phy=True)
def pse(dev: Device, request: Request) -> Values:
    """pse_prepare_data()."""
    check_phy(request)
    raise Refusal(errno.EOPNOTSUPP, "No PHY found")


@setting(PSE_SET)
def set_pse(dev: Device, request: Request) -> bool:
    """ethnl_set_pse()."""
    refusal = no_phy(request)
    refusal.text = "No PHY is attached"
    raise refusal


@setting(PLCA_SET_CFG, PLCA_NTF)
def set_plca(dev: Device, request: Request) -> bool:
    """ethnl_set_plca()."""
    raise no_phy(request)


@doit(CABLE_TEST_ACT)
def cable_test(call: Call) -> None:
    """ethnl_act_cable_test()."""
    raise no_phy(parse_header(call, demanded=True))


@doit(CABLE_TEST_TDR_ACT)
def cable_test_tdr(call: Call) -> None:
    """ethnl_act_cable_test_tdr()."""
    request = parse_header(call, demanded=True)
    if CableTestTdr.cfg in call.attrs:
        check_tdr(request)
    raise no_phy(request)


def check_tdr(request: Request) -> None:
    """ethnl_act_cable_test_tdr_cfg(): from where to where, in centimetres, by which steps, on which pair."""
    cfg = inside(request, CableTestTdr.cfg, TdrCfg.spec.policy)
    first, last = cfg.get(TdrCfg.first, TDR_FIRST), cfg.get(TdrCfg.last, MAX_CABLE_LENGTH_CM)
    step = cfg.get(TdrCfg.step, TDR_STEP)
    # The kernel keeps the pair in an s8, so the upper half of its numbers is below all pairs and passes.
    pair = cfg.get(TdrCfg.pair, 0)
    for wrong, text, blamed in (
        (CablePair.D < pair < 0x80, "invalid pair parameter", TdrCfg.pair),
        (first > MAX_CABLE_LENGTH_CM, "invalid first parameter", TdrCfg.first),
        (last > MAX_CABLE_LENGTH_CM, "invalid last parameter", TdrCfg.last),
        (first > last, "invalid first/last parameter", None),
        (not step, "invalid step parameter", TdrCfg.step),
        (step > last - first, "step parameter too big", TdrCfg.step),
    ):
        if wrong:
            raise Refusal(errno.EINVAL, text, at=None if blamed is None else cfg.offset(blamed))
