"""Options of teams (struct team_option): each has a name, a type, and is of the team, of each port, or an array.

An instance is one place of an option: of a port, at an index. It is marked as changed until it was told to somebody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from errno import EBUSY, EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.teaming import modes
from nlemu.emulator.kernel.teaming.team import Port, Team
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

NO_MODE = "*NOMODE*"


class OptionType(IntEnum):
    """enum team_option_type, by the NLA_* that stands for it in messages."""

    U32 = 3
    STRING = 5
    BOOL = 6
    BINARY = 11
    S32 = 14


@dataclass(eq=False, slots=True)
class Instance:
    """struct team_option_inst."""

    option: Option
    port: Port | None = None
    index: int = 0
    changed: bool = True
    removed: bool = False


@dataclass(frozen=True, eq=False)
class Option:
    """struct team_option. size: how many instances an array has, 0 for what is none. get, put: of an instance; None:
    it cannot be told, or set."""

    name: str
    type: OptionType
    get: Callable[[Team, Instance], Any]
    put: Callable[[Team, Instance, Any], None] | None = None
    per_port: bool = False
    size: int = 0


def add(team: Team, option: Option, port: Port | None = None) -> None:
    """__team_option_inst_add()"""
    for index in range(max(1, option.size)):
        team.instances.append(Instance(option, port, index))


def register(team: Team, options: Iterable[Option]) -> None:
    """team_options_register()"""
    for option in options:
        if not option.per_port:
            add(team, option)
    team.tell_changed()


def unregister(team: Team, options: Iterable[Option]) -> None:
    """team_options_unregister()"""
    gone = frozenset(options)
    mark_removed(one for one in team.instances if one.option in gone)
    team.tell_changed()
    forget(team, gone)


def forget(team: Team, options: Iterable[Option]) -> None:
    """__team_options_unregister()"""
    gone = frozenset(options)
    team.instances = [one for one in team.instances if one.option not in gone]


def mark_removed(instances: Iterable[Instance]) -> None:
    """__team_option_inst_mark_removed_option(), __team_option_inst_mark_removed_port()."""
    for one in instances:
        one.changed = one.removed = True


def of(team: Team) -> tuple[Option, ...]:
    """All options that the team has."""
    return OPTIONS + (() if team.mode is None else team.mode.options)


def set_option(team: Team, instance: Instance, value: Any) -> None:
    """team_option_set() of one that was found. Refusal EOPNOTSUPP, and what the option refuses."""
    if instance.option.put is None:
        raise Refusal(EOPNOTSUPP)
    instance.option.put(team, instance, value)
    instance.changed = True


# The mode


def change_mode(team: Team, kind: str) -> None:
    """team_change_mode(): EBUSY, EINVAL."""
    if team.members:
        raise Refusal(EBUSY)
    if team.mode is not None and team.mode.kind == kind:
        raise Refusal(EINVAL)
    made = modes.MODES.get(kind)
    if made is None:
        raise Refusal(EINVAL)
    end_mode(team)
    new = team.private = made(team)
    if new.options:
        register(team, new.options)
    team.mode = new


def end_mode(team: Team) -> None:
    """The first half of __team_change_mode()."""
    mode = team.mode
    if mode is None:
        return
    if mode.options:
        unregister(team, mode.options)
    mode.end()
    team.mode = team.private = None
    team.user_carrier = False


# What every team has


def _port(instance: Instance) -> Port:
    assert instance.port is not None
    return instance.port


def _set_linkup(team: Team, instance: Instance, value: bool) -> None:
    port = _port(instance)
    port.user_linkup = value
    team.refresh(port)
    team.check_carrier()


def _set_linkup_enabled(team: Team, instance: Instance, value: bool) -> None:
    port = _port(instance)
    port.user_linkup_enabled = value
    team.refresh(port)
    team.check_carrier()


def _set_queue_id(team: Team, instance: Instance, value: int) -> None:
    """team_queue_id_option_set(): which queue a frame came by is not known here."""
    port, number = _port(instance), value & 0xFFFF
    if port.queue_id == number:
        return
    if number >= team.dev.real_num_tx_queues:
        raise Refusal(EINVAL)
    port.queue_id = number


def _number(name: str, of_what: str, what: str) -> Option:
    return Option(
        name, OptionType.U32, lambda team, _: getattr(getattr(team, of_what), what),
        lambda team, _, value: setattr(getattr(team, of_what), what, value),
    )


def _able(name: str, get: Callable[[Port], bool], *, rx: bool, tx: bool) -> Option:
    def put(team: Team, instance: Instance, value: bool) -> None:
        (team.enable if value else team.disable)(_port(instance), rx=rx, tx=tx)

    return Option(name, OptionType.BOOL, lambda team, one: get(_port(one)), put, per_port=True)


OPTIONS = (
    Option(
        "mode", OptionType.STRING, lambda team, _: NO_MODE if team.mode is None else team.mode.kind,
        lambda team, _, value: change_mode(team, value),
    ),
    _number("notify_peers_count", "notify_peers", "count"),
    _number("notify_peers_interval", "notify_peers", "interval"),
    _number("mcast_rejoin_count", "mcast_rejoin", "count"),
    _number("mcast_rejoin_interval", "mcast_rejoin", "interval"),
    _able("enabled", lambda port: port.enabled, rx=True, tx=True),
    _able("rx_enabled", lambda port: port.rx_enabled, rx=True, tx=False),
    _able("tx_enabled", lambda port: port.tx_enabled, rx=False, tx=True),
    Option("user_linkup", OptionType.BOOL, lambda team, one: _port(one).user_linkup, _set_linkup, per_port=True),
    Option(
        "user_linkup_enabled", OptionType.BOOL, lambda team, one: _port(one).user_linkup_enabled, _set_linkup_enabled,
        per_port=True,
    ),
    Option(
        "priority", OptionType.S32, lambda team, one: _port(one).priority,
        lambda team, one, value: setattr(_port(one), "priority", value), per_port=True,
    ),
    Option("queue_id", OptionType.U32, lambda team, one: _port(one).queue_id, _set_queue_id, per_port=True),
)
"""team_options"""
