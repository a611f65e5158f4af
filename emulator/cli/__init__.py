"""The command line: ``nlemu serve``, ``ctl``, ``ynl``, ``replay`` and ``demo``, one module each.

A subcommand's module is imported only when it is asked for, so that the daemon does not pay for the client, nor the
client for the daemon. Each has ``arguments(parser)`` and ``run(options)``, which returns the exit code or raises one of
the errors below.

Exit codes: 0; 1 where something differs or was refused; 2 for a mistake in how the command was called; 5 when there is
no daemon to speak to. What went wrong is one line on standard error.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from nlemu import __version__

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build
    from nlemu.emulator.world.world import World

OK, REFUSED, USAGE, NO_DAEMON = 0, 1, 2, 5
INTERRUPTED = 130
"""128 and the number of SIGINT, as shells have it."""

ALLOCATIONS = 100_000
"""How many new objects make Python look for garbage. What is made here, modules first and then devices, is there to
stay, and requests leave none; at Python's own 700, a seventh of a start and a fifth of making links is looking."""

COMMANDS = {
    "serve": "run the daemon: a kernel's netlink on Unix sockets in a directory",
    "stop": "end a daemon",
    "run": "run any program, with the emulator as its kernel",
    "record": "run any program on the real kernel, and record its netlink traffic",
    "sweep": "run a program again and again, each time with another of its requests refused",
    "coverage": "what a suite has exercised of netlink, and which refusals it never met",
    "check": "say whether this machine can run programs that way",
    "ctl": "change a running daemon from outside: namespaces, devices, time",
    "ynl": "ask a running daemon, with the options of the kernel's own ynl tool",
    "dissect": "show what a capture of netlink holds: pcap, pcapng, strace, hexadecimal digits, traces",
    "convert": "write a capture in another format: pcap, pcapng, a trace of JSON Lines",
    "dissector": "write a dissector for Wireshark, made from the declarations here",
    "replay": "perform recorded traces and captures, and compare every answer",
    "explain": "say why the kernel refuses what a capture, or a message in digits, asks for",
    "diff": "compare two captures, or a capture and a kernel",
    "clone": "write this machine's network down, as a world to begin with",
    "completion": "write what has a shell complete these commands",
    "bench": "measure how fast it is here, beside what else there is",
    "demo": "see it all in a second: a NIC's queue leased into a namespace",
}

ERRORS = (
    ("nlemu.emulator.client.control", "NoDaemon", NO_DAEMON),
    ("nlemu.emulator.launch.session", "NobodyThere", NO_DAEMON),
    ("nlemu.emulator.client.control", "ControlError", REFUSED),
    ("nlemu.emulator.cli.picture.dot", "NoPicture", REFUSED),
    ("nlemu.emulator.daemon.directory", "DirectoryError", REFUSED),
    ("nlemu.emulator.daemon.page.site", "NoPage", REFUSED),
    ("nlemu.protocol.encode.conversation", "NlError", REFUSED),
    ("nlemu.protocol.encode.request", "BadValue", USAGE),
)
"""Errors of other rooms that are told in one line: where they are, and the exit code."""


class Usage(Exception):
    """A mistake in how the command was called: one line, which names the argument and what it takes."""


class Refused(Exception):
    """What was asked for was refused: one line."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line (``sys.argv`` without one) and returns the exit code."""
    gc.set_threshold(ALLOCATIONS)
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what could come next
        from nlemu.emulator.cli.completion import answer

        answer()
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = asked(given)
    try:
        try:
            options = parse(arguments)
            code = int(options.run(options))
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read has read enough. What is still buffered has nowhere to go, and Python would try again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as leaving:  # argparse: --help and --version, or usage
        return leaving.code if given and isinstance(leaving.code, int) else OK if given else USAGE
    except (Usage, Refused) as error:
        return complain(arguments, error, USAGE if isinstance(error, Usage) else REFUSED)
    except Exception as error:
        return complain(arguments, error, exit_code(error))
    return code


def asked(arguments: list[str]) -> list[str]:
    """A command line without a command asks what there is, and ``help COMMAND`` how it is called."""
    if not arguments or arguments[0] == "help":
        return [*arguments[1:], "--help"]
    return arguments


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a command line; ``run`` among them is the function to call with them."""
    wanted = next((argument for argument in arguments if not argument.startswith("-")), None)
    parser, told = parsers({wanted}, alone=wanted in COMMANDS and wanted == arguments[0])
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        told.get(wanted, parser).error(f"unrecognized arguments: {' '.join(unknown)}")
    return options


def parsers(
    wanted: Collection[str | None], *, alone: bool = False
) -> tuple[Parser, dict[str | None, argparse.ArgumentParser]]:
    """The parser of the command line; and those of the commands that are wanted, which alone know their arguments.
    alone: there are no others, where nobody is told of them."""
    parser = Parser(
        prog="nlemu",
        description="Linux's netlink in user space: NICs, netkit devices and leased queues, without a kernel.",
    )
    version = f"nlemu {__version__}"
    parser.add_argument("--version", action="version", version=version, help="show the version and exit")
    told: dict[str | None, argparse.ArgumentParser] = {}
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for name, about in COMMANDS.items():
        if alone and name not in wanted:
            continue
        if name in wanted:
            module = import_module(f"nlemu.emulator.cli.{name}")
            told[name] = commands.add_parser(
                name, help=about, description=module.DESCRIPTION, epilog=module.EPILOG,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
            module.arguments(told[name])
            told[name].set_defaults(run=module.run)
        else:
            commands.add_parser(name, help=about)
    return parser, told


class Parser(argparse.ArgumentParser):
    """One that tells a mistake in one line, and where more is said."""

    def error(self, message: str) -> NoReturn:
        raise Usage(f"{message} ({self.prog} --help tells more)")

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Of a command that there is not, the one that is like it is told, and not all of them."""
        if isinstance(action.choices, Mapping) and value not in action.choices:
            from nlemu.emulator.script.nearest import meant

            about = meant(str(value), list(action.choices)) or f"; there are {', '.join(action.choices)}"
            self.error(f"there is no {str(value)!r}{about}")
        super()._check_value(action, value)


def exit_code(error: Exception) -> int:
    """The code for an error that another room raised; an error that nobody foresaw is raised again.

    The rooms are looked at only if they were imported: an error of theirs cannot come from anywhere else.
    """
    for module, name, code in ERRORS:
        room = sys.modules.get(module)
        if room is not None and isinstance(error, getattr(room, name)):
            return code
    raise error


def complain(arguments: Sequence[str], error: Exception, code: int) -> int:
    """Tells what went wrong, in one line on standard error; returns the code, which is the process's exit status."""
    command = next((argument for argument in arguments if not argument.startswith("-")), None)
    print(f"nlemu {command}: {error}" if command in COMMANDS else f"nlemu: {error}", file=sys.stderr)
    return code


def directory_argument(parser: argparse._ActionsContainer) -> None:
    """``--dir``, of the daemon to speak to or to be; in a parser, or a group of one."""
    parser.add_argument("--dir", metavar="DIR", help="the daemon's directory (default: $NLEMU_DIR)")


def directory_of(options: argparse.Namespace) -> str:
    """The directory of the daemon. Raises Usage when nobody said."""
    directory = options.dir or os.environ.get("NLEMU_DIR")
    if not directory:
        raise Usage("which daemon? say --dir DIR, the directory it serves, or set NLEMU_DIR")
    return str(directory)


def seed(text: str) -> int:
    """The type of ``--seed``."""
    try:
        return int(text, 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"takes a whole number, and not {text!r}") from None


def world_argument(parser: argparse._ActionsContainer) -> None:
    """Declares ``--world``."""
    parser.add_argument("--world", metavar="FILE", help="the world that there is at first (docs/worlds.md)")


def pcap_argument(parser: argparse._ActionsContainer) -> None:
    """Declares ``--pcap``."""
    parser.add_argument(
        "--pcap", metavar="FILE", help="record what goes over its sockets: a pcapng, for Wireshark and `nlemu replay`"
    )


def world_of(path: str | None, build: Build | None) -> World | None:
    """The world in a file, which can be made; None for no file. Raises Usage."""
    if path is None:
        return None
    from nlemu.emulator.kernel.core.build import NoBuild
    from nlemu.emulator.script.beginning import begin
    from nlemu.emulator.world import file
    from nlemu.emulator.world.world import WorldError

    try:
        world = file.read(path)
        begin(world, build=build)
    except OSError as error:
        raise Usage(f"--world {path}: {error.strerror}") from None
    except NoBuild as error:
        raise Usage(f"{path}: kernel: {error}") from None
    except WorldError as error:
        raise Usage(str(error)) from None
    return world


def explain_argument(parser: argparse.ArgumentParser) -> None:
    """Declares ``--explain``."""
    parser.add_argument(
        "--explain", action="store_true",
        help="say of every request that is refused which function of the kernel refuses it, and what was so",
    )


def kernel_argument(parser: argparse.ArgumentParser, about: str) -> None:
    """Declares ``--kernel``, the name of a build (emulator/kernel/core/build.py)."""
    from nlemu.emulator.kernel.core.build import BUILDS

    parser.add_argument(
        "--kernel", metavar="NAME", type=kernel, default=None, help=f"{about}; one of {', '.join(BUILDS)}"
    )


def kernel(text: str) -> Build:
    """The type of ``--kernel``."""
    from nlemu.emulator.kernel.core.build import NoBuild, find_build

    try:
        return find_build(text)
    except NoBuild as error:
        raise argparse.ArgumentTypeError(str(error)) from None
