"""``openvet policy``: the packs that decisions are made by: which there are, what they ask for, whether they make sense."""

from __future__ import annotations

import sys
from typing import Any

import click

from openvet.cli.options import form_option
from openvet.cli.terminal import look_of, say

__all__ = ["policy"]

_WRONG = 1


@click.group(short_help="Show, check and test the packs that decisions are made by.")
def policy() -> None:
    """Show, check and test policy packs: dated requirements as data, each with its clause, its source and a condition.

    PACK is the id of a pack that ships with OpenVet (`openvet policy list`) or the path of your own. How one is written says the guide
    "Writing a policy pack". What looks into a pack needs the extra openvet[policy].

    \b
    Examples:
      openvet policy list
      openvet policy show baseline
      openvet policy explain eu-ai-act EU-53.1d-P
      openvet policy crosswalk baseline eu-ai-act
      openvet policy lint ./our-pack
      openvet policy test ./our-pack
    """  # noqa: D301


def _print(form: str, value: Any, text: str) -> None:
    import json

    from openvet.cli.output import StandardOutput, write_text
    from openvet.reports._text import clean

    if form == "json":
        StandardOutput(utf8=True).write(json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        write_text(look_of(sys.stdout).finish(text))


@policy.command("list", short_help="List the packs.")
@form_option("How to print them.")
def list_(form: str) -> None:
    """List the packs that ship with OpenVet and with its plug-ins."""
    from openvet.reports.pack import compose_list, pack_head
    from openvet.workflows.packs import list_packs, read_only

    packs = [read_only(name) for name in list_packs()]
    value = [{**pack_head(each), "requirements": len(each.requirements)} for each in packs]
    _print(form, value, compose_list(packs, look_of(sys.stdout)))


@policy.command(short_help="Show what a pack asks for.")
@click.argument("pack")
@form_option("How to print it; json has every condition.")
def show(pack: str, form: str) -> None:
    """Show what PACK asks for: its requirements with clause, level and day, its sources and its questions."""
    from openvet.reports.pack import compose_pack, pack_json
    from openvet.workflows.packs import load_pack

    found = load_pack(pack)
    _print(form, pack_json(found), compose_pack(found, look_of(sys.stdout)))


@policy.command(short_help="Explain one requirement of a pack.")
@click.argument("pack")
@click.argument("requirement")
@form_option("How to print it.")
def explain(pack: str, requirement: str, form: str) -> None:
    """Explain REQUIREMENT of PACK: when it applies, what it needs, what decides it, and what to do."""
    from openvet.errors import UsageError
    from openvet.reports.pack import compose_requirement, requirement_json
    from openvet.workflows.packs import load_pack

    found = load_pack(pack)
    known = {each.requirement.id: each for each in found.requirements}
    if requirement not in known:
        from difflib import get_close_matches

        near = get_close_matches(requirement, known, 3, 0.5)
        advice = f"did you mean {' or '.join(near)}?" if near else f"`openvet policy show {pack}` lists them"
        raise UsageError(f"there is no requirement {requirement!r} in {found.pack.id}; {advice}")
    line = known[requirement]
    _print(form, requirement_json(line, found), compose_requirement(line, found, look_of(sys.stdout)))


@policy.command(short_help="List the names that conditions can use.")
@form_option("How to print them.")
def facts(form: str) -> None:
    """List the facts that conditions can use, with their types and the statements that they come from."""
    from openvet.policy.vocabulary import VOCABULARY
    from openvet.reports.text import table

    rows = [[each.name, each.type, each.text] for each in VOCABULARY.values()]
    value = [
        {"name": each.name, "type": each.type, "kind": each.kind, "text": each.text} for each in VOCABULARY.values()
    ]
    _print(form, value, "\n".join(table(rows, look_of(sys.stdout).width, wrap=True)) + "\n")


@policy.command(short_help="List the questions that packs share.")
@form_option("How to print them.")
def questions(form: str) -> None:
    """List the questions of the catalogue that all packs may use; a pack's own are in `openvet policy show`."""
    from openvet.reports.pack import compose_questions, question_json
    from openvet.workflows.packs import catalogue

    found = tuple(catalogue().questions.values())
    _print(form, [question_json(each) for each in found], compose_questions(found, look_of(sys.stdout)))


@policy.command(short_help="Say which evidence serves which requirement, in all packs.")
@click.argument("packs", nargs=-1, metavar="[PACK...]")
@form_option("How to print it; json has every requirement.")
def crosswalk(packs: tuple[str, ...], form: str) -> None:
    """Say which kind of statement, which fact and which question serves which requirement of each PACK; of all that ship where none is named.

    A name settles a requirement where its condition rests on it. It bears on a requirement where it only says whether that applies, from when,
    whether it can be known, or what is named where it does not hold. Nothing here is written by hand: it is read off the conditions.
    """
    from openvet.policy.crosswalk import cross
    from openvet.reports.crosswalk import compose_crosswalk, crosswalk_json
    from openvet.workflows.packs import list_packs, load_pack

    found = cross([load_pack(name) for name in dict.fromkeys(packs or list_packs())])
    _print(form, crosswalk_json(found), compose_crosswalk(found, look_of(sys.stdout)))


@policy.command(short_help="Say whether packs make sense.")
@click.argument("packs", nargs=-1, required=True, metavar="PACK...")
@click.option("--as-of", metavar="DATE", help="The day by which waivers have to hold (2026-11-28); today if not given.")
@click.pass_context
def lint(ctx: click.Context, /, packs: tuple[str, ...], as_of: str | None) -> None:
    """Say whether each PACK makes sense: fields, names and types of conditions, clauses and sources, waivers, cases.

    \b
    Exit codes:
      0    every pack makes sense
      1    one does not; what is wrong is named with its line
      2    the command itself failed
    """  # noqa: D301
    from openvet.cli.days import day_of
    from openvet.policy.yaml_reader import PackError
    from openvet.reports._text import plural
    from openvet.workflows.packs import lint_pack

    code = 0
    for name in packs:
        try:
            found, notes = lint_pack(name, day_of(as_of))
        except PackError as error:
            code = _WRONG
            for problem in error.problems:
                say(problem)
            continue
        for note in notes:
            say(note)
        pack = found.pack
        click.echo(
            f"{pack.name}: {plural(len(found.requirements), 'requirement')}, {plural(len(found.questions), 'question')}: makes sense"
        )
    ctx.exit(code)


@policy.command(short_help="Run the cases of packs.")
@click.argument("packs", nargs=-1, required=True, metavar="PACK...")
@click.pass_context
def test(ctx: click.Context, /, packs: tuple[str, ...]) -> None:
    """Run the cases that lie beside each PACK, and say which do not come as they say.

    \b
    Exit codes:
      0    all cases come as expected
      1    some do not, or there are none
      2    the command itself failed
    """  # noqa: D301
    from openvet.policy.cases import run_case
    from openvet.policy.yaml_reader import PackError
    from openvet.reports._text import plural
    from openvet.workflows.packs import load_pack, pack_cases

    code = 0
    for name in packs:
        try:
            found = load_pack(name)
            cases = pack_cases(name, found)
        except PackError as error:
            code = _WRONG
            for problem in error.problems:
                say(problem)
            continue
        problems = [problem for case in cases for problem in run_case(case, found)]
        for problem in problems:
            say(problem)
        code = _WRONG if problems or not cases else code
        click.echo(f"{found.pack.name}: {plural(len(cases), 'case')}, {len(problems)} not as expected")
        if not cases:
            say(
                f"openvet: {name}: no case lies in `cases/` beside pack.yaml; a case says what the pack has to make of given facts"
            )
    ctx.exit(code)
