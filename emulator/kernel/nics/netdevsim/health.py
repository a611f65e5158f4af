"""netdevsim: two reporters of health, one that has nothing to say and one that says something of every type
(drivers/net/netdevsim/health.c). Errors are reported by a write to debugfs."""

from __future__ import annotations

from errno import EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devlink.health import Fmsg, Mark, Reporter, ReporterOps
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DevlinkCmd, DevlinkVarAttrType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.nics.netdevsim.device import BusDevice

FAIL = "netdevsim: User setup the recover to fail for testing purposes"
FLAG, U8, U32, U64, STRING = (
    DevlinkVarAttrType.FLAG, DevlinkVarAttrType.U8, DevlinkVarAttrType.U32, DevlinkVarAttrType.U64,
    DevlinkVarAttrType.NUL_STRING,
)
BINARY_LEN = 16
COUNT = 10
"""Of numbers in an array, and of objects in another."""


class Empty(ReporterOps):
    """nsim_dev_empty_reporter_ops."""

    name = "empty"


class Dummy(ReporterOps):
    """nsim_dev_dummy_reporter_ops, and struct nsim_dev_health. binary_len, fail_recover: debugfs; recovered: what was
    said of the last error that it recovered from."""

    name = "dummy"
    recovers = True

    def __init__(self, device: BusDevice) -> None:
        self.device = device
        self.binary_len = BINARY_LEN
        self.fail_recover = False
        self.recovered: str | None = None

    def recover(self, message: str | None) -> None:
        """nsim_dev_dummy_reporter_recover()."""
        if self.fail_recover:
            raise Refusal(EINVAL, FAIL)
        if message is not None:
            self.recovered = message

    def dump(self, fmsg: Fmsg, message: str | None) -> None:
        """nsim_dev_dummy_reporter_dump()."""
        if message is not None:
            fmsg.pair("break_message", STRING, message)
        self._put(fmsg)

    def diagnose(self, fmsg: Fmsg) -> None:
        """nsim_dev_dummy_reporter_diagnose()."""
        if self.recovered is not None:
            fmsg.pair("recovered_break_message", STRING, self.recovered)
        self._put(fmsg)

    def _put(self, fmsg: Fmsg) -> None:
        """nsim_dev_dummy_fmsg_put(): two nests more end in the middle than began."""
        fmsg.pair("test_bool", FLAG, 1)
        fmsg.pair("test_u8", U8, 1)
        fmsg.pair("test_u32", U32, 3)
        fmsg.pair("test_u64", U64, 4)
        fmsg.pair("test_string", STRING, "somestring")
        fmsg.binary("test_binary", self.device.bus.kernel.random.randbytes(self.binary_len))
        with fmsg.nest(Mark.PAIR, "test_nest", Mark.OBJECT):
            fmsg.pair("nested_test_bool", FLAG, 0)
            fmsg.pair("nested_test_u8", U8, 0)
        fmsg.end(2)
        with fmsg.nest(Mark.PAIR, "test_u32_array", Mark.ARRAY):
            for number in range(COUNT):
                fmsg.put(U32, number)
        with fmsg.nest(Mark.PAIR, "test_array_of_objects", Mark.ARRAY):
            for number in range(COUNT):
                with fmsg.nest(Mark.OBJECT):
                    fmsg.pair("in_array_nested_test_bool", FLAG, 0)
                    fmsg.pair("in_array_nested_test_u8", U8, number)


def reporters(device: BusDevice) -> tuple[Reporter, ...]:
    """nsim_dev_health_init()."""

    def tell(reporter: Reporter) -> None:
        device.tell(DevlinkCmd.HEALTH_REPORTER_RECOVER, reporter)

    return tuple(Reporter(ops, device.bus.kernel.clock, tell) for ops in (Empty(), Dummy(device)))


def break_health(device: BusDevice, message: str) -> None:
    """debugfs health/break_health: an error is reported, with that message. ECANCELED: nothing is done about it;
    EINVAL: no message, or recovering failed."""
    if not message:
        raise Refusal(EINVAL)
    dummy = device.reporter("dummy")
    dummy.report(message.removesuffix("\n"))
