"""The page light and dark, large and small."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

from tests.emulator.daemon.edge import newlink
from tests.emulator.daemon.page.browser import Machine, Page, ask

COLOURS = """
    const seen = (element) => {
        for (let one = element; one; one = one.parentElement) {
            const colour = getComputedStyle(one).backgroundColor;
            if (colour !== "rgba(0, 0, 0, 0)") return colour;
        }
    };
    const light = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map((part) => part / 255)
        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
    return [...document.querySelectorAll("body *")].filter((element) => element.offsetParent
        && [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())).map((element) => {
        const [one, other] = [light(getComputedStyle(element).color), light(seen(element))].sort((a, b) => b - a);
        return [(one + 0.05) / (other + 0.05), element.tagName + "." + element.className + " " + element.textContent];
    }).filter(([contrast]) => contrast < 4.5)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read(page: Page, machine_: Machine, scheme: str) -> None:
    """Every text stands out by 4.5 to 1 (WCAG 1.4.3)."""
    page.open(scheme=scheme)
    page.press("3")
    page.tab_to("fault-operation")
    page.press("route.*", Keys.ENTER)
    page.until(lambda: page.count("#fault-list li") == 1)
    ask(machine_, newlink("red"), newlink("red"))
    page.until(lambda: page.count("#log .row.error") > 0)
    page.run("document.querySelector('[data-id=\"pod/nk0\"]').click()")
    page.until(lambda: "netkit" in page.text("#details-list"))
    assert page.run(COLOURS) == []


def test_dark(page: Page) -> None:
    """As the system has it, until somebody says otherwise, which is remembered."""
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = page.run(ground)
    page.scheme("dark")
    dark = page.run(ground)
    assert light != dark
    page.press("t")
    assert page.run(ground) == light and page.run("return document.querySelector('#theme').value") == "light"
    page.again()
    assert page.run(ground) == light
    page.press("t")
    assert page.run(ground) == dark
    page.run("theme = document.querySelector('#theme'); theme.value = 'auto'; theme.dispatchEvent(new Event('change'))")
    page.scheme("light")
    assert page.run(ground) == light


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_it_fits(page: Page, width: int) -> None:
    """Nothing is wider than the window."""
    page.open(width=width)
    assert page.run("return document.documentElement.scrollWidth") <= width
