"""How often each message was asked for, and with what it was refused: counted as it happens, named when asked.

A key is a message's type and the byte behind its header, which is the command of generic netlink and the protocol
family of rtnetlink, in one number. Requests of what there is not are counted together, so that nobody can make the
counters grow. A machine counts when it is told to, at its beginning; one that does not pays nothing: an endpoint looks
once, when it is made.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from nlemu.protocol.uapi.netlink import NLM_F, NLMSG_MIN_TYPE

if TYPE_CHECKING:
    from nlemu.emulator.machine.endpoint import Endpoint
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.dump import Dump

UNKNOWN = -1
REQUEST = int(NLM_F.REQUEST)
MIN_TYPE = int(NLMSG_MIN_TYPE)


class Tally:
    """Of the sockets of one netlink protocol. asked: requests by key; refused: those of them that were refused, by key
    and errno, a dump that ended with an error among them."""

    __slots__ = ("asked", "refused")

    def __init__(self) -> None:
        self.asked: defaultdict[int, int] = defaultdict(int)
        self.refused: defaultdict[tuple[int, int], int] = defaultdict(int)

    def ask(self, message: bytes, kind: int) -> None:
        """A request of that type."""
        self.asked[key_of(message, kind)] += 1

    def refuse(self, call: Call, errno: int) -> None:
        """One that was counted is refused."""
        key = key_of(call.message, call.type)
        if not hasattr(call, "op"):  # there is no such request
            self.asked[key] -= 1
            if not self.asked[key]:
                del self.asked[key]
            key = UNKNOWN
            self.asked[key] += 1
        self.refused[key, errno] += 1

    def follow(self, endpoint: Endpoint) -> None:
        """From now on what is asked on that endpoint is counted."""
        process, acknowledge, go_on = endpoint._process, endpoint.acknowledge, endpoint._continue

        def counted(message: bytes, kind: int, flags: int, seq: int) -> None:
            if flags & REQUEST and kind >= MIN_TYPE:
                self.ask(message, kind)
            process(message, kind, flags, seq)

        def told(call: Call, failed: int = 0) -> None:
            if failed:
                self.refuse(call, failed)
            acknowledge(call, failed)

        def gone_on(dump: Dump) -> bool:
            done = go_on(dump)
            if dump.errno and not endpoint.dumping:
                self.refuse(dump.call, dump.errno)
            return done

        endpoint._process = counted  # type: ignore[method-assign]
        endpoint.acknowledge = told  # type: ignore[method-assign]
        endpoint._continue = gone_on  # type: ignore[method-assign]


def key_of(message: bytes, kind: int) -> int:
    """Under which number a message is counted."""
    return kind << 8 | message[16] if len(message) > 16 else kind << 8


def type_and_command(key: int) -> tuple[int, int]:
    """What a key is made of."""
    return key >> 8, key & 0xFF
