"""What is told of a link: what is kept of it is what would be told anew, and the room set aside is enough."""

from __future__ import annotations

import pytest

from fixtures import traces
from nlemu.emulator.handlers.route.link import fill as link_fill
from nlemu.emulator.handlers.route.link.size import message_size
from nlemu.emulator.kernel.core.net import Net
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script import trace as tape
from nlemu.emulator.script.replay import replay
from nlemu.protocol.families.route.link import COUNTS, REPLY, SIZES
from nlemu.protocol.uapi.rtnetlink import RTEXT_FILTER, RTM
from tests.emulator.handlers.route_requests import ask, link, new_link, route_socket

LINK_TRACES = [path for path in traces() if path.stem[0] in "rsnq"]


@pytest.mark.parametrize("path", LINK_TRACES, ids=lambda path: path.stem)
def test_what_is_kept_is_what_would_be_told_anew(path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = link_fill.body

    def checked(dev: Device, asker: Net, mask: int = 0, change: int = 0, target: int | None = None) -> bytes:
        told = kept(dev, asker, mask, change, target)
        other = link_fill.other_net(dev)
        nsid = None if other is None or mask & RTEXT_FILTER.NAME_ONLY else link_fill.nsid_of(asker, other)
        anew = REPLY.encode(link_fill.values(dev, mask & link_fill.SHOWN, nsid, target))
        assert told == link_fill.header(dev) + change.to_bytes(4, "little") + anew
        assert len(told) <= message_size(dev, mask)
        return told

    monkeypatch.setattr(link_fill, "body", checked)
    result = replay(tape.read(path))  # type: ignore[arg-type]
    assert not result.bugs


def test_nothing_is_filled_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    endpoint = route_socket(machine)
    index = new_link(endpoint, "d")
    filled: list[Device] = []
    values = link_fill.values

    def counted(dev: Device, *rest: object) -> object:
        filled.append(dev)
        return values(dev, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(link_fill, "values", counted)
    for _ in range(3):
        ask(endpoint, link(RTM.GETLINK, index=index))
    assert len(filled) == 1
    dev = machine.init_net.device(index)
    assert dev is not None
    dev.stats.sent(100)
    before = ask(endpoint, link(RTM.GETLINK, index=index))
    assert len(filled) == 2
    dev.group = 7
    assert ask(endpoint, link(RTM.GETLINK, index=index)) == before, "who changes a device says so"
    dev.changed()
    assert ask(endpoint, link(RTM.GETLINK, index=index)) != before


def test_what_is_a_field_of_the_device_is_read_in_order() -> None:
    stretches = [*SIZES.attrs, *COUNTS.attrs]
    assert list(link_fill.FIELDS) == stretches
    dev = Machine().init_net.loopback
    assert link_fill.sizes(dev) == tuple(getattr(dev, link_fill.FIELDS[attr]) for attr in SIZES.attrs)
