"""``nlemu sweep``: a command again and again, each time with another of its requests refused.

What a program does when the kernel says no is seldom tried, because a kernel seldom says no. Here the command runs once
on a fresh machine, undisturbed; then once for each netlink request that it made, with that one refused. What became of
the program is compared with what became of the machine:

- *told*: it failed, and left the machine as it was before;
- *coped*: it succeeded, and the machine is as without the fault: it tried again, or went another way;
- *left*: it failed, and left things behind;
- *hid*: it says that it succeeded, and the machine is not what it would have been;
- *died*, *hung*: a signal ended it, or nothing did.

Machines are compared by their worlds (docs/worlds.md), but for hardware addresses, which are drawn in another order
where a request less is answered.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from nlemu.emulator.cli import OK, REFUSED, kernel_argument, world_argument
from nlemu.emulator.cli.progress import Progress

if TYPE_CHECKING:
    from nlemu.kernel import Kernel

DESCRIPTION = (
    "Run a command once undisturbed, and then once for each of its netlink requests with that one refused; "
    "tell which refusals it did not survive."
)
EPILOG = """verdicts: told (it failed and left nothing), coped (it succeeded all the same); left (it failed and left
things behind), hid (it says that it succeeded, and the machine is not what it would have been), died, hung.
exit code: 0; 1 where one of the latter four came, or the command fails undisturbed
example:
  nlemu sweep -- sh -c 'ip link add red type dummy && ip link set red up'"""

GOOD = ("told", "coped")
ADDRESS = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}|fe80::[0-9a-f:]+")


@dataclass
class Case:
    """What became of one refusal. request: which, counted from 1; said: the last line that the program wrote."""

    request: int
    operation: str
    about: str
    verdict: str
    status: int | None
    said: str


@dataclass
class Run:
    """What became of the command. status: None where it did not end."""

    status: int | None
    said: str
    world: str


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options; the rest is the command."""
    parser.add_argument("--errno", default="ENOMEM", help="with which requests are refused (default: ENOMEM)")
    parser.add_argument("--only", metavar="PATTERN", default="*", help='only these operations, such as "route.new*"')
    parser.add_argument(
        "--interrupt", action="store_true", help="dumps say that they are inconsistent; nothing is refused"
    )
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=60.0, help="after which it hangs (60)")
    parser.add_argument("--json", action="store_true", help="a line of JSON a case")
    kernel_argument(parser, "which Linux it is")
    world_argument(parser)
    parser.add_argument("program", metavar="COMMAND", nargs=argparse.REMAINDER, help="what to run, after --")


def run(options: argparse.Namespace) -> int:
    """Runs the command for each of its requests; tells what became of it."""
    import errno

    from nlemu.emulator.cli import Refused, Usage
    from nlemu.emulator.cli.table import Paint, table

    command = options.program[1:] if options.program[:1] == ["--"] else options.program
    if not command:
        raise Usage("what shall be run? put it after --")
    if not isinstance(getattr(errno, options.errno, None), int):
        raise Usage(f"--errno takes the name of an errno, and not {options.errno!r}")
    with machine(options) as kernel:
        before = world_of(kernel)
        whole = attempt(kernel, command, options.timeout)
        asked = list(kernel.requests)
    if whole.status != 0:
        said = f": {whole.said}" if whole.said else ", and says nothing"
        raise Refused(f"undisturbed, the command ends with {whole.status}{said}")
    cases: list[Case] = []
    wanted = targets(asked, options)
    with Progress() as progress:
        for number, place in wanted:
            operation = asked[number].operation
            progress.show(f"run {len(cases) + 1} of {len(wanted)}: {operation}")
            with machine(options) as kernel:
                if options.interrupt:
                    kernel.interrupt(operation, skip=place)
                else:
                    kernel.fault(operation, errno=options.errno, skip=place)
                ended = attempt(kernel, command, options.timeout)
            what = about(asked[number].values)
            case = Case(number + 1, operation, what, verdict(ended, whole, before), ended.status, ended.said)
            cases.append(case)
            if options.json:
                progress.clear()
                print(json.dumps(asdict(case)), flush=True)
    if not options.json:
        paint = Paint()
        colours = {"told": paint.green, "coped": paint.green}
        for line in table(
            ("REQUEST", "OPERATION", "ABOUT", "VERDICT", "EXIT", "IT SAYS"),
            [(one.request, one.operation, one.about, one.verdict, one.status, one.said) for one in cases],
        ):
            print(line)
        counted = Counter(case.verdict for case in cases)
        print(", ".join(colours.get(name, paint.red)(f"{count} {name}") for name, count in counted.items()))
    return OK if all(case.verdict in GOOD for case in cases) else REFUSED


def machine(options: argparse.Namespace) -> Kernel:
    """A fresh machine, the same every time."""
    from nlemu.kernel import Kernel

    return Kernel(kernel=None if options.kernel is None else options.kernel.name, world=options.world, record=True)


def targets(asked: list[Any], options: argparse.Namespace) -> list[tuple[int, int]]:
    """The requests to be refused, by number; and how many of the same operation come before each."""
    from fnmatch import fnmatchcase

    seen: Counter[str] = Counter()
    found = []
    for number, one in enumerate(asked):
        if fnmatchcase(one.operation, options.only) and not (options.interrupt and not one.dump):
            found.append((number, seen[one.operation]))
        if one.dump or not options.interrupt:
            seen[one.operation] += 1
    return found


def attempt(kernel: Kernel, command: list[str], timeout: float) -> Run:
    """Runs the command once."""
    try:
        done = kernel.run(*command, check=False, timeout=timeout, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as late:
        said = late.stdout or b""
        return Run(None, last(said.decode(errors="replace") if isinstance(said, bytes) else said), world_of(kernel))
    return Run(done.returncode, last(done.stdout), world_of(kernel))


def world_of(kernel: Kernel) -> str:
    """The machine, without hardware addresses and what is made of them."""
    return ADDRESS.sub("", str(kernel.do(export=True)["world"]))


def verdict(ended: Run, whole: Run, before: str) -> str:
    """What to say of a run."""
    if ended.status is None:
        return "hung"
    if ended.status == 0:
        return "coped" if ended.world == whole.world else "hid"
    if ended.status < 0 or ended.status > 128:
        return "died"
    return "told" if ended.world == before else "left"


def last(text: str) -> str:
    """The last line that says anything."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:60] if lines else ""


def about(values: dict[Any, Any]) -> str:
    """What a request is about, in a word or two."""
    for name in ("ifname", "dev-name", "family-name", "ifi-index", "ifindex", "dst", "local"):
        if values.get(name):
            return f"{name} {values[name]}"
    return ""
