"""What devices may be called, and which number a pattern gets."""

from __future__ import annotations

from errno import EBUSY, EEXIST, EINVAL, ENFILE, ENOENT

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.core.names import MAX_NUMBERS, Numbers, split_pattern, valid_name
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.links import new_link
from nlemu.emulator.kernel.devices.register import unregister
from nlemu.emulator.kernel.devices.rename import add_altname, change_name, delete_altname
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.protocol.refusal import Refusal


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def dummy(kernel: Kernel, name: str = "dummy%d") -> Device:
    return new_link(kernel.init_net, DUMMY, LinkParams(name=name))


def refusal(verb: object, *args: object) -> int:
    with pytest.raises(Refusal) as caught:
        verb(*args)  # type: ignore[operator]
    return caught.value.errno


@pytest.mark.parametrize("name", ["a", "a" * 15, "a.b", "...", "ä", "a%d", "\x01"])
def test_names(name: str) -> None:
    assert valid_name(name)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a:b", "a b", "a\t", "a" * 16, "ä" * 8, "\udca0", "à"])
def test_no_names(name: str) -> None:
    assert not valid_name(name)  # "à" has the byte a0, which the kernel takes for a space


def test_patterns() -> None:
    assert split_pattern("nk%d") == ("nk", "")
    assert split_pattern("a%db") == ("a", "b")
    assert [split_pattern(name) for name in ("nk", "nk%", "nk%s", "%d%d", "%%d")] == [None] * 5


def test_the_lowest_free_number(kernel: Kernel) -> None:
    names = [dummy(kernel).name for _ in range(3)]
    assert names == ["dummy0", "dummy1", "dummy2"]
    dev = kernel.init_net.by_name("dummy1")
    assert dev is not None
    unregister(dev)
    assert dummy(kernel).name == "dummy1"
    assert dummy(kernel).name == "dummy3"


def test_only_what_printf_writes_takes_a_number(kernel: Kernel) -> None:
    for name in ("dummy00", "dummy+0", "dummyx", "dummy", "dummy99999", "dummy1"):
        dummy(kernel, name)
    assert [dummy(kernel).name for _ in range(2)] == ["dummy0", "dummy2"]


def test_alternative_names_take_numbers_too(kernel: Kernel) -> None:
    dummy(kernel, "x")
    dev = dummy(kernel)
    add_altname(dev, "dummy1")
    assert dummy(kernel).name == "dummy2"
    delete_altname(dev, "dummy1")
    assert dummy(kernel).name == "dummy1"


def test_all_numbers_given() -> None:
    numbers = Numbers("a", "")
    for number in range(MAX_NUMBERS):
        numbers.add(f"a{number}")
    assert numbers.lowest() is None
    numbers.drop("a77")
    assert numbers.lowest() == 77


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), max_size=40))
def test_numbers_are_the_lowest(moves: list[tuple[bool, int]]) -> None:
    numbers, taken = Numbers("a", "b"), set()
    for comes, number in moves:
        if comes and number not in taken:
            taken.add(number)
            numbers.add(f"a{number}b")
        elif not comes and number in taken:
            taken.remove(number)
            numbers.drop(f"a{number}b")
        assert numbers.lowest() == next(n for n in range(20) if n not in taken)


def test_refusals(kernel: Kernel) -> None:
    net = kernel.init_net
    assert refusal(net.prepare_name, "lo") == EEXIST
    assert refusal(net.prepare_name, "a/b") == EINVAL
    assert refusal(net.prepare_name, "a%s") == EINVAL
    # Fifteen characters with the pattern: number 100 would have to be cut, to a name that is taken.
    for _ in range(100):
        dummy(kernel, "abcdefghijklm%d")
    assert refusal(net.prepare_name, "abcdefghijklm%d") == ENFILE


def test_rename(kernel: Kernel) -> None:
    dev, seq = dummy(kernel), kernel.init_net.dev_base_seq
    change_name(dev, "other%d")
    assert dev.name == "other0" and kernel.init_net.by_name("other0") is dev
    assert kernel.init_net.by_name("dummy0") is None
    assert kernel.init_net.dev_base_seq == seq
    change_name(dev, "other0")
    assert refusal(change_name, dev, "lo") == EEXIST
    assert refusal(change_name, dev, "") == EINVAL
    assert dev.name == "other0"


def test_a_notifier_refuses_a_name(kernel: Kernel) -> None:
    dev = dummy(kernel)

    def notifier(event: NetdevEvent, dev: Device, info: Info) -> None:
        if event == NetdevEvent.CHANGENAME and dev.name == "bad":
            raise Refusal(EBUSY)

    kernel.register_notifier(Stage.IPV6, notifier)
    assert refusal(change_name, dev, "bad") == EBUSY
    assert dev.name == "dummy0" and kernel.init_net.by_name("dummy0") is dev
    assert kernel.init_net.by_name("bad") is None


def test_altnames(kernel: Kernel) -> None:
    dev, other = dummy(kernel), dummy(kernel)
    add_altname(dev, "a-long-alternative-name")
    assert kernel.init_net.by_name("a-long-alternative-name") is dev
    assert refusal(add_altname, other, "a-long-alternative-name") == EEXIST
    assert refusal(add_altname, other, "lo") == EEXIST
    assert refusal(delete_altname, other, "a-long-alternative-name") == EINVAL
    assert refusal(delete_altname, dev, "dummy0") == EINVAL
    assert refusal(delete_altname, dev, "nothing") == ENOENT
    unregister(dev)
    assert kernel.init_net.by_name("a-long-alternative-name") is None
