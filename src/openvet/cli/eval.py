"""``openvet eval``: how well a model does a task, with error bars, every sample committed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from openvet.cli.eval_asking import asked_model, asking_options, one_way
from openvet.cli.options import form_option, with_options
from openvet.cli.signed import written_key
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from openvet.core.progress import Progress
    from openvet.evals.runner import Stopping
    from openvet.evidence.keys import PublicKey
    from openvet.workflows.eval_audit import Audited
    from openvet.workflows.eval_run import Evaluated

__all__ = ["eval"]

_PATH = click.Path(readable=False)
_NOT_SO, _OPEN = 1, 3
_REPORT: Final = "https://openvet/eval-report/v1"
#: As in :data:`openvet.evals.stats.correction.CORRECTIONS`, which is not imported for a help text; a test holds the two together.
_CORRECTIONS: Final = ("holm", "benjamini-hochberg", "none")


class _Eval(click.Group):
    """A group in which a path, or an option, stands for the command that is asked most."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Eval, short_help="Evaluate a model on a task, with error bars and proof.")
def eval() -> None:  # noqa: A001 - the command's name
    """Evaluate a model on a task, with error bars, and commit to every prompt, output and score.

    `openvet eval MODEL --task FILE` is short for `openvet eval run MODEL --task FILE`. MODEL runs here, in a sandbox without a network, and
    the result is about its bytes; or it is asked through an endpoint of OpenAI's shape, or its recorded answers are taken. The result is a
    statement, signed with --sign; its log lies beside it.

    \b
    Examples:
      openvet eval ./my-model --task capitals.yaml --python .venv/bin/python
      openvet eval ./my-model --task capitals.yaml --endpoint http://127.0.0.1:8000/v1
      openvet eval ./my-model --task capitals.yaml --recorded answers.jsonl --result a.json
      openvet eval plan capitals.yaml --effect 0.05
      openvet eval compare a.json b.json --margin 0.02
      openvet eval audit a.json --task capitals.yaml
      openvet eval audit a.json --task capitals.yaml --recorded answers.jsonl --sample 2 --seed 7
      openvet eval import samples_arc_2026-11-29T14-22-20.018732.jsonl --result arc.json

    \b
    Exit codes:
      0    done; compare: better, or not inferior; audit: all agrees; plan: enough samples
      1    compare: worse, or inferior; audit: wrong, or it answers otherwise; plan: too few
      3    otherwise than planned, or not every sample was answered; compare: unresolved
      2    the command itself failed; a run's log has what was done, and --resume goes on
      130  interrupted with Ctrl-C, likewise
    """  # noqa: D301


_TASK = click.option(
    "--task", "task", metavar="FILE", type=_PATH, required=True, help="The task, in YAML, JSON or TOML."
)
_SIGN = click.option("--sign", metavar="KEY", type=_PATH, help="The private key that signs it.")
_VERIFY = click.option("--key", metavar="KEY", type=_PATH, help="The public key that has to have signed it; without one nothing is verified.")  # fmt: skip
_FORCE = click.option("--force", is_flag=True, help="Replace what is there.")
_RESULT = click.option("--result", metavar="FILE", type=_PATH, help="Where the result goes; the log lies beside it, as .log.jsonl. Default: TASK.eval.json.")  # fmt: skip
_QUIET = click.option("--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal.")
_SHARE = click.FloatRange(min=0, max=1, min_open=True, max_open=True)


def _stop_options(command: Any) -> Any:
    return with_options(
        (
            click.option("--stop-width", "half_width", type=_SHARE, metavar="W", help="Stop as soon as the mean is known to plus or minus W, at any time."),
            click.option("--stop-at", "threshold", type=_SHARE, metavar="X", help="Stop as soon as it is known on which side of X the mean lies."),
        )
    )(command)  # fmt: skip


@eval.command(short_help="Run a task.")
@click.argument("model", metavar="[MODEL]", required=False, type=_PATH)
@_TASK
@asking_options
@_RESULT
@click.option("--samples", type=click.IntRange(min=1), metavar="N", help="Ask only so many of the task's samples.")
@click.option("--order", metavar="SEED", default="file", show_default=True, help="Draw their order by this seed.")
@click.option("--seed", type=click.IntRange(min=0, max=2**31 - 1), default=0, show_default=True, metavar="N", help="The seed that the model is asked with.")  # fmt: skip
@click.option("--level", type=_SHARE, default=0.95, show_default=True, metavar="P", help="Of the interval.")
@_stop_options
@click.option("--keep-going", is_flag=True, help="Count a sample that cannot be answered as such, and go on.")
@click.option("--resume", is_flag=True, help="Go on behind what the log has already.")
@click.option(
    "--plan", metavar="FILE", type=_PATH, help="The plan that it is held against; what is otherwise is named."
)
@click.option("--plan-key", metavar="KEY", type=_PATH, help="The public key that has to have signed the plan.")
@click.option("--price-in", type=click.FloatRange(min=0), metavar="USD", help="Price of a million tokens that are read, for the report.")  # fmt: skip
@click.option("--price-out", type=click.FloatRange(min=0), metavar="USD", help="Price of a million tokens that are written.")  # fmt: skip
@_SIGN
@_FORCE
@form_option("How to print it; json has every digit.")
@_QUIET
@click.pass_context
def run(ctx: click.Context, /, model: str | None, **asked: Any) -> None:
    """Run a task on a model, and write a result and its log.

    MODEL is a path, which is hashed and is then what the result is about. With neither --endpoint nor --recorded it runs here, confined,
    by the runtime that takes its bytes. What an endpoint serves is a claim of whoever runs it, which the result says; without MODEL, --name
    says who is asked there: a result about a name alone.

    \b
    Exit codes:
      0    done
      3    done, but otherwise than planned, or some samples were not answered; or nothing here is
           enough to run a stranger's model in
      2    the command itself failed; what was done is in the log, and --resume goes on
      130  interrupted with Ctrl-C, likewise
    """  # noqa: D301
    from openvet.sandbox.levels import NoIsolationError
    from openvet.workflows.eval_files import load_task, read_plan
    from openvet.workflows.eval_run import Asked, RunEndedError, evaluate

    if model is None and not asked["name"]:
        raise click.UsageError("name MODEL, a path, or --name, by which it is known")
    one_way(asked, model)
    if asked["plan_key"] is not None and asked["plan"] is None:
        raise click.UsageError("--plan-key belongs to --plan: whose it has to be")
    if asked["resume"] and asked["force"]:
        raise click.UsageError("--resume goes on with a log and --force begins it anew; take one of both")
    key = written_key(asked["sign"])
    task = load_task(asked["task"])
    plan = None if asked["plan"] is None else read_plan(asked["plan"], _public(asked["plan_key"]))
    result = asked["result"] or f"{os.path.splitext(os.path.basename(asked['task']))[0]}.eval.json"
    _spare(result, asked["task"], asked["recorded"], asked["plan"])

    def work(progress: Progress) -> Evaluated:
        with asked_model(asked, model, progress) as (backend, running):
            wanted = Asked(
                task, model, asked["name"], result, asked["seed"], asked["samples"], asked["order"], asked["level"],
                _stopping(asked, 1.0 - asked["level"]), asked["keep_going"], asked["resume"], asked["force"], plan,
                None if running is None else running.subject, None if running is None else running.still,
            )  # fmt: skip
            return evaluate(wanted, backend, key, progress)

    try:
        found = _watched(asked, work)
    except NoIsolationError as error:
        say(f"openvet: {error}")
        ctx.exit(_OPEN)
    except RunEndedError as error:
        if not error.interrupted:
            raise
        from openvet.cli.failures import INTERRUPTED

        say(f"openvet: interrupted; {error}")
        ctx.exit(INTERRUPTED)
    _print_result(found, asked)
    ctx.exit(_OPEN if found.body.run.failed or (found.body.plan and found.body.plan.deviations) else 0)


def _print_result(found: Any, asked: Mapping[str, Any]) -> None:
    from openvet.cli.output import StandardOutput

    body = found.body.to_json()
    if asked["form"] == "json":
        from openvet.cli.signed import as_json

        report = {
            "type": _REPORT,
            "result": found.result,
            "log": found.log,
            "statement_sha256": found.sha256,
            "resumed": found.resumed,
        }
        StandardOutput(utf8=True).write(as_json({**report, "eval": body}))
        return
    from openvet.core.text import printable
    from openvet.reports.evals import compose_result

    StandardOutput(utf8=False).write(compose_result(body, look_of(sys.stdout), _cost(body, asked)))
    say(f"openvet: the result is in {printable(found.result)}, its log in {printable(found.log)}")


def _cost(body: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    tokens = body.get("tokens", {})
    prices = {"prompt": asked.get("price_in"), "completion": asked.get("price_out")}
    if all(each is None for each in prices.values()) or not tokens:
        return ""
    total = sum(tokens.get(name, 0) * (price or 0.0) for name, price in prices.items()) / 1e6
    return f"{total:.4f} USD at the prices that were named"


@eval.command(short_help="Say what a run can show, before it.")
@click.argument("task", metavar="TASK", type=_PATH)
@click.option("--model", metavar="PATH", type=_PATH, help="The model that the plan is about, which is hashed.")
@click.option("--name", metavar="NAME", default="", help="Its name, where its files are not at hand.")
@click.option("--samples", type=click.IntRange(min=1), metavar="N", help="How many of the task's samples; all, if not given.")  # fmt: skip
@click.option("--effect", type=_SHARE, metavar="D", help="A difference between two models that has to be seen.")
@click.option("--margin", type=_SHARE, metavar="D", help="How much worse is still as good, for non-inferiority.")
@click.option("--variance", type=click.FloatRange(min=0, min_open=True), default=0.2, show_default=True, metavar="V", help="Of a sample's difference between two models; of right and wrong the share on which they disagree.")  # fmt: skip
@click.option("--rho", type=click.FloatRange(min=0, max=1), default=0, metavar="R", help="Correlation of the differences within a cluster; 0, the default, makes clusters free.")  # fmt: skip
@click.option("--alpha", type=_SHARE, default=0.05, show_default=True, metavar="P", help="Level of the tests.")
@click.option("--power", type=_SHARE, default=0.8, show_default=True, metavar="P", help="Probability to see it.")
@click.option("--correction", type=click.Choice(_CORRECTIONS), default="holm", show_default=True, help="Over several tasks.")  # fmt: skip
@click.option("--order", metavar="SEED", default="file", show_default=True, help="Draw the order of the samples by this seed.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0, max=2**31 - 1), default=0, show_default=True, metavar="N", help="The seed that the model will be asked with.")  # fmt: skip
@_stop_options
@click.option("--output", "-o", metavar="FILE", type=_PATH, help="Write the plan's statement to FILE.")
@_SIGN
@_FORCE
@form_option("How to print it.")
@click.pass_context
def plan(ctx: click.Context, /, task: str, **asked: Any) -> None:
    """Say what a number of samples can show, and sign that plan before the run.

    \b
    Exit codes:
      0    so many samples are enough for --effect and --margin, or neither was asked
      1    they are not
      2    the command itself failed
    """  # noqa: D301
    from openvet.cli.output import StandardOutput
    from openvet.core.progress import Progress
    from openvet.core.text import printable
    from openvet.workflows.eval_files import load_task, write_statement
    from openvet.workflows.eval_plan import AskedPlan, statement_of
    from openvet.workflows.eval_plan import plan as make

    if asked["sign"] is not None and asked["output"] is None:
        raise click.UsageError("--sign belongs to --output: where the signed plan goes")
    key = written_key(asked["sign"])
    wanted = AskedPlan(
        load_task(task), task, asked["model"], asked["name"], asked["samples"], asked["order"], asked["seed"], asked["alpha"], asked["power"],
        asked["variance"], asked["effect"], asked["margin"], asked["correction"], asked["half_width"], asked["threshold"], asked["rho"],
    )  # fmt: skip
    found = make(wanted, Progress())
    if asked["output"] is not None:
        write_statement(asked["output"], statement_of(found), key, replace=asked["force"])
    if asked["form"] == "json":
        from openvet.cli.signed import as_json

        StandardOutput(utf8=True).write(as_json(found.to_json()))
    else:
        from openvet.reports.evals import compose_plan

        StandardOutput(utf8=False).write(compose_plan(found.to_json(), look_of(sys.stdout)))
    if asked["output"] is not None:
        say(f"openvet: the plan is in {printable(asked['output'])}")
    ctx.exit(0 if found.enough else _NOT_SO)


@eval.command(short_help="Compare two models on the same samples.")
@click.argument("a", metavar="A", type=_PATH)
@click.argument("b", metavar="B", type=_PATH)
@click.option("--margin", type=_SHARE, metavar="D", help="How much worse is still as good.")
@click.option("--alpha", type=_SHARE, default=0.05, show_default=True, metavar="P", help="Level of the tests; intervals are at 1 - P.")  # fmt: skip
@click.option("--correction", type=click.Choice(_CORRECTIONS), default="holm", show_default=True, help="Over several tasks.")  # fmt: skip
@_VERIFY
@form_option("How to print it; json has every digit.")
@click.pass_context
def compare(ctx: click.Context, /, a: str, b: str, **asked: Any) -> None:
    """Compare the results A and B, sample by sample: is A better than B, or not inferior?

    A and B are results of one task, or folders of results of several. Their logs lie beside them, and are held against the results.

    \b
    Exit codes:
      0    better, or not inferior by the margin, on every task
      1    worse, or inferior, on one of them
      3    neither, but one cannot be resolved with so many samples
      2    the command itself failed: another task, a log that is not the result's
    """  # noqa: D301
    from openvet.cli.output import StandardOutput
    from openvet.workflows.eval_compare import compare as held

    found = held(
        a, b, margin=asked["margin"], alpha=asked["alpha"], correction=asked["correction"], key=_public(asked["key"])
    )
    if asked["form"] == "json":
        from openvet.cli.signed import as_json

        StandardOutput(utf8=True).write(as_json(found.to_json()))
    else:
        from openvet.reports.evals import compose_comparison

        StandardOutput(utf8=False).write(compose_comparison(found.to_json(), look_of(sys.stdout)))
    ctx.exit({"better": 0, "not-inferior": 0, "unresolved": _OPEN}.get(found.verdict, _NOT_SO))


@eval.command(short_help="Hold a result against its log, its task and the model.")
@click.argument("result", metavar="RESULT", type=_PATH)
@click.option("--log", metavar="FILE", type=_PATH, help="The log, where it does not lie beside RESULT.")
@click.option("--task", metavar="FILE", type=_PATH, help="The task, of which prompts and scores are made again.")
@click.option("--model", metavar="PATH", type=_PATH, help="Run this model here to ask it again; it has to be the result's, byte for byte.")  # fmt: skip
@click.option("--sample", "samples", type=click.IntRange(min=1), metavar="N", help="Ask so many samples again.")
@click.option("--seed", metavar="TEXT", help="Draws them: state it after the log was committed to, and say what it is.")
@asking_options
@_VERIFY
@form_option("How to print it.")
@_QUIET
@click.pass_context
def audit(ctx: click.Context, /, result: str, **asked: Any) -> None:
    """Audit a result: is the log the one that it states, do scores follow from outputs, and does the model answer so?

    The whole log is hashed, and with --task every prompt and score is made again, for which no model is needed. With --sample some
    outputs are asked for again, drawn by --seed; the report then bounds how many of all can be other than the model gives.

    \b
    Exit codes:
      0    all agrees
      1    the log is not the result's, contradicts the task, or the model answers otherwise
      3    nothing here is enough to run a stranger's model in
      2    the command itself failed
    """  # noqa: D301
    from openvet.cli.output import StandardOutput
    from openvet.errors import VerifyError
    from openvet.sandbox.levels import NoIsolationError
    from openvet.workflows.eval_audit import audit as held
    from openvet.workflows.eval_audit import same_bytes
    from openvet.workflows.eval_files import load_task, read_result

    if (asked["samples"] is None) != (asked["seed"] is None):
        raise click.UsageError("--sample and --seed belong together: how many, and what draws them")
    if asked["samples"] is not None and asked["task"] is None:
        raise click.UsageError("--sample needs --task: how they are asked")
    if asked["samples"] is not None:
        one_way(asked, asked["model"])
    try:
        found_result = read_result(result, _public(asked["key"]))
        task = None if asked["task"] is None else load_task(asked["task"])
        settings = found_result.body.backend.settings
        if ctx.get_parameter_source("api") is click.core.ParameterSource.DEFAULT:
            asked["api"] = settings.get("mode", asked["api"])

        def work(progress: Progress) -> Audited:
            if asked["samples"] is None:
                return held(result, found_result, task, None, log=asked["log"], progress=progress)
            again = {**asked, "name": asked["name"] or settings.get("model", "")}
            with asked_model(again, asked["model"], progress) as (backend, running):
                if running is not None:
                    same_bytes(found_result, running.subject)
                return held(
                    result, found_result, task, backend, samples=asked["samples"], seed=asked["seed"] or "", log=asked["log"], progress=progress
                )  # fmt: skip

        found = _watched(asked, work)
    except NoIsolationError as error:
        say(f"openvet: {error}")
        ctx.exit(_OPEN)
    except VerifyError as error:
        say(f"openvet: not verified ({error.reason}): {error}")
        ctx.exit(_NOT_SO)
    if asked["form"] == "json":
        from openvet.cli.signed import as_json

        StandardOutput(utf8=True).write(as_json(found.to_json()))
    else:
        from openvet.reports.evals import compose_audit

        StandardOutput(utf8=False).write(compose_audit(found.to_json(), look_of(sys.stdout)))
    ctx.exit(0 if found.verdict == "agrees" else _NOT_SO)


@eval.command("import", short_help="Take a log of lm-eval, Inspect or HELM.")
@click.argument("path", metavar="FILE", type=_PATH)
@_RESULT
@click.option("--from", "kind", type=click.Choice(["lm-eval", "inspect", "helm"]), default=None, help="Whose log it is; told by its name, if not given.")  # fmt: skip
@click.option("--metric", metavar="NAME", help="Which of its metrics, or scorers; the first, if not given.")
@click.option("--cluster", metavar="FIELD", help="The field of its documents that says which samples belong together.")
@click.option("--model", metavar="PATH", type=_PATH, help="The model that it is about, which is hashed.")
@click.option("--name", metavar="NAME", default="", help="The model's name; the log's, if not given.")
@click.option("--level", type=_SHARE, default=0.95, show_default=True, metavar="P", help="Of the interval.")
@_SIGN
@_FORCE
@form_option("How to print it; json has every digit.")
@click.pass_context
def import_(ctx: click.Context, /, path: str, **asked: Any) -> None:
    """Take a log of another tool as a result and a log of ours, to be compared, signed and kept.

    FILE is lm-eval's samples_*.jsonl with results_*.json beside it, Inspect's .eval or .json, or the folder of a run of HELM. Nothing is
    asked and nothing scored again: the result says whose scores they are.

    \b
    Exit codes:
      0    done
      3    done, but some samples have no score
      2    the command itself failed: it is no such log
    """  # noqa: D301
    from openvet.core.progress import Progress
    from openvet.workflows.eval_import import AskedImport, import_log

    key = written_key(asked["sign"])
    result = asked["result"] or f"{os.path.splitext(os.path.basename(os.path.normpath(path)))[0]}.eval.json"
    _spare(result, path)
    wanted = AskedImport(
        path, result, asked["kind"] or "", asked["metric"], asked["cluster"], asked["model"], asked["name"], asked["level"], asked["force"]
    )  # fmt: skip
    found = import_log(wanted, key, Progress())
    _print_result(found, asked)
    ctx.exit(_OPEN if found.body.run.failed else 0)


# --- what several of them need ---


def _spare(result: str, *inputs: str | None) -> None:
    """Never replace what is read by what is written."""
    from openvet.workflows.eval_files import log_path

    written = {os.path.realpath(each) for each in (result, log_path(result))}
    for each in inputs:
        if each is not None and os.path.realpath(each) in written:
            raise click.UsageError(f"--result {result!r} would replace {each!r}, which is read; choose another place")


def _public(path: str | None) -> PublicKey | None:
    if path is None:
        return None
    from openvet.workflows.keys import read_public

    return read_public(path)


def _stopping(asked: Mapping[str, Any], alpha: float) -> Stopping | None:
    if asked["half_width"] is None and asked["threshold"] is None:
        return None
    from openvet.evals.runner import Stopping

    return Stopping(round(alpha, 12), asked["half_width"], asked["threshold"])


def _watched(asked: Mapping[str, Any], work: Callable[[Any], Any]) -> Any:
    """Run it under a progress line, where somebody looks."""
    from openvet.cli.check import progress_line

    with progress_line(not asked["no_progress"]) as (progress, _):
        return work(progress)
