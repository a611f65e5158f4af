"""The launcher's tests on aarch64, in a virtual machine without acceleration (README.md).

Debian's own kernel and programs, unpacked into an initramfs with this checkout and the pure Python packages that it
needs, which are those of the interpreter that runs this. Nothing is installed on the machine itself, nothing of another
architecture runs there, and no privileges are needed: apt works on directories of its own.
"""

from __future__ import annotations

import argparse
import getpass
import importlib.util
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parents[4]
KERNEL = "linux-image-arm64"
PACKAGES = (
    "python3", "iproute2", "ethtool", "bpftool", "libnl-utils", "util-linux", "coreutils", "dash", "grep", "sed",
    "findutils", "busybox-static",
)
MODULES = (
    "trio", "construct", "attr", "attrs", "sortedcontainers", "outcome", "idna", "sniffio",
    "pytest", "_pytest", "py", "pluggy", "iniconfig", "packaging", "pygments", "pyroute2",
)
CHECKOUT = ("nlemu", "tests")
ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "group": "root:x:0:\nnogroup:x:65534:\n",
    "hostname": "aarch64\n",
}
PYTEST = ("python3", "-B", "-m", "pytest", "-c", "/dev/null", "--rootdir=.", "--confcutdir=tests/emulator/launch",
          "--import-mode=importlib", "-p", "no:cacheprovider", "--color=no")
"""Without the project's settings, which want plugins that are not needed here."""
TESTS = ("-q", "-rs", "tests/emulator/launch", "--ignore=tests/emulator/launch/test_selftests.py", "--deselect",
         "tests/emulator/launch/test_clients.py::test_pyynl")
"""All but those that want a kernel's tree."""
QEMU = ("qemu-system-aarch64", "-M", "virt", "-m", "2000", "-display", "none", "-monitor", "none", "-serial", "stdio",
        "-no-reboot", "-append", "console=ttyAMA0 quiet panic=-1 rdinit=/init")


def fetch(place: Path) -> None:
    """The packages of aarch64, from where this machine has its own."""
    settings = place / "apt.conf"
    for directory in ("state/lists/partial", "cache/archives/partial", "kernel"):
        (place / directory).mkdir(parents=True, exist_ok=True)
    (place / "state/status").touch()
    settings.write_text(
        f'APT::Architecture "arm64"; APT::Architectures {{ "arm64"; }}; APT::Sandbox::User "{getpass.getuser()}";'
        f'Dir::State "{place}/state"; Dir::State::status "{place}/state/status"; Dir::Cache "{place}/cache";'
        'Dir::Etc::parts "/dev/null"; Acquire::Languages "none";\n'
    )
    environment = {**os.environ, "APT_CONFIG": str(settings)}

    def apt(*words: str, cwd: Path = place) -> str:
        done = subprocess.run(words, cwd=cwd, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout

    apt("apt-get", "-q", "update")
    apt("apt-get", "-q", "-y", "-d", "--no-install-recommends", "install", *PACKAGES)
    found = re.search(r"Depends: (linux-image-\S+)", apt("apt-cache", "depends", KERNEL))
    assert found is not None, f"{KERNEL} is not known here"
    apt("apt-get", "-q", "download", found[1], cwd=place / "kernel")


def unpack(packages: Iterator[Path], root: Path, *only: str) -> None:
    """What is in packages, as it would be installed; their scripts are not run."""
    for package in sorted(packages):
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as archive:
            subprocess.run(["tar", "-x", "-C", root, "--keep-directory-symlink", *only], stdin=archive.stdout,
                           check=True)


def build(place: Path, root: Path) -> None:
    """The root of the virtual machine, but for the checkout."""
    for name in ("bin", "sbin", "lib"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    unpack((place / "cache/archives").glob("*.deb"), root)
    for name in ("doc", "man", "locale", "info"):
        shutil.rmtree(root / "usr/share" / name, ignore_errors=True)
    for name, text in ETC.items():
        (root / "etc" / name).write_text(text)
    modules = root / "usr/lib/python3/dist-packages"
    modules.mkdir(parents=True, exist_ok=True)
    for name in MODULES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            sys.exit(f"{name} is not installed here")
        source = Path(spec.origin)
        copy(source.parent if source.name == "__init__.py" else source, modules)


def copy(source: Path, place: Path) -> None:
    target = place / source.name
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    else:
        shutil.copy2(source, target)


def pack(root: Path, out: BinaryIO) -> None:
    """A cpio archive of the kind that kernels take ("newc"), in which everything is root's."""
    count = 0

    def entry(name: str, mode: int, modified: int, data: bytes) -> None:
        nonlocal count
        count += 1
        fields = (count, mode, 0, 0, 1, modified, len(data), 0, 0, 0, 0, len(name.encode()) + 1, 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        out.write(head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4))

    for directory, below, files in os.walk(root):
        for name in sorted((*below, *files)):
            path = Path(directory, name)
            found = path.lstat()
            data = b""
            if stat.S_ISLNK(found.st_mode):
                data = os.fsencode(path.readlink())
            elif stat.S_ISREG(found.st_mode):
                data = path.read_bytes()
            entry(str(path.relative_to(root)), found.st_mode, int(found.st_mtime), data)
    entry("TRAILER!!!", 0, 0, b"")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.emulator.launch.aarch64", description="See README.md.")
    parser.add_argument("directory", type=Path, help="where packages are kept, some 500 MB")
    parser.add_argument("--cpu", default="cortex-a72", help="as QEMU calls it (default: %(default)s)")
    parser.add_argument("pytest", nargs="*", default=TESTS, help="after --: what pytest is to run, and how")
    arguments = parser.parse_args()
    place: Path = arguments.directory.resolve()
    root = place / "root"
    if not root.exists():
        fetch(place)
        kernel = place / "kernel"
        unpack(kernel.glob("*.deb"), kernel, "--wildcards", "./boot/vmlinuz-*", "--strip-components=2")
        half = place / "half"
        shutil.rmtree(half, ignore_errors=True)
        build(place, half)
        half.rename(root)
    (root / "checkout").mkdir(exist_ok=True)
    for name in CHECKOUT:
        copy(ROOT / name, root / "checkout")
    (root / "tests").write_text(shlex.join([*PYTEST, *arguments.pytest]) + "\n")
    shutil.copy(Path(__file__).with_name("init"), root / "init")
    (root / "init").chmod(0o755)
    with (place / "initrd").open("wb") as out:
        pack(root, out)
    (image,) = (place / "kernel").glob("vmlinuz-*")
    status = 1
    command = [*QEMU, "-cpu", arguments.cpu, "-kernel", str(image), "-initrd", str(place / "initrd")]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as machine:
        assert machine.stdout is not None
        for line in machine.stdout:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
            if found := re.match(rb"ended with (\d+)", line):
                status = int(found[1])
    return status


if __name__ == "__main__":
    sys.exit(main())
