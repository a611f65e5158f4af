"""What NICs make of pause frames, by driver."""

from __future__ import annotations

from errno import EINVAL, EOPNOTSUPP

import pytest

from nlemu.emulator.kernel.devices.flags import change_flags
from nlemu.emulator.kernel.ethtool import settings
from nlemu.emulator.kernel.ethtool.settings import Pause
from nlemu.protocol.uapi.if_ import IFF
from tests.emulator.kernel.nics.rules import plugged, refused
from tests.emulator.kernel.nics.test_sriov import card_of, functions, net_device
from tests.emulator.kernel.world import set_up


@pytest.mark.parametrize(("driver", "first"), [
    ("mlx5_core", Pause()), ("bnxt_en", Pause()), ("fbnic", Pause(autoneg=True)), ("ice", Pause(autoneg=True)),
    ("e1000e", Pause(True, True, True)),
])
def test_what_they_begin_with(driver: str, first: Pause) -> None:
    assert settings.get_pause(plugged(driver)) == first


@pytest.mark.parametrize("driver", ["mlx5_core", "bnxt_en", "fbnic", "e1000e"])
def test_what_is_said_without_negotiation_is_taken(driver: str) -> None:
    dev = plugged(driver)
    settings.set_pause(dev, {"autoneg": False, "rx": True, "tx": False})
    assert settings.get_pause(dev) == Pause(False, True, False)


def test_mlx5_negotiates_no_pauses() -> None:
    refused(EINVAL, settings.set_pause, plugged("mlx5_core"), {"autoneg": True})


def test_bnxt_negotiates_them_while_the_link_is_negotiated() -> None:
    dev = plugged("bnxt_en")
    settings.set_pause(dev, {"autoneg": True, "rx": True})
    told = dev.ops.get_link_ksettings(dev)
    told.autoneg, told.speed, told.lanes = 0, 100000, 0
    dev.ops.set_link_ksettings(dev, told)
    assert settings.get_pause(dev) == Pause(False, True, False), "a link that is forced takes negotiation away"
    refused(EINVAL, settings.set_pause, dev, {"autoneg": True})


@pytest.mark.parametrize("driver", ["ice", "i40e"])
def test_intels_cards_leave_it_to_the_link_whether_they_are_negotiated(driver: str) -> None:
    dev = plugged(driver)
    set_up(dev)
    negotiated = settings.get_pause(dev).autoneg
    assert negotiated == dev.ops.get_link_ksettings(dev).autoneg
    refused(EOPNOTSUPP, settings.set_pause, dev, {"autoneg": not negotiated})
    settings.set_pause(dev, {"tx": True})
    assert settings.get_pause(dev) == Pause(negotiated, False, True)


def test_i40e_negotiates_nothing_without_a_link() -> None:
    dev = plugged("i40e")
    set_up(dev)
    before = settings.get_pause(dev).autoneg
    dev.ops.set_priv_flags(dev, dev.priv.profile.private.bits("link-down-on-close"))
    change_flags(dev, dev.flags & ~int(IFF.UP))
    assert before and not settings.get_pause(dev).autoneg


def test_e1000e_does_not_listen_to_the_rest_while_it_negotiates() -> None:
    dev = plugged("e1000e")
    settings.set_pause(dev, {"rx": False})
    assert settings.get_pause(dev) == Pause(True, True, True)


@pytest.mark.parametrize("driver", ["mlx5_core", "bnxt_en"])
def test_virtual_functions_have_none_of_their_own(driver: str) -> None:
    card, _ = card_of(driver, 1)
    dev = net_device(functions(card)[0])
    assert settings.get_pause(dev) == Pause()
    refused(EOPNOTSUPP, settings.set_pause, dev, {"rx": True})
