"""What a capture heard told to everybody, held against what is told here."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable

from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script.recapture import Replayed, replay_capture
from nlemu.emulator.script.recapture_report import report
from nlemu.protocol.captures import pcapng
from nlemu.protocol.captures.events import Datagram, Way
from nlemu.protocol.captures.formats import events
from nlemu.protocol.captures.source import Source
from nlemu.protocol.encode.conversation import Conversation, specification

CREATE = 0x400
LINKS = 1
LATER = 1_000_000_000

Told = list[bytes]


def requests() -> list[bytes]:
    """A dummy is made, set and brought up."""
    conversation = Conversation(specification("rt-link"), 0, seq=7)
    asked = [
        conversation.ask("newlink", {"ifname": "d0", "linkinfo": {"kind": "dummy"}}, flags=CREATE).data,
        conversation.ask("newlink", {"ifname": "d0", "mtu": 1400}).data,
        conversation.ask("newlink", {"ifname": "d0", "ifi-flags": ["up"], "ifi-change": 1}).data,
        conversation.ask("newlink", {"ifname": "d0", "mtu": 1300}).data,
    ]
    return asked


def replayed(change: Callable[[int, Told], Told] = lambda _, told: told, later: bytes = b"") -> Replayed:
    """What comes of a capture of those requests with somebody who listens. change: what the capture has, other than it
    was, of what was told by the request of that number; later: what it has between two requests."""
    machine, stream = Machine(), io.BytesIO()
    writer = pcapng.Writer(stream)
    asker = Endpoint(machine, machine.init_net, 0, portid=4000)
    listener = Endpoint(machine, machine.init_net, 0, options=[(1, LINKS)])
    for number, request in enumerate(requests()):
        time = (number + 1) * LATER
        writer.write(Datagram(request, 0, "", time, Way.TO_KERNEL))
        asker.send(request)
        answers = drained(asker)
        machine.settle()
        machine.advance(1)
        for data in [*change(number, drained(listener)), *answers]:
            writer.write(Datagram(data, 0, "", time, Way.TO_USER))
        if later and number == 1:
            writer.write(Datagram(later, 0, "", time, Way.TO_USER))
    return replay_capture(lambda: events(Source(io.BytesIO(stream.getvalue()), "c")))


def drained(endpoint: Endpoint) -> list[bytes]:
    """All that waits there."""
    found = []
    while endpoint.pending():
        data = endpoint.receive()
        assert data is not None
        found.append(data)
    return found


def test_what_was_told_is_told() -> None:
    result = replayed()
    assert result.equal and result.told.equal >= 4, "\n".join(report(result))
    assert not result.told.outside and not result.told.different


def test_a_copy_for_each_who_listens_is_one() -> None:
    result = replayed(lambda _, told: [one for one in told for _ in range(3)])
    assert result.equal and result.told.equal == replayed().told.equal


def test_what_is_told_otherwise_is_different() -> None:
    """The MTU is another one in the capture: the request stands in the notification's header."""
    mtu, other = [(8).to_bytes(2, "little") + b"\4\0" + number.to_bytes(4, "little") for number in (1400, 1401)]
    result = replayed(lambda number, told: [one.replace(mtu, other) for one in told] if number == 1 else told)
    assert not result.equal and result.different == 1
    assert list(report(result))[-3:] == [
        "  told of newlink, newlink.mtu: frame 5", "    - .mtu: 1401", "    + .mtu: 1400",
    ]


def test_what_comes_from_elsewhere_is_counted() -> None:
    """An nlmon device hears the whole host; nothing of this is in a request of the capture."""
    head = "2c00000010000000" + "00" * 8 + "0000010009000000" + "43100100" + "00000000" + "0a000300"
    other = bytes.fromhex(head) + b"wlan0\0\0\0"
    other = len(other).to_bytes(4, "little") + other[4:]
    result = replayed(later=other)
    assert result.equal and result.told.outside == Counter({"newlink": 1})
    assert "  heard, from causes outside the capture: 1 newlink" in report(result)


def test_what_a_request_should_have_told_is_missed() -> None:
    """Of either side: the capture does not have one between two that it has, or has one that nothing tells here."""
    result = replayed(lambda number, told: [] if number == 1 else told)
    assert [name for name, _, _ in result.told.different] == ["newlink"]
    assert result.told.different[0][2][0].startswith("+ newlink  ")

    def twice(number: int, told: Told) -> Told:
        return [*told, told[-1].replace(b"d0\0", b"d9\0")] if number == 1 else told

    result = replayed(twice)
    assert result.told.different[0][2][0].startswith("- newlink  ") and not result.equal


def test_nobody_listened_at_first() -> None:
    """What is told here before the capture hears anything of the kind is no fault."""
    result = replayed(lambda number, told: told if number > 1 else [])
    assert result.equal and result.told.unheard["newlink"] >= 2
