"""How a model fits devices, for a person at a terminal: one device in words and as plots, several as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from openvet.core.quantity import brief, number_text
from openvet.profile.device import GIB, Device, Figure
from openvet.profile.fit import Fit, Speed, room_on
from openvet.reports._text import bytes_for_people, count_for_people, plural, visible
from openvet.reports.look import Look
from openvet.reports.plot import chart
from openvet.reports.text import table, wrapped

__all__ = ["BOUNDS", "compose", "gib", "kinds", "memory_words", "pairs", "rate", "said_by", "speed_words", "together"]

#: What stands below every speed.
BOUNDS: Final = "At best is a bound: no program is faster on these figures. The band is where programs were seen, not a promise; nothing was measured here."
_STYLE: Final = {"yes": "green", "tight": "yellow", "no": "red"}
_LIMITS: Final = {"bandwidth": "reading memory sets it", "compute": "computing sets it"}


def together(found: Sequence[tuple[Device, int, str]], look: Look) -> str:
    """All models of a subject on each device: bytes and whether they fit."""
    rows = [["  device", "", "fits", "there is"]]
    for device, need, fits in found:
        rows.append(
            [f"  {visible(device.label)}", visible(device.name), fits, bytes_for_people(room_on(device, need)[0])]
        )
    title = f"All of these at once: {bytes_for_people(found[0][1])} to serve"
    return look.finish("\n".join([look.paint(title, "bold"), *table(rows, look.width)]) + "\n")


def compose(fits: Sequence[Fit], look: Look) -> str:
    """One model on one device, or on several; the same fits give the same text."""
    lines = list(_one(fits[0], look) if len(fits) == 1 else _several(fits, look))
    return look.finish("\n".join(lines) + "\n")


def _one(each: Fit, look: Look) -> Iterator[str]:
    for line in wrapped(f"On {visible(each.device.name)}, {gib(each.device.memory)}", look.width, indent=2):
        yield look.paint(line, "bold")
    rows = [[f"  {label}", text] for label, text in pairs(each)]
    lines = table(rows, look.width, wrap=True)
    for line in lines:
        head, gap, rest = line.partition("  fits")
        word = each.fits
        painted = rest.replace(word, look.paint(word, "bold", _STYLE[word]), 1) if not head and gap else ""
        yield gap + painted if painted else line
    yield ""
    if each.needs.caches:
        yield from _plots(each, look)
        yield ""
    yield from _notes([each], look)


def pairs(each: Fit) -> Iterator[tuple[str, str]]:
    """Label and text of everything that is said about a model on a device."""
    work, needs = each.work, each.needs
    cache = each.serve_bytes - needs.weight_bytes
    sequential = bool(needs.caches) or needs.multiplied is not None
    if sequential:
        yield "asked", kinds(each)
    yield "fits", memory_words(each)
    if needs.caches:
        yield (
            "to serve",
            f"{bytes_for_people(each.serve_bytes)}: {bytes_for_people(needs.weight_bytes)} of weights, {bytes_for_people(cache)} of cache in {work.cache_type}",
        )
    if needs.caches:
        yield "context", _context(each)
    if each.decode is not None:
        yield "decode", speed_words(each.decode, work.batch)
    if each.prefill is not None:
        prompt = "the prompt takes" if work.batch == 1 else f"{work.batch:,} such prompts take"
        whole = f"; {prompt} at least {_seconds(each.prefill.seconds)}"
        yield "prefill" if needs.decodes else "encode", speed_words(each.prefill, work.batch) + whole
    if len(each.device.sizes) > 1:
        every = ", ".join(map(gib, sorted(each.device.sizes)))
        sizes = ", ".join(map(gib, sorted(each.fitting_sizes)))
        room = "every one" if len(each.fitting_sizes) == len(each.device.sizes) else sizes or "none"
        yield "sizes", f"of {every} there is room in {room}"
    if each.stored:
        shown = [f"{row.name} {bytes_for_people(row.serve_bytes)} ({row.fits})" for row in each.stored]
        yield (
            "if stored in",
            f"{', '.join(shown)}: to serve, if every weight were stored so, which quantizers do not do to all of them",
        )


def kinds(each: Fit) -> str:
    """The workload in words."""
    text = f"{plural(each.work.batch, 'sequence')} of {plural(each.work.context, 'token')}"
    own = each.needs.context
    return text if own is None or each.work.context <= own else f"{text}, more than its own context of {own:,}"


def memory_words(each: Fit) -> str:
    """Whether it fits, and by how much."""
    there = "can be used" if each.usable_known else "are there, of which the system has some"
    text = f"{each.fits}: {bytes_for_people(each.serve_bytes)} of {bytes_for_people(each.available_bytes)} that {there}"
    if each.fits == "no":
        return f"{text}; {bytes_for_people(each.missing_bytes)} are missing"
    return f"{text}; activations, buffers and the runtime need room too" if each.fits == "tight" else text


def _context(each: Fit) -> str:
    batch = "" if each.work.batch == 1 else f" in each of {each.work.batch:,} sequences"
    if each.largest_context is None and each.largest_by == "memory":
        return "not even the weights have room"
    if each.largest_by == "model":
        return f"its whole context of {each.largest_context:,} tokens has room{batch}"
    if each.largest_by == "memory":
        return f"at most {each.largest_context:,} tokens have room{batch}"
    return (
        f"any length has room{batch}"
        if each.largest_context is None
        else f"{each.largest_context:,} tokens and more have room{batch}"
    )


def speed_words(each: Speed, batch: int) -> str:
    """A speed in words."""
    text = f"{rate(each.best)} tokens/s at best ({_LIMITS[each.limit]}); programs reach {rate(each.low)} to {rate(each.high)}"
    return text if batch == 1 else f"{text}, of all {batch:,} sequences together"


def rate(value: Fraction) -> str:
    """Tokens/s for a person."""
    if value >= 1000:
        return count_for_people(round(value))
    return str(round(value)) if value >= 100 else brief(value, 2)


def _seconds(value: Fraction) -> str:
    if value >= 7200:
        return f"{brief(value / 3600, 2)} h"
    if value >= 120:
        return f"{brief(value / 60, 2)} min"
    return f"{brief(value, 2)} s" if value >= 1 else f"{brief(value * 1000, 2)} ms"


def gib(size: int) -> str:
    """A size of memory as it is sold."""
    return f"{number_text(Fraction(size, GIB))} GiB"


def _plots(each: Fit, look: Look) -> Iterator[str]:
    ends = (f"{each.curve[0][0]:,}", f"{each.curve[-1][0]:,} tokens")
    top = Fraction(max(size for _, size, _ in each.curve))
    mark = None
    if each.available_bytes <= top * 4:
        top = max(top, Fraction(each.available_bytes))
        mark = (Fraction(each.available_bytes), f"{bytes_for_people(each.available_bytes)} there")
    labels = ("0", bytes_for_people(int(top)))
    sizes = [(context, Fraction(size)) for context, size, _ in each.curve]
    yield from chart("memory to serve, by context", sizes, ends, look, top=top, labels=labels, mark=mark)
    speeds = [(context, best) for context, _, best in each.curve if best is not None]
    if len(speeds) == len(each.curve):
        top = max(best for _, best in speeds)
        yield ""
        title = "decode at best in tokens/s, by context"
        yield from chart(title, speeds, ends, look, top=top, labels=("0", rate(top)))


def _several(fits: Sequence[Fit], look: Look) -> Iterator[str]:
    first = fits[0]
    asked = f"{kinds(first)}, cache in {first.work.cache_type}: " if first.needs.caches else ""
    for line in wrapped(f"{asked}{bytes_for_people(first.serve_bytes)} to serve", look.width, indent=2):
        yield look.paint(line, "bold")
    rows = [["  device", "fits", "there is", "context", "decode", "programs reach", "prefill"]]
    for each in fits:
        decode, prefill = each.decode, each.prefill
        rows.append(
            [
                f"  {visible(each.device.label)}",
                each.fits if each.fits != "no" else f"no, {bytes_for_people(each.missing_bytes)} too few",
                bytes_for_people(each.available_bytes),
                "-" if each.largest_context is None else f"{each.largest_context:,}",
                "not known" if decode is None else f"{rate(decode.best)}/s",
                "" if decode is None else f"{rate(decode.low)} to {rate(decode.high)}",
                "not known" if prefill is None else f"{rate(prefill.best)}/s",
            ]
        )
    yield from table(rows, look.width)
    yield ""
    yield from _notes(fits, look)


def _notes(fits: Sequence[Fit], look: Look) -> Iterator[str]:
    texts = [text for each in fits for text in (*each.unknown, *each.needs.assumptions)]
    if any(each.decode is not None for each in fits):
        texts.append(BOUNDS)
    if any(each.decode is not None and each.fits == "no" for each in fits):
        texts.append(
            "Where there is too little memory, speeds are as if there were enough; from a disk it would be far slower."
        )
    for text in dict.fromkeys(texts):
        yield from wrapped(visible(text), look.width, indent=4, first="  ")
    if len(fits) == 1:
        for line in said_by(fits[0].device):
            yield from wrapped(visible(line), look.width, indent=4, first="  ")


def said_by(device: Device) -> Iterator[str]:
    """Who says what about a device, one line each."""
    named: list[tuple[str, Figure | None]] = [
        (f"memory {gib(device.memory)}", device.memory_basis),
        ("usable memory", device.usable),
        (f"bandwidth {_per_second(device.nominal)}", device.nominal),
        (f"achieved bandwidth {_per_second(device.achieved)}", device.achieved),
        *((f"peak {dtype} {_tera(each)}", each) for dtype, each in device.peak.items()),
        (f"idle {_watts(device.idle)}", device.idle),
        (f"load {_watts(device.load)}", device.load),
    ]
    grouped: dict[str, list[str]] = {}
    for label, each in named:
        if each is not None:
            who = ", ".join(part for part in (each.basis, each.source, each.date) if part)
            grouped.setdefault(f"{who}; {each.note}" if each.note else who, []).append(label)
    for who, labels in grouped.items():
        yield f"{', '.join(labels)}: {who}"


def _band(each: Figure, scale: int) -> str:
    low, high = brief(each.low / scale), brief(each.high / scale)
    return low if low == high else f"{low} to {high}"


def _per_second(each: Figure | None) -> str:
    return "" if each is None else f"{_band(each, 10**9)} GB/s"


def _tera(each: Figure) -> str:
    return f"{_band(each, 10**12)} T/s"


def _watts(each: Figure | None) -> str:
    return "" if each is None else f"{_band(each, 1)} W"
