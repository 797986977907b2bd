"""Checkpoints whose numbers are packed: which tensor of the model the stored ones stand for, by the names that each scheme gives them.

=====================  ==========================================================================================
GPTQ, AWQ              ``X.qweight`` with ``X.qzeros``, ``X.scales``, ``X.g_idx`` for ``X.weight``
bitsandbytes, 4 bits   ``X.weight`` as bytes, with ``X.weight.absmax``, ``.quant_map``, ``.quant_state...``
bitsandbytes, 8 bits   ``X.weight`` with ``X.SCB``
compressed-tensors     ``X.weight_packed`` (or ``X.weight``) with ``X.weight_scale``, ``X.weight_shape``, ``X.weight_zero_point`` ...
FP8                    ``X.weight`` with ``X.weight_scale_inv`` or ``X.weight_scale``
MXFP4                  ``X_blocks`` with ``X_scales`` for ``X``
=====================  ==========================================================================================

Sources: AutoGPTQ's and AutoAWQ's ``WQLinear`` modules; ``bitsandbytes.nn.Linear4bit`` and ``Linear8bitLt``; ``compressed_tensors`` (its
compressors); ``transformers/integrations/finegrained_fp8.py`` and ``mxfp4.py``. Which bits lie where inside a tensor is not looked at:
its elements, times the numbers that each holds, have to be those of the tensor that it stands for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from openvet.formats._format import Tensor

__all__ = ["describe", "is_packed", "is_quantized", "unpack"]

#: What comes with a tensor of numbers, and holds none of the model's own.
_BESIDE = (
    ".qzeros", ".scales", ".g_idx", ".SCB", ".weight_format", ".weight_scale", ".weight_scale_2", ".weight_scale_inv", ".weight_shape",
    ".weight_zero_point", ".weight_global_scale", ".weight_g_idx", ".input_scale", ".input_scale_inv", ".input_zero_point",
    ".input_global_scale", ".output_scale", ".activation_scale", ".k_scale", ".v_scale", ".absmax", ".quant_map", ".nested_absmax",
    ".nested_quant_map", ".quant_state.bitsandbytes__nf4", ".quant_state.bitsandbytes__fp4",
)  # fmt: skip
#: Of these, what no tensor of a model's own is called.
_SCALES = (".SCB", ".weight_scale", ".weight_scale_inv", ".weight_scale_2", ".weight_global_scale")
_BITS = {"I32": 32, "U32": 32, "I16": 16, "U8": 8, "I8": 8}
_FIXED = {"mxfp4": 4, "fp8": 8, "fbgemm_fp8": 8}


def describe(quantized: Mapping[str, Any]) -> tuple[str | None, int | None]:
    """What ``quantization_config`` calls the scheme, and bits of a packed number where it says them."""
    method = quantized.get("quant_method")
    bits = quantized.get("bits", quantized.get("w_bit"))
    for key, number in (("load_in_4bit", 4), ("load_in_8bit", 8)):
        if quantized.get(key) is True or quantized.get(f"_{key}") is True:
            method, bits = method or "bitsandbytes", number
    if not isinstance(method, str):
        method = None
    if bits is None and isinstance(groups := quantized.get("config_groups"), Mapping):
        found = {_bits_of(each) for each in list(groups.values())[:100]}
        bits = found.pop() if len(found) == 1 else None
    if bits is None and method is not None:
        bits = _FIXED.get(method)
    known = isinstance(bits, int) and not isinstance(bits, bool) and 1 <= bits <= 32
    return method, bits if known else None


def _bits_of(group: Any) -> int | None:
    """``num_bits`` of the weights of a group of compressed-tensors."""
    weights = group.get("weights") if isinstance(group, Mapping) else None
    bits = weights.get("num_bits") if isinstance(weights, Mapping) else None
    return bits if isinstance(bits, int) else None


def is_packed(tensors: Collection[Tensor]) -> bool:
    """Whether some of the names are those of packed numbers, whatever a configuration says."""
    ends = (".qweight", ".weight_packed", ".weight.absmax", "_blocks")
    return any(each.name.endswith(ends) and (each.dtype in _BITS or each.name.endswith(".absmax")) for each in tensors)


def is_quantized(tensors: Collection[Tensor]) -> bool:
    """Whether numbers are packed, or have scales beside them."""
    return any(each.name.endswith(_SCALES) for each in tensors) or is_packed(tensors)


def unpack(
    there: Mapping[str, Tensor], drawn: Mapping[str, tuple[int, ...]], bits: int | None
) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the model's own tensors, of what is stored.

    Args:
        there: the stored ones by name.
        drawn: those of the model by name.
        bits: of a packed number, where known.
    """
    out: dict[str, tuple[int, ...]] = {}
    for name, tensor in there.items():
        if name.endswith(_BESIDE) or (name.endswith("_scales") and f"{name.removesuffix('_scales')}_blocks" in there):
            continue
        if name.endswith((".qweight", ".weight_packed")):
            stem = name.rpartition(".")[0]
            packed = bits
            name = f"{stem}.weight"
        elif name.endswith("_blocks") and f"{name.removesuffix('_blocks')}_scales" in there:
            name, packed = name.removesuffix("_blocks"), 4
        elif f"{name}.absmax" in there:
            packed = 4
        else:
            out[name] = tensor.shape
            continue
        out[name] = _shape(tensor, drawn.get(name), packed)
    return out


def _shape(tensor: Tensor, drawn: tuple[int, ...] | None, bits: int | None) -> tuple[int, ...]:
    """The shape that was drawn if as many numbers are stored as it has, or if nothing says how many are."""
    if drawn is None:
        return tensor.shape
    wanted = 1
    for extent in drawn:
        wanted *= extent
    word = _BITS.get(tensor.dtype)
    if bits is None or word is None:
        return drawn
    stored = tensor.elements or 0
    # a last word that is not full may be padded
    room = word * max(drawn[0], drawn[-1], 1)
    return drawn if wanted * bits <= stored * word < wanted * bits + room else tensor.shape
