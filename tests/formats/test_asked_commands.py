"""Commands that a tool runs only once somebody asks it to: told as notes, and variables alone are not."""

from __future__ import annotations

import pytest

from openvet.core.limits import Budget, Limits
from openvet.formats import shell
from openvet.formats._format import Facts
from openvet.formats._tool_settings import tell_hooks
from openvet.io.source import BytesSource


def environment(text: str) -> list[int | None]:
    facts = Facts(".envrc", ".envrc", Budget(Limits()))
    shell.read(BytesSource(text.encode()), facts)
    return [each.location.line for each in facts.anomalies if each.evidence["kind"] == "asked"]


@pytest.mark.parametrize(
    "command", ["echo hello", "source ./x.sh", "export A=$(echo hello)", "A=1 python x.py", "use nix; echo hello"]
)
def test_a_command_in_an_envrc(command: str) -> None:
    assert environment(f"# x\nexport MODEL=small\n{command}\n") == [3]


def test_variables_in_an_envrc() -> None:
    lines = "export MODEL=small\nexport PATH=$PWD/bin:$PATH\nA='b c'  # x\ndotenv\nPATH_add bin\nlayout python3\nuse flake\nsource_up\nexport A B\nunset C\n\n# x\n"
    assert environment(lines) == []


def hooks(name: str, document: object) -> list[str]:
    facts = Facts(name, name, Budget(Limits()))
    tell_hooks(document, facts)
    return [each.message for each in facts.anomalies]


def test_local_hooks_of_pre_commit() -> None:
    hook = {"id": "a", "entry": "echo hello", "language": "system"}
    assert hooks(".pre-commit-config.yaml", {"repos": [{"repo": "local", "hooks": [hook]}]}) == [
        "is run by pre-commit once somebody commits in this folder: echo hello"
    ]
    assert hooks(".pre-commit-config.yaml", {"repos": [{"repo": "https://example.org/x", "hooks": [hook]}]}) == []
    assert hooks("other.yaml", {"repos": [{"repo": "local", "hooks": [hook]}]}) == []


def test_scripts_of_an_installation() -> None:
    scripts = {"postinstall": "echo hello", "test": "echo other"}
    assert hooks("package.json", {"scripts": scripts}) == [
        "is run by npm as the script postinstall once somebody installs in this folder: echo hello"
    ]
    assert hooks("package.json", {"scripts": {"test": "jest", "build": "tsc"}}) == []
