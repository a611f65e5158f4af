"""What devlink could do with the instances of NICs and the emulator does not: refused, by name, where the kernel would
begin with it.

Where there is no instance, or none of that name, the kernel refuses, and so do we.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from nlemu.emulator.handlers.devlink.instance import find

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devlink.instance import Instance
    from nlemu.emulator.netlink.call import Call


def refuse(call: Call) -> NoReturn:
    """Refusal: see `Machine.refuse_not_emulated()`."""
    call.machine.refuse_not_emulated(f"devlink {call.op.name}")


def find_whole(call: Call) -> Instance:
    """The instance that the request names, if all that it has is here. Refusal: see `find()`, `refuse()`."""
    instance = find(call)
    if not instance.whole:
        refuse(call)
    return instance
