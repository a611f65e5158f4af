"""Of /proc/net what lists sockets and protocols: netlink, which are real, and those of which there are none
(af_netlink.c, tcp_ipv4.c, udp.c, raw.c, af_unix.c, af_packet.c ...).

Sockets of other families than netlink's are this machine's own, and in its own network. A program is shown none of
them, as in a network namespace in which nobody has opened one: those of others are none of its business, and its own
would have addresses of interfaces that it does not see. SOCK_DIAG says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.machine.machine import Machine

NETLINK_HEAD = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"
REFERENCES = 2
"""Of a netlink socket that nobody looks at: its file, and the table of ports."""

INET = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
INET6 = (
    f"  sl  local_address{' ':25}remote_address{' ':24}st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
)
DATAGRAMS = " ref pointer drops"
WIDTH = 127
"""Lines of udp and icmp are padded to this many letters."""
TCP_WIDTH = 149

EMPTY = {
    "tcp": f"{INET:<{TCP_WIDTH}}",
    "udp": f"{' ' + INET + DATAGRAMS:<{WIDTH}}",
    "icmp": f"{INET + DATAGRAMS:<{WIDTH}}",
    "raw": INET + DATAGRAMS,
    **dict.fromkeys(("udp6", "raw6", "icmp6"), INET6 + DATAGRAMS),
    "tcp6": INET6,
    "unix": "Num       RefCount Protocol Flags    Type St Inode Path",
    "packet": "sk               RefCnt Type Proto  Iface R Rmem   User   Inode",
    "mcfilter": "Idx Device        MCA        SRC    INC    EXC",
    "mcfilter6": "Idx Device                Multicast Address                   Source Address    INC    EXC",
    "ip6_flowlabel": "Label S Owner  Users  Linger Expires  Dst                              Opt",
}
"""Their first lines."""


def netlink(net: Net, machine: Machine) -> str:
    """netlink_native_seq_show(): the kernel's sockets and those of programs that have a port. Where they lie in memory
    is not told, as to who may not know it (kptr_restrict)."""
    first = net is machine.init_net
    rows = [(number, 0, 0, 0, 0, 0, 0) for number, spec in machine.protocols.items() if spec.listens(first)]
    for endpoint in machine.ports:
        if endpoint.net is net:
            port, groups = endpoint.name()
            rows.append((
                endpoint.protocol, port, groups, endpoint.queued, int(endpoint.dumping), endpoint.drops, endpoint.inode
            ))
    return NETLINK_HEAD + "".join(
        f"{0:016x} {protocol:<3} {port:<10} {groups:08x} {memory:<8} {0:<8} {dumping:<5} {REFERENCES:<8} {drops:<8} "
        f"{inode:<8}\n"
        for protocol, port, groups, memory, dumping, drops, inode in sorted(rows)
    )


def sockstat(net: Net, machine: Machine) -> str:
    """sockstat_seq_show()."""
    used = sum(endpoint.net is net for endpoint in machine.ports)
    return (
        f"sockets: used {used}\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\nUDP: inuse 0 mem 0\nRAW: inuse 0\n"
        "FRAG: inuse 0 memory 0\n"
    )


def sockstat6(net: Net, machine: Machine) -> str:
    """sockstat6_seq_show()."""
    return "TCP6: inuse 0\nUDP6: inuse 0\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0\n"
