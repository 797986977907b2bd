"""What serving takes: bytes of the cache, operations for a token, cost and list-price income of a stated day.

A token leaves keys and values of each layer in the cache: ``2·L·n_kv·d_head·b`` bytes, or with latent attention (MLA)
``L·(r_kv + d_rope)·b``. To generate one more token at context ``s`` takes ``2·N + 4·L·d·s`` operations.

Sources: Pope et al., arXiv 2211.05102, section 3.3; DeepSeek-V2, arXiv 2405.04434, section 2.1.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from openvet.profile.claims.sheet import FLOP_ROOM, PRODUCT_ROOM, Room, Sheet
from openvet.profile.claims.span import Span, point

__all__ = ["EXACT", "compute_serving"]

#: What is counted and not estimated.
EXACT: Final[Room] = (Fraction(0), Fraction(0))
_MILLION: Final = 10**6


def compute_serving(sheet: Sheet) -> None:
    """Cache, operations for a token, cost and income, as far as the inputs go."""
    _cache(sheet)
    _decode(sheet)
    _day(sheet)


def _cache(sheet: Sheet) -> None:
    layers, heads, size = sheet.get("model.layers"), sheet.get("model.kv_heads"), sheet.get("model.head_size")
    rank, rope = sheet.get("model.kv_rank"), sheet.get("model.rope_size")
    quantity = "kv_bytes_per_token"
    latent = rank is not None and rope is not None
    if not latent and not sheet.needs(quantity, model__layers=layers, model__kv_heads=heads, model__head_size=size):
        return
    if not sheet.needs(quantity, model__layers=layers) or layers is None:
        return
    width = sheet.get("model.cache_bytes")
    if width is None:
        width = point(2)
        sheet.assume("model.cache_bytes is not stated: 2 bytes for an element, as in fp16 and bf16, are taken")
    if rank is not None and rope is not None:
        each, formula = layers * rank.plus(rope) * width, "layers x (kv_rank + rope_size) x cache_bytes"
        parts = (layers, rank, rope, width)
    elif heads is not None and size is not None:
        each, formula = point(2) * layers * heads * size * width, "2 x layers x kv_heads x head_size x cache_bytes"
        parts = (layers, heads, size, width)
    else:
        raise AssertionError("needs says that they are there")
    sheet.put(quantity, "byte", each, formula, *parts, room=EXACT)
    context, batch = sheet.get("model.context"), sheet.get("model.batch")
    if context is not None:
        held = each * context * (point(1) if batch is None else batch)
        formula = "kv_bytes_per_token x context" + ("" if batch is None else " x batch")
        sheet.put("kv_bytes", "byte", held, formula, each, context, *([] if batch is None else [batch]), room=EXACT)


def _decode(sheet: Sheet) -> None:
    parts = {f"model__{name}": sheet.get(f"model.{name}") for name in ("layers", "attention_width", "context")}
    parts = {"model__parameters": sheet.parameters(), **parts}
    if not sheet.needs("decode_flop_per_token", **parts):
        return
    parameters, layers, width, context = (found for found in parts.values() if found is not None)
    work, scores = point(2) * parameters, point(4) * layers * width * context
    formula = "2 x parameters + 4 x layers x attention_width x context"
    sheet.put("decode_flop_per_token", "FLOP", work.plus(scores), formula, work, scores, room=FLOP_ROOM)


def _day(sheet: Sheet) -> None:
    named = ("nodes", "chips_per_node", "hours", "usd_per_chip_hour")
    parts = {f"serving__{name}": sheet.get(f"serving.{name}") for name in named}
    if sheet.needs("serving_cost_usd", **parts):
        nodes, chips, hours, price = (found for found in parts.values() if found is not None)
        formula = "nodes x chips_per_node x hours x usd_per_chip_hour"
        sheet.put(
            "serving_cost_usd",
            "USD",
            nodes * chips * hours * price,
            formula,
            nodes,
            chips,
            hours,
            price,
            room=PRODUCT_ROOM,
        )
    traffic = sheet.inputs.traffic
    if not traffic:
        sheet.missing["serving_income_usd"] = ("serving.traffic",)
        return
    parts_of: list[Span] = [point(each.tokens * each.usd_per_million / _MILLION) for each in traffic]
    total = parts_of[0]
    for each in parts_of[1:]:
        total = total.plus(each)
    sheet.put("serving_income_usd", "USD", total, "sum of tokens x usd_per_million / 1000000", *parts_of, room=EXACT)
