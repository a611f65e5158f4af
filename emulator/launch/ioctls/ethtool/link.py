"""The link and what is on it: its settings in two structures, whether there is one, error correction, time stamps, the
address that the device came with."""

from __future__ import annotations

import errno

from nlemu.emulator.kernel.ethtool import link as model
from nlemu.emulator.launch.ioctls.ethtool.request import Request, unsupported, want
from nlemu.protocol.schema import ethtool_ioctls as structs
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.uapi.ethtool import LINK_MODE_MASK_NBITS, FecFlag, KernelMsg

CMD = prepare(structs.ethtool_cmd)
LINK_SETTINGS = prepare(structs.ethtool_link_settings)
MASKS = prepare(structs.link_mode_masks)
FEC = prepare(structs.ethtool_fecparam)
PERM_ADDR = prepare(structs.ethtool_perm_addr)
TS_INFO = prepare(structs.ethtool_ts_info)
WORDS = structs.LINK_MODE_WORDS
U32 = 0xFFFFFFFF
BASE = ("duplex", "port", "phy_address", "autoneg", "tp_mdix", "tp_mdix_ctrl", "transceiver")
"""What both structures say by those names."""
MODES = ("supported", "advertising", "lp_advertising")
ETOOSMALL = 525
"""Of NFSv3, and of here: user space has no name for it."""


def get_settings(request: Request) -> None:
    """ethtool_get_settings(): of the link modes the first 32."""
    want(request, "get_link_ksettings")
    settings = request.dev.ops.get_link_ksettings(request.dev)
    speed = settings.speed & U32
    request.write(CMD.pack(
        cmd=request.command, speed=speed & 0xFFFF, speed_hi=speed >> 16,
        **{name: getattr(settings, name) for name in BASE},
        **{name: getattr(settings, name) & U32 for name in MODES},
    ))


def set_settings(request: Request) -> None:
    """ethtool_set_settings()."""
    said = request.read(CMD)
    want(request, "set_link_ksettings")
    if said.maxtxpkt or said.maxrxpkt:
        raise OSError(errno.EINVAL, "what nobody says any more")
    _set(request, model.LinkSettings(
        speed=said.speed_hi << 16 | said.speed,
        **{name: getattr(said, name) for name in (*BASE, *MODES) if name != "transceiver"},
    ))


def _set(request: Request, wanted: model.LinkSettings) -> None:
    request.dev.ops.set_link_ksettings(request.dev, wanted)
    request.tell(KernelMsg.LINKINFO_NTF, KernelMsg.LINKMODES_NTF)


def set_link_settings(request: Request) -> None:
    """ethtool_set_link_ksettings()."""
    want(request, "set_link_ksettings")
    said = request.read(LINK_SETTINGS)
    if said.link_mode_masks_nwords != WORDS:
        raise OSError(errno.EINVAL, "another number of words")
    masks = request.read(MASKS, LINK_SETTINGS.size)
    if said.master_slave_cfg or said.master_slave_state:
        raise OSError(errno.EINVAL, "who leads is said by netlink alone")
    _set(request, model.LinkSettings(
        speed=said.speed, rate_matching=said.rate_matching, **{name: getattr(said, name) for name in BASE},
        **{name: modes(getattr(masks, name)) for name in MODES},
    ))


def get_link_settings(request: Request) -> None:
    """ethtool_get_link_ksettings(): who does not know how many words there are of link modes is told that first, as a
    negative number, and asks again."""
    want(request, "get_link_ksettings")
    if request.read(LINK_SETTINGS).link_mode_masks_nwords != WORDS:
        request.write(LINK_SETTINGS.pack(cmd=request.command, link_mode_masks_nwords=-WORDS))
        return
    settings = request.dev.ops.get_link_ksettings(request.dev)
    base = LINK_SETTINGS.pack(
        cmd=request.command, speed=settings.speed & U32, link_mode_masks_nwords=WORDS,
        **{name: getattr(settings, name) for name in BASE},
    )
    request.write(base + MASKS.pack(**{name: words(getattr(settings, name)) for name in MODES}))


def words(modes: int) -> tuple[int, ...]:
    """bitmap_to_arr32()."""
    return tuple(modes >> 32 * index & U32 for index in range(WORDS))


def modes(words: tuple[int, ...]) -> int:
    """bitmap_from_arr32()."""
    return sum(word << 32 * index for index, word in enumerate(words)) & (1 << LINK_MODE_MASK_NBITS) - 1


def get_link(request: Request) -> None:
    """ethtool_get_link()."""
    link = model.get_link(request.dev)
    if link is None:
        unsupported(request)
    request.answer_number(int(bool(link)))


def get_fec(request: Request) -> None:
    """ethtool_get_fecparam()."""
    want(request, "get_fecparam")
    fec = model.get_fec(request.dev)
    command = request.command if fec.command is None else fec.command
    request.write(FEC.pack(cmd=command, active=fec.active, fec=fec.fec))


def set_fec(request: Request) -> None:
    """ethtool_set_fecparam(). Nobody is told."""
    want(request, "set_fecparam")
    wanted = request.read(FEC)
    if not wanted.fec or wanted.fec & FecFlag.NONE:
        raise OSError(errno.EINVAL, "none is not a way to correct errors")
    request.dev.ops.set_fecparam(request.dev, model.Fec(wanted.fec, 0, wanted.cmd))


def get_ts_info(request: Request) -> None:
    """ethtool_get_ts_info()."""
    info = model.get_ts_info(request.dev)
    names = ("so_timestamping", "phc_index", "tx_types", "rx_filters")
    request.write(TS_INFO.pack(cmd=request.command, **{name: getattr(info, name) for name in names}))


def get_permanent_address(request: Request) -> None:
    """ethtool_get_perm_addr()."""
    dev = request.dev
    asked = request.read(PERM_ADDR)
    if asked.size < dev.addr_len:
        raise OSError(ETOOSMALL, "too little room")
    request.write(PERM_ADDR.pack(cmd=asked.cmd, size=dev.addr_len))
    request.write(dev.perm_address[: dev.addr_len].ljust(dev.addr_len, b"\0"), PERM_ADDR.size)
