package nlemutest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// Directory is the environment variable that names the daemon's directory; `nlemu run --dir` sets it too.
const Directory = "NLEMU_DIR"

// Coverage is the environment variable that names a directory: what the tests exercise of netlink is written there, for
// `nlemu coverage`, a file a package.
const Coverage = "NLEMU_COVERAGE"

// Required is the environment variable that has tests fail where they would be skipped for want of an emulated kernel: for
// CI, where a suite that is skipped looks like one that passes.
const Required = "NLEMU_REQUIRED"

const (
	again = "NLEMUTEST_AGAIN" // says that this binary was run again: it is not done twice

	longest = 40 // how long the path of a place may be: those of sockets below it have 107 bytes
)

// Main runs the tests on an emulated kernel and exits with their status. It is what TestMain calls.
//
// Inside of nlemu run --dir the tests run as they are. Otherwise the test binary is run again there, on the daemon of
// $NLEMU_DIR, or on one of its own that ends with it. Where no nlemu is in PATH, or no daemon in $NLEMU_DIR, the tests are
// run, and those that call Start skip.
func Main(m *testing.M) {
	program, err := exec.LookPath("nlemu")
	outside := os.Getenv(Directory) == "" || errors.Is(emulated(), errOutside)
	if err != nil && os.Getenv(Directory) == "" {
		fmt.Fprintln(os.Stderr, "nlemutest: tests that want an emulated kernel are skipped:", errAbsent)
	}
	if err != nil || os.Getenv(again) != "" || !outside {
		os.Exit(m.Run())
	}
	status, err := runAgain(program)
	if err != nil {
		fmt.Fprintln(os.Stderr, "nlemutest:", err)
		status = 1
	}
	os.Exit(status)
}

// runAgain runs this binary under nlemu run; its exit status.
func runAgain(program string) (int, error) {
	// A child with Pdeathsig ends with the thread that started it.
	runtime.LockOSThread()
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	dir := os.Getenv(Directory)
	if dir == "" {
		var end func()
		if dir, end, err = serve(program); err != nil {
			return 0, err
		}
		defer end()
	}
	command := exec.Command(program, append([]string{"run", "--dir", dir, "--", self}, os.Args[1:]...)...)
	command.Env = append(os.Environ(), Directory+"="+dir, again+"=1")
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	if err := command.Start(); err != nil {
		return 0, err
	}
	go func() {
		for one := range signals {
			command.Process.Signal(one) // go test asks with SIGQUIT where tests hang
		}
	}()
	err = command.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// serve starts a daemon in a temporary directory. It returns the directory, and what ends the daemon again, which also
// ends with this process, however that ends.
func serve(program string) (string, func(), error) {
	base := os.TempDir()
	if len(base) > longest {
		base = "/tmp"
	}
	place, err := os.MkdirTemp(base, "nlemutest")
	if err != nil {
		return "", nil, err
	}
	dir := filepath.Join(place, "d")
	arguments := []string{"serve", "--history", "--dir", dir}
	if into := os.Getenv(Coverage); into != "" {
		arguments = append(arguments, "--coverage="+strings.TrimSuffix(into, "/")+"/")
	}
	command := exec.Command(program, arguments...)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	told, err := command.StderrPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		os.RemoveAll(place)
		return "", nil, err
	}
	lines := bufio.NewReader(told)
	for {
		line, err := lines.ReadString('\n')
		if strings.HasPrefix(line, "nlemu: serving ") {
			break
		}
		os.Stderr.WriteString(line)
		if err != nil {
			command.Wait()
			os.RemoveAll(place)
			return "", nil, errors.New("nlemu serve has ended before it could be reached")
		}
	}
	read := make(chan struct{})
	go func() {
		io.Copy(os.Stderr, lines)
		close(read)
	}()
	return dir, func() {
		command.Process.Signal(syscall.SIGTERM)
		<-read
		command.Wait()
		os.RemoveAll(place)
	}, nil
}
