"""Features, in three generations: a command for each (checksums, TSO ...), five in one word of flags, and all of them.

What comes of a wish is the model's, as by netlink; that features are other ones now is seen and told by whoever called
(commands.py), as of every command.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import features
from nlemu.emulator.launch.ioctls.ethtool.request import Request, unsupported
from nlemu.protocol.schema import ethtool_ioctls as structs
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.uapi.ethtool import EthFlag, EthtoolIoctl, SfeaturesResult
from nlemu.protocol.uapi.netdevice import NETDEV_FEATURE_COUNT, NetifF

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

SIZE = prepare(structs.ethtool_gfeatures)
GET_BLOCK = prepare(structs.ethtool_get_features_block)
SET_BLOCK = prepare(structs.ethtool_set_features_block)
BLOCKS = (NETDEV_FEATURE_COUNT + 31) // 32
"""ETHTOOL_DEV_FEATURE_WORDS."""
U32 = 0xFFFFFFFF
ETHTOOL_BITS = (1 << NETDEV_FEATURE_COUNT) - 1 & ~features.NEVER_CHANGE
"""NETIF_F_ETHTOOL_BITS."""

TX_CSUM = features.HW_CSUM | features.IP_CSUM | features.IPV6_CSUM | features.FCOE_CRC | features.SCTP_CRC
DISCRETE = (
    (EthtoolIoctl.GTXCSUM, EthtoolIoctl.STXCSUM, TX_CSUM),
    (EthtoolIoctl.GRXCSUM, EthtoolIoctl.SRXCSUM, features.RXCSUM),
    (EthtoolIoctl.GSG, EthtoolIoctl.SSG, features.SG | features.FRAGLIST),
    (EthtoolIoctl.GTSO, EthtoolIoctl.STSO, features.ALL_TSO),
    (EthtoolIoctl.GGSO, EthtoolIoctl.SGSO, features.GSO),
    (EthtoolIoctl.GGRO, EthtoolIoctl.SGRO, features.GRO),
)
"""Commands to read and to set, and what they are about (ethtool_get_feature_mask())."""
MASKS = {int(command): mask for get, set_, mask in DISCRETE for command in (get, set_)}
FLAGS = (
    (EthFlag.LRO, features.LRO),
    (EthFlag.RXVLAN, features.word(NetifF.HW_VLAN_CTAG_RX)),
    (EthFlag.TXVLAN, features.word(NetifF.HW_VLAN_CTAG_TX)),
    (EthFlag.NTUPLE, features.word(NetifF.NTUPLE)),
    (EthFlag.RXHASH, features.word(NetifF.RXHASH)),
)
ALL_FLAGS = sum(int(flag) for flag, _ in FLAGS)
ALL_FEATURES = sum(feature for _, feature in FLAGS)


def wish(dev: Device, wanted: int) -> None:
    """Another wish, and what comes of it."""
    if wanted != dev.wanted_features:
        dev.wanted_features = wanted
        dev.changed()
    features.recompute(dev)


def get_one(request: Request) -> None:
    """ethtool_get_one_feature()."""
    request.answer_number(int(bool(request.dev.features & MASKS[request.command])))


def set_one(request: Request) -> None:
    """ethtool_set_one_feature()."""
    dev, value = request.dev, request.number()
    mask = MASKS[request.command] & dev.hw_features
    if not mask:
        unsupported(request)
    wish(dev, dev.wanted_features | mask if value else dev.wanted_features & ~mask)


def get_flags(request: Request) -> None:
    """__ethtool_get_flags()."""
    request.answer_number(sum(int(flag) for flag, feature in FLAGS if request.dev.features & feature))


def set_flags(request: Request) -> None:
    """__ethtool_set_flags(): all five are meant; one that would change and cannot is refused, and told apart from
    others that could."""
    dev, value = request.dev, request.number()
    if value & ~ALL_FLAGS:
        raise OSError(errno.EINVAL, "other flags")
    wanted = sum(feature for flag, feature in FLAGS if value & flag)
    changed = (wanted ^ dev.features) & ALL_FEATURES
    if changed & ~dev.hw_features:
        raise OSError(errno.EINVAL if changed & dev.hw_features else errno.EOPNOTSUPP, "cannot be changed")
    wish(dev, dev.wanted_features & ~changed | wanted & changed)


def get_features(request: Request) -> None:
    """ethtool_get_features(): as many words as there is room for."""
    dev, room = request.dev, min(request.read(SIZE).size, BLOCKS)
    request.write(SIZE.pack(cmd=request.command, size=BLOCKS))
    kinds = (dev.hw_features, dev.wanted_features, dev.features, features.NEVER_CHANGE)
    blocks = (GET_BLOCK.pack(tuple(kind >> 32 * index & U32 for kind in kinds)) for index in range(room))
    request.write(b"".join(blocks), SIZE.size)


def set_features(request: Request) -> int:
    """ethtool_set_features(): returns what came of it, SfeaturesResult."""
    dev, result = request.dev, SfeaturesResult(0)
    if request.read(SIZE).size != BLOCKS:
        raise OSError(errno.EINVAL, "another number of words")
    blocks = [request.read(SET_BLOCK, SIZE.size + SET_BLOCK.size * index) for index in range(BLOCKS)]
    valid = sum(block.valid << 32 * index for index, block in enumerate(blocks))
    wanted = sum(block.requested << 32 * index for index, block in enumerate(blocks))
    if valid & ~ETHTOOL_BITS:
        raise OSError(errno.EINVAL, "what user space never changes")
    if valid & ~dev.hw_features:
        valid &= dev.hw_features
        result |= SfeaturesResult.UNSUPPORTED
    wish(dev, dev.wanted_features & ~valid | wanted & valid)
    if (dev.wanted_features ^ dev.features) & valid:
        result |= SfeaturesResult.WISH
    return int(result)
