"""Records what the scripts print on Linux: `python -m tests.emulator.launch.scripts bzImage-7.2 [name ...]`."""

from __future__ import annotations

import sys

from fixtures.recorder.guest import Guest
from tests.emulator.launch.scripts.chance import blanked
from tests.emulator.launch.scripts.run import COMMAND, SCRIPTS, names, recorded

PREPARED = "mount -t tmpfs tmp /tmp; mkdir -p /run/network"


def main(image: str, *wanted: str) -> None:
    """All of them, or those that are named, each on a guest of its own. The guest's root file system is this machine's,
    and read-only: the folder of the scripts must not lie where something else is mounted there (/tmp, /run)."""
    for name in wanted or names():
        with Guest(image) as guest:
            guest.shell(PREPARED)
            printed = blanked(str(guest.shell(COMMAND.format(folder=SCRIPTS, name=name))["stdout"]))
        recorded(name).write_text(printed)
        print(name, len(printed.splitlines()), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
