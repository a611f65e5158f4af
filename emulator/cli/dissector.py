"""``nlemu dissector``: a dissector for Wireshark and tshark, on standard output."""

from __future__ import annotations

import argparse
import sys

from nlemu.emulator.cli import OK

DESCRIPTION = """Write a dissector in Lua for Wireshark and tshark, made from the declarations here: generic netlink
families that these do not know (netdev, ethtool, net-shaper), and what errors say of themselves."""
EPILOG = """  nlemu dissector > nlemu.lua
  tshark -X lua_script:nlemu.lua -r FILE -V
  tshark -X lua_script:nlemu.lua -o nlemu.numbers:netdev=20 -r FILE -Y 'nlemu.command == "queue-create"'

Wireshark takes it from its folder of personal plugins. As root, neither runs scripts unless it is told to. Numbers of
families are learnt from the answers of nlctrl in the capture; -2 lets tshark know them from the beginning."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options, of which there are none."""


def run(options: argparse.Namespace) -> int:
    """Writes it; the exit code."""
    from nlemu.protocol.decode.wireshark import dissector

    sys.stdout.write(dissector())
    return OK
