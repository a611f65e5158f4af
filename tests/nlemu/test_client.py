"""The client for async programs, with trio and with asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from nlemu import NLM_F, Kernel, NlError
from nlemu.emulator.client.control import NoDaemon

Runner = Callable[[Callable[[], Awaitable[Any]]], Any]
NEW = NLM_F.CREATE | NLM_F.EXCL


def in_asyncio(function: Callable[[], Any]) -> Any:
    return asyncio.run(function())


RUNNERS = pytest.mark.parametrize("run", [trio.run, in_asyncio], ids=["trio", "asyncio"])


@RUNNERS
def test_it_asks_and_hears(run: Runner) -> None:
    async def talk() -> list[str]:
        news = kernel.async_listen("rt-link", "rtnlgrp-link")
        async with kernel.namespace("pod").async_family("rt-link") as links:
            await links.do("newlink", {"ifname": "blue", "linkinfo": {"kind": "dummy"}}, NEW)
            assert [link["ifname"] for link in await links.dump("getlink")] == ["lo", "blue"]
        links = kernel.async_family("rt-link")
        await links.do("newlink", {"ifname": "red", "linkinfo": {"kind": "dummy"}}, NEW)
        with pytest.raises(NlError, match="File exists"):
            await links.do("newlink", {"ifname": "red", "linkinfo": {"kind": "dummy"}}, NEW)
        async for one in news.notifications():
            return [one.name, one.values["ifname"]]
        raise AssertionError

    with Kernel() as kernel:
        assert run(talk) == ["newlink", "red"]


@RUNNERS
def test_what_was_told_before_a_restore_is_not_heard(run: Runner) -> None:
    async def talk() -> str:
        links, news = kernel.async_family("rt-link"), kernel.async_listen("rt-link", "rtnlgrp-link")
        base = kernel.snapshot()
        await links.do("newlink", {"ifname": "red", "linkinfo": {"kind": "dummy"}}, NEW)
        base.restore()
        await links.do("newlink", {"ifname": "blue", "linkinfo": {"kind": "dummy"}}, NEW)
        async for one in news.notifications():
            return str(one.values["ifname"])
        raise AssertionError

    with Kernel() as kernel:
        assert run(talk) == "blue"


@RUNNERS
def test_the_end_of_the_daemon_is_told(run: Runner) -> None:
    async def talk() -> None:
        links = kernel.async_family("rt-link")
        kernel.do(reset=True)
        with pytest.raises(NoDaemon):
            await links.dump("getlink")

    with Kernel() as kernel:
        run(talk)
