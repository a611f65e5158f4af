"""The daemon to be measured: `python -m tests.bench.daemon DIR` serves until it is killed."""

import gc
import sys

from nlemu.emulator import cli
from nlemu.emulator.daemon import server

if __name__ == "__main__":
    gc.set_threshold(cli.ALLOCATIONS)
    server.run(sys.argv[1], ready=lambda: print("ready", flush=True))
