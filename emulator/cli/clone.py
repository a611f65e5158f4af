"""``nlemu clone``: this machine's network as a world, read by dumps that anybody may ask for."""

from __future__ import annotations

import argparse
import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nlemu.emulator.cli import OK, Usage

if TYPE_CHECKING:
    from nlemu.emulator.client.live import Live
    from nlemu.emulator.world.observe import Observer

DESCRIPTION = """Read this machine's links, addresses, routes, rules, neighbours, settings and what ethtool and netdev
tell, and write them as a world, on which `nlemu serve`, `run` and tests can begin. Nothing is changed on the machine,
and no privileges are needed but for other namespaces."""
EPILOG = """exit code: 0; what cannot be cloned is listed on standard error

  nlemu clone > world.toml && nlemu run --world world.toml -- ip address"""

NAMED = "/run/netns"
SETTINGS = {"ipv4": "/proc/sys/net/ipv4/conf", "ipv6": "/proc/sys/net/ipv6/conf"}
CLONE_NEWNET = 0x40000000


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument(
        "--netns", metavar="NAME", action="append", default=[],
        help=f"also that namespace of {NAMED}; all for every one (wants root)",
    )
    parser.add_argument("--anonymous", action="store_true", help="other names of devices, other hardware addresses")
    parser.add_argument("--counters", action="store_true", help="with what was counted: packets, carriers")
    parser.add_argument("--all", action="store_true", help="say everything, also what a new machine would have anyhow")


def run(options: argparse.Namespace) -> int:
    """Prints the world."""
    text, missing = cloned(
        options.netns, anonymous=options.anonymous, counters=options.counters, everything=options.all
    )
    sys.stdout.write(text)
    for line in missing:
        print(f"nlemu clone: not cloned: {line}", file=sys.stderr)
    return OK


def cloned(
    names: list[str], *, anonymous: bool = False, counters: bool = False, everything: bool = False
) -> tuple[str, list[str]]:
    """The machine as a world, with those namespaces, in which this process is left; what is not in it. Raises Usage."""
    from nlemu.emulator.client.live import Live
    from nlemu.emulator.world.observe import Observer
    from nlemu.emulator.world.text import text_of
    from nlemu.emulator.world.world import FIRST

    observer, missing = Observer(), []
    for name, path in namespaces(names):
        if path is not None:
            try:
                enter(path)
            except OSError as error:
                missing.append(f"namespace {name}: {error.strerror}")
                continue
        with Live() as live:
            missing += observe(observer, live, name)
        if path is None:
            read_settings(observer, FIRST)
    text, left_out = text_of(
        observer.finish(), anonymous=anonymous, counters=counters, everything=everything
    )
    return text, missing + left_out


def namespaces(names: list[str]) -> Iterator[tuple[str, str | None]]:
    """Names and files of the namespaces that are wanted; the first one is that of this process. Raises Usage."""
    from nlemu.emulator.world.world import FIRST

    yield FIRST, None
    if not names:
        return
    there = sorted(os.listdir(NAMED)) if os.path.isdir(NAMED) else []
    wanted = there if "all" in names else names
    for name in wanted:
        if name not in there:
            raise Usage(f"--netns {name}: there is no such namespace in {NAMED}")
        yield name, f"{NAMED}/{name}"


def enter(path: str) -> None:
    """This thread goes into a namespace. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(descriptor, CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)
    finally:
        os.close(descriptor)


def observe(observer: Observer, live: object, name: str) -> list[str]:
    """Takes all that a namespace tells; what it does not."""
    from nlemu.emulator.client.live import Live
    from nlemu.emulator.world.export import DUMPS
    from nlemu.emulator.world.observe import values_of
    from nlemu.emulator.world.sections import ETHTOOL
    from nlemu.protocol.encode.conversation import NlError

    assert isinstance(live, Live)
    missing = []
    for family, operation in DUMPS:
        try:
            for message in live.dump(family, operation):
                observer.observe(message, name)
        except NlError as error:
            missing.append(f"{operation} of {name}: {error}")
    for what in ETHTOOL:
        try:
            for message in live.dump("ethtool", f"{what}-get"):
                observer.ethtool(what, values_of(message), name)
        except (LookupError, NlError) as error:
            missing.append(f"{what} of ethtool in {name}: {error}")
    try:
        for message in live.dump("netdev", "queue-get"):
            observer.queue(values_of(message), name)
    except (LookupError, NlError) as error:
        missing.append(f"leases in {name}: {error}")
    if name == "init":  # of other namespaces /sys does not tell
        own_profiles(observer, live)
    return missing


def own_profiles(observer: Observer, live: Live) -> None:
    """Says which NICs there are: by their driver, or by a profile of their own where that is not enough."""
    from nlemu.emulator.cli.cards import Told, driver_of, profile_words
    from nlemu.emulator.kernel.nics.profiles import PROFILES
    from nlemu.emulator.world.world import Entry

    told = Told(live)
    for (_, index), entry in observer.links.items():
        driver = driver_of(entry.fields["name"]) if entry.fields.keys().isdisjoint(("kind", "physfn")) else None
        if driver is None or entry.fields.get("bus") == "netdevsim":
            continue
        name = f"{driver}-{len(observer.world.profiles) + 1}"
        words = profile_words(told, index, entry.fields["name"], name)
        same = next((one for one in observer.world.profiles if words and one.fields | {"name": name} == words), None)
        if same is not None:
            entry.fields["nic"] = same.fields["name"]
        elif words is not None:
            observer.world.profiles.append(Entry("profile", words))
            entry.fields["nic"] = name
        elif driver in PROFILES:
            entry.fields["nic"] = driver


def read_settings(observer: Observer, namespace: str) -> None:
    """Settings for all devices and for those to come, as this process's namespace has them."""
    from nlemu.emulator.kernel.core.sysctl import S32_MAX
    from nlemu.emulator.world.settings import CONF, UNSET
    from nlemu.emulator.world.world import Entry

    fields: dict[str, dict[str, dict[str, int]]] = {}
    for mine, folder in SETTINGS.items():
        for which in ("all", "default"):
            for word in CONF[mine].names.keys() - UNSET:
                try:
                    text = Path(folder, which, word.replace("-", "_")).read_text()
                except OSError:
                    continue
                if text.strip().lstrip("-").isdigit():
                    value = int(text)
                    fields.setdefault(mine, {}).setdefault(which, {})[word] = value - (value > S32_MAX) * (1 << 32)
    if fields:
        observer.world.namespace(namespace).entries.append(Entry("settings", fields))
