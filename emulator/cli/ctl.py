"""``nlemu ctl``: what is done to the machine from outside of netlink, through the daemon's control socket."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlemu.emulator.cli import OK, Parser, Refused, Usage, directory_argument, directory_of
from nlemu.emulator.cli.coverage import check_outputs, report_arguments, told
from nlemu.emulator.cli.messages import only_arguments, show, wanted
from nlemu.emulator.cli.state import namespace_table, state_lines
from nlemu.emulator.cli.steps import assignment, declare
from nlemu.emulator.cli.steps import step as spoken_step

if TYPE_CHECKING:
    from nlemu.emulator.client.control import Control, Watched

DESCRIPTION = (
    "Change a running daemon from outside, as a machine is changed: namespaces, netdevsim devices, time."
)
QUEUES_MAX = 0xFFFF
"""Of a netdevsim port: MAX_QUEUES of emulator/kernel/devices/queue.py, without importing a kernel. Where the
kernel's new_device would succeed and make no NIC, the command line says so."""

EXAMPLES = """examples:
  nlemu ctl do xsk=capture ifindex=2 queue=1
  nlemu ctl do traffic=2 rx_packets=10 rx_bytes=1000
docs/sockets.md and docs/queues.md tell them all."""

BATCH = """a line is a verb as it is typed here, or a line of the control socket; # begins a comment:
  netns add pod
  nic new 0000:08:00.0 --profile mlx5_core --queues 8
  {"netns": "other"}"""
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
        "do", help="any line of the control socket, as FIELD=VALUE: programs on queues, counters",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    step.add_argument(
        "fields", metavar="FIELD=VALUE", type=assignment, nargs="+",
        help="one of them is the verb; a value is JSON or a text",
    )
    step.set_defaults(perform=do)

    declare(verbs, speak)
    heal = verbs.add_parser("heal", help="no fault waits any more, or the named one does not")
    heal.add_argument("name", metavar="NAME", nargs="?", default=True)
    heal.set_defaults(perform=take_away)
    batch = verbs.add_parser(
        "batch", help="verbs from a file, a line each, as one connection", epilog=BATCH,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    batch.add_argument("file", metavar="FILE", nargs="?", default="-", help="default: standard input")
    batch.add_argument("--force", action="store_true", help="go on behind a line that is refused")
    batch.set_defaults(perform=perform_batch)
    verbs.add_parser("faults", help="the faults that wait, and how often each has struck").set_defaults(perform=faults)
    requests = verbs.add_parser("requests", help="what was asked of a daemon with --history, and what came of it")
    requests.add_argument("pattern", metavar="PATTERN", nargs="?", default="*", help='such as "route.new*"')
    requests.add_argument("--last", metavar="N", type=whole(1), help="only so many")
    requests.set_defaults(perform=list_requests)
    operations = verbs.add_parser("operations", help="what faults can strike, and what is told")
    operations.add_argument("pattern", metavar="PATTERN", nargs="?", default="*", help='such as "netdev.*"')
    operations.set_defaults(perform=list_operations)
    covered = verbs.add_parser("coverage", help="what was exercised of a daemon with --coverage, and what never was")
    report_arguments(covered)
    covered.add_argument("--forget", action="store_true", help="and begin anew")
    covered.set_defaults(perform=tell_coverage)
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
    for name, about in (("snapshot", "keep the machine as it is, under a name"), ("restore", "go back to it")):
        kept = verbs.add_parser(name, help=about)
        kept.add_argument("name", metavar="NAME", nargs="?", default="snapshot")
        kept.set_defaults(perform=keep)
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


def speak(control: Control, options: argparse.Namespace) -> Told:
    """Performs a step that has a verb of its own."""
    return control.do(**spoken_step(options)), []


def take_away(control: Control, options: argparse.Namespace) -> Told:
    """Takes faults away."""
    return control.do(heal=options.name), []


def perform_batch(control: Control, options: argparse.Namespace) -> Told:
    """Performs lines, one after the other."""
    from nlemu.emulator.cli.batch import perform

    parser = Parser(prog="nlemu ctl")
    arguments(parser)
    return perform(control, options.file, parser, force=options.force, as_json=options.json), []


def keep(control: Control, options: argparse.Namespace) -> Told:
    """Keeps the machine, or goes back to it."""
    return control.do(**{options.verb: options.name}), []


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
    if not found:
        from nlemu.emulator.script.nearest import meant

        raise Refused(f"operations: there is none like {options.pattern!r}{meant(options.pattern, names)}")
    return found, found


def tell_coverage(control: Control, options: argparse.Namespace) -> Told:
    """Shows what was exercised."""
    from nlemu.emulator.coverage.seen import read

    check_outputs(options)
    answer = control.do(coverage=True, **({"forget": True} if options.forget else {}))
    return answer, told(read(answer, "the daemon"), options)


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
    from nlemu.emulator.cli.picture.mermaid import mermaid
    from nlemu.emulator.script.graph import graph_of

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
