"""VLANs of a port that are tunnels: net/bridge/br_vlan_tunnel.c, br_netlink_tunnel.c.

A port that is a tunnel for several (a VXLAN with `external`) and has the flag VLAN_TUNNEL stands for as many tunnels as
it has VLANs: to each VLAN a number is mapped, the VNI. No two VLANs of a port have the same one. Frames carry nothing
here, so it is only known and told.
"""

from __future__ import annotations

from errno import EEXIST, EINVAL, ENOENT
from typing import TYPE_CHECKING, NamedTuple

from nlemu.emulator.kernel.bridge import vlans
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_bridge import BrVlanInfo

if TYPE_CHECKING:
    from nlemu.emulator.kernel.bridge.bridge import Port, Vlan

BEGIN, END = int(BrVlanInfo.RANGE_BEGIN), int(BrVlanInfo.RANGE_END)


class Mapping(NamedTuple):
    """struct vtunnel_info: a VLAN and the tunnel's number. flags: of BrVlanInfo, begin or end of a range."""

    flags: int
    vid: int
    tunnel: int


def _find(port: Port, vid: int, errno: int) -> Vlan:
    vlan = None if port.vlans is None else port.vlans.find(vid)
    if vlan is None:
        raise Refusal(errno)
    return vlan


def add(port: Port, vid: int, tunnel: int) -> None:
    """nbp_vlan_tunnel_info_add(): EINVAL without such a VLAN, EEXIST when it has a tunnel, or another one has that."""
    vlan = _find(port, vid, EINVAL)
    assert port.vlans is not None
    if vlan.tunnel is not None or any(other.tunnel == tunnel for other in port.vlans):
        raise Refusal(EEXIST)
    vlan.tunnel = tunnel


def delete(port: Port, vid: int) -> None:
    """nbp_vlan_tunnel_info_delete(): ENOENT without such a VLAN."""
    _find(port, vid, ENOENT).tunnel = None


def flush(port: Port) -> None:
    """nbp_vlan_tunnel_info_flush(): the port no longer stands for any."""
    for vlan in port.vlans or ():
        vlan.tunnel = None


def runs(port: Port) -> list[tuple[Vlan, Vlan]]:
    """br_fill_vlan_tunnel_info(): neighbours with neighbouring numbers, by the first and the last of them."""
    found: list[tuple[Vlan, Vlan]] = []
    for vlan in port.vlans or ():
        if vlan.tunnel is None:
            continue
        if found and vlan.vid - found[-1][1].vid == 1 and vlans.next_tunnel(vlan, found[-1][1]):
            found[-1] = found[-1][0], vlan
        else:
            found.append((vlan, vlan))
    return found


class Request:
    """Mappings that a request names one after the other, to be added or deleted (br_process_vlan_tunnel_info()).
    changed: whether anything is different now; it stays true."""

    def __init__(self, port: Port, *, add: bool) -> None:
        self.port, self.add = port, add
        self.changed = False
        self._begun: Mapping | None = None

    def take(self, said: Mapping) -> None:
        """A mapping, or the begin or the end of a range. EINVAL, EEXIST."""
        begun = self._begun
        if said.flags & BEGIN:
            if begun is not None:
                raise Refusal(EINVAL)
            self._begun = said
        elif said.flags & END:
            if begun is None or not 0 <= said.vid - begun.vid == said.tunnel - begun.tunnel:
                raise Refusal(EINVAL)
            self._range(begun, said)
            self._begun = None
        else:
            if begun is not None:
                raise Refusal(EINVAL)
            self._one(said.vid, said.tunnel)
            vlans.tell(self.port, said.vid, vlans.NEW)

    def _range(self, first: Mapping, last: Mapping) -> None:
        """Neighbours that changed and are alike are told together, also of what comes before a refusal."""
        group = self.port.vlans
        run: list[Vlan] = []
        try:
            for vid in range(first.vid, last.vid + 1):
                changed = self._one(vid, first.tunnel + vid - first.vid)
                vlan = None if group is None else group.find(vid)
                if run and not (changed and vlan is not None and vlans.alike(vlan, run[-1])):
                    self._tell(run)
                if changed and vlan is not None:
                    run.append(vlan)
        finally:
            self._tell(run)

    def _tell(self, run: list[Vlan]) -> None:
        if run:
            vlans.tell(self.port, run[0].vid, vlans.NEW, run[-1].vid)
            run.clear()

    def _one(self, vid: int, tunnel: int) -> bool:
        """br_vlan_tunnel_info(): to delete what is not there is no error."""
        if self.add:
            add(self.port, vid, tunnel)
        else:
            try:
                delete(self.port, vid)
            except Refusal:
                return False
        self.changed = True
        return True
