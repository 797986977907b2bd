"""``openvet detonate``: load a model in a sandbox, and say what it did."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from openvet.cli.options import amount_of, form_option
from openvet.cli.signed import check_statement, statement_line, written_key
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from openvet.sandbox.supervisor import Bounds
    from openvet.workflows.detonate import Detonation

__all__ = ["detonate"]

_PATH = click.Path(readable=False)
_MALICIOUS, _NOT_CLEAR, _NO_ISOLATION = 1, 3, 3
_LEVELS: Final = ("4", "3", "2", "2n", "1n", "1s", "1")


@click.command(short_help="Load a model in a sandbox, and say what it did.")
@click.argument("model", metavar="MODEL", type=_PATH)
@click.option("--level", type=click.Choice(_LEVELS), help="The level of the sandbox; `openvet doctor` explains them. Default: the strongest that is proven, from 3 downwards.")  # fmt: skip
@click.option("--i-accept-no-isolation", "accepted", is_flag=True, help="Run the model even where nothing keeps it away from this machine. It is written into the evidence.")  # fmt: skip
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), default=120.0, show_default=True, help="Wall time of one file or folder, after which it is ended.")  # fmt: skip
@click.option("--memory", metavar="BYTES", default="8G", show_default=True, help="Address space of one child.")
@click.option("--python", metavar="FILE", type=_PATH, help="The interpreter that loads, such as that of the environment that has the frameworks. Default: OpenVet's own.")  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="List every event, those that were expected too.")
@form_option("How to print it; json lists everything.")
@click.option("--output", "-o", metavar="FILE", type=_PATH, help="Write it to FILE: whole or not at all.")
@click.option("--statement", is_flag=True, help="Give an in-toto statement in place of the report, for a dossier.")
@click.option("--sign", metavar="KEY", type=_PATH, help="The private key that signs the --statement.")
@click.option("--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal.")
@click.pass_context
def detonate(ctx: click.Context, /, model: str, **asked: Any) -> None:
    """Load MODEL in a sandbox, build it, let it compute once, let go of it, and say what it did meanwhile.

    Nothing is read by rules: the model's code runs, in a child without network, home or other processes, whose walls are proven first by
    ten attempts to get out. What Python and the kernel saw is judged: expected of the loader, unusual, or malicious. Secrets that are
    none lie in its home, and whatever it sends goes nowhere and is shown.

    nothing-observed is no proof of safety: code can wait, look whether it is watched, or lie in what was not run.

    What loads is what is installed beside OpenVet, or in the environment of --python: pickle with Python; joblib, NumPy, PyTorch,
    safetensors, ONNX Runtime, llama-cpp-python and Transformers where they are there. For other formats there is no loader here, which
    is said.

    \b
    Examples:
      openvet detonate model.pt
      openvet detonate ./my-model --format json
      openvet detonate ./my-model --statement --sign release.key --output observation.json

    \b
    Exit codes:
      0    nothing was observed
      1    malicious behaviour was observed
      3    something unusual was, not all could be loaded, or nothing here is enough to run it in
      2    the command itself failed
      130  interrupted with Ctrl-C; the child is gone
    """  # noqa: D301
    from openvet.cli.check import progress_line
    from openvet.cli.output import open_output
    from openvet.evidence.predicates.observation_v1 import MALICIOUS, NOTHING
    from openvet.sandbox.levels import NoIsolationError
    from openvet.workflows.detonate import Asked
    from openvet.workflows.detonate import detonate as run

    check_statement(ctx, asked)

    key = written_key(asked["sign"])
    wanted = Asked(asked["level"] or "", asked["accepted"], _bounds(asked), asked["python"] or "")
    with open_output(asked["output"], [model], utf8=asked["statement"] or asked["form"] == "json") as output:
        try:
            with progress_line(not asked["no_progress"]) as (progress, hide):
                found = run(model, wanted, progress)
                hide()
        except NoIsolationError as error:
            say(f"openvet: {error}")
            ctx.exit(_NO_ISOLATION)
        output.write(statement_line(found.statement, key) if asked["statement"] else _report(found, asked))
        output.commit()
    if asked["output"] not in {None, "-"}:
        say(f"openvet: the {'statement' if asked['statement'] else 'report'} is in {asked['output']}")
    verdict = found.observation.verdict
    ctx.exit(_MALICIOUS if verdict == MALICIOUS else 0 if verdict == NOTHING else _NOT_CLEAR)


def _bounds(asked: dict[str, Any]) -> Bounds:
    from math import ceil, isfinite

    from openvet.sandbox.supervisor import Bounds

    if not isfinite(asked["seconds"]):
        raise click.UsageError("--seconds has to be a number that is finite")
    memory = amount_of(asked["memory"], "--memory")
    return Bounds(seconds=asked["seconds"], cpu_seconds=ceil(asked["seconds"]) + 1, memory=memory)


def _report(found: Detonation, asked: dict[str, Any]) -> str:
    if asked["form"] == "json":
        from openvet.cli.signed import as_json

        return as_json(found.to_json())
    from openvet.reports.detonation import compose_detonation
    from openvet.reports.look import PLAIN

    look = look_of(sys.stdout) if asked["output"] in {None, "-"} else PLAIN
    return compose_detonation(found.subject.name, found.observation, look, everything=asked["everything"])
