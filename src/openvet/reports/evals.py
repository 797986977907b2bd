"""Evaluations as text for a person: a result, two of them compared, an audit, a plan. What machines read has every digit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any, Final

from openvet.reports._text import columns, count_for_people, plural, visible
from openvet.reports.look import PLAIN, Look

__all__ = ["compose_audit", "compose_comparison", "compose_plan", "compose_result"]

_COLOURS: Final = {
    "better": "green", "not-inferior": "green", "unresolved": "yellow", "worse": "red", "inferior": "red",
    "agrees": "green", "differs": "yellow", "wrong": "red",
}  # fmt: skip
_METHODS: Final = {
    "wilson": "Wilson",
    "wilson-clusters": "Wilson over clusters",
    "t": "Student's t",
    "t-clustered": "Student's t over clusters",
    "jackknife": "jackknife",
    "tango": "Tango, paired",
    "no-variation": "no difference seen",
    "none": "none",
}
_GAP: Final = "  "


def _finish(lines: Iterator[str], look: Look) -> str:
    return "".join(f"{look.finish(line)}\n" for line in lines)


def _number(text: Any, digits: int = 4) -> str:
    """A figure as people read it; ``text`` is as a statement writes it."""
    return "?" if text is None else f"{float(text):.{digits}f}"


def _span(value: Mapping[str, Any], digits: int = 4) -> str:
    if value.get("low") is None:
        return "no interval"
    return f"{_number(value['low'], digits)} to {_number(value['high'], digits)}"


def _wrapped(text: str, look: Look, indent: str = "  ") -> Iterator[str]:
    yield from wrap(
        visible(text), look.width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    ) or [indent]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(columns(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [
        _GAP.join(cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _known_by(model: Mapping[str, Any], backend: Mapping[str, Any]) -> str:
    if model.get("digest") is None:
        return "known by its name alone"
    digest = next(iter(model["digest"].values()), "")
    claim = "" if backend["attests"] else "; that it gave the answers is a claim of whoever ran it"
    return f"{digest[:16]}{claim}"


def compose_result(body: Mapping[str, Any], look: Look = PLAIN, cost: str = "") -> str:
    """A result; ``body`` is the predicate, ``cost`` what the tokens cost, or ''."""
    return _finish(_result(body, look, cost), look)


def _result(body: Mapping[str, Any], look: Look, cost: str) -> Iterator[str]:
    task, run, figure, backend = body["task"], body["run"], body["figure"], body["backend"]
    level = f"{100 * float(figure['level']):g} %"
    yield look.paint(f"{visible(body['model']['name'])} on {visible(task['name'])}", "bold")
    yield f"  {visible(task['label'])}  {look.paint(_number(figure['value']), 'bold')}  ({level}: {_span(figure)}, {_METHODS[figure['method']]})"
    yield f"  {_samples(figure, run)}"
    early = body.get("sequential")
    if early is not None:
        at = f"stopped early, since {visible(early['why'])}" if early["why"] else "went on to the last sample"
        yield from _wrapped(f"at any time ({100 - 100 * float(early['alpha']):g} %): {_span(early)}; {at}", look)
    yield ""
    rows = [
        ("model", _known_by(body["model"], backend)),
        ("task", f"{task['sha256'][:16] or 'of another tool'} {task['version']}".strip()),
    ]
    rows.append(
        ("asked by", ", ".join([backend["id"], *(f"{name} {value}" for name, value in backend["settings"].items())]))
    )
    tokens = body.get("tokens")
    if tokens:
        said = f"{count_for_people(tokens.get('prompt', 0))} read, {count_for_people(tokens.get('completion', 0))} written, as {'the runtime' if backend['attests'] else 'the other side'} counts them"
        rows.append(("tokens", f"{said}{f'; {cost}' if cost else ''}"))
    rows.append(("root", body["log"]["root"]))
    if "imported" in body:
        rows.append(
            (
                "imported",
                f"from {body['imported']['tool']} {body['imported']['version']}; nothing was asked or scored here",
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
    yield from _planned(body.get("plan"), look)
    for note in body["notes"]:
        yield from _wrapped(f"note: {note}", look)


def _samples(figure: Mapping[str, Any], run: Mapping[str, Any]) -> str:
    n, clusters = figure["n"], figure["clusters"]
    text = plural(n, "sample") + (f" in {plural(clusters, 'cluster')}" if clusters != n else "")
    if run["done"] != run["asked"]:
        text += f" of {run['asked']} that were to be asked"
    return text + (f"; {run['failed']} not answered" if run["failed"] else "")


def _planned(plan: Mapping[str, Any] | None, look: Look) -> Iterator[str]:
    if plan is None:
        return
    how = "a plan that was signed" if plan["signed"] else "a plan that no key was named for"
    if not plan["deviations"]:
        yield f"  as planned ({how}, {plan['sha256'][:16]})"
        return
    yield look.paint(f"  otherwise than planned ({how}, {plan['sha256'][:16]}):", "yellow")
    for each in plan["deviations"]:
        yield from _wrapped(f"{each['what']}: planned {each['planned']}, done {each['done']}", look, "    ")


def compose_comparison(value: Mapping[str, Any], look: Look = PLAIN) -> str:
    """Two models on the same samples; ``value`` is as the JSON report has it."""
    return _finish(_comparison(value, look), look)


def _comparison(value: Mapping[str, Any], look: Look) -> Iterator[str]:
    first, second = (visible(value["tasks"][0][side]["model"]["name"]) for side in ("first", "second"))
    yield f"{look.paint(f'{first} against {second}', 'bold')}: {_verdict(value['verdict'], look)}"
    margin = "no margin was given" if value["margin"] is None else f"margin {value['margin']}"
    several = (
        f", corrected over {len(value['tasks'])} tasks by {value['correction']}" if len(value["tasks"]) > 1 else ""
    )
    yield f"  at {value['alpha']}, {margin}{several}; results {'verified' if value['verified'] else 'not verified: no --key was named'}"
    for each in value["tasks"]:
        yield ""
        task, difference = each["task"], each["difference"]
        yield f"{look.paint(visible(task['name']), 'bold')}: {_verdict(each['verdict'], look)}"
        rows = [("", visible(task["label"]), f"{100 * float(difference['level']):g} % interval")]
        rows += [
            (name, _number(each[side]["value"]), _span(each[side]))
            for name, side in ((first, "first"), (second, "second"))
        ]
        rows.append(
            ("difference", _number(difference["value"]), f"{_span(difference)} ({_METHODS[difference['method']]})")
        )
        yield from (f"  {line}" for line in _table(rows))
        yield from _wrapped(_tested(each, task), look)
        more = (
            f"; about {count_for_people(each['samples_needed'])} would, if the difference is what was seen"
            if each["samples_needed"]
            else ""
        )
        yield from _wrapped(each["why"] + more, look)


def _tested(each: Mapping[str, Any], task: Mapping[str, Any]) -> str:
    flips = each["flips"]
    said = f"p = {float(each['p']):.4g}"
    if each["p_adjusted"] != each["p"]:
        said += f", {float(each['p_adjusted']):.4g} corrected"
    if flips is not None:
        total = sum(flips.values())
        turned = flips["first"] + flips["second"]
        said += f"; {turned} of {total} answers flip: {flips['first']} right by the first alone, {flips['second']} by the second alone"
    if not task["higherIsBetter"]:
        said += "; less is better, and a positive difference is in favour of the first"
    return said + (f"; {each['left_out']} samples are not in both" if each["left_out"] else "")


def _verdict(word: str, look: Look) -> str:
    shown = {"unresolved": "cannot be resolved", "not-inferior": "not inferior"}.get(word, word)
    return look.paint(shown, _COLOURS[word], "bold")


def compose_audit(value: Mapping[str, Any], look: Look = PLAIN) -> str:
    """An audit; ``value`` is as the JSON report has it."""
    return _finish(_audit(value, look), look)


def _audit(value: Mapping[str, Any], look: Look) -> Iterator[str]:
    size = value["samples"]
    yield f"{look.paint(visible(value['model']['name']) + ' on ' + visible(value['task']['name']), 'bold')}: {look.paint(value['verdict'], _COLOURS[value['verdict']], 'bold')}"
    yield f"  the result is {'signed by the key that was named' if value['signed'] else 'NOT verified: no --key was named'}"
    yield f"  the log is the one that it states: {plural(size, 'sample')}, root {value['root'][:16]}"
    follows = "follows" if value["figure_follows"] else "does NOT follow"
    yield f"  the figure {follows} from the scores"
    if value["rescored"]:
        wrong = value["wrong"]
        yield from _wrapped(
            f"prompts and scores of {plural(value['rescored'], 'sample')} made again from the task: "
            + (f"WRONG in {', '.join(wrong)}" if wrong else "all the same"),
            look,
        )
    else:
        yield "  prompts and scores were not made again: --task names the task"
    if not value["drawn"]:
        yield "  the model was not asked again: --sample says how many"
        return
    same = value["drawn"] - value["differing_count"]
    yield from _wrapped(
        f"asked again, drawn by the seed {value['seed']!r}: {same} of {value['drawn']} answer the same", look
    )
    for each in value["differing"]:
        yield from _wrapped(
            f"{each['id']}: another answer{', and another score' if each['score_differs'] else ', the same score'}",
            look,
            "    ",
        )
    yield from _wrapped(
        f"so at most {value['at_most_altered']} of the {size} outputs are other than the model gives now, at 95 % "
        "(if the seed was stated after the log was committed to)",
        look,
    )


def compose_plan(value: Mapping[str, Any], look: Look = PLAIN) -> str:
    """A plan; ``value`` is as the JSON report has it."""
    return _finish(_plan(value, look), look)


def _plan(value: Mapping[str, Any], look: Look) -> Iterator[str]:
    plan = value["plan"]
    yield look.paint(
        f"{visible(plan['task']['name'])}: {plural(plan['samples'], 'sample')} of {plan['task']['samples']}", "bold"
    )
    percent = f"{100 * float(plan['power']):g} %"
    yield from _wrapped(
        f"smallest difference that is seen with a power of {percent} at {plan['alpha']}: {_number(plan['detectable'])}, where a sample's "
        f"difference between two models has the variance {plan['variance']}",
        look,
    )
    if value["needed"] is not None:
        enough = "which there are" if value["needed"] <= plan["samples"] else "and there are fewer"
        yield f"  a difference of {value['effect']} needs {plural(value['needed'], 'sample')}, {enough}"
    if value["needed_for_margin"] is not None:
        enough = "which there are" if value["needed_for_margin"] <= plan["samples"] else "and there are fewer"
        yield f"  to show two equal models not inferior by {plan['margin']} needs {plural(value['needed_for_margin'], 'sample')}, {enough}"
    yield ""
    rows = [("true difference", "power")]
    rows += [(each["difference"], f"{100 * float(each['power']):.0f} %") for each in value["powers"]]
    yield from (f"  {line}" for line in _table(rows))
