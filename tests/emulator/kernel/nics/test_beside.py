"""What drivers have beside queues and links."""

from __future__ import annotations

from errno import EAGAIN, EBUSY, EINVAL, ENODEV, EOPNOTSUPP, ERANGE

import pytest

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.ethtool import link, wake
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.nics import sriov
from nlemu.emulator.kernel.nics.beside import METHODS
from nlemu.emulator.kernel.nics.ports import function_of
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.protocol.uapi.ethtool import ETH_RESET_ALL, NetifMsg, StringSet, Tunable, Wake
from nlemu.protocol.uapi.net_tstamp import SOF_TIMESTAMPING, HwtstampFilter
from tests.emulator.kernel.nics.rules import plugged, refused

CLOCKS = {"mlx5_core", "bnxt_en", "fbnic", "ice", "i40e", "idpf", "e1000e"}
TUNED = {"mlx5_core", "bnxt_en", "gve", "fbnic", "ena"}
TESTED = {"mlx5_core", "bnxt_en", "fbnic", "ice", "i40e", "e1000e"}
WAKING = {"mlx5_core", "bnxt_en", "ice", "i40e", "e1000e"}


@pytest.mark.parametrize("driver", PROFILES)
def test_who_has_what(driver: str) -> None:
    dev = plugged(driver, queues=1)
    expected = {
        "get_ts_info": driver not in {"mana", "iavf"}, "get_wol": driver in WAKING, "set_wol": driver in WAKING,
        "get_tunable": driver in TUNED, "set_tunable": driver in TUNED, "self_test": driver in TESTED,
        "get_msglevel": driver in {"bnxt_en", "gve", "ice", "i40e", "idpf", "ena", "e1000e"},
        "set_msglevel": driver in {"bnxt_en", "gve", "ice", "i40e", "idpf", "ena", "e1000e"},
        "nway_reset": driver in {"bnxt_en", "ice", "i40e", "e1000e"}, "reset": driver in {"bnxt_en", "gve", "ice"},
        "set_phys_id": driver in WAKING,
    }
    assert {name: dev.ops.has(name) for name in METHODS} == expected
    assert bool(dev.ops.get_strings(dev, StringSet.TEST)) == (driver in TESTED)


# Clocks


@pytest.mark.parametrize("driver", PROFILES)
def test_clocks(driver: str) -> None:
    dev = plugged(driver, queues=1)
    info = link.get_ts_info(dev)
    assert (info.phc_index == 0) == (driver in CLOCKS)
    hardware = SOF_TIMESTAMPING.TX_HARDWARE | SOF_TIMESTAMPING.RX_HARDWARE | SOF_TIMESTAMPING.RAW_HARDWARE
    assert (info.so_timestamping & hardware == hardware) == bool(info.rx_filters) == (driver in CLOCKS)
    assert bool(info.rx_filters >> HwtstampFilter.ALL & 1) == (driver in CLOCKS - {"i40e"})
    counted = {"mlx5_core", "bnxt_en", "fbnic", "ice", "idpf"}
    assert (dev.ops.get_ts_stats(dev) is not None) == (driver in counted)


def test_a_clock_s_number_is_free_again() -> None:
    kernel = Kernel()
    devices = [
        kernel.nics.plug(f"0000:0{number}:00.0", PROFILES["ice"], kernel.init_net, queues=1) for number in range(2)
    ]
    assert [link.get_ts_info(dev).phc_index for dev in devices] == [0, 1]
    kernel.nics.unplug("0000:00:00.0")
    again = kernel.nics.plug("0000:05:00.0", PROFILES["mlx5_core"], kernel.init_net, queues=1)
    assert link.get_ts_info(again).phc_index == 0


@pytest.mark.parametrize(("driver", "clock"), [("mlx5_core", True), ("bnxt_en", False)])
def test_clocks_of_virtual_functions(driver: str, clock: bool) -> None:
    card = plugged(driver)
    sriov.configure(card.kernel.nics, function_of(card), 1)
    (dev,) = (one for one in card.kernel.nics.devices.values() if one is not card)
    assert (link.get_ts_info(dev).phc_index >= 0) == clock


# Wake-on-LAN


def wake_by(dev: Device, options: int, password: bytes | None = None) -> bool:
    return wake.set_options(dev, lambda kept: (options, options != kept), password)


@pytest.mark.parametrize(
    ("driver", "supported", "first"),
    [("mlx5_core", Wake.MAGIC, 0), ("bnxt_en", 0, 0), ("ice", Wake.MAGIC, 0), ("i40e", 0, 0),
     ("e1000e", Wake.PHY | Wake.UCAST | Wake.MCAST | Wake.BCAST | Wake.MAGIC, Wake.MAGIC)],
)
def test_what_wakes_it(driver: str, supported: int, first: int) -> None:
    dev = plugged(driver, queues=1)
    wol = wake.get(dev)
    assert (wol.supported, wol.options) == (supported, first)
    assert refused(EINVAL, wake_by, dev, Wake.ARP) == "cannot enable unsupported WoL mode"
    assert refused(EINVAL, wake_by, dev, 0, b"secret") == "magicsecure not supported, cannot set password"
    if supported & Wake.MAGIC:
        wake_by(dev, 0)
        assert wake_by(dev, Wake.MAGIC) and not wake_by(dev, Wake.MAGIC)
        assert wake.get(dev).options == Wake.MAGIC


# Numbers


def test_numbers() -> None:
    mlx5, bnxt, gve, fbnic, ena = (plugged(one) for one in ("mlx5_core", "bnxt_en", "gve", "fbnic", "ena"))
    timeout, copybreak = Tunable.PFC_PREVENTION_TOUT, Tunable.RX_COPYBREAK
    for value, kept in ((0xFFFF, 100), (80, 80), (0, 0), (8000, 8000)):
        mlx5.ops.set_tunable(mlx5, timeout, value)
        assert mlx5.ops.get_tunable(mlx5, timeout) == kept
    for value in (79, 8001):
        refused(EINVAL, mlx5.ops.set_tunable, mlx5, timeout, value)
    refused(EINVAL, mlx5.ops.get_tunable, mlx5, copybreak)
    refused(ERANGE, bnxt.ops.set_tunable, bnxt, copybreak, 1025)
    refused(EBUSY, bnxt.ops.set_tunable, bnxt, copybreak, 100)
    bnxt.ops.set_tunable(bnxt, copybreak, 0)
    refused(EOPNOTSUPP, bnxt.ops.get_tunable, bnxt, timeout)
    refused(EINVAL, gve.ops.set_tunable, gve, copybreak, 2049)
    gve.ops.set_tunable(gve, copybreak, 2048)
    fbnic.ops.set_tunable(fbnic, timeout, 0xFFFF)
    assert fbnic.ops.get_tunable(fbnic, timeout) == 500
    refused(EINVAL, fbnic.ops.set_tunable, fbnic, timeout, 10486)
    refused(EINVAL, ena.ops.set_tunable, ena, copybreak, ena.mtu + 1)
    refused(EINVAL, ena.ops.get_tunable, ena, timeout)


# Tests, resets, messages


@pytest.mark.parametrize("driver", sorted(TESTED))
def test_all_is_well(driver: str) -> None:
    dev = plugged(driver, queues=1)
    names = dev.ops.get_strings(dev, StringSet.TEST)
    assert dev.ops.self_test(dev, False) == ((0,) * len(names), False)
    fared, failed = dev.ops.self_test(dev, True)
    assert not failed and dev.running and dev.carrier
    assert dict(zip(names, fared, strict=True)).get("Ext loopback test (offline)", 0) == (driver == "bnxt_en")


def test_what_is_not_well() -> None:
    mlx5 = plugged("mlx5_core", up=False)
    assert mlx5.ops.self_test(mlx5, False) == ((1, 1, 0, (1 << 64) - ENODEV), True)
    bnxt = plugged("bnxt_en", up=False)
    assert bnxt.ops.self_test(bnxt, False) == ((0,) * 7, True)
    ice = plugged("ice")
    sriov.configure(ice.kernel.nics, function_of(ice), 1)
    assert ice.ops.self_test(ice, True) == ((1,) * 5, True)
    assert ice.ops.self_test(ice, False) == ((0,) * 5, False)


def test_resets() -> None:
    gve, bnxt, ice = (plugged(driver) for driver in ("gve", "bnxt_en", "ice"))
    assert gve.ops.reset(gve, ETH_RESET_ALL) == 0 and gve.running
    refused(EOPNOTSUPP, gve.ops.reset, gve, 1)
    refused(EINVAL, bnxt.ops.reset, bnxt, 0)
    assert bnxt.ops.reset(bnxt, 4) == 4
    refused(EOPNOTSUPP, ice.ops.reset, ice, 1)


def test_negotiated_anew() -> None:
    e1000e = plugged("e1000e", up=False, queues=1)
    refused(EAGAIN, e1000e.ops.nway_reset, e1000e)
    bnxt = plugged("bnxt_en")
    ups = bnxt.carrier_up_count
    bnxt.ops.nway_reset(bnxt)
    bnxt.kernel.work.settle()
    assert bnxt.carrier_up_count == ups + 1
    forced = bnxt.ops.get_link_ksettings(bnxt)
    forced.autoneg = 0
    bnxt.ops.set_link_ksettings(bnxt, forced)
    refused(EINVAL, bnxt.ops.nway_reset, bnxt)


def test_messages() -> None:
    dev = plugged("gve")
    assert dev.ops.get_msglevel(dev) == NetifMsg.DRV | NetifMsg.LINK
    dev.ops.set_msglevel(dev, 0)
    assert dev.ops.get_msglevel(dev) == 0


# Ports of tunnels


@pytest.mark.parametrize("driver", PROFILES)
def test_tables_of_ports(driver: str) -> None:
    dev = plugged(driver, queues=1)
    sizes = {"mlx5_core": [7], "bnxt_en": [1, 1, 1], "ice": [8, 8], "i40e": [16]}
    assert [entries for entries, _ in dev.ops.udp_tunnel_tables] == sizes.get(driver, [])
    assert dev.ops.has_udp_tunnels == (driver in sizes)
    assert dev.ops.knows_iana_vxlan == (driver == "mlx5_core")
