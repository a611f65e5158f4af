// The road to a leased queue from Go: github.com/vishvananda/netlink (as Debian has it) where it has the calls, its nl
// package where it has not. The steps are those of road.py.
package road

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"reflect"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

const (
	netdevQueueGet, netdevQueueCreate                 = 10, 16
	queueID, queueIfindex, queueType, queueLease      = 1, 2, 3, 8
	leaseIfindex, leaseQueue, leaseNetnsID            = 1, 2, 3
	ethtoolRingsGet, ethtoolRingsSet                  = 15, 16
	ethtoolFeaturesSet                                = 12
	ethtoolRssGet, ethtoolRssSet                      = 38, 48
	headerDevName                                     = 2
	rssIndir                                          = 4
	ringsSplit, ringsHdsThresh                        = 11, 17
	featuresWanted                                    = 3
	bitsetBits, bitsetBit, bitName, bitValue          = 3, 1, 2, 3
	netkitPeerInfo, netkitMode                        = 1, 5
	iflaNumRxQueues                                   = 32
	siocEthtool                                       = 0x8946
	grxclsrule, grxclsrlall, srxclsrldel, srxclsrlins = 0x2f, 0x30, 0x31, 0x32
	locAny                                            = 0xffffffff
	tcpV4                                             = 1
)

var host = binary.LittleEndian

func u32(v uint32) []byte { return host.AppendUint32(nil, v) }

// genlmsghdr is nl.Genlmsg, which in Debian's version sends two bytes of whatever is behind it in memory: a family
// as strict as netdev says EINVAL to that.
type genlmsghdr [nl.SizeofGenlmsg]byte

func (h genlmsghdr) Len() int          { return len(h) }
func (h genlmsghdr) Serialize() []byte { return h[:] }

// generic asks a family of generic netlink, and returns the attributes of its answer.
func generic(family string, command uint8, attrs ...*nl.RtAttr) (map[uint16][]byte, error) {
	f, err := netlink.GenlFamilyGet(family)
	if err != nil {
		return nil, err
	}
	req := nl.NewNetlinkRequest(int(f.ID), unix.NLM_F_ACK)
	req.AddData(genlmsghdr{command, 1, 0, 0})
	for _, attr := range attrs {
		req.AddData(attr)
	}
	msgs, err := req.Execute(unix.NETLINK_GENERIC, 0)
	if err != nil || len(msgs) == 0 {
		return nil, err
	}
	return parsed(msgs[0][nl.SizeofGenlmsg:])
}

func parsed(data []byte) (map[uint16][]byte, error) {
	list, err := nl.ParseRouteAttr(data)
	found := map[uint16][]byte{}
	for _, attr := range list {
		found[attr.Attr.Type&^unix.NLA_F_NESTED] = attr.Value
	}
	return found, err
}

func nest(kind int, children ...*nl.RtAttr) *nl.RtAttr {
	attr := nl.NewRtAttr(kind|unix.NLA_F_NESTED, nil)
	for _, child := range children {
		attr.AddChild(child)
	}
	return attr
}

func header(nic string) *nl.RtAttr {
	return nest(1, nl.NewRtAttr(headerDevName, nl.ZeroTerminated(nic)))
}

func queue(ifindex int, id uint32) (map[uint16][]byte, error) {
	return generic("netdev", netdevQueueGet, nl.NewRtAttr(queueIfindex, u32(uint32(ifindex))),
		nl.NewRtAttr(queueType, u32(0)), nl.NewRtAttr(queueID, u32(id)))
}

func spread(nic string, kept uint32) (before []byte, err error) {
	told, err := generic("ethtool", ethtoolRssGet, header(nic))
	if err != nil {
		return nil, err
	}
	before = told[rssIndir]
	var table []byte
	for i := 0; i < len(before)/4; i++ {
		table = append(table, u32(uint32(i)%kept)...)
	}
	if _, err = generic("ethtool", ethtoolRssSet, header(nic), nl.NewRtAttr(rssIndir, table)); err != nil {
		return nil, err
	}
	told, err = generic("ethtool", ethtoolRssGet, header(nic))
	if err == nil && !reflect.DeepEqual(told[rssIndir], table) {
		err = errors.New("the table is not what was set")
	}
	return before, err
}

func split(nic string) error {
	told, err := generic("ethtool", ethtoolRingsGet, header(nic))
	if err != nil {
		return err
	}
	wanted := []*nl.RtAttr{header(nic), nl.NewRtAttr(ringsSplit, []byte{2})}
	if _, ok := told[ringsHdsThresh]; ok {
		wanted = append(wanted, nl.NewRtAttr(ringsHdsThresh, u32(0)))
	}
	if _, err = generic("ethtool", ethtoolRingsSet, wanted...); errors.Is(err, unix.EINVAL) {
		if err = feature(nic, "rx-gro-hw"); err == nil {
			_, err = generic("ethtool", ethtoolRingsSet, wanted...)
		}
	}
	return err
}

func feature(nic, name string) error {
	bit := nest(bitsetBit, nl.NewRtAttr(bitName, nl.ZeroTerminated(name)), nl.NewRtAttr(bitValue, nil))
	_, err := generic("ethtool", ethtoolFeaturesSet, header(nic), nest(featuresWanted, nest(bitsetBits, bit)))
	return err
}

// connect makes a pair of netkit devices; the peer is in the pod, and has room for a queue.
func connect(name string, pod netns.NsHandle) error {
	req := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	req.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	req.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)))
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, []byte("netkit"))
	data := info.AddRtAttr(nl.IFLA_INFO_DATA, nil)
	data.AddRtAttr(netkitMode, u32(0))
	peer := data.AddRtAttr(netkitPeerInfo, nil)
	nl.NewIfInfomsgChild(peer, unix.AF_UNSPEC)
	peer.AddRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated("eth0"))
	peer.AddRtAttr(iflaNumRxQueues, u32(2))
	peer.AddRtAttr(unix.IFLA_NET_NS_FD, u32(uint32(pod)))
	req.AddData(info)
	_, err := req.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

func lease(peer, nic int, id uint32, netnsID int) (uint32, error) {
	told, err := generic("netdev", netdevQueueCreate, nl.NewRtAttr(queueIfindex, u32(uint32(peer))),
		nl.NewRtAttr(queueType, u32(0)), nest(queueLease, nl.NewRtAttr(leaseIfindex, u32(uint32(nic))),
			nest(leaseQueue, nl.NewRtAttr(queueID, u32(id)), nl.NewRtAttr(queueType, u32(0))),
			nl.NewRtAttr(leaseNetnsID, u32(uint32(netnsID)))))
	if err != nil {
		return 0, err
	}
	return host.Uint32(told[queueID]), nil
}

type rxnfc struct {
	cmd, flowType uint32
	data          uint64
	kind          uint32
	values        [52]byte
	ext           [20]byte
	masks         [52]byte
	extMasks      [20]byte
	_             [4]byte
	cookie        uint64
	location      uint32
	_             [4]byte
	count         uint32
	locations     [64]uint32
}

func rule(nic string, asked *rxnfc) error {
	sock, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(sock)
	var ifreq struct {
		name [16]byte
		data unsafe.Pointer
		_    [16]byte
	}
	copy(ifreq.name[:15], nic)
	ifreq.data = unsafe.Pointer(asked)
	if _, _, number := syscall.Syscall(syscall.SYS_IOCTL, uintptr(sock), siocEthtool, uintptr(unsafe.Pointer(&ifreq))); number != 0 {
		return number
	}
	return nil
}

// steer sends TCP to a port of an address to a queue; where the driver wants the place said, it is the last.
func steer(nic string, address net.IP, port uint16, queue uint32) (uint32, error) {
	asked := rxnfc{cmd: srxclsrlins, kind: tcpV4, cookie: uint64(queue), location: locAny}
	copy(asked.values[4:], address.To4())
	copy(asked.masks[4:], []byte{0xff, 0xff, 0xff, 0xff})
	binary.BigEndian.PutUint16(asked.values[10:], port)
	binary.BigEndian.PutUint16(asked.masks[10:], 0xffff)
	err := rule(nic, &asked)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSPC) {
		all := rxnfc{cmd: grxclsrlall}
		if err = rule(nic, &all); err != nil {
			return 0, err
		}
		asked.location = uint32(all.data) - 1
		err = rule(nic, &asked)
	}
	return asked.location, err
}

func inside(t *testing.T, where netns.NsHandle, do func()) {
	t.Helper()
	back, err := netns.Get()
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	defer netns.Set(back)
	if err := netns.Set(where); err != nil {
		t.Fatal(err)
	}
	do()
}

func TestTheRoad(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	nic := os.Getenv("NIC")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	link, err := netlink.LinkByName(nic)
	must(err)
	must(netlink.LinkSetUp(link))
	index := link.Attrs().Index

	queues := uint32(0)
	for ; ; queues++ {
		if _, err = queue(index, queues); err != nil {
			break
		}
	}
	if queues != 8 || !(errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT)) {
		t.Fatal(queues, err)
	}
	before, err := spread(nic, queues-1)
	must(err)
	must(split(nic))

	home, err := netns.Get()
	must(err)
	pod, err := netns.GetFromName("pod")
	must(err)
	must(connect("nk0", pod))
	var peer, id int
	inside(t, pod, func() {
		got, err := netlink.LinkByName("eth0")
		must(err)
		peer = got.Attrs().Index
		if id, err = netlink.GetNetNsIdByFd(int(home)); err != nil || id < 0 {
			t.Fatal(id, err)
		}
		made, err := lease(peer, index, queues-1, id)
		if made != 1 || err != nil {
			t.Fatal(made, err)
		}
		if _, err = lease(peer, index, queues-1, id); !errors.Is(err, unix.EBUSY) {
			t.Fatal(err)
		}
	})
	told, err := queue(index, queues-1)
	must(err)
	if told[queueLease] == nil {
		t.Fatal(told)
	}

	must(feature(nic, "rx-ntuple-filter"))
	place, err := steer(nic, net.IPv4(10, 0, 0, 1), 8080, queues-1)
	must(err)
	shown := rxnfc{cmd: grxclsrule, location: place}
	must(rule(nic, &shown))
	if shown.cookie != uint64(queues-1) || shown.kind != tcpV4 {
		t.Fatal(fmt.Sprintf("%+v", shown))
	}

	must(rule(nic, &rxnfc{cmd: srxclsrldel, location: place}))
	kit, err := netlink.LinkByName("nk0")
	must(err)
	must(netlink.LinkDel(kit))
	_, err = generic("ethtool", ethtoolRssSet, header(nic), nl.NewRtAttr(rssIndir, nil))
	must(err)
	after, err := generic("ethtool", ethtoolRssGet, header(nic))
	must(err)
	if told, err = queue(index, queues-1); err != nil || told[queueLease] != nil || !reflect.DeepEqual(after[rssIndir], before) {
		t.Fatal(told, err)
	}
}
