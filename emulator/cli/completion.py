"""``nlemu completion``: what has a shell complete these commands, and the answers that it gets.

argcomplete does both: its few lines for a shell run the command itself, which says what could come next. What only a
running daemon knows (namespaces, operations, faults) is asked of the one in NLEMU_DIR.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from typing import Any

from nlemu.emulator.cli import COMMANDS, OK, Refused, parsers

DESCRIPTION = "Write what has a shell complete the commands, options, namespaces, operations and profiles of nlemu."
EPILOG = """examples:
  eval "$(nlemu completion bash)"                                     in ~/.bashrc
  nlemu completion zsh > "${fpath[1]}/_nlemu"
  nlemu completion fish > ~/.config/fish/completions/nlemu.fish"""

SHELLS = ("bash", "zsh", "fish")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("shell", choices=SHELLS, help="for which shell")


def run(options: argparse.Namespace) -> int:
    """Writes it; the exit code."""
    try:
        from argcomplete.shell_integration import shellcode
    except ImportError:
        raise Refused("argcomplete completes: pip install 'nlemu[completion]'") from None
    print(shellcode(["nlemu"], shell=options.shell))
    return OK


def answer() -> None:
    """Tells a shell what could come next, and ends the process; returns where argcomplete is not there."""
    try:
        from argcomplete import autocomplete
    except ImportError:
        return
    words = os.environ.get("COMP_LINE", "").split()
    parser, told = parsers({word for word in words if word in COMMANDS})
    for one in told.values():
        know(one)
    autocomplete(parser)


def know(parser: argparse.ArgumentParser) -> None:
    """Says of a parser's arguments what they could be, and of those below."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                know(one)
            continue
        name = max(action.option_strings, key=len, default=action.metavar or action.dest)
        if name in KNOWN:
            action.completer = KNOWN[name]  # type: ignore[attr-defined]


def daemon(tell: Callable[[Any], Iterable[str]], **step: Any) -> Callable[..., list[str]]:
    """What the daemon knows; nothing where there is none."""

    def ask(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
        from nlemu.emulator.client.control import Control, ControlError, NoDaemon

        try:
            with Control(getattr(parsed_args, "dir", None) or os.environ["NLEMU_DIR"]) as control:
                return sorted(tell(control.do(**step)))
        except (KeyError, NoDaemon, ControlError):
            return []

    return ask


def profiles(**_: Any) -> Iterable[str]:
    """Of NICs."""
    from nlemu.emulator.kernel.nics.profiles import PROFILES

    return list(PROFILES)


def kernels(**_: Any) -> Iterable[str]:
    """That can be chosen."""
    from nlemu.emulator.kernel.core.build import BUILDS

    return list(BUILDS)


def operations(told: Any) -> Iterable[str]:
    """What faults can strike."""
    return (name if family == "ioctl" else f"{family}.{name}" for family, of in told.items() for name in of)


def families(told: Any) -> Iterable[str]:
    """Of generic netlink, and of rtnetlink."""
    return [*told["families"], "rt-link", "rt-addr", "rt-route", "rt-neigh", "rt-rule", "rt-nsid"]


KNOWN: dict[Any, Callable[..., Iterable[str]]] = {
    "--netns": daemon(lambda told: told["namespaces"], state=True),
    "--family": daemon(families, state=True),
    "--errno": lambda **_: __import__("errno").errorcode.values(),
    "--profile": profiles,
    "--kernel": kernels,
    "OPERATION": daemon(operations, operations=True),
}
"""What arguments could be, by the longest name of an option, or by what usage calls it."""
