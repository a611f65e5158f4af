"""Who has no business with the page, in a real browser."""

from __future__ import annotations

import http.server
import threading
from pathlib import Path

from tests.emulator.daemon.page.browser import Machine, Page


def test_a_wrong_token(pages: Page, machine_: Machine) -> None:
    pages.driver.get(machine_.url[:-3] + "/")
    assert "is another one" in pages.text("body") and pages.count("main") == 0
    pages.complaints()


def test_another_origin(pages: Page, machine_: Machine) -> None:
    """A page elsewhere, though it knew the token, can neither read nor do anything."""

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            pages.driver.get(f"http://localhost:{server.server_port}/")
            told = pages.driver.execute_async_script("""
                const [url, done] = arguments;
                const told = [];
                const tried = (name, made) => made.then(
                    (answer) => told.push(`${name} ${answer.status}`), () => told.push(`${name} refused`));
                const line = JSON.stringify({fault: "route.newlink", errno: "EBUSY"});
                Promise.all([
                    tried("read", fetch(`${url}operations`)),
                    tried("post", fetch(`${url}faults`, {method: "POST", body: line,
                        headers: {"Content-Type": "application/json"}})),
                    tried("blind", fetch(`${url}faults`, {method: "POST", body: line, mode: "no-cors"})),
                    new Promise((seen) => {
                        const events = new EventSource(`${url}events`);
                        events.onopen = () => { told.push("events open"); seen(); };
                        events.onerror = () => { told.push("events refused"); events.close(); seen(); };
                    }),
                ]).then(() => done(told.sort()));""", machine_.url)
        finally:
            server.shutdown()
            thread.join()
    assert told == ["blind refused", "events refused", "post refused", "read refused"]
    assert machine_.control.do(faults=True) == []
    pages.complaints()


def test_no_page_is_around_it(pages: Page, machine_: Machine, tmp_path: Path) -> None:
    (tmp_path / "around.html").write_text(f'<iframe src="{machine_.url}"></iframe>')
    pages.driver.get(f"file://{tmp_path}/around.html")
    assert any("frame-ancestors" in one for one in pages.complaints())

