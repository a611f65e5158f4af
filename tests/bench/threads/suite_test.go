// A suite of COUNT tests as controllers have them: each in a thread and a namespace of its own, as many at once as
// -test.parallel says.
package threads

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
)

func must(t *testing.T, err error, what string) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func one(t *testing.T) {
	t.Parallel()
	runtime.LockOSThread() // and never unlocked: the thread ends with the test, and its namespace with the thread
	must(t, syscall.Unshare(syscall.CLONE_NEWNET), "unshare")
	h, err := netlink.NewHandle(syscall.NETLINK_ROUTE)
	must(t, err, "handle")
	defer h.Delete()

	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "veth0"}, PeerName: "veth1"}
	must(t, h.LinkAdd(veth), "add a pair")
	address, err := netlink.ParseAddr("192.0.2.1/24")
	must(t, err, "parse")
	must(t, h.AddrAdd(veth, address), "add an address")
	for _, name := range []string{"lo", "veth0", "veth1"} {
		link, err := h.LinkByName(name)
		must(t, err, name)
		must(t, h.LinkSetUp(link), "up")
	}
	_, to, _ := net.ParseCIDR("198.51.100.0/24")
	must(t, h.RouteAdd(&netlink.Route{Dst: to, Gw: net.IPv4(192, 0, 2, 2)}), "add a route")

	links, err := h.LinkList()
	must(t, err, "list links")
	addresses, err := h.AddrList(veth, netlink.FAMILY_V4)
	must(t, err, "list addresses")
	routes, err := h.RouteList(veth, netlink.FAMILY_V4)
	must(t, err, "list routes")
	if len(links) < 3 || len(addresses) != 1 || len(routes) != 2 {
		t.Fatalf("there are %d links, %d addresses and %d routes", len(links), len(addresses), len(routes))
	}
	must(t, h.LinkDel(veth), "delete the pair")
	if _, err = h.LinkByName("veth1"); err == nil {
		t.Fatal("its other end is there")
	}
}

func TestSuite(t *testing.T) {
	count, err := strconv.Atoi(os.Getenv("COUNT"))
	must(t, err, "COUNT")
	for number := 0; number < count; number++ {
		t.Run(fmt.Sprint(number), one)
	}
}
