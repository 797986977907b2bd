"""The locks: exact, hashed, and without any location."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PERMISSIVE = {
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "Apache-2.0",
    "PSF-2.0",
    "CC0-1.0 OR Apache-2.0",
    "Apache-2.0 OR BSD-3-Clause",
    "MIT-0",
    "License :: OSI Approved :: BSD License",
}


def pins(path: Path) -> dict[str, str]:
    """Normalised name -> version."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", path.read_text(), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def name_of(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]).lower()


def test_there_is_a_lock_for_each_job() -> None:
    ours = [path.stem for path in LOCKS if not path.stem.startswith(("peers-", "interop-", "clients-"))]
    assert ours == [
        "adopt-models", "adopt-torch", "adopt", "build", "core", "demo", "dev", "llama-build", "llama", "lock", "replay", "second", "server", "test",
    ]  # fmt: skip


def test_there_is_a_lock_for_each_peer() -> None:
    peers = {"fickling", "hayward", "modelaudit", "modelscan", "picklescan"}
    assert {path.stem.removeprefix("peers-") for path in LOCKS if path.stem.startswith("peers-")} == peers | {"models"}


def test_there_is_a_lock_for_each_tool_that_ours_must_understand() -> None:
    others = {path.stem.removeprefix("interop-") for path in LOCKS if path.stem.startswith("interop-")}
    assert others == {"bom", "hub", "in-toto", "model-signing", "oscal", "statistics", "teams", "tlog"}


def test_there_is_a_lock_for_each_client_that_pulls_through_the_gate() -> None:
    clients = {path.stem.removeprefix("clients-") for path in LOCKS if path.stem.startswith("clients-")}
    assert clients == {"hub-0", "hub-1", "hub-2", "schema", "transformers"}


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_every_pin_is_hashed_and_nothing_says_where(path: Path) -> None:
    logical = path.read_text().replace("\\\n", " ").splitlines()
    for line in filter(None, map(str.strip, logical)):
        assert re.fullmatch(r"[A-Za-z0-9._-]+==\S+( ; .+?)?(\s+--hash=sha256:[0-9a-f]{64})+", line), line[:80]


def test_the_core_depends_on_few_projects_and_what_they_need() -> None:
    assert {name_of(each) for each in PROJECT["project"]["dependencies"]} == {
        "click",
        "cryptography",
        "jinja2",
        "license-expression",
        "pyyaml",
        "backports-zstd",
    }
    locked = set(pins(ROOT / "requirements" / "core.txt"))
    assert locked == {
        *("click", "cryptography", "jinja2", "license-expression", "pyyaml", "backports-zstd"),
        *("boolean-py", "cffi", "markupsafe", "pycparser"),
    }


@pytest.mark.parametrize(
    "group",
    [
        "build",
        "test",
        "dev",
        "demo",
        "lock",
        "replay",
        "second",
        "adopt",
        "adopt-models",
        "adopt-torch",
        "llama",
        "llama-build",
    ],
)
def test_every_wish_is_locked(group: str) -> None:
    wished = {name_of(each) for each in PROJECT["dependency-groups"][group]}
    assert wished <= set(pins(ROOT / "requirements" / f"{group}.txt"))


def test_the_locks_agree_with_each_other() -> None:
    whole = pins(ROOT / "requirements" / "dev.txt")
    for lock in ("build", "core", "test"):
        for name, version in pins(ROOT / "requirements" / f"{lock}.txt").items():
            assert whole[name] == version
    second = pins(ROOT / "requirements" / "second.txt")  # goes into the same environment
    shared = second.keys() & whole.keys()
    assert "pyyaml" in shared
    assert {name: whole[name] for name in shared} == {name: second[name] for name in shared}


@pytest.mark.parametrize(
    "name",
    [
        "click",
        "jinja2",
        "license_expression",
        "boolean.py",
        "markupsafe",
        "pyyaml",
        "backports.zstd",
        "blake3",
        "cryptography",
        "cffi",
        "pycparser",
    ],
)
def test_what_we_ship_with_is_permissively_licensed(name: str) -> None:
    about = metadata.metadata(name)
    told = {word for field in ("License-Expression", "License", "Classifier") for word in about.get_all(field) or []}
    assert told & PERMISSIVE, told


def test_the_version_is_told_once() -> None:
    from openvet.version import VERSION

    assert metadata.version("openvet") == VERSION
    assert "version" not in PROJECT["project"]
