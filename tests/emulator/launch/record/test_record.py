"""`nlemu record`: real programs on this machine's kernel, as an ordinary user and as whoever runs the tests. What was
recorded is what they say themselves, and can be shown and performed again."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nlemu.emulator.cli import main
from nlemu.emulator.cli.record import Comments
from nlemu.emulator.script import recording
from nlemu.emulator.script.captured import kept_events
from nlemu.emulator.world import file
from nlemu.protocol.captures import pcapng
from nlemu.protocol.captures.events import Datagram, Way
from nlemu.protocol.captures.families import told
from nlemu.protocol.captures.formats import opened
from nlemu.protocol.names.known import by_number
from tests.emulator.cli.conftest import environment
from tests.emulator.launch import nobody

TELLS = str(nobody.PROGRAMS / "tells.py")
SIGNS = {Way.TO_KERNEL: ">", Way.TO_USER: "<"}
Done = subprocess.CompletedProcess[str]


@pytest.fixture(params=["nobody", "ourselves"])
def user(request: pytest.FixtureRequest) -> str:
    """Who records."""
    return str(request.param)


@pytest.fixture
def place(user: str) -> Iterator[Path]:
    """A directory that both can write."""
    with tempfile.TemporaryDirectory() as where:
        os.chmod(where, 0o777)
        yield Path(where)


def record(user: str, path: Path, *command: str, options: tuple[str, ...] = ("--no-worlds",)) -> Done:
    """Runs a command recorded, to its end; skips where programs cannot be traced."""
    arguments = ["record", "-o", str(path), *options, "--", *command]
    line = nobody.command(*arguments) if user == "nobody" else [sys.executable, "-m", "nlemu", *arguments]
    kept = nobody.environment() if user == "nobody" else environment(PATH=nobody.PATH)
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, env=kept, check=False)
    if "cannot be traced" in done.stderr or "cannot be filtered" in done.stderr:
        nobody.lacking(done.stderr)
    return done


def need_network(user: str) -> None:
    """Skips where that user may not have a network of its own."""
    if user == "nobody" and os.getuid() == 0:
        done = subprocess.run(
            ["unshare", "-rn", "true"], user=nobody.NOBODY, group=nobody.NOBODY, extra_groups=[], check=False, cwd="/"
        )
    else:
        done = subprocess.run(["unshare", "-rn", "true"], check=False)
    if done.returncode:
        nobody.lacking("this machine lets users have no namespaces (unshare -rn)")


def datagrams(path: Path) -> list[Datagram]:
    with opened(str(path)) as source:
        return list(pcapng.read(source))


def lines(path: Path) -> list[str]:
    """What was recorded, as tells.py says it."""
    return [f"{SIGNS[one.way]} {one.data.hex()}" for one in datagrams(path)]


def tells(user: str, path: Path, what: str) -> list[str]:
    done = record(user, path, nobody.python(), TELLS, what)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.splitlines()


def test_several_sockets(user: str, place: Path) -> None:
    """A dump of several datagrams, an error, one socket beside the other, in the order in which it was."""
    path = place / "it.pcapng"
    told = tells(user, path, "plain")
    assert len(told) >= 7
    assert lines(path) == told
    found = datagrams(path)
    assert {one.protocol for one in found} == {0, 16}
    assert {one.network for one in found} == {"init"}
    # Of what was sent, the port id; of what was received, it is in the header.
    generic = [one for one in found if one.protocol == 16]
    assert generic[0].port == int.from_bytes(generic[-1].data[12:16], sys.byteorder)


def test_every_call(user: str, place: Path) -> None:
    """Looks are not recorded, nor is what was not sent; what was cut off is, as far as it was read."""
    path = place / "it.pcapng"
    told = tells(user, path, "calls")
    assert lines(path) == told and len(told) == 14
    cut = [one for one in datagrams(path) if one.cut]
    assert [len(one.data) for one in cut] == [20] and cut[0].length == int.from_bytes(cut[0].data[:4], sys.byteorder)


def test_threads_and_children(user: str, place: Path) -> None:
    path = place / "it.pcapng"
    told = tells(user, path, "others")
    assert len(told) == 160 + 3 * 2 + 2 * 7
    found = lines(path)
    assert sorted(found) == sorted(told)
    # What one thread does is in its order.
    for one in set(told):
        if one.startswith("< "):
            assert found.count(one) == told.count(one)
    assert found[-7:] == told[-7:]


def test_what_waits(user: str, place: Path) -> None:
    """Notifications to a receive that waits for them, a signal in the midst of one, a child that stops."""
    need_network(user)
    path = place / "it.pcapng"
    done = record(user, path, "unshare", "-rn", nobody.python(), TELLS, "waits")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    told = done.stdout.splitlines()
    assert told[-2:] == ["interrupted", "woken 7"]
    found = datagrams(path)
    assert sorted(lines(path)) == sorted(told[:-2])
    (network,) = {one.network for one in found}
    assert network is not None and network.isdigit()


def test_a_socket_of_before(user: str, place: Path) -> None:
    path = place / "it.pcapng"
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as one:
        one.bind((0, 0))
        os.set_inheritable(one.fileno(), True)
        arguments = ["record", "-o", str(path), "--no-worlds", "--", nobody.python(), TELLS, "given", str(one.fileno())]
        line = nobody.command(*arguments) if user == "nobody" else [sys.executable, "-m", "nlemu", *arguments]
        done = subprocess.run(
            line, capture_output=True, text=True, timeout=120, pass_fds=[one.fileno()],
            env=nobody.environment() if user == "nobody" else environment(), check=False,
        )
    if "cannot be traced" in done.stderr:
        nobody.lacking(done.stderr)
    assert done.returncode == 0, done.stderr
    assert lines(path) == done.stdout.splitlines() and len(lines(path)) == 2


@pytest.mark.parametrize("command", [["ip", "-br", "link"], ["ip", "-d", "addr"], ["ethtool", "lo"]])
def test_programs(capsys: pytest.CaptureFixture[str], user: str, place: Path, command: list[str]) -> None:
    """They say what they say without us; what was recorded is shown, and performed in the world of before."""
    nobody.need(command[0])
    path = place / "it.pcapng"
    done = record(user, path, *command, options=())
    plain = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment(PATH=nobody.PATH)
    )
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout)
    assert main(["dissect", "--json", str(path)]) == 0
    shown = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    assert {one["kind"] for one in shown} >= {"request", "reply"}
    before, after = f"{path}.before.toml", f"{path}.after.toml"
    for world in (before, after):
        assert "lo" in [one.fields["name"] for _, one in file.read(world) if one.section == "link"]
    assert main(["replay", "--json", "--kernel", "7.2.13", "--world", before, str(path)]) in (0, 1)
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["requests"] == sum(one["kind"] == "request" for one in shown)


def test_what_a_program_changes(capsys: pytest.CaptureFixture[str], user: str, place: Path) -> None:
    """A device comes, in a network that the program makes; performed again, it comes there too."""
    nobody.need("ip")
    need_network(user)
    path = place / "it.pcapng"
    script = "ip link add d0 type dummy || ip link add d0 type ifb; ip link set d0 up; ip -d link"
    done = record(user, path, "unshare", "-rn", "sh", "-c", script, options=())
    if done.returncode or "d0" not in done.stdout:
        nobody.lacking(f"this kernel has neither dummy nor ifb devices: {done.stderr}")
    (network,) = {str(one.network) for one in datagrams(path)}
    world = file.read(f"{path}.before.toml")
    assert world.namespaces[network].entries == []
    # What other releases tell differs in what they know; that and how devices are made does not.
    main(["replay", "--kernel", "7.2.13", "--world", f"{path}.before.toml", str(path)])
    told = capsys.readouterr().out.splitlines()
    assert any(line.strip().startswith("getlink") for line in told)
    (made,) = [line for line in told if line.startswith("  newlink ") and "equal" in line]
    assert made.endswith("equal") or "ifb" in done.stdout, told


def test_a_namespace_with_a_name(user: str, place: Path) -> None:
    """`ip netns add` inside: the recording calls it so, and one without a name by its number."""
    nobody.need("ip")
    need_network(user)
    path = place / "it.pcapng"
    script = "mount -t tmpfs none /run && ip netns add pod && ip -n pod link set lo up && ip link set lo up"
    done = record(user, path, "unshare", "-rnm", "sh", "-ec", script)
    if "mount" in done.stderr:
        nobody.lacking(done.stderr)
    first, second = dict.fromkeys(str(one.network) for one in datagrams(path))
    assert first == "pod" and second.isdigit()


def test_a_trace(user: str, place: Path) -> None:
    """A name that ends with .jsonl: a trace, with each request's answers at it."""
    path = place / "it.jsonl"
    told = tells(user, path, "plain")
    steps = [json.loads(line) for line in path.read_text().splitlines()]
    assert steps[0]["kernel"] == os.uname().release and "tells.py plain" in steps[0]["about"]
    sent = [step for step in steps if "send" in step]
    assert [f"> {step['hex']}" for step in sent] == [one for one in told if one[0] == ">"]
    answers = [f"< {one}" for step in sent for one in step["got"][step["send"]]]
    assert sorted(answers) == sorted(one for one in told if one[0] == "<")


@pytest.mark.parametrize(
    ("script", "status"),
    [("exit 3", 3), ("kill -KILL $$", 137), ("kill -TERM $$", 143), ("exec /nowhere", 127), ("exec /", 126)],
)
def test_how_it_ends(user: str, place: Path, script: str, status: int) -> None:
    assert record(user, place / "it.pcapng", "sh", "-c", script).returncode == status


def test_no_such_program(user: str, place: Path) -> None:
    done = record(user, place / "it.pcapng", "nowhere-to-be-found")
    assert (done.returncode, done.stderr) == (
        127, "nlemu record: nowhere-to-be-found: No such file or directory\n"
    )


def test_what_it_leaves_running_ends(user: str, place: Path) -> None:
    done = record(user, place / "it.pcapng", "sh", "-c", "sleep 1000 >/dev/null 2>&1 & setsid sleep 1000 & echo $!")
    assert done.returncode == 0
    assert not os.path.exists(f"/proc/{int(done.stdout)}")


@pytest.mark.parametrize("script", ["read x", "while :; do read x; done"], ids=["it waits", "it never rests"])
def test_signals_go_on_to_the_command(tmp_path: Path, script: str) -> None:
    """Also to one that makes one call after the other: its standard input has ended."""
    path = tmp_path / "it.pcapng"
    script = f"trap 'echo caught; exit 5' TERM; echo ready; {script}"
    busy = script.endswith("done")
    with subprocess.Popen(
        [sys.executable, "-m", "nlemu", "record", "--no-worlds", "-o", str(path), "--", "sh", "-c", script],
        stdin=subprocess.DEVNULL if busy else subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(),
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
        run.send_signal(signal.SIGTERM)
        assert (run.stdout.read(), run.wait(60)) == ("caught\n", 5)


def test_nothing_outlives_us(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "nlemu", "record", "--no-worlds", "-o", str(tmp_path / "it.pcapng"), "--", "sh", "-c",
         "echo $$; read x"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(),
    ) as run:
        assert run.stdout is not None
        command = os.pidfd_open(int(run.stdout.readline()))
        run.kill()
        poll = select.poll()
        poll.register(command, select.POLLIN)
        assert poll.poll(60_000)
        os.close(command)


def test_a_program_that_may_not_be_looked_into(user: str, place: Path) -> None:
    """Who may execute a file and not read it does not see what it does: that is said, and the program runs."""
    if os.getuid():
        nobody.lacking("only root can make a program that others may execute and not read")
    ip = place / "ip"
    shutil.copy(nobody.need("ip"), ip)
    ip.chmod(0o711)
    done = record(user, place / "it.pcapng", str(ip), "-br", "link")
    assert done.returncode == 0 and done.stdout.startswith("lo ")
    told = "nlemu record: not recorded: 1 calls of programs that could not be looked into\n"
    assert done.stderr == (told if user == "nobody" else "")
    assert (lines(place / "it.pcapng") == []) == (user == "nobody")


def test_a_full_disk() -> None:
    """The program is not to blame, and goes on."""
    done = record("ourselves", Path("/dev/full"), "ip", "-br", "link")
    assert (done.returncode, done.stdout[:3]) == (0, "lo ")
    assert done.stderr == "nlemu record: /dev/full: No space left on device: it is not whole\n"


def test_nothing_is_changed_by_us(tmp_path: Path) -> None:
    """The command has the capabilities and the namespaces that it would have without us; where we are root, it may
    gain privileges too."""
    script = "grep -E 'Cap|NoNewPrivs' /proc/self/status; readlink /proc/self/ns/net /proc/self/ns/user"
    plain = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    done = record("ourselves", tmp_path / "it.pcapng", "sh", "-c", script)
    if os.getuid():
        plain = plain.replace("NoNewPrivs:\t0", "NoNewPrivs:\t1")
    assert done.stdout == plain


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["-o", "x.pcapng"], "what shall be run? put it after --"),
        (["-o", "/nowhere/x.pcapng", "--", "true"], "/nowhere/x.pcapng: No such file or directory"),
        (["-o", "/dev/null", "--world-after", "/nowhere/x.toml", "--no-worlds", "--", "true"],
         "--no-worlds, and a file for one"),
        (["--", "true"], "the following arguments are required: -o/--output (nlemu record --help tells more)"),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], arguments: list[str], error: str) -> None:
    assert main(["record", *arguments]) == 2
    assert capsys.readouterr().err == f"nlemu record: {error}\n"


def test_comments_are_those_of_other_recordings() -> None:
    """Though only the headers are looked at."""
    traces = (nobody.ROOT / "fixtures" / "traces" / "7.2.13").glob("[ceg]*.jsonl")
    comments, seen = Comments(), 0
    for path in sorted(traces)[:12]:
        families: dict[str, int] = {}
        for datagram in events_of(path):
            families |= told(datagram.data)
            assert datagram.protocol is not None
            said = comments.say(datagram.data, datagram.protocol, families)
            assert said == recording.comment(datagram.data, datagram.protocol, by_number(families))
            seen += 1
    assert seen > 100


def events_of(path: Path) -> list[Datagram]:
    with kept_events(str(path)) as events:
        return [event for event in events() if isinstance(event, Datagram)]
