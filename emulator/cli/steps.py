"""Verbs of ``nlemu ctl`` that are lines of the control socket as they are: NICs, and faults.

What a field takes is said where it is checked (script/verbs.py); here it has a name with dashes and a few words, so
that `--help` tells it and a shell completes it. A value is JSON, or a text as it stands.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

NIC = {
    "netns": "the namespace in which its device appears (default: init)",
    "name": "of its device",
    "queues": "rx and tx queues",
    "address": "hardware address",
    "bus": "what its bus is called (default: pci)",
    "dma": "whether it can do DMA by itself: memory providers want it",
    "functions": "how many devices it has",
    "hds_thresh": "bytes of a header beyond which data are split off",
    "max_queues": "that it can have",
    "netmem_tx": "whether it sends from memory that no processor can read",
    "queue_mgmt": "whether a queue can be stopped and started alone: leases want it",
    "numa_node": "where it is",
    "total_vfs": "virtual functions that it can have",
    "vfs": "virtual functions that it has",
    "rx_page_size": "bytes that a buffer of a queue may be made of",
    "speed": "Mbit/s",
    "xdp_features": "NETDEV_XDP_ACT_*, as a number",
    "xdp_zc_max_segs": "fragments that AF_XDP zero-copy takes",
}
AIM = {
    "netns": "only in that namespace",
    "port": "only of the socket with that port id",
    "device": "only what names that device, by name or index",
    "skip": "so many are let pass first",
    "count": "so many are struck (default: 1; 0: until it is healed)",
    "chance": "each with that probability",
    "seed": "of these probabilities",
    "name": "by which it is listed and taken away",
}
"""Whom a fault is for; `--where` beside it."""


@dataclass(frozen=True)
class Spoken:
    """A verb as it is spoken. step: the line of the control socket; subject: what it is done to, as usage has it;
    takes: words for fields, by name; needs: those that have to be there; where: it has `--where`."""

    step: str
    subject: str
    about: str
    takes: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    where: bool = False


NICS = {
    "new": Spoken(
        "nic_new", "ADDRESS", "plug a NIC in, of a driver's profile: docs/nics.md",
        {"profile": "the driver (mlx5_core, bnxt_en, gve, fbnic, ice ...), or a file with one's own: FILE.toml", **NIC},
        needs=("profile",),
    ),
    "del": Spoken("nic_del", "ADDRESS", "pull it out"),
}
"""Below `nic`."""
FAULTS = {
    "fault": Spoken(
        "fault", "OPERATION", "requests fail: docs/faults.md",
        {
            "errno": "with that errno, such as ENOMEM",
            "text": "what the extended ack says",
            "at": "the attribute that it blames",
            "after": "messages of a dump behind which it ends so",
            "split": "messages that a datagram of a dump has",
            "hang_up": "the socket that asked is closed: when it is asked, or when the request is done",
            "restart": "true: every socket is, and the machine is a fresh one",
            "then": "a line of the control socket that is performed then, as JSON",
            **AIM,
        },
        where=True,
    ),
    "interrupt": Spoken(
        "interrupt", "OPERATION", "dumps say that they may be inconsistent (NLM_F_DUMP_INTR)",
        {"after": "messages behind which it does", **AIM}, where=True,
    ),
    "notice": Spoken(
        "notice", "OPERATION", "notifications are lost, told twice, late, or behind the next one",
        {"fate": "lose, duplicate, delay or swap", "seconds": "of delay", **AIM}, needs=("fate",), where=True,
    ),
}


def declare(verbs: argparse._SubParsersAction[argparse.ArgumentParser], perform: Callable[..., Any]) -> None:
    """Declares them all. perform: what does them, of the control socket and the options."""
    for name, spoken in FAULTS.items():
        of_spoken(verbs.add_parser(name, help=spoken.about), spoken, perform)
    nic = verbs.add_parser("nic", help="NICs of drivers' profiles: new ADDRESS, del ADDRESS")
    what = nic.add_subparsers(metavar="new|del", dest="what", required=True)
    for name, spoken in NICS.items():
        of_spoken(what.add_parser(name, help=spoken.about), spoken, perform)


def of_spoken(parser: argparse.ArgumentParser, spoken: Spoken, perform: Callable[..., Any]) -> None:
    """Declares one."""
    parser.add_argument("subject", metavar=spoken.subject)
    for name, about in spoken.takes.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", metavar=name.upper(), dest=f"field_{name}", help=about,
            type=TYPES.get(name, str if name in TEXTS else value), required=name in spoken.needs,
        )
    if spoken.where:
        parser.add_argument(
            "--where", metavar="FIELD=VALUE", action="append", default=[], type=assignment,
            help="only what says so, by the names that `nlemu dissect` shows: linkinfo.kind=dummy",
        )
    parser.set_defaults(perform=perform, spoken=spoken)


def step(options: argparse.Namespace) -> dict[str, Any]:
    """The line that was spoken."""
    spoken: Spoken = options.spoken
    said = {name: getattr(options, f"field_{name}") for name in spoken.takes}
    line = {spoken.step: options.subject, **{name: one for name, one in said.items() if one is not None}}
    if spoken.where and options.where:
        line["where"] = dict(options.where)
    return line


TEXTS = frozenset({"netns", "name", "address", "bus", "errno", "text", "at", "fate"})
"""Fields that are texts even where they look like numbers."""


def value(text: str) -> Any:
    """A value: JSON, or else a text as it stands."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def assignment(text: str) -> tuple[str, Any]:
    """A field and its value."""
    name, equals, said = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"takes FIELD=VALUE, and not {text!r}")
    return name, value(said)


def profile(text: str) -> Any:
    """The name of a profile, or what a file says of one."""
    if not text.endswith(".toml"):
        return text
    from nlemu.emulator.world.profile_file import read_one
    from nlemu.emulator.world.world import WorldError

    try:
        return read_one(text)
    except WorldError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.strerror}") from None


TYPES: Mapping[str, Callable[[str], Any]] = {"profile": profile}
"""Fields that are read in a way of their own."""
