"""The programs that people have, as they are, run by nobody on the emulator."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")
NEW = "echo '1 1 2' > /sys/bus/netdevsim/new_device\n"


def test_ip_link() -> None:
    nobody.need("ip")
    script = """
    ip link add v0 type veth peer name v1
    ip link set v0 up mtu 1400 alias here; ip link set v1 up
    ip link set v1 name v2
    ip -d -j link
    ip link del v0
    ip -j link
    """
    first, second = map(json.loads, nobody.shell(script).splitlines())
    by_name = {link["ifname"]: link for link in first}
    assert set(by_name) == {"lo", "v0", "v2"}
    assert by_name["v0"]["mtu"] == 1400
    assert by_name["v0"]["ifalias"] == "here"
    assert by_name["v0"]["link"] == "v2"
    assert by_name["v0"]["linkinfo"] == {"info_kind": "veth"}
    assert [link["ifname"] for link in second] == ["lo"]


def test_ip_link_vlan() -> None:
    nobody.need("ip")
    script = """
    ip link add base type dummy; ip link set base up
    ip link add link base name base.5 type vlan id 5 ingress-qos-map 1:2 egress-qos-map 3:4 2:1
    ip link set base.5 up; ip link set base.5 type vlan loose_binding on
    ip -d -j link show dev base.5
    ip link del base
    ip -j link
    """
    first, second = map(json.loads, nobody.shell(script).splitlines())
    (link,) = first
    assert (link["link"], link["operstate"], link["linkinfo"]["info_kind"]) == ("base", "UP", "vlan")
    assert link["linkinfo"]["info_data"] == {
        "protocol": "802.1Q", "id": 5, "flags": ["REORDER_HDR", "LOOSE_BINDING"],
        "ingress_qos": [{"from": 1, "to": 2}], "egress_qos": [{"from": 2, "to": 1}, {"from": 3, "to": 4}],
    }
    assert [link["ifname"] for link in second] == ["lo"]


def test_ip_addr() -> None:
    nobody.need("ip")
    script = """
    ip link add d0 type dummy; ip link set d0 up
    ip addr add 192.0.2.1/24 dev d0; ip addr add 2001:db8::1/64 dev d0
    ip -j addr show dev d0
    ip addr del 192.0.2.1/24 dev d0
    ip -4 -j addr show dev d0
    """
    first, second = map(json.loads, nobody.shell(script).splitlines())
    assert {"192.0.2.1", "2001:db8::1"} <= {address["local"] for address in first[0]["addr_info"]}
    assert second in ([], [{}])


def test_ip_batch() -> None:
    nobody.need("ip")
    batch = "".join(f"link add d{index} type dummy\nlink set d{index} up\n" for index in range(50)) + "link show\n"
    lines = nobody.run("ip", "-br", "-b", "-", text=batch).splitlines()
    assert [line.split()[:2] for line in lines] == [["lo", "DOWN"], *([f"d{index}", "UNKNOWN"] for index in range(50))]


def test_ip_monitor() -> None:
    nobody.need("ip")
    script = """
import select, subprocess
# It lists the links before it listens, and says so when one comes in between, as it would on Linux.
monitor = subprocess.Popen(["ip", "monitor", "link"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
index = 0
while not select.select([monitor.stdout], [], [], 0)[0]:   # until it listens
    subprocess.run(["ip", "link", "add", f"d{index}", "type", "dummy"], check=True)
    index += 1
print(monitor.stdout.readline().split()[1][0])
monitor.terminate()
print(monitor.wait())
"""
    assert nobody.run(nobody.python(), "-c", script) == "d\n-15\n"


def test_ip_says_what_the_kernel_says() -> None:
    nobody.need("ip")
    done = nobody.nlemu("run", "--", "ip", "link", "set", "none", "up")
    assert (done.returncode, done.stderr) == (1, 'Cannot find device "none"\n')
    done = nobody.nlemu("run", "--", "ip", "link", "add", "d0", "type", "nonsense")
    assert (done.returncode, done.stderr) == (2, "Error: Unknown device type.\n")


def test_ethtool() -> None:
    nobody.need("ethtool")
    output = nobody.shell(NEW + "ethtool -l eth0; ethtool -L eth0 combined 1; ethtool -l eth0")
    assert [line.split()[1] for line in output.splitlines() if line.startswith("Combined")] == ["2", "2", "2", "1"]
    output = nobody.shell(NEW + "ethtool -g eth0; ethtool -G eth0 rx 256; ethtool -g eth0")
    assert [line.split()[1] for line in output.splitlines() if line.startswith("RX:")] == ["4096", "512", "4096", "256"]
    output = nobody.shell(NEW + "ethtool -i eth0; ethtool -k eth0")
    assert output.startswith("driver: netdevsim\n")
    assert "bus-info: netdevsim1\n" in output
    assert "hw-tc-offload: off\n" in output
    output = nobody.shell("ip link add v0 type veth peer v1; ethtool -S v0; ethtool -i v0")
    assert output.startswith("NIC statistics:\n     peer_ifindex: ")
    assert "driver: veth" in output


def test_libnl() -> None:
    nobody.need("genl-ctrl-list")
    assert "0x0014 netdev version 1\n" in nobody.run("genl-ctrl-list")
    nobody.need("nl-link-list")
    assert nobody.run("nl-link-list").startswith("lo loopback")


def test_bpftool() -> None:
    nobody.need("bpftool")
    output = nobody.run("bpftool", "net")
    assert output.split() == ["xdp:", "tc:", "flow_dissector:"]


def test_glibc() -> None:
    script = """
import ctypes, socket
class Address(ctypes.Structure): pass
Address._fields_ = [("next", ctypes.POINTER(Address)), ("name", ctypes.c_char_p)]
libc, found = ctypes.CDLL(None), ctypes.POINTER(Address)()
assert libc.getifaddrs(ctypes.byref(found)) == 0
names = []
while found:
    names.append(found.contents.name.decode())
    found = found.contents.next
print(socket.if_nameindex(), names)
"""
    assert nobody.run(nobody.python(), "-c", script) == "[(1, 'lo')] ['lo']\n"


def packages(*names: str) -> str:
    """A PYTHONPATH, readable to nobody, on which packages of the tests' interpreter are found."""
    import importlib.util
    import shutil
    import tempfile

    place = Path(tempfile.mkdtemp(prefix="nlemu-tests-"))
    place.chmod(0o755)
    for name in names:
        found = importlib.util.find_spec(name)
        if found is None or not found.submodule_search_locations:
            shutil.rmtree(place)
            nobody.lacking(f"{name} is not installed")
            raise AssertionError
        shutil.copytree(next(iter(found.submodule_search_locations)), place / name)
    return str(place)


@pytest.fixture
def pyroute2() -> Iterator[str]:
    import shutil

    place = packages("pyroute2")
    yield place
    shutil.rmtree(place)


def test_pyroute2(pyroute2: str) -> None:
    script = """
from pyroute2 import GenericNetlinkSocket, IPRoute, NetNS, netns
from pyroute2.netlink import genlmsg
with IPRoute() as ip:
    ip.link("add", ifname="p0", kind="dummy")
    index = ip.link_lookup(ifname="p0")[0]
    ip.link("set", index=index, state="up")
    print([(link.get_attr("IFLA_IFNAME"), link["state"]) for link in ip.get_links()])
generic = GenericNetlinkSocket()
generic.bind("netdev", genlmsg)
print(generic.prid)
generic.close()
"""
    output = nobody.run("env", f"PYTHONPATH={pyroute2}", nobody.python(), "-c", script)
    assert output.splitlines() == ["[('lo', 'down'), ('p0', 'up')]", "20"]


GO_SOURCES = Path(__file__).parent / "go"
GO_PACKAGES = Path("/usr/share/gocode")


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory with the Go programs, built statically with the libraries of Debian."""
    import shutil
    import tempfile

    compiler = nobody.need("go")
    for library in ("vishvananda", "mdlayher"):
        if not (GO_PACKAGES / "src/github.com" / library / "netlink").exists():
            nobody.lacking(f"golang-github-{library}-netlink-dev is not installed")
    place = Path(tempfile.mkdtemp(prefix="nlemu-tests-"))
    place.chmod(0o755)
    settings = {"GO111MODULE": "off", "CGO_ENABLED": "0", "GOPATH": str(GO_PACKAGES), "GOFLAGS": "",
                "GOCACHE": str(tmp_path_factory.mktemp("go"))}
    for program in ("vishvananda", "mdlayher", "handles"):
        subprocess.run([compiler, "build", "-o", str(place / program), "."], cwd=GO_SOURCES / program, check=True,
                       env={**nobody.environment(), **settings})
    yield place
    shutil.rmtree(place)


def test_go_with_vishvananda(go: Path) -> None:
    assert nobody.run(str(go / "vishvananda")).splitlines() == [
        "1 device lo 65536", "2 veth go1 1500", "3 veth go0 1400", "Link not found", "lo 65536", "go1 1500", "go0 1400",
    ]


def test_go_with_mdlayher(go: Path) -> None:
    output = nobody.run(str(go / "mdlayher"), "/sys/bus/netdevsim/new_device")
    assert output.splitlines() == ["1 1", "netlink receive: no such file or directory", "unknown(16)"]


def test_pyynl(kernel_tree: Path) -> None:
    yaml = packages("yaml")
    import shutil

    client = kernel_tree / "tools/net/ynl/pyynl/cli.py"
    specs = kernel_tree / "Documentation/netlink/specs"
    try:
        for family, words in (
            ("netdev", ["--dump", "dev-get"]),
            ("ethtool", ["--dump", "channels-get"]),
            ("nlctrl", ["--dump", "getfamily"]),
            ("rt-link", ["--dump", "getlink"]),
            ("rt-addr", ["--dump", "getaddr"]),
        ):
            output = nobody.run("env", f"PYTHONPATH={yaml}", nobody.python(), str(client), "--no-schema", "--spec",
                                str(specs / f"{family}.yaml"), *words)
            assert output
        script = f"""
import select, subprocess, sys
words = ["-u", {str(client)!r}, "--no-schema", "--spec", {str(specs / "netdev.yaml")!r}, "--subscribe", "mgmt",
         "--duration", "3", "--output-json"]
client = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True)
number = 0
while not select.select([client.stdout], [], [], 0)[0]:
    subprocess.run(["ip", "link", "add", "d%d" % number, "type", "dummy"], check=True)
    number += 1
print("dev-add-ntf" in client.stdout.readline())
client.terminate()
"""
        assert nobody.run("env", f"PYTHONPATH={yaml}", nobody.python(), "-c", script) == "True\n"
    finally:
        shutil.rmtree(yaml)

