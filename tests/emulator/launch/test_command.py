"""`nlemu run` as a command: what it returns, which signals it passes on, and that nothing is left of it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from nlemu.emulator.launch import place as places
from nlemu.emulator.launch.check import findings
from nlemu.emulator.launch.place import NoPlace, make_place
from nlemu.emulator.launch.session import CannotSupervise, Session
from nlemu.emulator.launch.signals import signal_descriptor
from nlemu.emulator.launch.supervision import LauncherSupervision
from nlemu.emulator.machine.machine import Machine
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


def test_nothing_outlives_it_whoever_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL, of which it hears nothing; the command's descendants are gone, those too that have left it."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o777)
        monkeypatch.setenv("TMPDIR", place)
        script = "sleep 1000 & setsid sleep 1000 & echo $! $$; wait"
        process = subprocess.Popen(nobody.command("run", "--", "sh", "-c", script), stdout=subprocess.PIPE, text=True,
                                   env=nobody.environment())
        with process:
            assert process.stdout is not None
            pids = [int(word) for word in process.stdout.readline().split()]
            assert list(Path(place).iterdir())
            process.kill()
            assert process.stdout.read() == "", "the keeper is the last who has the pipe"
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
        assert not list(Path(place).iterdir())


def test_signals_after_the_commands_end_go_nowhere() -> None:
    """timeout(1) sends SIGTERM and then SIGCONT. The command has ended by then, and 0 is no process but a group."""
    session = Session(["true"], LauncherSupervision(Machine()))
    descriptor = signal_descriptor({signal.SIGCONT})
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCONT})
    try:
        os.kill(os.getpid(), signal.SIGCONT)
        session._signals(descriptor)
        assert not select.select([descriptor], [], [], 0)[0], "it did not send it to itself again"
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(descriptor)


def test_a_place_that_is_too_deep_for_sockets_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 70)
    deep.mkdir()
    monkeypatch.setenv("TMPDIR", str(deep))
    made = Path(make_place())
    made.rmdir()
    assert made.parent != deep


def test_no_place_at_all_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "candidates", lambda: iter(("/nonexistent", "/proc")))
    with pytest.raises(NoPlace, match=r"/nonexistent: No such file or directory; /proc: .*; set TMPDIR to one"):
        make_place()
    with pytest.raises(CannotSupervise, match="no place for temporary files"):
        Session(["true"], LauncherSupervision(Machine())).run()
    assert [finding.what for finding in findings() if finding.remedy] == ["temporary files"]


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


def test_the_same_for_programs() -> None:
    done = nobody.nlemu("check", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["works"] is True
    assert {"what": "architecture", "how": os.uname().machine, "remedy": None} in told["findings"]
