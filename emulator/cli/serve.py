"""``nlemu serve``: the daemon."""

from __future__ import annotations

import argparse
import logging
import sys

DESCRIPTION = """Run the daemon: a machine of its own, reached through Unix sockets in a directory.

  DIR/init/generic     generic netlink in the first namespace: connect (SOCK_SEQPACKET) and speak netlink
  DIR/init/route       rtnetlink there
  DIR/<name>/...       the same for every other namespace
  DIR/control          JSON lines: namespaces, devices, and sockets with options (see nlemu ctl)

It runs until SIGTERM or SIGINT, and leaves nothing behind."""
EPILOG = ""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dir", metavar="DIR", required=True, help="where its sockets are; made if need be")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of all that is random (default: 0)")
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
    parser.add_argument("-v", "--verbose", action="store_true", help="tell on standard error what happens")


def run(options: argparse.Namespace) -> int:
    from emulator import server
    from emulator.machine import Machine

    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.WARNING,
        format="nlemu: %(levelname)s: %(message)s",
        stream=sys.stderr,
    )

    def ready() -> None:
        print(f"nlemu: serving {options.dir}", file=sys.stderr, flush=True)

    server.run(
        options.dir,
        lambda: Machine(seed=options.seed, netdevsim=options.netdevsim),
        ready=ready,
        real_time=options.clock == "real",
    )
    return 0
