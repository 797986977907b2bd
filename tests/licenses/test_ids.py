"""The table of licences: what a name means, and that what is made from it is up to date."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from openvet.core.license_ids import families, hub_licenses, keys_of, known_licenses, spdx_id, spdx_ids
from openvet.licenses.expression import parse_expression

ROOT = Path(__file__).parents[2]
_GPL3 = ("GPL-3.0-only", "GPL-3.0-or-later")
_GEMMA = (
    "LicenseRef-openvet-gemma-tou-2024-02-21",
    "LicenseRef-scancode-gemma-tou-2024-04-01",
    "LicenseRef-scancode-gemma-tou-2025-03-24",
)


def test_what_is_made_is_up_to_date() -> None:
    command = [sys.executable, "tools/licenses.py", "--check"]
    assert subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True).stdout == ""


def test_every_id_of_the_hub_is_a_licence_or_a_family_or_none() -> None:
    said = {hub for each in known_licenses().values() for hub in each.hub}
    assert said | families().keys() | {"other", "unknown"} == hub_licenses().keys()


def test_keys_are_of_spdx_or_references() -> None:
    listed = set(spdx_ids())
    for key, each in known_licenses().items():
        assert key in listed or key.startswith(("LicenseRef-scancode-", "LicenseRef-openvet-")), key
        assert each.is_spdx == (key in listed)
        assert not key.startswith("LicenseRef-scancode-") or each.texts, f"{key}: ScanCode has a text"


@pytest.mark.parametrize(
    ("said", "keys"),
    [
        ("apache-2.0", ("Apache-2.0",)),
        ("Apache License, Version 2.0", ("Apache-2.0",)),
        ("https://www.apache.org/licenses/LICENSE-2.0.txt", ("Apache-2.0",)),
        ("https://creativecommons.org/licenses/by-nc-sa/4.0/legalcode", ("CC-BY-NC-SA-4.0",)),
        ("CC BY-NC 4.0", ("CC-BY-NC-4.0",)),
        ("GPLv3", _GPL3),
        ("gpl-3.0", _GPL3),
        ("gpl-3.0-or-later", ("GPL-3.0-or-later",)),
        ("GPL-2.0+", ("GPL-2.0-or-later",)),
        ("gemma", _GEMMA),
        ("https://ai.google.dev/gemma/terms", _GEMMA),
        ("Llama 3.1 Community License", ("LicenseRef-scancode-llama-3.1-license-2024",)),
        ("llama3", ("LicenseRef-openvet-llama-3",)),
        ("https://huggingface.co/meta-llama/Llama-3.2-1B/blob/main/LICENSE.txt", ("LicenseRef-scancode-llama-3.2-license-2024",)),
        ("qwen-research", ("LicenseRef-openvet-qwen-research",)),
        ("mrl", ("LicenseRef-openvet-mistral-mrl-0.1",)),
        ("falcon-llm-license", ("LicenseRef-openvet-falcon3",)),
        ("https://falconllm.tii.ae/falcon-terms-and-conditions.html", ("LicenseRef-openvet-falcon3",)),
        ("kimi-k3", ("LicenseRef-openvet-kimi-k3",)),
        ("https://www.nvidia.com/en-us/agreements/enterprise-software/nvidia-open-model-agreement/", ("LicenseRef-openvet-nvidia-open-model-agreement-2026",)),
        ("Beerware", ("Beerware",)),
        ("other", ()),
        ("unknown", ()),
        ("my own licence", ()),
        ("https://example.com/license", ()),
        ("", ()),
        ("x" * 100_000, ()),
    ],
)  # fmt: skip
def test_names(said: str, keys: tuple[str, ...]) -> None:
    assert keys_of(said) == keys


@pytest.mark.parametrize("family", ["cc", "bsd", "gpl", "lgpl", "gfdl", "openrail"])
def test_a_family_is_never_guessed(family: str) -> None:
    assert len(keys_of(family)) > 2


def test_modified_mit_is_the_name_of_many() -> None:
    """Kimi's ask for their own name to be shown, and Mistral's ends at a revenue: the name alone says neither."""
    named = keys_of("modified-mit")
    assert "LicenseRef-openvet-mistral-medium-3.5" in named
    assert "LicenseRef-scancode-moonshot-ai-modified-mit-2025" in named
    assert len(named) > 3


def test_ids_that_are_written_over_two_lines_are_whole() -> None:
    assert spdx_id("agpl-1.0-or-later") == "AGPL-1.0-or-later"
    assert not [each for each in spdx_ids() if each.endswith("-")]


@pytest.mark.parametrize(
    ("said", "text", "keys"),
    [
        ("mit OR apache-2.0", "MIT OR Apache-2.0", ("MIT", "Apache-2.0")),
        ("(MIT AND (BSD-3-Clause OR ISC))", "MIT AND (BSD-3-Clause OR ISC)", ("MIT", "BSD-3-Clause", "ISC")),
        ("GPL-2.0-or-later with classpath-exception-2.0", "GPL-2.0-or-later WITH Classpath-exception-2.0", ("GPL-2.0-or-later", "Classpath-exception-2.0")),
        ("MIT AND LicenseRef-scancode-qwen-2024", "MIT AND LicenseRef-scancode-qwen-2024", ("MIT", "LicenseRef-scancode-qwen-2024")),
    ],
)  # fmt: skip
def test_expressions(said: str, text: str, keys: tuple[str, ...]) -> None:
    found = parse_expression(said)
    assert found is not None
    assert (found.text, found.keys) == (text, keys)


@pytest.mark.parametrize(
    "said", ["MIT", "you and me", "MIT AND", "(" * 300 + " AND ", "MIT OR " * 200 + "MIT", "AND OR AND"]
)
def test_what_is_no_expression(said: str) -> None:
    assert parse_expression(said) is None
