"""What names say: whose they are, who republishes and says so, who claims to be official; and that hostile names do no harm."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.publishers.test_resemblance import IDS
from tests.reports.test_snapshots import schema

from openvet.core.coverage import Coverage
from openvet.evidence.predicates.origin_v1 import OriginV1, Place, Remark
from openvet.evidence.predicates.tool import Tool
from openvet.formats._format import Heading, Outline
from openvet.inventory.component import Component, Inventory
from openvet.publishers.examine import examine_names, place_of, suspects_of
from openvet.publishers.names import find_names, hub_name
from openvet.publishers.suspects import find_suspects
from openvet.reports.origin import compose_origin

COMMIT = "a" * 40
TOOL = Tool("openvet", "0.1.0", "ab" * 32)


def model(name: str = "", *, config: Any = None, adapter: Any = None, card: Any = None, prose: str = "", gguf: Any = None) -> Inventory:  # fmt: skip
    files = []
    for file, format_, document in (("README.md", "markdown", card), ("adapter_config.json", "json", adapter), ("config.json", "json", config)):  # fmt: skip
        if document is not None or (file == "README.md" and prose):
            outline = Outline(headings=(Heading(1, "Model", 5, (prose,), 1),)) if prose else None
            files.append(Component(file, file, 1, (format_,), Coverage.READ, document=document, outline=outline))
    if gguf is not None:
        files.append(Component("m.gguf", "m.gguf", 1, ("gguf",), Coverage.READ, metadata=gguf))
    return Inventory(tuple(files), name)


def hub(repository: str, **files: Any) -> Inventory:
    return model(f"hf:{repository}@{COMMIT}", **files)


def kinds(inventory: Inventory) -> list[str]:
    return [each.kind for each in look(inventory).remarks]


def look(inventory: Inventory) -> OriginV1:
    place = place_of(inventory.name)
    found = examine_names(inventory, place)
    origin = OriginV1(TOOL, place, found.publishers, found.names, remarks=found.remarks)
    body = json.loads(json.dumps(origin.to_json()))
    assert list(schema("origin-v1").iter_errors(body)) == []
    assert OriginV1.from_json(body) == origin
    text = compose_origin("x", origin, everything=True)
    assert all(each.isprintable() for each in text.split("\n"))
    return origin


def test_a_publishers_own_account_is_known() -> None:
    found = look(hub("meta-llama/Llama-3.1-8B"))
    assert [(each.id, each.own) for each in found.publishers] == [("meta", True)]
    assert found.publishers[0].legal_name == "Meta Platforms, Inc."
    assert found.publishers[0].seat is None  # its licence names the law of a state, which is no seat
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("repository", "files"),
    [
        ("TheBloke/Llama-2-7B-GGUF", {}),
        ("bartowski/gemma-2-9b-it-GGUF", {"card": {"base_model": "google/gemma-2-9b-it", "quantized_by": "bartowski"}}),
        ("unsloth/Meta-Llama-3.1-8B-Instruct", {"card": {"base_model": ["meta-llama/Meta-Llama-3.1-8B-Instruct"]}}),
        ("unsloth/gemma-2-9b-it-bnb-4bit", {"config": {"_name_or_path": "google/gemma-2-9b-it"}}),
        ("me/Llama-3-tuned", {"adapter": {"base_model_name_or_path": "https://huggingface.co/meta-llama/Llama-3-8B"}}),
        ("me/Qwen2.5-7B", {"gguf": {"general.base_model.0.repo_url": "https://huggingface.co/Qwen/Qwen2.5-7B"}}),
        ("me/Llama-2-7b-official-quant-GGUF", {"prose": "GGUF files for the official Llama 2 release."}),
    ],
)
def test_who_republishes_and_says_so_gets_no_alarm(repository: str, files: dict[str, Any]) -> None:
    found = look(hub(repository, **files))
    assert [each.kind for each in found.remarks] == ["republished"]
    assert find_suspects(hub(repository, **files)) == ()
    assert not found.publishers[0].own


def test_a_publishers_name_under_another_account_without_a_word_is_told_and_no_rule_counts_it() -> None:
    assert kinds(hub("huggyllama2/llama-7b")) == ["name-of-another"]
    assert find_suspects(hub("huggyllama2/llama-7b")) == ()
    assert kinds(hub("me/my-own-model")) == []
    assert kinds(hub("deepseek-community/deepseek-vl-7b-chat")) == []


@pytest.mark.parametrize(
    ("prose", "claims"),
    [
        ("This is the official release of Llama 3.1.", True),
        ("The official model of Meta", True),
        ("Officially released weights", True),
        ("This is not the official release of Llama.", False),
        ("An unofficial release of the weights", False),
        ("Converted from the official release by me", False),
        ("See the official documentation", False),
        ("Copied from the official repository", False),
    ],
)
def test_claims_to_be_official(prose: str, claims: bool) -> None:
    found = find_suspects(hub("someone/Llama-3.1-8B", prose=prose))
    assert [each.kind for each in found] == (["claims-official"] if claims else [])
    for owner in ("meta-llama/Llama-3.1-8B", "someone/my-model"):
        assert find_suspects(hub(owner, prose=prose)) == ()
    based = {"base_model": "meta-llama/Llama-3.1-8B"}
    assert find_suspects(hub("someone/Llama-3.1-8B", prose=prose, card=based)) == ()
    assert find_suspects(model("folder", prose=prose)) == ()  # nothing says which account it is


def test_names_that_claim_to_be_official() -> None:
    assert [each.kind for each in find_suspects(hub("llama-official/Llama-3.1-8B-GGUF"))] == ["claims-official"]
    assert [each.kind for each in find_suspects(hub("someone/Llama-3.1-8B-official"))] == ["claims-official"]
    assert find_suspects(hub("someone/Llama-3.1-8B-unofficial")) == ()
    assert find_suspects(hub("official-cats/cats")) == ()


def test_look_alikes_by_place_and_in_files() -> None:
    found = find_suspects(hub("meta-1lama/Llama-3.1-8B", config={"_name_or_path": "mistra1ai/Mistral-7B"}))
    assert [(each.kind, each.evidence["like"]) for each in found] == [("look-alike-account", "meta-llama"), ("look-alike-name", "mistralai")]  # fmt: skip
    assert all(each.heuristic for each in found)
    assert find_suspects(hub("nvidia-research/thing")) == ()  # told, and not counted
    assert kinds(hub("nvidia-research/thing")) == ["look-alike-name"]


def test_accounts_of_other_registries_are_not_compared() -> None:
    place = Place("registry.example.org", "meta-1lama", "meta-1lama/x", "", "measured")
    assert examine_names(model(), place).remarks == ()


def test_free_texts_are_compared_by_looks_only() -> None:
    assert find_suspects(model(gguf={"general.organization": "Mistral Al", "general.author": "Metta Llama"})) == ()
    found = find_suspects(model(gguf={"general.organization": "g\u043e\u043egle"}))
    assert [each.kind for each in found] == ["look-alike-name"]
    assert (
        find_suspects(model(gguf={"general.author": "\u0418\u0432\u0430\u043d \u041f\u0435\u0442\u0440\u043e\u0432"}))
        == ()
    )


def test_hidden_characters() -> None:
    found = find_suspects(model(config={"_name_or_path": "meta-llama\u200b/Llama-3"}))
    assert [each.kind for each in found] == ["hidden-characters", "look-alike-name"]
    assert [each.kind for each in find_suspects(model(gguf={"general.author": "a\u202eb"}))] == ["hidden-characters"]
    # emoji and Persian are written with characters that show nothing
    assert (
        find_suspects(
            model(
                gguf={"general.author": "\U0001f469\u200d\U0001f4bb \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"}
            )
        )
        == ()
    )


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("org/name", "org/name"),
        ("https://huggingface.co/org/name/tree/main?x=1", "org/name"),
        ("hf.co/org/name", "org/name"),
        ("https://example.org/org/name", None),
        ("/mnt/data/model", None), ("./model/x", None), ("../x/y", None), ("C:\\models\\x", None), ("checkpoints/step-100", None), ("outputs/run", None),
        ("~/models/x", None), ("name", None), ("", None), ("a/b/c", None), ("s3://bucket/key", None), ("org /name", None),
    ],
)  # fmt: skip
def test_names_of_repositories_and_paths(value: str, name: str | None) -> None:
    assert hub_name(value) == name


def test_every_real_name_as_a_model_of_a_hub_gives_no_finding() -> None:
    for each in IDS:
        assert find_suspects(hub(each)) == (), each


def test_one_name_that_is_told_once() -> None:
    many = {"base_model": ["meta-1lama/a", "meta-1lama/b", "meta-1lama/c"]}
    assert len(find_suspects(model(card=many))) == 1


NASTY = st.text(st.characters(exclude_categories=()), max_size=60) | st.sampled_from(
    ["\u202emeta-llama", "m\u0435ta-llama", "a" * 5000, "", "/", "//", "-/-", "\u200b/\u200b", "\ud800/x", "\x1b[31mmeta-llama/x", "\u0660/\u0661", "i\u0307nvidia/x"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(NASTY, NASTY, NASTY, st.lists(NASTY, max_size=4))
def test_hostile_names_do_no_harm(account: str, name: str, other: str, bases: list[str]) -> None:
    inventory = model(
        f"hf:{account}/{name}@{COMMIT}",
        config={"_name_or_path": f"{account}/{name}"},
        card={"base_model": bases, "author": other},
        gguf={"general.organization": other, "general.author": account},
    )
    found = look(inventory)
    assert find_suspects(inventory) == suspects_of(inventory)  # what is asked first leaves nothing out
    assert len(find_names(inventory)) <= 200
    again: tuple[Remark, ...] = find_suspects(Inventory(inventory.files, inventory.name))
    assert again == find_suspects(inventory)
    json.dumps(found.to_json()).encode("utf-8")


def test_many_long_names_take_no_time() -> None:
    start = time.process_time()
    find_suspects(model(card={"base_model": [f"{'rn' * 60}{number}/x" for number in range(10_000)]}))
    assert time.process_time() - start < 2
