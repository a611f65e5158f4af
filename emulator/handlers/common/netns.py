"""The namespaces that a request names: by a process, a descriptor or an id, and what the sender may do in them."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.net import Net
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call


def net_of_pid(call: Call, pid: int) -> Net:
    """get_net_ns_by_pid(). Processes under a supervisor are where it says. All others are known by their sockets alone:
    one that has a socket bound to its process id is where that socket is. ESRCH."""
    for net_of in call.machine.processes:
        net = net_of(pid)
        if net is not None:
            return net
    for endpoint in call.machine.ports:
        if endpoint.portid == pid:
            return endpoint.net
    raise Refusal(errno.ESRCH)


def net_of_descriptor(call: Call, number: int) -> Net:
    """get_net_ns_by_fd(): EBADF, or EINVAL for a descriptor of something else."""
    thing = call.endpoint.descriptors.get(number)
    if thing is None:
        raise Refusal(errno.EBADF)
    if not isinstance(thing, Net):
        raise Refusal(errno.EINVAL)
    return thing


def capable_in(call: Call, net: Net) -> bool:
    """netlink_ns_capable(CAP_NET_ADMIN) in the user namespace that the network namespace belongs to."""
    if net is call.net:
        return call.ns_capable()
    elsewhere = call.endpoint.credentials.elsewhere
    return call.capable() if elsewhere is None else elsewhere(net)


def net_by_id(call: Call, nsid: int) -> Net:
    """rtnl_get_net_ns_capable(): EINVAL, EACCES."""
    net = call.net.by_id(nsid)
    if net is None:
        raise Refusal(errno.EINVAL)
    if not capable_in(call, net):
        raise Refusal(errno.EACCES)
    return net
