"""`nlemu serve --http`: what is refused in one line, and what a daemon prints."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from nlemu.emulator.cli import REFUSED, USAGE, main
from tests.emulator.daemon.page.browser import ROOT


def serve(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nlemu", "serve", "--dir", str(directory), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--http", "0.0.0.0:8080"], "--http 0.0.0.0:8080: other machines could reach that: say --http-allow NAME"),
        (["--http", "[::]:8080"], "--http [::]:8080: other machines could reach that"),
        (["--http", "8080"], "--http takes ADDRESS:PORT, such as 127.0.0.1:8080, and not '8080'"),
        (["--http", "127.0.0.1:0", "--http-token", "/nowhere"], "--http-token /nowhere: No such file or directory"),
        (["--http-token", "x"], "--http-token: there is no page without --http ADDRESS:PORT"),
        (["--http-allow", "box"], "--http-allow: there is no page without --http ADDRESS:PORT"),
    ],
)
def test_what_is_refused(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--dir", str(tmp_path / "d"), *arguments]) == USAGE
    errors = capsys.readouterr().err
    assert errors.startswith(f"nlemu serve: {said}") and errors.count("\n") == 1
    assert not (tmp_path / "d").exists()


def test_without_h11(tmp_path: Path) -> None:
    lacking = "import sys; sys.modules['h11'] = None; from nlemu.emulator.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", lacking, "serve", "--dir", str(tmp_path / "d"), "--http", "127.0.0.1:0"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    told = "nlemu serve: the page is served with h11: pip install 'nlemu[page]'\n"
    assert (run.returncode, run.stderr) == (REFUSED, told)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        run = serve(tmp_path / "d", "--http", where)
    assert (run.returncode, run.stderr) == (REFUSED, f"nlemu serve: --http {where}: something else is served there\n")
    assert not (tmp_path / "d").exists()


def test_detached(tmp_path: Path) -> None:
    run = serve(tmp_path / "d", "--http", "127.0.0.1:0", "--detach")
    try:
        page, log = run.stderr.splitlines()
        found = re.fullmatch(r"nlemu: the page is (http://127\.0\.0\.1:\d+/[\w-]{32}/)", page)
        assert found and (tmp_path / "d" / ".page").read_text() == f"{found[1]}\n"
        assert log == f"nlemu: its log is {tmp_path}/d.log"
    finally:
        subprocess.run(["kill", run.stdout.strip()], check=True)
