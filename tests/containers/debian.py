"""A base image for a container engine, made of this machine's own Debian packages: no registry, no mirror is asked.

An image is what dpkg says that some packages and what they depend on have installed, as one archive. It stands in for
python:3.13-slim, which the Dockerfile names: it has `python` and a `pip` (that of Debian's ensurepip) like that one.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path

PROGRAMS = (
    "python3", "python3-pip-whl", "iproute2", "passwd", "login", "dash", "coreutils", "grep", "base-files",
    "base-passwd", "systemd",
)
"""What the Dockerfile's lines and the tests run, and what brings /etc of an empty system."""
NOT_WANTED = frozenset({"perl-base", "debconf", "dpkg", "tar", "cdebconf", "openssl", "media-types", "mailcap"})
"""What installs packages, and is needed by nothing that has been installed."""
PIP = """#!/bin/sh
exec python3 "$(echo /usr/share/python-wheels/pip-*.whl)/pip" "$@"
"""
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
    "etc/shadow": "root:*:19000:0:99999:7:::\n",
    "usr/local/bin/pip": PIP,
}
LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64", "usr/bin/python": "python3"}
LEFT_OUT = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/", "/usr/share/info/")
DIRECTORIES = ("tmp", "proc", "sys", "dev", "run", "root", "var", "home")


def installed() -> dict[str, tuple[str, ...]]:
    """What each installed package, and each name that one provides, depends on."""
    listed = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package}\t${Pre-Depends}, ${Depends}\t${Provides}\n"],
        capture_output=True, text=True, check=True,
    )
    found: dict[str, tuple[str, ...]] = {}
    for line in listed.stdout.splitlines():
        package, needs, provides = line.split("\t")
        found[package] = tuple(re.findall(r"[a-z0-9][a-z0-9+.-]+(?=[ ,:|(]|$)", re.sub(r"\([^)]*\)", "", needs)))
        for name in re.findall(r"[a-z0-9][a-z0-9+.-]+(?=[ ,:(]|$)", re.sub(r"\([^)]*\)", "", provides)):
            found.setdefault(name, (package,))
    return found


def closure(wanted: Iterable[str]) -> set[str]:
    """Those packages, and what they depend on."""
    known, todo, found = installed(), list(wanted), set[str]()
    while todo:
        name = todo.pop()
        if name in known and name not in found and name not in NOT_WANTED:
            found.add(name)
            todo += known[name]
    return found


def base_image(place: Path) -> Path:
    """Writes the base image into a directory; its path."""
    listed = subprocess.run(
        ["dpkg", "-L", *sorted(closure(PROGRAMS))], capture_output=True, text=True, check=False,
    )  # a name that is only provided is no package, which dpkg says and goes on
    paths = {os.path.join(os.path.realpath(os.path.dirname(one)), os.path.basename(one))
             for one in listed.stdout.splitlines() if one.startswith("/")}
    ours = {*FILES, *LINKS, *DIRECTORIES}
    path = place / "base.tar"
    with tarfile.open(path, "w") as made:
        for name in DIRECTORIES:
            made.addfile(directory(name))
        for name, target in LINKS.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            made.addfile(link)
        for name, text in FILES.items():
            file = tarfile.TarInfo(name)
            file.size, file.mode = len(text), 0o755 if "/bin/" in name else 0o644
            made.addfile(file, io.BytesIO(text.encode()))
        for one in sorted(paths):
            if one.lstrip("/") not in ours and not one.startswith(LEFT_OUT) and os.path.lexists(one):
                made.add(one, recursive=False)
    return path


def directory(name: str) -> tarfile.TarInfo:
    """An empty one, of root."""
    made = tarfile.TarInfo(name)
    made.type, made.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
    return made
