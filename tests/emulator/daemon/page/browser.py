"""A daemon with a page, and a browser that looks at it: Chromium, without a window, on a profile of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from nlemu.emulator.client.control import Control
from tests.emulator.daemon.edge import PATIENCE
from tests.emulator.launch.nobody import need

ROOT = Path(__file__).resolve().parents[4]
QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
)


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """The browser. Where there is none the test is skipped."""
    options = Options()
    options.binary_location = need("chromium")
    service = Service(need("chromedriver"))
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(prefix="nlemu-tests-", ignore_cleanup_errors=True) as profile:
        for argument in (*QUIET, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        driver = webdriver.Chrome(options, service)
        try:
            yield driver
        finally:
            driver.quit()


class Machine:
    """A daemon in a process of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.url = (directory / ".page").read_text().strip()
        self.control = Control(directory)

    def route(self, netns: str = "init", protocol: str = "route") -> socket.socket:
        """A netlink socket."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.connect(str(self.directory / netns / protocol))
        return sock


@contextmanager
def machine(directory: Path, *arguments: str) -> Iterator[Machine]:
    """A daemon with a page; arguments: others of `nlemu serve`."""
    command = [sys.executable, "-m", "nlemu", "serve", "--dir", str(directory), "--http", "127.0.0.1:0", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        told = process.stderr.readline()
        assert told.startswith("nlemu: the page is http://127.0.0.1:"), told
        assert process.stderr.readline() == f"nlemu: serving {directory}\n"
        one = Machine(directory)
        try:
            yield one
        finally:
            one.control.close()
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=60)
        assert errors == ""


def ask(machine: Machine, *datagrams: bytes) -> list[bytes]:
    """Asks rtnetlink; an answer each."""
    with closing(machine.route()) as sock:
        answers = []
        for datagram in datagrams:
            sock.send(datagram)
            answers.append(sock.recv(65536))
        return answers


class Page:
    """The page in the browser."""

    def __init__(self, driver: webdriver.Chrome, machine: Machine) -> None:
        self.driver, self.machine, self.url = driver, machine, machine.url

    def open(self, *, scheme: str = "light", width: int = 1280, height: int = 900) -> Page:
        """Opens it anew, as somebody who was never there, and waits until it is live."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.scheme(scheme)
        self.driver.get(self.url)
        self.run("localStorage.clear()")
        return self.again()

    def again(self) -> Page:
        """Loads it again."""
        self.driver.get("about:blank")
        self.driver.get(self.url)
        self.until(lambda: self.text("#status") == "live" and self.count(".netns") > 0)
        return self

    def scheme(self, name: str) -> None:
        """What the system prefers: "light" or "dark"."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns."""
        return self.driver.execute_script(script, *arguments)

    def until(self, true: Callable[[], Any]) -> None:
        """Waits until that is so."""
        WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05).until(lambda _: true())

    def text(self, selector: str) -> str:
        """What is written there."""
        return str(self.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector))

    def texts(self, selector: str) -> list[str]:
        """What is written in each of those that are seen."""
        found: list[str] = self.run(
            "return [...document.querySelectorAll(arguments[0])].filter(e => e.offsetParent).map(e => e.textContent)",
            selector,
        )
        return found

    def count(self, selector: str) -> int:
        """How many there are."""
        return int(self.run("return document.querySelectorAll(arguments[0]).length", selector))

    def press(self, *keys: str) -> None:
        """Keys, one after the other; a text is typed."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def focus(self) -> str:
        """What has the focus: its id, its device, or its class."""
        return str(self.run(
            "const e = document.activeElement; return e.id || e.dataset.id || e.getAttribute('href') || e.className"
        ))

    def tab_to(self, wanted: str) -> None:
        """Goes there by Tab alone."""
        for _ in range(60):
            if self.focus() == wanted:
                return
            self.press(Keys.TAB)
        raise AssertionError(f"Tab does not lead to {wanted}")

    def complaints(self) -> list[str]:
        """What the browser complains about since this was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]
