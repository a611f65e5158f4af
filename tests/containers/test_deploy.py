"""deploy/ read as it stands: Kubernetes takes it, systemd and GitHub would, and what it starts exists."""

from __future__ import annotations

import configparser
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from nlemu.emulator import cli
from tests.containers.arrangement import environment, of

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def pod() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "kubernetes" / "sidecar.yaml").read_text())
    return read


def test_kubernetes_takes_it() -> None:
    """Against the schemas of the newest release that the validator knows, strictly: no field is made up."""
    import kubernetes_validate as validator

    kubernetes = validator.latest_version()
    validator.validate(pod(), kubernetes, strict=True)
    wrong = pod()
    wrong["spec"]["initContainers"][0]["restartpolicy"] = "Always"
    with pytest.raises(validator.ValidationError):
        validator.validate(wrong, kubernetes, strict=True)


def test_both_share_a_directory_and_nothing_else() -> None:
    spec = pod()["spec"]
    (volume,) = spec["volumes"]
    assert "emptyDir" in volume and spec["securityContext"]["runAsNonRoot"] is True
    for container in (*spec["initContainers"], *spec["containers"]):
        assert container["volumeMounts"] == [{"name": volume["name"], "mountPath": environment()["NLEMU_DIR"]}]
        context = container["securityContext"]
        assert context["capabilities"] == {"drop": ["ALL"]} and context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
    (sidecar,) = spec["initContainers"]
    assert sidecar["restartPolicy"] == "Always", "or the tests would wait for its end"


def test_what_the_pod_runs() -> None:
    spec = pod()["spec"]
    (sidecar,), (tests,) = spec["initContainers"], spec["containers"]
    assert cli.parse([*of("ENTRYPOINT").arguments[1:], *sidecar["args"]]).dir == environment()["NLEMU_DIR"]
    cli.parse(sidecar["startupProbe"]["exec"]["command"][1:])
    for line in tests["args"][0].splitlines():
        cli.parse(shlex.split(line)[1:])


def test_the_unit() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string((DEPLOY / "systemd" / "nlemu.service").read_text())
    service = unit["Service"]
    assert service["Type"] == "notify" and service["CapabilityBoundingSet"] == ""
    name, *arguments = shlex.split(service["ExecStart"])
    assert name == "nlemu"
    options = cli.parse(arguments)
    assert options.dir == f"/run/{service['RuntimeDirectory']}" and options.mode == 0o770


def test_the_action() -> None:
    action = yaml.safe_load((DEPLOY / "github" / "action.yml").read_text())
    assert action["runs"]["using"] == "composite" and action["inputs"]["run"]["required"] is True
    steps = [step for step in action["runs"]["steps"] if "run" in step]
    assert steps and all(step["shell"] == "bash" for step in steps)
    for step in steps:
        assert "${{" not in step["run"], "what a user writes reaches the shell by its environment, and not as code"
