"""What clients say they are, and what advisories say of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.gate.clients import PACKAGES, advisories_for, clients_among, packages_in

TRANSFORMERS = "transformers/5.5.0; python/3.11.7; session_id/1f2e; torch/2.5.1+cu124; file_type/config; hf_hub/2.4.0"


@pytest.mark.parametrize(
    ("agent", "found"),
    [
        (TRANSFORMERS, {"transformers": "5.5.0", "torch": "2.5.1+cu124", "huggingface-hub": "2.4.0"}),
        ("unknown/None; hf_hub/1.33.0; python/3.11.7", {"huggingface-hub": "1.33.0"}),
        ("hf_hub/2.4.0; hf_hub/9.9.9", {"huggingface-hub": "2.4.0"}),
        ("curl/8.5.0", {}),
        ("torch/" + "9" * 5000, {}),
        ("torch/N/A; torch/; /2.5; torch", {}),
        ("", {}),
    ],
)
def test_packages_in(agent: str, found: dict[str, str]) -> None:
    assert dict(packages_in(agent)) == found


@given(st.text())
def test_whatever_a_client_says_it_is(agent: str) -> None:
    for package, version in packages_in(agent):
        assert package in PACKAGES.values()
        assert version.isascii()


def test_a_build_of_a_version_has_the_problems_of_the_version() -> None:
    assert [each.id for each in advisories_for("torch", "2.5.1+cu124")] == [
        each.id for each in advisories_for("torch", "2.5.1")
    ]
    ids = {each.id for each in advisories_for("torch", "2.5.1")} - {
        each.id for each in advisories_for("torch", "2.6.0")
    }
    assert "GHSA-53q9-r3pm-6pq6" in ids  # CVE-2025-32434: torch.load with weights_only
    assert advisories_for("torch", "nonsense") == ()


def test_sessions_and_people_are_counted_once() -> None:
    agents = [("torch/2.5.1; session_id/a", 1, 2, 10), ("torch/2.5.1; session_id/b", 1, 3, 20), ("torch/2.5.1", None, 1, 5), ("peft/99.0", 2, 1, 7)]  # fmt: skip
    torch, peft = clients_among(agents)
    assert (torch.package, torch.files, torch.people, torch.last) == ("torch", 6, 1, 20)
    assert (peft.package, peft.advisories) == ("peft", ())
