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
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType, TracebackType
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
        "nlemu(kernel=..., seed=..., netdevsim=..., world=..., faults=[...]): which kernel the fixture nlemu is",
    )


@pytest.fixture(scope="session")
def nlemu_factory(request: pytest.FixtureRequest) -> Iterator[Callable[..., Kernel]]:
    """Makes kernels that live as long as the session: ``nlemu_factory(world="pods.toml", seed=7)``, with what Kernel()
    takes. For fixtures of one's own, of whatever scope; `Kernel.snapshot()` gives each test the same one. Under
    pytest-xdist each worker has its own."""
    from nlemu.kernel import Kernel

    watch = request.config.stash.get(WATCH, None)
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Kernel(**{"record": True, "coverage": watch, **options}))


@pytest.fixture(scope="session")
def nlemu_session(nlemu_factory: Callable[..., Kernel]) -> Kernel:
    """One kernel for all tests, which find it as the last one left it."""
    return nlemu_factory()


@pytest.fixture(name="nlemu")
def kernel(request: pytest.FixtureRequest) -> Iterator[Kernel]:
    """An emulated kernel of its own, with nothing in it but `lo`. The mark ``nlemu`` says what Kernel() takes."""
    from nlemu.kernel import Kernel

    mark = request.node.get_closest_marker("nlemu")
    if mark is not None and mark.args:
        (said, *_) = mark.args
        raise pytest.UsageError(f"the mark nlemu takes names, such as kernel={said!r}, and not {said!r}")
    watch = request.config.stash.get(WATCH, None)
    with Kernel(**{"record": True, "coverage": watch, **({} if mark is None else mark.kwargs)}) as one:
        yield one


@pytest.fixture
def nlemu_kernel(nlemu: Kernel) -> Kernel:
    """The same kernel as `nlemu`, for a test that calls the package by that name (``import nlemu``)."""
    return nlemu


def attach(item: pytest.Item, report: pytest.TestReport) -> None:
    """A failed test shows the last messages of its kernels, keeps all of them in files, and says what the kernels were
    like."""
    if "nlemu.kernel" not in sys.modules:
        return
    from nlemu.kernel import Kernel

    kernels = {id(one): one for one in vars(item).get("funcargs", {}).values() if isinstance(one, Kernel)}
    for one in kernels.values():
        try:
            report.sections += told(item, one)
        except Exception as error:  # the failure of a test is not hidden by another
            report.sections.append(("nlemu", f"{one!r} cannot be looked at: {error}"))


def told(item: pytest.Item, kernel: Kernel) -> Iterator[tuple[str, str]]:
    """What there is to say of a kernel."""
    from nlemu.emulator.cli.state import state_lines
    from nlemu.emulator.cli.table import table

    lines = kernel.traffic() if kernel.recorded else []
    if lines:
        places: pytest.TempPathFactory = item.config._tmp_path_factory  # type: ignore[attr-defined]
        path = places.mktemp("nlemu") / "netlink.pcapng"
        count = kernel.save_pcap(path)
        yield f"netlink: the last of {count} datagrams, which are in {path}", "\n".join(lines)
    why = kernel.why()
    if why:
        yield "netlink: why requests were refused", "\n".join(why[-LAST:])
    state = kernel.state()
    yield (
        f"netlink: the kernel ({state['kernel']['name']}, seed {state['kernel']['seed']})",
        "\n".join(state_lines(state)[:SHOWN]),
    )
    faults = kernel.do(faults=True)
    if faults:
        rows = [[one[name] for name in ("name", "kind", "met", "struck", "left")] for one in faults]
        yield "netlink: faults", "\n".join(table(("NAME", "KIND", "MET", "STRUCK", "LEFT"), rows))


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
SHOWN = 60
"""Lines of the state that are."""
COVERAGE = "nlemu_coverage"
WATCH: pytest.StashKey[Watch] = pytest.StashKey()
"""What the tests of this process exercise, where that is to be told."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails is told more about, while its kernels are there."""
    shorten(item, call)
    report = yield
    if call.when == "call" and report.failed:
        attach(item, report)
    return report


def shorten(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Where a test is told of a mistake by an error of this package, its traceback ends at the test's own line."""
    excinfo = call.excinfo
    if excinfo is None or not type(excinfo.value).__module__.startswith("nlemu.") or item.config.getoption("fulltrace"):
        return
    entries: list[TracebackType] = []
    entry: TracebackType | None = excinfo.tb
    while entry is not None:
        entries.append(entry)
        entry = entry.tb_next
    homes = [str(entry.tb_frame.f_globals.get("__name__", "")).partition(".")[0] for entry in entries]
    last = len(entries) - 1
    while last > 0 and homes[last] in OURS:
        last -= 1
    if homes[last] in PYTEST and last < len(entries) - 1:
        last += 1  # a fixture of ours has no other place to be shown
    entries[last].tb_next = None


OURS = frozenset({"nlemu", *sys.stdlib_module_names})
"""Packages whose lines tell nothing of a mistake in a test."""
PYTEST = frozenset({"_pytest", "pluggy", "pytest"})


@pytest.fixture
def nlemu_patch(nlemu: Kernel) -> Iterator[Kernel]:
    """The same kernel, and for as long as the test runs every netlink socket of this process is one of its own."""
    from nlemu.in_process import patch

    with patch(nlemu):
        yield nlemu
