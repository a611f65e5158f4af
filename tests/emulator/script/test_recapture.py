"""Captures replayed: the world they begin in, their sockets, and what may be called otherwise."""

from __future__ import annotations

import gc
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nlemu.emulator.kernel.core.build import Build
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script import recapture
from nlemu.emulator.script.capture import Binder
from nlemu.emulator.script.evidence import work_out
from nlemu.emulator.script.recapture import Capture, Replayed, replay_capture
from nlemu.emulator.script.recapture_report import report
from nlemu.emulator.script.relaxed import Relaxed
from nlemu.emulator.script.trace import step_of
from nlemu.emulator.script.unwatched import growing, unwatched
from nlemu.emulator.world.session import Session
from nlemu.emulator.world.world import Entry, World, WorldError
from nlemu.protocol.captures import pcapng
from nlemu.protocol.captures.events import Datagram, Event, Way
from nlemu.protocol.captures.formats import events
from nlemu.protocol.captures.source import Source
from nlemu.protocol.decode.facts import Fact, facts
from nlemu.protocol.frame import message
from nlemu.protocol.uapi.netlink import NlmsgType
from nlemu.protocol.uapi.rtnetlink import RTM

CAPTURES = Path(__file__).parents[3] / "fixtures" / "captures"


def of(name: str) -> Iterator[Event]:
    with (CAPTURES / name).open("rb") as stream:
        yield from events(Source(stream, name))


@pytest.mark.parametrize("name", ["ip-netkit.pcap", "lease.pcap", "ip.strace", "ip-decoded.strace", "ethtool.strace"])
def test_what_linux_answered_is_answered(name: str) -> None:
    """tcpdump and strace saw these on Linux 7.2.13, which is the kernel that is emulated."""
    result = replay_capture(lambda: of(name))
    assert list(result.summary()) and result.equal, "\n".join(report(result))
    assert result.cut_off is None and result.bugs == 0
    compared = [one for one in result.compared if not one.skipped]
    assert len(compared) >= {"ip-netkit.pcap": 15, "lease.pcap": 22}.get(name, 2)


def test_the_kernel_is_the_one_whose_answers_fit() -> None:
    assert replay_capture(lambda: of("lease.pcap")).build.name == "7.2.13-recorded"


def test_the_world_before_a_lease() -> None:
    """The NIC was there, down; the netkit device came with the capture, and the leased queue."""
    before = work_out(of("lease.pcap"))
    world = before.finish()
    links = {entry.fields["name"]: entry.fields for entry in world.namespace().of("link")}
    assert list(links) == ["eth0", "if2"]
    assert (links["eth0"]["index"], links["eth0"]["up"], links["eth0"]["rx-queues"]) == (3, False, 4)
    assert before.made == {("init", "nk")} and before.next_index == {"init": 4}
    assert before.notes == ["if2 is presupposed: it is named and never shown"]


def test_requests_are_bound_to_sockets_before_anything_else() -> None:
    """Four `ip` on little-dude's machine used the same sequence numbers; each has a socket of its own."""
    binder = Binder()
    binder.bind(of("public/little-dude-rtnetlink.pcap.gz"))
    bound = binder.steps()
    sends = [step for step in bound.steps if step.verb == "send"]
    by_seq: dict[str, set[str]] = {}
    for step in sends:
        by_seq.setdefault(step["hex"][16:24], set()).add(step.subject)
    assert max(len(sockets) for sockets in by_seq.values()) >= 4
    for step in sends:
        for answer in step.got.get(step.subject, ()):
            assert answer[16:24] == step["hex"][16:24]
    assert sum(bound.heard.values()) == 108


def captured(*requests: bytes, change: bytes = b"", to: bytes = b"", machine: Machine | None = None) -> bytes:
    """What a capture of ours holds of these requests on a machine; something in the answers changed."""
    from nlemu.emulator.machine.endpoint import Endpoint

    machine, stream = machine or Machine(), io.BytesIO()
    writer, endpoint = pcapng.Writer(stream), Endpoint(machine, machine.init_net, 0, portid=4000)
    for request in requests:
        writer.write(Datagram(request, 0, "", 1, Way.TO_KERNEL))
        endpoint.send(request)
        while endpoint.pending():
            answer = endpoint.receive()
            assert answer is not None
            writer.write(Datagram(answer.replace(change, to) if change else answer, 0, "", 2, Way.TO_USER))
    return stream.getvalue()


GETLINKS = bytes.fromhex("2000000012000103070000000000000000000000000000000000000000000000")
GETROUTES = bytes.fromhex("1c0000001a0001030800000000000000020000000000000000000000")
GETLINK = bytes.fromhex("2000000012000500070000000000000000000000010000000000000000000000")


def test_a_difference_is_told_by_its_name() -> None:
    """The least MTU of lo is nothing that a world can say."""
    data = captured(GETLINK, change=bytes.fromhex("0800320000000000"), to=bytes.fromhex("0800320009000000"))
    result = replay_capture(lambda: events(Source(io.BytesIO(data), "c")))
    assert list(report(result))[-3:] == [
        "  getlink, newlink.min-mtu: frame 1", "    - .min-mtu: 9", "    + .min-mtu: 0",
    ]


def test_strictly_bytes_are_compared() -> None:
    data = captured(GETLINK)
    same = replay_capture(lambda: events(Source(io.BytesIO(data), "c")), strict=True)
    assert same.equal and same.compared


def test_a_capture_that_breaks_off_is_replayed_as_far_as_it_goes() -> None:
    whole = (CAPTURES / "lease.pcap").read_bytes()

    def read() -> Iterator[Event]:
        return events(Source(io.BytesIO(whole[:2000]), "short"))

    result = replay_capture(read)
    assert result.cut_off is not None and result.cut_off.startswith("short: byte ")
    assert result.equal and result.compared


def test_what_stands_for_something_stands_for_it_always() -> None:
    """Two devices may not become one, nor one two."""
    def link(index: int, mtu: int = 0) -> bytes:
        head = bytes.fromhex("20000000100000000700000000000000") + bytes(4) + index.to_bytes(4, "little") + bytes(8)
        return head if not mtu else (40).to_bytes(4, "little") + head[4:] + b"\x08\0\x04\0" + mtu.to_bytes(4, "little")

    relaxed = Relaxed()
    assert relaxed.differences(link(3), link(9), 0, None, None) == []
    assert relaxed.differences(link(3), link(9), 0, None, None) == []
    assert relaxed.differences(link(4), link(9), 0, None, None) == ["- header.ifi-index: 4", "+ header.ifi-index: 9"]
    assert relaxed.differences(link(3), link(8), 0, None, None) == ["- header.ifi-index: 3", "+ header.ifi-index: 8"]
    assert relaxed.differences(link(3, 5), link(9, 6), 0, None, None) == ["- .mtu: 5", "+ .mtu: 6"]


def test_no_request_is_counted_as_equal_without_an_answer() -> None:
    """A capture of requests alone compares nothing, and says so."""
    data = captured(GETLINK)
    found = [one for one in events(Source(io.BytesIO(data), "c")) if isinstance(one, Datagram)]
    asked = [replace(one) for one in found if one.way is Way.TO_KERNEL]
    result = replay_capture(lambda: iter(asked))
    assert result.summary() == [("getlink", 0, 0, 1)]


def test_a_kernel_that_cannot_make_the_world_is_passed_over() -> None:
    """The narrow kernel has no ifb; a namespace that the world does not name is there, and empty."""
    world = World()
    world.namespace().entries.append(Entry("link", {"name": "i0", "kind": "ifb", "index": 7}))
    data = captured(GETLINK)
    found = [one for one in events(Source(io.BytesIO(data), "c")) if isinstance(one, Datagram)]
    elsewhere = [replace(one, network="pod") for one in found]
    result = replay_capture(lambda: iter([*found, *elsewhere]), world=world)
    assert (result.build.name, len(result.compared)) == ("7.2.13", 2)
    world.namespace().entries.append(Entry("link", {"name": "w0", "kind": "warp"}))
    with pytest.raises(WorldError, match="Unknown device type"):
        replay_capture(lambda: iter(found), world=world)


def test_a_file_is_read_once_and_performed_once_where_all_is_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a difference behind the first requests costs is a second look at these."""
    passages: list[int] = []
    performed: list[int] = []
    perform = recapture.replay_on

    def read(data: bytes) -> Iterator[Event]:
        passages.append(len(performed))
        return events(Source(io.BytesIO(data), "c"))

    def counted(build: Build, capture: Capture, older: bool, requests: int | None, doubted: bool) -> Replayed:
        result = perform(build, capture, older, requests, doubted)
        performed.append(len(result.compared))
        return result

    monkeypatch.setattr(recapture, "replay_on", counted)
    monkeypatch.setattr(recapture, "FIRST_REQUESTS", 2)
    alike = captured(*[GETLINK] * 4)
    result = replay_capture(lambda: read(alike))
    assert result.equal and (len(result.compared), passages, performed) == (4, [0], [4])
    performed.clear()
    at = alike.rindex(bytes.fromhex("0800320000000000"))
    result = replay_capture(lambda: read(alike[:at] + bytes.fromhex("0800320009000000") + alike[at + 8 :]))
    assert (result.different, len(result.compared), performed) == (1, 4, [4, 2])
    performed.clear()
    result = replay_capture(lambda: read(alike.replace(bytes.fromhex("08000400"), bytes.fromhex("08000500"))))
    assert not result.equal and performed[:2] == [2, 2] and performed[-1] == 4


def test_equal_answers_that_stand_in_one_place_are_two() -> None:
    """So a trace has what one step was answered."""
    asked = Datagram(message(RTM.GETLINK, 0x301, 5, 0, bytes(16)), 0, "line 2", way=Way.TO_KERNEL, socket="x")
    twin = message(RTM.NEWLINK, 2, 5, 0, bytes(16))
    answers = [Datagram(twin, 0, "line 2", way=Way.TO_USER, socket="x") for _ in range(2)]
    binder = Binder()
    binder.bind([asked, *answers])
    assert [list(step.got.values()) for step in binder.steps().steps if step.verb == "send"] == [[[twin.hex()] * 2]]


def test_what_is_made_of_bytes_is_what_a_trace_says() -> None:
    """Steps of requests are not checked one by one."""
    binder = Binder()
    binder.bind(of("lease.pcap"))
    steps = binder.steps().steps
    assert [step_of(dict(step.fields)) for step in steps] == steps


def test_an_end_that_is_too_short_lists_nothing() -> None:
    asked = Datagram(message(RTM.GETLINK, 0x301, 5, 7, bytes(16)), 0, "1", way=Way.TO_KERNEL)
    whole = Datagram(message(NlmsgType.DONE, 2, 5, 7, bytes(4)), 0, "2", way=Way.TO_USER)
    short = Datagram(message(NlmsgType.DONE, 2, 5, 7, b""), 0, "2", way=Way.TO_USER)
    assert work_out([asked, short]).listed == set()
    assert work_out([asked, whole]).listed == {"init"}


def test_the_collector_is_as_it_was() -> None:
    with pytest.raises(ValueError, match="broken"), growing():
        assert not gc.isenabled()
        raise ValueError("broken")
    assert gc.isenabled()
    with unwatched():
        frozen = gc.get_freeze_count()
        with unwatched():
            pass
        assert frozen and gc.get_freeze_count()
    assert not gc.get_freeze_count()


def test_which_sockets_there_were_is_not_known_and_each_is_asked_for_on_a_socket_of_its_own() -> None:
    """ss closes a socket before it opens the next, which has the port id of the first again."""
    result = replay_capture(lambda: of("ss.strace"))
    assert result.equal and len(result.compared) == 15
    assert {one.skipped for one in result.compared} == {"which sockets there were is not known"}


def test_an_answer_that_could_not_be_read_is_not_compared() -> None:
    """What is there of it is no fault of ours."""
    lost = (CAPTURES / "ip-decoded.strace").read_text().replace("IFLA_MTU", "IFLA_UNKNOWN_THING")

    def events_of() -> Iterator[Event]:
        yield from events(Source(io.BytesIO(lost.encode()), "lost"))

    result = replay_capture(events_of)
    assert result.compared and {one.skipped for one in result.compared} == {"its answer could not be read as a whole"}
    assert result.equal


def test_a_route_to_a_network_presupposes_the_address_that_made_it() -> None:
    """`ip route` alone tells no address; without it neither the route nor those through its network could be."""
    machine = Machine()
    session = Session(machine, machine.init_net)
    link = {"ifname": "d0", "linkinfo": {"kind": "dummy"}, "ifi-flags": ["up"], "ifi-change": 1}
    session.ask("rt-link", "newlink", link, 0x600)
    address = {"ifa-family": "inet", "ifa-index": 2, "ifa-prefixlen": 24, "local": "192.0.2.2"}
    session.ask("rt-addr", "newaddr", address, 0x600)
    session.close()
    data = captured(GETLINKS, GETROUTES, machine=machine)
    result = replay_capture(lambda: events(Source(io.BytesIO(data), "c")))
    assert result.equal and [one.skipped for one in result.compared] == [None, None], "\n".join(report(result))
    assert result.notes == ["192.0.2.2/24 on d0 is presupposed: a route to its network is shown"]


def test_messages_of_one_shape_differ_where_they_may() -> None:
    """One that was taken apart tells where: another time and other packets are no difference, another MTU is one, and
    an index has to stand for the same."""
    machine = Machine()
    data = captured(GETLINK, machine=machine)
    found = [one.data for one in events(Source(io.BytesIO(data), "c")) if isinstance(one, Datagram)][1]
    fields = {fact.path: fact for fact in facts(found, 0)}

    def changed(path: str, value: int) -> bytes:
        fact = fields[path]
        return found[: fact.start] + value.to_bytes(fact.end - fact.start, "little") + found[fact.end :]

    relaxed = Relaxed()
    later = changed(".af-spec.inet6.cacheinfo.tstamp", 77)
    assert relaxed.differences(found, later, 0, None, None) == []  # taken apart, and kept
    assert relaxed.shapes.find(found, 0) is not None
    assert relaxed.differences(later, changed(".stats64.rx-packets", 5), 0, None, None) == []
    assert relaxed.counted == {"stats64"}
    assert relaxed.differences(later, changed(".mtu", 1400), 0, None, None) == ["- .mtu: 65536", "+ .mtu: 1400"]
    assert relaxed.differences(later, changed("header.ifi-index", 9), 0, None, None) == [
        "- header.ifi-index: 1", "+ header.ifi-index: 9",
    ]


def test_what_was_only_tried_stands_for_nothing() -> None:
    """An index agreed before the hardware address did not: the index may stand for another yet."""
    data = captured(GETLINK)
    found = [one.data for one in events(Source(io.BytesIO(data), "c")) if isinstance(one, Datagram)][1]
    fields = {fact.path: fact for fact in facts(found, 0)}

    def changed(index: int, address: int = 0) -> bytes:
        made = bytearray(found)
        for path, value in (("header.ifi-index", index), (".address", address)):
            fact = fields[path]
            made[fact.start : fact.end] = value.to_bytes(fact.end - fact.start, "little")
        return bytes(made)

    relaxed = Relaxed()
    assert relaxed.differences(changed(1), changed(2), 0, None, None) == []  # its shape is kept
    assert not relaxed.agrees(changed(5), changed(9, address=7), 0, None, None)
    assert relaxed.differences(changed(5), changed(8), 0, None, None) == []
    assert relaxed.differences(changed(5), changed(9), 0, None, None) == [
        "- header.ifi-index: 5", "+ header.ifi-index: 9",
    ]


def test_an_event_that_tells_no_more_than_a_name_is_not_the_device() -> None:
    """A wireless NIC tells of scans and associations in messages of links that hold little else."""
    head = "00000000100000000000000000000000" + "00000403" + "01000000" + "49000100" + "00000000"
    event = bytes.fromhex(head + "07000300" + "6c6f0000")
    event = len(event).to_bytes(4, "little") + event[4:]
    told = Datagram(event, 0, "frame 0", 1, Way.TO_USER)
    data = captured(GETLINK, change=bytes.fromhex("0800040000000100"), to=bytes.fromhex("0800040000100000"))
    found = [told, *events(Source(io.BytesIO(data), "c"))]
    (link,) = work_out(found).finish().namespace().of("link")
    assert (link.fields["name"], link.fields["mtu"]) == ("lo", 4096)


def test_what_runs_down_is_compared_by_whether_it_ends() -> None:
    """Lifetimes of addresses and timers of bridges are other numbers a second later."""
    def life(text: str) -> Fact:
        return Fact(".cacheinfo.ifa-valid", text, 0, 4)

    relaxed = Relaxed()
    assert relaxed.same(life("86400"), life("86399"))
    assert not relaxed.same(life("86400"), life("4294967295"))
    timer = [Fact(".linkinfo.data.gc-timer", text, 0, 8) for text in ("17943", "29010", "0")]
    assert relaxed.same(timer[0], timer[1]) and not relaxed.same(timer[0], timer[2])
