"""``openvet origin``: who published and signed a model, and what speaks against it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from openvet.cli.options import complete_limits, form_option
from openvet.cli.signed import check_statement, statement_line, written_key
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from openvet.workflows.answer import Answer
    from openvet.workflows.origin import Asked

__all__ = ["ORIGINS_TYPE", "origin"]

ORIGINS_TYPE: Final = "https://openvet/origins/v1"
_PATH = click.Path(readable=False)


@click.command(short_help="Say who published and signed a model, and what looks wrong about that.")
@click.argument("model", metavar="MODEL", type=_PATH)
@form_option("How to print it; json lists everything.")
@click.option("--all", "everything", is_flag=True, help="List every name, not only the first ones.")
@click.option("--metadata", metavar="FILE", type=_PATH, multiple=True, help="What the hub says today: the JSON of /api/models/ORG/NAME, or of its commits. May be repeated.")  # fmt: skip
@click.option("--earlier", metavar="FILE", type=_PATH, multiple=True, help="The same from an earlier day, or an origin statement of that day: what changed is told. May be repeated.")  # fmt: skip
@click.option("--known", metavar="FOLDER", type=_PATH, help="Models, dossiers, statements and fingerprints that you know: the same tensors under another name are told.")  # fmt: skip
@click.option("--dossier", metavar="PATH", type=_PATH, help="A dossier about the model: who signed it.")
@click.option("--key", metavar="FILE", type=_PATH, help="The public key of the dossier's owner.")
@click.option("--trust", metavar="FILE", type=_PATH, help="Whom you trust about signatures: a trust.toml.")
@click.option("--at", metavar="TIME", help="Judge --trust as of this time (2026-11-28 or 2026-11-28T10:00:00Z); now if not given.")  # fmt: skip
@click.option("--trusted-root", metavar="FILE", type=_PATH, help="Sigstore's trusted root, for keyless signatures; that of the public instance if not given.")  # fmt: skip
@click.option("--digests", is_flag=True, help="Hash every byte too, so that the result names what it is about.")
@click.option("--output", "-o", metavar="FILE", type=_PATH, help="Write the report to FILE: whole or not at all.")
@click.option("--statement", is_flag=True, help="Give an in-toto statement about the model in place of the report.")
@click.option("--sign", metavar="KEY", type=_PATH, help="The private key that signs the --statement.")
@click.option("--jobs", "-j", type=click.IntRange(min=1, max=1024), metavar="N", help="Threads that hash files. Default: one for each core.")  # fmt: skip
@click.option("--exclude", multiple=True, metavar="GLOB", help="Do not read names that match. May be repeated.")
@click.option("--limit", "limits", multiple=True, metavar="NAME=VALUE", shell_complete=complete_limits, help="Change what one model may cost; `openvet doctor` lists the limits. May be repeated.")  # fmt: skip
@click.option("--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal.")
@click.pass_context
def origin(ctx: click.Context, /, model: str, **asked: Any) -> None:
    """Say who published and signed MODEL, under which name and law, as far as somebody declares or attests it. It decides nothing.

    MODEL is a folder, a file, hf:ORG/NAME or oci:REGISTRY/REPO. Names come from configurations, cards and headers; whose an account is from
    a table of known publishers. Names that look like a known publisher's, claims to be official, and what the hub says that does not go
    together are told; a guess is marked as one. With --known, models with the same tensors are found whatever they are called.

    \b
    Examples:
      openvet origin hf:org/name
      openvet origin --metadata today.json --earlier june.json ./my-model
      openvet origin --known ./models ./my-model
      openvet origin --dossier ./dossier --key owner.key.pub ./my-model

    \b
    Exit codes:
      0    the model was read, whatever is said about it
      1    not verified: the dossier is not its owner's, or is about another model
      2    the command itself failed (a missing path, a wrong argument)
      130  interrupted with Ctrl-C
    """  # noqa: D301
    from openvet.cli.check import progress_line, reading
    from openvet.cli.options import make_limits
    from openvet.cli.output import open_output
    from openvet.errors import VerifyError
    from openvet.workflows.check import Options
    from openvet.workflows.origin import ask_origin

    _check_options(ctx, asked)
    key = written_key(asked["sign"])
    options = Options(jobs=asked["jobs"] or 0, exclude=tuple(asked["exclude"]), limits=make_limits(asked["limits"]))
    inputs = [model, *asked["metadata"], *asked["earlier"]]
    with open_output(asked["output"], inputs, utf8=asked["statement"] or asked["form"] != "text") as output:
        try:
            with reading(model), progress_line(not asked["no_progress"]) as (progress, hide):
                found = ask_origin(
                    model, _asked(model, asked), options, progress, digests=asked["digests"] or asked["statement"]
                )
                hide()
        except VerifyError as error:
            say(f"openvet: {error.reason}: {error.message}")
            ctx.exit(1)
        output.write(_statement(found, key) if asked["statement"] else _report(found, asked))
        output.commit()
    if asked["output"] not in {None, "-"}:
        say(f"openvet: the {'statement' if asked['statement'] else 'report'} is in {asked['output']}")


def _check_options(ctx: click.Context, asked: dict[str, Any]) -> None:
    check_statement(ctx, asked)
    if (asked["dossier"] is None) != (asked["key"] is None):
        raise click.UsageError("--dossier and --key belong together: the dossier, and the public key of its owner")
    if asked["trust"] is None and (asked["at"] is not None or asked["trusted_root"] is not None):
        raise click.UsageError("--at and --trusted-root belong to --trust")
    if any(not each for each in asked["exclude"]):
        raise click.UsageError("--exclude '' matches nothing; give a pattern such as '*.md'")


def _asked(model: str, asked: dict[str, Any]) -> Asked:
    from openvet.workflows.origin import Asked

    lines = files = None
    if asked["trust"] is not None:
        from openvet.cli.signed import time_of
        from openvet.evidence.keyless import load_trusted_root
        from openvet.workflows.dossier_trust import DossierTrust
        from openvet.workflows.keys import read_pem
        from openvet.workflows.trust_file import load_trust
        from openvet.workflows.trusted import TrustCheck, name_of

        given, trust, at = asked["trusted_root"], load_trust(asked["trust"]), time_of(asked["at"])

        def root() -> Any:
            return load_trusted_root(None if given is None else read_pem(given))

        lines = DossierTrust(trust, at, name_of(model), root)
        files = TrustCheck(trust, at, name_of(model), (), root)
    return Asked(
        asked["metadata"],
        asked["earlier"],
        asked["known"] or "",
        asked["dossier"] or "",
        asked["key"] or "",
        lines,
        files,
    )


def _report(found: Answer, asked: dict[str, Any]) -> str:
    from openvet.evidence.predicates.origin_v1 import OriginV1
    from openvet.reports.look import PLAIN
    from openvet.reports.origin import compose_origin
    from openvet.reports.unread import compose_unread

    if asked["form"] == "json":
        from openvet.cli.signed import as_json
        from openvet.workflows.knowledge import tool

        return as_json({"type": ORIGINS_TYPE, "tool": tool().to_json(), "models": [found.to_json()], "errors": []})
    look = look_of(sys.stdout) if asked["output"] in {None, "-"} else PLAIN
    if not isinstance(found.predicate, OriginV1):
        raise TypeError("the answer is another one than was asked for")
    said = compose_origin(found.subject.name, found.predicate, look, everything=asked["everything"])
    return said + compose_unread(found.unknowns, look, everything=asked["everything"])


def _statement(found: Answer, key: Any) -> str:
    from openvet.errors import UsageError
    from openvet.evidence.statement import Statement

    if not found.subject.digest:
        raise UsageError("MODEL could not be hashed as a whole, so that a statement could not say what it is about")
    made = Statement(found.subject, found.predicate)
    return statement_line(made, key)
