"""The page in a real browser: what it shows of a machine and of what is said, in a storm too."""

from __future__ import annotations

import functools
from contextlib import closing

from selenium.webdriver.common.keys import Keys

from tests.emulator.daemon.edge import getfamily, newlink
from tests.emulator.daemon.page.browser import Machine, Page, ask

DEPTH = 32


def test_who_leases_from_whom(page: Page) -> None:
    assert sorted(page.texts(".netns > .label b")) == ["init", "pod"]
    assert page.texts('[data-id="init/eth0"] .facts .lease') == ["rx 3 leased to pod/nk0"]
    assert page.texts('[data-id="pod/nk0"] .facts .lease') == ["rx 1 leased from init/eth0 rx 3"]
    assert page.texts('[data-id="init/eth0"] .queue') == ["0–2", "3"]
    assert page.texts("#leases-list td") == ["init/eth0 rx 3", "pod/nk0 rx 1"]
    page.until(lambda: page.count("#edges path.leased") == 1)
    # The line goes from the one to the other: from the right of the NIC to the left of the pod's device.
    begins, right, ends, left = page.run("""
        const box = (id) => document.querySelector(`[data-id="${id}"]`).getBoundingClientRect();
        const line = document.querySelector("#edges path.leased").getBoundingClientRect();
        return [line.left, box("init/eth0").right, line.right, box("pod/nk0").left]""")
    assert abs(begins - right) < 2 and abs(ends - left) < 2


def test_what_changes_is_drawn_anew_and_nothing_else(page: Page, machine_: Machine) -> None:
    page.run("document.querySelector('[data-id=\"init/eth0\"]').mark = 1")
    ask(machine_, newlink("fresh"))
    page.until(lambda: page.count('[data-id="init/fresh"]') == 1)
    assert page.run("return document.querySelector('[data-id=\"init/eth0\"]').mark") == 1
    machine_.control.do(netns="short")
    page.until(lambda: "short" in page.texts(".netns > .label b"))
    machine_.control.do(netns_del="short")
    page.until(lambda: "short" not in page.texts(".netns > .label b"))


def test_all_about_a_device(page: Page) -> None:
    page.run("document.querySelector('[data-id=\"pod/nk0\"]').click()")
    page.until(lambda: "netkit" in page.text("#details-list"))
    assert page.text("#details-title") == "pod/nk0"
    page.press(Keys.ESCAPE)
    page.until(lambda: page.run("return document.querySelector('#details').hidden"))
    assert page.focus() == "pod/nk0"


def shown(page: Page, titles: list[str]) -> bool:
    """Whether these messages are shown, and no others."""
    return page.texts("#log .row b") == titles


def test_messages_are_filtered(page: Page, machine_: Machine) -> None:
    ask(machine_, newlink("twice"), newlink("twice"), newlink("other"))
    with closing(machine_.route(protocol="generic")) as sock:
        sock.send(getfamily())
        sock.recv(65536)
    page.until(lambda: "nlctrl newfamily reply" in page.texts("#log .row b"))
    choose = """document.querySelector(arguments[0]).value = arguments[1];
        document.querySelector(arguments[0]).dispatchEvent(new Event("input"))"""
    for field, value, found in (
        ("#by-errno", "any", ["error EEXIST: File exists to newlink request"]),
        ("#by-errno", "EEXIST", ["error EEXIST: File exists to newlink request"]),
        ("#by-family", "nlctrl", ["nlctrl getfamily request", "nlctrl newfamily reply"]),
        ("#by-device", "other", ["newlink request", "ack to newlink request"]),
        ("#by-text", "ifname: OTHER", ["newlink request"]),
    ):
        page.run(choose, field, value)
        page.until(functools.partial(shown, page, found))
        page.run(choose, field, "")
    page.run(choose, "#by-text", "nobody says this")
    page.until(lambda: page.texts("#log-empty") == ["Nothing of what was said is like that."])


def test_a_message_is_opened(page: Page, machine_: Machine) -> None:
    ask(machine_, newlink("opened"))
    page.until(lambda: page.count("#log .row") >= 2)
    page.run("document.querySelector('#log .row').click()")
    page.until(lambda: "    ifname: opened\n    linkinfo: {kind: dummy}" in page.text("#log pre"))
    page.run("document.querySelector('#log .row').click()")
    assert page.count("#log pre") == 0


def test_pause(page: Page, machine_: Machine) -> None:
    ask(machine_, newlink("before"))
    page.until(lambda: page.count("#log .row") == 2)
    page.press("p")
    ask(machine_, newlink("later"))
    page.until(lambda: page.text("#pause") == "Go on, 2 new")
    assert page.count("#log .row") == 2
    page.press("p")
    page.until(lambda: page.count("#log .row") == 4)


def test_a_thousand_devices(page: Page, machine_: Machine) -> None:
    """Few are drawn until somebody wants them all; each can be found."""
    machine_.control.do(netns="many")
    with closing(machine_.route("many")) as sock:
        for number in range(1000):
            sock.send(newlink(f"d{number}", seq=number))
            sock.recv(65536)
    page.until(lambda: "1001 devices" in "".join(page.texts(".netns > .label")))
    page.until(lambda: page.texts(".rest") == ["920 more"])
    assert page.count(".device") < 150
    page.run("document.querySelector('.rest').click()")
    page.until(lambda: page.count(".device") > 1000)
    page.press("f")
    page.press("d999")
    page.until(lambda: page.texts(".device") == ["d999"])
    page.press(Keys.ESCAPE)
    machine_.control.do(netns_del="many")
    page.until(lambda: page.count(".device") < 150)


def test_a_storm(page: Page, machine_: Machine) -> None:
    """Thousands of messages a second: the page answers, shows the last ones, and says how many it missed."""
    ask(machine_, newlink("calm"))
    page.until(lambda: page.count("#log .row") == 2)
    before = page.run("return Number(document.querySelectorAll('#log .row')[1].dataset.number)")
    rounds, answered = 400, 0
    with closing(machine_.route(protocol="generic")) as sock:
        for turn in range(rounds):
            for number in range(DEPTH):
                sock.send(getfamily(seq=turn * DEPTH + number))
            for _ in range(DEPTH):
                sock.recv(65536)
            if turn % 50 == 0:
                page.press("t")
                answered += 1
    assert answered == 8
    last = "return Number([...document.querySelectorAll('#log .row')].at(-1)?.dataset.number ?? 0)"
    page.until(lambda: page.run(last) == before + 2 * rounds * DEPTH)
    assert page.count("#log li") <= 300
