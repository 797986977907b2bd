"""What the layers of a GGUF model keep, by the keys that llama.cpp reads; and keys that no model can have."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from openvet.errors import MalformedError
from openvet.profile._config import LAYERS, Config
from openvet.profile._gguf_layers import keep_layers
from openvet.profile.blueprint import Blueprint

_HEADS = {
    "attention.head_count": 8,
    "attention.head_count_kv": 2,
    "attention.key_length": 64,
    "attention.value_length": 64,
}
_MAMBA = {"ssm.conv_kernel": 4, "ssm.inner_size": 1024, "ssm.state_size": 16, "ssm.time_step_rank": 32}


def _kept(family: str, layers: int, keys: dict[str, Any], hidden: int = 512) -> list[tuple[str, int, int, int | None]]:
    plan = Blueprint(family, "decoder")
    keep_layers(Config(keys), plan, family, layers, hidden)
    return sorted(((each.kind, each.layers, each.elements, each.window) for each in plan.caches), key=repr)


@pytest.mark.parametrize(
    ("family", "layers", "keys", "narrow", "window"),
    [
        ("gemma2", 42, {}, 21, 4096),
        ("gemma2", 42, {"attention.sliding_window": 1024}, 21, 1024),
        ("gemma3", 26, {"attention.sliding_window": 512}, 22, 512),
        ("gemma3", 26, {"attention.sliding_window": 512, "attention.sliding_window_pattern": 2}, 13, 512),
        ("gpt-oss", 24, {"attention.sliding_window": 128}, 12, 128),
        ("llama4", 48, {}, 36, 8192),
        ("llama4", 48, {"attention.sliding_window": 0}, 0, None),
        ("cohere2", 32, {"attention.sliding_window": 4096}, 24, 4096),
        ("olmo2", 32, {"attention.sliding_window": 4096}, 24, 4096),
        ("olmo2", 32, {}, 0, None),
        ("smallthinker", 32, {"attention.sliding_window": 1}, 24, 4096),
        ("smallthinker", 32, {}, 0, None),
        ("phi3", 32, {"attention.sliding_window": 2047}, 0, None),
        ("llama", 32, {"attention.sliding_window": 4096}, 0, None),
        ("new", 4, {"attention.sliding_window": 64, "attention.sliding_window_pattern": [True, False, True, True]}, 3, 64),
    ],
)  # fmt: skip
def test_windows_are_those_of_llama_cpp(
    family: str, layers: int, keys: dict[str, Any], narrow: int, window: int | None
) -> None:
    wanted = [("kv", count, 256, size) for count, size in ((layers - narrow, None), (narrow, window)) if count]
    assert _kept(family, layers, {**_HEADS, **keys}) == sorted(wanted, key=repr)


def test_a_layer_without_keys_and_values_is_recurrent() -> None:
    groups = [0, 0, 2, 0]
    kept = _kept("jamba", 4, {**_HEADS, **_MAMBA, "attention.head_count_kv": groups})
    assert kept == [("kv", 1, 256, None), ("state", 3, 3 * 1024 + 16 * 1024, None)]
    kept = _kept("lfm2", 4, {**_HEADS, "attention.head_count_kv": groups, "shortconv.l_cache": 3})
    assert kept == [("kv", 1, 256, None), ("state", 3, 2 * 512, None)]
    assert _kept("deci", 4, {**_HEADS, "attention.head_count_kv": groups}) == [("kv", 1, 256, None)]


def test_layers_of_nemotron_h_may_be_neither() -> None:
    keys = {**_HEADS, **_MAMBA, "attention.head_count_kv": [0, 0, 2, 0], "feed_forward_length": [0, 4096, 0, 0]}
    assert [each[:2] for each in _kept("nemotron_h", 4, keys)] == [("kv", 1), ("state", 2)]


def test_all_or_some_layers_are_recurrent_by_the_architecture() -> None:
    keys = {**_MAMBA, "ssm.group_count": 8}
    assert _kept("mamba2", 64, keys) == [("state", 64, 3 * (1024 + 2 * 8 * 16) + 16 * 1024, None)]
    both = [("kv", 6, 256, None), ("state", 6, 3 * 1024 + 16 * 1024, None)]
    assert _kept("falcon-h1", 6, {**_HEADS, **_MAMBA}) == both
    assert [each[:2] for each in _kept("qwen3next", 48, {**_HEADS, **_MAMBA})] == [("kv", 12), ("state", 36)]
    assert _kept("rwkv7", 12, {"wkv.head_size": 64}) == [("state", 12, 512 * (2 + 64), None)]


def test_some_layers_look_into_the_cache_of_others() -> None:
    keys = {**_HEADS, "attention.sliding_window": 512}
    assert sum(each[1] for each in _kept("gemma3n", 35, keys)) == 20
    narrow = {"attention.key_length_swa": 32, "attention.value_length_swa": 32, "attention.shared_kv_layers": 10}
    assert _kept("gemma4", 30, {**keys, **narrow}) == [("kv", 17, 128, 512), ("kv", 3, 256, None)]
    assert sum(each[1] for each in _kept("glm4moe", 47, {**_HEADS, "nextn_predict_layers": 1})) == 46


def test_a_compressed_vector_is_kept_where_layers_attend() -> None:
    keys: dict[str, Any] = {**_HEADS, "attention.kv_lora_rank": 512, "rope.dimension_count": 64}
    assert _kept("deepseek2", 27, keys) == [("latent", 27, 576, None)]
    keys = {**keys, "attention.head_count_kv": [0, 0, 0, 2], "kda.head_dim": 128, "ssm.conv_kernel": 4}
    assert _kept("kimi-linear", 4, keys) == [("latent", 1, 576, None), ("state", 3, 3 * 3 * 1024 + 128 * 1024, None)]


def test_a_prompt_may_spell_a_compressed_vector_out() -> None:
    """Newer files say the widths of keys and values apart; older ones say no others."""
    keys: dict[str, Any] = {**_HEADS, "attention.kv_lora_rank": 512, "rope.dimension_count": 64}
    newer = {"attention.key_length": 576, "attention.value_length": 512, "attention.key_length_mla": 192, "attention.value_length_mla": 128}  # fmt: skip
    for more, cheaper in (({}, 2 * 8 * 128), (newer, 2 * 8 * 320), ({**newer, "attention.key_length_mla": 4096}, None)):
        plan = Blueprint("deepseek2", "decoder")
        keep_layers(Config({**keys, **more}), plan, "deepseek2", 2, 512)
        assert [(each.flop, each.prompt_flop) for each in plan.caches] == [(2 * 8 * 1088, cheaper)]


def test_hostile_keys_are_refused_at_once() -> None:
    chance = random.Random(7)
    names = [*_HEADS, *_MAMBA, "ssm.group_count", "attention.sliding_window", "attention.sliding_window_pattern", "kda.head_dim",
             "attention.kv_lora_rank", "rope.dimension_count", "shortconv.l_cache", "wkv.head_size", "token_shift_count",
             "full_attention_interval", "feed_forward_length", "attention.shared_kv_layers", "nextn_predict_layers"]  # fmt: skip
    values: tuple[Any, ...] = (
        0,
        -1,
        1.5,
        True,
        "x",
        [],
        [[1]],
        [0] * 4,
        [2**70] * 4,
        ["x"] * 4,
        {"items": "u32"},
        2**40,
        2**64 - 1,
        float("nan"),
    )
    for _ in range(3000):
        keys = {**_HEADS, **{name: chance.choice(values) for name in chance.sample(names, 5)}}
        family = chance.choice(
            ["llama", "gemma3", "gemma4", "jamba", "nemotron_h", "falcon-h1", "qwen3next", "smallthinker", "mamba2"]
        )
        begin, said = time.thread_time(), "/"
        try:
            _kept(family, chance.choice([1, 4, LAYERS]), keys)
        except MalformedError as error:
            said = error.message
        assert said.startswith("/")
        assert time.thread_time() - begin < 0.5
