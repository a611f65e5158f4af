"""Worlds as files: TOML, read with the place of everything that is said, and written as people would write it.

    kernel = "7.2.13"

    [[link]]                                # of the first namespace
    name = "eth0"
    nic = "mlx5_core"
    up = true

    [[address]]
    device = "eth0"
    address = "192.0.2.1/24"

    [[namespace]]
    name = "pod"

    [[namespace.link]]
    name = "nk0"
    kind = "netkit"

Sections are those of emulator/world/sections.py and beside them `id`, `lease`, `fault` and `profile`. What cannot be is
refused with the line and the key: a section or a key that there is not, a value of the wrong sort.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nlemu.emulator.world import profile_file
from nlemu.emulator.world.lines import Lines, Where, tables
from nlemu.emulator.world.sections import LINK_DEVICES, LINK_KEYS, LINK_WORDS, MORE, SECTIONS, Section
from nlemu.emulator.world.values import shown
from nlemu.emulator.world.world import FIRST, Entry, Namespace, World, WorldError
from nlemu.protocol.encode.conversation import specification

HEAD = {"kernel": str, "exact": list, "families": dict, "profiles": list}
"""What stands before all sections: which kernel it is, sections of which everything is said, numbers of families, files
with profiles."""
FAULT = "fault"
"""The section of what fails when, which belongs to no namespace; its keys are those of the control socket."""
BARE = re.compile(r"[A-Za-z0-9_\-]+")


# -- reading ----------------------------------------------------------------------------------------------


def read(path: str | Path) -> World:
    """The world in a file. Raises WorldError, which names the line; OSError."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise WorldError(f"{path}: not UTF-8 (byte {error.start})") from None
    return parse(text, str(path), Path(path).parent)


def parse(text: str, name: str = "world", folder: Path = Path()) -> World:
    """The world that a text tells. Raises WorldError; name: what errors call it; folder: where the files are that it
    names."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WorldError(f"{name}: {error}") from None
    lines = Lines(text, name)
    world = World(kernel=content.pop("kernel", None))
    for key, kind in HEAD.items():
        value = world.kernel if key == "kernel" else content.get(key)
        if value is not None and not isinstance(value, kind):
            raise WorldError(f"{lines.place((), key)}: {key}: {WANTED[kind]} belongs here, and not {shown(value)}")
    world.exact = frozenset(content.pop("exact", ()))
    world.families = content.pop("families", {})
    for number, one in enumerate(tables(content.pop(FAULT, []), lines, (), FAULT)):
        world.faults.append(Entry(FAULT, one, lines.place(((FAULT, number),))))
    for named in content.pop("profiles", ()):
        world.profiles += profile_file.named(named, folder, lines.place((), "profiles"))
    world.profiles += profile_file.entries(content, lines)
    profile_file.check_names(world.profiles)
    first = world.namespace(FIRST)
    for number, one in enumerate(tables(content.pop("namespace", []), lines, (), "namespace")):
        where = (("namespace", number),)
        called = one.pop("name", None)
        if not isinstance(called, str) or not called or "/" in called:
            raise WorldError(f"{lines.place(where, 'name')}: namespace.name: is missing, or no name")
        if called in world.namespaces and (called != FIRST or number):
            raise WorldError(f"{lines.place(where, 'name')}: namespace.name: there is a namespace {called!r} already")
        namespace = world.namespace(called)
        namespace.place = lines.place(where, "name")
        sections(namespace, one, lines, where)
    sections(first, content, lines, ())
    return world


def sections(namespace: Namespace, content: Mapping[str, Any], lines: Lines, where: Where) -> None:
    """Adds the entries of a namespace."""
    for section, value in content.items():
        known = KEYS.get(section)
        if known is None:
            at = lines.place(where, section)
            there = ", ".join([*KEYS, FAULT, profile_file.PROFILE, "namespace"])
            raise WorldError(f"{at}: {section}: there is no such section; there are {there}")
        for number, fields in enumerate(tables(value, lines, where, section)):
            here = (*where, (section, number))
            for key, one in fields.items():
                check(section, key, one, lines, here)
            places = {key: lines.place(here, key) for key in fields}
            namespace.entries.append(Entry(section, dict(fields), lines.place(here), places))


def check(section: str, key: str, value: Any, lines: Lines, where: Where) -> None:
    """Refuses a key that a section does not have, and a value of the wrong sort. Raises WorldError."""
    known = KEYS[section]
    if key not in known:
        text = f"there is no such key; there are {', '.join(known)}"
        raise WorldError(f"{lines.place(where, key)}: {section}.{key}: {text}")
    kinds = known[key]
    if kinds is not None and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
        wanted = " or ".join(WANTED[kind] for kind in kinds)
        raise WorldError(f"{lines.place(where, key)}: {section}.{key}: {wanted} belongs here, and not {shown(value)}")


WANTED = {str: "a text", int: "a number", bool: "true or false", list: "a list", dict: "a table"}

Kinds = tuple[type, ...]


def keys() -> dict[str, dict[str, Kinds | None]]:
    """The keys of each section, with the sorts of value; None where the specification's words decide."""
    found: dict[str, dict[str, Kinds | None]] = {"link": {
        **LINK_KEYS, **dict.fromkeys(LINK_WORDS, None), **dict.fromkeys(LINK_DEVICES, (str, int)),
    }}
    for name, section in SECTIONS.items():
        found[name] = section_keys(section)
    found.update({name: dict(known) for name, known in MORE.items()})
    return found


def section_keys(section: Section) -> dict[str, Kinds | None]:
    """The keys of a section whose entries are messages."""
    op = specification(section.specification).operation(section.operation)
    fields = getattr(getattr(op.fixed, "codec", None), "record", None)
    header = [name.replace("_", "-") for name in getattr(fields, "_fields", ())]
    words = [*header, *op.set.spec.by_name]
    lengths = {length.removeprefix(section.prefix) for length in section.networks.values()}
    taken = {word.removeprefix(section.prefix) for word in (*section.untold, *section.devices.values())} | lengths
    known: dict[str, Kinds | None] = {word: (str, int) for word in section.devices}
    known.update({word: (str,) for word in section.networks})
    known.update({word: None for word in words if word not in taken and word not in known})
    if section is SECTIONS["address"]:
        known |= {"valid": (int,), "preferred": (int,), "flags": (list,)}
    return known


KEYS = keys()

# -- writing ----------------------------------------------------------------------------------------------


def write(world: World) -> str:
    """The text that tells a world: what parse() reads."""
    lines: list[str] = []
    if world.kernel is not None:
        lines.append(f"kernel = {value_text(world.kernel)}")
    if world.exact:
        lines.append(f"exact = {value_text(sorted(world.exact))}")
    if world.families:
        lines.append(f"families = {value_text(world.families)}")
    for profile in world.profiles:
        lines += ["", f"[[{profile_file.PROFILE}]]", *entry_lines(profile)]
    for namespace in world.namespaces.values():
        inner = "" if namespace.name == FIRST else "namespace."
        if inner:
            lines += ["", "[[namespace]]", f"name = {value_text(namespace.name)}"]
        for entry in namespace.entries:
            lines += ["", f"[[{inner}{entry.section}]]", *entry_lines(entry)]
    for fault in world.faults:
        lines += ["", f"[[{FAULT}]]", *entry_lines(fault)]
    return "\n".join(lines).lstrip("\n") + "\n"


def entry_lines(entry: Entry) -> Iterator[str]:
    """The keys of an entry."""
    for key, value in entry.fields.items():
        if value is not None and value != {}:
            yield f"{key_text(key)} = {value_text(value)}"


def key_text(key: object) -> str:
    """A key, in quotes where it needs them."""
    text = str(key)
    return text if BARE.fullmatch(text) else json.dumps(text)


def value_text(value: Any) -> str:
    """A value; tables stand in one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key_text(key)} = {value_text(one)}" for key, one in value.items() if one is not None)
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(value_text, value))}]"
    return string(str(value))


def string(text: str) -> str:
    """A string of TOML; what is no Unicode (a name of odd bytes) is written with a question mark."""
    return json.dumps(text.encode("utf-8", "replace").decode()).replace("\x7f", "\\u007f")
