"""Kernels to choose from: found by name, by what a trace says it was recorded on, or as the one that is most like
that."""

from __future__ import annotations

import pytest

from nlemu.emulator.kernel.core.build import BUILDS, NoBuild, find_build, nearest, recorded_on
from nlemu.protocol.release import Release, parse_release


@pytest.mark.parametrize("name", BUILDS)
def test_each_is_found_by_its_name_and_by_what_its_traces_say(name: str) -> None:
    build = find_build(name)
    assert build.name == name
    assert recorded_on(str(build.release), build.config) is build
    assert nearest(str(build.release), build.config) is build


def test_one_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(NoBuild, match=r"there is no kernel '6\.1'; there are 7\.2\.13, 7\.2\.13-recorded"):
        find_build("6.1")
    with pytest.raises(NoBuild, match=r"there is no kernel 6\.1\.0 \(distribution\); there are 7\.2\.13,"):
        recorded_on("6.1.0", "distribution")


def test_the_nearest_has_the_same_configuration_if_one_has() -> None:
    assert nearest("6.1.0", "recorded").config == "recorded"
    assert nearest("99.0.0", "distribution").config == "distribution"
    assert nearest("nonsense", "nonsense") in BUILDS.values()


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("7.2.13", Release(7, 2, 13)), ("6.12", Release(6, 12)), ("6.12.117+deb13-amd64", Release(6, 12, 117)),
        ("7", Release(7, 0)), ("x", Release(0, 0)),
    ],
)
def test_a_release_is_read(text: str, release: Release) -> None:
    assert parse_release(text) == release


def test_releases_are_ordered_as_linux_has_them() -> None:
    assert Release(6, 12, 117) < Release(7, 1) < Release(7, 2) < Release(7, 2, 13) < Release(7, 3)
    assert str(Release(7, 3)) == "7.3.0"


def test_an_option_is_asked_for_by_its_name() -> None:
    assert find_build("7.2.13").has("IPV6_MULTIPLE_TABLES")
    assert not find_build("7.2.13-recorded").has("IPV6_MULTIPLE_TABLES")
    assert all(build.has("NETKIT") and not build.has("NO_SUCH_OPTION") for build in BUILDS.values())
