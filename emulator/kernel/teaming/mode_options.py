"""Options that teams have in some modes (ab_options, lb_options)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from nlemu.emulator.kernel.teaming.modes import HASHES, ActiveBackup, LoadBalance
from nlemu.emulator.kernel.teaming.options import Instance, Option, OptionType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.teaming.team import Team


def _ab(team: Team) -> ActiveBackup:
    return cast("ActiveBackup", team.private)


def _lb(team: Team) -> LoadBalance:
    return cast("LoadBalance", team.private)


def _active(team: Team, instance: Instance) -> int:
    active = _ab(team).active
    return 0 if active is None else active.dev.ifindex


def _mapped(team: Team, instance: Instance) -> int:
    port = _lb(team).mapping.get(instance.index)
    return 0 if port is None else port.dev.ifindex


def _hash_stats(team: Team, instance: Instance) -> bytes:
    return _lb(team).told.get(instance.index, 0).to_bytes(8, "little")


def _port_stats(team: Team, instance: Instance) -> bytes:
    assert instance.port is not None
    return instance.port.told_sent.to_bytes(8, "little")


def _set_mapping(team: Team, instance: Instance, value: Any) -> None:
    _lb(team).set_mapping(instance.index, value)


ActiveBackup.options = (
    Option("activeport", OptionType.U32, _active, lambda team, _, value: _ab(team).set_active(value)),
)
LoadBalance.options = (
    Option(
        "bpf_hash_func", OptionType.BINARY, lambda team, _: _lb(team).program,
        lambda team, _, value: _lb(team).set_program(value),
    ),
    Option(
        "lb_tx_method", OptionType.STRING, lambda team, _: _lb(team).method,
        lambda team, _, value: _lb(team).set_method(value),
    ),
    Option("lb_tx_hash_to_port_mapping", OptionType.U32, _mapped, _set_mapping, size=HASHES),
    Option("lb_hash_stats", OptionType.BINARY, _hash_stats, size=HASHES),
    Option("lb_port_stats", OptionType.BINARY, _port_stats, per_port=True),
    Option(
        "lb_stats_refresh_interval", OptionType.U32, lambda team, _: _lb(team).interval,
        lambda team, _, value: _lb(team).set_interval(value),
    ),
)
