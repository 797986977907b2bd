"""``openvet attest``: the questions that only people can answer, asked, and the answers put down as a signed statement."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.days import day_of
from openvet.cli.failures import INTERRUPTED
from openvet.cli.options import with_options
from openvet.cli.packs import config_options, pack_options, verifier_for
from openvet.cli.signed import written_key
from openvet.cli.terminal import is_terminal, look_of, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from openvet.evidence.predicates.answers_v1 import GivenAnswer
    from openvet.policy.pack import Question
    from openvet.reports.look import Look
    from openvet.workflows.attest import By
    from openvet.workflows.documents import Asking

__all__ = ["attest"]

_PATH = click.Path(readable=False)
_MANNERS = (
    "an answer may settle others, or bring some. Empty leaves a question open, Ctrl-D ends and keeps what was answered, "
    "Ctrl-C ends and leaves everything as it was."
)


@click.command(short_help="Answer what only people can, as a signed statement.")
@click.argument("folder", metavar="DOSSIER", type=_PATH, required=False)
@with_options(pack_options())
@click.option(
    "--document",
    "documents",
    metavar="NAME",
    multiple=True,
    help="A document (`openvet document list`) whose open lines are asked for. May be repeated.",
)
@click.option(
    "--sign", metavar="KEY", type=_PATH, help="The private key of the dossier's owner; with --output, your own."
)
@click.option(
    "--key", metavar="FILE", type=_PATH, help="The public key of the dossier's owner, where --sign is not theirs."
)
@click.option(
    "--answers",
    metavar="FILE",
    type=_PATH,
    help="Take the answers from this file, as --template writes one, and ask nothing.",
)
@click.option(
    "--template", is_flag=True, help="Write a file with the open questions, to be filled in, and ask nothing."
)
@click.option("--list", "listing", is_flag=True, help="List the open questions, and ask nothing.")
@with_options(
    config_options(
        "Use this openvet.toml: whom it trusts to sign packs; `openvet config` shows which one counts otherwise."
    )
)
@click.option("--by", "name", metavar="NAME", help="Who answers.")
@click.option("--role", metavar="ROLE", help="In which role.")
@click.option("--organisation", metavar="NAME", help="For whom.")
@click.option("--about", metavar="TEXT", help="The system that the answers are about; the model as such if not given.")
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="All questions of the packs, answered or not, and not only those that the decision waits for.",
)
@click.option("--date", "day", metavar="DATE", help="The day on which the answers are given; today if not given.")
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=_PATH,
    help="Write to FILE in place of the dossier: the template, or the signed statement.",
)
@click.pass_context
def attest(ctx: click.Context, /, **asked: Any) -> None:
    """Answer the questions of policy packs and documents about the model of DOSSIER: role, purpose, users, region, oversight and what else they need.

    Asked is what the decision or the document waits for by what is known, and no more. Each answer is kept with who gave it and when, in a statement that is signed and put into DOSSIER. Packs share their questions, so that what is
    answered once is not asked again until it expires. What is answered is somebody's word: decisions say so wherever they rest on it.

    Without DOSSIER, --template and --list show all questions of the packs.

    \b
    Examples:
      openvet attest ./dossier --policy eu-ai-act --sign owner.key --by "R. Lima"
      openvet attest ./dossier --document annex-iv --sign owner.key --by "R. Lima"
      openvet attest --policy eu-ai-act --template --output answers.yaml
      openvet attest ./dossier --policy eu-ai-act --sign owner.key --answers answers.yaml
      openvet attest ./dossier --policy eu-ai-act --key owner.key.pub --list

    \b
    Exit codes:
      0    the answers are in the dossier, or in --output
      1    the dossier is not verified
      2    the command itself failed; nothing was written
      130  interrupted with Ctrl-C; nothing was written (Ctrl-D keeps what was answered)
    """  # noqa: D301
    from openvet.errors import VerifyError

    try:
        _run(asked)
    except VerifyError as error:
        say(f"NOT verified: {asked['folder']}: {error.reason}: {error.message}")
        ctx.exit(1)


def _run(asked: dict[str, Any]) -> None:
    from openvet.cli.output import open_output
    from openvet.workflows.attest import template
    from openvet.workflows.documents import Asking, find_document
    from openvet.workflows.packs import load_held

    if not asked["packs"] and not asked["documents"]:
        raise click.UsageError("say with --policy or --document whose questions are asked")
    day = day_of(asked["day"], "--date")
    verify = verifier_for(asked, [asked["folder"]], day)
    documents = [find_document(each, asked["packs"], verify) for each in asked["documents"]]
    packs = tuple(load_held(each, day, verify=verify) for each in asked["packs"])
    asking = Asking(packs, tuple(documents), day)
    asks_nothing = asked["template"] or asked["listing"]
    if asked["folder"] is None and not asks_nothing:
        raise click.UsageError(
            "name the DOSSIER that the answers belong to; openvet check MODEL --dossier DIR makes one"
        )
    private = written_key(asked["sign"])
    evidence = None if asked["folder"] is None else _evidence(asked, private)
    questions = asking.open(None if asked["everything"] else evidence)
    if asks_nothing:
        with open_output(asked["output"], [], utf8=True) as output:
            output.write(template(asking.names, questions) if asked["template"] else _listed(questions))
            output.commit()
        if asked["output"] not in {None, "-"}:
            say(f"openvet: {_in(len(questions), 'question')} {asked['output']}")
        return
    if private is None or evidence is None:
        raise click.UsageError("--sign says whose statement the answers are")
    if not questions and asked["answers"] is None:
        say("openvet: nothing waits for an answer; --all asks every question")
        return
    by, answers = _answers(asked, questions, asking, evidence, day)
    _put(asked, private, evidence, by, answers)


def _evidence(asked: dict[str, Any], private: Any) -> Any:
    from openvet.policy.decision import Terms
    from openvet.workflows.decide import evidence_of_dossier
    from openvet.workflows.dossier import verify
    from openvet.workflows.keys import read_public

    if asked["key"] is None and private is None:
        raise click.UsageError("--key or --sign says whose the dossier is")
    key = private.public if asked["key"] is None else read_public(asked["key"])
    return evidence_of_dossier(verify(asked["folder"], key), Terms())[0]


def _answers(
    asked: dict[str, Any], questions: tuple[Question, ...], asking: Asking, evidence: Any, day: date
) -> tuple[By, tuple[GivenAnswer, ...]]:
    import textwrap
    from dataclasses import replace

    from openvet.workflows.attest import By, read_answers

    by = By(asked["name"] or "", asked["role"] or "", asked["organisation"] or "", asked["about"] or "")
    if asked["answers"] is not None:
        found = read_answers(asked["answers"], asking.every, day)
        stated = found.by or By("")
        named = {key: getattr(by, key) or getattr(stated, key) for key in ("name", "role", "organisation", "about")}
        return By(**named), found.answers
    if not is_terminal(sys.stdin):
        raise click.UsageError(
            "there is nobody to ask: standard input is no terminal; give --answers FILE (--template writes one)"
        )
    click.echo(
        "\n".join(textwrap.wrap(f"{_are(len(questions), 'question')} open; {_MANNERS}", look_of(sys.stderr).width)),
        err=True,
    )
    out: list[GivenAnswer] = []
    try:
        if not by.name:
            by = replace(by, name=click.prompt("Who answers", err=True))
        if asked["everything"]:
            for at, each in enumerate(questions):
                given = _ask(each, len(questions) - at, day)
                out += [] if given is None else [given]
        else:
            for given in _interview(questions, asking, evidence, by, day):
                out.append(given)
    except (click.Abort, KeyboardInterrupt) as error:
        click.echo("", err=True)
        if not isinstance(error.__context__, EOFError):
            say("openvet: interrupted; nothing was written, and no answer was kept")
            raise click.exceptions.Exit(INTERRUPTED) from None
    return by, tuple(out)


def _interview(
    questions: tuple[Question, ...], asking: Asking, evidence: Any, by: By, day: date
) -> Iterator[GivenAnswer]:
    """Ask what waits for an answer, one by one; after each answer that may be something else."""
    from dataclasses import replace

    from openvet.workflows.attest import answers_statement, hold

    out: list[GivenAnswer] = []
    passed: set[str] = set()
    while left := [each for each in questions if each.id not in passed]:
        given = _ask(left[0], len(left), day)
        passed.add(left[0].id)
        if given is None:
            continue
        yield given
        out.append(given)
        known = hold(answers_statement(evidence.subject, by, out))
        questions = asking.open(replace(evidence, answers=(*evidence.answers, known)))


def _ask(each: Question, left: int, day: date) -> GivenAnswer | None:
    """Ask one question until the answer is one. An empty answer leaves it open."""
    from openvet.errors import UsageError
    from openvet.workflows.attest import answer_of

    click.echo(f"\n{_question(each, look_of(sys.stderr), f'{left} open')}", err=True)
    while True:
        text = click.prompt(">", default="", show_default=False, prompt_suffix=" ", err=True).strip()
        if not text:
            return None
        try:
            return answer_of(each, text, day)
        except UsageError as error:
            click.echo(str(error), err=True)


def _question(each: Question, look: Look, number: str) -> str:
    import textwrap

    from openvet.reports._text import visible

    # a pack may be anybody's: what it asks is no terminal's command
    lines = [
        f"{look.paint(number, 'dim')}  {look.paint(each.id, 'bold')}",
        *textwrap.wrap(visible(each.ask), look.width),
    ]
    for value, said in each.choices.items():
        lines += textwrap.wrap(
            visible(f"{value}: {said}"),
            look.width,
            initial_indent="  ",
            subsequent_indent="    ",
            break_on_hyphens=False,
        )
    if each.why:
        lines += [look.paint(line, "dim") for line in textwrap.wrap(visible(each.why), look.width)]
    hint = {"yes-no": "yes or no", "one-of": "one of these", "many-of": "any of these, with commas", "text": "text", "number": "a number", "date": "a day such as 2026-11-28", "document": "its path or address, or no"}  # fmt: skip
    lines.append(look.paint(f"({hint[each.type]}; empty leaves it open)", "dim"))
    return "\n".join(lines)


def _listed(questions: tuple[Question, ...]) -> str:
    from openvet.reports.look import PLAIN
    from openvet.reports.pack import compose_questions

    return compose_questions(questions, PLAIN)


def _put(asked: dict[str, Any], private: Any, evidence: Any, by: By, answers: tuple[GivenAnswer, ...]) -> None:
    from openvet.cli.output import open_output
    from openvet.evidence.signing import sign_statement, to_line
    from openvet.workflows.attest import answers_statement
    from openvet.workflows.dossier import fill

    statement = answers_statement(evidence.subject, by, answers)
    day = day_of(asked["day"], "--date")
    if day > day_of(None):
        say(f"openvet: {day.isoformat()} has not come: no decision counts these answers before it")
    if asked["output"] is not None:
        with open_output(asked["output"], [asked["folder"]], utf8=True) as output:
            output.write(f"{to_line(sign_statement(statement, private)).decode('utf-8')}\n")
            output.commit()
        say(f"openvet: {_in(len(answers), 'answer')} {asked['output']}")
        return
    lines = fill(asked["folder"], private, [statement])
    where = f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}" if lines else "it had them already"
    say(f"openvet: {_in(len(answers), 'answer')} the dossier {asked['folder']}: {where}")


def _in(count: int, what: str) -> str:
    return f"{_are(count, what)} in"


def _are(count: int, what: str) -> str:
    from openvet.reports._text import plural

    return f"{plural(count, what)} {'is' if count == 1 else 'are'}"
