"""The daemon's directory: claimed by one, cleared of what a dead one left, given back as it was."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from nlemu.emulator.daemon.directory import PATH_MAX_BYTES, Directory, DirectoryError


def bind(path: Path) -> None:
    """A socket that nobody listens to any more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


def test_is_made_for_its_owner_alone_and_goes_again(place: Path) -> None:
    with Directory(place / "a" / "b").claim():
        assert stat.S_IMODE((place / "a" / "b").stat().st_mode) == 0o700
    assert not (place / "a" / "b").exists()


def test_sockets_are_for_their_owner_alone_whatever_the_umask(place: Path) -> None:
    (place / "d").mkdir(mode=0o755)
    before = os.umask(0)
    try:
        with Directory(place / "d").claim():
            for path in (place / "d" / "control", place / "d" / "pod" / "route"):
                Directory(place / "d").listen(path, socket.SOCK_STREAM).close()
                assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_that_exists_stays_and_keeps_its_mode(place: Path) -> None:
    (place / "d").mkdir(mode=0o750)
    with Directory(place / "d").claim():
        pass
    assert stat.S_IMODE((place / "d").stat().st_mode) == 0o750


def test_has_one_owner_at_a_time(place: Path) -> None:
    with Directory(place / "d").claim(), pytest.raises(DirectoryError, match="another daemon serves this directory"):
        Directory(place / "d").claim().__enter__()
    with Directory(place / "d").claim():
        pass


def test_what_somebody_made_anew_is_not_cleared(place: Path) -> None:
    """The directory was deleted under its owner, and another daemon is there now."""
    with Directory(place / "d").claim():
        (place / "d").rmdir()
        (place / "d").mkdir()
        bind(place / "d" / "init" / "route")
    assert (place / "d" / "init" / "route").is_socket()


def test_sessions_have_names_of_their_own(place: Path) -> None:
    directory = Directory(place)
    assert directory.scratch(".run-x7") == place / ".run-x7"
    for name in ("init", "../x", ".run-/../..", ""):
        with pytest.raises(DirectoryError, match="no session's directory"):
            directory.scratch(name)
    with pytest.raises(DirectoryError, match="no name for a namespace"):
        directory.check_name(".run-x7")


def test_stale_sockets_are_cleared_and_nothing_else(place: Path) -> None:
    for path in ("control", "init/route", "init/generic", "red/generic"):
        bind(place / path)
    bind(place / "red" / "mine")
    (place / "notes").write_text("mine")
    (place / "blue").mkdir()
    (place / "blue" / "generic").write_text("mine")
    with Directory(place).claim():
        left = sorted(str(path.relative_to(place)) for path in place.rglob("*"))
        assert left == ["blue", "blue/generic", "notes", "red", "red/mine"]


def test_a_file_in_its_place_is_refused(place: Path) -> None:
    (place / "d").write_text("mine")
    with pytest.raises(DirectoryError, match="Not a directory"):
        Directory(place / "d").claim().__enter__()
    with pytest.raises(DirectoryError, match="Not a directory"):
        Directory(place / "d" / "e").claim().__enter__()


@pytest.mark.parametrize("over", [0, 1])
def test_its_path_has_to_fit_into_a_socket_address(place: Path, over: int) -> None:
    room = PATH_MAX_BYTES - len(os.fsencode(place / "control")) - 1 + over
    path = place / ("x" * room)
    if over:
        with pytest.raises(DirectoryError, match="has room for 107 bytes, and this is 108"):
            Directory(path)
    else:
        with Directory(path).claim():
            Directory(path).listen(path / "control", socket.SOCK_STREAM).close()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "a\0b", "a\nb", "\udc80", "control"])
def test_names_that_are_no_file_names_are_refused(place: Path, name: str) -> None:
    with pytest.raises(DirectoryError, match="is no name for a namespace"):
        Directory(place).check_name(name)


def test_names_of_namespaces_have_to_fit_too(place: Path) -> None:
    directory = Directory(place)
    room = PATH_MAX_BYTES - len(os.fsencode(place)) - len("//generic")
    directory.check_name("x" * room)
    with pytest.raises(DirectoryError, match="this is 108"):
        directory.check_name("x" * (room + 1))
    with pytest.raises(DirectoryError):
        directory.check_name("ä" * (room // 2 + 1))
