"""``openvet bench``: how fast a model runs and what memory it takes, under the limits of a device."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from openvet.cli.device_options import device_option, list_devices
from openvet.cli.options import amount_of, form_option
from openvet.cli.running_options import asked_of, running_options
from openvet.cli.signed import check_statement, statement_line, written_key
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from openvet.profile.device import Device
    from openvet.workflows.bench import Asked, Benched

__all__ = ["bench"]

_PATH = click.Path(readable=False)
_CANNOT, _NOT_CERTIFIED = 1, 3
#: As in :data:`openvet.workflows.bench_work.ASKED`, which is not imported for a help text; a test holds the two together.
ASKED: Final = ("generate", "transcribe", "embed", "compute")


@click.command(short_help="Measure how fast a model runs, under the limits of a device.")
@click.argument("model", metavar="MODEL", type=_PATH)
@device_option("Limit memory to what this device has, and hold what is measured against the arithmetic for it: a name of --devices, or a FILE.toml with one device.", multiple=False)  # fmt: skip
@click.option("--devices", is_flag=True, is_eager=True, expose_value=False, callback=list_devices, help="List the devices that are known, with sources, and end.")  # fmt: skip
@click.option(
    "--limit-memory",
    metavar="BYTES",
    help="Limit memory to so much, such as 600M; page cache counts. No more than the --device has.",
)
@click.option("--limit-cpus", type=click.FloatRange(min=0, min_open=True), metavar="CORES", help="Limit processor time to so many cores' worth, such as 0.5.")  # fmt: skip
@click.option("--ask", "kind", type=click.Choice(ASKED), help="What is measured; the first of these that the model can do, if not given.")  # fmt: skip
@click.option("--input", "data", metavar="FILE", type=_PATH, help="What it is asked: lines of text, or a WAV (16 kHz, mono, 16 bits). Default: numbered words of ours.")  # fmt: skip
@click.option("--words", type=click.IntRange(1, 100_000), default=64, show_default=True, metavar="N", help="Of a prompt of ours.")  # fmt: skip
@click.option("--tokens", type=click.IntRange(1, 100_000), default=64, show_default=True, metavar="N", help="That a request may write.")  # fmt: skip
@click.option("--queries", type=click.IntRange(1, 1_000_000), default=1024, show_default=True, metavar="N", help="End after so many requests,")  # fmt: skip
@click.option("--for", "for_seconds", type=click.FloatRange(0.1, 86_400), default=60.0, show_default=True, metavar="SECONDS", help="or after so long, whichever comes first.")  # fmt: skip
@click.option("--starts", type=click.IntRange(1, 100), default=3, show_default=True, metavar="N", help="Cold starts.")
@running_options()
@form_option("How to print it; json has every digit.")
@click.option("--output", "-o", metavar="FILE", type=_PATH, help="Write it to FILE: whole or not at all.")
@click.option("--statement", is_flag=True, help="Give an in-toto statement in place of the report, for a dossier.")
@click.option("--sign", metavar="KEY", type=_PATH, help="The private key that signs the --statement.")
@click.option("--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal.")
@click.pass_context
def bench(ctx: click.Context, /, model: str, **asked: Any) -> None:
    """Measure how fast MODEL starts and answers, and what memory it takes, one request at a time, in a sandbox.

    Limits are kept by cgroups where that is allowed; else something weaker stands in, or nothing does, which is said. The model's
    files are taken out of the page cache before each start. What was measured is held against the arithmetic of `openvet profile`.

    The machine is watched: where others worked on it, or a limit was not kept, all figures are shown and none is certified.
    Energy is an estimate, and only there where the device's table has watts.

    \b
    Examples:
      openvet bench model.gguf --python ./venv/bin/python
      openvet bench model.gguf --device rpi5:4 --limit-cpus 1 --for 20
      openvet bench ./encoder --queries 1024 --format json
      openvet bench model.gguf --limit-memory 300M --statement --sign bench.key -o bench.json

    \b
    Exit codes:
      0    measured and certified
      1    it cannot be loaded, or does not answer, within the limits
      3    measured and not certified, or nothing here is enough to run it in
      2    the command itself failed
      130  interrupted with Ctrl-C; the child is gone
    """  # noqa: D301
    from openvet.cli.check import progress_line
    from openvet.cli.output import open_output
    from openvet.sandbox.levels import NoIsolationError
    from openvet.workflows.bench import bench as measure
    from openvet.workflows.bench_open import to_measure

    check_statement(ctx, asked)
    key = written_key(asked["sign"])
    wanted = _asked(asked)
    with open_output(asked["output"], [model], utf8=asked["statement"] or asked["form"] == "json") as output:
        try:
            with progress_line(not asked["no_progress"]) as (progress, hide):
                with to_measure(model, asked_of(asked), progress) as opened:
                    found = measure(opened, wanted, progress)
                hide()
        except NoIsolationError as error:
            say(f"openvet: {error}")
            ctx.exit(_NOT_CERTIFIED)
        output.write(statement_line(found.statement, key) if asked["statement"] else _report(found, asked))
        output.commit()
    if asked["output"] not in {None, "-"}:
        say(f"openvet: the {'statement' if asked['statement'] else 'report'} is in {asked['output']}")
    body = found.body
    ctx.exit(_CANNOT if body.outcome != "measured" else 0 if body.certified else _NOT_CERTIFIED)


def _asked(asked: dict[str, Any]) -> Asked:
    from openvet.workflows.bench import Asked
    from openvet.workflows.bench_says import memory_of
    from openvet.workflows.model_files import read_small

    device, file = _device(asked["device"])
    memory = None if asked["limit_memory"] is None else amount_of(asked["limit_memory"], "--limit-memory")
    if device is not None:
        there = memory_of(device)
        if memory is not None and memory > there:
            raise click.UsageError(
                f"--limit-memory {asked['limit_memory']!r} is more than {device.label} has for programs ({there} bytes): ask for less, or leave out --device"
            )
        memory = memory or there
    data = None if asked["data"] is None else read_small(asked["data"], 256 * 1024 * 1024)
    return Asked(
        asked["kind"] or "", data, asked["data"] or "", asked["words"], asked["tokens"], asked["queries"], asked["for_seconds"], asked["seconds"],
        asked["starts"], asked["threads"], memory, asked["limit_cpus"], device, file,
    )  # fmt: skip


def _device(named: str | None) -> tuple[Device | None, str]:
    if named is None:
        return None, ""
    import hashlib
    import os

    from openvet.workflows.devices import find_devices

    found = find_devices([named])
    if len(found) != 1:
        raise click.UsageError(f"--device {named!r} describes {len(found)} devices; one at a time is measured")
    digest = ""
    if os.path.isfile(named):
        with open(named, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
    return found[0], digest


def _report(found: Benched, asked: dict[str, Any]) -> str:
    if asked["form"] == "json":
        from openvet.cli.signed import as_json

        return as_json(found.to_json())
    from openvet.reports.bench import compose_bench
    from openvet.reports.look import PLAIN

    look = look_of(sys.stdout) if asked["output"] in {None, "-"} else PLAIN
    return compose_bench(found.subject.name, found.body.to_json(), look)
