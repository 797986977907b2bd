"""What a model is, in the few lines that people ask for first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openvet.evidence.predicates.inventory_v1 import Fact
from openvet.evidence.predicates.scan_v1 import Scan
from openvet.evidence.statement import Predicate
from openvet.reports._wording import bytes_for_people, count_for_people, plural, visible

__all__ = ["describe"]

_SHOWN = 6


def describe(
    scan: Scan, known: Sequence[Fact] | None, answers: Mapping[str, Predicate] | None = None
) -> list[tuple[str, str]]:
    """(label, text) pairs; what the model only says about itself is marked as declared."""
    if known is None:
        return [("size", _size(sum(each.size for each in scan.files), _formats(scan), len(scan.files)))]
    facts = {fact.name: fact for fact in reversed(known)}
    out = []
    for label, text in (
        ("model", _model(facts)),
        ("weights", _weights(facts)),
        ("needs", _needs((answers or {}).get("profile"))),
        ("tokenizer", _plain(facts, "tokenizer")),
        ("task", _plain(facts, "task")),
        ("library", _plain(facts, "library")),
        ("license", _plain(facts, "license")),
        ("base model", _plain(facts, "base model")),
        ("advisories", _advisories((answers or {}).get("advisories"))),
        ("size", _totals(facts, scan)),
    ):
        if text:
            out.append((label, text))
    return out


def _needs(profile: Predicate | None) -> str:
    """Memory for the weights and for a token of a sequence, where there is one model and its family is known."""
    from openvet.evidence.predicates.profile_v1 import ProfileV1

    if not isinstance(profile, ProfileV1) or len(profile.parts) != 1:
        return ""
    part = profile.parts[0]
    size = part.count("weight bytes")
    growing = sum(each.layers * each.elements for each in part.caches if each.kind in {"kv", "latent"})
    if size is None or not growing:
        return ""
    text = f"{bytes_for_people(size)} for the weights, {bytes_for_people(2 * growing)} for each token of a sequence"
    context = part.count("context length")
    return text if context is None else f"{text} (of {context:,} declared)"


def _advisories(found: Predicate | None) -> str:
    """Which loaders its content reaches, and how many problems the versions have that it names."""
    from openvet.evidence.predicates.advisories_v1 import AdvisoriesV1

    if not isinstance(found, AdvisoriesV1) or not found.hits:
        return ""
    from openvet.reports.advisories import in_short

    return in_short(found)


def _plain(facts: Mapping[str, Fact], name: str) -> str:
    fact = facts.get(name)
    if fact is None:
        return ""
    text = _value(fact.value)
    return f"{text} (declared)" if fact.basis == "declared" else text


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        shown = ", ".join(visible(str(each)) for each in value[:_SHOWN])
        return shown if len(value) <= _SHOWN else f"{shown} and {len(value) - _SHOWN} more"
    return visible(str(value))


def _model(facts: Mapping[str, Fact]) -> str:
    parts = [_value(facts[name].value) for name in ("name", "family", "architecture") if name in facts]
    if not parts:
        return ""
    return " · ".join(dict.fromkeys(parts)) + " (declared)"


def _weights(facts: Mapping[str, Fact]) -> str:
    if "parameters" not in facts:
        return ""
    value = facts["parameters"].value
    text = f"{count_for_people(int(value))} parameters"
    if "dtypes" in facts and isinstance(facts["dtypes"].value, Mapping):
        text += f" in {_counted(facts['dtypes'].value)}"
    if "tensors" in facts:
        text += f", {plural(int(facts['tensors'].value), 'tensor')}"
    if "weights format" in facts:
        text += f" ({_value(facts['weights format'].value)})"
    return text


def _counted(counts: Mapping[str, int]) -> str:
    names = list(counts)
    if len(names) == 1:
        return visible(names[0])
    shown = ", ".join(f"{visible(name)} ×{counts[name]:,}" for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _totals(facts: Mapping[str, Fact], scan: Scan) -> str:
    size = facts["bytes"].value if "bytes" in facts else sum(each.size for each in scan.files)
    formats = facts["formats"].value if "formats" in facts else _formats(scan)
    return _size(int(size), formats, len(scan.files))


def _formats(scan: Scan) -> dict[str, int]:
    counts: dict[str, int] = {}
    for file in scan.files:
        name = file.formats[0] if file.formats else "unknown"
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _size(size: int, formats: Mapping[str, int], files: int) -> str:
    text = f"{bytes_for_people(size)} in {plural(files, 'file')}"
    return f"{text}: {_counted(formats)}" if formats else text
