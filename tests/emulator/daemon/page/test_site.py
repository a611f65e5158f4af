"""The page over HTTP: what is at which path, who is refused, and what a reader is told of what happens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from nlemu.emulator.daemon.page.address import parse
from nlemu.emulator.daemon.page.http import BODY_MAX, HEAD_MAX
from nlemu.emulator.daemon.page.site import NoPage, begin
from nlemu.emulator.daemon.server import Server
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script.recording import in_memory
from tests.emulator.daemon.edge import getfamily, newlink
from tests.emulator.daemon.page.reader import Reader, page

STATIC = Path(__file__).parents[4] / "emulator" / "daemon" / "page" / "static"


async def test_every_file_is_served_and_nothing_else(tmp_path: Path) -> None:
    async with page(tmp_path / "d") as (_, there):
        status, headers, body = await there.ask()
        assert (status, body) == (200, (STATIC / "index.html").read_text())
        for file in STATIC.iterdir():
            status, headers, body = await there.ask(file.name)
            assert (status, body) == (200, file.read_text())
            assert "script-src 'self'" in headers["content-security-policy"]
            assert headers["cache-control"] == "no-store"
        for path in ("../site.py", "..%2fsite.py", "%2e%2e/site.py", "nothing", "static/page.js", "//", "message/"):
            assert (await there.ask(path))[0] == 404


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    """What the content security policy would forbid is not there to be forbidden."""
    for file in STATIC.iterdir():
        text = file.read_text()
        assert "innerHTML" not in text and "eval(" not in text
        assert "://" not in text.replace("http://www.w3.org/2000/svg", "")
    html = (STATIC / "index.html").read_text()
    assert " style=" not in html and "<style" not in html and " onclick" not in html
    assert html.count("<script") == html.count("<script src=") + html.count('<script type="module" src=')


async def test_who_is_refused(tmp_path: Path) -> None:
    async with page(tmp_path / "d") as (_, there):
        for under in ("/", "/wrong/", there.path[:-2] + "/"):
            status, _, body = await there.ask("events", under=under)
            assert status == 403 and "nlemu serve --http" in body
        assert (await there.ask(Host="evil.example"))[0] == 421
        assert (await there.ask(Origin="http://evil.example"))[0] == 403
        assert (await there.ask(Origin=f"http://127.0.0.1:{there.port}"))[0] == 200
        token = there.path.strip("/")
        assert (await there.ask("operations", under="/", Authorization=f"Bearer {token}"))[0] == 200


async def test_faults_want_our_own_page(tmp_path: Path) -> None:
    """A form of another page can send neither the token nor JSON."""
    line = json.dumps({"fault": "route.newlink", "errno": "EBUSY"})
    async with page(tmp_path / "d") as (daemon, there):
        assert (await there.ask("faults", method="POST", body=line, Content_Type="text/plain"))[0] == 415
        assert (await there.ask("faults"))[0] == 405
        assert (await there.ask("", method="POST"))[0] == 405
        assert not daemon.server.machine.faults


async def test_faults(tmp_path: Path) -> None:
    async with page(tmp_path / "d") as (daemon, there):
        assert await there.post({"fault": "route.newlink", "errno": "EBUSY", "name": "mine"}) == (200, {"ok": True})
        status, told = await there.post({"fault": "route.newlnk", "errno": "EBUSY"})
        assert status == 400 and told["error"].startswith("fault: there is no operation 'route.newlnk'")
        status, told = await there.post({"nsim_new": [1, 1, 1]})
        assert status == 400 and "nothing for the page" in told["error"]
        assert (await there.post([]))[0] == 400
        assert [fault.name for fault in daemon.server.machine.faults.listed] == ["mine"]
        reader = await there.listen()
        told = await pieces(reader)
        (fault,) = told["set"]["faults"]
        assert (fault["name"], fault["step"]["errno"], fault["left"]) == ("mine", "EBUSY", 1)
        await there.post({"heal": "mine"})
        assert (await reader.event()) == ("pieces", {"set": {"faults": []}, "gone": []})


async def test_a_device(tmp_path: Path) -> None:
    async with page(tmp_path / "d") as (daemon, there):
        client = await daemon.connect(protocol="route")
        await client.ask(newlink("red"))
        status, _, body = await there.ask("device/init/red")
        assert (status, json.loads(body)["kind"]) == (200, "dummy")
        assert (await there.ask("device/init/blue"))[0] == 404
        assert (await there.ask("device/pod/red"))[0] == 404


async def test_operations(tmp_path: Path) -> None:
    async with page(tmp_path / "d") as (_, there):
        told = json.loads((await there.ask("operations"))[2])
        assert "queue-create" in told["netdev"] and "newlink" in told["route"] and "SIOCSIFMTU" in told["ioctl"]


async def pieces(reader: Reader) -> Any:
    name, told = await reader.event()
    assert name == "pieces"
    return told


async def lines(reader: Reader) -> list[dict[str, Any]]:
    """The messages of the next event that has any."""
    while True:
        name, told = await reader.event()
        if name == "messages":
            found: list[dict[str, Any]] = told["lines"]
            return found


async def test_what_happens_is_told(tmp_path: Path) -> None:
    """The pieces first, then those that changed and no others; and every message."""
    async with page(tmp_path / "d") as (daemon, there):
        client = await daemon.connect(protocol="route")
        reader = await there.listen()
        first = await pieces(reader)
        assert set(first["set"]) == {"kernel", "figures", "faults", "netns init"}
        await client.ask(newlink("red"))
        told: dict[str, Any] = {}
        seen: list[dict[str, Any]] = []
        while "dev init/red" not in told or len(seen) < 2:
            name, one = await reader.event()
            if name == "pieces":
                told |= one["set"]
            else:
                seen += one["lines"]
        assert set(told) == {"dev init/red", "netns init", "figures"}
        request, answer = seen
        assert (request["kind"], request["title"], request["devices"]) == ("ask", "newlink request", ["red"])
        assert (answer["kind"], answer["title"], answer["family"]) == ("ack", "ack to newlink request", "route")
        status, _, body = await there.ask(f"message/{request['number']}")
        assert status == 200 and "    ifname: red" in json.loads(body)
        await client.ask(newlink("red"))
        refused = (await lines(reader))[-1]
        if refused["kind"] == "ask":
            (refused,) = await lines(reader)
        assert (refused["kind"], refused["errno"], refused["devices"]) == ("error", "EEXIST", ["red"])


async def test_what_goes_is_told_too(tmp_path: Path) -> None:
    async with page(tmp_path / "d") as (daemon, there):
        control = await daemon.control()
        await control.ok(nsim_new=[1, 1, 1])
        reader = await there.listen()
        assert "dev init/eth0" in (await pieces(reader))["set"]
        await control.ok(nsim_del=1)
        told = await pieces(reader)
        assert told["gone"] == ["dev init/eth0"]


def looked_at(server: Server) -> bool:
    """Whether anything is done for somebody who looks."""
    tapped, observed = server.machine.tap is not None, "settle" in vars(server)
    assert tapped is observed
    return tapped


async def test_with_nobody_looking_nothing_is_done(tmp_path: Path) -> None:
    async with page(tmp_path / "d") as (daemon, there):
        server, client = daemon.server, await daemon.connect()
        assert not looked_at(server)
        one, other = await there.listen(), await there.listen()
        await one.event()
        assert looked_at(server)
        await client.ask(getfamily())
        await one.stream.aclose()
        await other.event()
        assert looked_at(server)
        await other.stream.aclose()
        while there.site.watch.lookers:
            await wait_all_tasks_blocked()
        assert not looked_at(server)
        number = there.site.watch.log.number
        await client.ask(getfamily())
        assert there.site.watch.log.number == number


async def test_with_history_the_page_begins_with_what_was_said(tmp_path: Path) -> None:
    """And begins so again, with what was said while nobody looked."""
    async with page(tmp_path / "d", lambda: in_memory()[0].begin(Machine())) as (daemon, there):
        client = await daemon.connect(protocol="route")
        await client.ask(newlink("one"))
        for name in ("two", "three"):
            reader = await there.listen()
            told = await lines(reader)
            while len(told) < 2 * (["two", "three"].index(name) + 1):
                told += await lines(reader)
            assert told[-2]["devices"] == ["one" if name == "two" else "two"] and told[0]["devices"] == ["one"]
            await reader.stream.aclose()
            while there.site.watch.lookers:
                await wait_all_tasks_blocked()
            await client.ask(newlink(name))


async def test_a_fresh_machine_is_looked_at(tmp_path: Path) -> None:
    async with page(tmp_path / "d") as (daemon, there):
        control = await daemon.control()
        await control.ok(netns="pod")
        reader = await there.listen()
        assert "netns pod" in (await pieces(reader))["set"]
        await control.ok(reset=True)
        assert (await pieces(reader))["gone"] == ["netns pod"]
        client = await daemon.connect()
        await client.ask(getfamily())
        assert (await lines(reader))[0]["title"] == "nlctrl getfamily request"


async def test_a_reader_that_does_not_read(tmp_path: Path) -> None:
    """The daemon answers all the same, keeps a bounded lot for the reader, and tells it what it missed."""
    async with page(tmp_path / "d") as (daemon, there):
        client = await daemon.connect()
        reader = await there.listen()
        await reader.event()
        requests = 12_000
        for number in range(requests):
            await client.ask(getfamily(seq=number))
        seen = lost = 0
        while seen + lost < 2 * requests:
            name, told = await reader.event()
            if name == "messages":
                lost += told["lost"]
                seen += len(told["lines"])
        assert seen + lost == 2 * requests and lost > 0
        assert len(there.site.watch.log._kept) <= 2000 and len(there.site.watch.log._waiting) <= 4096


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + bytes(HEAD_MAX + 1).replace(b"\0", b"x"), 431),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + bytes(BODY_MAX + 1), 413),
    ],
)
async def test_what_is_not_taken(tmp_path: Path, sent: bytes, status: int) -> None:
    async with page(tmp_path / "d") as (_, there):
        reader = await there.connect()
        await reader.stream.send_all(sent)
        assert (await reader.head())[0] == status
        assert (await there.ask())[0] == 200


async def test_many_requests_on_one_connection(tmp_path: Path) -> None:
    async with page(tmp_path / "d") as (_, there):
        reader = await there.connect()
        for _ in range(3):
            await reader.stream.send_all(f"GET {there.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert (await reader.answer())[0] == 200


async def test_the_url_is_kept_for_the_owner(tmp_path: Path) -> None:
    async with page(tmp_path / "d") as (daemon, there):
        file = daemon.path / ".page"
        assert file.read_text() == f"{there.url}\n" and file.stat().st_mode & 0o777 == 0o600
        control = await daemon.control()
        assert "the live page has it" in (await control.do(netns=".page"))["error"]
    assert not file.exists()


async def test_an_address_that_is_taken(tmp_path: Path) -> None:
    async with page(tmp_path / "d") as (daemon, there), trio.open_nursery() as nursery:
        with pytest.raises(NoPage, match=r"--http 127\.0\.0\.1:\d+: something else is served there"):
            await begin(daemon.server, nursery, address=parse(f"127.0.0.1:{there.port}"))
