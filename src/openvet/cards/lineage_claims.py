"""What a card says of its base model, held against the files: whether one is named at all, the same one, and in the same relation."""

from __future__ import annotations

from typing import Any

from openvet.cards._beside import Beside, hub_id, same_model
from openvet.cards._forms import forms
from openvet.cards._page import Page, shown
from openvet.cards.front_matter import texts_of
from openvet.core.location import Location

__all__ = ["look_at_lineage"]


def look_at_lineage(page: Page, document: dict[str, Any], beside: Beside) -> None:
    """Compare ``base_model`` and ``base_model_relation`` with an adapter's settings, quantized weights and keys of GGUF."""
    declared = [each for each in (hub_id(text) for text, _ in texts_of(document, "base_model")) if each is not None]
    adapter, quantized = beside.adapter(), beside.quantized()
    for base in beside.bases():
        page.heard("base_model", base.id, base.source)
        if declared and not any(same_model(base.id, each) for each in declared):
            page.problem(
                "base-model-differs",
                f"names {shown(base.id)} as base model, and the card names {shown(', '.join(declared))}",
                base.source,
                card=declared,
                found=base.id,
                cardLocation=page.at("/base_model").to_json(),
            )
    if adapter is not None:
        page.derive("weights", "adapter", adapter)
    if quantized is not None:
        page.derive("quantization", quantized.method, quantized.source)
    relation = document.get("base_model_relation")
    named = "base_model" in document and document["base_model"] not in (None, "", [])
    if not named:
        _missing(page, document, beside, adapter)
    if isinstance(relation, str) and relation in forms()["relations"]:
        _relation(page, relation, beside, adapter)


def _missing(page: Page, document: dict[str, Any], beside: Beside, adapter: Location | None) -> None:
    quantized = beside.quantized()
    if adapter is not None:
        page.problem("base-model-missing", "the weights are an adapter, and the card names no base model", adapter)
    elif quantized is not None and quantized.method not in forms()["quantization"]["native"]:
        page.problem(
            "base-model-missing",
            f"the weights are quantized ({shown(quantized.method)}), and the card names no base model",
            quantized.source,
        )
    elif isinstance(document.get("base_model_relation"), str):
        page.problem(
            "base-model-missing", "base_model_relation is there, and base_model is not", "/base_model_relation"
        )


def _relation(page: Page, relation: str, beside: Beside, adapter: Location | None) -> None:
    """The relation that the files show, where they show one that the declared one excludes."""
    quantized = beside.quantized()
    seen: tuple[str, Location] | None = None
    if relation != "adapter" and adapter is not None:
        seen = ("the weights are an adapter", adapter)
    elif relation == "adapter" and adapter is None:
        full, config = beside.full_weights(), beside.settings("config.json")
        if (
            full is not None
            and config is not None
            and "architectures" in config
            and beside.named("adapter_config.json") is None
        ):
            seen = ("the files hold whole weights and no adapter", Location(full.place))
    elif relation in ("finetune", "merge") and quantized is not None:
        seen = (f"the weights are quantized ({shown(quantized.method)})", quantized.source)
    elif relation == "quantized" and quantized is None:
        plain = beside.unquantized()
        if plain is not None:
            seen = ("no weights here are quantized", Location(plain.place))
    if seen is not None:
        page.problem(
            "relation-contradicted",
            f"base_model_relation is {relation}, and {seen[0]}",
            "/base_model_relation",
            found=relation,
            files=seen[1].to_json(),
        )
