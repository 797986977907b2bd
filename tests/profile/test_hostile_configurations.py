"""Configurations that no model can have: refused with a place, at once, and without memory; whatever family they claim to be of."""

from __future__ import annotations

import json
import random
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from tests import architectures as reference

from openvet.errors import MalformedError, UnsupportedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.profile import families

_VALUES: tuple[Any, ...] = (0, -1, 3, 1.5, True, None, "x", "auto", [], {}, [[1]], [{}], ["x"] * 3, [2**70], {"x": 1}, LAYERS, LAYERS + 1,
                            2**40, 2**63, 10**40, -(10**40), float("inf"), float("nan"), "9" * 5000, "M" * 200_000)  # fmt: skip
_SECONDS = 0.2
#: Keys that a family may read and that its configuration here leaves out.
_ALSO = ("layer_types", "layers_block_type", "sliding_window", "sliding_window_pattern", "head_dim", "num_key_value_heads",
         "tie_word_embeddings", "attention_bias", "text_config", "vision_config", "per_layer_config", "moe_layers")  # fmt: skip


def _models() -> dict[str, dict[str, Any]]:
    """A configuration of each family."""
    found: dict[str, dict[str, Any]] = {}
    for name in reference.names():
        for path in reference.configs(name).rglob("config.json"):
            config = json.loads(path.read_text("utf-8"))
            kind = config.get("model_type", config.get("_class_name"))
            if kind in families():
                found.setdefault(kind, config)
    return found


_MODELS = _models()


def _places(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, below in value.items() if isinstance(value, dict) else ():
        yield (*place, key)
        yield from _places(below, (*place, key))


def _with(config: dict[str, Any], place: tuple[str, ...], value: Any) -> dict[str, Any]:
    key, *rest = place
    below = config.get(key)
    return {**config, key: _with(below, tuple(rest), value) if rest and isinstance(below, dict) else value}


def _lists(config: dict[str, Any]) -> Iterator[list[Any]]:
    """One item for each layer, as far as the number goes."""
    layers = config.get("num_hidden_layers")
    items: tuple[Any, ...] = ([], {}, None, "x", True, 2**70)
    if isinstance(layers, int):
        yield from ([item] * layers for item in items)


def _draw(kind: str, config: dict[str, Any]) -> None:
    """Draw it, or have it refused with its place; both at once."""
    begin, said = time.thread_time(), None
    try:
        plan = families()[kind].draw(Config(config))
        # what the profile asks of a drawing
        assert plan.parameters >= plan.active >= 0
        assert plan.embeddings >= 0
        assert plan.multiplied >= 0
        plan.shapes(200)
    except UnsupportedError:
        pass
    except MalformedError as error:
        said = error.message
    assert said is None or (said.startswith("/") and len(said) < 300), f"without its place: {said}"
    assert time.thread_time() - begin < _SECONDS, f"{kind} takes long"


@pytest.mark.parametrize("kind", sorted(families()))
def test_nothing_at_all_is_refused_or_drawn(kind: str) -> None:
    _draw(kind, {"model_type": kind})


@pytest.mark.parametrize("kind", sorted(_MODELS))
def test_a_wrong_value_is_refused_with_its_place(kind: str) -> None:
    config = _MODELS[kind]
    for place in [*_places(config), *((key,) for key in _ALSO if key not in config)]:
        if place == ("model_type",):
            continue
        for value in (*_VALUES, *_lists(config)):
            _draw(kind, _with(config, place, value))


@pytest.mark.parametrize("kind", sorted(_MODELS))
def test_many_wrong_values_are_too(kind: str) -> None:
    chance = random.Random(kind)
    places = [place for place in _places(_MODELS[kind]) if place != ("model_type",)]
    for _ in range(60):
        config = _MODELS[kind]
        for place in chance.sample(places, min(len(places), chance.randint(2, 6))):
            config = _with(config, place, chance.choice(_VALUES))
        _draw(kind, config)


@pytest.mark.parametrize("kind", sorted(_MODELS))
def test_the_largest_that_is_believed_takes_little_memory(kind: str) -> None:
    config = _MODELS[kind]
    for place in _places(config):
        if "layer" in place[-1] or "expert" in place[-1] or "depth" in place[-1]:
            config = _with(config, place, LAYERS) if not isinstance(_at(config, place), list | dict) else config
    tracemalloc.start()
    try:
        plan = families()[kind].draw(Config(config))
        plan.shapes(1000)
    except (MalformedError, UnsupportedError):
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 64 * 2**20


def _at(config: dict[str, Any], place: tuple[str, ...]) -> Any:
    for key in place:
        config = config[key]
    return config
