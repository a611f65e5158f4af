// What a controller does with github.com/mdlayher/netlink: families, a request with an error, notifications.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/mdlayher/netlink"
)

func check(err error, what string) {
	if err != nil {
		fmt.Println(what, err)
		os.Exit(1)
	}
}

func main() {
	conn, err := netlink.Dial(16, &netlink.Config{Strict: false})
	check(err, "dial")
	defer conn.Close()
	check(conn.SetOption(netlink.ExtendedAcknowledge, true), "ext ack")
	request := netlink.Message{
		Header: netlink.Header{Type: 16, Flags: netlink.Request},
		Data:   append([]byte{3, 2, 0, 0}, attribute(2, "netdev\x00")...),
	}
	replies, err := conn.Execute(request)
	check(err, "getfamily")
	fmt.Println(len(replies), replies[0].Data[0])
	request.Data = append([]byte{3, 2, 0, 0}, attribute(2, "none\x00")...)
	_, err = conn.Execute(request)
	fmt.Println(err)
	listener, err := netlink.Dial(0, &netlink.Config{Groups: 1})
	check(err, "dial route")
	check(listener.SetReadDeadline(time.Now().Add(10*time.Second)), "deadline")
	if len(os.Args) > 1 {
		check(os.WriteFile(os.Args[1], []byte("1 1 1"), 0), "new_device")
	}
	messages, err := listener.Receive()
	check(err, "receive")
	fmt.Println(messages[0].Header.Type)
}

func attribute(kind byte, value string) []byte {
	length := 4 + len(value)
	data := append([]byte{byte(length), 0, kind, 0}, value...)
	for len(data)%4 != 0 {
		data = append(data, 0)
	}
	return data
}
