"""The page by keyboard alone, and what a screen reader is told of it."""

from __future__ import annotations

from selenium.webdriver.common.keys import Keys

from tests.emulator.daemon.edge import newlink
from tests.emulator.daemon.page.browser import Machine, Page, ask


def test_a_fault_by_keyboard_alone(page: Page, machine_: Machine) -> None:
    """Set, met, listed, taken away; no key of the mouse."""
    page.press("3")
    assert page.focus() == "faults"
    page.tab_to("fault-operation")
    page.press("route.newlink")
    page.press(Keys.TAB)
    assert page.focus() == "fault-errno"
    page.press(*[Keys.BACKSPACE] * len("ENOMEM"), "EBUSY")
    page.tab_to("fault-device")
    page.press("struck")
    page.press(Keys.ENTER)
    page.until(lambda: page.texts("#fault-list b") == ["route.newlink → EBUSY"])
    assert page.texts("#fault-list p") == ["device struck · struck 0, 1 to come"]
    passed, struck = ask(machine_, newlink("passes"), newlink("struck"))
    assert int.from_bytes(passed[16:20], "little", signed=True) == 0
    assert int.from_bytes(struck[16:20], "little", signed=True) == -16
    page.until(lambda: page.texts("#fault-list p") == ["device struck · struck 1, 0 to come"])
    page.press(Keys.ESCAPE, "3")
    page.press(Keys.TAB, Keys.ENTER)
    page.until(lambda: page.count("#fault-list li") == 0)
    assert page.focus() == "faults"


def test_a_fault_that_cannot_be_is_told(page: Page) -> None:
    page.press("3")
    page.tab_to("fault-operation")
    page.press("route.newlnk", Keys.ENTER)
    page.until(lambda: "there is no operation 'route.newlnk'" in page.text("#fault-error"))
    assert [one for one in page.complaints() if "400" not in one] == []


def test_the_picture_by_keyboard_alone(page: Page) -> None:
    """One stop of Tab; arrows from there: namespaces fold, devices tell."""
    page.press("1")
    assert page.focus() == "netns"
    page.press(Keys.ARROW_DOWN)
    assert page.focus() == "init/eth0"
    page.until(lambda: page.count("#edges .on") > 0 and page.count(".device.on") == 2)
    page.press(Keys.ENTER)
    page.until(lambda: page.text("#details-title") == "init/eth0")
    page.press(Keys.ESCAPE)
    assert page.focus() == "init/eth0"
    page.press(Keys.ARROW_LEFT)
    assert page.focus() == "netns"
    page.press(Keys.ARROW_LEFT)
    page.until(lambda: page.texts('[data-id="init/eth0"]') == [] and page.count("#edges path.leased") == 0)
    page.press(Keys.ARROW_RIGHT, Keys.END)
    assert page.focus().startswith("pod/")
    page.press(Keys.TAB)
    assert page.focus() == "pause", "the picture is one stop"


def test_messages_by_keyboard_alone(page: Page, machine_: Machine) -> None:
    ask(machine_, newlink("one"), newlink("two"))
    page.until(lambda: page.count("#log .row") == 4)
    page.press("2")
    page.press(Keys.END, Keys.ARROW_UP, Keys.ENTER)
    page.until(lambda: "    ifname: two" in page.text("#log pre"))
    page.press("/")
    assert page.focus() == "by-text"
    page.press("one")
    page.until(lambda: page.texts("#log .row b") == ["newlink request"])
    page.press(Keys.ESCAPE)
    page.until(lambda: page.count("#log .row") == 4)
    page.press(Keys.ESCAPE)
    assert page.focus() != "by-text"


def test_keys_are_told_and_can_be_turned_off(page: Page) -> None:
    page.press("?")
    page.until(lambda: page.run("return document.querySelector('#keys').open"))
    page.run("document.querySelector('#single-keys').click()")
    page.press(Keys.ESCAPE)
    page.press("3")
    assert page.focus() != "faults"
    page.again()
    page.press("3")
    assert page.focus() != "faults", "it is remembered"


def test_the_first_stops_lead_past_the_rest(page: Page) -> None:
    page.press(Keys.TAB)
    assert page.focus() == "#picture"
    page.press(Keys.TAB, Keys.ENTER)
    page.until(lambda: page.focus() == "messages")


def test_everything_has_a_name(page: Page, machine_: Machine) -> None:
    """What a screen reader is told of each control, and the roles of what is no control."""
    ask(machine_, newlink("named"))
    page.until(lambda: page.count('[data-id="init/named"]') == 1)
    tree = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    nodes = [node for node in tree if not node["ignored"]]
    controls = {"button", "textbox", "searchbox", "combobox", "spinbutton", "checkbox", "treeitem", "tree", "region"}
    names = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes]
    assert [role for role, name in names if role in controls and not name] == []
    assert ("tree", "Namespaces and devices") in names
    assert ("treeitem", "eth0 mlx5_core, up; rx 3 leased to pod/nk0; RSS → rx 0–2, rx 3") in [
        (role, name.replace(" (75%)", "").replace(" (25%)", "")) for role, name in names
    ]
