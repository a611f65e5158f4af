"""The verbs of steps: what each is done to, what it needs, and what it may have."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nlemu.emulator.script.checks import (
    Check,
    an_object,
    boolean,
    datagram,
    errno_name,
    integer,
    label,
    list_of,
    name_or_number,
    name_or_object,
    probability,
    seconds,
    table_of,
    text,
    true_or_name,
    tuple_of,
    u31,
    u32,
    u64,
    word_of,
)


@dataclass(frozen=True)
class Verb:
    """What a verb takes: checks of its subject, of the arguments it needs, and of those it may have."""

    subject: Check
    needs: Mapping[str, Check] = field(default_factory=dict)
    takes: Mapping[str, Check] = field(default_factory=dict)


AIM: Mapping[str, Check] = {
    "netns": label, "port": u32, "device": name_or_number, "where": an_object, "skip": u31, "count": u31,
    "chance": probability, "seed": u32, "name": label,
}
"""Whom a fault is for: emulator/script/faults.py."""

VERBS: Mapping[str, Verb] = {
    "fault": Verb(
        label,
        takes={
            "errno": errno_name, "text": text, "at": label, "after": u31, "split": u31, "then": an_object,
            "hang_up": word_of("asked", "done"), "restart": boolean, **AIM,
        },
    ),
    "interrupt": Verb(label, takes={"after": u31, **AIM}),
    "notice": Verb(
        label, needs={"fate": word_of("lose", "duplicate", "delay", "swap")}, takes={"seconds": seconds, **AIM}
    ),
    "lose": Verb(label, takes={"count": u31}),
    "heal": Verb(true_or_name),
    "netns": Verb(label),
    "netns_del": Verb(label),
    "nsim_new": Verb(tuple_of(u32, u32, u32)),
    "nsim_del": Verb(u32),
    "nsim_vfs": Verb(tuple_of(u32, u32)),
    "firmware": Verb(label),
    "nsim_write": Verb(tuple_of(u32, label, text)),
    "open": Verb(
        label,
        needs={"proto": u32},
        takes={
            "netns": label, "port": u32, "opts": list_of(tuple_of(integer, integer)), "uid": u32, "rcvbuf": u32,
        },
    ),
    "opt": Verb(label, needs={"name": integer, "value": integer}),
    "close": Verb(label),
    "send": Verb(
        label,
        needs={"hex": datagram},
        takes={
            "patch_fd": list_of(tuple_of(u32, label)), "patch_dmabuf": list_of(tuple_of(u32, label)), "pause": seconds,
        },
    ),
    "xsk": Verb(
        label,
        needs={"ifindex": u32, "queue": u32},
        takes={"netns": label, "flags": u32, "uid": u32, "shared": label, "chunk_size": u32, "headroom": u32},
    ),
    "xdp": Verb(label, needs={"ifindex": u32}, takes={"netns": label, "flags": u32, "frags": boolean}),
    "zcrx": Verb(
        label,
        needs={"ifindex": u32, "queue": u32},
        takes={"netns": label, "rx_buf_len": u32, "uid": u32, "contiguous": u32},
    ),
    "dmabuf": Verb(label, takes={"pages": u32}),
    "tun": Verb(label, needs={"flags": u32}, takes={"netns": label, "ifname": text, "ifindex": u32, "uid": u32}),
    "tun_set": Verb(
        label,
        needs={
            "what": word_of("persist", "owner", "group", "link", "offload", "queue", "sndbuf", "carrier"),
            "value": integer,
        },
    ),
    "end": Verb(label),
    "sleep": Verb(seconds),
    # What is done to the emulator only: no kernel has devices that come when they are called.
    "nic_new": Verb(
        label,
        needs={"profile": name_or_object},
        takes={
            "netns": label, "name": label, "queues": u32, "address": text, "bus": label, "dma": boolean,
            "functions": u32, "hds_thresh": u32, "max_queues": u32, "netmem_tx": boolean, "queue_mgmt": boolean,
            "numa_node": u31, "total_vfs": u32, "vfs": u32, "rx_page_size": u32, "speed": u32,
            "xdp_features": u32, "xdp_zc_max_segs": u32,
        },
    ),
    "nic_del": Verb(label),
    "traffic": Verb(
        u32,
        takes={
            "netns": label, "queue": u32, "rx_packets": u64, "rx_bytes": u64, "tx_packets": u64, "tx_bytes": u64,
        },
    ),
    "stats": Verb(u32, takes={"netns": label, "set": table_of(u64), "add": table_of(u64)}),
    "queue_stats": Verb(
        u32,
        needs={"type": word_of("rx", "tx")},
        takes={"netns": label, "queue": u32, "set": table_of(u64), "add": table_of(u64)},
    ),
    "napi": Verb(u32, takes={"netns": label, "irq": u31, "pid": u31}),
    "page_pool": Verb(
        u32, takes={"netns": label, "take": u32, "put": u32, "set": table_of(u64), "add": table_of(u64)}
    ),
}
