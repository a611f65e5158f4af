// Package nlemutest is for tests of Go programs that speak netlink: an emulated kernel around them, NICs and namespaces
// in it, faults that strike on demand, and a history of what was asked.
//
// A suite needs a TestMain and a line in each test:
//
//	func TestMain(m *testing.M) { nlemutest.Main(m) }
//
//	func TestNoMemory(t *testing.T) {
//		kernel := nlemutest.Start(t)
//		kernel.Fault("route.newlink", "ENOMEM")
//		...
//	}
//
// Main runs the test binary again under `nlemu run` where it is not yet, so that every netlink socket, namespace and file below /sys that the
// tests open is the emulator's. Where nlemu is not installed, tests that call Start are skipped. The lines that can be
// said with Do, and the fields of a fault, are told in docs/sockets.md and docs/faults.md of nlemu.
package nlemutest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Kernel is the emulated kernel of a test.
type Kernel struct {
	t      testing.TB
	conn   net.Conn
	reader *bufio.Reader
	told   bool // what it was like when the test failed
}

// Start connects to the emulated kernel, and skips the test where there is none. What the test makes with the methods of
// Kernel goes when it ends; what its own requests made stays, as on any kernel that tests share. A test that fails logs the
// last messages, decoded, why requests were refused, the devices, and the faults.
func Start(t testing.TB) *Kernel {
	t.Helper()
	if err := emulated(); err != nil {
		if os.Getenv(again) != "" {
			t.Fatalf("nlemu: %v", err) // Main has begun one, and this is not on it
		}
		if os.Getenv(Required) != "" {
			t.Fatalf("no emulated kernel, which $%s demands: %v", Required, err)
		}
		t.Skipf("no emulated kernel: %v", err)
	}
	kernel, err := connect(os.Getenv(Directory))
	if err != nil {
		t.Fatalf("nlemu: %v", err)
	}
	kernel.t = t
	t.Cleanup(func() {
		kernel.tell()
		kernel.conn.Close()
	})
	return kernel
}

// connect opens a connection to the daemon's control socket.
func connect(directory string) (*Kernel, error) {
	conn, err := net.Dial("unix", filepath.Join(directory, "control"))
	if err != nil {
		return nil, err
	}
	return &Kernel{conn: conn, reader: bufio.NewReader(conn)}, nil
}

// Do says a line to the daemon and returns what it tells. A refusal fails the test.
func (k *Kernel) Do(fields map[string]any) json.RawMessage {
	k.t.Helper()
	told, err := k.Try(fields)
	if err != nil {
		k.t.Fatalf("nlemu: %v: %v", fields, err)
	}
	return told
}

// Try is Do for a line that may be refused: the error is an errno where the kernel would have refused it.
func (k *Kernel) Try(fields map[string]any) (json.RawMessage, error) {
	line, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	if _, err := k.conn.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	line, err = k.reader.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	var answer struct {
		OK    json.RawMessage
		Error string
		Errno string
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		return nil, err
	}
	if answer.Error != "" {
		return nil, errors.New(strings.TrimSpace(answer.Error + " " + answer.Errno))
	}
	return answer.OK, nil
}

// NIC plugs in a NIC of a profile ("mlx5_core", "bnxt_en" ...) with so many queues. It goes when the test ends. An empty
// name is the next free eth, and no queues are as many as the profile has.
func (k *Kernel) NIC(profile, name string, queues int) {
	k.t.Helper()
	address := k.address()
	fields := map[string]any{"nic_new": address, "profile": profile, "queues": queues}
	if name != "" {
		fields["name"] = name
	}
	k.Do(fields)
	k.cleanup(func() { k.Try(map[string]any{"nic_del": address}) })
}

// cleanup has something done when the test ends, after it has been told what there was if the test failed.
func (k *Kernel) cleanup(do func()) {
	k.t.Cleanup(func() {
		k.tell()
		do()
	})
}

// address is one at which nothing is plugged in.
func (k *Kernel) address() string {
	var state struct {
		Namespaces map[string]struct{ Devices []struct{ Parent string } }
	}
	if err := json.Unmarshal(k.Do(map[string]any{"state": true}), &state); err != nil {
		k.t.Fatalf("nlemu: %v", err)
	}
	taken := map[string]bool{}
	for _, namespace := range state.Namespaces {
		for _, device := range namespace.Devices {
			taken[device.Parent] = true
		}
	}
	for bus := 1; ; bus++ {
		if address := fmt.Sprintf("0000:%02x:00.0", bus); !taken[address] {
			return address
		}
	}
}

// Namespace makes a namespace. It loses its name when the test ends.
func (k *Kernel) Namespace(name string) {
	k.t.Helper()
	k.Do(map[string]any{"netns": name})
	k.cleanup(func() { k.Try(map[string]any{"netns_del": name}) })
}

// Fault is one that waits. A test that ends well although it never struck has tested nothing, and fails.
type Fault struct {
	kernel *Kernel
	name   string
}

// Fault has the next request for an operation ("route.newlink", "ETHTOOL_SRXCLSRLINS") refused with an errno. More fields
// say whom it strikes and how often: {"device": "eth0"}, {"skip": 2}, {"count": 0}.
func (k *Kernel) Fault(operation, errno string, more ...map[string]any) *Fault {
	k.t.Helper()
	return k.wait("fault", map[string]any{"fault": operation, "errno": errno}, more)
}

// HangUp has the socket that makes the next such request closed, before anything is done ("asked") or before it is answered
// ("done"): its reader finds an end.
func (k *Kernel) HangUp(operation, when string, more ...map[string]any) *Fault {
	k.t.Helper()
	return k.wait("fault", map[string]any{"fault": operation, "hang_up": when}, more)
}

// Interrupt has the next dump say that it may be inconsistent (NLM_F_DUMP_INTR).
func (k *Kernel) Interrupt(operation string, more ...map[string]any) *Fault {
	k.t.Helper()
	return k.wait("interrupt", map[string]any{"interrupt": operation}, more)
}

// Notice has the next notification of that name meet its fate: "lose", "duplicate", "swap", "delay".
func (k *Kernel) Notice(operation, fate string, more ...map[string]any) *Fault {
	k.t.Helper()
	return k.wait("notice", map[string]any{"notice": operation, "fate": fate}, more)
}

func (k *Kernel) wait(verb string, fields map[string]any, more []map[string]any) *Fault {
	k.t.Helper()
	for _, some := range more {
		for name, value := range some {
			fields[name] = value
		}
	}
	fault := &Fault{k, fmt.Sprintf("%s %d", k.t.Name(), len(k.faults()))}
	fields["name"] = fault.name
	k.Do(fields)
	about := fmt.Sprintf("%s %v", verb, fields[verb])
	if _, file, line, known := runtime.Caller(2); known {
		about += fmt.Sprintf(", set in %s:%d,", filepath.Base(file), line)
	}
	k.cleanup(func() {
		ended := fault.told()
		defer k.Try(map[string]any{"heal": fault.name})
		defer k.tell() // it is still listed then
		switch {
		case k.t.Failed() || k.t.Skipped():
		case ended.Struck == 0:
			k.t.Errorf("nlemu: %s never struck; it met %d that it was for", about, ended.Met)
		case ended.Failed != "":
			k.t.Errorf("nlemu: %s struck, and what was to happen then did not: %s", about, ended.Failed)
		}
	})
	return fault
}

type listed struct {
	Name   string
	Met    int
	Struck int
	Failed string
}

func (k *Kernel) faults() (found []listed) {
	k.t.Helper()
	if err := json.Unmarshal(k.Do(map[string]any{"faults": true}), &found); err != nil {
		k.t.Fatalf("nlemu: %v", err)
	}
	return found
}

// Struck is how often it has struck.
func (f *Fault) Struck() int {
	f.kernel.t.Helper()
	return f.told().Struck
}

func (f *Fault) told() listed {
	f.kernel.t.Helper()
	for _, one := range f.kernel.faults() {
		if one.Name == f.name {
			return one
		}
	}
	return listed{}
}

// Snapshot is the kernel as it was.
type Snapshot struct {
	kernel *Kernel
	name   string
}

// Snapshot keeps the kernel as it is: devices, namespaces, addresses, faults, time. Sockets are not part of it.
func (k *Kernel) Snapshot() *Snapshot {
	k.t.Helper()
	s := &Snapshot{k, k.t.Name()}
	k.Do(map[string]any{"snapshot": s.name})
	return s
}

// Restore makes the kernel what it was. Sockets stay open, but for the daemon's own in namespaces that there were not;
// what was not read yet from those is thrown away.
func (s *Snapshot) Restore() {
	s.kernel.t.Helper()
	s.kernel.Do(map[string]any{"restore": s.name})
}

// Isolated has the kernel be again what it is now when the test ends, so that tests that share it do not meet.
func (k *Kernel) Isolated() {
	k.t.Helper()
	k.cleanup(k.Snapshot().Restore)
}

// Request is one that was made: its operation, what it said by name, and the name of the errno with which it was refused,
// "" where it was not.
type Request struct {
	Operation string
	Netns     string
	Values    map[string]any
	Dump      bool
	Errno     string
}

// Requests are those that were made for operations of that name ("route.newlink", "route.*"), the first one first.
func (k *Kernel) Requests(pattern string) (found []Request) {
	k.t.Helper()
	if err := json.Unmarshal(k.Do(map[string]any{"requests": pattern}), &found); err != nil {
		k.t.Fatalf("nlemu: %v", err)
	}
	return found
}

// Forget has the history begin anew.
func (k *Kernel) Forget() {
	k.t.Helper()
	k.Do(map[string]any{"requests": "*", "forget": true})
}
