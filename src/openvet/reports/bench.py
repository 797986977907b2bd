"""What was measured of a model, as text for a person. What machines read has every digit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any, Final

from openvet.reports._text import bytes_for_people, columns, count_for_people, visible
from openvet.reports.look import PLAIN, Look

__all__ = ["UNITS", "compose_bench", "said"]

_SHOWN: Final = {
    "cold-start": "start to loaded", "cold-interpreter": "  interpreter and walls", "cold-import": "  import of the runtime", "cold-load": "  load",
    "cold-first-answer": "start to first answer", "request": "request", "first-token": "first token", "between-tokens": "between tokens",
    "decode-rate": "writing", "prefill-rate": "reading the prompt", "written-rate": "all in all", "read-rate": "reading", "text-rate": "texts",
    "real-time-factor": "time for a second of audio", "pass-rate": "passes", "peak-resident": "peak memory, resident",
    "peak-with-cache": "peak memory, with page cache", "files": "files",
}  # fmt: skip
_QUANTILES: Final = ("p50", "p90", "p99")
#: How a unit is written behind a number.
UNITS: Final = {"token/s": "token/s", "text/s": "text/s", "pass/s": "/s", "": ""}
_OUTCOMES: Final = {
    "measured": "measured",
    "ended": "its process ended",
    "too-slow": "too slow to be measured",
    "refused": "cannot be loaded, or asked that",
}


def compose_bench(name: str, body: Mapping[str, Any], look: Look = PLAIN) -> str:
    """A measurement; ``body`` is the predicate."""
    return "".join(f"{look.finish(line)}\n" for line in _bench(name, body, look))


def said(value: float, unit: str) -> str:
    """A figure with its unit, as people read it."""
    if unit == "s":
        return f"{value:.3g} s" if value >= 1 else f"{1000 * value:.3g} ms"
    if unit == "byte":
        return bytes_for_people(round(value))
    if unit == "J":
        return f"{value:.3g} J"
    return f"{value:.4g} {UNITS.get(unit, unit)}".strip()


def _bench(name: str, body: Mapping[str, Any], look: Look) -> Iterator[str]:
    certified = body["certified"]
    verdict = look.paint("certified", "green", "bold") if certified else look.paint("not certified", "yellow", "bold")
    if body["outcome"] != "measured":
        verdict = look.paint(_OUTCOMES[body["outcome"]], "red", "bold")
    yield f"{look.paint(visible(name), 'bold')}: {verdict}"
    if body["detail"]:
        yield from _wrapped(body["detail"], look)
    for reason in body["reasons"]:
        if body["outcome"] == "measured" or not reason.startswith("it was not measured"):
            yield from _wrapped(f"- {reason}", look, hang="    ")
    yield ""
    yield from _where(body, look)
    figures = {each["name"]: each for each in body["figures"]}
    yield from _latencies(figures, look)
    yield from _others(figures, look)
    yield from _predicted(body["predictions"], figures, look)
    for each in body["estimates"]:
        yield from _wrapped(
            f"{each['name']}: {said(float(each['low']), each['unit'])} to {said(float(each['high']), each['unit'])}; {each['basis']}",
            look,
        )
    if body["notes"]:
        yield ""
    for note in body["notes"]:
        yield from _wrapped(f"note: {note}", look)


def _where(body: Mapping[str, Any], look: Look) -> Iterator[str]:
    machine, runtime, work = body["machine"], body["runtime"], body["work"]
    rows = [("model", _digest(body["model"]))]
    if "device" in body:
        rows.append(("device", f"{body['device']['id']}: {body['device']['name']}"))
    rows.append(
        (
            "machine",
            f"{machine['cpu']}, {machine['cores']} cores, {bytes_for_people(machine['memoryBytes'])}{', virtual' if machine['virtual'] else ''}",
        )
    )
    told = "; ".join(f"{name} {value}" for name, value in sorted(runtime["settings"].items()))
    threads = f"{runtime['threads']} thread{'s' if runtime['threads'] != 1 else ''}"
    rows.append(
        (
            "runtime",
            f"{runtime['engine']} ({runtime['version']}), {threads}, level {runtime['level']}{f'; {told}' if told else ''}",
        )
    )
    asked = {
        "generate": f"to write {work['tokens']} tokens",
        "embed": "to embed a text",
        "transcribe": "to transcribe",
        "compute": "to compute once",
    }
    prompt = f" after {float(work['promptTokens']):.0f}" if "promptTokens" in work else ""
    rows.append(
        (
            "asked",
            f"{count_for_people(work['asked'])} times {asked.get(work['kind'], work['kind'])}{prompt}, in {float(work['spent']):.1f} s",
        )
    )
    for each in body["limits"]:
        how = f"kept by {each['how']}" if each["enforced"] else f"NOT KEPT: {each['how']}"
        amount = (
            bytes_for_people(round(float(each["asked"])))
            if each["what"] == "memory"
            else f"{each['asked']} core{'' if each['asked'] == '1' else 's'}"
        )
        rows.append(("limit", f"{each['what']} {amount}: {how}"))
    for each in body["load"]:
        pressure = f", waiting {each['pressure']} %" if "pressure" in each else ""
        rows.append(
            (
                each["when"],
                f"others {100 * float(each['others']):.0f} %, stolen {100 * float(each['steal']):.1f} %, load {each['load']}{pressure}",
            )
        )
    for name, text in rows:
        yield from wrap(
            f"{name:<9} {visible(text)}",
            look.width,
            initial_indent="  ",
            subsequent_indent=" " * 12,
            break_on_hyphens=False,
        )


def _latencies(figures: Mapping[str, Mapping[str, Any]], look: Look) -> Iterator[str]:
    rows = []
    for name in ("request", "first-token", "between-tokens"):
        found = [figures.get(f"{name}-{each}") for each in _QUANTILES]
        if any(each is not None for each in found):
            rows.append((_SHOWN[name], *("" if each is None else _bounded(each) for each in found)))
    if rows:
        yield ""
        yield from _table([("latency", *_QUANTILES), *rows], look)


def _others(figures: Mapping[str, Mapping[str, Any]], look: Look) -> Iterator[str]:
    rows = []
    for name, each in figures.items():
        if not name.endswith(_QUANTILES):
            rows.append((_SHOWN.get(name, name), said(float(each["value"]), each["unit"]), _span(each)))
    if rows:
        yield ""
        yield from _table([("", "measured", ""), *rows], look)


def _bounded(each: Mapping[str, Any]) -> str:
    low, high = (said(float(each[end]), each["unit"]) if end in each else "?" for end in ("low", "high"))
    return f"{said(float(each['value']), each['unit'])} ({low} to {high})"


def _span(each: Mapping[str, Any]) -> str:
    if each["method"] == "none":
        return ""
    ends = f"{said(float(each['low']), each['unit'])} to {said(float(each['high']), each['unit'])}"
    return (
        f"{ends}, of {each['n']} starts" if each["method"] == "range" else f"{ends} ({100 * float(each['level']):g} %)"
    )


def _predicted(
    predictions: Sequence[Mapping[str, Any]], figures: Mapping[str, Mapping[str, Any]], look: Look
) -> Iterator[str]:
    if not predictions:
        return
    rows = [("predicted", "of", "bound", "programs reach", "measured / bound")]
    for each in predictions:
        unit = figures.get(each["figure"], {}).get("unit", "")
        band = f"{said(float(each['low']), unit)} to {said(float(each['high']), unit)}" if "low" in each else ""
        ratio = f"{float(each['ratio']):.3g}" if "ratio" in each else ""
        rows.append(
            (
                visible(each["device"]),
                _SHOWN.get(each["figure"], each["figure"]),
                said(float(each["best"]), unit),
                band,
                ratio,
            )
        )
    yield ""
    yield from _table(rows, look)
    for basis in dict.fromkeys(f"{each['device']}: {each['basis']}" for each in predictions):
        yield from _wrapped(basis, look)


def _digest(model: Mapping[str, Any]) -> str:
    digest = next(iter((model.get("digest") or {}).values()), "")
    return f"{model['name']} {digest[:16]}".strip()


def _wrapped(text: str, look: Look, hang: str = "  ") -> Iterator[str]:
    yield from wrap(visible(text), look.width, initial_indent="  ", subsequent_indent=hang, break_on_hyphens=False)


def _table(rows: Sequence[Sequence[str]], look: Look) -> Iterator[str]:
    widths = [max(columns(row[at]) for row in rows) for at in range(len(rows[0]))]
    for number, row in enumerate(rows):
        line = "  ".join(cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        yield f"  {look.paint(line, 'dim') if number == 0 else line}"
