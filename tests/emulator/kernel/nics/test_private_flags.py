"""Private flags of drivers: what they are called, which are on, which cannot be."""

from __future__ import annotations

from errno import EINVAL, EOPNOTSUPP

import pytest

from nlemu import Kernel, NlError
from nlemu.emulator.kernel.devices import features
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.features import recompute
from nlemu.emulator.kernel.ethtool import settings
from nlemu.emulator.kernel.nics import sriov
from nlemu.emulator.kernel.nics.feature_sets import RXHASH
from nlemu.emulator.kernel.nics.nic import NicOps
from nlemu.emulator.kernel.nics.ports import function_of
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.protocol.uapi.ethtool import StringSet
from tests.emulator.kernel.nics.rules import plugged, refused

FIRST = {
    "mlx5_core": {"rx_striding_rq", "xdp_tx_mpwqe", "skb_tx_mpwqe"}, "ice": set(), "i40e": {"flow-director-atr"},
    "gve": set(), "e1000e": set(),
}


def on(dev: Device) -> set[str]:
    names = dev.ops.get_strings(dev, StringSet.PRIV_FLAGS)
    return {name for bit, name in enumerate(names) if dev.ops.get_priv_flags(dev) >> bit & 1}


def switch(dev: Device, *names: str) -> None:
    """Switches those flags, all others stay."""
    assert isinstance(dev.ops, NicOps)
    dev.ops.set_priv_flags(dev, dev.ops.get_priv_flags(dev) ^ dev.ops.private.bits(*names))


@pytest.mark.parametrize("driver", PROFILES)
def test_who_has_any(driver: str) -> None:
    dev = plugged(driver, queues=1)
    assert dev.ops.has("get_priv_flags") == dev.ops.has("set_priv_flags") == (driver in FIRST)
    assert bool(dev.ops.get_strings(dev, StringSet.PRIV_FLAGS)) == (driver in FIRST)
    assert on(dev) == FIRST.get(driver, set())


@pytest.mark.parametrize(
    ("driver", "errno", "names"),
    [
        ("i40e", EOPNOTSUPP, ("MFP", "total-port-shutdown", "hw-atr-eviction", "rs-fec", "base-r-fec")),
        ("e1000e", EINVAL, ("s0ix-enabled", "disable-k1")),
    ],
)
def test_what_cannot_be_switched(driver: str, errno: int, names: tuple[str, ...]) -> None:
    dev = plugged(driver, queues=1)
    for name in names:
        refused(errno, switch, dev, name)
    assert on(dev) == FIRST[driver]


@pytest.mark.parametrize(("driver", "others"), [("ice", True), ("i40e", False)])
def test_pruning_stays_beside_functions(driver: str, others: bool) -> None:
    """others: what is said with it is taken though it is refused."""
    dev = plugged(driver)
    switch(dev, "vf-vlan-pruning")
    sriov.configure(dev.kernel.nics, function_of(dev), 1)
    refused(EOPNOTSUPP, switch, dev, "vf-vlan-pruning", "mdd-auto-reset-vf")
    assert "vf-vlan-pruning" in on(dev) and ("mdd-auto-reset-vf" in on(dev)) == others
    sriov.configure(dev.kernel.nics, function_of(dev), 0)
    switch(dev, "vf-vlan-pruning")
    assert "vf-vlan-pruning" not in on(dev)


def test_ice_knows_no_others() -> None:
    dev = plugged("ice")
    refused(EINVAL, dev.ops.set_priv_flags, dev, 1 << 6)


def test_a_flag_of_the_card_is_of_its_first_function() -> None:
    first = plugged("i40e")
    nics = first.kernel.nics
    second = nics.plug("0000:08:00.1", PROFILES["i40e"], first.net)
    told = [dev.ops.get_strings(dev, StringSet.PRIV_FLAGS) for dev in (first, second)]
    assert told[0] == (*told[1], "vf-true-promisc-support")


def test_flags_and_features_of_mlx5() -> None:
    dev = plugged("mlx5_core")
    switch(dev, "rx_cqe_compress")
    assert not dev.features & RXHASH
    dev.wanted_features |= features.GRO_HW
    recompute(dev)
    assert not dev.features & features.GRO_HW
    switch(dev, "rx_cqe_compress")
    assert dev.features & RXHASH and dev.features & features.GRO_HW
    refused(EINVAL, switch, dev, "rx_striding_rq")
    refused(EINVAL, switch, dev, "tx_cqe_moder", "rx_cqe_compress")
    assert on(dev) == FIRST["mlx5_core"] | {"tx_cqe_moder"}


def test_channels_of_mlx5_are_made_anew_for_some() -> None:
    dev = plugged("mlx5_core")
    napi = dev.rx[0].napi
    switch(dev, "rx_no_csum_complete")
    assert dev.rx[0].napi is napi
    switch(dev, "tx_port_ts")
    assert dev.rx[0].napi is not napi


def test_what_mlx5_counts_from_is_a_flag_once_it_is_told() -> None:
    dev = plugged("mlx5_core")
    settings.set_coalesce(dev, {"use_cqe_mode_tx": 1})
    assert on(dev) == FIRST["mlx5_core"] | {"rx_cqe_moder", "tx_cqe_moder"}


def test_by_netlink() -> None:
    with Kernel() as kernel:
        kernel.do(nic_new="0000:08:00.0", profile="gve", name="eth0")
        kernel.do(nic_new="0000:09:00.0", profile="ena", name="eth1")
        ethtool, heard = kernel.family("ethtool"), kernel.listen("ethtool", "monitor")
        wanted = {"bits": {"bit": [{"name": "report-stats", "value": True}]}}
        for _ in range(2):
            ethtool.do("privflags-set", {"header": {"dev-name": "eth0"}, "flags": wanted})
        told = ethtool.do("privflags-get", {"header": {"dev-name": "eth0"}})[0]["flags"]
        assert told == {"size": 1, "bits": {"bit": [{"index": 0, "name": "report-stats", "value": True}]}}
        assert [one["header"]["dev-name"] for one in ethtool.dump("privflags-get", {})] == ["eth0"]
        for asked, flags in (("privflags-get", {}), ("privflags-set", {"flags": wanted})):
            with pytest.raises(NlError) as refusal:
                ethtool.do(asked, {"header": {"dev-name": "eth1"}, **flags})
            assert refusal.value.errno == EOPNOTSUPP
        assert [one.name for one in heard.notifications(0)] == ["privflags-ntf"]
