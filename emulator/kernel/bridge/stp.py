"""The spanning tree of a bridge to which nobody speaks: net/bridge/br_stp.c, br_stp_if.c, br_stp_timer.c.

No frames of the protocol come, so the bridge is the root of the tree, and every port that has a link forwards, at once
or after the delay of listening and of learning. A bridge has a carrier while one of its ports forwards. Frames that the
bridge would send show in the timer that holds the next ones back, and in what is pending then.
"""

from __future__ import annotations

from errno import EBUSY, EINVAL, ENETDOWN, ERANGE
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bridge import fdb, mst, vlan_snooping
from nlemu.emulator.kernel.bridge.bridge import (
    KERNEL_STP,
    NO_STP,
    PORT_BITS,
    TICK,
    USER_STP,
    Bridge,
    Port,
    PortFlag,
    Timer,
)
from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.kernel.devices import link_watch, qdisc
from nlemu.emulator.kernel.devices.states import AddressAssignment
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_bridge import BrState, BrStpMode
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

DISABLED, LISTENING, LEARNING = int(BrState.DISABLED), int(BrState.LISTENING), int(BrState.LEARNING)
FORWARDING, BLOCKING = int(BrState.FORWARDING), int(BrState.BLOCKING)
HELLO_TIMES, MAX_AGES, FORWARD_DELAYS, PATH_COSTS = (100, 1000), (600, 4000), (200, 3000), (1, 65535)
CONFIG_FRAME = 52
"""br_send_config_bpdu(): the length of a frame, in bytes."""
HOLD_TIME = 100
"""BR_HOLD_TIME"""
FIRST_CLEANUP = 10
"""br_stp_enable_bridge(): how soon the forwarding table is looked through when a bridge comes up."""


def init_timers(br: Bridge) -> None:
    """br_stp_timer_init(), and the work that looks for old entries."""
    kernel = br.dev.kernel
    br.hello_timer = Timer(kernel, lambda: _hello(br))
    br.tcn_timer = Timer(kernel, lambda: None)
    br.topology_change_timer = Timer(kernel, lambda: _topology_changed(br))
    br.gc = Timer(kernel, lambda: fdb.cleanup(br))


def init_port_timers(port: Port) -> None:
    """br_stp_port_timer_init()."""
    kernel = port.dev.kernel
    port.message_age_timer = Timer(kernel, lambda: None)
    port.forward_delay_timer = Timer(kernel, lambda: _delay_over(port))
    port.hold_timer = Timer(kernel, lambda: _held(port))


def tell(port: Port, event: int = RTM.NEWLINK) -> None:
    """br_ifinfo_notify()."""
    port.dev.kernel.announcer.bridge_link(event, port.dev)


# The protocol


def set_state(port: Port, state: int) -> None:
    """br_set_state()."""
    port.state = state
    mst.port_state_set(port)
    if port.bridge.stp == KERNEL_STP:
        if state == BLOCKING:
            port.stp_counts.transition_blk += 1
        elif state == FORWARDING:
            port.stp_counts.transition_fwd += 1


def become_designated(port: Port) -> None:
    """br_become_designated_port()."""
    br = port.bridge
    port.designated_root, port.designated_cost = br.root, br.root_path_cost
    port.designated_bridge, port.designated_port = br.id, port.id


def update_configuration(br: Bridge) -> None:
    """br_configuration_update(): nobody else is root, so the bridge is, and its ports that are on lead away from it."""
    br.root_port, br.root, br.root_path_cost = 0, br.id, 0
    for port in br.ports:
        if port.state != DISABLED:
            become_designated(port)


def become_root(br: Bridge) -> None:
    """br_become_root_bridge()."""
    br.max_age, br.hello_time, br.forward_delay = br.bridge_max_age, br.bridge_hello_time, br.bridge_forward_delay
    detect_topology_change(br)
    br.tcn_timer.stop()
    if br.dev.up:
        generate_config(br)
        br.hello_timer.start(br.hello_time)


def update_tree(br: Bridge) -> None:
    """What follows in the kernel wherever the bridge's id or a port is another one."""
    was_root = br.is_root
    update_configuration(br)
    select_port_states(br)
    if br.is_root and not was_root:
        become_root(br)


def transmit_config(port: Port) -> None:
    """br_transmit_config(): a frame goes out, or waits for the time between two to be over."""
    if port.hold_timer.pending:
        port.config_pending = True
        return
    port.topology_change_ack = port.config_pending = False
    if port.bridge.stp == KERNEL_STP:
        qdisc.transmit(port.dev, CONFIG_FRAME)
        port.stp_counts.tx_bpdu += 1
        port.dev.changed()
        start_round(port.hold_timer, port.dev, HOLD_TIME)


def start_round(timer: Timer, dev: Device, ticks: int) -> None:
    """mod_timer() with round_jiffies(): to the next whole second, or the last, if that is less than a quarter ago."""
    kernel = dev.kernel
    now = kernel.clock.now
    when = now + ticks * TICK
    over = when % NSEC_PER_SEC
    rounded = when - over if over < NSEC_PER_SEC // 4 else when - over + NSEC_PER_SEC
    timer.start(max(rounded if rounded > now else when, now) // TICK - now // TICK)


def generate_config(br: Bridge) -> None:
    """br_config_bpdu_generation()."""
    for port in br.ports:
        if port.state != DISABLED and port.designated:
            transmit_config(port)


def detect_topology_change(br: Bridge) -> None:
    """br_topology_change_detection()."""
    if br.stp != KERNEL_STP or not br.dev.up:
        return
    set_topology_change(br, True)
    br.topology_change_timer.start(br.bridge_forward_delay + br.bridge_max_age)
    br.topology_change_detected = True


def set_topology_change(br: Bridge, changed: bool) -> None:
    """__br_set_topology_change(): meanwhile what was learned is soon forgotten."""
    if br.stp == KERNEL_STP and br.topology_change != changed:
        br.ageing_time = 2 * br.forward_delay if changed else br.bridge_ageing_time
    br.topology_change = changed


def select_port_states(br: Bridge) -> None:
    """br_port_state_selection()."""
    for port in br.ports:
        if port.state == DISABLED:
            continue
        if br.stp == USER_STP:
            pass
        elif port.designated:
            port.message_age_timer.stop()
            _make_forwarding(port)
        else:
            port.config_pending = port.topology_change_ack = False
            _make_blocking(port)
        if port.state != BLOCKING:
            vlan_snooping.enable_port(port)
    if any(port.state == FORWARDING for port in br.ports):
        link_watch.carrier_on(br.dev)
    else:
        link_watch.carrier_off(br.dev)


def _make_forwarding(port: Port) -> None:
    br = port.bridge
    if port.state != BLOCKING:
        return
    if br.stp == NO_STP or not br.forward_delay:
        set_state(port, FORWARDING)
        detect_topology_change(br)
        port.forward_delay_timer.stop()
    else:
        set_state(port, LISTENING if br.stp == KERNEL_STP else LEARNING)
    tell(port)
    if br.forward_delay:
        port.forward_delay_timer.start(br.forward_delay)


def _make_blocking(port: Port) -> None:
    if port.state in (DISABLED, BLOCKING):
        return
    if port.state in (FORWARDING, LEARNING):
        detect_topology_change(port.bridge)
    set_state(port, BLOCKING)
    tell(port)
    port.forward_delay_timer.stop()


# Timers


def _hello(br: Bridge) -> None:
    """br_hello_timer_expired()."""
    if br.dev.up:
        generate_config(br)
        if br.stp == KERNEL_STP:
            start_round(br.hello_timer, br.dev, br.hello_time)


def _topology_changed(br: Bridge) -> None:
    """br_topology_change_timer_expired()."""
    br.topology_change_detected = False
    set_topology_change(br, False)


def _delay_over(port: Port) -> None:
    """br_forward_delay_timer_expired()."""
    br = port.bridge
    if port.state == LISTENING:
        set_state(port, LEARNING)
        port.forward_delay_timer.start(br.forward_delay)
    elif port.state == LEARNING:
        set_state(port, FORWARDING)
        if any(one.state != DISABLED and one.designated_bridge == br.id for one in br.ports):
            detect_topology_change(br)
        link_watch.carrier_on(br.dev)
    tell(port)


def _held(port: Port) -> None:
    """br_hold_timer_expired()."""
    if port.config_pending:
        transmit_config(port)


# The bridge and its ports come and go


def init_port(port: Port) -> None:
    """br_init_port()."""
    port.id = port_id(port.priority, port.number)
    become_designated(port)
    set_state(port, BLOCKING)
    port.topology_change_ack = port.config_pending = False


def port_id(priority: int, number: int) -> int:
    """br_make_port_id()."""
    return (priority << PORT_BITS | number & (1 << PORT_BITS) - 1) & 0xFFFF


def enable_bridge(br: Bridge) -> None:
    """br_stp_enable_bridge()."""
    if br.stp == KERNEL_STP:
        br.hello_timer.start(br.hello_time)
    br.gc.start(FIRST_CLEANUP)
    generate_config(br)
    for port in br.ports:
        if port.usable:
            enable_port(port)


def disable_bridge(br: Bridge) -> None:
    """br_stp_disable_bridge()."""
    for port in br.ports:
        if port.state != DISABLED:
            disable_port(port)
    set_topology_change(br, False)
    br.topology_change_detected = False
    for timer in (br.hello_timer, br.topology_change_timer, br.tcn_timer, br.gc):
        timer.stop()


def enable_port(port: Port) -> None:
    """br_stp_enable_port()."""
    init_port(port)
    select_port_states(port.bridge)
    tell(port)


def disable_port(port: Port) -> None:
    """br_stp_disable_port()."""
    br = port.bridge
    was_root = br.is_root
    become_designated(port)
    set_state(port, DISABLED)
    port.topology_change_ack = port.config_pending = False
    tell(port)
    for timer in (port.message_age_timer, port.forward_delay_timer, port.hold_timer):
        timer.stop()
    if port.backup is None:
        fdb.delete_by_port(br, port)
    vlan_snooping.disable_port(port)
    update_configuration(br)
    select_port_states(br)
    if br.is_root and not was_root:
        become_root(br)


# Settings


def _within(value: int, bounds: tuple[int, int]) -> int:
    if not bounds[0] <= value <= bounds[1]:
        raise Refusal(ERANGE)
    return value


def set_enabled(br: Bridge, enabled: bool) -> None:
    """br_stp_set_enabled(): by the kernel, unless user space is to do it; no program is asked (/sbin/bridge-stp)."""
    if enabled == (br.stp != NO_STP):
        return
    if not enabled:
        if br.stp == USER_STP:
            select_port_states(br)
        br.stp = NO_STP
        return
    low, high = FORWARD_DELAYS
    if not low <= br.bridge_forward_delay <= high:
        _set_forward_delay(br, low if br.bridge_forward_delay < low else high)
    if br.stp_mode == BrStpMode.USER:
        br.stp = USER_STP
        return
    br.stp = KERNEL_STP
    if br.dev.up:
        br.hello_timer.start(br.hello_time)
    select_port_states(br)


def set_mode(br: Bridge, mode: int, *, going_off: bool) -> None:
    """IFLA_BR_STP_MODE: EBUSY while it runs. going_off: the same request ends it."""
    if mode != br.stp_mode and br.stp != NO_STP and not going_off:
        raise Refusal(EBUSY, "bridge: Can't change STP mode while STP is enabled")
    br.stp_mode = mode


def _set_forward_delay(br: Bridge, delay: int) -> None:
    br.bridge_forward_delay = delay
    if br.is_root:
        br.forward_delay = delay


def set_forward_delay(br: Bridge, delay: int) -> None:
    """br_set_forward_delay(): ERANGE, while the protocol runs."""
    _set_forward_delay(br, delay if br.stp == NO_STP else _within(delay, FORWARD_DELAYS))


def set_hello_time(br: Bridge, time: int) -> None:
    """br_set_hello_time(): ERANGE."""
    br.bridge_hello_time = _within(time, HELLO_TIMES)
    if br.is_root:
        br.hello_time = time


def set_max_age(br: Bridge, age: int) -> None:
    """br_set_max_age(): ERANGE."""
    br.bridge_max_age = _within(age, MAX_AGES)
    if br.is_root:
        br.max_age = age


def set_ageing_time(br: Bridge, time: int) -> None:
    """br_set_ageing_time(): and the forwarding table is looked through at once."""
    br.bridge_ageing_time = br.ageing_time = time
    br.gc.start(0)


def set_priority(br: Bridge, priority: int) -> None:
    """br_stp_set_bridge_priority()."""
    said = priority.to_bytes(2, "big")
    was_root = br.is_root
    for port in br.ports:
        if port.state != DISABLED and port.designated:
            port.designated_bridge = said + port.designated_bridge[2:]
    br.id = said + br.id[2:]
    update_configuration(br)
    select_port_states(br)
    if br.is_root and not was_root:
        become_root(br)


def set_port_priority(port: Port, priority: int) -> None:
    """br_stp_set_port_priority(): ERANGE."""
    if priority > 0xFFFF >> PORT_BITS:
        raise Refusal(ERANGE)
    new = port_id(priority, port.number)
    if port.designated:
        port.designated_port = new
    port.id, port.priority = new, priority
    if port.bridge.id == port.designated_bridge and port.id < port.designated_port:
        become_designated(port)
        select_port_states(port.bridge)


def set_path_cost(port: Port, cost: int) -> None:
    """br_stp_set_path_cost(): ERANGE."""
    _within(cost, PATH_COSTS)
    port.flags |= int(PortFlag.ADMIN_COST)
    port.cost = cost
    update_configuration(port.bridge)
    select_port_states(port.bridge)


def set_port_state(port: Port, state: int) -> None:
    """br_set_port_state(): EINVAL, EBUSY while the kernel runs the protocol, ENETDOWN."""
    if state > BLOCKING:
        raise Refusal(EINVAL)
    if port.bridge.stp == KERNEL_STP:
        raise Refusal(EBUSY)
    if not port.dev.running or (not port.usable and state != DISABLED):
        raise Refusal(ENETDOWN)
    set_state(port, state)
    select_port_states(port.bridge)


# The address


def change_address(br: Bridge, address: bytes) -> None:
    """br_stp_change_bridge_id(): the bridge has that address now."""
    was_root = br.is_root
    fdb.change_bridge_address(br, address)
    old = br.id[2:]
    br.id = br.id[:2] + address
    br.dev.address = address
    br.dev.changed()
    for port in br.ports:
        if port.designated_bridge[2:] == old:
            port.designated_bridge = port.designated_bridge[:2] + address
        if port.designated_root[2:] == old:
            port.designated_root = port.designated_root[:2] + address
    update_configuration(br)
    select_port_states(br)
    if br.is_root and not was_root:
        become_root(br)


def recalculate_address(br: Bridge) -> bool:
    """br_stp_recalculate_bridge_id(): the lowest of its ports', unless user space chose one; True when it is another
    one now."""
    if br.dev.addr_assign_type == AddressAssignment.SET:
        return False
    address = min([port.dev.address for port in br.ports], default=bytes(6))
    if br.id[2:] == address:
        return False
    change_address(br, address)
    return True
