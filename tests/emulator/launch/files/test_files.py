"""The files and ioctls through which programs look at interfaces, and play with netdevsim."""

from __future__ import annotations

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")
NEW = "echo '1 1 2' > /sys/bus/netdevsim/new_device\n"


def python(script: str) -> str:
    return nobody.run(nobody.python(), "-c", script)


def test_a_devices_directory() -> None:
    script = """
    cd /
    cat /sys/class/net/lo/mtu /sys/class/net/lo/type /sys/class/net/lo/flags /sys/class/net/lo/address
    cat /sys/class/net/lo/operstate /sys/class/net/lo/ifindex
    readlink /sys/class/net/lo
    ls /sys/class/net/lo/queues
    ls /sys/class/net/lo/statistics | head -2
    test -d /sys/class/net/lo; test -L /sys/class/net/lo; test ! -e /sys/class/net/none
    """
    assert nobody.shell(script).split() == [
        "65536", "772", "0x8", "00:00:00:00:00:00", "down", "1", "../../devices/virtual/net/lo", "rx-0", "tx-0",
        "collisions", "multicast",
    ]


def test_netdevsim_comes_and_goes() -> None:
    script = NEW + """
    ls /sys/bus/netdevsim/devices/ /sys/bus/netdevsim/devices/netdevsim1/net
    echo 5 > /sys/bus/netdevsim/devices/netdevsim1/new_port
    ls /sys/bus/netdevsim/devices/netdevsim1/net /sys/class/net/eth1/device/net
    echo 5 > /sys/bus/netdevsim/devices/netdevsim1/del_port
    ls /sys/class/net
    echo 1 > /sys/bus/netdevsim/del_device
    ls /sys/class/net
    """
    output = nobody.shell(script)
    assert output.split().count("eth0") == 4
    assert output.split().count("eth1") == 2
    assert output.splitlines()[-1] == "lo"


def test_devlink_of_a_simulated_device_and_what_debugfs_does_to_it() -> None:
    """The lines are what the same script prints on Linux 7.2.13."""
    nobody.need("devlink")
    script = NEW + """
    D=netdevsim/netdevsim1 F=/sys/kernel/debug/netdevsim/netdevsim1
    echo 1 > /sys/bus/netdevsim/devices/netdevsim1/sriov_numvfs
    devlink dev eswitch set $D mode switchdev
    devlink port show $D/128
    devlink port function rate set $D/128 tx_max 1gbit
    cat $F/ports/128/tx_max /sys/class/net/eth1/phys_port_name
    echo it broke > $F/health/break_health
    devlink -j health show $D reporter dummy | tr , '\\n' | grep -w -e error -e recover
    echo 1 > $F/fail_reload
    devlink dev reload $D 2>&1 || true
    devlink dev show $D
    ls /sys/class/net
    """
    assert nobody.shell(script).splitlines() == [
        "netdevsim/netdevsim1/128: type eth netdev eth1 flavour pcivf controller 0 pfnum 0 vfnum 0 external false "
        "splittable false",
        "1000", "pf0vf0", '"error":1', '"recover":1',
        "Error: netdevsim: User setup the reload to fail for testing purposes.",
        "kernel answers: Invalid argument", "netdevsim/netdevsim1: reload_failed true", "bonding_masters", "lo",
    ]


def test_a_device_is_where_the_writer_is_and_not_who_opened_the_file() -> None:
    """devlink_in_netns.sh of the kernel's selftests has a shell open it."""
    script = """
    ip netns add pod
    ip netns exec pod echo 1 > /sys/bus/netdevsim/new_device
    ip -n pod -br link show eth0; ip -br link
    """
    first, *rest = nobody.shell(script).splitlines()
    assert first.split()[0] == "eth0" and [line.split()[0] for line in rest] == ["lo"]


def test_virtual_functions_by_file_and_by_ip() -> None:
    script = NEW + """
    cd /sys/bus/netdevsim/devices/netdevsim1
    echo 2 > sriov_numvfs
    for count in 1 5 x; do if echo $count > sriov_numvfs; then exit 1; fi 2> /dev/null; done
    cat sriov_numvfs
    ip link set eth0 vf 1 mac 02:00:00:00:00:77 vlan 5 trust on
    ip link show eth0 | grep vf
    """
    output = nobody.shell(script).splitlines()
    assert output[0] == "2"
    assert "02:00:00:00:00:77" in output[2] and "vlan 5" in output[2] and "trust on" in output[2]


def test_a_write_that_is_refused_says_why() -> None:
    script = """
import errno, os
def write(path, text):
    try:
        with open(path, "w") as file:
            file.write(text)
        return "ok"
    except OSError as error:
        return errno.errorcode[error.errno]
bus = "/sys/bus/netdevsim/"
print(write(bus + "new_device", "1 1 2"), write(bus + "new_device", "1 1 2"), write(bus + "new_device", "x"))
print(write(bus + "del_device", "7"), write(bus + "none", "7"), write(bus + "devices", "7"))
eth0 = "/sys/class/net/eth0/"
print(write(eth0 + "mtu", "9"), write(eth0 + "mtu", "1400"), write(eth0 + "type", "1"))
debug = "/sys/kernel/debug/netdevsim/netdevsim1/ports/0/"
print(write(debug + "queue_reset", "0 0"), write(debug + "queue_reset", "9 0"), write(debug + "pp_hold", "y"))
print(open("/sys/class/net/eth0/mtu").read(), os.path.exists("/sys/bus/netdevsim"))
for path in ("/sys/class/net/eth0/carrier", "/sys/class/net/eth0/speed"):
    try:
        open(path).read()
    except OSError as error:
        print(errno.errorcode[error.errno])
"""
    assert python(script).split() == [
        "ok", "ENOSPC", "EINVAL", "ENOENT", "EACCES", "EISDIR", "EINVAL", "ok", "EACCES", "ok", "EINVAL",
        "ENETDOWN", "1400", "True", "EINVAL", "EINVAL",
    ]


def test_values_are_read_as_the_kernel_reads_them() -> None:
    """Each as written, then what comes of it, and what the file says afterwards; on lo, a dummy that is up, a port."""
    script = """
import errno, os, subprocess
os.system("ip link add dm0 type dummy; ip link set dm0 up; echo '1 1 2' > /sys/bus/netdevsim/new_device")
def attempt(act):
    try:
        return act()
    except OSError as error:
        return errno.errorcode[error.errno]
def write(path, text):
    fd = os.open(path, os.O_WRONLY)
    try:
        return os.write(fd, text.encode() + b"\\n") and "ok"
    finally:
        os.close(fd)
for name, texts in (
    ("gro_flush_timeout", ("5", "-1", "0x10", "4294967296", "99999999999999999999", "")),
    ("napi_defer_hard_irqs", ("010", "4294967296", "1 2")),
    ("threaded", ("5", "abc")),
    ("carrier", ("5", "abc", "1")),
    ("netdev_group", ("4294967297", "-1")),
    ("proto_down", ("1", "abc")),
    ("tx_queue_len", ("4294967296", "16")),
    ("speed", ("5",)),
):
    for text in texts:
        said = []
        for device in ("lo", "dm0", "eth0"):
            path = f"/sys/class/net/{device}/{name}"
            said += attempt(lambda: write(path, text)), attempt(lambda: open(path).read().strip())
        print(name, repr(text), *said)
"""
    assert python(script).splitlines() == [
        "gro_flush_timeout '5' ok 5 ok 5 ok 5",
        "gro_flush_timeout '-1' EINVAL 5 EINVAL 5 EINVAL 5",
        "gro_flush_timeout '0x10' ok 16 ok 16 ok 16",
        "gro_flush_timeout '4294967296' ok 4294967296 ok 4294967296 ok 4294967296",
        "gro_flush_timeout '99999999999999999999' ERANGE 4294967296 ERANGE 4294967296 ERANGE 4294967296",
        "gro_flush_timeout '' EINVAL 4294967296 EINVAL 4294967296 EINVAL 4294967296",
        "napi_defer_hard_irqs '010' ok 8 ok 8 ok 8",
        "napi_defer_hard_irqs '4294967296' ERANGE 8 ERANGE 8 ERANGE 8",
        "napi_defer_hard_irqs '1 2' EINVAL 8 EINVAL 8 EINVAL 8",
        "threaded '5' ENOTSUP 0 ENOTSUP 0 ENOTSUP 0",
        "threaded 'abc' EINVAL 0 EINVAL 0 EINVAL 0",
        "carrier '5' ENOTSUP EINVAL ok 1 ENOTSUP EINVAL",
        "carrier 'abc' ENOTSUP EINVAL EINVAL 1 ENOTSUP EINVAL",
        "carrier '1' ENOTSUP EINVAL ok 1 ENOTSUP EINVAL",
        "netdev_group '4294967297' ok 1 ok 1 ok 1",
        "netdev_group '-1' EINVAL 1 EINVAL 1 EINVAL 1",
        "proto_down '1' ENOTSUP 0 ENOTSUP 0 ENOTSUP 0",
        "proto_down 'abc' EINVAL 0 EINVAL 0 EINVAL 0",
        "tx_queue_len '4294967296' ERANGE 1000 ERANGE 1000 ERANGE 1000",
        "tx_queue_len '16' ok 16 ok 16 ok 16",
        "speed '5' EACCES EINVAL EACCES EINVAL EACCES EINVAL",
    ]


def test_what_files_there_are_depends_on_the_driver() -> None:
    script = NEW + """
    ip link add dm0 type dummy
    ip link add v type veth peer name w; ip link set v up; ip link set w up
    cat /sys/class/net/v/speed /sys/class/net/v/duplex
    test -e /sys/class/net/eth0/phys_port_name; test ! -e /sys/class/net/dm0/phys_port_name
    test ! -e /sys/class/net/eth0/phys_port_id; readlink /sys/class/net/eth0/subsystem /sys/class/net/lo/subsystem
    ls /sys/class/net/lo/subsystem/
    """
    assert nobody.shell(script).split() == [
        "10000", "full", "../../../../class/net", "../../../../class/net", "bonding_masters", "dm0", "eth0",
        "lo", "v", "w",
    ]


def test_bonds_are_made_and_set_in_files() -> None:
    """bonding_masters, bonding/, bonding_slave/, /proc/net/bonding; what is above and below."""
    script = """
    ip link add d0 type dummy; ip link add d1 type dummy; cd /sys/class/net
    echo +b0 > bonding_masters; cat bonding_masters
    cd b0/bonding; echo 1 > mode; echo 100 > miimon; echo +d0 > slaves; echo +d1 > slaves; echo d1:2 > queue_id
    cat mode slaves queue_id active_slave ad_num_ports; readlink ../lower_d0 ../../d0/master
    cat ../../d1/bonding_slave/state ../../d1/bonding_slave/ad_aggregator_id; sed -n 3,5p /proc/net/bonding/b0
    ! /bin/echo bogus 2> /dev/null > mode; cd ../..; echo -b0 > bonding_masters; ls -A /proc/net/bonding
    """
    done = nobody.shell(script)
    assert done.splitlines() == [
        "b0", "active-backup 1", "d0 d1", "d0:0 d1:2", "d0", "../d0", "../b0", "backup", "N/A",
        "Bonding Mode: fault-tolerance (active-backup)", "Primary Slave: None", "Currently Active Slave: d0",
    ]


def test_a_shell_writes_too() -> None:
    script = NEW + """
    echo 1300 > /sys/class/net/eth0/mtu; cat /sys/class/net/eth0/mtu
    echo 1200 | tee /sys/class/net/eth0/mtu > /dev/null; cat /sys/class/net/eth0/mtu
    """
    assert nobody.shell(script).split() == ["1300", "1200"]


def test_a_shell_hears_of_what_is_refused() -> None:
    script = """
    cd /sys/bus/netdevsim
    echo '1 1 2' > new_device; echo $?
    echo '1 1 2' > new_device 2>/dev/null || echo refused
    printf nonsense 2>/dev/null > del_device || echo refused
    echo 9 | cat > /sys/class/net/eth0/mtu 2>&1 || echo refused
    exec 3> /sys/class/net/eth0/mtu
    echo 1300 >&3; echo $?
    echo 9 2>/dev/null >&3 || echo refused
    exec 3>&-
    cat /sys/class/net/eth0/mtu
    (echo 1250; echo 9) 2>/dev/null > /sys/class/net/eth0/mtu || echo refused
    cat /sys/class/net/eth0/mtu
    """
    assert nobody.nlemu("run", "--", "sh", "-c", script).stdout.split() == [
        "0", "refused", "refused", "refused", "0", "refused", "1300", "refused", "1250",
    ]


def test_directories_can_be_walked() -> None:
    script = """
import glob, os
print(sorted(os.listdir("/sys/class/net")), sorted(glob.glob("/sys/class/net/lo/queues/*x-*")))
with os.scandir("/sys/class/net") as entries:
    for entry in entries:
        print(entry.name, entry.is_symlink(), entry.is_dir(), entry.stat().st_mode)
fd = os.open("/sys/class/net/lo", os.O_RDONLY | os.O_DIRECTORY)
print(os.stat("mtu", dir_fd=fd).st_size, os.read(os.open("mtu", os.O_RDONLY, dir_fd=fd), 100))
"""
    assert python(script).splitlines() == [
        "['bonding_masters', 'lo'] ['/sys/class/net/lo/queues/rx-0', '/sys/class/net/lo/queues/tx-0']",
        "bonding_masters False False 33188",
        "lo True True 16877",
        "4096 b'65536\\n'",
    ]


def test_modes_and_owners_are_kept() -> None:
    """As sysfs keeps them: told again, asked of root too, and gone with the device; /proc/sys takes none."""
    script = """
    stat -c '%a %u %g' /sys/class/net/lo/mtu
    ip link add d0 type dummy; cd /sys/class/net/d0
    chmod 600 mtu; chown 5:6 mtu; chmod 755 .; stat -c '%a %u %g' mtu /sys/devices/virtual/net/d0/mtu .
    echo 1400 > mtu && cat mtu
    chmod 444 mtu; echo 1300 > mtu || echo refused; cat mtu; test -w mtu || echo unwritable
    chown -h 7 /sys/class/net/d0; stat -c '%u %F' /sys/class/net/d0; stat -L -c %u /sys/class/net/d0
    chmod 600 /proc/sys/net/ipv4/ip_forward || true; chmod 600 none || true
    cd /; ip link del d0; ip link add d0 type dummy; stat -c '%a %u %g' /sys/class/net/d0/mtu
    """
    said = nobody.shell(f"({script}) 2>&1").splitlines()
    assert [line.rpartition(": ")[2] for line in said] == [
        "644 0 0", "600 5 6", "600 5 6", "755 0 0", "1400", "Permission denied", "refused", "1400", "unwritable",
        "7 symbolic link", "0", "Operation not permitted", "No such file or directory", "644 0 0",
    ]


def test_modes_are_given_by_root_alone() -> None:
    script = "import os\nos.setuid(7)\nos.chmod('/sys/class/net/lo/mtu', 0o666)"
    done = nobody.run(nobody.python(), "-c", f"try:\n exec({script!r})\nexcept OSError as error: print(error.errno)")
    assert done.split() == ["1"]


def test_proc_net_dev() -> None:
    lines = nobody.shell(NEW + "cat /proc/net/dev").splitlines()
    assert [line.split(":")[0].strip() for line in lines[2:]] == ["lo", "eth0"]
    assert lines[2].split()[1:] == ["0"] * 16


def test_groups_are_in_proc_net() -> None:
    script = """
    ip link add v address 02:00:00:00:00:01 type veth peer name w
    ip link set lo up; ip link set v up; ip link set w up
    until ip -6 addr show dev v | grep -q 'scope link $'; do :; done
    cat /proc/net/igmp; grep v /proc/net/igmp6 /proc/self/net/dev_mcast /proc/net/if_inet6; ip maddr show dev v
    """
    assert nobody.shell(script).splitlines() == [
        "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter",
        "1\tlo        :     1      V3",
        "\t\t\t\t010000E0     1 0:00000000\t\t0",
        "2\tw         :     1      V3",
        "\t\t\t\t010000E0     1 0:00000000\t\t0",
        "3\tv         :     1      V3",
        "\t\t\t\t010000E0     1 0:00000000\t\t0",
        "/proc/net/igmp6:3    v               ff0200000000000000000001ff000001     1 00000004 0",
        "/proc/net/igmp6:3    v               ff020000000000000000000000000001     1 0000000C 0",
        "/proc/net/igmp6:3    v               ff010000000000000000000000000001     1 00000008 0",
        "/proc/self/net/dev_mcast:3    v               1     0     333300000001",
        "/proc/self/net/dev_mcast:3    v               1     0     01005e000001",
        "/proc/self/net/dev_mcast:3    v               1     0     3333ff000001",
        "/proc/net/if_inet6:fe80000000000000000000fffe000001 03 40 20 80        v",
        "3:\tv",
        "\tlink  33:33:00:00:00:01",
        "\tlink  01:00:5e:00:00:01",
        "\tlink  33:33:ff:00:00:01",
        "\tinet  224.0.0.1",
        "\tinet6 ff02::1:ff00:1",
        "\tinet6 ff02::1",
        "\tinet6 ff01::1",
    ]


def test_settings_of_devices_in_proc_sys_net() -> None:
    script = """
import errno, os
os.system("ip link add dm0 type dummy; ip link set dm0 up")
os.chdir("/proc/sys/net")
def write(path, text):
    try:
        fd = os.open(path, os.O_WRONLY)
        os.write(fd, text.encode())
        os.close(fd)
        return "ok"
    except OSError as error:
        return errno.errorcode[error.errno]
print(sorted(os.listdir("ipv4/conf")), sorted(os.listdir("ipv6/conf")))
print(len(os.listdir("ipv4/conf/dm0")), len(os.listdir("ipv6/conf/dm0")), len(os.listdir("ipv6/conf/all")))
for text in ("7", "abc", "99999999999", "  7 8", "-7", "0x10", "5x", "010"):
    for path in ("ipv4/conf/dm0/rp_filter", "ipv6/conf/dm0/hop_limit", "ipv6/conf/dm0/router_solicitation_interval"):
        print(write(path, text), open(path).read().strip(), end=" ")
print()
for path in ("ipv4/conf/dm0/mc_forwarding", "ipv4/route/flush", "ipv6/conf/all/forwarding"):
    print(write(path, "1"), end=" ")
for name in ("lo/use_tempaddr", "dm0/ioam6_id_wide", "all/mtu", "lo/mtu"):
    print(open(f"ipv6/conf/{name}").read().strip(), end=" ")
"""
    assert python(script).splitlines() == [
        "['all', 'default', 'dm0', 'lo'] ['all', 'default', 'dm0', 'lo']",
        "33 63 63",
        "ok 7 ok 7 ok 7 EINVAL 7 EINVAL 7 EINVAL 7 EINVAL 7 EINVAL 7 EINVAL 7 ok 7 ok 7 ok 7 ok -7 EINVAL 7 ok -7 "
        "ok 16 ok 16 ok 16 EINVAL 16 EINVAL 16 EINVAL 16 ok 8 ok 8 ok 8 ",
        "EACCES ok ok -1 4294967295 1280 65536 ",
    ]


def test_ipv6_is_switched_off_and_on() -> None:
    script = """
    ip link add dm0 type dummy; ip link set dm0 up
    ip addr add 2001:db8::1/64 dev dm0
    until ! ip -6 addr show dev dm0 | grep -q tentative; do :; done
    echo 1 > /proc/sys/net/ipv6/conf/dm0/disable_ipv6
    ip -6 addr show dev dm0; ip addr add 2001:db8::2/64 dev dm0 2>&1 || echo $?
    echo 0 > /proc/sys/net/ipv6/conf/dm0/disable_ipv6
    until ip -6 addr show dev dm0 | grep -q 'scope link $'; do :; done
    ip -6 -o addr show dev dm0 | wc -l
    """
    assert nobody.shell(script).splitlines() == ["Error: ipv6: IPv6 is disabled on this device.", "2", "1"]


def test_ioctls() -> None:
    script = """
import errno, fcntl, socket, struct
s = socket.socket()
def ask(number, name="lo", value=b""):
    try:
        request = struct.pack("16s24s", name.encode(), value)
        return fcntl.ioctl(s, number, request)[16:]
    except OSError as error:
        return errno.errorcode[error.errno]
print(socket.if_nametoindex("lo"), socket.if_indextoname(1), socket.if_nameindex())
print(struct.unpack_from("i", ask(0x8921)), struct.unpack_from("H", ask(0x8913)), struct.unpack_from("i", ask(0x8942)))
print(ask(0x8927)[:8].hex(), ask(0x8933, "none"))
print(ask(0x8922, value=struct.pack("i", -1)), len(ask(0x8922, value=struct.pack("i", 70000))))
print(struct.unpack_from("i", ask(0x8921)))
try:
    fcntl.ioctl(s, 0x8933, 8)
except OSError as error:
    print(errno.errorcode[error.errno])
with open("/dev/null") as file:
    try:
        fcntl.ioctl(file, 0x8933, bytes(40))
    except OSError as error:
        print(errno.errorcode[error.errno])
"""
    assert python(script).splitlines() == [
        "1 lo [(1, 'lo')]", "(65536,) (8,) (1000,)", "0403000000000000 ENODEV", "EINVAL 24", "(70000,)", "EFAULT",
        "ENOTTY",
    ]


def test_tools_that_find_nothing_to_do() -> None:
    assert nobody.run("modprobe", "netdevsim") == ""
    assert nobody.run("udevadm", "settle") == ""


ROUTES = """
ip link set lo up; ip link add tab0 type dummy; ip link set tab0 address 02:00:00:00:00:07 up
ip addr add 198.51.100.7/24 dev tab0; ip route add default via 198.51.100.1
ip route add 10.0.0.0/8 dev tab0 metric 5; ip route add unreachable 10.9.0.0/16
ip route add blackhole 10.10.0.0/16; ip route add 203.0.113.0/24 dev tab0 table 7
ip neigh add 198.51.100.1 lladdr 02:00:00:00:00:fe dev tab0; ip neigh add proxy 198.51.100.10 dev tab0
ip addr add 2001:db8::7/64 dev tab0 nodad; ip -6 route add default via 2001:db8::1 metric 7
ip -6 route add unreachable 2001:db8:1::/48
"""


def test_the_tables_of_proc_net() -> None:
    """Of the program's namespace, as Linux 7.2.13 tells of the same set-up."""
    told = nobody.shell(ROUTES + "cat /proc/net/route /proc/net/arp; cat /proc/$$/net/ipv6_route")
    rows = [line.split() for line in told.splitlines()]
    assert rows[1:] == [line.split() for line in f"""\
tab0 00000000 016433C6 0003 0 0 0 00000000 0 0 0
tab0 0000000A 00000000 0001 0 0 5 000000FF 0 0 0
* 0000090A 00000000 0201 0 0 0 0000FFFF 0 0 0
* 00000A0A 00000000 0001 0 0 0 0000FFFF 0 0 0
tab0 006433C6 00000000 0001 0 0 0 00FFFFFF 0 0 0
IP address HW type Flags HW address Mask Device
198.51.100.1 0x1 0x6 02:00:00:00:00:fe * tab0
198.51.100.10 0x1 0xc 00:00:00:00:00:00 * tab0
20010db8{0:024x} 40 {0:032x} 00 {0:032x} 00000100 00000001 00000000 00000001 tab0
20010db80001{0:020x} 30 {0:032x} 00 {0:032x} 00000400 00000001 00000000 00200200 lo
fe80{0:028x} 40 {0:032x} 00 {0:032x} 00000100 00000001 00000000 00000001 tab0
{0:032x} 00 {0:032x} 00 20010db8{1:024x} 00000007 00000001 00000000 00000003 tab0
{1:032x} 80 {0:032x} 00 {0:032x} 00000000 00000002 00000000 80200001 lo
20010db8{7:024x} 80 {0:032x} 00 {0:032x} 00000000 00000002 00000000 80200001 tab0
fe80000000000000000000fffe000007 80 {0:032x} 00 {0:032x} 00000000 00000002 00000000 80200001 tab0
ff{0:030x} 08 {0:032x} 00 {0:032x} 00000100 00000001 00000000 00000001 tab0
{0:032x} 00 {0:032x} 00 {0:032x} ffffffff 00000001 00000000 00200200 lo
""".splitlines()]
    assert all(len(line) == 127 for line in told.splitlines()[:6])


def test_the_tree_of_routes() -> None:
    """fib_trie of Linux 7.2.13, of the same routes: the shape of the tree is the kernel's."""
    script = """
    ip link set lo up; ip link add tab0 type dummy; ip link set tab0 up
    ip addr add 198.51.100.7/24 dev tab0; ip addr add 198.51.100.8/32 dev tab0
    ip route add default via 198.51.100.1; ip route add 10.0.0.0/8 dev tab0
    ip route add unreachable 10.9.0.0/16; ip route add blackhole 10.10.0.0/16
    ip route add 10.3.0.0/16 nexthop via 198.51.100.3 nexthop via 198.51.100.4
    ip route add 203.0.113.0/24 dev tab0 table 7; cat /proc/net/fib_trie
    """
    tree = """\
  +-- 0.0.0.0/0 3 0 5
     +-- 0.0.0.0/4 2 0 2
        |-- 0.0.0.0
           /0 universe UNICAST
        +-- 10.0.0.0/12 3 0 4
           |-- 10.0.0.0
              /8 link UNICAST
           |-- 10.3.0.0
              /16 universe UNICAST
           |-- 10.9.0.0
              /16 universe UNREACHABLE
           |-- 10.10.0.0
              /16 universe BLACKHOLE
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 198.51.100.0/24 2 0 2
        +-- 198.51.100.0/28 2 0 1
           |-- 198.51.100.0
              /24 link UNICAST
           |-- 198.51.100.7
              /32 host LOCAL
           |-- 198.51.100.8
              /32 host LOCAL
        |-- 198.51.100.255
           /32 link BROADCAST
"""
    head = "Id 7:\n  |-- 203.0.113.0\n     /24 link UNICAST\n"
    assert nobody.shell(script) == f"{head}Main:\n{tree}Local:\n{tree}"


def test_files_are_copied_and_directories_listed_in_order() -> None:
    """stat() and fstat() tell of one file, "." and ".." come first, and a slash at the end wants a directory."""
    script = """
    place=$(mktemp -d); ip link add d0 address 02:00:00:00:00:01 type dummy
    cp /sys/class/net/d0/address $place/copy; cat $place/copy
    cp /proc/net/dev $place/dev; tail -n 1 $place/dev | cut -c1-7
    ls -f /sys/class/net /proc/sys/net/ipv4/conf | tr '\\n' ' '; echo
    cat /sys/class/net/d0/address/ 2>&1 | sed 's/.*: //'
    stat -c %F /sys/class/net/d0/ /sys/class/net/d0; find /sys/class/net/ -maxdepth 1 | sort | tr '\\n' ' '
    rm -r $place
    """
    assert nobody.shell(script).splitlines() == [
        "02:00:00:00:00:01", "    d0:",
        "/sys/class/net: . .. bonding_masters d0 lo  /proc/sys/net/ipv4/conf: . .. all d0 default lo ",
        "Not a directory", "directory", "symbolic link",
        "/sys/class/net/ /sys/class/net/bonding_masters /sys/class/net/d0 /sys/class/net/lo ",
    ]
