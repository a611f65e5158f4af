"""Teams: who may be a port, which frames go where, and what is told, beyond the recorded ones."""

from __future__ import annotations

from errno import EBUSY, EINVAL, ENODEV, ENOENT, EPERM

import pytest

from nlemu.emulator.kernel.devices import flags, links, settings
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.register import unregister
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.emulator.kernel.links.team import KIND, team_of
from nlemu.emulator.kernel.teaming import options, ports
from nlemu.emulator.kernel.teaming.modes import ActiveBackup, LoadBalance
from nlemu.emulator.kernel.teaming.options import Instance
from nlemu.emulator.kernel.teaming.team import Team, port_of
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF


@pytest.fixture
def machine() -> Machine:
    return Machine()


def new(machine: Machine, mode: str = "") -> Team:
    net = machine.init_net
    team = team_of(links.new_link(net, KIND, LinkParams(link_net=net)))
    assert team is not None
    if mode:
        options.change_mode(team, mode)
    return team


def port(machine: Machine, team: Team) -> Device:
    net = machine.init_net
    dev = links.new_link(net, DUMMY, LinkParams(link_net=net))
    team.dev.ops.add_slave(team.dev, dev)
    return dev


def raise_(dev: Device) -> None:
    flags.apply_flags(dev, dev.flags | int(IFF.UP))


def refused(verb: object, *args: object) -> int:
    with pytest.raises(Refusal) as caught:
        verb(*args)  # type: ignore[operator]
    return caught.value.errno


def instance(team: Team, name: str, dev: Device | None = None, index: int = 0) -> Instance:
    return next(
        one for one in team.instances
        if one.option.name == name and one.index == index and (one.port is None or one.port.dev is dev)
    )


def sent(team: Team, *devices: Device) -> list[int]:
    """What a frame makes each count."""
    before = [dev.stats.tx_packets for dev in devices]
    team.dev.ops.transmit(team.dev, 100)
    return [dev.stats.tx_packets - one for dev, one in zip(devices, before, strict=True)]


def test_a_team_without_a_mode_or_a_port_sends_nothing(machine: Machine) -> None:
    team = new(machine)
    raise_(team.dev)
    one = port(machine, team)
    assert sent(team, one) == [0]
    assert team.dev.stats.tx_dropped == 1


def test_round_robin_takes_turns_among_those_that_may(machine: Machine) -> None:
    team = new(machine, "roundrobin")
    raise_(team.dev)
    one, two = port(machine, team), port(machine, team)
    assert one.address == two.address == team.dev.address
    assert [sent(team, one, two) for _ in range(3)] == [[1, 0], [0, 1], [1, 0]]
    options.set_option(team, instance(team, "tx_enabled", one), False)
    assert [sent(team, one, two) for _ in range(2)] == [[0, 1], [0, 1]]
    options.set_option(team, instance(team, "enabled", two), False)
    assert sent(team, one, two) == [0, 0]


def test_broadcast_sends_through_all(machine: Machine) -> None:
    team = new(machine, "broadcast")
    raise_(team.dev)
    one, two = port(machine, team), port(machine, team)
    assert sent(team, one, two) == [1, 1]


def test_one_is_active_until_it_leaves(machine: Machine) -> None:
    team = new(machine, "activebackup")
    raise_(team.dev)
    one, two = port(machine, team), port(machine, team)
    mode = team.mode
    assert isinstance(mode, ActiveBackup)
    assert sent(team, one, two) == [0, 0]
    assert refused(options.set_option, team, instance(team, "activeport"), 99) == ENOENT
    options.set_option(team, instance(team, "activeport"), two.ifindex)
    assert sent(team, one, two) == [0, 1]
    assert ports.arrive(two, 60, b"") is team.dev
    assert ports.arrive(one, 60, b"") is None
    unregister(two)
    assert mode.active is None
    assert list(team.members) == [one]


def test_load_balancing_by_a_table(machine: Machine) -> None:
    team = new(machine, "loadbalance")
    raise_(team.dev)
    one, two = port(machine, team), port(machine, team)
    mode = team.mode
    assert isinstance(mode, LoadBalance)
    assert sent(team, one, two) == [1, 0]
    options.set_option(team, instance(team, "lb_tx_method"), "hash_to_port_mapping")
    options.set_option(team, instance(team, "lb_tx_hash_to_port_mapping"), two.ifindex)
    assert refused(mode.set_mapping, 1, 99) == ENODEV
    assert sent(team, one, two) == [0, 1]
    options.set_option(team, instance(team, "lb_stats_refresh_interval"), 1)
    machine.advance(0.05)
    stats, member = instance(team, "lb_port_stats", two), port_of(two)
    assert member is not None and member.told_sent >= 100
    assert stats.option.get(team, stats) == member.told_sent.to_bytes(8, "little")
    options.set_option(team, instance(team, "tx_enabled", two), False)
    assert mode.mapping == {}
    assert sent(team, one, two) == [1, 0]
    assert refused(mode.set_program, bytes(9)) == EINVAL


def test_the_mtu_of_a_port_is_the_team_s(machine: Machine) -> None:
    team = new(machine)
    one = port(machine, team)
    assert refused(settings.set_mtu, one, 1400) == EPERM
    settings.set_mtu(team.dev, 1400)
    assert one.mtu == 1400
    team.dev.ops.del_slave(team.dev, one)
    assert one.mtu == 1500 and port_of(one) is None and not one.up


def test_the_mode_changes_while_there_are_no_ports(machine: Machine) -> None:
    team = new(machine, "activebackup")
    names = {one.option.name for one in team.instances}
    assert "activeport" in names
    assert refused(options.change_mode, team, "activebackup") == EINVAL
    assert refused(options.change_mode, team, "random") == EINVAL
    one = port(machine, team)
    assert refused(options.change_mode, team, "broadcast") == EBUSY
    team.dev.ops.del_slave(team.dev, one)
    options.change_mode(team, "broadcast")
    assert "activeport" not in {one.option.name for one in team.instances}


def test_user_space_may_say_what_a_link_is(machine: Machine) -> None:
    team = new(machine)
    one = port(machine, team)
    carriers = [team.dev.carrier]
    for name in ("user_linkup_enabled", "user_linkup"):
        options.set_option(team, instance(team, name, one), True)
        carriers.append(team.dev.carrier)
    assert carriers == [True, False, True]


def test_a_team_that_goes_leaves_its_ports(machine: Machine) -> None:
    team = new(machine, "roundrobin")
    one = port(machine, team)
    unregister(team.dev)
    assert port_of(one) is None and not team.instances and team.mode is None
