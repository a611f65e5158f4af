"""The command line as a whole: help, mistakes, exit codes, and how it ends when nobody reads."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import nlemu as package
from nlemu.emulator.cli import COMMANDS, NO_DAEMON, REFUSED, USAGE, main
from nlemu.emulator.cli.table import table
from tests.emulator.cli.conftest import PATIENCE, environment, nlemu, start


def test_help_lists_every_command() -> None:
    result = nlemu("--help")
    assert result.returncode == 0
    for name, about in COMMANDS.items():
        assert f"    {name}" in result.stdout and about.split()[0] in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: nlemu {name}")


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"nlemu {package.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["sing"], ["serve"], ["ctl"], ["ctl", "state"], ["ctl", "--dir", "d", "nsim", "new", "x"],
        ["ctl", "--dir", "d", "nsim", "new", "-1"], ["ctl", "--dir", "d", "sleep", "x"], ["replay"], ["ynl"],
        ["ynl", "--family", "nosuch", "--dump", "dev-get"], ["ynl", "--family", "netdev", "--dump", "nosuch"],
        ["ynl", "--family", "netdev", "--do", "dev-get", "--json", "{"],
        ["ynl", "--family", "netdev", "--do", "dev-get", "--json", "[1]"],
        ["ynl", "--family", "netdev", "--subscribe", "nosuch"],
        ["ynl", "--family", "netdev", "--list-attrs", "nosuch"], ["replay", "/nonexistent/trace"],
        ["serve", "--dir", "d", "--seed", "x"], ["serve", "--dir", "d", "--netdevsim", "fast"],
    ],
)
def test_mistakes_are_told_on_standard_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NLEMU_DIR", raising=False)
    assert main(arguments) == USAGE
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and err.startswith("nlemu")


def test_who_says_nothing_is_told_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == USAGE
    assert capsys.readouterr().out.startswith("usage: nlemu [-h]")
    assert main(["help"]) == 0
    assert capsys.readouterr().out.startswith("usage: nlemu [-h]")
    assert main(["help", "ctl", "fault"]) == 0
    assert capsys.readouterr().out.startswith("usage: nlemu ctl fault")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["rum"], "nlemu: there is no 'rum'; is run meant? (nlemu --help tells more)"),
        (["ctl", "interupt", "x"], "nlemu ctl: there is no 'interupt'; is interrupt meant? (nlemu ctl --help"),
        (["--dir", "d", "ctl", "state"], "nlemu: there is no 'd'; there are serve, stop, "),
        (["explain", "00112233"], "nlemu explain: 00112233: these digits are no request of netlink"),
        (["coverage", "/nonexistent"], "nlemu coverage: /nonexistent: No such file or directory"),
    ],
)
def test_what_was_meant(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == USAGE
    assert capsys.readouterr().err.startswith(told)


def test_the_exit_code_reaches_the_shell() -> None:
    assert nlemu("sing").returncode == USAGE
    assert nlemu("ctl", "--dir", "/nonexistent", "state").returncode == NO_DAEMON


def test_no_daemon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["ctl", "state"], ["ynl", "--family", "netdev", "--dump", "dev-get"]):
        command, *others = arguments
        assert main([command, "--dir", str(tmp_path), *others]) == NO_DAEMON
        out, err = capsys.readouterr()
        assert out == "" and len(err.splitlines()) == 1
        assert str(tmp_path) in err and "nlemu serve" in err


def test_a_daemon_in_the_background(tmp_path: Path) -> None:
    started = nlemu("serve", "--detach", NLEMU_DIR=str(tmp_path / "d"))
    assert (started.returncode, started.stderr) == (0, f"nlemu: its log is {tmp_path / 'd'}.log\n")
    assert (tmp_path / "d.log").read_text() == ""
    assert nlemu("ctl", "--dir", tmp_path / "d", "netns", "add", "pod").returncode == 0
    again = nlemu("serve", "--dir", tmp_path / "d", "--detach")
    assert (again.returncode, again.stdout) == (REFUSED, "")
    assert again.stderr == f"nlemu serve: {tmp_path / 'd'}: another daemon serves this directory\n"
    with open_pidfd(int(started.stdout)) as ended:
        os.kill(int(started.stdout), signal.SIGTERM)
        assert select.select([ended], [], [], PATIENCE)[0]
    assert not (tmp_path / "d").exists()


def test_who_may_connect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The directory is its owner's, if he does not let others in."""
    group = os.getgroups()[0] if os.getgroups() else os.getgid()
    started = nlemu("serve", "--dir", tmp_path / "d", "--detach", "--mode", "770", "--group", str(group))
    with open_pidfd(int(started.stdout)) as ended:
        try:
            told = {path: path.stat() for path in (tmp_path / "d", *(tmp_path / "d").rglob("*"))}
            modes = {str(path.relative_to(tmp_path)): oct(found.st_mode & 0o777) for path, found in told.items()}
            assert modes == {
                "d": "0o770", "d/control": "0o660",
                "d/init": "0o770", "d/init/route": "0o660", "d/init/generic": "0o660",
            }
            assert {found.st_gid for found in told.values()} == {group}
        finally:
            os.kill(int(started.stdout), signal.SIGTERM)
            assert select.select([ended], [], [], PATIENCE)[0]
    for option, text in (("--mode", "077"), ("--mode", "rw"), ("--group", "no-such-group")):
        assert main(["serve", "--dir", str(tmp_path / "d"), option, text]) == USAGE
        assert text in capsys.readouterr().err


@contextmanager
def open_pidfd(pid: int) -> Iterator[int]:
    """A descriptor that can be read when the process has ended."""
    number = os.pidfd_open(pid)
    try:
        yield number
    finally:
        os.close(number)


def test_a_daemon_of_somebody_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.chmod(0)
    if os.access(tmp_path, os.X_OK):
        pytest.skip("root may do everything")
    assert main(["ctl", "--dir", str(tmp_path), "state"]) == NO_DAEMON
    assert capsys.readouterr().err == f"nlemu ctl: {tmp_path}/control is for its owner: run as that user, or as root\n"


def test_a_daemon_that_was_killed(tmp_path: Path) -> None:
    process = start("serve", "--dir", tmp_path)
    assert process.stderr is not None
    process.stderr.readline()
    process.kill()
    process.communicate()
    assert nlemu("ctl", "--dir", tmp_path, "state").returncode == NO_DAEMON


def test_a_second_daemon_is_refused(daemon: Path) -> None:
    result = nlemu("serve", "--dir", daemon)
    assert result.returncode == REFUSED
    assert result.stdout == "" and result.stderr.splitlines() == [
        f"nlemu serve: {daemon}: another daemon serves this directory"
    ]


def test_who_stops_reading_is_not_an_error() -> None:
    command = f"{sys.executable} -m nlemu ynl --family netdev --list-attrs queue-get | head -n 1"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=environment())
    assert (result.stdout, result.stderr) == ("Operation: queue-get\n", "")


def test_a_command_is_imported_when_it_is_wanted() -> None:
    code = "import sys; from nlemu.emulator.cli import main; main(['--version']); print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    imported = set(result.stdout.split())
    assert "nlemu.emulator.cli" in imported
    assert imported.isdisjoint({"trio", "construct", "nlemu.emulator.machine", "nlemu.emulator.client"})
    assert "nlemu.protocol" not in imported


def test_tables() -> None:
    rows = [("a", 1, None), ("long", 100, None)]
    assert table(("NAME", "N", "EMPTY"), rows) == ["NAME    N", "a       1", "long  100"]
    assert table(("NAME",), []) == []
