"""What ``quantize``, ``prune``, ``distill``, ``convert`` and ``finetune`` have in common: their options, how they run, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from openvet.cli.options import form_option
from openvet.cli.signed import statement_line, written_key
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from openvet.evidence.keys import PrivateKey
    from openvet.workflows.deriving import Derived
    from openvet.workflows.deriving_asked import Asked, Wanted

__all__ = ["EXITS", "run_step", "shrink_options"]

_PATH: Final = click.Path(readable=False)
_LEVELS: Final = ("4", "3", "2", "2n", "1n", "1s", "1")
_AS_GOOD, _WORSE, _OPEN = 0, 1, 3

EXITS: Final = """
    \b
    Exit codes:
      0    made, and as good as was asked for where a loss was named
      1    made and worse than that, or refused; the report says which
      3    made, and whether it is as good cannot be said; or nothing here is enough to run it in
      2    the command itself failed; nothing was written unless the message says so
      130  interrupted with Ctrl-C; nothing was written
"""


def _list_targets(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from openvet.cli.output import write_text
    from openvet.reports.derivation import compose_transforms
    from openvet.transforms._transform import transforms

    command = ctx.command.name or ""
    write_text(
        compose_transforms([each.TRANSFORM for each in transforms().values() if each.TRANSFORM.command == command])
    )
    ctx.exit()


def shrink_options(*, train: bool = False, budget: bool = False) -> Callable[[Any], Any]:
    """The options of one of the commands."""
    options = [
        click.argument("model", metavar="MODEL", type=_PATH),
        click.argument("target", metavar="OUT", type=_PATH),
        click.option("--to", metavar="NAME", default="", help="What to make; --list shows what there is."),
        click.option("--set", "given", metavar="NAME=VALUE", multiple=True, help="Change a setting; --list shows them. May be repeated."),
        click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_list_targets, help="List what can be made, with its settings, and end."),
        click.option("--text", "texts", metavar="FILE", type=_PATH, multiple=True, help="Hold both against each other on this text: what writes is scored on all of it, what makes vectors gets it line by line. May be repeated."),
        click.option("--task", "tasks", metavar="FILE", type=_PATH, multiple=True, help="Let both do this task, as `openvet eval` takes it. May be repeated."),
        click.option("--loss", metavar="SHARE", help="How much worse is still as good, such as 2%: of a task's points, or of the perplexity."),
        click.option("--no-speed", is_flag=True, help="Measure no time and no memory."),
        click.option("--python", metavar="FILE", type=_PATH, help="The interpreter that computes, such as that of the environment that has the frameworks. Default: OpenVet's own."),
        click.option("--threads", metavar="N", type=click.IntRange(1, 1024), default=1, show_default=True, help="Threads that compute."),
        click.option("--level", type=click.Choice(_LEVELS), help="The level of the sandbox; `openvet doctor` explains them. Default: the strongest that is proven, from 3 downwards."),
        click.option("--i-accept-no-isolation", "accepted", is_flag=True, help="Run even where nothing keeps the model away from this machine. It is written into the certificate."),
        click.option("--seconds", type=click.FloatRange(min=0, min_open=True), default=3600.0, show_default=True, help="Wall time of one child, after which it is ended."),
        click.option("--memory", metavar="BYTES", help="Address space of one child; 8G and three times the model, if not given."),
        click.option("--force", is_flag=True, help="Replace what is at OUT."),
        form_option("How to print the report; json lists everything."),
        click.option("--output", "-o", metavar="FILE", type=_PATH, help="Write the report or the statement to FILE: whole or not at all."),
        click.option("--statement", is_flag=True, help="Give the certificate as an in-toto statement in place of the report, for a dossier."),
        click.option("--sign", metavar="KEY", type=_PATH, help="The private key that signs the --statement and the --provenance."),
        click.option("--provenance", metavar="FILE", type=_PATH, help="Write the step to FILE as SLSA provenance too: of what, with which settings and seed, and what training said. With --sign."),
        click.option("--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal."),
    ]  # fmt: skip
    if budget:
        text = "Search the ladder: the smallest that fits and is not inferior, such as device=rpi5,memory=600MB,loss=2%. Without --to."
        options.insert(8, click.option("--budget", metavar="LIST", help=text))
    if train:
        options.insert(5, click.option("--train", metavar="FILE", type=_PATH, help="The texts to learn from: a line each, or JSON lines with text, or with prompt and completion."))  # fmt: skip

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def run_step(ctx: click.Context, asked: dict[str, Any]) -> None:
    """Run one of the commands, and end with its code."""
    from openvet.cli.check import progress_line
    from openvet.cli.output import OutputError, open_output
    from openvet.core.text import printable
    from openvet.sandbox.levels import NoIsolationError
    from openvet.workflows.deriving import derive
    from openvet.workflows.making import RefusedError

    _check(ctx, asked)
    key = written_key(asked["sign"])
    request = _asked(ctx, asked)
    spared = [asked["model"], *asked["texts"], *asked["tasks"]]
    with (
        open_output(asked["output"], spared, utf8=asked["statement"] or asked["form"] == "json") as output,
        open_output(asked["provenance"], spared) as second,
    ):
        try:
            with progress_line(not asked["no_progress"]) as (progress, hide):

                def ready(found: Derived) -> None:
                    """Signed and written before the model is in its place: a full disk then leaves neither."""
                    hide()
                    output.write(statement_line(found.statement, key) if asked["statement"] else _report(found, asked))
                    if asked["provenance"] is not None:
                        second.write(_provenance(found, key))

                found = derive(request, progress, ready)
        except (RefusedError, NoIsolationError) as error:
            say(f"openvet: {error}")
            ctx.exit(_WORSE if isinstance(error, RefusedError) else _OPEN)
        try:
            output.commit()
            if asked["provenance"] is not None:
                second.commit()
        except OutputError as error:
            there = f"; the model is at {printable(asked['target'])} none the less" if found.made else ""
            raise OutputError(f"{error}{there}") from error
    if asked["output"] not in {None, "-"}:
        say(f"openvet: the {'certificate' if asked['statement'] else 'report'} is in {asked['output']}")
    if not found.made:
        say("openvet: nothing was put in its place: no rung of the ladder is what was asked for")
    ctx.exit({"as-good": _AS_GOOD, "not-asked": _AS_GOOD, "worse": _WORSE}.get(found.body.verdict, _OPEN))


def _check(ctx: click.Context, asked: dict[str, Any]) -> None:
    if asked["sign"] is not None and not (asked["statement"] or asked["provenance"]):
        raise click.UsageError("--sign belongs to --statement or --provenance: what is signed")
    if asked["provenance"] is not None and asked["sign"] is None:
        raise click.UsageError("--provenance and --sign belong together: where it goes, and who signs it")
    if asked["statement"] and ctx.get_parameter_source("form") is not click.core.ParameterSource.DEFAULT:
        raise click.UsageError("--format and --statement exclude each other: a statement takes the report's place")
    if asked.get("budget") and asked["loss"] is not None:
        raise click.UsageError("--budget names the loss itself: loss=2%")
    if asked["output"] not in {None, "-"} and asked["output"] == asked["provenance"]:
        raise click.UsageError("--output and --provenance name one file")


def _asked(ctx: click.Context, asked: dict[str, Any]) -> Asked:
    from math import isfinite

    from openvet.cli.options import amount_of
    from openvet.workflows.deriving_asked import Asked, parse_share

    if not isfinite(asked["seconds"]):
        raise click.UsageError("--seconds has to be a number that is finite")
    memory = 0 if asked["memory"] is None else amount_of(asked["memory"], "--memory")
    return Asked(
        command=ctx.command.name or "",
        source=asked["model"],
        target=asked["target"],
        to=asked["to"],
        given=asked["given"],
        data={} if not asked.get("train") else {"train": asked["train"]},
        texts=asked["texts"],
        tasks=asked["tasks"],
        loss=None if asked["loss"] is None else parse_share(asked["loss"], "--loss"),
        wanted=_wanted(asked["budget"]) if asked.get("budget") else None,
        speed=not asked["no_speed"],
        force=asked["force"],
        python=asked["python"] or "",
        level=asked["level"] or "",
        accepted=asked["accepted"],
        threads=asked["threads"],
        seconds=asked["seconds"],
        memory=memory,
    )


def _wanted(text: str) -> Wanted:
    from openvet.workflows.deriving_asked import Wanted, parse_budget
    from openvet.workflows.devices import find_devices

    name, memory, loss = parse_budget(text)
    return Wanted(loss, memory, find_devices([name])[0] if name else None)


def _report(found: Derived, asked: dict[str, Any]) -> str:
    if asked["form"] == "json":
        from openvet.cli.signed import as_json

        return as_json(found.to_json())
    from openvet.reports.derivation import compose_derivation
    from openvet.reports.look import PLAIN

    look = look_of(sys.stdout) if asked["output"] in {None, "-"} else PLAIN
    return compose_derivation(found.subject.name, found.body, look, made=found.made)


def _provenance(found: Derived, key: PrivateKey | None) -> str:
    from openvet.evidence.signing import sign_statement, to_line
    from openvet.evidence.statement import Statement

    if key is None:
        raise AssertionError("a provenance is signed")
    return to_line(sign_statement(Statement(found.subject, found.provenance), key)).decode("utf-8") + "\n"
