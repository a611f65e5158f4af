"""``nlemu stop``: the end of a daemon, and nothing before it has ended."""

from __future__ import annotations

import argparse
import select

from nlemu.emulator.cli import OK, directory_argument, directory_of

DESCRIPTION = "End a daemon, and return when it has: its sockets are gone, and so are the programs that it carried."
EPILOG = "exit code: 0, 5 when there is no daemon"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    directory_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Ends it; the exit code."""
    from nlemu.emulator.client.control import Control

    with Control(directory_of(options)) as control, control.process() as process:
        control.do(stop=True)
        if process is not None:
            poll = select.poll()
            poll.register(process, select.POLLIN)
            poll.poll()
        else:  # in a namespace of processes that cannot be seen from here
            control.wait()
    return OK
