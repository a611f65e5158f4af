"""/metrics: the text that Prometheus reads."""

from __future__ import annotations

import re
from pathlib import Path

from nlemu.emulator.daemon.page.metrics import quoted
from tests.emulator.daemon.edge import getfamily, newlink
from tests.emulator.daemon.page.reader import page

SAMPLE = re.compile(r'(nlemu_\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\.)*",?)+)\})? (\d+)')
HEAD = re.compile(r"# (HELP|TYPE) (nlemu_\w+) (.+)")


def read(text: str) -> dict[str, int]:
    """The samples of a text; every line has to be one, or the head of its family, which comes first."""
    told: dict[str, int] = {}
    family = ""
    assert text.endswith("\n")
    for line in text.splitlines():
        if head := HEAD.fullmatch(line):
            if head[1] == "HELP":
                family = head[2]
            else:
                assert head[2] == family and head[3] == ("counter" if family.endswith("_total") else "gauge")
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample and sample[1] == family, line
        key = line.rpartition(" ")[0]
        assert key not in told
        told[key] = int(sample[3])
    return told


async def test_what_is_counted(tmp_path: Path) -> None:
    async with page(tmp_path / "d") as (daemon, there):
        client, generic = await daemon.connect(protocol="route"), await daemon.connect()
        for _ in range(3):
            await client.ask(newlink("red"))
        await generic.ask(getfamily("nothing"))
        await there.post({"fault": "route.newlink", "errno": "EBUSY", "name": 'so "called"'})
        await client.ask(newlink("blue"))
        status, headers, body = await there.ask("metrics")
        told = read(body)
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert told['nlemu_requests_total{operation="route.newlink"}'] == 4
    assert told['nlemu_refusals_total{operation="route.newlink",errno="EEXIST"}'] == 2
    assert told['nlemu_refusals_total{operation="route.newlink",errno="EBUSY"}'] == 1
    assert told['nlemu_refusals_total{operation="nlctrl.getfamily",errno="ENOENT"}'] == 1
    assert told['nlemu_faults_struck_total{name="so \\"called\\"",kind="refuse"}'] == 1
    assert told['nlemu_devices{netns="init"}'] == 2
    assert told['nlemu_sockets{netns="init",protocol="route"}'] == 1
    assert told['nlemu_info{kernel="7.2.13"}'] == 1 and told["nlemu_bugs_total"] == 0


async def test_a_scraper_sends_the_token_in_a_header(tmp_path: Path) -> None:
    async with page(tmp_path / "d") as (_, there):
        token = there.path.strip("/")
        assert (await there.ask("metrics", under="/", Authorization=f"Bearer {token}"))[0] == 200
        assert (await there.ask("metrics", under="/"))[0] == 403
        assert (await there.ask("metrics", under="/", Authorization="Bearer x"))[0] == 403


def test_labels() -> None:
    assert quoted('a\\b"c\nd') == 'a\\\\b\\"c\\nd'


async def test_the_page_shows_them(tmp_path: Path) -> None:
    async with page(tmp_path / "d") as (daemon, there):
        client = await daemon.connect(protocol="route")
        await client.ask(newlink("red"))
        await client.ask(newlink("red"))
        reader = await there.listen()
        _, told = await reader.event()
        assert told["set"]["figures"]["requests"] == {"route.newlink": 2}
        assert told["set"]["figures"]["refusals"] == [["route.newlink", "EEXIST", 1]]
