"""Links out of the model: to a place of secrets they are worse, whether something is there or not."""

from __future__ import annotations

from pathlib import Path

import pytest

import openvet
from openvet.core.rule import Severity


def severity_of(folder: Path, target: str) -> list[Severity]:
    (folder / "model").mkdir()
    (folder / "model" / "a.txt").write_text("x")
    (folder / "model" / "vocab.txt").symlink_to(target)
    found = openvet.check(folder / "model").models[0].scan.all_findings()
    return [each.severity for each in found if each.rule == "file/link-escapes"]


@pytest.mark.parametrize(
    "target",
    ["/nobody-there/.ssh/id_rsa", "../../../nobody-there/.aws/credentials", "/etc/shadow", "/proc/self/environ", "/proc/1/root", "/nobody-there/.netrc",
     "/nobody-there/.docker/config.json", "/nobody-there/.cache/huggingface/token", "../.ssh", "/nobody-there/.kube/config",
     "/var/run/secrets/kubernetes.io/serviceaccount/token"],
)  # fmt: skip
def test_a_place_of_secrets(tmp_path: Path, target: str) -> None:
    assert severity_of(tmp_path, target) == [Severity.HIGH]


@pytest.mark.parametrize(
    "target", ["../other/model.bin", "/data/models/a.bin", "../keys.txt", "/nobody-there/.ssh/id_rsa.pub", "../.sshd/x"]
)
def test_anywhere_else(tmp_path: Path, target: str) -> None:
    assert severity_of(tmp_path, target) == [Severity.MEDIUM]


def test_nothing_inside(tmp_path: Path) -> None:
    assert severity_of(tmp_path, "gone/.ssh/id_rsa") == []
