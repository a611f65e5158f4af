"""The states of a device, and how it came by its name and address (include/linux/netdevice.h)."""

from __future__ import annotations

from enum import IntEnum

from nlemu.protocol.uapi.if_ import IfOper

IF_OPER_DOWN = int(IfOper.DOWN)


class RegState(IntEnum):
    """dev->reg_state (include/linux/netdevice.h)."""

    UNINITIALIZED = 0
    REGISTERED = 1
    UNREGISTERING = 2
    UNREGISTERED = 3
    RELEASED = 4


class AddressAssignment(IntEnum):
    """dev->addr_assign_type: NET_ADDR_*."""

    PERM = 0
    RANDOM = 1
    STOLEN = 2
    SET = 3


class NameAssignment(IntEnum):
    """dev->name_assign_type: NET_NAME_*."""

    UNKNOWN = 0
    ENUM = 1
    PREDICTABLE = 2
    USER = 3
    RENAMED = 4


class Xmit(IntEnum):
    """NET_XMIT_* (include/linux/netdevice.h): what became of a frame that was handed over."""

    SUCCESS = 0
    DROP = 1
    CN = 2
    """The queue dropped it, or may have: the sender is to slow down."""


class NetmemTx(IntEnum):
    """dev->netmem_tx: enum netmem_tx_mode."""

    NONE = 0
    DMA = 1
    NO_DMA = 2
