"""The daemon to be measured: `python -m tests.bench.daemon DIR` serves until it is killed."""

import sys

from emulator import server

if __name__ == "__main__":
    server.run(sys.argv[1], ready=lambda: print("ready", flush=True))
