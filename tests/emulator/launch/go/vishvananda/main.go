// What a controller does with github.com/vishvananda/netlink: make a pair, set it up, look at it, take it away.
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
)

func check(err error, what string) {
	if err != nil {
		fmt.Println(what, err)
		os.Exit(1)
	}
}

func main() {
	runtime.LockOSThread()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "go0"
	check(netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "go1"}), "add")
	link, err := netlink.LinkByName("go0")
	check(err, "by name")
	check(netlink.LinkSetUp(link), "up")
	check(netlink.LinkSetMTU(link, 1400), "mtu")
	links, err := netlink.LinkList()
	check(err, "list")
	for _, each := range links {
		fmt.Println(each.Attrs().Index, each.Type(), each.Attrs().Name, each.Attrs().MTU)
	}
	_, err = netlink.LinkByName("none")
	fmt.Println(err)
	interfaces, err := net.Interfaces()
	check(err, "interfaces")
	for _, each := range interfaces {
		fmt.Println(each.Name, each.MTU)
	}
	check(netlink.LinkDel(link), "del")
}
