"""`nlemu run` as a command: what it returns, which signals it passes on, and that nothing is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")


@pytest.mark.parametrize(
    ("script", "status"), [("exit 0", 0), ("exit 3", 3), ("kill -TERM $$", 143), ("kill -9 $$", 137)]
)
def test_it_ends_as_the_command_ends(script: str, status: int) -> None:
    assert nobody.nlemu("run", "--", "sh", "-c", script).returncode == status


def test_a_command_that_is_not_there() -> None:
    done = nobody.nlemu("run", "--", "no-such-program")
    assert (done.returncode, done.stderr) == (127, "nlemu run: no-such-program: No such file or directory\n")


def test_a_command_that_cannot_be_run() -> None:
    assert nobody.nlemu("run", "--", "/etc/hostname").returncode == 126


def test_no_command() -> None:
    done = nobody.nlemu("run")
    assert done.returncode == 2
    assert "after --" in done.stderr


def test_input_and_output_are_the_commands_own() -> None:
    assert nobody.run("cat", text="through\n") == "through\n"


def test_signals_go_on_to_the_command() -> None:
    script = "trap 'echo caught; exit 5' USR1; echo ready; while :; do sleep 0.01; done"
    process = subprocess.Popen(nobody.command("run", "--", "sh", "-c", script), stdout=subprocess.PIPE, text=True,
                               env=nobody.environment())
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGUSR1)
        assert process.stdout.read() == "caught\n"
    assert process.returncode == 5


def test_the_terminal_is_the_commands_own() -> None:
    """What is typed reaches it, and Ctrl-C ends it, once."""
    import pty

    master, slave = pty.openpty()
    script = "trap 'echo caught; exit 9' INT; echo ready; while :; do read line && echo got $line; done"
    process = subprocess.Popen(
        ["setsid", "-c", "-w", *nobody.command("run", "--", "sh", "-c", script)], stdin=slave, stdout=slave,
        stderr=slave,
        env=nobody.environment(),
    )
    os.close(slave)
    seen = b""

    def until(word: bytes) -> None:
        nonlocal seen
        while word not in seen:
            seen += os.read(master, 4096)

    until(b"ready")
    os.write(master, b"words\n")
    until(b"got words")
    os.write(master, b"\x03")
    until(b"caught")
    assert process.wait(timeout=30) == 9
    os.close(master)


def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process that the command started, and no file."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o777)
        monkeypatch.setenv("TMPDIR", place)
        output = nobody.run("sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!; ls /sys/class/net >/dev/null")
        assert not Path(f"/proc/{int(output)}").exists()
        assert not list(Path(place).iterdir())


def test_whom_the_program_takes_itself_for() -> None:
    script = "import os; print(os.getuid(), os.geteuid(), os.getgid(), os.getresuid(), os.getresgid())"
    assert nobody.run(nobody.python(), "-c", script) == "0 0 0 (0, 0, 0) (0, 0, 0)\n"
    uid = nobody.NOBODY if os.getuid() == 0 else os.getuid()
    view = nobody.run(nobody.python(), "-c", "import os; print(os.getuid())", options=["--uid-view", "user"])
    assert view == f"{uid}\n"


def test_a_user_may_look_but_not_change() -> None:
    nobody.need("ip")
    assert "lo" in nobody.run("ip", "link", options=["--uid-view", "user"])
    done = nobody.nlemu("run", "--uid-view", "user", "--", "ip", "link", "add", "d0", "type", "dummy")
    assert (done.returncode, done.stderr) == (2, "RTNETLINK answers: Operation not permitted\n")


def test_where_it_begins() -> None:
    nobody.need("ip")
    assert nobody.run("ip", "netns", "identify", options=["--netns", "guest"]) == "guest\n"


def test_one_inside_another_says_that_it_cannot() -> None:
    """EBUSY: a process has one supervisor at most. Tried where the filter is installed, in a child of our own."""
    script = f"""
import sys
sys.path.insert(0, {str(nobody.ROOT)!r})
from nlemu.emulator.launch.trap import filter
from nlemu.emulator.launch.trap.architectures import architecture
from nlemu.emulator.launch.trap.seccomp import install
from nlemu.emulator.launch.session import why_not
arch = architecture()
install(arch, [(6, 0, 0, 0x7fff0000)])
try:
    install(arch, [(6, 0, 0, 0x7fff0000)])
except OSError as error:
    print(why_not(error.errno))
"""
    done = subprocess.run([sys.executable, "-B", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "another supervisor of this kind watches already (is this inside `nlemu run`?)\n"


def test_the_machine_can() -> None:
    done = nobody.nlemu("check")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "nlemu run works here"
