"""nlemu explain: why requests of captures are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nlemu.emulator.cli import OK, REFUSED, USAGE, main

CAPTURES = Path(__file__).resolve().parents[3] / "fixtures" / "captures"
NO_KIND = "20000000 10000506 01000000 00000000 000000000000000000000000ffffffff"


def test_each_refusal_of_a_capture_has_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(CAPTURES / "lease.pcap")]) == REFUSED
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "frame 20: init netdev queue-create request: EBUSY, 'Device queue in use due to queue leasing'"
    assert lines[1] == "    in netdev_nl_queue_create_doit()"
    assert lines[2].startswith("    because busy is not None  (emulator/kernel/queues/lease.py:")
    assert lines[-2:] == [
        "2 refused of 27 requests, on 7.2.13-recorded", "  if2 is presupposed: it is named and never shown",
    ]


def test_a_capture_without_refusals(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(CAPTURES / "ip.strace")]) == OK
    assert capsys.readouterr().out == "0 refused of 2 requests, on 7.2.13\n"


def test_a_message_in_digits_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--json", "--kernel", "7.2.13-recorded", NO_KIND]) == REFUSED
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert (told["request"], told["errno"], told["text"]) == ("line 1", "EOPNOTSUPP", "Unknown device type")
    assert told["functions"] == ["__rtnl_newlink()", "rtnl_newlink()"]


def test_on_a_world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = tmp_path / "world.toml"
    world.write_text('[[link]]\nname = "red"\nkind = "dummy"\n')
    red = "2800000010000506010000000000000000000000000000000000000000000000" + "0800030072656400"
    assert main(["explain", "--world", str(world), red]) == REFUSED
    assert "EEXIST" in capsys.readouterr().out


def test_what_is_neither_a_file_nor_digits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "nothing"]) == USAGE
    assert capsys.readouterr().err == "nlemu explain: nothing: No such file or directory\n"
