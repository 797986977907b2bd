"""A profile for a person at a terminal: what each model is and needs, what contradicts what, and what could not be said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openvet.evidence.predicates.inventory_v1 import Fact
from openvet.evidence.predicates.profile_v1 import Cache, ModelPart, ProfileV1
from openvet.reports._wording import bytes_for_people, count_for_people, plural, visible
from openvet.reports.look import PLAIN, Look
from openvet.reports.text import table, wrapped

__all__ = ["facts_of", "lines", "model"]

_CACHES = {
    "kv": "keys and values",
    "latent": "compressed keys and values",
    "cross": "keys and values",
    "state": "state",
}
_OF = {"state": "a sequence", "cross": "a position of the encoder"}
_SHOWN = 6
#: Bits of a number in a cache where nothing else is said.
_CACHE_BITS = 16


def model(name: str, profile: ProfileV1, look: Look = PLAIN, *, title: str = "") -> str:
    """Everything about one subject; ``title`` stands above it in place of its name."""
    out = [look.paint(visible(title or name), "bold")]
    if not profile.parts:
        out.append("  there is no model in it: neither a configuration nor weights that are known")
    # what is said of a pipeline as a whole comes after its parts
    for part in sorted(profile.parts, key=lambda each: each.fact("parts") is not None):
        if part.name and (len(profile.parts) > 1 or part.name != name):
            out += ["", look.paint(visible(part.name), "cyan")]
        out.extend(lines(part, look))
    if profile.left_off:
        out.append(f"and {plural(profile.left_off, 'more model')} that are not profiled")
    return look.finish("\n".join(out) + "\n")


def lines(part: ModelPart, look: Look) -> Iterator[str]:
    """One model of a subject."""
    yield from table([[f"  {label}", text] for label, text in facts_of(part)], look.width, wrap=True)
    for each in part.comparisons:
        if not each.agree:
            yield from _said(f"{each.what}: {each.note}", "differs", look)
    for problem in part.problems:
        where = problem.location.pointer or problem.location.place
        itself = problem.message.startswith(f"{where} ")  # many begin with their place
        yield from _said(problem.message if itself else f"{visible(where)}: {problem.message}", "wrong", look)
    for text in part.missing:
        yield from _said(text, "not said", look)


def facts_of(part: ModelPart) -> Iterator[tuple[str, str]]:
    """Label and text of everything that is known of one model."""
    return ((label, text) for label, text in _pairs(part) if text)


def _said(text: str, word: str, look: Look) -> Iterator[str]:
    first, *rest = wrapped(f"{word}: {visible(text)}", look.width - 2, indent=2)
    yield f"  {look.paint(word, 'dim' if word == 'not said' else 'yellow')}{first[len(word) :]}"
    yield from (f"  {line}" for line in rest)


def _pairs(part: ModelPart) -> Iterator[tuple[str, str]]:
    facts = {each.name: each for each in part.facts}
    yield "model", _marked(_joined(facts, "name", "family", "class"), facts, "family", "name", "class")
    yield "kind", _kind(facts)
    yield from _pipeline(facts)
    whole = "parts" in facts
    yield "parameters", "" if whole else _parameters(facts)
    yield "layers", _layers(facts)
    yield "graph", _graph(facts)
    yield "graph in", _plain(facts, "graph inputs")
    yield "graph out", _plain(facts, "graph outputs")
    yield "image", _image(facts)
    yield "sound", _numbers(facts, ("mel bins", "{} mel bins"), ("source positions", "{} positions of the encoder"))
    yield "context", _context(facts, part.caches)
    yield "vocabulary", _numbers(facts, ("vocabulary", "{}"), ("tied embeddings", "input and output share their table"))
    yield "numbers", _dtypes(facts)
    yield "quantization", _marked(_plain(facts, "quantization"), facts, "quantization")
    yield "sequence", "; ".join(_cache(each) for each in part.caches)
    yield "a token", _token(part)
    yield (
        "tokenizer",
        _joined(facts, "tokenizer", "tokenizer file") + (", with a chat template" if "chat template" in facts else ""),
    )
    yield "adapter", _marked(_joined(facts, "method", "task", "base model"), facts, "method")
    if "further packagings" in facts:
        yield "also there", _plain(facts, "further packagings")
    if whole:
        yield "all parts", _parameters(facts)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        shown = ", ".join(visible(str(each)) for each in value[:_SHOWN])
        return shown if len(value) <= _SHOWN else f"{shown} and {len(value) - _SHOWN} more"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else visible(str(value))


def _plain(facts: Mapping[str, Fact], name: str) -> str:
    return _value(facts[name].value) if name in facts else ""


def _joined(facts: Mapping[str, Fact], *names: str) -> str:
    return " · ".join(dict.fromkeys(_plain(facts, each) for each in names if each in facts))


def _marked(text: str, facts: Mapping[str, Fact], *names: str) -> str:
    declared = text and any(each in facts and facts[each].basis == "declared" for each in names)
    return f"{text} (declared)" if declared else text


def _kind(facts: Mapping[str, Fact]) -> str:
    if "input" not in facts:
        return _plain(facts, "kind")
    return f"{_plain(facts, 'kind')}, from {_plain(facts, 'input')} to {_plain(facts, 'output')}"


def _parameters(facts: Mapping[str, Fact]) -> str:
    if "parameters" not in facts:
        return ""
    parts = [f"{count_for_people(int(facts['parameters'].value))} ({int(facts['parameters'].value):,})"]
    if facts["parameters"].basis == "declared":
        parts[0] += ", by the configuration"
    if "active parameters" in facts:
        parts.append(f"{count_for_people(int(facts['active parameters'].value))} of them for each token")
    if "encoder parameters" in facts:
        parts.append(f"{count_for_people(int(facts['encoder parameters'].value))} that an input passes once")
    if "embedding parameters" in facts and int(facts["embedding parameters"].value):
        parts.append(f"{count_for_people(int(facts['embedding parameters'].value))} in tables of embeddings")
    return "; ".join(parts)


def _numbers(facts: Mapping[str, Fact], *wanted: tuple[str, str]) -> str:
    found = [form.format(_plain(facts, name)) for name, form in wanted if name in facts]
    return ", ".join(found)


def _layers(facts: Mapping[str, Fact]) -> str:
    return _numbers(
        facts,
        ("layers", "{}"),
        ("encoder layers", "{} more in the encoder"),
        ("text layers", "{} for text"),
        ("text hidden size", "of hidden size {}"),
        ("image layers", "{} for images"),
        ("image hidden size", "of hidden size {}"),
        ("blocks", "{} blocks"),
        ("channels", "of {} channels"),
        ("hidden size", "hidden size {}"),
        ("attention heads", "{} heads"),
        ("key-value heads", "{} for keys and values"),
        ("key-value rank", "keys and values compressed to {}"),
        ("head size", "of size {}"),
        ("experts", "{} experts"),
        ("experts per token", "{} of them for each token"),
        ("shared experts", "{} for all tokens"),
    )


def _pipeline(facts: Mapping[str, Fact]) -> Iterator[tuple[str, str]]:
    """The parts of a pipeline with their classes, and its scheduler."""
    named = facts["parts"].value if "parts" in facts else None
    if isinstance(named, Mapping):
        yield "parts", ", ".join(f"{visible(name)}: {visible(str(cls))}" for name, cls in named.items())
        yield "scheduler", _plain(facts, "scheduler")


def _graph(facts: Mapping[str, Fact]) -> str:
    """How many operations or layers of which kinds there are, and who wrote them."""
    parts = [f"{_plain(facts, 'operations')} operations"] if "operations" in facts else []
    for name in ("kinds of operations", "kinds of layers"):
        counted = facts[name].value if name in facts else None
        if isinstance(counted, Mapping):
            most = list(counted.items())
            shown = [f"{visible(str(kind))} {int(count):,}" for kind, count in most[:_SHOWN]]
            parts.append(", ".join(shown) + (f" and {len(most) - _SHOWN} more kinds" if len(most) > _SHOWN else ""))
    sets = facts["operator sets"].value if "operator sets" in facts else None
    if isinstance(sets, Mapping):
        parts.append("operator sets " + ", ".join(f"{visible(str(name))} {each}" for name, each in sets.items()))
    parts += [f"by {_plain(facts, 'producer')}"] if "producer" in facts else []
    return "; ".join(parts)


def _image(facts: Mapping[str, Fact]) -> str:
    return _numbers(
        facts,
        ("image size", "{} pixels a side"),
        ("patch size", "patches of {}"),
        ("latent size", "worked on at {} a side"),
        ("latent channels", "{} latent channels"),
        ("codes", "a table of {} codes"),
        ("text width", "text of width {}"),
    )


def _context(facts: Mapping[str, Fact], caches: Sequence[Cache]) -> str:
    looking = [each for each in caches if each.kind in {"kv", "latent"}]
    every = bool(looking) and all(each.window is not None for each in looking)
    narrow = "looks back over {}" if every else "some layers look back over {}"
    text = _numbers(facts, ("context length", "{} tokens"), ("sliding window", narrow))
    text = _marked(text, facts, "context length")
    taken, most = (facts[name].value if name in facts else None for name in ("tokens taken", "context length"))
    if isinstance(taken, int) and isinstance(most, int) and taken < most:
        text += f", of which sentence-transformers takes {taken:,}"
    return text


def _dtypes(facts: Mapping[str, Fact]) -> str:
    if "dtypes" not in facts or not isinstance(facts["dtypes"].value, Mapping):
        return ""
    by_type = facts["dtypes"].value
    total = sum(int(each["elements"]) for each in by_type.values()) or 1
    shares = sorted(((int(each["elements"]), name) for name, each in by_type.items()), reverse=True)
    shown = [f"{visible(name)} {_share(elements, total)}" for elements, name in shares[:_SHOWN]]
    text = ", ".join(shown if len(shares) > 1 else [visible(shares[0][1])])
    if "bits per weight" in facts:
        text += f"; {facts['bits per weight'].value} bits per weight"
    if "weight bytes" in facts:
        text += f", {bytes_for_people(int(facts['weight bytes'].value))}"
    return f"{text} ({_plain(facts, 'weights format')})" if "weights format" in facts else text


def _share(part: int, total: int) -> str:
    percent = part * 100 / total
    return f"{percent:.0f} %" if percent >= 1 else "under 1 %"


def _cache(cache: Cache) -> str:
    per = _OF.get(cache.kind, "a token")
    size = bytes_for_people(cache.layers * cache.elements * _CACHE_BITS // 8)
    text = f"{size} of {_CACHES[cache.kind]} for {per} at {_CACHE_BITS} bits ({plural(cache.layers, 'layer')})"
    return f"{text}, of the last {cache.window:,} tokens" if cache.window else text


def _token(part: ModelPart) -> str:
    multiplied = part.count("parameters multiplied per token")
    if multiplied is None:
        return ""
    text = f"{count_for_people(2 * multiplied)} floating-point operations"
    growing = sum(each.layers * each.flop for each in part.caches if each.kind != "cross")
    looked = sum(each.layers * each.flop for each in part.caches if each.kind == "cross")
    more = [f"{count_for_people(growing)} more for each token before it"] if growing else []
    more += [f"{count_for_people(looked)} for each position of the encoder"] if looked else []
    return f"{text}, and {' and '.join(more)}" if more else text
