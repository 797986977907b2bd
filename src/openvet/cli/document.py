"""``openvet document``: documents that laws and frameworks ask for, from evidence and from people's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from openvet.cli.days import day_of
from openvet.cli.decide import CONFIG_HELP, terms_of, trusting_of
from openvet.cli.options import with_options
from openvet.cli.packs import config_options, pack_options, verifier_for
from openvet.cli.terminal import say

if TYPE_CHECKING:
    from datetime import date

    from openvet.policy.paper import Paper
    from openvet.workflows.documents import Given

__all__ = ["document"]

_PATH = click.Path(readable=False)
_FORMS = ("markdown", "html", "json")
_LISTED = ("name", "pack", "title", "clause", "items")


@click.command(short_help="Write documents that laws and frameworks ask for, from evidence.")
@click.argument("name", metavar="NAME")
@click.argument("folder", metavar="[DOSSIER]", type=_PATH, required=False)
@click.option("--key", metavar="FILE", type=_PATH, help="The public key of the dossier's owner, in PEM.")
@with_options(pack_options())
@click.option("--as-of", metavar="DATE", help="The day that is asked about (2026-12-03); today if not given.")
@click.option(
    "--model",
    metavar="PATH",
    type=_PATH,
    help="With DOSSIER: the model, which is hashed and has to be what the dossier is about. Without: check this model now, and write from that.",
)
@click.option("--trust", metavar="FILE", type=_PATH, help="Whom you trust about which statements: a trust.toml.")
@click.option(
    "--checkpoint", metavar="FILE", type=_PATH, help="A checkpoint of the dossier's log, kept from an earlier day."
)
@with_options(config_options(CONFIG_HELP))
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(_FORMS),
    help="How to write it; markdown if not given, and json for oscal.",
)
@click.option("--output", "-o", metavar="FILE", type=_PATH, help="Write it to FILE: whole or not at all.")
@click.pass_context
def document(ctx: click.Context, /, **asked: Any) -> None:
    """Write the document NAME about the model of DOSSIER, from the statements in it and from people's answers. `openvet document list` lists
    the documents.

    Every line says how it is known (declared, derived, attested by whom and when, or open) and on which statement it rests. What only a person
    can write stays open until one has answered with `openvet attest --document NAME`; the questions stand at the end. A document is a
    draft: it judges nothing.

    \b
    Examples:
      openvet document list
      openvet document annex-iv ./dossier --key owner.key.pub --output annex-iv.md
      openvet document annex-iv ./dossier --key owner.key.pub --format html --output annex-iv.html
      openvet document checklist ./dossier --key owner.key.pub --policy nist-ai-rmf
      openvet document oscal ./dossier --key owner.key.pub --policy eu-ai-act --output results.json
      openvet document model-card --model ./my-model

    \b
    Exit codes:
      0    the document is written, whatever is open in it
      1    the dossier is not verified
      2    the command itself failed (no such document, a missing path)
    """  # noqa: D301
    from openvet.cli.output import open_output
    from openvet.errors import VerifyError

    told = ""
    if asked["name"] == "list":
        text = _list(asked)
    else:
        _check(asked)
        day = day_of(asked["as_of"])
        try:
            text, told = _written(asked, day)
        except VerifyError as error:
            say(f"NOT verified: {asked['folder']}: {error.reason}: {error.message}")
            ctx.exit(1)
    inputs = [each for each in (asked["folder"], asked["model"]) if each is not None]
    with open_output(asked["output"], inputs, utf8=True) as output:
        output.write(text)
        output.commit()
    if asked["output"] not in {None, "-"}:
        say(f"openvet: the document is in {asked['output']}{told}")


def _check(asked: dict[str, Any]) -> None:
    """What is missing, or does not go together."""
    if asked["folder"] is None and asked["model"] is None:
        raise click.UsageError("name the DOSSIER that it is written from, or --model")
    if asked["folder"] is not None and asked["key"] is None:
        raise click.UsageError("--key says whose the dossier is")
    if asked["folder"] is None and (asked["key"] or asked["trust"] or asked["checkpoint"]):
        raise click.UsageError("--key, --trust and --checkpoint belong to a DOSSIER")
    if asked["name"] in ("checklist", "oscal") and not asked["packs"]:
        raise click.UsageError(f"--policy says by which packs the {asked['name']} is made")
    if asked["name"] == "oscal" and asked["form"] not in (None, "json"):
        raise click.UsageError("OSCAL is written as JSON")
    if asked["name"] == "model-card" and asked["form"] not in (None, "markdown"):
        raise click.UsageError("a model card is Markdown")


def _given(asked: dict[str, Any], day: date) -> Given:
    from openvet.workflows.documents import given_dossier, given_report

    if asked["folder"] is not None:
        return given_dossier(asked["folder"], trusting_of(asked), *terms_of(asked))
    from openvet.workflows.check import Options, check_each
    from openvet.workflows.config import Config

    config = None if asked["config"] is None else Config.load(asked["config"])
    options = Options(config=config, today=day, also=("rights", "openness"))
    return given_report(next(check_each([asked["model"]], options)))


def _written(asked: dict[str, Any], day: date) -> tuple[str, str]:
    """The text, and what is told beside it: how far it is filled, and what asks for the rest."""
    from openvet.workflows.documents import card_of, checklists_of, decisions_of, find_document, paper_of
    from openvet.workflows.packs import load_held

    name = asked["name"]
    verify = verifier_for(asked, [asked["folder"], asked["model"]], day)
    packs = [load_held(each, day, verify=verify) for each in asked["packs"]]
    if name == "oscal":
        from openvet.reports.oscal import compose as compose_oscal

        given = _noted(asked, day)
        return compose_oscal(given.evidence.subject, decisions_of(packs, given, day), given.placed.lines), ""
    if name == "model-card":
        return card_of(_noted(asked, day)), ""
    attest = " ".join(["DOSSIER", *(f"--policy {each}" for each in asked["packs"])])
    if name == "checklist":
        attest += " --sign OWNER.key"
        papers = checklists_of(packs, _noted(asked, day), day)
    else:
        found, pack = find_document(name, asked["packs"], verify)
        attest += f" --document {name} --sign OWNER.key"
        papers = (paper_of(found, pack, _noted(asked, day), day),)
    return _composed(asked, papers, attest), _told(papers, attest)


def _told(papers: tuple[Paper, ...], attest: str) -> str:
    from openvet.reports._paper_words import tally
    from openvet.reports._text import plural

    questions = len({one.id for each in papers for one in each.asked})
    asks = f"; openvet attest {attest} asks {plural(questions, 'question')}" if questions else ""
    return f": {'; '.join(tally(each.lines) for each in papers)}{asks}"


def _noted(asked: dict[str, Any], day: date) -> Given:
    """What it is written from; what does not count is said."""
    given = _given(asked, day)
    for note in given.notes:
        say(f"openvet: {asked['folder']}: {note}")
    return given


def _composed(asked: dict[str, Any], papers: tuple[Paper, ...], attest: str) -> str:
    if asked["form"] == "json":
        return _json({"documents": [each.to_json() for each in papers]})
    if asked["form"] == "html":
        from openvet.reports.paper_html import compose as compose_html

        return compose_html(papers, attest)
    from openvet.reports.paper_markdown import compose

    return compose(papers, attest)


def _json(value: dict[str, Any]) -> str:
    import json

    from openvet.reports._text import clean
    from openvet.workflows.documents import DOCUMENT_TYPE
    from openvet.workflows.knowledge import tool

    whole = {"type": DOCUMENT_TYPE, "tool": tool().to_json(), **value}
    return json.dumps(clean(whole), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _list(asked: dict[str, Any]) -> str:
    from openvet.reports.text import table
    from openvet.workflows.documents import MADE, list_documents
    from openvet.workflows.packs import document_head

    found = [(pack, document_head(path)) for pack, _, path in list_documents(asked["packs"])]
    if asked["form"] == "json":
        known = [(each.id, pack, each.title, each.clause, each.items) for pack, each in found]
        rest = [*known, *((name, None, title, None, None) for name, title in MADE.items())]
        return _json({"list": [dict(zip(_LISTED, each, strict=True)) for each in rest]})
    rows = [[each.id, pack, f"{each.title} ({each.clause})"] for pack, each in found]
    rows += [[name, "", title] for name, title in MADE.items()]
    return "\n".join(table(rows, 100, wrap=True)) + "\n"
