"""``nlemu serve``: the daemon."""

from __future__ import annotations

import argparse
import os
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial, reduce
from typing import TYPE_CHECKING

from nlemu.emulator.cli import (
    OK,
    Refused,
    Usage,
    directory_argument,
    directory_of,
    explain_argument,
    kernel_argument,
    pcap_argument,
    seed,
    world_argument,
    world_of,
)
from nlemu.emulator.cli.coverage import Coverage, coverage_argument
from nlemu.emulator.cli.logs import FORMATS, announce, begin
from nlemu.emulator.kernel.core.build import DEFAULT

if TYPE_CHECKING:
    from nlemu.emulator.coverage.watch import Watch
    from nlemu.emulator.daemon.server import Beside
    from nlemu.emulator.machine.machine import Machine
    from nlemu.emulator.script.explanation import Reason

DESCRIPTION = """Run the daemon: a machine of its own, reached through Unix sockets in a directory.

  DIR/init/generic     generic netlink in the first namespace: connect (SOCK_SEQPACKET) and speak netlink
  DIR/init/route       rtnetlink there
  DIR/<name>/...       the same for every other namespace
  DIR/.page            the URL of the live page, with --http
  DIR/control          JSON lines: namespaces, devices, and sockets with options (see nlemu ctl)

It runs until SIGTERM or SIGINT, and leaves nothing behind."""
HTTP = "127.0.0.1:8080"
"""Where the live page is served, if nobody says where."""
EPILOG = """examples:
  nlemu serve --dir /tmp/nlemu
  pid=$(nlemu serve --dir /tmp/nlemu --detach); nlemu ctl --dir /tmp/nlemu state; kill $pid"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    directory_argument(parser)
    parser.add_argument("--seed", metavar="N", type=seed, default=0, help="of all that is random (default: 0)")
    kernel_argument(parser, f"which Linux it is (default: {DEFAULT.name})")
    world_argument(parser)
    pcap_argument(parser)
    explain_argument(parser)
    coverage_argument(parser)
    parser.add_argument(
        "--netdevsim",
        choices=("plain", "dma"),
        default="plain",
        help="what its NICs can do: plain as in Linux, or with the DMA and zero-copy of real ones (default: plain)",
    )
    parser.add_argument(
        "--clock",
        choices=("real", "manual"),
        default="real",
        help="whether time passes by itself, or only by nlemu ctl sleep, so that runs repeat exactly (default: real)",
    )
    parser.add_argument(
        "--history", action="store_true", help="keep the last 10,000 datagrams: nlemu ctl requests tells what was asked"
    )
    parser.add_argument(
        "--mode", metavar="MODE", type=mode, default=0o700,
        help="who may connect, as an octal number: 770 the group too, 777 everybody (default: 700)",
    )
    parser.add_argument("--group", metavar="GROUP", type=group, help="the group that the directory is of")
    parser.add_argument(
        "--http", metavar="ADDRESS:PORT", nargs="?", const=HTTP,
        help=f"serve the live page there (docs/page.md; by itself: {HTTP}); its URL is printed",
    )
    parser.add_argument(
        "--http-allow", metavar="NAME", action="append", default=[],
        help="a name by which the page may be called besides its address, which may be one that others reach then",
    )
    parser.add_argument(
        "--http-token", metavar="FILE", help="the page's token is in that file (default: one is drawn)"
    )
    parser.add_argument(
        "--detach", action="store_true", help="print the daemon's process id and return when it can be reached"
    )
    parser.add_argument(
        "--log-format", choices=FORMATS, default="text",
        help="of what it tells: lines for people, or a JSON object a line (default: text)",
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="tell on standard error what happens, every message decoded"
    )


def run(options: argparse.Namespace) -> int:
    """Serves until a signal ends it, or detaches a process that does; the exit code."""
    directory = directory_of(options)
    if not options.detach:
        return serve(options, directory, lambda: announce(options.log_format, "serving", directory=directory))
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return when_ready(child, reader)
    os.close(reader)
    os.setsid()

    log = f"{directory.rstrip('/')}.log"

    def ready() -> None:
        announce(options.log_format, "its log is", file=log)
        let_go(log)
        os.write(writer, b"!")
        os.close(writer)

    return serve(options, directory, ready)


def serve(options: argparse.Namespace, directory: str, ready: Callable[[], object]) -> int:
    """The daemon's whole life."""
    raise_limit()
    from nlemu.emulator.daemon import server

    coverage = Coverage(options.coverage)
    machine = machines(
        options, told=options.verbose, kept=options.history, watch=coverage.watch, counted=options.http is not None
    )

    begin(options.log_format, verbose=options.verbose)
    server.run(
        directory,
        machine,
        ready=ready,
        real_time=options.clock == "real",
        mode=options.mode,
        group=options.group,
        beside=page_of(options),
    )
    coverage.finish()
    return OK


def page_of(options: argparse.Namespace) -> Beside | None:
    """What begins the live page, if there is to be one. Usage; Refused where h11 is not installed."""
    if options.http is None:
        for name, given in (("allow", options.http_allow), ("token", options.http_token)):
            if given:
                raise Usage(f"--http-{name}: there is no page without --http ADDRESS:PORT")
        return None
    from nlemu.emulator.daemon.page import address

    try:
        where = address.parse(options.http, options.http_allow)
    except address.AddressError as error:
        raise Usage(f"--http {error}") from None
    try:
        from nlemu.emulator.daemon.page import gate, site
    except ImportError:
        raise Refused("the page is served with h11: pip install 'nlemu[page]'") from None
    try:
        token = None if options.http_token is None else gate.read(options.http_token)
    except OSError as error:
        raise Usage(f"--http-token {options.http_token}: {error.strerror}") from None
    except ValueError as error:
        raise Usage(f"--http-token {options.http_token}: {error}") from None
    return partial(
        site.begin, address=where, token=token, told=lambda url: announce(options.log_format, "the page is", url=url)
    )


def machines(
    options: argparse.Namespace, *, told: bool = False, kept: bool = False, watch: Watch | None = None,
    counted: bool = False,
) -> Callable[[], Machine]:
    """What makes the machine of these options, as often as it is wanted. told: its log has every message; kept: it
    remembers them; watch: sees what is exercised of it; counted: it counts what is asked and
    refused. Raises Usage for a world that cannot be."""
    world = world_of(options.world, options.kernel)
    if world is None:
        from nlemu.emulator.machine.machine import Machine

        def make() -> Machine:
            return Machine(seed=options.seed, netdevsim=options.netdevsim, build=options.kernel or DEFAULT)
    else:
        from nlemu.emulator.script.beginning import begin

        def make() -> Machine:
            return begin(world, seed=options.seed, netdevsim=options.netdevsim, build=options.kernel)

    steps: list[Callable[[Machine], Machine]] = []
    if told:
        from nlemu.emulator.script.telling import tell

        steps.append(tell)
    if counted:
        from nlemu.emulator.script import counts

        steps.append(counts.begin)
    if kept:
        from nlemu.emulator.script.recording import in_memory

        steps.append(lambda machine: in_memory()[0].begin(machine))
    if options.explain:
        from nlemu.emulator.script import explanation

        steps.append(lambda machine: explanation.begin(machine, partial(tell_why, options.log_format)))
    if watch is not None:
        steps.append(watch.begin)
    if options.pcap is not None:
        from nlemu.emulator.script.recording import into_file

        try:
            recording = into_file(open(options.pcap, "wb"))  # noqa: SIM115 - as long as the process
        except OSError as error:
            raise Usage(f"--pcap {options.pcap}: {error.strerror}") from None
        steps.append(recording.begin)
    return lambda: reduce(lambda machine, step: step(machine), steps, make())


def tell_why(form: str, why: Reason) -> None:
    """An explanation on standard error."""
    if form == "json":
        for line in why.explanation().lines():
            announce(form, "refused", why=line)
        return
    print(*(f"nlemu: {line}" for line in why.explanation().lines()), sep="\n", file=sys.stderr, flush=True)


def when_ready(child: int, reader: int) -> int:
    """Waits until the daemon can be reached, and prints its process id; its own exit code if it ended before."""
    with open(reader, "rb") as told:
        if told.read(1):
            print(child)
            return OK
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def let_go(log: str) -> None:
    """Nobody waits any more for what was the parent's: a pipe of its output would never end. What is to be told goes to
    a file."""
    with open(os.devnull, "r+b", buffering=0) as null, open(log, "ab", buffering=0) as file:
        os.dup2(null.fileno(), 0)
        os.dup2(null.fileno(), 1)
        os.dup2(file.fileno(), 2)


def mode(text: str) -> int:
    """The type of ``--mode``."""
    try:
        value = int(text, 8)
    except ValueError:
        value = -1
    if not 0o700 <= value <= 0o777:
        raise argparse.ArgumentTypeError(f"takes an octal number from 700 to 777, and not {text!r}")
    return value


def group(text: str) -> int:
    """The type of ``--group``: a name or a number."""
    import grp

    try:
        return int(text) if text.isdecimal() else grp.getgrnam(text).gr_gid
    except KeyError:
        raise argparse.ArgumentTypeError(f"there is no group {text!r}") from None


def raise_limit() -> None:
    """As many files may be open as this user can have: a namespace takes two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
