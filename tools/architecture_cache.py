"""What a class keeps of each token and hands to which experts: read off a run of it on the meta device, for ``architectures.py``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.architectures import numbers, ranges

__all__ = ["cache", "routing", "run"]

_TOKENS = 3
_BEYOND = 8
_BYTES = 2
# parts of the names of attentions whose keys and values are not those of the text that is generated
_NOT_OWN = ("encoder.", "encoder_attn", "EncDec", "cross", "vision", "visual", "qformer")


def _experts(model: Any) -> Iterator[tuple[str, Any, int]]:
    """The sets of routed experts: name, module, how many experts."""
    import torch

    for name, module in model.named_modules():
        if name.endswith("experts") and "shared" not in name.rpartition(".")[2]:
            count = len(module) if isinstance(module, torch.nn.ModuleList) else getattr(module, "num_experts", 0)
            if count > 1:
                yield name, module, count


def _handed(model: Any, chosen: dict[str, int]) -> list[Any]:
    """Hooks that note how many experts a token is handed to, as the router says when the class runs."""

    def note(name: str) -> Any:
        def hook(_module: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            indices = [
                value
                for value in (*given, *named.values())
                if getattr(value, "dtype", None) is not None and not value.is_floating_point()
            ]
            if indices:
                chosen[name] = indices[0].shape[-1]

        return hook

    return [module.register_forward_pre_hook(note(name), with_kwargs=True) for name, module, _ in _experts(model)]


def _declared(model: Any, name: str) -> int:
    """What the module that owns the experts, or its router, has as the number of experts for a token."""
    owner = model.get_submodule(name.rpartition(".")[0])
    for module in (owner, *owner.children()):
        for key in ("top_k", "num_experts_per_tok"):
            if isinstance(value := getattr(module, key, None), int):
                return value
    raise LookupError(f"{name}: nothing says how many experts a token uses")


def routing(model: Any, chosen: dict[str, int]) -> dict[str, Any] | None:
    layers = []
    for name, module, count in _experts(model):
        size = sum(p.numel() for p in module.parameters())
        if any(p.shape[0] % count for p in module.parameters()) and not hasattr(module, "__len__"):
            raise ValueError(f"{name}: not one slice for each expert")
        layers.append((name, count, chosen.get(name) or _declared(model, name), size))
    if not layers:
        return None
    _, count, top, _ = layers[0]
    if any((c, t) != (count, top) for _, c, t, _ in layers):
        raise ValueError("experts differ between layers")
    idle = sum(size - size // c * t for _, c, t, size in layers)
    return {
        "layers": len(layers),
        "routed": count,
        "per_token": top,
        "parameters": sum(size for *_, size in layers),
        "idle": idle,
        "from": "the router's output" if chosen else "the module's attribute",
    }


def _inputs(model: Any, decoder: Any, tokens: int) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Ways to run a model for a few tokens, the whole of it first."""
    import torch

    ids = torch.zeros(1, tokens, dtype=torch.long, device="meta")
    if getattr(model.config, "is_encoder_decoder", False):
        if model.main_input_name == "input_features":
            length = 2 * model.config.max_source_positions
            source = {
                "input_features": torch.zeros(1, model.config.num_mel_bins, length, dtype=model.dtype, device="meta")
            }
        else:
            source = {"input_ids": torch.zeros(1, 2 * _TOKENS, dtype=torch.long, device="meta")}
        yield model, {**source, "decoder_input_ids": ids}
        return
    yield model, {"input_ids": ids}
    if decoder is not None and decoder is not model:
        yield decoder, {"input_ids": ids}


def run(model: Any, chosen: dict[str, int], tokens: int = _TOKENS) -> Any:
    """The cache after some tokens; nothing where the class keeps none."""
    import torch

    text = model.config.get_text_config()
    generates = model.can_generate() or getattr(model.config, "is_encoder_decoder", False)
    if not generates:
        return None
    if any(True for _ in _experts(model)):
        model.set_experts_implementation("batched_mm")
    decoder = getattr(model, "language_model", None) or getattr(getattr(model, "model", None), "language_model", None)
    hooks = _handed(model, chosen)
    failures = []
    for runner, given in _inputs(model, decoder, tokens):
        try:
            with torch.no_grad(), torch.device("meta"):
                out = runner(**given, use_cache=True)
        except (RuntimeError, NotImplementedError, ValueError, TypeError, AttributeError) as error:
            failures.append(f"{type(runner).__name__}: {error}")
            continue
        for hook in hooks:
            hook.remove()
        for key in ("past_key_values", "cache_params", "cache"):
            if getattr(out, key, None) is not None:
                return out[key]
        if getattr(text, "is_decoder", False) or type(model).__name__.endswith("ForCausalLM"):
            failures.append("no cache in the output")
            break
        return None
    raise RuntimeError("; ".join(failures))


def _projected(model: Any) -> dict[int, int]:
    """Numbers that the projections of each layer's own attention make for keys and values together, where they can be told apart."""
    found = {}
    for name, module in model.named_modules():
        number = re.search(r"\.(\d+)\.", name)
        if number is None or any(word in name for word in _NOT_OWN):
            continue
        sizes = {key: child.weight.shape for key, child in module.named_children() if hasattr(child, "weight")}
        for key, value in (("k_proj", "v_proj"), ("k", "v")):
            if key in sizes and value in sizes:
                found[int(number[1])] = sizes[key][0] + sizes[value][0]
        for fused, out in (("query_key_value", "dense"), ("qkv_proj", "o_proj"), ("Wqkv", "out_proj")):
            if fused in sizes and out in sizes:
                found[int(number[1])] = sizes[fused][0] - sizes[out][1]
    return found


def _latent(model: Any) -> dict[int, int]:
    """What multi-head latent attention has to keep of a token in each layer: the output of the projection down."""
    found = {}
    for name, module in model.named_modules():
        if name.endswith("kv_a_proj_with_mqa"):
            found[int(name.split("layers.")[1].split(".")[0])] = module.out_features
    return found


def _layer(layer: Any, tokens: int) -> dict[str, Any]:
    import torch

    kept = {key: value for key, value in vars(layer).items() if isinstance(value, torch.Tensor)}
    for key, value in vars(layer).items():
        if isinstance(value, (dict, list)):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            kept.update({f"{key}.{k}": v for k, v in items if isinstance(v, torch.Tensor)})
    pair = [kept.pop(key) for key in ("keys", "values") if key in kept and kept[key].numel()]
    kept.pop("keys", None), kept.pop("values", None)
    if any(value.shape[-2] != tokens for value in pair):
        raise ValueError(f"{[tuple(value.shape) for value in pair]}: not one entry for each of {tokens} tokens")
    found: dict[str, Any] = {"kind": "full" if pair else "none"}
    if pair:
        found["bytes_per_token"] = sum(value.numel() for value in pair) // tokens * _BYTES
        window = getattr(layer, "sliding_window", None)
        if window and getattr(layer, "is_sliding", False):
            found.update(kind="sliding", window=window)
    state = sum(value.numel() for key, value in kept.items() if value.is_floating_point())
    if state:
        found.update(kind="state" if not pair else found["kind"], state_elements=state)
    return found


def _grouped(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[str, list[int]] = {}
    for index, layer in enumerate(layers):
        groups.setdefault(json.dumps(layer), []).append(index)
    return [{**json.loads(layer), "layers": ranges(same)} for layer, same in groups.items()]


def cache(model: Any, filled: Any) -> dict[str, Any] | None:
    """The cache by layer, in groups of equal layers; bytes with two bytes a number."""
    if filled is None:
        return None
    own = getattr(filled, "self_attention_cache", filled)
    layers = [_layer(layer, _TOKENS) for layer in own.layers]
    # MiniMax keeps the states of its linear attention beside the layers
    states = getattr(own, "linear_cache", [])
    layers.extend({"kind": "none"} for _ in range(len(states) - len(layers)))
    for index, state in enumerate(states):
        if hasattr(state, "numel"):
            layers[index] = {"kind": "state", "state_elements": state.numel()}
    projected, latent = _projected(model), _latent(model)
    for index, layer in enumerate(layers):
        kept = layer.get("bytes_per_token")
        least = _BYTES * latent.get(index, projected.get(index, 0))
        if index in latent:
            layer["kind"] = "latent"
        if kept and least and kept != least:
            if kept % least:
                raise ValueError(f"layer {index}: keeps {kept} bytes a token, and its projections make {least}")
            layer.update(bytes_per_token=least, kept_bytes_per_token=kept)
    growing = [layer for layer in layers if layer["kind"] in ("full", "latent")]
    found = {
        "element_bytes": _BYTES,
        "bytes_per_token": sum(layer.get("bytes_per_token", 0) for layer in layers),
        "bytes_per_token_unbounded": sum(layer["bytes_per_token"] for layer in growing),
        "state_elements": sum(layer.get("state_elements", 0) for layer in layers),
        "groups": _grouped(layers),
    }
    for group in found["groups"]:
        if group["kind"] == "sliding":
            longer = run(model, {}, group["window"] + _BEYOND)
            group["kept_tokens"] = longer.layers[next(numbers(group["layers"]))].keys.shape[-2]
    if own is not filled:
        crossed = filled.cross_attention_cache.layers
        source = crossed[0].keys.shape[-2]
        found["cross_bytes_per_source_token"] = sum(_layer(layer, source)["bytes_per_token"] for layer in crossed)
    return found
