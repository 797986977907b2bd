"""``openvet advisories``: which published problems of loaders and packages a model reaches."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.failures import FAILED
from openvet.cli.options import reading_options
from openvet.cli.terminal import look_of

if TYPE_CHECKING:
    from openvet.reports.report import NotChecked
    from openvet.workflows.advisories import Judged

__all__ = ["advisories"]

_HIT = 1
_PATH = click.Path(readable=False)
_FORMS = click.Choice(["text", "json", "openvex", "cyclonedx"])


@click.command(short_help="Say which published problems of loaders a model reaches.")
@click.option("--format", "-f", "form", type=_FORMS, default="text", show_default=True, help="How to print it; json lists everything, the last two are VEX documents.")  # fmt: skip
@click.option("--advisories", "more", metavar="PATH", type=_PATH, multiple=True, help="More advisories in OSV's form: a folder, a file, or a zip as osv.dev publishes it. May be repeated.")  # fmt: skip
@click.option("--as-of", metavar="DATE", help="Judge as of this day (2026-11-28): what was published later does not count.")  # fmt: skip
@click.option("--loader", "loaders", metavar="NAME==VERSION", multiple=True, help="A program that you load models with, such as torch==2.5.1. May be repeated.")  # fmt: skip
@click.option("--vex", metavar="FILE", type=_PATH, multiple=True, help="What somebody says of these problems (OpenVEX, CycloneDX); shown beside, and nothing is hidden for it. May be repeated.")  # fmt: skip
@click.option("--key", metavar="FILE", type=_PATH, help="The public key of a dossier's owner, or of who signed a statement.")  # fmt: skip
@click.option(
    "--every", is_flag=True, help="Name each problem of packages that are only named, and not only the worst."
)
@click.option("--digests", is_flag=True, help="Hash every byte too, so that the result names what it is about.")
@reading_options
@click.pass_context
def advisories(ctx: click.Context, /, **asked: Any) -> None:
    """Say which published problems of loaders and packages a model reaches, which versions have them and what to do.

    PATH is a model, a dossier, a file of signed statements, or a bill of materials (CycloneDX, SPDX). A model is read and the rules are
    run: what they find decides which loader falls for it. Of a dossier only the statements are taken, so that newer advisories can be
    asked about a model that is not here any more. Advisories ship with OpenVet, and say how old they are; nothing is fetched.

    \b
    Examples:
      openvet advisories ./my-model
      openvet advisories ./my-model --loader torch==2.10.0 --loader transformers==5.5.0
      openvet advisories ./dossier --key owner.key.pub --advisories all.zip
      openvet advisories bom.json --format openvex

    \b
    Exit codes:
      0    nothing that is known is reached
      1    a loader is reached that is not known to be well, or a version is named that is affected
      2    the command itself failed (a missing path, a dossier that is not verified)
      130  interrupted with Ctrl-C
    """  # noqa: D301
    from openvet.cli.check import look_for_config, make_options, read_each
    from openvet.cli.output import open_output
    from openvet.cli.paths import expand
    from openvet.reports.advisories import subject
    from openvet.reports.look import PLAIN
    from openvet.workflows.advisories import Asked, judge
    from openvet.workflows.keys import read_public

    paths = expand(asked["paths"])
    now = datetime.now(UTC)
    as_of = _day(asked["as_of"])
    found = look_for_config(asked, paths)
    options = make_options(asked, found.config, with_inventory=True)
    machine = asked["form"] != "text"
    documents = asked["form"] in {"openvex", "cyclonedx"}
    if documents and len(paths) > 1:
        raise click.UsageError(f"--format {asked['form']} is one document about one PATH")
    how = Asked(
        tuple(asked["more"]),
        tuple(asked["vex"]),
        tuple(asked["loaders"]),
        as_of,
        None if asked["key"] is None else read_public(asked["key"]),
        asked["digests"] or documents,
    )
    answers: list[Judged] = []
    errors: list[NotChecked] = []
    look = PLAIN if asked["output"] not in {None, "-"} else look_of(sys.stdout)
    with open_output(asked["output"], paths, utf8=machine) as output:
        for result in read_each(
            paths, lambda path, progress: judge(path, how, options, progress), show_progress=not asked["no_progress"]
        ):
            if not isinstance(result, list):
                errors.append(result)
                continue
            for each in result:
                answers.append(each)
                if not machine:
                    start = "\n" if len(answers) > 1 else ""
                    text = subject(
                        each.path, each.advisories, as_of or now.date(), look, each.notes, every=asked["every"]
                    )
                    output.write(start + text)
        if asked["form"] == "json":
            output.write(_as_json(answers, errors, as_of or now.date()))
        elif documents and answers:
            output.write(_document(answers, asked["form"], now))
        output.commit()
    ctx.exit(FAILED if errors else _HIT if any(each.hit for each in answers) else 0)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--as-of {text!r}: write a day such as 2026-11-28") from None


def _as_json(answers: Sequence[Judged], errors: Sequence[NotChecked], today: date) -> str:
    import json

    from openvet.reports._text import clean
    from openvet.reports.advisories import age_in_days, is_stale
    from openvet.workflows.advisories import ADVISORIES_TYPE
    from openvet.workflows.knowledge import tool

    value = {
        "type": ADVISORIES_TYPE,
        "tool": tool().to_json(),
        "subjects": [
            each.to_json()
            | {"hit": each.hit, "age": age_in_days(each.advisories, today), "stale": is_stale(each.advisories, today)}
            for each in answers
        ],
        "errors": [each.to_json() for each in errors],
    }
    return json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _document(answers: Sequence[Judged], form: str, now: datetime) -> str:
    import json

    from openvet.reports import vex
    from openvet.reports._text import clean

    if len(answers) > 1:
        raise click.UsageError(f"--format {form} is one document about one subject, and there are {len(answers)} here")
    make = vex.openvex if form == "openvex" else vex.cyclonedx
    value = make(answers[0].subject, answers[0].advisories, now)
    return json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
