// What a controller that opens everything does: a handle of all families that the library knows (rtnetlink, XFRM and
// NETFILTER), and lists of what it has never configured.
package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func check(err error, what string) {
	if err != nil {
		fmt.Println(what, err)
		os.Exit(1)
	}
}

func main() {
	runtime.LockOSThread()
	handle, err := netlink.NewHandle()
	check(err, "handle")
	defer handle.Close()
	links, err := handle.LinkList()
	check(err, "links")
	states, err := handle.XfrmStateList(unix.AF_INET)
	check(err, "states")
	policies, err := handle.XfrmPolicyList(unix.AF_INET)
	check(err, "policies")
	flows, err := handle.ConntrackTableList(netlink.ConntrackTable, unix.AF_INET)
	check(err, "flows")
	fmt.Println(len(links), len(states), len(policies), len(flows))
	check(handle.XfrmStateFlush(0), "flush")
	fmt.Println(handle.XfrmStateAdd(&netlink.XfrmState{Proto: netlink.XFRM_PROTO_ESP, Mode: netlink.XFRM_MODE_TUNNEL, Spi: 1}))
}
