"""What ethtool tells of links, takes and refuses, by driver."""

from __future__ import annotations

from dataclasses import replace
from errno import EINVAL, EOPNOTSUPP, EPERM

import pytest

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.ethtool import link_settings
from nlemu.emulator.kernel.ethtool.link import Fec, LinkSettings
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.nics.profiles import PROFILES, Profile
from nlemu.protocol.uapi.ethtool import Duplex, FecFlag, Port, TpMdi
from nlemu.protocol.uapi.link_modes import LINK_MODES, PARAMETERS, bits, modes
from tests.emulator.kernel.nics.rules import plugged, refused
from tests.emulator.kernel.world import set_up

UNKNOWN = 0xFFFFFFFF
FULL, HALF, NOBODY = Duplex.FULL, Duplex.HALF, Duplex.UNKNOWN
SPECIAL = {"Pause", "Asym_Pause", "Autoneg", "FIBRE", "Backplane", "TP", "None", "RS", "BASER", "LLRS"}


def told(dev: Device) -> LinkSettings:
    return dev.ops.get_link_ksettings(dev)


def names(of: int) -> set[str]:
    return {LINK_MODES[bit].removesuffix("/Full") for bit in bits(of)}


def take(dev: Device, **said: int) -> None:
    """Sets those, all others as they are told."""
    dev.ops.set_link_ksettings(dev, replace(told(dev), **said))
    dev.kernel.work.settle()


def refuses(errno: int, dev: Device, **said: int) -> None:
    """That cannot be set."""
    wanted = replace(told(dev), **said)
    refused(errno, dev.ops.set_link_ksettings, dev, wanted)


def of_speed(driver: str, speed: int) -> Device:
    """A NIC with another cage."""
    kernel = Kernel()
    profile: Profile = replace(PROFILES[driver], speed=speed)
    dev = kernel.nics.plug("0000:08:00.0", profile, kernel.init_net, queues=1)
    set_up(dev)
    return dev


def test_modes_say_speed_lanes_and_duplex() -> None:
    parameters = dict(zip(LINK_MODES, PARAMETERS, strict=True))
    assert parameters["100000baseLR4_ER4/Full"] == (100000, 4, FULL)
    assert parameters["800000baseDR8_2/Full"] == (800000, 8, FULL)
    assert parameters["200000baseDR_2/Full"] == (200000, 1, FULL)
    assert parameters["20000baseMLD2/Full"] == (20000, 2, FULL)
    assert parameters["10000baseR_FEC"] == (10000, 1, FULL)
    assert parameters["10baseT1S_P2MP/Half"] == (10, 1, HALF)
    assert {name for name, mode in parameters.items() if mode is None} == SPECIAL | {"AUI", "MII", "BNC"}


@pytest.mark.parametrize(
    ("driver", "up", "down"),
    [
        ("mlx5_core", (200000, 4, FULL, Port.DA, 1), (UNKNOWN, 0, NOBODY, Port.DA, 1)),
        ("bnxt_en", (200000, 4, FULL, Port.DA, 1), (UNKNOWN, 0, NOBODY, Port.DA, 1)),
        ("gve", (100000, 0, FULL, Port.TP, 0), (100000, 0, FULL, Port.TP, 0)),
        ("fbnic", (100000, 2, FULL, Port.DA, 0), (UNKNOWN, 2, NOBODY, Port.DA, 0)),
        ("ice", (100000, 0, FULL, Port.DA, 1), (100000, 0, FULL, Port.DA, 1)),
        ("i40e", (40000, 0, FULL, Port.DA, 1), (40000, 0, FULL, Port.DA, 1)),
        ("idpf", (200000, 0, FULL, Port.NONE, 0), (UNKNOWN, 0, NOBODY, Port.NONE, 0)),
        ("ena", (25000, 0, FULL, Port.TP, 0), (25000, 0, FULL, Port.TP, 0)),
        ("mana", (200000, 0, FULL, Port.OTHER, 0), (200000, 0, FULL, Port.OTHER, 0)),
        ("iavf", (25000, 0, FULL, Port.NONE, 0), (UNKNOWN, 0, FULL, Port.NONE, 0)),
        ("e1000e", (1000, 0, FULL, Port.TP, 1), (UNKNOWN, 0, NOBODY, Port.TP, 1)),
        ("virtio_net", (UNKNOWN, 0, NOBODY, Port.OTHER, 0), (UNKNOWN, 0, NOBODY, Port.OTHER, 0)),
    ],
)
def test_speed_and_connector(driver: str, up: tuple[int, ...], down: tuple[int, ...]) -> None:
    for running, expected in ((True, up), (False, down)):
        link = told(plugged(driver, running, queues=1))
        assert (link.speed, link.lanes, link.duplex, link.port, link.autoneg) == expected


@pytest.mark.parametrize("driver", PROFILES)
def test_who_can_be_set(driver: str) -> None:
    dev = plugged(driver, queues=1)
    settable = {"mlx5_core", "bnxt_en", "ice", "i40e", "e1000e", "virtio_net"}
    corrected = {"mlx5_core", "bnxt_en", "ice", "i40e", "fbnic"}
    assert dev.ops.has("set_link_ksettings") == (driver in settable)
    assert dev.ops.has("get_fecparam") == (driver in corrected)
    assert dev.ops.has("set_fecparam") == (driver in corrected - {"fbnic"})
    assert dev.ops.has("get_fec_stats") == (driver in corrected - {"i40e"})
    assert dev.ops.links_lanes == (driver in {"mlx5_core", "bnxt_en", "fbnic"})
    if driver not in settable:
        refused(EOPNOTSUPP, link_settings.check_settable, dev)


@pytest.mark.parametrize(
    ("driver", "supported", "advertised"),
    [
        ("bnxt_en", {"10000baseCR", "200000baseCR4", "Asym_Pause", "LLRS", "FIBRE"}, {"50000baseCR", "RS", "Autoneg"}),
        ("ice", {"100000baseKR4", "25000baseSR", "None", "BASER", "Pause"}, {"25000baseCR", "None", "RS", "BASER"}),
        ("i40e", {"40000baseCR4", "Pause", "Asym_Pause", "FIBRE", "Autoneg"}, {"40000baseCR4", "Autoneg", "FIBRE"}),
        ("mlx5_core", {"200000baseDR4", "1000baseX", "Backplane", "LLRS"}, {"Backplane", "Autoneg", "RS"}),
        ("fbnic", {"100000baseCR2", "RS", "Asym_Pause"}, {"100000baseCR2", "Pause"}),
        ("e1000e", {"10baseT/Half", "1000baseT", "TP", "Pause"}, {"10baseT/Half", "1000baseT", "TP", "Autoneg"}),
    ],
)
def test_modes(driver: str, supported: set[str], advertised: set[str]) -> None:
    link = told(plugged(driver, queues=1))
    assert supported <= names(link.supported) and advertised <= names(link.advertising)
    speeds = names(link.advertising) - SPECIAL
    assert speeds and speeds <= names(link.supported)


def test_a_cage_says_which_modes_there_are() -> None:
    assert "100000baseCR2" not in names(told(of_speed("mlx5_core", 100000)).supported)
    assert "400000baseCR4" in names(told(of_speed("mlx5_core", 400000)).supported)
    assert names(told(of_speed("bnxt_en", 25000)).supported) - SPECIAL == {"10000baseCR", "25000baseCR"}
    assert "1000baseX" in names(told(of_speed("ice", 25000)).supported)
    link = told(of_speed("mlx5_core", 0))
    assert (link.speed, link.duplex) == (UNKNOWN, NOBODY) and not names(link.supported) - SPECIAL


# What is taken


def test_mlx5_takes_protocols() -> None:
    dev = plugged("mlx5_core")
    take(dev, autoneg=0, speed=100000, lanes=4)
    link = told(dev)
    assert (link.speed, link.lanes, link.autoneg) == (100000, 4, 0)
    assert names(link.advertising) - SPECIAL == {"100000base" + one for one in ("KR4", "SR4", "CR4", "LR4_ER4")}
    take(dev, speed=50000, lanes=0)
    assert {"50000baseCR2", "50000baseCR"} <= names(told(dev).advertising)
    assert told(dev).lanes == 2
    refuses(EINVAL, dev, speed=400000, lanes=0)
    refuses(EINVAL, dev, speed=100000, lanes=1)
    take(dev, autoneg=1, advertising=modes("25000baseCR"))  # one of the older modes is enough of them
    assert names(told(dev).advertising) - SPECIAL == {"25000baseCR"} and told(dev).speed == 25000
    newer = modes("100000baseKR2", "100000baseSR2", "100000baseCR2", "100000baseLR2_ER2_FR2")
    refuses(EINVAL, dev, autoneg=1, advertising=newer)  # of the newer ones all have to be there
    take(dev, autoneg=1, advertising=newer | modes("100000baseDR2"))
    assert (told(dev).speed, told(dev).lanes) == (100000, 2)


def test_bnxt_forces_and_advertises() -> None:
    dev = plugged("bnxt_en")
    refuses(EINVAL, dev, autoneg=0, speed=100000, lanes=0, duplex=HALF)
    refuses(EINVAL, dev, autoneg=0, speed=100000, lanes=1)
    refuses(EINVAL, dev, autoneg=0, speed=1000, lanes=0)
    take(dev, autoneg=0, speed=100000, lanes=0)
    assert (told(dev).speed, told(dev).lanes, told(dev).autoneg) == (100000, 4, 0)
    assert names(told(dev).advertising) == {"FIBRE"}
    take(dev, speed=100000, lanes=2)
    assert told(dev).lanes == 2
    take(dev, autoneg=1, advertising=modes("50000baseCR2", "50000baseSR"))
    assert names(told(dev).advertising) - SPECIAL == {"50000baseCR2", "50000baseCR"}
    assert (told(dev).speed, told(dev).lanes) == (50000, 2)
    take(dev, autoneg=1, advertising=0)
    assert told(dev).speed == 200000


def test_ice_takes_modes_of_the_card_alone() -> None:
    dev = plugged("ice")
    refuses(EOPNOTSUPP, dev)  # what is advertised says its connector, which is no mode
    refuses(EOPNOTSUPP, dev, advertising=modes("100000baseCR4", "Autoneg"))
    refuses(EOPNOTSUPP, dev, advertising=modes("10000baseT"))
    refuses(EOPNOTSUPP, dev, advertising=modes("50000baseCR2"), duplex=HALF)
    refuses(EINVAL, dev, advertising=modes("50000baseCR2"), autoneg=0)
    take(dev, advertising=modes("50000baseCR2"))
    assert names(told(dev).advertising) - SPECIAL == {"50000baseCR2", "50000baseKR2", "50000baseSR2"}
    assert told(dev).speed == 50000


def test_i40e_has_one_speed() -> None:
    dev = plugged("i40e")
    refuses(EINVAL, dev, advertising=modes("10000baseT"))
    refuses(EINVAL, dev, autoneg=0)
    refuses(EOPNOTSUPP, dev, port=Port.TP)
    refuses(EOPNOTSUPP, dev, speed=10000)
    take(dev)
    assert told(dev).speed == 40000


def test_a_port_of_intel_has_a_link_while_its_device_is_down() -> None:
    dev = plugged("ice", up=False)
    assert told(dev).speed == 100000
    dev.priv.flags |= dev.priv.profile.private.bits("link-down-on-close")
    assert told(dev).speed == UNKNOWN


def test_e1000e_forces_what_is_slow() -> None:
    dev = plugged("e1000e", queues=1)
    take(dev, autoneg=0, speed=100, duplex=HALF)
    assert (told(dev).speed, told(dev).duplex, told(dev).autoneg) == (100, HALF, 0)
    assert names(told(dev).advertising) == {"TP"}
    take(dev, autoneg=0, speed=1000, duplex=FULL)
    assert told(dev).autoneg == 1 and names(told(dev).advertising) == {"TP", "Autoneg", "1000baseT"}
    refuses(EINVAL, dev, autoneg=0, tp_mdix_ctrl=TpMdi.MDI_X)
    take(dev, tp_mdix_ctrl=TpMdi.MDI_X, advertising=modes("10baseT/Full"))
    assert (told(dev).tp_mdix_ctrl, told(dev).speed) == (TpMdi.MDI_X, 10)
    refuses(EINVAL, dev, autoneg=0, speed=1000, duplex=HALF, tp_mdix_ctrl=TpMdi.INVALID)
    assert told(dev).autoneg == 0


def test_a_link_that_is_set_anew_goes_down_and_comes_back() -> None:
    dev = plugged("mlx5_core")
    before = dev.carrier_up_count, dev.carrier_down_count
    take(dev, autoneg=0, speed=100000, lanes=4)
    assert (dev.carrier_up_count, dev.carrier_down_count) == (before[0] + 1, before[1] + 1)
    take(dev)
    assert dev.carrier_up_count == before[0] + 1 and dev.carrier


# Error correction


def fec(dev: Device) -> tuple[int, int]:
    record = dev.ops.get_fecparam(dev)
    return record.fec, record.active


def correct(dev: Device, wanted: int) -> None:
    dev.ops.set_fecparam(dev, Fec(wanted))
    dev.kernel.work.settle()


@pytest.mark.parametrize(
    ("driver", "up", "down"),
    [
        ("mlx5_core", (FecFlag.AUTO, FecFlag.RS), (FecFlag.AUTO, FecFlag.AUTO)),
        ("bnxt_en", (FecFlag.AUTO | FecFlag.RS, FecFlag.RS), (FecFlag.AUTO | FecFlag.RS, FecFlag.OFF)),
        ("fbnic", (FecFlag.AUTO | FecFlag.RS, FecFlag.RS), (FecFlag.AUTO | FecFlag.RS, FecFlag.RS)),
        ("i40e", (FecFlag.OFF, FecFlag.OFF), (FecFlag.OFF, FecFlag.OFF)),
    ],
)
def test_corrections(driver: str, up: tuple[int, int], down: tuple[int, int]) -> None:
    assert fec(plugged(driver)) == up
    assert fec(plugged(driver, up=False)) == down


def test_mlx5_corrects_as_it_is_told_where_the_link_can() -> None:
    dev = plugged("mlx5_core")
    refused(EOPNOTSUPP, correct, dev, FecFlag.RS | FecFlag.BASER)
    correct(dev, FecFlag.BASER)
    assert fec(dev) == (FecFlag.BASER, FecFlag.RS)  # there is none of it at 50 Gbit/s a lane
    take(dev, autoneg=0, speed=25000, lanes=0)
    assert fec(dev) == (FecFlag.BASER, FecFlag.BASER)
    assert dev.ops.get_fec_stats(dev).corrected.lanes == (0,)
    correct(dev, FecFlag.OFF)
    assert fec(dev) == (FecFlag.OFF, FecFlag.OFF)
    correct(dev, FecFlag.AUTO)
    assert fec(dev) == (FecFlag.AUTO, FecFlag.RS)
    slow = of_speed("mlx5_core", 100000)
    refused(EOPNOTSUPP, correct, slow, FecFlag.LLRS)


def test_bnxt_negotiates_corrections_with_the_speed() -> None:
    dev = plugged("bnxt_en")
    correct(dev, FecFlag.LLRS)
    assert fec(dev) == (FecFlag.LLRS, FecFlag.LLRS)
    assert "None" in names(told(dev).advertising)
    take(dev, autoneg=0, speed=25000, lanes=0)
    refused(EINVAL, correct, dev, FecFlag.AUTO)
    correct(dev, FecFlag.OFF)
    assert fec(dev) == (0, FecFlag.OFF)


def test_ice_and_i40e_take_one_at_a_time() -> None:
    ice = plugged("ice")
    refused(EINVAL, correct, ice, FecFlag.RS | FecFlag.BASER)
    refused(EINVAL, correct, ice, FecFlag.LLRS)
    correct(ice, FecFlag.RS)
    assert "BASER" not in names(told(ice).advertising)
    refused(EPERM, correct, plugged("i40e"), FecFlag.RS)
