# mypy: ignore-errors
"""What the files below /proc/net say, printed line by line.

Run in a new network namespace under `nlemu run` and on Linux, the lines have to be the same. Addresses of kernel memory
and numbers of inodes are not shown.
"""

import os
import re

TOP = "/proc/net"
names = sorted(
    os.path.relpath(os.path.join(folder, name), TOP) for folder, _, files in os.walk(TOP + "/") for name in files
)
for name in names:
    with open(f"{TOP}/{name}", "rb") as file:
        data = file.read()
    print("file", name)
    if b"\0" in data:
        print(f"{name}: {len(data)} bytes, {len(data.strip(bytes(1)))} of them not zero")
        continue
    for line in data.decode().splitlines():
        if name == "netlink":
            line = re.sub(r"^[0-9a-f]{16}|\d+ *$", "X", line)
        print(f"{name}: {line!r}")
