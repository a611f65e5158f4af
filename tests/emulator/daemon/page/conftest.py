"""A machine, a browser, and the page in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator.daemon.page.browser import ROOT, Machine, Page, chromium, machine

WORLD = str(ROOT / "fixtures" / "worlds" / "lease.toml")


@pytest.fixture(scope="module")
def machine_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A NIC of eight queues, one of them leased into a pod."""
    with machine(tmp_path_factory.mktemp("page") / "d", "--world", WORLD) as one:
        yield one


@pytest.fixture(scope="module")
def pages(machine_: Machine) -> Iterator[Page]:
    with chromium() as driver:
        yield Page(driver, machine_)


@pytest.fixture
def page(pages: Page) -> Iterator[Page]:
    """The page, opened; the browser has nothing to complain about afterwards."""
    yield pages.open()
    pages.machine.control.do(heal=True)
    assert pages.complaints() == []
