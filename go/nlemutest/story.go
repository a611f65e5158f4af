package nlemutest

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

const shown = 40 // messages that a failed test shows

// tell has a test that has failed show, once, what its kernel was like then: it is called before anything of the test
// is taken away.
func (k *Kernel) tell() {
	if !k.t.Failed() || k.told {
		return
	}
	k.told = true
	k.t.Log(k.story())
}

// story is the last messages, decoded, why requests were refused, the devices and the faults.
func (k *Kernel) story() string {
	var lines []string
	section := func(title string, of []string) {
		if len(of) > 0 {
			lines = append(append(lines, "nlemu: "+title), of...)
		}
	}
	var kept struct {
		Messages []string
		Why      []string
	}
	if told, err := k.Try(map[string]any{"story": shown}); err != nil {
		section("the messages are not told", []string{err.Error()})
	} else if json.Unmarshal(told, &kept) == nil {
		section("the last messages, of all tests so far", kept.Messages)
		section("why requests were refused", kept.Why)
	}
	section(k.devices())
	section("the faults", k.waiting())
	return strings.Join(lines, "\n")
}

// devices is which kernel it is, and a line for each device.
func (k *Kernel) devices() (title string, lines []string) {
	var state struct {
		Kernel struct {
			Name string
			Seed int
		}
		Namespaces map[string]struct {
			Devices []struct {
				Ifindex   int
				Name      string
				Kind      string
				Driver    string
				Flags     []string
				Operstate string
				MTU       int
			}
		}
	}
	told, err := k.Try(map[string]any{"state": true})
	if err == nil {
		err = json.Unmarshal(told, &state)
	}
	if err != nil {
		return "the kernel is not told", []string{err.Error()}
	}
	for netns, namespace := range state.Namespaces {
		for _, one := range namespace.Devices {
			name := strings.TrimSpace(one.Name + " " + one.Driver + one.Kind)
			lines = append(lines, fmt.Sprintf("%s %d: %s <%s> mtu %d state %s", netns, one.Ifindex, name,
				strings.Join(one.Flags, ","), one.MTU, one.Operstate))
		}
	}
	sort.Strings(lines)
	return fmt.Sprintf("the kernel (%s, seed %d)", state.Kernel.Name, state.Kernel.Seed), lines
}

// waiting is a line for each fault.
func (k *Kernel) waiting() (lines []string) {
	var faults []struct {
		Name   string
		Met    int
		Struck int
		Left   *int
		Step   map[string]any
	}
	told, err := k.Try(map[string]any{"faults": true})
	if err != nil || json.Unmarshal(told, &faults) != nil {
		return nil
	}
	for _, one := range faults {
		left := "any number"
		if one.Left != nil {
			left = fmt.Sprint(*one.Left)
		}
		delete(one.Step, "name")
		said, _ := json.Marshal(one.Step)
		lines = append(lines, fmt.Sprintf("%s: met %d, struck %d, left %s: %s", one.Name, one.Met, one.Struck, left, said))
	}
	return lines
}
