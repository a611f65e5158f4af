"""``nlemu run``: any program, with the emulator as its kernel."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from nlemu.emulator.cli import explain_argument, kernel_argument, pcap_argument, seed, world_argument
from nlemu.emulator.cli.coverage import Coverage, coverage_argument
from nlemu.emulator.kernel.core.build import DEFAULT

DESCRIPTION = """Run a program, unchanged and unprivileged, on an emulated kernel of its own.

The program's netlink sockets, its network namespaces, and what it reads about interfaces in /sys and /proc are the
emulator's; all else is this machine's. It ends as the program ends: with its exit status, or 128 and the number of the
signal that ended it. `nlemu check` says whether this machine can."""
EPILOG = """examples:
  nlemu run -- ip -d link
  nlemu run -- sh -c 'ip link add web type netkit; ip -d -j link show web'
  nlemu run --netns guest -- unshare -n ip link"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options; the rest is the command."""
    parser.set_defaults(log_format="text")
    parser.add_argument(
        "--dir", metavar="DIR",
        help="the directory of a running daemon (default: $NLEMU_DIR, or else a kernel of its own)",
    )
    parser.add_argument("--netns", metavar="N", help="the namespace to begin in; made if need be (default: init)")
    parser.add_argument(
        "--uid-view",
        choices=("root", "user"),
        default="root",
        help="whom the program takes itself for, and what it may do on the emulated kernel (default: root)",
    )
    parser.add_argument("--seed", metavar="N", type=seed, default=0, help="of all that is random (default: 0)")
    kernel_argument(parser, f"which Linux it is (default: {DEFAULT.name})")
    world_argument(parser)
    pcap_argument(parser)
    explain_argument(parser)
    coverage_argument(parser)
    parser.add_argument(
        "--netdevsim", choices=("plain", "dma"), default="plain", help="what its NICs can do (see nlemu serve)"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="tell on standard error what is refused, and why")
    parser.add_argument("program", metavar="COMMAND", nargs=argparse.REMAINDER, help="what to run, after --")


def run(options: argparse.Namespace) -> int:
    """Runs the command; its exit status."""
    from nlemu.emulator.cli import Refused, Usage
    from nlemu.emulator.launch.session import CannotSupervise, Session, Supervision
    from nlemu.emulator.launch.supervision import DaemonSupervision, LauncherSupervision

    coverage = Coverage(options.coverage)
    command = options.program[1:] if options.program[:1] == ["--"] else options.program
    if not command:
        raise Usage("what shall be run? put it after --")
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.WARNING,
        format="nlemu: %(levelname)s: %(message)s",
        stream=sys.stderr,
    )
    supervision: Supervision
    directory = options.dir or os.environ.get("NLEMU_DIR")
    if directory:
        for name in ("world", "pcap", "explain", "coverage"):
            if getattr(options, name) not in (None, False):
                raise Usage(f"--{name} is for a machine of the program's own; that of {directory} runs already")
        os.environ["NLEMU_DIR"] = os.path.abspath(directory)
        supervision = DaemonSupervision(Path(directory, "control"), options.netns)
    else:
        from nlemu.emulator.cli.serve import machines

        supervision = LauncherSupervision(machines(options, watch=coverage.watch)(), options.netns)
    try:
        status = Session(command, supervision, root=options.uid_view == "root").run()
    except CannotSupervise as error:
        raise Refused(
            f"{error}. Other ways in: `nlemu serve` and its sockets; pyynl and pyroute2 in-process. "
            "`nlemu check` tells more."
        ) from error
    coverage.finish()
    return status
