"""`nlemu serve --log-format json`: one object a line, whatever is told."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from nlemu.emulator.cli.logs import JsonLines
from tests.emulator.daemon.edge import newlink

ROOT = Path(__file__).resolve().parents[3]


def test_a_daemon_tells_nothing_but_json(tmp_path: Path) -> None:
    directory = tmp_path / "d"
    command = [sys.executable, "-m", "nlemu", "serve", "--dir", str(directory), "--log-format", "json", "-v",
               "--explain", "--http", "127.0.0.1:0"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    lines = [json.loads(process.stderr.readline()) for _ in range(2)]
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)) as sock:
        sock.connect(str(directory / "init" / "route"))
        port = os.getpid()
        for _ in range(2):
            sock.send(newlink("red", seq=7))
            sock.recv(65536)
    process.terminate()
    _, rest = process.communicate(timeout=60)
    lines += [json.loads(line) for line in rest.splitlines()]
    page, serving = lines[:2]
    assert page["event"] == "the page is" and page["fields"]["url"].startswith("http://127.0.0.1:")
    assert (serving["event"], serving["level"], serving["fields"]) == ("serving", "info", {"directory": str(directory)})
    for line in lines:
        assert {"time", "level", "event", "where"} <= set(line)
        assert datetime.fromisoformat(line["time"]).tzinfo is not None
    asked = [line for line in lines if line.get("fields", {}).get("way") == "to kernel"]
    assert [line["fields"] for line in asked] == [
        {"netns": "init", "protocol": "route", "port": port, "way": "to kernel", "seq": 7}
    ] * 2
    assert "newlink request" in asked[0]["event"]
    assert any(line["event"] == "refused" and "EEXIST" in line["fields"]["why"] for line in lines)


def line_of(**fields: Any) -> dict[str, Any]:
    record = logging.LogRecord("nlemu.emulator.daemon.server", logging.WARNING, "", 0, "so %s\nit is", ("much",), None)
    for name, value in fields.items():
        setattr(record, name, value)
    text = JsonLines().format(record)
    assert "\n" not in text
    line: dict[str, Any] = json.loads(text)
    return line


def test_a_line() -> None:
    line = line_of()
    assert (line["level"], line["event"], line["where"]) == ("warning", "so much\nit is", "daemon.server")
    assert "fields" not in line


def test_a_traceback_is_one_line_too() -> None:
    try:
        raise ValueError("bad")
    except ValueError:
        line = line_of(exc_info=sys.exc_info())
    assert line["exception"].endswith("ValueError: bad")


def test_what_json_has_no_word_for() -> None:
    assert line_of(fields={"place": Path("/x")})["fields"] == {"place": "/x"}
