"""``openvet fingerprint``: a small sketch of a model's weights, as a statement."""

from __future__ import annotations

from typing import Any

import click

from openvet.cli.options import complete_limits
from openvet.cli.signed import statement_line, written_key
from openvet.cli.terminal import say

__all__ = ["fingerprint"]

_PATH = click.Path(readable=False)


@click.command(short_help="Write a small sketch of a model's weights, by which it is known again.")
@click.argument("model", metavar="MODEL", type=_PATH)
@click.option("--output", "-o", metavar="FILE", type=_PATH, help="Write it to FILE: whole or not at all.")
@click.option("--sign", metavar="KEY", type=_PATH, help="The private key that signs it.")
@click.option("--jobs", "-j", type=click.IntRange(min=1, max=1024), metavar="N", help="Threads that hash and sketch. Default: one for each core.")  # fmt: skip
@click.option("--exclude", multiple=True, metavar="GLOB", help="Do not read names that match. May be repeated.")
@click.option("--limit", "limits", multiple=True, metavar="NAME=VALUE", shell_complete=complete_limits, help="Change what the model may cost; `openvet doctor` lists the limits. May be repeated.")  # fmt: skip
@click.option("--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal.")
def fingerprint(model: str, **asked: Any) -> None:
    """Write a fingerprint of MODEL: a statement of about 1.5 MB, by which `openvet lineage` knows the model and what was made of it.

    It holds some rows and columns of each matrix, norms, and digests of the files beside the weights. Who has it can test other
    models against this one and needs no weights; the weights cannot be made of it. The same model gives the same bytes. MODEL is a
    folder, file or archive in safetensors, GGUF or PyTorch form. Nothing is executed. It needs NumPy: pip install
    'openvet[numbers]'.

    \b
    Examples:
      openvet fingerprint ./my-model > my-model.fingerprint.json
      openvet fingerprint --sign release.key --output my-model.fingerprint.json ./my-model

    \b
    Exit codes:
      0    it is written
      2    the command itself failed (a missing path, no weights that could be read)
      130  interrupted with Ctrl-C
    """  # noqa: D301
    from openvet.cli.check import progress_line, reading
    from openvet.cli.options import make_limits
    from openvet.cli.output import open_output
    from openvet.cli.signed import hash_fast
    from openvet.errors import UsageError
    from openvet.workflows.check import Options
    from openvet.workflows.fingerprints import fingerprint as sketch

    if any(not each for each in asked["exclude"]):
        raise click.UsageError("--exclude '' matches nothing; give a pattern such as '*.md'")
    key = written_key(asked["sign"])
    options = Options(jobs=asked["jobs"] or 0, exclude=tuple(asked["exclude"]), limits=make_limits(asked["limits"]))
    hash_fast()
    with open_output(asked["output"], [model], utf8=True) as output:
        with reading(model), progress_line(not asked["no_progress"]) as (progress, hide):
            found = sketch(model, options, progress)
            hide()
        if not found.subject.digest:
            raise UsageError(
                "the model could not be hashed as a whole, so that a statement could not say what it is about"
            )
        output.write(statement_line(found.statement, key))
        output.commit()
    for each in found.predicate.not_sketched:
        say(f"openvet: not in the sketch: {f'{each.place}: ' if each.place else ''}{each.reason}")
    if asked["output"] not in {None, "-"}:
        say(f"openvet: the statement is in {asked['output']}")
