"""Runs `nlemu` as an ordinary user: uid 65534, without groups and capabilities, whoever runs the tests.

The interpreter and its packages may lie where that user cannot read, so everything is imported first, and then the
user is changed. What is run by it must be readable to all.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = Path(__file__).parent / "programs"
NOBODY = 65534
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

BECOME = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from nlemu.emulator import cli
from nlemu.emulator.cli import check, run, serve
from nlemu.emulator.daemon import host, server
from nlemu.emulator.launch import check as launch_check, session, supervision
from nlemu.emulator.launch.trap import seccomp
from nlemu.emulator.machine import families, machine
from nlemu.emulator.machine.protocols import PROTOCOLS
from nlemu.protocol.families.messages import messages
[protocol.kernel for protocol in PROTOCOLS], messages()
import importlib, pkgutil
from nlemu.emulator import kernel, launch
from nlemu.emulator.daemon import state
from nlemu.emulator.script import counters, faults, nics, programs
for room in (kernel, launch):
    for found in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
        importlib.import_module(found.name)
import logging, tempfile, encodings.idna, locale, traceback
tempfile.gettempdir()
cli.parse(sys.argv[1:])
if sys.argv[1] == "record":
    from nlemu.emulator.cli import clone
    from nlemu.emulator.client import live
    from nlemu.emulator.kernel.nics import profiles
    from nlemu.emulator.launch.record import tracer
    from nlemu.emulator.script import capture, recording
    from nlemu.emulator.world import export, file, observe, sections, settings, text
    from nlemu.protocol.captures import families, pcapng
if "--world" in sys.argv:
    from nlemu.emulator.script import beginning
if os.getuid() == 0:
    os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
    seccomp.libc.prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, as after any exec
os.chdir("/")
sys.exit(cli.main(sys.argv[1:]))
"""

NO_COPIES = "session.allowed = lambda: False\n"
"""As in a container that forbids pidfd_getfd()."""


def python() -> str:
    """A Python that everybody may run."""
    found = next((path for path in ("/usr/bin/python3", "/usr/local/bin/python3") if os.access(path, os.X_OK)), None)
    return found or sys.executable


def environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("TMPDIR", "LANG") if name in os.environ}
    return {**kept, "PATH": PATH, "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/"}


def command(*arguments: str, copies: bool = True) -> list[str]:
    """The command line that runs `nlemu` with those arguments as nobody."""
    program = BECOME if copies else BECOME.replace("sys.exit(", NO_COPIES + "sys.exit(")
    return [sys.executable, "-B", "-c", program, *arguments]


def nlemu(
    *arguments: str, text: str | None = None, timeout: float = 120, copies: bool = True
) -> subprocess.CompletedProcess[str]:
    """Runs `nlemu` as nobody, to its end."""
    return subprocess.run(
        command(*arguments, copies=copies), input=text, capture_output=True, text=True, timeout=timeout,
        env=environment(), check=False,
    )


def run(*program: str, options: Sequence[str] = (), text: str | None = None, timeout: float = 120) -> str:
    """What a program prints under `nlemu run`, which has to end well and without a word on standard error."""
    done = nlemu("run", *options, "--", *program, text=text, timeout=timeout)
    assert done.returncode == 0, f"{program}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.stderr == "", done.stderr
    return done.stdout


MAIN = "\nmain()\n"
"""How a program of PROGRAMS ends that asks its questions in a function."""


def answers(name: str, script: str = MAIN, options: Sequence[str] = ()) -> list[str]:
    """What the program of that name, in PROGRAMS, prints, line by line; or what a script does that has all that the
    program has, but asks none of its questions."""
    program = (PROGRAMS / f"{name}.py").read_text()
    assert program.endswith(MAIN)
    return run(python(), "-c", program.removesuffix(MAIN) + script, options=options).splitlines()


def shell(script: str) -> str:
    """What a shell script prints; it ends with the first command that fails."""
    return run("sh", "-ec", script)


def need(program: str) -> str:
    """The path of a program; without it the test is skipped, which in CI is a failure."""
    found = shutil.which(program, path=PATH)
    if found is None:
        lacking(f"{program} is not installed")
    assert found is not None
    return found


def lacking(why: str) -> None:
    """Skips, but not in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)
