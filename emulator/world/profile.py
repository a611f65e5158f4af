"""A NIC's profile of one's own: a table of words, on top of a driver's profile or of none.

What is not said is as the base has it. What a driver does beside its profile (refusals in words of its own, rules,
virtual functions, devlink) goes by the driver's name: a profile with a driver that is not known has none of that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields as fields_of
from dataclasses import replace
from typing import Any

from nlemu.emulator.kernel.devices.features import GRO, GSO, NOCACHE_COPY, SOFT_FEATURES_OFF, word
from nlemu.emulator.kernel.devices.queue import MAX_QUEUES
from nlemu.emulator.kernel.ethtool.settings import COALESCE_NAMES
from nlemu.emulator.kernel.nics.coalescing import CoalesceFacts
from nlemu.emulator.kernel.nics.counters import Block, Counters, Each
from nlemu.emulator.kernel.nics.pci import ETHERNET, Identity
from nlemu.emulator.kernel.nics.private_flags import PrivateFlags
from nlemu.emulator.kernel.nics.profiles import PROFILES, Profile
from nlemu.emulator.kernel.nics.rss import KEY_LEN, RssFacts
from nlemu.emulator.kernel.queues.qstats import RxStats, TxStats
from nlemu.emulator.world.values import (
    ProfileError,
    Put,
    boolean,
    members,
    number,
    page_size,
    strings,
    table,
    text,
    underlined,
    words,
    wrong,
)
from nlemu.protocol.families.ethtool.strings import FEATURES
from nlemu.protocol.uapi.netdev import XdpAct, XdpRxMetadata
from nlemu.protocol.uapi.netdevice import NetifF

U16, U31, U32 = 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF
LARGEST_TABLE = 1 << 16
CONTEXTS = 4096
PRIVATE_FLAGS = 32
"""As many as struct ethtool_value has bits."""
DRIVER_LEN = 31
"""struct ethtool_drvinfo, less the NUL that ends a text."""
KERNELS_OWN = GSO | GRO | SOFT_FEATURES_OFF | NOCACHE_COPY
"""Features that the kernel adds to every device, whatever its driver says (register_netdevice())."""
FEATURE_BITS = {name: NetifF(bit) for bit, name in enumerate(FEATURES) if name}
RINGS = frozenset(("tcp-data-split", "hds-thresh", "rx-buf-len", "tx-push", "tx-push-buf-len"))
TIMES = {each.name.lower(): each for each in Each}


def bits(kind: type[XdpAct | XdpRxMetadata]) -> Put:
    """A list of flags, by their names in the specification."""
    names = {flag.name.lower().replace("_", "-"): flag for flag in kind if flag.name}

    def put(key: str, value: Any) -> int:
        return sum(int(names[one]) for one in words(names)(key, value))

    return put


PLAIN: Mapping[str, tuple[str, Put]] = {
    "about": ("about", text(200)),
    "firmware": ("firmware", text(DRIVER_LEN)),
    "version": ("version", text(DRIVER_LEN)),
    "queues": ("queues", number(1, MAX_QUEUES)),
    "max-queues": ("max_queues", number(1, MAX_QUEUES)),
    "combined": ("combined", boolean),
    "speed": ("speed", number(0, U31)),
    "min-mtu": ("min_mtu", number(0, U31)),
    "max-mtu": ("max_mtu", number(0, U31)),
    "pause": ("pause", boolean),
    "queue-mgmt": ("queue_mgmt", boolean),
    "rx-page-size": ("rx_page_size", page_size),
    "dma": ("dma", boolean),
    "netmem-tx": ("netmem_tx", boolean),
    "xdp": ("xdp_features", bits(XdpAct)),
    "xdp-zc-max-segs": ("xdp_zc_max_segs", number(1, U16)),
    "rx-metadata": ("rx_metadata", bits(XdpRxMetadata)),
}
"""Keys that are a field of a profile each."""
RING_KEYS: Mapping[str, tuple[str, Put]] = {
    "rx": ("ring", number(1, U31)), "rx-max": ("ring_max", number(1, U31)),
    "tx": ("tx_ring", number(1, U31)), "tx-max": ("tx_ring_max", number(1, U31)),
    "buffers": ("buffer_ring", number(0, U31)), "buffers-max": ("buffer_ring_max", number(0, U31)),
    "rx-buf-len": ("rx_buf_len", number(0, U31)),
    "hds-thresh": ("hds_thresh", number(0, U31)), "hds-thresh-max": ("hds_thresh_max", number(0, U31)),
    "settable": ("settable_rings", lambda key, value: frozenset(map(underlined, words(sorted(RINGS))(key, value)))),
}


def rings(base: Profile, key: str, value: Any) -> dict[str, Any]:
    """Sizes of rings, their limits, and what else of them can be set."""
    said = members(key, value, {name: put for name, (_, put) in RING_KEYS.items()})
    return {RING_KEYS[name][0]: one for name, one in said.items()}


def features(base: Profile, key: str, value: Any) -> dict[str, Any]:
    """Features by their names, in lists of what they are at first and whether they can be set; as the base has those
    that are not named."""
    lists = dict.fromkeys(("on", "off", "fixed-on", "fixed-off"), words(FEATURE_BITS))
    said = members(key, value, lists)
    on, settable = base.features, base.features if base.settable is None else base.settable
    seen: set[str] = set()
    for which, names in said.items():
        mask = word(*(FEATURE_BITS[name] for name in names))
        if mask & KERNELS_OWN:
            own = next(name for name in names if word(FEATURE_BITS[name]) & KERNELS_OWN)
            raise ProfileError(f"{key}.{which}", f"{own} is the kernel's own, of every device")
        if twice := seen.intersection(names):
            raise ProfileError(f"{key}.{which}", f"{min(twice)} is said in two lists")
        seen |= set(names)
        on = on | mask if which in ("on", "fixed-on") else on & ~mask
        settable = settable | mask if which in ("on", "off") else settable & ~mask
    inherited = base.features if base.vlan_features is None else base.vlan_features
    return {"features": on, "settable": settable, "vlan_features": inherited & (on | settable)}


def rss(base: Profile, key: str, value: Any) -> dict[str, Any]:
    """How packets are spread: entries of the table, bytes of the key, contexts; false for a NIC that does not."""
    if value is False:
        return {"rss": None}
    known = {"table": number(1, LARGEST_TABLE), "key": number(1, KEY_LEN), "contexts": number(0, CONTEXTS)}
    said = members(key, value, known)
    if base.rss is not None:
        return {"rss": replace(base.rss, **said)}
    for needed in ("table", "key"):
        if needed not in said:
            raise ProfileError(f"{key}.{needed}", "is missing, and the base has none")
    return {"rss": RssFacts(**said)}


def coalesce(base: Profile, key: str, value: Any) -> dict[str, Any]:
    """Parameters that can be set, and those that are not zero at first."""
    names = [name.replace("_", "-") for name in COALESCE_NAMES]
    table(key, value, ("settable", "first"))
    settable = base.coalesce.settable
    if "settable" in value:
        settable = frozenset(map(underlined, words(names)(f"{key}.settable", value["settable"])))
    first = {name: one for name, one in base.coalesce.first.items() if name in settable}
    said = members(f"{key}.first", value.get("first", {}), dict.fromkeys(names, number(0, U32)))
    for name, one in said.items():
        if underlined(name) not in settable:
            raise ProfileError(f"{key}.first.{name}", "is not among those that can be set")
        first[underlined(name)] = one
    return {"coalesce": CoalesceFacts(settable, first)}


COUNTED = {
    f"{side}-{field.name.replace('_', '-')}": (side, field.name)
    for side, kind in (("rx", RxStats), ("tx", TxStats)) for field in fields_of(kind)
}
"""What is counted of a queue, by the names of qstats-get."""


def statistics(base: Profile, key: str, value: Any) -> dict[str, Any]:
    """What `ethtool -S` shows: blocks of names, each once, for each queue in use, or for each that there could be
    ({} is its number); `counted` says what a name counts, which else is zero."""
    if not isinstance(value, list):
        raise wrong(key, "a list of tables", value)
    blocks, counted = [], {}
    for place, one in enumerate(value):
        here = f"{key}[{place}]"
        table(here, one, ("each", "names", "counted"))
        (each,) = words(TIMES)(f"{here}.each", [one.get("each", "once")])
        names = strings(f"{here}.names", one.get("names", []))
        for name in names:
            if any(brace in name.replace("{}", "", each != "once") for brace in "{}"):
                raise ProfileError(f"{here}.names", f"{name!r} has braces, which stand once, for the number of a queue")
        for name, what in table(f"{here}.counted", one.get("counted", {})).items():
            if name not in names:
                raise ProfileError(f"{here}.counted", f"there is no name {name!r} in this block")
            words(COUNTED)(f"{here}.counted", [what])
            counted[name] = COUNTED[what]
        blocks.append(Block(TIMES[each], names))
    return {"counters": Counters(tuple(blocks), counted)}


def qstats(base: Profile, key: str, value: Any) -> dict[str, Any]:
    """What is counted a queue."""
    known = {side: [name[3:] for name in COUNTED if name.startswith(side)] for side in ("rx", "tx")}
    said = members(key, value, {side: words(names) for side, names in known.items()})
    return {f"{side}_counters": tuple(map(underlined, names)) for side, names in said.items()}


def private(base: Profile, key: str, value: Any) -> dict[str, Any]:
    """The driver's own flags, and which of them are on."""
    said = members(key, value, {"names": strings, "on": strings})
    names = said.get("names", ())
    if len(names) > PRIVATE_FLAGS or len(set(names)) < len(names):
        raise ProfileError(f"{key}.names", f"at most {PRIVATE_FLAGS} names belong here, none of them twice")
    on = words(names)(f"{key}.on", list(said.get("on", ())))
    return {"private": PrivateFlags(names, first=frozenset(on))}


def pci(base: Profile, key: str, value: Any) -> dict[str, Any]:
    """Numbers of the configuration space."""
    said = members(key, value, {
        "vendor": number(0, U16), "device": number(0, U16), "subsystem-vendor": number(0, U16),
        "subsystem-device": number(0, U16), "revision": number(0, 0xFF), "class": number(0, 0xFFFFFF),
    })
    for needed in ("vendor", "device"):
        if needed not in said:
            raise ProfileError(f"{key}.{needed}", "is missing")
    kind = said.pop("class", ETHERNET)
    zero = {"subsystem_vendor": 0, "subsystem_device": 0}
    return {"identity": Identity(kind=kind, **zero | {underlined(name): one for name, one in said.items()})}


TABLES: Mapping[str, Callable[[Profile, str, Any], dict[str, Any]]] = {
    "rings": rings, "features": features, "rss": rss, "coalesce": coalesce, "statistics": statistics,
    "qstats": qstats, "private-flags": private, "pci": pci,
}
KEYS = ("name", "driver", "base", *PLAIN, *TABLES)


def profile_of(said: Mapping[str, Any]) -> Profile:
    """The profile that a table tells. Raises ProfileError, which names the key."""
    for key in said:
        if key not in KEYS:
            raise ProfileError(key, f"there is no such key; there are {', '.join(KEYS)}")
    for key in ("name", "driver", "base"):
        text(DRIVER_LEN)(key, said.get(key, ""))
    if not said.get("name"):
        raise ProfileError("name", "is missing")
    if said["name"] in PROFILES:
        raise ProfileError("name", f"{said['name']} is the profile of the driver itself")
    if not (said.get("driver") or said.get("base")):
        raise ProfileError("driver", "is missing, and so is base")
    if "base" in said and said["base"] not in PROFILES:
        raise ProfileError("base", f"there is no {said['base']!r}, but {', '.join(PROFILES)}")
    driver = said.get("driver") or said["base"]
    base = PROFILES.get(said.get("base", driver), Profile(driver, ""))
    changes: dict[str, Any] = {"driver": driver, "said": dict(said)}
    for key, value in said.items():
        if key in PLAIN:
            field, put = PLAIN[key]
            changes[field] = put(key, value)
        elif key in TABLES:
            changes |= TABLES[key](base, key, value)
    profile = replace(base, **changes)
    limits(profile)
    return profile


def limits(profile: Profile) -> None:
    """Refuses what is above its own limit. Raises ProfileError."""
    tx_max = profile.tx_ring_max or profile.ring_max
    for key, value, limit_key, limit in (
        ("queues", profile.queues, "max-queues", profile.max_queues),
        ("min-mtu", profile.min_mtu, "max-mtu", profile.max_mtu),
        ("rings.rx", profile.ring, "rings.rx-max", profile.ring_max),
        ("rings.tx", profile.tx_ring or profile.ring, "rings.tx-max", tx_max),
        ("rings.buffers", profile.buffer_ring, "rings.buffers-max", profile.buffer_ring_max),
        ("rings.hds-thresh", profile.hds_thresh, "rings.hds-thresh-max", profile.hds_thresh_max),
    ):
        if value > limit:
            raise ProfileError(key, f"is {value}, and {limit_key} {limit}")
