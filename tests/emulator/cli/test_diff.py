"""`nlemu diff`: two captures of the same thing, of other things, and a capture and a kernel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures import TRACES
from nlemu.emulator.cli import main

CAPTURES = Path(__file__).parents[3] / "fixtures" / "captures"
RAW, DECODED, LEASE = (str(CAPTURES / name) for name in ("ip.strace", "ip-decoded.strace", "lease.pcap"))


def test_two_straces_of_one_program_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """In other port ids; and byte for byte, but for these."""
    assert main(["diff", RAW, DECODED]) == 0
    assert capsys.readouterr().out.startswith(f"equal      {RAW} and {DECODED}: 2 requests\n")
    assert main(["diff", "--strict", RAW, DECODED]) == 0


def test_a_pcap_and_an_strace_of_one_program(capsys: pytest.CaptureFixture[str]) -> None:
    """Both requests are in lease.pcap, which has others besides; the first is there twice, the first time of a device
    that was down."""
    assert main(["diff", "--json", DECODED, LEASE]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["requests"], told["equal"], told["different"]) == (27, 1, 26)


def test_where_two_kernels_differ(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A router preference is an option that the narrow kernel does not have."""
    (one,) = TRACES.glob("r01_*.jsonl")
    (other,) = (TRACES / "7.2.13").glob("r01_*.jsonl")
    assert main(["diff", str(one), str(other)]) == 1
    said = capsys.readouterr().out
    assert (
        "    - .af-spec.inet6.conf.accept-ra-rtr-pref: 0\n    + .af-spec.inet6.conf.accept-ra-rtr-pref: 1\n" in said
    )
    assert main(["diff", str(one), str(one)]) == 0


def test_a_changed_answer_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "changed.strace"
    file.write_text(Path(DECODED).read_text().replace("IFLA_TXQLEN}, 1000", "IFLA_TXQLEN}, 999"))
    assert main(["diff", DECODED, str(file)]) == 1
    assert capsys.readouterr().out.endswith(
        "  getlink  2 different\n  getlink, newlink.txqlen: 2 requests, first at line 14\n"
        "    - .txqlen: 1000\n    + .txqlen: 999\n"
    )


def test_a_capture_and_a_kernel(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", LEASE, "--kernel", "7.2.13-recorded"]) == 0
    assert main(["diff", LEASE, "--kernel", "7.2.13"]) == 1
    assert ".af-spec.inet6.conf.accept-ra-rtr-pref: 0" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[LEASE], [LEASE, RAW, "--kernel", "7.2.13"]])
def test_what_it_takes(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(["diff", *arguments]) == 2
    assert capsys.readouterr().err == "nlemu diff: compares A with B, or with --kernel NAME\n"
