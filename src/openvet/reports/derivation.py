"""What a step did to a model, for people: the verdict first, then before and after side by side, and at the end what figures do not say by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from openvet.evidence.predicates.derivation_v1 import Agreement, Cost, DerivationV1, Part, TaskDifference, Weights
from openvet.reports._text import bytes_for_people, count_for_people, plural, visible
from openvet.reports.look import PLAIN, Look
from openvet.reports.text import table

__all__ = ["compose_derivation", "compose_transforms"]

_COLOURS: Final = {
    "as-good": ("bold", "green"),
    "worse": ("bold", "red"),
    "unresolved": ("yellow",),
    "not-asked": ("bold",),
}
_MEANS: Final = {
    "as-good": "made, and as good as was asked for",
    "worse": "worse than was asked for",
    "unresolved": "whether it is as good as was asked for cannot be said",
    "not-asked": "made; nobody said how much worse would still be as good",
}
_NAMED: Final = {
    "perplexity-of-parent": "perplexity of the parent", "perplexity": "perplexity", "nll-difference": "loss of a token, more than the parent's",
    "kl": "KL divergence from the parent", "same-top-1": "the same likeliest token", "cosine": "cosine",
    "similarity-correlation": "correlation of similarities", "flips": "answers that flipped", "max-difference": "greatest difference",
    "same-text": "the same text read", "text-difference": "characters read otherwise", "character-errors-of-parent": "character errors of the parent",
    "character-errors": "character errors",
}  # fmt: skip
_SHARES: Final = frozenset(
    {"same-top-1", "flips", "same-text", "text-difference", "character-errors-of-parent", "character-errors"}
)
_TYPES: Final = 6


def compose_derivation(name: str, found: DerivationV1, look: Look = PLAIN, *, made: bool = True) -> str:
    """The report of one step; ``made`` says whether the child is in its place."""
    verdict = look.paint(found.verdict, *_COLOURS[found.verdict])
    lines = [f"{look.paint(visible(name), 'bold')}: {verdict}: {_MEANS[found.verdict]}"]
    to = found.parameters.get("to", "")
    rows = [
        [
            "  step",
            f"{found.kind} by {visible(found.method)}{f' to {visible(to)}' if to else ''}; {visible(found.runtime.get('packages', '')) or 'no package'}",
        ]
    ]
    rows.append(["  parent", f"{visible(found.parent.name)}, {_digest(found.parent.digest)}"])
    if found.why:
        rows.append(["  why", visible(found.why)])
    if not made:
        rows.append(["  place", "nothing was put in its place"])
    lines += table(rows, look.width, wrap=True)
    lines += [
        "",
        look.paint("Before and after", "bold"),
        *table(_sizes(found.before, found.after), look.width, wrap=True),
    ]
    lines += _kept(found, look)
    if found.parts:
        lines += ["", look.paint("Files that are one model together", "bold")]
        lines += table([_part(each) for each in found.parts], look.width, wrap=True)
    if found.agreement or found.tasks:
        lines += ["", look.paint("Agreement with the parent", "bold")]
        lines += table([_agreed(each) for each in found.agreement], look.width, wrap=True)
        lines += table([row for each in found.tasks for row in _task(each)], look.width, wrap=True)
    if found.cost is not None:
        lines += ["", *_cost(found.cost, look)]
    if found.budget is not None:
        limits = [
            each
            for each in (
                found.budget.device and visible(found.budget.device),
                found.budget.memory and bytes_for_people(found.budget.memory),
            )
            if each
        ]
        lines += ["", look.paint(f"Ladder, within {' and '.join(map(str, limits))}", "bold")]
        rows = [
            [
                f"  {visible(each.to)}",
                bytes_for_people(each.bytes),
                f"{bytes_for_people(each.serve_bytes)} to serve",
                each.verdict,
                visible(each.why),
            ]
            for each in found.budget.rungs
        ]
        lines += table(rows, look.width, wrap=True)
    if found.notes:
        lines += ["", look.paint("To know", "bold")]
        lines += table([["  -", visible(each)] for each in found.notes], look.width, wrap=True)
    return look.finish("\n".join(line.rstrip() for line in lines) + "\n")


def compose_transforms(transforms: Sequence[Any]) -> str:
    """What a command can make: its targets, and their settings."""
    out: list[str] = []
    for each in transforms:
        out.append(f"{each.id}: {each.changes}")
        rows = [[f"  from {', '.join(each.inputs)}", f"needs {', '.join(each.packages)}: pip install {each.install}"]]
        rows += [[f"  --to {target.name}", target.about] for target in each.targets]
        named = {name for target in each.targets for name in target.settings}
        for setting in each.settings:
            by = f" (by --to for {'some' if len(each.targets) > 1 else 'all'})" if setting.name in named else ""
            shown = (
                {True: "yes", False: "no"}.get(setting.default, setting.default)
                if setting.kind == "flag"
                else setting.default
            )
            bounds = "" if setting.low is None else f", {setting.low:g} to {setting.high:g}"
            rows.append([f"  --set {setting.name}={shown}", f"{setting.about}{bounds}{by}"])
        out += table(rows, PLAIN.width, wrap=True)
    return "".join(f"{line.rstrip()}\n" for line in out)


def _digest(digest: Any) -> str:
    return ", ".join(f"{visible(name)} {visible(value)[:16]}" for name, value in digest.items())


def _sizes(before: Weights, after: Weights) -> list[list[str]]:
    rows = [["", "parent", "child", ""]]
    share = f"{100 * after.bytes / before.bytes:.1f} %" if before.bytes else ""
    rows.append(["  files", bytes_for_people(before.bytes), bytes_for_people(after.bytes), share])
    share = f"{100 * after.weight_bytes / before.weight_bytes:.1f} %" if before.weight_bytes else ""
    rows.append(["  weights", bytes_for_people(before.weight_bytes), bytes_for_people(after.weight_bytes), share])
    rows.append(["  parameters", count_for_people(before.parameters), count_for_people(after.parameters), ""])
    rows.append(["  real bits per weight", f"{float(before.bits):.2f}", f"{float(after.bits):.2f}", ""])
    if before.zeros is not None and after.zeros is not None:
        rows.append(
            ["  zeros", f"{100 * float(before.zeros):.1f} %", f"{100 * float(after.zeros):.1f} %", "of all numbers"]
        )
    rows.append(["  types of numbers", _mix(before), _mix(after), "by bytes"])
    return rows


def _mix(found: Weights) -> str:
    total = sum(each.bytes for each in found.mix) or 1
    said = [f"{100 * each.bytes / total:.1f} % {visible(each.type)}" for each in found.mix[:_TYPES]]
    return ", ".join(said) + (", ..." if len(found.mix) > _TYPES else "")


def _kept(found: DerivationV1, look: Look) -> list[str]:
    kept = found.kept
    if not kept.tensors:
        return []
    named = ", ".join(
        f"{visible(name)} ({visible(kind)}, {bytes_for_people(size)})" for name, kind, size in kept.largest[:4]
    )
    more = f" and {kept.tensors - 4} more" if kept.tensors > 4 else ""
    return table(
        [["  stayed as it was", f"{plural(kept.tensors, 'tensor')}, {bytes_for_people(kept.bytes)}: {named}{more}"]],
        look.width,
        wrap=True,
    )


def _part(each: Part) -> list[str]:
    sizes = f"{bytes_for_people(each.before.bytes)} -> {bytes_for_people(each.after.bytes)}"
    if each.parent == each.child:
        return [f"  {visible(each.name)}", sizes, f"{float(each.after.bits):.2f} bits", "as it was, byte for byte"]
    share = f"{100 * each.kept.bytes / each.after.weight_bytes:.1f} % of the bytes" if each.after.weight_bytes else ""
    stayed = f"{plural(each.kept.tensors, 'tensor')} stayed, {share}" if each.kept.tensors else "nothing stayed"
    bits = f"{float(each.before.bits):.2f} -> {float(each.after.bits):.2f} bits"
    return [f"  {visible(each.name)}", sizes, bits, f"{_mix(each.after)}; {stayed}"]


def _agreed(each: Agreement) -> list[str]:
    as_share = each.measure in _SHARES
    near_one = each.measure in ("cosine", "similarity-correlation")

    def show(text: str) -> str:
        return f"{100 * float(text):.1f} %" if as_share else f"{float(text):.5f}" if near_one else f"{float(text):.4g}"

    span = "" if each.low is None or each.high is None else f"{show(each.low)} to {show(each.high)}"
    return [f"  {_NAMED[each.measure]}", show(each.value), span, f"{each.n:,} {visible(each.of)}"]


def _task(each: TaskDifference) -> list[list[str]]:
    span = (
        "no interval"
        if each.low is None or each.high is None
        else f"{float(each.low):+.4f} to {float(each.high):+.4f}, {visible(each.method)}"
    )
    rows = [
        [
            f"  {visible(each.name)}",
            f"{float(each.parent):.4f} -> {float(each.child):.4f}, {float(each.difference):+.4f}",
            span,
            f"{each.samples:,} samples",
        ]
    ]
    if each.better is not None and each.worse is not None:
        p = "" if each.p is None else f"McNemar p {float(each.p):.2g}"
        rows.append(["", f"{each.better} gained, {each.worse} lost", p, ""])
    return rows


def _cost(cost: Cost, look: Look) -> list[str]:
    title = "Time and memory" if cost.certified else "Time and memory, not certified: the machine was busy"
    rows = []
    for each in cost.speeds:
        parent, child = (float(side[0]) for side in (each.parent, each.child))
        ratio = f"{child / parent:.2f} x" if parent else ""
        rows.append([f"  {visible(each.work)}", _times(each.parent), _times(each.child), ratio])
        rows.append(["  most memory", bytes_for_people(each.parent_memory), bytes_for_people(each.child_memory), ""])
    lines = [look.paint(title, "bold"), *table([["", "parent", "child", ""], *rows], look.width, wrap=True)]
    hardware = cost.hardware
    where = f"{hardware.get('processor', '')}, {hardware.get('threads', '')} of {hardware.get('cores', '')} cores; load {cost.load[0]}, then {cost.load[1]}"
    about = [["  on", visible(where)], ["  flags", visible(hardware.get("flags", "")) or "not known"]]
    if cost.why:
        about.append(["  busy", visible(cost.why)])
    return lines + table(about, look.width, wrap=True)


def _times(pair: tuple[str, str]) -> str:
    middle, high = (1000 * float(each) for each in pair)
    return f"{middle:.2f} ms (p95 {high:.2f})"
