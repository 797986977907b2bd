"""What a model's own licence drops of what its base models ask for, by the name of the rule that tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence
from openvet.evidence.predicates.rights_v1 import Drift, RightsV1
from openvet.inventory.component import Component, Inventory

__all__ = ["drifts"]

_RECIPES: Final = frozenset({"adapter_config.json", "mergekit_config.yml", "mergekit_config.yaml", "mergekit_moe_config.yml", "mergekit_moe_config.yaml"})  # fmt: skip
_KEYS: Final = ("general.base_model", "general.source", "modelspec.", "ss_sd_model_name", "ss_base_model")


def drifts(ctx: Context, remedy: str) -> Iterator[Finding]:
    """One finding for each drift of this rule's name."""
    if not ctx.inventory.once(_says_an_origin):
        return
    name = ctx.rule.id.partition("/")[2]
    rights = ctx.inventory.once(_find_rights)
    for drift in rights.drifts:
        if drift.kind == name:
            yield _finding(ctx, rights, drift, remedy)


def _finding(ctx: Context, rights: RightsV1, drift: Drift, remedy: str) -> Finding:
    work = rights.work(drift.work)
    # what a table of ours says of a base may have changed since
    sure = work is not None and work.known in ("declared", "found", "given")
    evidence = {
        "base": "" if work is None else work.name,
        "known": "" if work is None else work.known,
        "note": "" if work is None else work.note,
        "clauses": [each.to_json() for each in drift.base],
        "own": None if drift.own is None else drift.own.to_json(),
    }
    confidence = ctx.rule.confidence if sure else min(ctx.rule.confidence, Confidence.MEDIUM)
    return ctx.finding(drift.location, drift.message, remedy, confidence=confidence, evidence=evidence)


def _says_an_origin(inventory: Inventory) -> bool:
    """Whether a file may say what the model was made of, told without reading any; most models say nothing."""
    return any(map(_may_say, inventory.walk()))


def _may_say(each: Component) -> bool:
    if each.format == "markdown":
        return isinstance(each.document, dict) and bool({"base_model", "base_models"} & each.document.keys())
    if each.basename in _RECIPES:
        return True
    if each.format == "gguf":
        return any(key.startswith(_KEYS) for key in each.metadata)
    if each.format == "safetensors":
        noted = each.metadata.get("metadata")
        return isinstance(noted, dict) and any(isinstance(key, str) and key.startswith(_KEYS) for key in noted)
    return False


def _find_rights(inventory: Inventory) -> RightsV1:
    from openvet.cards.examine import find_cards
    from openvet.evidence.predicates.card_v1 import CardV1
    from openvet.evidence.predicates.licenses_v1 import LicensesV1
    from openvet.evidence.predicates.tool import Tool
    from openvet.licenses.along import weigh
    from openvet.licenses.examine import find_licenses
    from openvet.licenses.held import held_of
    from openvet.licenses.uses import Asked
    from openvet.lineage.declared import declare

    nobody = Tool("", "", "")
    lineage = declare(inventory, CardV1(nobody, inventory.once(find_cards)), "", {}, nobody)
    seen = inventory.once(find_licenses)
    licenses = LicensesV1(nobody, "", seen.model, seen.declared, seen.found, seen.unknown_texts, seen.left_out)
    return weigh(nobody, licenses, lineage, Asked(("redistribute",)), (), held_of(inventory, licenses))
