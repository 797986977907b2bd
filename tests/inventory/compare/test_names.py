"""Names of one packaging are those of another: as llama.cpp's own table maps them, and never to a wrong one."""

from __future__ import annotations

import pytest

from openvet.inventory.compare.names import kind_of, layer_of, pair

#: Family -> name of transformers -> name of llama.cpp, by ``gguf.get_tensor_name_map`` (gguf 0.19.0) over the names of the real classes
#: (tests/vectors/architectures); N is the number of a layer.
TABLE = {
    "llama-3-8b": {
        "lm_head.weight": "output.weight",
        "model.embed_tokens.weight": "token_embd.weight",
        "model.layers.N.input_layernorm.weight": "blk.N.attn_norm.weight",
        "model.layers.N.mlp.down_proj.weight": "blk.N.ffn_down.weight",
        "model.layers.N.mlp.gate_proj.weight": "blk.N.ffn_gate.weight",
        "model.layers.N.mlp.up_proj.weight": "blk.N.ffn_up.weight",
        "model.layers.N.post_attention_layernorm.weight": "blk.N.ffn_norm.weight",
        "model.layers.N.self_attn.k_proj.weight": "blk.N.attn_k.weight",
        "model.layers.N.self_attn.o_proj.weight": "blk.N.attn_output.weight",
        "model.layers.N.self_attn.q_proj.weight": "blk.N.attn_q.weight",
        "model.layers.N.self_attn.v_proj.weight": "blk.N.attn_v.weight",
        "model.norm.weight": "output_norm.weight",
    },
    "mixtral-8x7b": {
        "lm_head.weight": "output.weight",
        "model.embed_tokens.weight": "token_embd.weight",
        "model.layers.N.block_sparse_moe.gate.weight": "blk.N.ffn_gate_inp.weight",
        "model.layers.N.input_layernorm.weight": "blk.N.attn_norm.weight",
        "model.layers.N.post_attention_layernorm.weight": "blk.N.ffn_norm.weight",
        "model.layers.N.self_attn.k_proj.weight": "blk.N.attn_k.weight",
        "model.layers.N.self_attn.o_proj.weight": "blk.N.attn_output.weight",
        "model.layers.N.self_attn.q_proj.weight": "blk.N.attn_q.weight",
        "model.layers.N.self_attn.v_proj.weight": "blk.N.attn_v.weight",
        "model.norm.weight": "output_norm.weight",
    },
    "gemma-2-9b": {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.layers.N.input_layernorm.weight": "blk.N.attn_norm.weight",
        "model.layers.N.mlp.down_proj.weight": "blk.N.ffn_down.weight",
        "model.layers.N.mlp.gate_proj.weight": "blk.N.ffn_gate.weight",
        "model.layers.N.mlp.up_proj.weight": "blk.N.ffn_up.weight",
        "model.layers.N.post_attention_layernorm.weight": "blk.N.post_attention_norm.weight",
        "model.layers.N.post_feedforward_layernorm.weight": "blk.N.post_ffw_norm.weight",
        "model.layers.N.pre_feedforward_layernorm.weight": "blk.N.ffn_norm.weight",
        "model.layers.N.self_attn.k_proj.weight": "blk.N.attn_k.weight",
        "model.layers.N.self_attn.o_proj.weight": "blk.N.attn_output.weight",
        "model.layers.N.self_attn.q_proj.weight": "blk.N.attn_q.weight",
        "model.layers.N.self_attn.v_proj.weight": "blk.N.attn_v.weight",
        "model.norm.weight": "output_norm.weight",
    },
    "gemma-3-270m": {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.layers.N.input_layernorm.weight": "blk.N.attn_norm.weight",
        "model.layers.N.mlp.down_proj.weight": "blk.N.ffn_down.weight",
        "model.layers.N.mlp.gate_proj.weight": "blk.N.ffn_gate.weight",
        "model.layers.N.mlp.up_proj.weight": "blk.N.ffn_up.weight",
        "model.layers.N.post_attention_layernorm.weight": "blk.N.post_attention_norm.weight",
        "model.layers.N.post_feedforward_layernorm.weight": "blk.N.post_ffw_norm.weight",
        "model.layers.N.pre_feedforward_layernorm.weight": "blk.N.ffn_norm.weight",
        "model.layers.N.self_attn.k_norm.weight": "blk.N.attn_k_norm.weight",
        "model.layers.N.self_attn.k_proj.weight": "blk.N.attn_k.weight",
        "model.layers.N.self_attn.o_proj.weight": "blk.N.attn_output.weight",
        "model.layers.N.self_attn.q_norm.weight": "blk.N.attn_q_norm.weight",
        "model.layers.N.self_attn.q_proj.weight": "blk.N.attn_q.weight",
        "model.layers.N.self_attn.v_proj.weight": "blk.N.attn_v.weight",
        "model.norm.weight": "output_norm.weight",
    },
    "olmo-2-7b": {
        "lm_head.weight": "output.weight",
        "model.embed_tokens.weight": "token_embd.weight",
        "model.layers.N.mlp.down_proj.weight": "blk.N.ffn_down.weight",
        "model.layers.N.mlp.gate_proj.weight": "blk.N.ffn_gate.weight",
        "model.layers.N.mlp.up_proj.weight": "blk.N.ffn_up.weight",
        "model.layers.N.post_attention_layernorm.weight": "blk.N.post_attention_norm.weight",
        "model.layers.N.post_feedforward_layernorm.weight": "blk.N.post_ffw_norm.weight",
        "model.layers.N.self_attn.k_norm.weight": "blk.N.attn_k_norm.weight",
        "model.layers.N.self_attn.k_proj.weight": "blk.N.attn_k.weight",
        "model.layers.N.self_attn.o_proj.weight": "blk.N.attn_output.weight",
        "model.layers.N.self_attn.q_norm.weight": "blk.N.attn_q_norm.weight",
        "model.layers.N.self_attn.q_proj.weight": "blk.N.attn_q.weight",
        "model.layers.N.self_attn.v_proj.weight": "blk.N.attn_v.weight",
        "model.norm.weight": "output_norm.weight",
    },
    "phi-3-mini": {
        "lm_head.weight": "output.weight",
        "model.embed_tokens.weight": "token_embd.weight",
        "model.layers.N.input_layernorm.weight": "blk.N.attn_norm.weight",
        "model.layers.N.mlp.down_proj.weight": "blk.N.ffn_down.weight",
        "model.layers.N.mlp.gate_up_proj.weight": "blk.N.ffn_up.weight",
        "model.layers.N.post_attention_layernorm.weight": "blk.N.ffn_norm.weight",
        "model.layers.N.self_attn.o_proj.weight": "blk.N.attn_output.weight",
        "model.layers.N.self_attn.qkv_proj.weight": "blk.N.attn_qkv.weight",
        "model.norm.weight": "output_norm.weight",
    },
    "qwen3-8b": {
        "lm_head.weight": "output.weight",
        "model.embed_tokens.weight": "token_embd.weight",
        "model.layers.N.input_layernorm.weight": "blk.N.attn_norm.weight",
        "model.layers.N.mlp.down_proj.weight": "blk.N.ffn_down.weight",
        "model.layers.N.mlp.gate_proj.weight": "blk.N.ffn_gate.weight",
        "model.layers.N.mlp.up_proj.weight": "blk.N.ffn_up.weight",
        "model.layers.N.post_attention_layernorm.weight": "blk.N.ffn_norm.weight",
        "model.layers.N.self_attn.k_norm.weight": "blk.N.attn_k_norm.weight",
        "model.layers.N.self_attn.k_proj.weight": "blk.N.attn_k.weight",
        "model.layers.N.self_attn.o_proj.weight": "blk.N.attn_output.weight",
        "model.layers.N.self_attn.q_norm.weight": "blk.N.attn_q_norm.weight",
        "model.layers.N.self_attn.q_proj.weight": "blk.N.attn_q.weight",
        "model.layers.N.self_attn.v_proj.weight": "blk.N.attn_v.weight",
        "model.norm.weight": "output_norm.weight",
    },
    "qwen3-30b-a3b": {
        "lm_head.weight": "output.weight",
        "model.embed_tokens.weight": "token_embd.weight",
        "model.layers.N.input_layernorm.weight": "blk.N.attn_norm.weight",
        "model.layers.N.mlp.gate.weight": "blk.N.ffn_gate_inp.weight",
        "model.layers.N.post_attention_layernorm.weight": "blk.N.ffn_norm.weight",
        "model.layers.N.self_attn.k_norm.weight": "blk.N.attn_k_norm.weight",
        "model.layers.N.self_attn.k_proj.weight": "blk.N.attn_k.weight",
        "model.layers.N.self_attn.o_proj.weight": "blk.N.attn_output.weight",
        "model.layers.N.self_attn.q_norm.weight": "blk.N.attn_q_norm.weight",
        "model.layers.N.self_attn.q_proj.weight": "blk.N.attn_q.weight",
        "model.layers.N.self_attn.v_proj.weight": "blk.N.attn_v.weight",
        "model.norm.weight": "output_norm.weight",
    },
    "starcoder2-3b": {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.layers.N.input_layernorm.bias": "blk.N.attn_norm.bias",
        "model.layers.N.input_layernorm.weight": "blk.N.attn_norm.weight",
        "model.layers.N.mlp.c_fc.bias": "blk.N.ffn_up.bias",
        "model.layers.N.mlp.c_fc.weight": "blk.N.ffn_up.weight",
        "model.layers.N.mlp.c_proj.bias": "blk.N.ffn_down.bias",
        "model.layers.N.mlp.c_proj.weight": "blk.N.ffn_down.weight",
        "model.layers.N.post_attention_layernorm.bias": "blk.N.ffn_norm.bias",
        "model.layers.N.post_attention_layernorm.weight": "blk.N.ffn_norm.weight",
        "model.layers.N.self_attn.k_proj.bias": "blk.N.attn_k.bias",
        "model.layers.N.self_attn.k_proj.weight": "blk.N.attn_k.weight",
        "model.layers.N.self_attn.o_proj.bias": "blk.N.attn_output.bias",
        "model.layers.N.self_attn.o_proj.weight": "blk.N.attn_output.weight",
        "model.layers.N.self_attn.q_proj.bias": "blk.N.attn_q.bias",
        "model.layers.N.self_attn.q_proj.weight": "blk.N.attn_q.weight",
        "model.layers.N.self_attn.v_proj.bias": "blk.N.attn_v.bias",
        "model.layers.N.self_attn.v_proj.weight": "blk.N.attn_v.weight",
        "model.norm.bias": "output_norm.bias",
        "model.norm.weight": "output_norm.weight",
    },
    "phi-2": {
        "lm_head.bias": "output.bias",
        "lm_head.weight": "output.weight",
        "model.embed_tokens.weight": "token_embd.weight",
        "model.final_layernorm.bias": "output_norm.bias",
        "model.final_layernorm.weight": "output_norm.weight",
        "model.layers.N.input_layernorm.bias": "blk.N.attn_norm.bias",
        "model.layers.N.input_layernorm.weight": "blk.N.attn_norm.weight",
        "model.layers.N.mlp.fc1.bias": "blk.N.ffn_up.bias",
        "model.layers.N.mlp.fc1.weight": "blk.N.ffn_up.weight",
        "model.layers.N.mlp.fc2.bias": "blk.N.ffn_down.bias",
        "model.layers.N.mlp.fc2.weight": "blk.N.ffn_down.weight",
        "model.layers.N.self_attn.dense.bias": "blk.N.attn_output.bias",
        "model.layers.N.self_attn.dense.weight": "blk.N.attn_output.weight",
        "model.layers.N.self_attn.k_proj.bias": "blk.N.attn_k.bias",
        "model.layers.N.self_attn.k_proj.weight": "blk.N.attn_k.weight",
        "model.layers.N.self_attn.q_proj.bias": "blk.N.attn_q.bias",
        "model.layers.N.self_attn.q_proj.weight": "blk.N.attn_q.weight",
        "model.layers.N.self_attn.v_proj.bias": "blk.N.attn_v.bias",
        "model.layers.N.self_attn.v_proj.weight": "blk.N.attn_v.weight",
    },
    "deepseek-v2-lite": {
        "lm_head.weight": "output.weight",
        "model.embed_tokens.weight": "token_embd.weight",
        "model.layers.N.input_layernorm.weight": "blk.N.attn_norm.weight",
        "model.layers.N.mlp.down_proj.weight": "blk.N.ffn_down.weight",
        "model.layers.N.mlp.gate_proj.weight": "blk.N.ffn_gate.weight",
        "model.layers.N.mlp.up_proj.weight": "blk.N.ffn_up.weight",
        "model.layers.N.post_attention_layernorm.weight": "blk.N.ffn_norm.weight",
        "model.layers.N.self_attn.kv_a_layernorm.weight": "blk.N.attn_kv_a_norm.weight",
        "model.layers.N.self_attn.kv_a_proj_with_mqa.weight": "blk.N.attn_kv_a_mqa.weight",
        "model.layers.N.self_attn.kv_b_proj.weight": "blk.N.attn_kv_b.weight",
        "model.layers.N.self_attn.o_proj.weight": "blk.N.attn_output.weight",
        "model.layers.N.self_attn.q_proj.weight": "blk.N.attn_q.weight",
        "model.layers.N.mlp.gate.weight": "blk.N.ffn_gate_inp.weight",
        "model.layers.N.mlp.shared_experts.down_proj.weight": "blk.N.ffn_down_shexp.weight",
        "model.layers.N.mlp.shared_experts.gate_proj.weight": "blk.N.ffn_gate_shexp.weight",
        "model.layers.N.mlp.shared_experts.up_proj.weight": "blk.N.ffn_up_shexp.weight",
        "model.norm.weight": "output_norm.weight",
    },
}


@pytest.mark.parametrize("family", TABLE)
def test_names_are_paired_as_llama_cpp_does(family: str) -> None:
    expected = {
        name.replace(".N.", f".{layer}."): theirs.replace(".N.", f".{layer}.")
        for name, theirs in TABLE[family].items()
        for layer in range(12)
    }
    theirs, ours = list(expected), sorted(expected.values())
    assert pair(theirs, ours, ggml_a=False, ggml_b=True) == expected
    assert pair(ours, theirs, ggml_a=True, ggml_b=False) == {b: a for a, b in expected.items()}


def test_wrappers_are_taken_off_and_nothing_is_guessed() -> None:
    assert pair(["model.a.w", "b"], ["module.model.a.w", "c"], ggml_a=False, ggml_b=False) == {
        "model.a.w": "module.model.a.w"
    }
    assert pair(["model.a", "module.a"], ["a"], ggml_a=False, ggml_b=False) == {}
    assert pair(["model.a", "a"], ["a", "module.a"], ggml_a=False, ggml_b=False) == {"a": "a", "model.a": "module.a"}
    assert pair(["model."], ["module."], ggml_a=False, ggml_b=False) == {}


@pytest.mark.parametrize(
    ("name", "layer", "kind"),
    [
        ("model.layers.17.self_attn.q_proj.weight", 17, "attention"), ("blk.3.ffn_gate_exps.weight[5]", 3, "mlp"),
        ("blk.0.attn_norm.weight", 0, "norm"), ("token_embd.weight", None, "embedding"), ("lm_head.weight", None, "embedding"),
        ("transformer.h.2.mlp.c_fc.weight", 2, "mlp"), ("encoder.layer.11.output.dense.weight", 11, "mlp"), ("x", None, "other"),
    ],
)  # fmt: skip
def test_a_name_says_where_a_tensor_belongs(name: str, layer: int | None, kind: str) -> None:
    assert (layer_of(name), kind_of(name)) == (layer, kind)
