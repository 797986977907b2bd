"""``openvet profile``: what a model is and needs, and whether a device has it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.device_options import device_option, list_devices, work_options
from openvet.cli.failures import FAILED
from openvet.cli.options import reading_options
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from openvet.profile.device import Device
    from openvet.reports.look import Look
    from openvet.reports.report import NotChecked
    from openvet.workflows.answer import Answer
    from openvet.workflows.fits import PartFits

__all__ = ["PROFILES_TYPE", "profile"]

#: Facts that come from files beside a model.
_BESIDE = frozenset({"tokenizer", "tokens taken", "tokenizer file", "chat template"})
PROFILES_TYPE = "https://openvet/profiles/v1"


@click.command(short_help="Say what a model is and needs, and whether it fits a device.")
@click.option("--format", "-f", "form", type=click.Choice(["text", "json", "html"]), default="text", show_default=True, help="How to print it; json lists everything, with its sources; html is one page with drawings.")  # fmt: skip
@device_option("Also say whether it fits this device, and how fast it is at best: a name of --devices, with a size of memory if need be (rpi5:16), or a FILE.toml that describes others. May be repeated.", multiple=True)  # fmt: skip
@work_options
@click.option("--devices", is_flag=True, is_eager=True, expose_value=False, callback=list_devices, help="List the devices that are known, with sources, and end.")  # fmt: skip
@click.option("--digests", is_flag=True, help="Hash every byte too, so that the result names what it is about.")
@reading_options
@click.pass_context
def profile(ctx: click.Context, /, **asked: Any) -> None:
    """Say what a model is and needs: family, parameters, types of numbers, memory and compute for a sequence.

    Everything comes from headers, keys and configurations, so that a model of any size takes a moment; no framework is loaded.
    What the files only say about themselves is marked as declared, and held against the tensors.

    With --device it is also arithmetic: memory to serve, the largest context that has room, and bounds on speed that no program
    exceeds, each with the band that programs were seen in. Nothing is measured.

    \b
    Examples:
      openvet profile ./my-model
      openvet profile weights.gguf
      openvet profile --device rpi5 --context 8192 ./my-model
      openvet profile --device rpi5:16 --device m4 --device mine.toml --cache-type q8_0 ./my-model
      openvet profile --format html -o page.html --device t4 ./my-model
      openvet profile --format json hf:org/name

    \b
    Exit codes:
      0    every path was profiled as far as it can be; what is wrong or not known is in the report
      2    nothing of some path could be profiled (no model in it, or no weights and a
           configuration that cannot be read), or the command itself failed
      130  interrupted with Ctrl-C
    """  # noqa: D301
    from openvet.cli.check import look_for_config, make_options, read_each
    from openvet.cli.output import open_output
    from openvet.cli.paths import expand
    from openvet.reports.look import PLAIN
    from openvet.workflows.answer import Answer, ask

    devices = _devices(ctx, asked)
    paths = expand(asked["paths"])
    found = look_for_config(asked, paths)
    options = make_options(asked, found.config, with_inventory=True)
    answers: list[tuple[Answer, tuple[PartFits, ...]]] = []
    errors: list[NotChecked] = []
    look = PLAIN if asked["output"] not in {None, "-"} else look_of(sys.stdout)
    with open_output(asked["output"], paths, utf8=asked["form"] != "text") as output:
        for result in read_each(
            paths,
            lambda path, progress: ask(path, "profile", options, progress, digests=asked["digests"]),
            show_progress=not asked["no_progress"],
        ):
            if not isinstance(result, Answer):
                errors.append(result)
                continue
            answers.append((result, _fits(result, devices, asked)))
            if asked["form"] == "text":
                output.write(
                    ("\n" if len(answers) > 1 else "") + _as_text(*answers[-1], devices, look, _title(result, paths))
                )
        if asked["form"] == "json":
            output.write(_as_json(answers, errors, devices))
        elif asked["form"] == "html":
            output.write(_as_html(answers, paths))
        output.commit()
    if asked["output"] not in {None, "-"}:
        say(f"openvet: the report is in {asked['output']}")
    empty = [answer.path for answer, _ in answers if not _is_profiled(answer)]
    for path in empty:
        say(f"openvet: {path}: nothing was profiled")
    ctx.exit(FAILED if errors or empty else 0)


def _is_profiled(answer: Answer) -> bool:
    """Whether something is said of a model, and not only of the words beside it."""
    from openvet.evidence.predicates.profile_v1 import ProfileV1

    parts = answer.predicate.parts if isinstance(answer.predicate, ProfileV1) else ()
    return any(fact.name not in _BESIDE for part in parts for fact in part.facts)


def _devices(ctx: click.Context, asked: Mapping[str, Any]) -> list[Device]:
    """Those that are named.

    Raises:
        click.UsageError: an option makes sense only with a device, and there is none.
        UsageError, OSError: there is no such device, or its file makes no sense.
    """
    if asked["device"]:
        from openvet.workflows.devices import find_devices

        return find_devices(asked["device"])
    for name in ("context", "batch", "cache_type"):
        if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            raise click.UsageError(f"--{name.replace('_', '-')} belongs to --device: on what it would run")
    return []


def _fits(answer: Answer, devices: Sequence[Device], asked: Mapping[str, Any]) -> tuple[PartFits, ...]:
    from openvet.evidence.predicates.profile_v1 import ProfileV1

    if not devices or not isinstance(answer.predicate, ProfileV1):
        return ()
    from openvet.workflows.fits import fits_of

    return fits_of(answer.predicate, devices, asked["context"], asked["batch"], asked["cache_type"])


def _as_text(answer: Answer, fits: Sequence[PartFits], devices: Sequence[Device], look: Look, title: str) -> str:
    from openvet.evidence.predicates.profile_v1 import ProfileV1
    from openvet.reports import profile as report

    if not isinstance(answer.predicate, ProfileV1):
        return ""
    out = [report.model(answer.subject.name, answer.predicate, look, title=title)]
    if fits:
        from openvet.reports import fit as on_devices
        from openvet.reports._text import visible

        for each in fits:
            title = f"{look.paint(visible(each.part.name), 'cyan')}\n" if len(fits) > 1 else ""
            text = on_devices.compose(each.fits, look) if each.fits else "".join(f"  {why}\n" for why in each.reasons)
            out.append(title + text)
        from openvet.workflows.fits import together

        all_of_them = together(fits, devices)
        if all_of_them:
            out.append(on_devices.together(all_of_them, look))
    return "\n".join(out)


def _title(answer: Answer, paths: Sequence[str]) -> str:
    """What stands above a model: its name, or of several the path that was named, since names may be the same."""
    return answer.subject.name if len(paths) == 1 else answer.path


def _as_html(answers: Sequence[tuple[Answer, tuple[PartFits, ...]]], paths: Sequence[str]) -> str:
    from openvet.evidence.predicates.profile_v1 import ProfileV1
    from openvet.reports.fit_page import page

    rows = []
    for answer, fits in answers:
        if isinstance(answer.predicate, ProfileV1):
            by_part = {each.part.name: each for each in fits}
            for part in answer.predicate.parts:
                found = by_part.get(part.name)
                rows.append((_title(answer, paths), part, found.fits if found else (), found.reasons if found else ()))
    return page(rows)


def _as_json(
    answers: Sequence[tuple[Answer, tuple[PartFits, ...]]], errors: Sequence[NotChecked], devices: Sequence[Device]
) -> str:
    import json

    from openvet.reports._wording import clean
    from openvet.workflows.knowledge import tool

    models = []
    for answer, fits in answers:
        models.append(answer.to_json())
        if devices:
            from openvet.workflows.fits import together

            models[-1]["fits"] = [each.to_json() for each in fits]
            models[-1]["together"] = [
                {"device": device.label, "serve_bytes": need, "fits": word}
                for device, need, word in together(fits, devices)
            ]
    value = {
        "type": PROFILES_TYPE,
        "tool": tool().to_json(),
        "models": models,
        "errors": [each.to_json() for each in errors],
    }
    return json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
