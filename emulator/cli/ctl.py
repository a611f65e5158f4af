"""``nlemu ctl``: what is done to the machine from outside of netlink, through the daemon's control socket."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlemu.emulator.cli import OK, Refused, Usage, directory_argument, directory_of
from nlemu.emulator.cli.messages import only_arguments, show, wanted

if TYPE_CHECKING:
    from nlemu.emulator.client.control import Control, Watched

DESCRIPTION = (
    "Change a running daemon from outside, as a machine is changed: namespaces, netdevsim devices, time."
)
QUEUES_MAX = 0xFFFF
"""Of a netdevsim port: MAX_QUEUES of emulator/kernel/devices/queue.py, without importing a kernel. Where the
kernel's new_device would succeed and make no NIC, the command line says so."""

EXAMPLES = """examples:
  nlemu ctl do nic_new=0000:08:00.0 profile=mlx5_core queues=8
  nlemu ctl do xsk=capture ifindex=2 queue=1
  nlemu ctl do traffic=2 rx_packets=10 rx_bytes=1000
  nlemu ctl do fault=netdev.queue-create errno=ENOMEM text="no memory" count=2
docs/sockets.md and docs/queues.md tell them all."""

WATCHING = """examples:
  nlemu ctl watch --errno any
  nlemu ctl watch -w - | wireshark -k -i -"""

EPILOG = "exit code: 0, 1 when the daemon refuses, 5 when there is no daemon"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verbs and their arguments."""
    directory_argument(parser)
    parser.add_argument("--json", action="store_true", help="what the daemon answers, as it answers it")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True)

    netns = verbs.add_parser("netns", help="namespaces: add NAME, del NAME, list")
    what = netns.add_subparsers(metavar="add|del|list", dest="what", required=True)
    add = what.add_parser("add", help="make a namespace; its sockets are in DIR/NAME")
    add.add_argument("name", metavar="NAME")
    add.set_defaults(perform=netns_add)
    delete = what.add_parser("del", help="take a namespace's name away: it ends with its last user")
    delete.add_argument("name", metavar="NAME")
    delete.set_defaults(perform=netns_del)
    what.add_parser("list", help="all namespaces, and what is in them").set_defaults(perform=netns_list)

    nsim = verbs.add_parser("nsim", help="netdevsim devices: new ID, del ID")
    what = nsim.add_subparsers(metavar="new|del", dest="what", required=True)
    new = what.add_parser("new", help="plug a device in, with its ports")
    new.add_argument("id", metavar="ID", type=whole())
    new.add_argument(
        "--ports", metavar="N", type=whole(), default=1, help="how many NICs it has (default: 1)"
    )
    new.add_argument(
        "--queues", metavar="N", type=whole(1, QUEUES_MAX), default=1, help="rx and tx queues of each (default: 1)"
    )
    new.set_defaults(perform=nsim_new)
    unplug = what.add_parser("del", help="pull it out")
    unplug.add_argument("id", metavar="ID", type=whole())
    unplug.set_defaults(perform=nsim_del)

    step = verbs.add_parser(
        "do", help="any line of the control socket, as FIELD=VALUE: NICs, programs on queues, counters, faults",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    step.add_argument(
        "fields", metavar="FIELD=VALUE", type=assignment, nargs="+",
        help="one of them is the verb; a value is JSON or a text",
    )
    step.set_defaults(perform=do)

    verbs.add_parser("faults", help="the faults that wait, and how often each has struck").set_defaults(perform=faults)
    requests = verbs.add_parser("requests", help="what was asked of a daemon with --history, and what came of it")
    requests.add_argument("pattern", metavar="PATTERN", nargs="?", default="*", help='such as "route.new*"')
    requests.add_argument("--last", metavar="N", type=whole(1), help="only so many")
    requests.set_defaults(perform=list_requests)
    operations = verbs.add_parser("operations", help="what faults can strike, and what is told")
    operations.add_argument("pattern", metavar="PATTERN", nargs="?", default="*", help='such as "netdev.*"')
    operations.set_defaults(perform=list_operations)
    verbs.add_parser("state", help="the machine: namespaces, devices, leases, sockets").set_defaults(
        perform=state
    )
    graph = verbs.add_parser(
        "graph", help="a picture: NICs, queues, rules, shares of packets, leases, the devices of pods"
    )
    graph.add_argument(
        "--format", choices=FORMATS, help="what for (default: as FILE ends, or mermaid); svg is laid out by Graphviz"
    )
    graph.add_argument("-o", "--output", metavar="FILE", help="where to (default: standard output)")
    graph.set_defaults(perform=draw)
    top = verbs.add_parser("top", help="the same on the terminal, live; once, where there is none")
    top.add_argument(
        "--interval", metavar="SECONDS", type=seconds, default=1.0, help="how long it stands still (default: 1)"
    )
    top.set_defaults(perform=show_tree)
    watched = verbs.add_parser(
        "watch", help="all that goes over the daemon's sockets, decoded as it happens", epilog=WATCHING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    watched.add_argument("--whole", action="store_true", help="every attribute on a line of its own")
    watched.add_argument("--count", metavar="N", type=whole(1), help="end after so many messages")
    watched.add_argument("-w", "--write", metavar="FILE", help="show nothing, and write a pcapng; - is standard output")
    only_arguments(watched)
    watched.set_defaults(perform=watch)
    export = verbs.add_parser("export", help="the machine as a world, in TOML: what `serve --world` begins with")
    for name, about in EXPORT.items():
        export.add_argument(f"--{name}", action="store_true", help=about)
    export.set_defaults(perform=export_world)
    verbs.add_parser("reset", help="a fresh machine; every client is cut off").set_defaults(perform=reset)
    for name in ("sleep", "advance"):
        sleep = verbs.add_parser(name, help="let so many seconds of the machine's time pass, at once")
        sleep.add_argument("seconds", metavar="SECONDS", type=seconds)
        sleep.set_defaults(perform=pass_time)
    on_either_side(verbs)


def on_either_side(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """What is said before the verb can be said behind it."""
    for verb in verbs.choices.values():
        below = [one for one in verb._actions if isinstance(one, argparse._SubParsersAction)]
        for one in below:
            on_either_side(one)
        if not below:
            verb.add_argument("--dir", metavar="DIR", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
            verb.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def whole(low: int = 0, high: int = 0xFFFFFFFF) -> Callable[[str], int]:
    """The type of an argument: a number from ``low`` to ``high``."""

    def read(text: str) -> int:
        try:
            number = int(text, 0)
        except ValueError:
            number = -1
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"takes a number from {low} to {high}, and not {text!r}")
        return number

    return read


def seconds(text: str) -> float:
    """The type of a time that passes: seconds, with a fraction perhaps."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"takes a number of seconds, and not {text!r}")
    return number


def assignment(text: str) -> tuple[str, Any]:
    """A field and its value: JSON, or else a text as it stands."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"takes FIELD=VALUE, and not {text!r}")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def run(options: argparse.Namespace) -> int:
    """Performs the verb on the daemon and shows what it answers; the exit code."""
    from nlemu.emulator.client.control import Control

    with Control(directory_of(options)) as control:
        perform: Callable[[Control, argparse.Namespace], tuple[Any, list[str]]] = options.perform
        answer, lines = perform(control, options)
    if options.json and answer is not None:
        print(json.dumps(answer))
    else:
        for line in lines:
            print(line)
    return OK


# -- verbs: each returns the answer as it is, and as lines ------------------------------------------------

Told = tuple[Any, list[str]]


def netns_add(control: Control, options: argparse.Namespace) -> Told:
    """Makes a namespace."""
    return control.do(netns=options.name), []


def netns_del(control: Control, options: argparse.Namespace) -> Told:
    """Takes a namespace's name away."""
    return control.do(netns_del=options.name), []


def netns_list(control: Control, options: argparse.Namespace) -> Told:
    """Lists the namespaces."""
    namespaces = control.do(state=True)["namespaces"]
    return list(namespaces), namespace_table(namespaces)


def nsim_new(control: Control, options: argparse.Namespace) -> Told:
    """Plugs in a netdevsim device."""
    return control.do(nsim_new=[options.id, options.ports, options.queues]), []


def nsim_del(control: Control, options: argparse.Namespace) -> Told:
    """Pulls out a netdevsim device."""
    return control.do(nsim_del=options.id), []


def do(control: Control, options: argparse.Namespace) -> Told:
    """Performs any step of the control socket, field by field."""
    return control.do(**dict(options.fields)), []


def reset(control: Control, options: argparse.Namespace) -> Told:
    """Makes the machine anew."""
    return control.do(reset=True), []


def faults(control: Control, options: argparse.Namespace) -> Told:
    """Lists the faults."""
    from nlemu.emulator.cli.table import table

    told = control.do(faults=True)
    rows = [[one[name] for name in ("name", "kind", "met", "struck", "left")] for one in told]
    return told, table(("NAME", "KIND", "MET", "STRUCK", "LEFT"), rows)


def list_requests(control: Control, options: argparse.Namespace) -> Told:
    """Lists what was asked."""
    from nlemu.emulator.script.history import Asked

    told = control.do(requests=options.pattern, **({"last": options.last} if options.last else {}))
    return told, [str(Asked(**one)) for one in told]


def list_operations(control: Control, options: argparse.Namespace) -> Told:
    """Lists what faults can strike."""
    from fnmatch import fnmatchcase

    told = control.do(operations=True)
    names = [name if family == "ioctl" else f"{family}.{name}" for family, of in told.items() for name in of]
    found = [name for name in names if fnmatchcase(name, options.pattern)]
    return found, found


def pass_time(control: Control, options: argparse.Namespace) -> Told:
    """Lets the machine's time pass."""
    return control.do(sleep=options.seconds), []


def state(control: Control, options: argparse.Namespace) -> Told:
    """Shows everything that there is."""
    told = control.do(state=True)
    return told, state_lines(told)


FORMATS = ("svg", "dot", "mermaid")
ENDS = {".svg": "svg", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid"}
"""Formats by how a file's name ends."""


def draw(control: Control, options: argparse.Namespace) -> Told:
    """Draws the machine."""
    from nlemu.emulator.cli.picture.dot import dot, svg
    from nlemu.emulator.cli.picture.graph import graph_of
    from nlemu.emulator.cli.picture.mermaid import mermaid

    told = control.do(state=True)
    of_name = ENDS.get(Path(options.output).suffix) if options.output else None
    lines = {"svg": svg, "dot": dot, "mermaid": mermaid}[options.format or of_name or "mermaid"](graph_of(told))
    if options.output is None:
        return told, lines
    try:
        Path(options.output).write_text("\n".join(lines) + "\n")
    except OSError as error:
        raise Refused(f"{options.output}: {error.strerror}") from None
    return told, []


def watch(control: Control, options: argparse.Namespace) -> Told:
    """Shows what is said, until the daemon ends or somebody interrupts."""
    from nlemu.emulator.script.dissection import Dissection

    try:
        only = wanted(options)
    except ValueError as error:
        raise Usage(str(error)) from None
    numbers = control.do(state=True)["families"]
    stream = control.watch()
    print("nlemu ctl: watching", file=sys.stderr, flush=True)
    try:
        if options.write is not None:
            pour(stream, options.write)
        else:
            with Dissection(stream, only, numbers=numbers) as dissection:
                show(dissection, "json" if options.json else "whole" if options.whole else "brief", options.count)
    finally:
        stream.close()
    return None, []


def pour(stream: Watched, path: str) -> None:
    """Writes all that comes into a file, as it comes."""
    try:
        file = sys.stdout.buffer if path == "-" else open(path, "wb")  # noqa: SIM115 - standard output stays open
        while data := stream.read(1 << 20):
            file.write(data)
            file.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None


def show_tree(control: Control, options: argparse.Namespace) -> Told:
    """Shows the machine as a tree, until it is interrupted."""
    if options.json:
        return control.do(state=True), []
    try:
        from rich.console import Console
        from rich.live import Live

        from nlemu.emulator.cli.picture.tree import tree
    except ImportError:
        raise Refused("the tree is drawn by rich: pip install 'nlemu[top]'") from None
    console = Console(highlight=False)
    told = control.do(state=True)
    if not console.is_terminal:
        console.print(tree(told))
        return told, []
    with Live(tree(told), console=console, screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(options.interval)
            live.update(tree(control.do(state=True)), refresh=True)


EXPORT = {
    "all": "say everything, also what a new machine would have anyhow",
    "anonymous": "other names of devices, other hardware addresses",
    "counters": "with what was counted: packets, carriers",
}


def export_world(control: Control, options: argparse.Namespace) -> Told:
    """Shows the machine as a world."""
    told = control.do(export=True, **{name: True for name in EXPORT if getattr(options, name)})
    for line in told["missing"]:
        print(f"nlemu ctl: not in it: {line}", file=sys.stderr)
    return told, told["world"].splitlines()


# -- tables -----------------------------------------------------------------------------------------------


def state_lines(told: Mapping[str, Any]) -> list[str]:
    """The whole state, table by table; then what was asked for that is not emulated."""
    from nlemu.emulator.cli.table import Paint, table

    paint = Paint()
    sections = {
        "namespaces": namespace_table(told["namespaces"]),
        "devices": device_table(told["namespaces"]),
        "leases": lease_table(told["namespaces"]),
        "sockets": table(
            ("NETNS", "PROTOCOL", "PORT", "UID", "GROUPS", "NAME", "OVERRUNS"),
            [
                (one["netns"], one["protocol"], one["port"], one["uid"], joined(one.get("groups")), one.get("name"),
                 one.get("overruns"))
                for one in told["sockets"]
            ],
        ),
    }
    lines: list[str] = []
    for title, rows in sections.items():
        if rows:
            lines += ["", paint.bold(title), *rows]
    if told["not emulated"]:
        lines += ["", *(f"not emulated: {what}" for what in told["not emulated"])]
    return lines[1:]


def namespace_table(namespaces: Mapping[str, Any]) -> list[str]:
    """The namespaces of a state, as the lines of a table."""
    from nlemu.emulator.cli.table import table

    rows = []
    for name, one in namespaces.items():
        ids = ", ".join(f"{peer} {number}" for peer, number in one["ids"].items())
        rows.append((name, len(one["devices"]), one["inode"], ids))
    return table(("NETNS", "DEVICES", "INODE", "IDS OF OTHERS"), rows)


def device_table(namespaces: Mapping[str, Any]) -> list[str]:
    """The devices of all namespaces of a state, as the lines of a table."""
    from nlemu.emulator.cli.table import table

    rows = []
    for netns, one in namespaces.items():
        for dev in one["devices"]:
            peer = dev.get("peer")
            rows.append((
                netns, dev["ifindex"], dev["name"], dev.get("kind") or dev.get("driver"), dev["operstate"].lower(),
                joined(flag.lower() for flag in dev["flags"]), dev["mtu"], dev.get("address"),
                f"{dev['rx_queues']}/{dev['tx_queues']}", None if peer is None else f"{peer['netns']}/{peer['name']}",
            ))
    return table(
        ("NETNS", "INDEX", "NAME", "KIND", "STATE", "FLAGS", "MTU", "ADDRESS", "RX/TX", "PEER"), rows
    )


def lease_table(namespaces: Mapping[str, Any]) -> list[str]:
    """Each lease once, told from the device that lends."""
    from nlemu.emulator.cli.table import table

    rows = []
    for netns, one in namespaces.items():
        for dev in one["devices"]:
            for lease in dev.get("leases", ()):
                if "to" in lease:
                    to = lease["to"]
                    rows.append(
                        (f"{netns}/{dev['name']}", lease["queue"], f"{to['netns']}/{to['name']}", to["queue"])
                    )
    return table(("LENDER", "QUEUE", "LESSEE", "AS QUEUE"), rows)


def joined(values: Any) -> str:
    """The values in one cell of a table, with blanks between them."""
    return " ".join(map(str, values or ()))
