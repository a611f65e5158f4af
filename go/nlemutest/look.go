package nlemutest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

var (
	looked  sync.Once
	missing error
)

var (
	errOutside = errors.New("this is not under nlemu run")
	errAbsent  = errors.New("nlemu is not in PATH; it is a Python package: `python3 -m venv DIR && DIR/bin/pip install CHECKOUT`, " +
		"with the checkout of nlemu, and DIR/bin in PATH")
)

// emulated returns nil if this process is on the emulated kernel of the daemon, and else what is missing.
func emulated() error {
	looked.Do(func() { missing = look(os.Getenv(Directory)) })
	return missing
}

// look opens a netlink socket and asks the daemon whether it has it. That there is a daemon does not suffice: tests that
// are not under nlemu run would configure the real kernel.
func look(directory string) error {
	if directory == "" {
		if _, err := exec.LookPath("nlemu"); err != nil {
			return errAbsent
		}
		return errors.New("TestMain does not call nlemutest.Main")
	}
	kernel, err := connect(directory)
	if err != nil {
		return err
	}
	defer kernel.conn.Close()
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return err
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return err
	}
	told, err := kernel.Try(map[string]any{"state": true})
	if err != nil {
		return err
	}
	var state struct {
		Sockets []struct {
			Protocol string
			Port     uint32
		}
	}
	if err := json.Unmarshal(told, &state); err != nil {
		return err
	}
	for _, one := range state.Sockets {
		if local, is := name.(*syscall.SockaddrNetlink); is && one.Protocol == "route" && one.Port == local.Pid {
			return nil
		}
	}
	return fmt.Errorf("%w --dir %s", errOutside, directory)
}
