"""Debian's podman where a machine grants less than it is used to: no systemd, no controllers of cgroups to give away.

What it is spared are limits (memory, processes, devices), which say nothing of nlemu. All that a container is otherwise
is podman's and crun's: its namespaces, capabilities, mounts, and the default seccomp profile.

- cgroup2 is mounted for each command, in a namespace of mounts of its own.
- `runtime()` takes the limits out of what crun is told: to set those of devices it wants CAP_SYS_RESOURCE.
- A mount of a volume with `subpath=`, which podman has since 5.4, becomes one of the directory where the volume is.

podman-compose calls this module as its podman (`command()`).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = "NLEMU_TEST_PODMAN"
"""The environment variable that names the directory in which everything is: storage, settings, commands."""
CRUN = "/usr/bin/crun"
MOUNTED = 'mount -t cgroup2 none /sys/fs/cgroup && exec "$@"'


def prepare(place: Path) -> None:
    """Writes the settings of an engine that keeps to a directory, which has a short path."""
    for name in ("podman", "runtime"):
        script = place / name
        script.write_text(
            f"#!/bin/sh\nPYTHONPATH='{ROOT}' {PLACE}='{place}' exec '{sys.executable}' -B -c "
            f"'from tests.containers import podman; podman.{name}()' \"$@\"\n"
        )
        script.chmod(0o755)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    (place / "containers.conf").write_text(f"""\
[containers]
cgroups = "enabled"
pids_limit = 0
default_ulimits = ["nofile=1024:{files}", "nproc=1000:1000"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "{place}/runtime"
""")
    below = subprocess.run(["stat", "-f", "-c", "%T", place], capture_output=True, text=True, check=True).stdout
    driver = "vfs" if below.startswith("overlay") else "overlay"  # one does not stand on another
    (place / "storage.conf").write_text(
        f'[storage]\ndriver = "{driver}"\ngraphroot = "{place}/root"\nrunroot = "{place}/run"\n'
    )


def command(place: Path) -> str:
    """The engine of a directory, as a program."""
    return str(place / "podman")


def call(place: Path, *arguments: str) -> list[str]:
    """The command line of one call of the engine."""
    return ["unshare", "-m", "sh", "-c", MOUNTED, "sh", "/usr/bin/podman", f"--runtime={place}/runtime", *arguments]


def settings(place: Path) -> dict[str, str]:
    """The environment in which it is called."""
    named = {"CONTAINERS_CONF": "containers.conf", "CONTAINERS_STORAGE_CONF": "storage.conf"}
    return {**os.environ, **{name: str(place / file) for name, file in named.items()}}


def podman() -> None:
    """The engine's command, instead of this process."""
    place = Path(os.environ[PLACE])
    arguments = [with_subpath(place, one) for one in sys.argv[1:]]
    os.execvpe("unshare", call(place, *arguments), settings(place))


def with_subpath(place: Path, argument: str) -> str:
    """A mount of a part of a volume, as one of a directory; another argument as it is."""
    if ",subpath=" not in argument:
        return argument
    fields = dict(field.partition("=")[::2] for field in argument.split(","))
    found = subprocess.run(
        call(place, "volume", "inspect", "--format", "{{.Mountpoint}}", fields["source"]),
        env=settings(place), capture_output=True, text=True, check=True,
    )
    return f"type=bind,source={found.stdout.strip()}/{fields['subpath']},destination={fields['destination']}"


def runtime() -> None:
    """crun, instead of this process; what it shall make has no limits by then."""
    if "create" in sys.argv:
        file = Path(sys.argv[sys.argv.index("--bundle") + 1]) / "config.json"
        bundle = json.loads(file.read_text())
        bundle["linux"]["resources"] = {}
        file.write_text(json.dumps(bundle))
    os.execv(CRUN, [CRUN, *sys.argv[1:]])
