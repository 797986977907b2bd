"""What the rules of a family draw from a configuration, against the real class: every tensor, parameter, expert and byte of a cache."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests import architectures as reference

from openvet.profile._config import Config
from openvet.profile.blueprint import Blueprint
from openvet.profile.profile import families


def _known() -> list[tuple[str, str]]:
    """The components whose family is known."""
    found = []
    for name in reference.names():
        for component in reference.components(name):
            path = reference.configs(name) / component / "config.json"
            config = json.loads(path.read_text("utf-8")) if path.is_file() else {}
            if config.get("model_type", config.get("_class_name")) in families():
                found.append((name, component))
    return found


def _drawn(name: str, component: str) -> tuple[Blueprint, dict[str, Any]]:
    config = json.loads((reference.configs(name) / component / "config.json").read_text("utf-8"))
    kind = config.get("model_type", config.get("_class_name"))
    return families()[kind].draw(Config(config)), reference.expected(name)["components"][component]


def test_most_are_known() -> None:
    assert len(_known()) > 50


@pytest.mark.parametrize(("name", "component"), _known())
def test_every_tensor_is_drawn(name: str, component: str) -> None:
    plan, _ = _drawn(name, component)
    assert plan.shapes(10**6) == {each.name: each.shape for each in reference.tensors(name, component)}


@pytest.mark.parametrize(("name", "component"), _known())
def test_parameters_are_those_of_the_class(name: str, component: str) -> None:
    plan, said = _drawn(name, component)
    # what the class saves as a buffer, such as the bias of a router, is a parameter to us: it is learnt
    buffers = plan.parameters - said["parameters"]
    assert 0 <= buffers <= said["tensors"]["elements"] - said["parameters"]
    assert plan.active - buffers == said["active"]


@pytest.mark.parametrize(("name", "component"), _known())
def test_a_token_costs_what_the_class_keeps_of_it(name: str, component: str) -> None:
    plan, said = _drawn(name, component)
    cache = said["cache"] or {"element_bytes": 2, "groups": []}
    kept = [
        (
            len(list(reference.numbers(each["layers"]))),
            each["bytes_per_token"] // cache["element_bytes"],
            each.get("window"),
        )
        for each in cache["groups"]
        if "bytes_per_token" in each
    ]
    ours = [(each.layers, each.elements, each.window) for each in plan.caches if each.kind not in {"state", "cross"}]
    assert sorted(ours, key=repr) == sorted(kept, key=repr)


@pytest.mark.parametrize(("name", "component"), _known())
def test_a_sequence_costs_what_the_class_keeps_of_it(name: str, component: str) -> None:
    plan, said = _drawn(name, component)
    cache = said["cache"] or {"element_bytes": 2, "state_elements": 0}
    states = sum(each.layers * each.elements for each in plan.caches if each.kind == "state")
    assert states == cache["state_elements"]
    crossed = sum(each.layers * each.elements for each in plan.caches if each.kind == "cross")
    assert crossed * cache["element_bytes"] == cache.get("cross_bytes_per_source_token", 0)


_VARIANTS = json.loads(reference.VARIANTS.read_text("utf-8"))


@pytest.mark.parametrize("name", sorted(_VARIANTS))
def test_other_values_of_keys_make_what_the_class_makes_of_them(name: str) -> None:
    config, said = reference.varied(_VARIANTS[name]), _VARIANTS[name]["says"]
    plan = families()[config.get("model_type") or config["_class_name"]].draw(Config(config))
    assert reference.shapes_digest(plan.shapes(10**6)) == said["tensors"]
    buffers = plan.parameters - said["parameters"]
    assert buffers >= 0
    if "active" not in said:
        return
    assert plan.active - buffers == said["active"]
    kept = [[each.layers, each.elements, each.window] for each in plan.caches if each.kind != "state"]
    assert sorted(kept, key=repr) == said["kept"]
    assert sum(each.layers * each.elements for each in plan.caches if each.kind == "state") == said["state"]
