"""pytest's fixture: a kernel for each test that asks for one. Installed with the package, there without an import.

    def test_it(nlemu):
        nlemu.do(nsim_new=[1, 1, 4])
        assert len(nlemu.family("rt-link").dump("getlink")) == 2

    @pytest.mark.nlemu(kernel="7.2.13-recorded", seed=7)
    def test_on_another(nlemu): ...

A run of pytest in which no test asks for a kernel imports this module and `nlemu/__init__.py`, and nothing else of the
package.

pytest compiles the modules of a distribution that has a plugin itself, to rewrite their assertions; where bytecode
cannot be written, all two hundred at every run. Ours have no assertions to explain, so while pytest runs a finder in
front of its own gives them to Python's import system, which has them compiled already.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from nlemu.emulator.coverage.watch import Watch
    from nlemu.kernel import Kernel


class NotRewritten:
    """A finder (sys.meta_path): finds the modules of this package as Python does, and no others."""

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's spec; None for what is not below `nlemu`, which the next finder is asked for."""
        return PathFinder.find_spec(fullname, path, target) if fullname.startswith("nlemu.") else None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before the first conftest.py, which may import the package, until pytest is done with its configuration."""
    sys.meta_path.insert(0, NotRewritten)
    early_config.add_cleanup(lambda: sys.meta_path.remove(NotRewritten))


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--nlemu-coverage``."""
    parser.getgroup("nlemu").addoption(
        "--nlemu-coverage", metavar="DIR", nargs="?", const="", default=None,
        help="tell at the end what the tests have exercised of netlink and what they never met; "
        "with =DIR, write coverage.html and coverage.json there",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Registers the mark ``nlemu``."""
    place = config.getoption("nlemu_coverage")
    if place is not None:
        if (config.invocation_params.dir / place).is_file():
            raise pytest.UsageError(f"--nlemu-coverage: {place} is no directory; tests stand in front of it")
        from nlemu.emulator.coverage.watch import Watch

        config.stash[WATCH] = Watch()
    config.addinivalue_line(
        "markers",
        "nlemu(kernel=..., seed=..., netdevsim=..., world=...): which kernel the fixture nlemu is for this test",
    )


@pytest.fixture(name="nlemu")
def kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """An emulated kernel of its own, with nothing in it but `lo`. The mark ``nlemu`` says what Kernel() takes."""
    from nlemu.kernel import Kernel

    mark = request.node.get_closest_marker("nlemu")
    watch = request.config.stash.get(WATCH, None)
    with Kernel(**{"record": True, "coverage": watch, **({} if mark is None else mark.kwargs)}) as one:
        yield one
        attach(request.node, one, tmp_path_factory)


def attach(item: pytest.Item, kernel: Kernel, places: pytest.TempPathFactory) -> None:
    """A failed test shows the last messages of its kernel, and keeps all of them in a file."""
    report = item.stash.get(REPORT, None)
    if report is None or not report.failed:
        return
    lines = kernel.traffic()
    if lines:
        path = places.mktemp("nlemu") / "netlink.pcapng"
        count = kernel.save_pcap(path)
        report.sections.append((f"netlink: the last of {count} datagrams, which are in {path}", "\n".join(lines)))
    why = kernel.why()
    if why:
        report.sections.append(("netlink: why requests were refused", "\n".join(why[-LAST:])))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands over what its tests have exercised."""
    config = session.config
    if WATCH in config.stash and hasattr(config, "workeroutput"):
        config.workeroutput[COVERAGE] = config.stash[WATCH].seen.told()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker has handed over is added up."""
    told = getattr(node, "workeroutput", {}).get(COVERAGE)
    if told is not None:
        from nlemu.emulator.coverage.seen import read

        node.config.stash[WATCH].seen.add(read(told, "a worker"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What was exercised, and what was not."""
    if WATCH not in config.stash:
        return
    from nlemu.emulator.cli.coverage_text import summary, sums
    from nlemu.emulator.cli.table import Paint
    from nlemu.emulator.coverage.files import write
    from nlemu.emulator.coverage.report import report

    seen, directory = config.stash[WATCH].seen, config.getoption("nlemu_coverage")
    found = report(seen)
    terminalreporter.section("netlink coverage")
    for line in sums(found) if directory else summary(found, Paint()):
        terminalreporter.line(line)
    if directory:
        place = config.invocation_params.dir / directory
        place.mkdir(parents=True, exist_ok=True)
        for name in ("coverage.json", "coverage.html"):
            write(seen, found, place / name)
        terminalreporter.line(f"what was never met is told in {place / 'coverage.html'}")


LAST = 30
"""Lines of reasons that are shown."""
COVERAGE = "nlemu_coverage"
WATCH: pytest.StashKey[Watch] = pytest.StashKey()
"""What the tests of this process exercise, where that is to be told."""
REPORT = pytest.StashKey[pytest.TestReport]()
"""How the test itself went, for the fixture's end."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keeps the report of the test's call."""
    report = yield
    if call.when == "call":
        item.stash[REPORT] = report
    return report


@pytest.fixture
def nlemu_patch(nlemu: Kernel) -> Iterator[Kernel]:
    """The same kernel, and for as long as the test runs every netlink socket of this process is one of its own."""
    from nlemu.in_process import patch

    with patch(nlemu):
        yield nlemu
