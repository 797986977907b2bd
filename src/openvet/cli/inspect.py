"""``openvet inspect``: what a model is, without a decision."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.failures import FAILED
from openvet.cli.options import form_option, reading_options
from openvet.cli.terminal import look_of

if TYPE_CHECKING:
    from openvet.evidence.predicates.inventory_v1 import InventoryV1, TensorEntry
    from openvet.reports.config_use import ConfigUse
    from openvet.reports.look import Look
    from openvet.reports.report import ModelReport, NotChecked

__all__ = ["INSPECTION_TYPE", "inspect"]

INSPECTION_TYPE = "https://openvet/inspection/v1"
_TENSORS = 12
_FILES = 40


@click.command(short_help="Say what a model is: facts, files, tensors.")
@form_option("How to print it; json lists everything.")
@click.option("--tensors", is_flag=True, help="List every tensor and every file, not only the first ones.")
@click.option("--calls", is_flag=True, help="List every call that loading a pickle makes, with offset and arguments.")
@reading_options
@click.pass_context
def inspect(ctx: click.Context, /, **asked: Any) -> None:
    """Say what a model is: facts, files, tensors. It decides nothing.

    Everything is read as by `openvet check`; what could not be read is marked. What a model only says about itself is marked
    as declared.

    \b
    Examples:
      openvet inspect ./my-model
      openvet inspect --tensors model.safetensors
      openvet inspect --calls model.pt
      openvet inspect --format json ./my-model

    \b
    Exit codes:
      0    every path was read as far as it can be
      2    the command itself failed (a missing path, a wrong argument)
      130  interrupted with Ctrl-C
    """  # noqa: D301
    from openvet.cli.check import look_for_config, make_options, read_models
    from openvet.cli.output import open_output
    from openvet.cli.paths import expand
    from openvet.reports.look import PLAIN
    from openvet.reports.report import ModelReport
    from openvet.reports.text import configuration
    from openvet.workflows.find_config import Found
    from openvet.workflows.use import use_of

    paths = expand(asked["paths"])
    found = look_for_config(asked, paths)
    options = replace(make_options(asked, found.config, with_inventory=True), every_call=asked["calls"])
    models: list[ModelReport] = []
    errors: list[NotChecked] = []
    to_file = asked["output"] not in {None, "-"}
    look = PLAIN if to_file else look_of(sys.stdout)
    with open_output(asked["output"], paths, utf8=asked["form"] != "text") as output:
        for result in read_models(paths, options, show_progress=not asked["no_progress"]):
            if not isinstance(result, ModelReport):
                errors.append(result)
                continue
            models.append(result)
            if asked["form"] == "text":
                output.write(("\n" if len(models) > 1 else "") + _as_text(result, look, asked))
        use = use_of(options, models, found=found) if found != Found() else None
        if use is not None:
            use = replace(use, idle=())  # inspect decides nothing, so no entry that accepts something is of use
        if asked["form"] == "json":
            output.write(_as_json(models, errors, use))
        elif use is not None and (use.name is not None or use.ignored):
            output.write(("\n" if models else "") + configuration(use, look))
        output.commit()
    ctx.exit(FAILED if errors else 0)


def _as_json(models: Sequence[ModelReport], errors: Sequence[NotChecked], use: ConfigUse | None = None) -> str:
    import json

    from openvet.evidence.statement import Statement
    from openvet.reports._wording import clean
    from openvet.workflows.knowledge import tool

    value = {
        "type": INSPECTION_TYPE,
        "tool": tool().to_json(),
        "models": [
            {
                "path": each.path,
                "subject": each.subject.to_json(),
                "statements": [Statement(each.subject, each.inventory).to_json()],
            }
            for each in models
            if each.inventory is not None
        ],
        "errors": [each.to_json() for each in errors],
        "config": None if use is None else use.to_json(),
    }
    return json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _as_text(report: ModelReport, look: Look, asked: dict[str, Any]) -> str:
    from openvet.reports._facts import describe
    from openvet.reports._wording import visible

    everything = asked["tensors"]
    inventory = report.inventory
    if inventory is None:
        raise AssertionError("inspect asks for the inventory")
    pairs = describe(report.scan, report.facts, report.answers)
    wide = max((len(label) for label, _ in pairs), default=0)
    lines = [look.paint(visible(report.subject.name), "bold")]
    lines += [f"  {look.paint(label.ljust(wide), 'dim')}  {text}" for label, text in pairs]
    for algorithm, digest in report.subject.digest.items():
        lines.append(f"  {look.paint(algorithm.ljust(wide), 'dim')}  {digest}")
    lines += [
        "",
        look.paint(f"Files ({len(report.scan.files):,})", "bold"),
        *_files(report, look, everything=everything),
    ]
    lines += _tensors(inventory, look, everything=everything)
    if asked["calls"]:
        lines += _calls(inventory, look)
    return look.finish("\n".join(lines) + "\n")


def _files(report: ModelReport, look: Look, *, everything: bool) -> Iterator[str]:
    from openvet.core.coverage import Coverage
    from openvet.reports._wording import bytes_for_people, visible
    from openvet.reports.text import table

    files = report.scan.files if everything else report.scan.files[:_FILES]
    rows = []
    for file in files:
        unread = "" if file.coverage in {Coverage.READ, Coverage.INERT} else f"not read to its end ({file.coverage})"
        rows.append(
            [
                f"  {visible(file.path)}",
                visible("+".join(file.formats)) or "unknown",
                bytes_for_people(file.size),
                unread,
            ]
        )
    yield from table(rows, look.width)
    if len(files) < len(report.scan.files):
        yield f"  and {len(report.scan.files) - len(files):,} more; --tensors lists all"


def _tensors(inventory: InventoryV1, look: Look, *, everything: bool) -> Iterator[str]:
    from openvet.reports._wording import visible
    from openvet.reports.text import table

    total = sum(len(item.tensors) for item in inventory.items)
    if not total:
        return
    yield ""
    yield look.paint(f"Tensors ({total:,})", "bold")
    left = total if everything else _TENSORS
    for item in inventory.items:
        tensors = item.tensors[:left]
        if not tensors:
            continue
        yield f"  {look.paint(visible(item.place), 'cyan')} ({len(item.tensors):,})"
        yield from table([_row(tensor) for tensor in tensors], look.width)
        left -= len(tensors)
    if not everything and total > _TENSORS:
        yield f"  and {total - _TENSORS:,} more; --tensors lists all"


def _calls(inventory: InventoryV1, look: Look) -> Iterator[str]:
    """Every call of every pickle program, in the order in which a loader makes them, and what is known of each callable."""
    from openvet.checks.pickle._callables import classify
    from openvet.reports._wording import visible

    programs = [(item.place, program) for item in inventory.items for program in item.programs if "steps" in program]
    total = sum(len(program["steps"]) for _, program in programs)
    yield ""
    yield look.paint(f"Calls ({total:,})", "bold")
    if not programs:
        yield "  no pickle is in it"
    for place, program in programs:
        where = {"carried": ", in a literal that nothing loads", "loaded": ", in a literal that is loaded",
                 "reread": ", as another loader reads it", "shifted": ", as another loader reads it",
                 "raw": ", as another loader reads it"}.get(program.get("container", ""), "")  # fmt: skip
        yield f"  {look.paint(visible(place), 'cyan')} @{program['start']}{where}: {program['opcodes']:,} opcodes"
        wide = len(str(program["end"]))
        for step in program["steps"]:
            module, name = step["module"], step["name"]
            # a state is set by the class's own method, which is as good as the class
            opens = step["opcode"] not in ("NEWOBJ", "BUILD")
            known = classify(module, name.removesuffix(".__setstate__").removesuffix("()"), opens=opens)
            what = " ".join(filter(None, (known.kind.value, known.capability or known.package)))
            call = f"{step['callable']}({', '.join(step['arguments'])})"
            yield f"    @{step['offset']:<{wide}}  {visible(call)}  {look.paint('# ' + what, 'dim')}"
        if not program["steps"]:
            yield "    calls nothing: it builds plain data"
        if program["steps_dropped"]:
            yield f"    and {program['steps_dropped']:,} more"
        if "broken" in program:
            yield f"    a loader fails at @{program['broken']['offset']}: {visible(program['broken']['reason'])}"


def _row(tensor: TensorEntry) -> list[str]:
    from openvet.reports._wording import bytes_for_people, visible

    shape = "×".join(map(str, tensor.shape)) or "scalar"
    size = "" if tensor.nbytes is None else bytes_for_people(tensor.nbytes)
    return [f"    {visible(tensor.name)}", visible(tensor.dtype), shape, size]
