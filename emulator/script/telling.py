"""What goes over a machine's sockets, told in the log as it goes: a line a message, decoded."""

from __future__ import annotations

import logging

from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.machine.tap import Heard
from nlemu.protocol.decode.message import read
from nlemu.protocol.decode.printer import one_line
from nlemu.protocol.frame import split
from nlemu.protocol.names.known import by_number

log = logging.getLogger(__name__)


def tell(machine: Machine) -> Machine:
    """From now on that machine's log has every message; the machine itself."""
    families = by_number({family.name: number for family, number in machine.families.numbers.items()})

    def hear(heard: Heard) -> None:
        endpoint = heard.endpoint
        way = ">" if heard.to_kernel else "<"
        for header, data in split(heard.data):
            message = one_line(read(data, endpoint.protocol, families))
            fields = {
                "netns": endpoint.net.name, "protocol": endpoint.spec.name, "port": endpoint.portid,
                "way": "to kernel" if heard.to_kernel else "to user", "seq": header.seq,
            }
            log.debug(
                "%s port %d %s %d %s", endpoint.net.name, endpoint.portid, way, header.seq, message,
                extra={"fields": fields},
            )

    machine.listen(hear)
    return machine
