"""nlemu ynl: the options and the output of the kernel's own tool."""

from __future__ import annotations

import json
from ast import literal_eval
from pathlib import Path
from typing import Any

import pytest

from nlemu.emulator.cli import OK, REFUSED, USAGE, main
from tests.emulator.cli.conftest import finish, nlemu, start


class Ynl:
    """``nlemu ynl`` on a daemon."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory, self.capsys = directory, capsys

    def __call__(self, *arguments: str, code: int = OK) -> str:
        assert main(["ynl", "--dir", str(self.directory), *arguments]) == code
        out, err = self.capsys.readouterr()
        if code == USAGE:
            assert out == "" and len(err.splitlines()) == 1
            return str(err)
        assert err == ""
        return str(out)

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--output-json"))


@pytest.fixture
def ynl(machine: Path, capsys: pytest.CaptureFixture[str]) -> Ynl:
    assert main(["ctl", "--dir", str(machine), "nsim", "new", "10", "--queues", "4"]) == OK
    return Ynl(machine, capsys)


def test_listings_need_no_daemon(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ynl", "--list-families"]) == OK
    assert {"netdev", "nlctrl", "rt-link"} <= set(capsys.readouterr().out.split())
    assert main(["ynl", "--family", "netdev", "--list-ops"]) == OK
    lines = capsys.readouterr().out.splitlines()
    assert (
        "queue-get  [ do, dump ]" in lines
        and "qstats-get  [ dump ]" in lines
        and "queue-create  [ do ]" in lines
    )
    assert not any("ntf" in line for line in lines)
    assert main(["ynl", "--spec", "somewhere/netdev.yaml", "--list-msgs"]) == OK
    assert "dev-add-ntf  [ notify ]" in capsys.readouterr().out.splitlines()
    assert main(["ynl", "--family", "netdev", "--validate"]) == OK


def test_the_attributes_of_an_operation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ynl", "--family", "netdev", "--list-attrs", "queue-create"]) == OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Operation: queue-create"
    assert "Do request attributes:" in lines and "Do reply attributes:" in lines
    assert "  - type: u32 (enum: queue-type)" in lines and "    Enum: rx, tx" in lines
    assert "  - lease: nest -> lease" in lines and "      - queue: nest -> queue-id" in lines
    assert main(["ynl", "--family", "netdev", "--doc", "dev-add-ntf"]) == OK
    assert capsys.readouterr().out.endswith("Multicast group: mgmt\n")


def test_do(ynl: Ynl) -> None:
    asked = ("--family", "netdev", "--do", "dev-get", "--json", '{"ifindex": 2}')
    assert literal_eval(ynl(*asked).replace("set()", "{0}")) == {
        "ifindex": 2, "xdp-features": {"basic", "hw-offload"}, "xdp-rx-metadata-features": {0}, "xsk-features": {0},
    }
    assert ynl.json(*asked) == {
        "ifindex": 2, "xdp-features": ["basic", "hw-offload"], "xdp-rx-metadata-features": [], "xsk-features": [],
    }


def test_dump(ynl: Ynl) -> None:
    assert [dev["ifindex"] for dev in ynl.json("--family", "netdev", "--dump", "dev-get")] == [1, 2]
    assert ynl.json("--family", "netdev", "--dump", "page-pool-get") == []


def test_another_namespace(ynl: Ynl) -> None:
    assert main(["ctl", "--dir", str(ynl.directory), "netns", "add", "pod"]) == OK
    assert [
        dev["ifindex"] for dev in ynl.json("--netns", "pod", "--family", "netdev", "--dump", "dev-get")
    ] == [1]


def test_several_requests_in_one_payload(ynl: Ynl) -> None:
    one, other = ynl.json(
        "--family", "netdev", "--multi", "dev-get", '{"ifindex": 2}', "--multi", "dev-get", '{"ifindex": 1}'
    )
    assert (one["ifindex"], other["ifindex"]) == (2, 1)


def test_nlctrl(ynl: Ynl) -> None:
    found = ynl.json("--family", "nlctrl", "--do", "getfamily", "--json", '{"family-name": "netdev"}')
    assert found["family-id"] == 20
    assert found["mcast-groups"][0] == {"1": {"id": 4, "name": "mgmt"}}
    assert found["ops"][0] == {"1": {"id": 1, "flags": ["cmd-cap-do", "cmd-cap-dump", "cmd-cap-haspol"]}}


def test_a_policy(ynl: Ynl) -> None:
    policy = ynl.json("--family", "netdev", "--do", "queue-create", "--policy")
    assert policy["ifindex"] == {"type": "u32", "min-value": 1, "max-value": 4294967295}
    assert policy["lease"]["type"] == "nested"
    assert policy["lease"]["policy"]["queue"]["policy"]["type"]["max-value"] == 1
    assert ynl.json("--family", "netdev", "--do", "qstats-get", "--policy") is None
    assert ynl.json("--family", "netdev", "--dump", "dev-get", "--policy") is None


def test_a_refusal_is_told_as_the_kernels_tool_tells_it(ynl: Ynl) -> None:
    out = ynl("--family", "netdev", "--do", "dev-get", "--json", '{"ifindex": 0}', code=REFUSED)
    assert out == (
        "Netlink error: integer out of range: Numerical result out of range "
        "{'policy': {'min-value': 1, 'max-value': 4294967295, 'type': 'u32'}, 'bad-attr': '.ifindex'}\n"
    )
    out = ynl("--family", "netdev", "--do", "queue-get", "--json", '{"ifindex": 2, "id": 0}', code=REFUSED)
    assert out == "Netlink error: Invalid argument {'miss-type': 'type'}\n"
    assert (
        ynl("--family", "netdev", "--do", "qstats-get", code=REFUSED)
        == "Netlink error: Operation not supported\n"
    )
    out = ynl("--family", "netdev", "--do", "dev-get", "--json", '{"ifindex": 99}', code=REFUSED)
    assert out.startswith("Netlink error: ") and "No such device" in out


def test_a_warning_comes_before_the_answer(ynl: Ynl) -> None:
    # e03_queries: a dump of link settings goes past the devices that have none, and its end says so.
    assert ynl("--family", "ethtool", "--dump", "linkinfo-get", "--output-json").splitlines() == [
        "Netlink warning:",
        "nl_len = 60 (44) nl_flags = 0x202 nl_type = 3",
        "\textack: {'msg': 'failed to retrieve link settings'}",
        "[]",
    ]


def test_what_cannot_be_asked_is_one_line_that_names_the_attribute(ynl: Ynl) -> None:
    err = ynl("--family", "netdev", "--do", "dev-get", "--json", '{"ifindex": "lo"}', code=USAGE)
    assert "ifindex: takes a number from 0 to 4294967295" in err and "'lo'" in err


def test_a_namespace_that_is_not_there(machine: Path) -> None:
    result = nlemu("ynl", "--dir", machine, "--netns", "nosuch", "--family", "netdev", "--dump", "dev-get")
    assert result.returncode == REFUSED and result.stdout == ""
    assert result.stderr.splitlines() == ["nlemu ynl: open: there is no namespace 'nosuch'"]


def test_options_of_the_kernels_tool_without_meaning_here_are_accepted(ynl: Ynl) -> None:
    accepted = ("--no-schema", "--schema", "x", "--process-unknown", "--dbg-small-recv")
    assert ynl("--family", "netdev", *accepted, "--dump", "page-pool-get") == "[]\n"


def test_news(ynl: Ynl) -> None:
    # Subscribed before it asks, so whoever has its answer can rely on it.
    process = start(
        "ynl", "--dir", ynl.directory, "--family", "netdev", "--subscribe", "mgmt", "--dump", "page-pool-get",
        "--output-json",
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "[]\n"
    assert main(["ctl", "--dir", str(ynl.directory), "nsim", "del", "10"]) == OK
    news = json.loads(process.stdout.readline())
    assert news["name"] == "dev-del-ntf" and news["msg"]["ifindex"] == 2
    process.send_signal(2)
    code, out, err = finish(process)
    assert (code, out, err) == (OK, "", "")


def test_news_for_no_time_at_all(ynl: Ynl) -> None:
    assert ynl("--family", "netdev", "--subscribe", "mgmt", "--duration", "0") == ""
    assert ynl("--family", "netdev", "--subscribe", "page-pool", "--sleep", "0") == ""


def test_the_daemon_goes_while_somebody_listens(tmp_path: Path) -> None:
    daemon = start("serve", "--dir", tmp_path / "d")
    assert daemon.stderr is not None
    daemon.stderr.readline()
    process = start(
        "ynl", "--dir", tmp_path / "d", "--family", "netdev", "--subscribe", "mgmt", "--dump", "page-pool-get"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "[]\n"
    daemon.terminate()
    assert finish(daemon)[0] == OK
    assert finish(process) == (5, "", "nlemu ynl: the daemon went away\n")
    assert not (tmp_path / "d").exists()
