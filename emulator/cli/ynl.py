"""``nlemu ynl``: the kernel's own generic client (tools/net/ynl), spoken to the daemon.

It takes the same options and prints the same way: what is asked for as a pprint or as JSON, a refusal as "Netlink
error:" with the extack, on standard output and with exit code 1, a success with an extack as "Netlink warning:", so
that a script written for the one works with the other.

What the kernel's tool reads from YAML comes from the declarations, but for sentences: those are there if `--spec`
names a file that has them (ynl_docs.py). It differs where that is of use: attributes that its specifications leave as
bytes, or of which they keep the last alone, are told whole (devlink-port, the tables of tunnel-info); and what cannot
be asked is one line and exit code 2.
"""

from __future__ import annotations

import argparse
import json
import pprint
import shutil
import textwrap
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from nlemu.emulator.cli import OK, REFUSED, Usage, directory_argument, directory_of

if TYPE_CHECKING:
    from nlemu.emulator.cli.ynl_docs import Docs
    from nlemu.emulator.client.client import Client
    from nlemu.emulator.client.control import Control
    from nlemu.protocol.encode.conversation import Request, Specification
    from nlemu.protocol.schema.attributes import AttrSet

DESCRIPTION = """Ask a running daemon, or listen to it, with the options of the kernel's own tool (tools/net/ynl):

  nlemu ynl --dir DIR --family netdev --dump queue-get --json '{"ifindex": 2}'"""
EPILOG = """The --multi option can be repeated to include several do operations in the same netlink payload.
exit code: 0, 1 when the request is refused, 2 when it cannot be built, 5 when there is no daemon"""

RECEIVE_LEAST = 4000
"""The least that netlink makes its datagrams for; the kernel's tool takes no smaller --dbg-small-recv."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options, which are those of the kernel's own tool."""
    where = parser.add_argument_group("the daemon")
    directory_argument(where)
    where.add_argument(
        "--netns", metavar="NAME", default="init", help="the namespace to ask in (default: init)"
    )

    family = parser.add_argument_group("family").add_mutually_exclusive_group(required=True)
    family.add_argument("--list-families", action="store_true", help="the families that can be asked")
    family.add_argument("--family", help="the family to ask, by the name of its specification")
    family.add_argument(
        "--spec", metavar="FILE", help="the same by a file of that name, which is read for its documentation alone"
    )

    operations = parser.add_argument_group("operations").add_mutually_exclusive_group()
    operations.add_argument("--do", metavar="OPERATION")
    operations.add_argument("--dump", metavar="OPERATION")
    operations.add_argument("--multi", nargs=2, action="append", metavar=("OPERATION", "JSON"))
    operations.add_argument("--list-ops", action="store_true", help="the operations that can be asked for")
    operations.add_argument("--list-msgs", action="store_true", help="those, and the notifications")
    operations.add_argument(
        "--list-attrs", "--doc", metavar="OPERATION", help="the attributes of an operation"
    )
    operations.add_argument(
        "--validate", action="store_true", help="accepted: the specifications are built in"
    )

    values = parser.add_argument_group("input and output")
    values.add_argument("--json", dest="values", metavar="JSON", help="the attributes of the request")
    values.add_argument("--output-json", action="store_true", help="print JSON")
    values.add_argument(
        "--policy", action="store_true", help="print the policy of the operation instead of asking it"
    )

    news = parser.add_argument_group("notifications")
    news.add_argument("--subscribe", metavar="GROUP", help="join a multicast group and print what it tells")
    news.add_argument("--duration", "--sleep", metavar="SECONDS", type=float, help="and stop after so long")

    flags = parser.add_argument_group("flags of the request")
    for name in ("replace", "excl", "create", "append"):
        flags.add_argument(f"--{name}", dest="flags", action="append_const", const=f"{name.upper()}")

    accepted = parser.add_argument_group("accepted, and without meaning here")
    accepted.add_argument("--schema", metavar="FILE")
    accepted.add_argument("--no-schema", action="store_true")
    accepted.add_argument("--process-unknown", action=argparse.BooleanOptionalAction)
    accepted.add_argument(
        "--dbg-small-recv", nargs="?", type=int, const=RECEIVE_LEAST, default=0, metavar="BYTES"
    )


def run(options: argparse.Namespace) -> int:
    """Asks as the options say and prints the answer; the exit code."""
    from nlemu.emulator.cli.ynl_docs import Docs
    from nlemu.protocol.encode.conversation import specification, specifications

    if options.list_families:
        for name in specifications():
            print(name)
        return OK
    family = specification(options.family or PurePath(options.spec).name.removesuffix(".yaml"))
    if options.validate:
        return OK
    if options.list_ops or options.list_msgs:
        list_messages(family, news=options.list_msgs)
        return OK
    if options.list_attrs:
        list_attributes(family, options.list_attrs, Docs(options.spec))
        return OK
    values = parse_values("--json", options.values) if options.values else {}
    multi = [(name, parse_values(f"--multi {name}", text)) for name, text in options.multi or ()]
    for name in (options.do, options.dump, *(name for name, _ in multi)):
        if name is not None:
            family.operation(name)
    if options.subscribe and options.subscribe not in family.groups:
        known = ", ".join(family.groups) or "none"
        raise Usage(f"--subscribe takes one of {known}, and not {options.subscribe!r}")
    return ask(options, family, values, multi)


def parse_values(option: str, text: str) -> Any:
    """The JSON object that an option gives. Raises Usage, which names the option."""
    try:
        values = json.loads(text)
    except ValueError as error:
        raise Usage(f"{option} takes JSON: {error}") from None
    if not isinstance(values, dict):
        raise Usage(f"{option} takes a JSON object, and not {text}")
    return values


def ask(options: argparse.Namespace, family: Specification, values: Any, multi: list[tuple[str, Any]]) -> int:
    """Opens a client of the family and lets it ask; the exit code."""
    from nlemu.emulator.cli.ynl_docs import Docs
    from nlemu.emulator.cli.ynl_values import AS_YNL, NEWS
    from nlemu.emulator.client.client import Client
    from nlemu.emulator.client.control import Control
    from nlemu.protocol.encode.conversation import NlError

    with (
        Control(directory_of(options)) as control,
        Client.open(control, family.name, netns=options.netns, style=AS_YNL) as client,
    ):
        try:
            if options.subscribe:
                client.subscribe(control, options.subscribe)
            converse(options, control, client, values, multi)
            if options.subscribe:
                renamed = NEWS.get(family.name, ())
                for news in client.notifications(options.duration):
                    name = f"{news.name}-ntf" if news.name in renamed else news.name
                    show(options, {"name": name, "msg": news.values})
        except NlError as error:
            docs = Docs(options.spec)
            doc = docs.attribute(docs.set_of(error.operation), error.extack.get("miss-type", ""))
            if doc is not None:
                error.extack["miss-type-doc"] = doc
            print(error)
            return REFUSED
        except KeyboardInterrupt:
            pass
    return OK


def converse(
    options: argparse.Namespace, control: Control, client: Client, values: Any, multi: list[tuple[str, Any]]
) -> None:
    """Sends what the options say and shows each answer."""
    from nlemu.emulator.cli.ynl_values import policy_of
    from nlemu.protocol.uapi.netlink import NLM_F

    flags = 0
    for name in options.flags or ():
        flags |= NLM_F[name]
    if options.policy:
        for mode in ("do", "dump"):
            name = getattr(options, mode)
            if name is not None:
                show(options, policy_of(control, client, name, mode, options.netns) or None)
        return
    if options.do:
        (request,) = client.several([(options.do, values)], flags)
        show(options, replied(request))
    if options.dump:
        request = client.dumped(options.dump, values)
        warn(request)
        show(options, request.replies)
    if multi:
        show(options, [replied(request) for request in client.several(multi, flags)])


def replied(request: Request) -> Any:
    """What the kernel's tool returns of a do: nothing, the one reply, or a list of them."""
    warn(request)
    replies = request.replies
    return replies if len(replies) > 1 else replies[0] if replies else None


def warn(request: Request) -> None:
    """All went well, and still the kernel had something to say. The kernel's tool prints it so, before the answer."""
    from nlemu.protocol.frame import HEADER_SIZE

    if request.warning and request.ended:
        end = request.ended
        print("Netlink warning:")
        body = end.length - HEADER_SIZE
        print(f"nl_len = {end.length} ({body}) nl_flags = 0x{end.flags:x} nl_type = {end.type}")
        print(f"\textack: {request.warning}")


def show(options: argparse.Namespace, value: Any) -> None:
    """Prints one answer, as the options want it."""
    if options.output_json:
        print(json.dumps(value, default=plain), flush=True)
    else:
        pprint.pprint(value, width=shutil.get_terminal_size().columns, compact=True)


def plain(value: Any) -> Any:
    """What JSON has for bytes and sets; json.dumps() calls it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is no value of a message")


# -- listings ---------------------------------------------------------------------------------------------


def list_messages(family: Specification, news: bool) -> None:
    """What can be asked for; ``news``: and what is told unasked."""
    from nlemu.emulator.cli.ynl_values import NEWS

    for name, op in (family.messages if news else family.operations).items():
        modes = [mode for mode, there in (("do", op.do), ("dump", op.dump), ("notify", op.group)) if there]
        print(name, " [", ", ".join(modes), "]")
    for name in NEWS.get(family.name, ()) if news else ():
        print(f"{name}-ntf", " [ notify ]")


def list_attributes(family: Specification, name: str, docs: Docs) -> None:
    """What a message takes and holds, attribute by attribute."""
    op = family.messages.get(name)
    if op is None:
        raise Usage(f"{family.name} has no message {name!r}; it has {', '.join(family.messages)}")
    print(f"Operation: {op.name}")
    if (doc := docs.operation(op.name)) is not None:
        print(doc)
    told_in = docs.set_of(op.name)
    for mode, half in (("Do", op.do), ("Dump", op.dump)):
        if half is not None and half.accepts is not None and half.accepts.rules:
            print(f"\n{mode} request attributes:")
            rules = half.accepts.rules
            print_attributes({rule.name: rule for rule in rules.values()}, 2, op.set, docs, told_in)
    if op.replies is not None and op.replies.attrs:
        asked = " and ".join(mode for mode, half in (("Do", op.do), ("Dump", op.dump)) if half is not None)
        print(f"\n{'Notification' if op.group else f'{asked} reply'} attributes:")
        print_attributes({attr.name: attr for attr in op.replies.attrs}, 2, op.set, docs, told_in)
    if op.group:
        print(f"\nMulticast group: {op.group}")


def print_attributes(
    attrs: Mapping[str, Any], indent: int, owner: type[AttrSet], docs: Docs, told_in: str
) -> None:
    """Attributes of a set, and below each those of its nest; ``told_in`` is what the specification calls the set."""
    from nlemu.protocol.names.words import dashed, numbers, set_name

    space = " " * indent
    for name, attr in attrs.items():
        whole = owner.spec.by_name.get(name, attr)
        inside: type[AttrSet] | None = getattr(whole.kind, "set", None) or getattr(
            getattr(whole.kind, "member", None), "set", None
        )
        line = f"{space}- {name}: {whole.kind}"
        if whole.shown is not None:
            line += f" (enum: {dashed(whole.shown.__name__)})"
        print(line + (f" -> {set_name(inside)}" if inside is not None else ""))
        if whole.shown is not None:
            what = "Flags" if whole.flag_names else "Enum"
            print(f"{space}  {what}: {', '.join(numbers(whole.shown))}")
        if (doc := docs.attribute(told_in, name)) is not None:
            margin = space + " " * 4
            width = shutil.get_terminal_size().columns
            print(textwrap.fill(doc, width=width, initial_indent=margin, subsequent_indent=margin))
        if inside is not None:
            print_attributes(inside.spec.by_name, indent + 4, inside, docs, set_name(inside))
