"""Where programs look for NICs: what is below the buses and devices of /sys under `nlemu run`."""

from __future__ import annotations

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")

WORLD = str(nobody.ROOT / "fixtures" / "worlds" / "cards.toml")


def shell(script: str) -> list[str]:
    done = nobody.nlemu("run", "--world", WORLD, "--", "sh", "-ec", script)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_device_of_a_nic() -> None:
    script = """
    cd /
    readlink /sys/class/net/eth0 /sys/class/net/eth0/device
    cd /sys/class/net/eth0/device
    pwd -P
    cat vendor device subsystem_vendor subsystem_device class revision numa_node local_cpulist local_cpus
    readlink driver iommu_group subsystem driver/module
    readlink -f driver
    ls net
    cat uevent
    """
    assert shell(script) == [
        "../../devices/pci0000:08/0000:08:00.0/net/eth0", "../../../0000:08:00.0",
        "/sys/devices/pci0000:08/0000:08:00.0",
        "0x15b3", "0x1021", "0x15b3", "0x0041", "0x020000", "0x00", "1", "0-1", "3",
        "../../../bus/pci/drivers/mlx5_core", "../../../kernel/iommu_groups/0", "../../../bus/pci",
        "../../../../module/mlx5_core", "/sys/bus/pci/drivers/mlx5_core", "eth0",
        "DRIVER=mlx5_core", "PCI_CLASS=20000", "PCI_ID=15B3:1021", "PCI_SUBSYS_ID=15B3:0041",
        "PCI_SLOT_NAME=0000:08:00.0", "MODALIAS=pci:v000015B3d00001021sv000015B3sd00000041bc02sc00i00",
    ]


def test_the_buses_hold_nics_and_nothing_else() -> None:
    script = """
    cd /sys/bus
    ls pci/devices pci/drivers virtio/devices virtio/drivers
    readlink pci/devices/0000:08:00.0 pci/drivers/ice/0000:09:00.0 virtio/drivers/virtio_net/virtio2
    ls /sys/kernel/iommu_groups /sys/kernel/iommu_groups/2/devices
    readlink /sys/kernel/iommu_groups/2/devices/0000:09:00.0
    ls /sys/devices/pci0000:08
    test ! -e /sys/bus/pci/devices/0000:00:00.0
    od -An -tx2 -N4 pci/devices/0000:08:00.0/config
    """
    assert shell(script) == [
        "pci/devices:", "0000:00:04.0", "0000:08:00.0", "0000:09:00.0", "",
        "pci/drivers:", "ice", "mlx5_core", "virtio-pci", "",
        "virtio/devices:", "virtio2", "", "virtio/drivers:", "virtio_net",
        "../../../devices/pci0000:08/0000:08:00.0", "../../../../devices/pci0000:09/0000:09:00.0",
        "../../../../devices/pci0000:00/0000:00:04.0/virtio2",
        "/sys/kernel/iommu_groups:", "0", "1", "2", "", "/sys/kernel/iommu_groups/2/devices:", "0000:09:00.0",
        "../../../../devices/pci0000:09/0000:09:00.0", "0000:08:00.0", " 15b3 1021",
    ]


def test_virtio_stands_on_a_card() -> None:
    """As recorded: docs/nics.md."""
    script = """
    readlink /sys/class/net/eth1 /sys/class/net/eth1/device
    cd /sys/class/net/eth1/device
    cat device vendor modalias status uevent
    readlink driver subsystem ../driver ../virtio2/subsystem
    cat ../device; ls -d ../net || cat /sys/class/net/eth1/phys_port_name || echo both
    """
    assert shell(script) == [
        "../../devices/pci0000:00/0000:00:04.0/virtio2/net/eth1", "../../../virtio2",
        "0x0001", "0x1af4", "virtio:d00000001v00001AF4", "0x0000000f", "DRIVER=virtio_net",
        "MODALIAS=virtio:d00000001v00001AF4", "../../../../bus/virtio/drivers/virtio_net", "../../../../bus/virtio",
        "../../../bus/pci/drivers/virtio-pci", "../../../../bus/virtio", "0x1000", "both",
    ]


def test_ports_by_file_and_by_netlink() -> None:
    script = "cd /sys/class/net/eth0; cat phys_port_name phys_switch_id; ip -d link show eth0 | grep -o 'portname.*'"
    name, switch, told = shell(script)
    assert told.split() == ["portname", name, "switchid", switch, "parentbus", "pci", "parentdev", "0000:08:00.0"]


def test_drivers_let_go_and_take() -> None:
    script = """
import errno, os
def write(path, text):
    try:
        with open("/sys/bus/" + path, "w") as file:
            file.write(text)
        return "ok"
    except OSError as error:
        return errno.errorcode[error.errno]
mlx5 = "pci/drivers/mlx5_core/"
print(write(mlx5 + "bind", "0000:08:00.0"), write(mlx5 + "unbind", "0000:09:00.0"), end=" ")
print(write(mlx5 + "unbind", "0000:08:00.0\\n"))
print(os.path.exists("/sys/class/net/eth0"), os.path.exists("/sys/bus/pci/devices/0000:08:00.0/driver"))
print(os.path.exists("/sys/bus/pci/devices/0000:08:00.0/net"), sorted(os.listdir("/sys/bus/" + mlx5)))
print(write(mlx5 + "unbind", "0000:08:00.0"), write("pci/drivers_probe", "0000:08:00.0"), write(mlx5 + "bind", "x"))
print(os.listdir("/sys/bus/pci/devices/0000:08:00.0/net"), write("virtio/drivers/virtio_net/unbind", "virtio2"))
print(os.listdir("/sys/bus/virtio/drivers/virtio_net"))
"""
    done = nobody.nlemu("run", "--world", WORLD, "--", nobody.python(), "-c", script)
    assert done.stdout.splitlines() == [
        "EBUSY ENODEV ok", "False False", "False ['bind', 'module', 'uevent', 'unbind']", "ENODEV ok ENODEV",
        "['eth0'] ok", "['bind', 'module', 'uevent', 'unbind']",
    ]


def test_a_nic_is_where_its_namespace_looks() -> None:
    script = """
    ip netns exec pod readlink -f /sys/class/net/eth0/device
    ls /sys/bus/pci/devices/0000:09:00.0/net | wc -l
    ip netns exec pod ls /sys/bus/pci/devices/0000:09:00.0/net
    """
    assert shell(script) == ["/sys/devices/pci0000:09/0000:09:00.0", "0", "eth0"]


FUNCTIONS = str(nobody.ROOT / "fixtures" / "worlds" / "functions.toml")


def functions(script: str) -> list[str]:
    done = nobody.nlemu("run", "--world", FUNCTIONS, "--", "sh", "-ec", script)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_virtual_functions_of_a_card() -> None:
    script = """
    cd /sys/class/net/eth0/device
    grep -H . sriov_*
    readlink virtfn0 virtfn2 virtfn0/physfn
    ls -d virtfn*
    cat virtfn0/device virtfn0/vendor; ls virtfn0/net
    ls -d virtfn0/sriov_totalvfs 2> /dev/null || ls virtfn1/net
    ip netns exec pod ls /sys/class/net/net1/device/net
    ls /sys/bus/pci/drivers/mlx5_core | grep 0000
    """
    assert functions(script) == [
        "sriov_drivers_autoprobe:1", "sriov_numvfs:3", "sriov_offset:2", "sriov_stride:1", "sriov_totalvfs:16",
        "sriov_vf_device:101e", "../0000:08:00.2", "../0000:08:00.4", "../0000:08:00.0",
        "virtfn0", "virtfn1", "virtfn2", "0x101e", "0x15b3", "eth2", "net1",
        "0000:08:00.0", "0000:08:00.2", "0000:08:00.3", "0000:08:00.4",
    ]


def test_how_many_there_are_is_written() -> None:
    script = """
import errno, os
def write(name, text, device="eth0"):
    try:
        with open(f"/sys/class/net/{device}/device/{name}", "w") as file:
            file.write(text)
        return "ok"
    except OSError as error:
        return errno.errorcode[error.errno]
def there():
    return len([name for name in os.listdir("/sys/class/net/eth0/device") if name.startswith("virtfn")])
print([write("sriov_numvfs", text) for text in ("2", "17", "65536", "x", "-1", "3", "0")], there())
print(*(write("sriov_drivers_autoprobe", text) for text in "n?"), write("sriov_numvfs", "0x2"), there())
print(os.listdir("/sys/class/net/eth0/device/virtfn1").count("driver"), len(os.listdir("/sys/class/net")))
eth1 = "/sys/class/net/eth1/device/"
print(write("sriov_numvfs", "1", "eth1"), open(eth1 + "sriov_numvfs").read(), os.path.exists(eth1 + "virtfn0"))
"""
    done = nobody.nlemu("run", "--world", FUNCTIONS, "--", nobody.python(), "-c", script)
    assert done.stdout.split("\n") == [
        "['EBUSY', 'ERANGE', 'EINVAL', 'EINVAL', 'EINVAL', 'ok', 'ok'] 0", "ok EINVAL ok 2", "0 4",
        "ok 0", " False", "",
    ], done.stderr


def test_functions_by_ip() -> None:
    script = """
    ip link set eth0 vf 1 mac 02:00:00:00:00:77 vlan 5 spoofchk on
    ip link show eth0 | grep 'vf 1' | tr -s ' '
    echo 0 > /sys/class/net/eth0/device/sriov_numvfs
    ip link set eth0 vf 0 mac 02:00:00:00:00:88
    echo 1 > /sys/class/net/eth0/device/sriov_numvfs
    cat /sys/class/net/eth0/device/virtfn0/net/*/address
    """
    assert functions(script) == [
        " vf 1 link/ether 02:00:00:00:00:77 brd ff:ff:ff:ff:ff:ff, vlan 5, spoof checking on, link-state auto,"
        " trust off, query_rss off",
        "02:00:00:00:00:88",
    ]


def test_representors_stand_beside_their_card() -> None:
    script = """
    devlink dev eswitch set pci/0000:08:00.0 mode switchdev
    ls /sys/class/net/eth0/device/net
    cat /sys/class/net/eth5/phys_port_name
    cmp /sys/class/net/eth5/phys_switch_id /sys/class/net/eth0/phys_switch_id
    readlink /sys/class/net/eth5/device
    cat /sys/class/net/eth2/phys_port_name 2> /dev/null || devlink port show pci/0000:08:00.0/2
    """
    told = functions(script)
    assert told[:6] == ["eth0", "eth4", "eth5", "eth6", "pf0vf1", "../../../0000:08:00.0"]
    assert told[6].startswith("pci/0000:08:00.0/2: type eth netdev eth5 flavour pcivf controller 0 pfnum 0 vfnum 1")
