"""``openvet decide``: what policy packs make of dossiers, and what changes on a day or with another pack."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.days import day_of
from openvet.cli.options import form_option, with_options
from openvet.cli.packs import advisories_option, config_options, pack_options, verifier_for
from openvet.cli.policies import FAIL_ON, fails_on
from openvet.cli.signed import written_key
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from openvet.evidence.keys import PrivateKey
    from openvet.evidence.predicates.decision_v1 import DecisionV1
    from openvet.policy.compiled import CompiledPack
    from openvet.workflows.decide import Change, Decided, Trusting
    from openvet.workflows.signed_packs import Verify

__all__ = ["CONFIG_HELP", "decide", "terms_of", "trusting_of"]

_PATH = click.Path(readable=False)
#: Columns at least: two outcomes are longer than half of a narrow screen, and are not cut.
_WIDE = 100
#: As in :data:`openvet.workflows.pack_results.RESULTS`, which is not imported for a help text; a test holds the two together.
RESULTS = ("decision", "svr", "vsa")
CONFIG_HELP = "The openvet.toml whose acceptances count. Whom it trusts to sign packs counts without this too, of the one that `openvet config` shows."


@click.command(short_help="Decide by policy packs, from the evidence in dossiers alone.")
@click.argument("paths", metavar="DOSSIER...", type=_PATH, nargs=-1, required=True)
@with_options(pack_options(required=True))
@click.option("--key", metavar="FILE", type=_PATH, required=True, help="The public key of the dossiers' owner, in PEM.")
@click.option("--as-of", metavar="DATE", help="The day that is asked about (2026-12-03); today if not given.")
@click.option("--since", metavar="DATE", help="Say only what changes from this day to --as-of.")
@click.option(
    "--before", metavar="PACK", help="Say only what changes from this pack, such as an older snapshot of the law."
)
@click.option("--trust", metavar="FILE", type=_PATH, help="Whom you trust about which statements: a trust.toml.")
@click.option(
    "--checkpoint", metavar="FILE", type=_PATH, help="A checkpoint of the dossier's log, kept from an earlier day."
)
@click.option(
    "--model", metavar="PATH", type=_PATH, help="The model, which is hashed and has to be what the dossier is about."
)
@with_options(config_options(CONFIG_HELP))
@advisories_option("by which the facts in DOSSIER are judged again")
@click.option(
    "--statement",
    "statements",
    type=click.Choice(RESULTS),
    metavar="KIND",
    multiple=True,
    help="Give the decisions as in-toto statements in place of the report, one a line: KIND is decision, which says everything, svr or vsa. May be repeated.",
)
@click.option(
    "--resource",
    metavar="URI",
    help="For vsa: the URI under which users know the model; made from its digest if not given.",
)
@click.option("--sign", metavar="KEY", type=_PATH, help="The private key that signs the --statement.")
@click.option("--all", "everything", is_flag=True, help="Show every line and step, and not only what is open.")
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    default="review",
    show_default=True,
    help="The mildest decision that fails, or the outcome of a requirement, as in `openvet check`.",
)
@click.option("--output", "-o", metavar="FILE", type=_PATH, help="Write it to FILE: whole or not at all.")
@form_option("How to print it; json has every line.")
@click.pass_context
def decide(ctx: click.Context, /, **asked: Any) -> None:
    """Decide by policy packs from the evidence in DOSSIER, with no network and without the model.

    DOSSIER is a folder or zip of `openvet dossier`, or a folder that holds several. The same statements, pack, day and configuration give the
    same bytes, whenever and wherever: `--statement decision` prints them, and --sign signs them.

    \b
    Examples:
      openvet decide ./dossier --key owner.key.pub --policy baseline
      openvet decide ./dossiers --key owner.key.pub --policy strict --since 2026-11-28
      openvet decide ./dossier --key owner.key.pub --policy baseline --statement vsa --sign me.key

    \b
    Exit codes:
      0    every pack admits every model
      1    one rejects, or a dossier is not verified
      2    the command itself failed (a pack that makes no sense, a missing path)
      3    none rejects, and one leaves it to a person
    """  # noqa: D301
    from openvet.cli.output import open_output
    from openvet.errors import VerifyError
    from openvet.workflows.decide import decide_dossier, find_dossiers
    from openvet.workflows.packs import load_held

    as_of = day_of(asked["as_of"])
    _fit(asked, as_of)
    verify = verifier_for(asked, [*asked["paths"], asked["model"]], as_of)
    packs = [load_held(each, as_of, verify=verify) for each in asked["packs"]]
    earlier = _earlier(asked, packs, verify)
    trusting, terms, configuration = trusting_of(asked), *terms_of(asked)
    dossiers = [each for path in asked["paths"] for each in find_dossiers(path)]
    if asked["resource"] is not None and len(dossiers) > 1:
        raise click.UsageError(f"--resource is of one model, and there are {len(dossiers)} dossiers here")
    private = written_key(asked["sign"])
    found: list[Decided] = []
    compared: list[tuple[Decided, DecisionV1, DecisionV1]] = []
    refused = 0
    with open_output(asked["output"], dossiers, utf8=asked["form"] == "json" or bool(asked["statements"])) as output:
        for path in dossiers:
            try:
                each = decide_dossier(path, trusting, packs, as_of, terms, configuration, asked["advisories"])
            except VerifyError as error:
                refused += 1
                say(f"NOT verified: {path}: {error.reason}: {error.message}")
                continue
            found.append(each)
            for note in each.notes:
                say(f"openvet: {each.path}: {note}")
            if asked["since"] or asked["before"]:
                day = day_of(asked["since"], "--since") if asked["since"] else as_of
                before = decide_dossier(path, trusting, earlier, day, terms, configuration, asked["advisories"])
                compared += [(each, *pair) for pair in zip(before.decisions, each.decisions, strict=True)]
                if asked["form"] == "text":
                    output.write("".join(_changed(*one) for one in compared[-len(packs) :]))
            elif asked["statements"]:
                output.write(_statements(each, private, asked))
            elif asked["form"] == "text":
                output.write(_text(each, len(found) > 1, asked))
        if asked["form"] == "json" and not asked["statements"]:
            output.write(_json(found, as_of, compared if asked["since"] or asked["before"] else None))
        output.commit()
    ctx.exit(1 if refused else _code(found, asked["fail_on"]))


def _code(found: Sequence[Decided], fail_on: str) -> int:
    """The exit code of what was decided."""
    verdicts = {each.verdict for each in found}
    lines = [line for each in found for decision in each.decisions for line in decision.lines if line.waived is None]
    if fails_on(fail_on, {each.outcome for each in lines}) or ("reject" in verdicts and fail_on != "never"):
        return 1
    return 3 if "review" in verdicts and fail_on not in ("reject", "never") else 0


def trusting_of(asked: dict[str, Any]) -> Trusting:
    """Whom the options believe about a dossier."""
    from openvet.workflows.decide import Trusting
    from openvet.workflows.keys import read_public

    by = None
    if asked["trust"] is not None:
        from openvet.cli.signed import time_of
        from openvet.evidence.keyless import load_trusted_root
        from openvet.workflows.dossier_trust import DossierTrust
        from openvet.workflows.trust_file import load_trust

        by = DossierTrust(load_trust(asked["trust"]), time_of(asked["as_of"]), "", lambda: load_trusted_root(None))
    return Trusting(read_public(asked["key"]), by, asked["checkpoint"], asked["model"])


def terms_of(asked: dict[str, Any]) -> tuple[Any, str]:
    """What the team accepts, and the digest of the file that says so."""
    from openvet.policy.decision import Terms

    if asked["config"] is None:
        return Terms(), ""
    from openvet.workflows import assemble
    from openvet.workflows.check import Options
    from openvet.workflows.config import Config

    config = Config.load(asked["config"])
    return assemble.terms_of(Options(config=config, today=day_of(asked["as_of"])).settled()), config.digest


def _fit(asked: dict[str, Any], as_of: date) -> None:
    """Refuse options that exclude each other, before anything is read."""
    if asked["sign"] and not asked["statements"]:
        raise click.UsageError("--sign belongs to --statement")
    if asked["resource"] is not None and "vsa" not in asked["statements"]:
        raise click.UsageError("--resource belongs to --statement vsa")
    if asked["statements"] and (asked["since"] or asked["before"]):
        raise click.UsageError("--statement gives decisions, and --since and --before what changes: one of the two")
    if asked["since"] and asked["before"]:
        raise click.UsageError("--since and --before exclude each other: what changes by the day, or by the pack")
    if asked["since"] and day_of(asked["since"], "--since") > as_of:
        raise click.UsageError(
            f"--since {asked['since']} lies after --as-of {as_of.isoformat()}: give the earlier day as --since"
        )


def _earlier(asked: dict[str, Any], packs: list[CompiledPack], verify: Verify | None) -> list[CompiledPack]:
    """The packs that are compared with: by the day the same, by the pack another."""
    from openvet.workflows.packs import load_pack

    if not asked["before"]:
        return packs
    if len(packs) != 1:
        raise click.UsageError("--before compares one pack with another: give --policy once")
    return [load_pack(asked["before"], verify=verify)]


def _statements(each: Decided, key: PrivateKey | None, asked: dict[str, Any]) -> str:
    from openvet.evidence.signing import sign_statement, statement_bytes, to_line
    from openvet.workflows.pack_results import result_statement

    made = [
        result_statement(kind, each.subject, decision, asked["resource"] or "")
        for decision in each.decisions
        for kind in dict.fromkeys(asked["statements"])
    ]
    lines = [statement_bytes(one) if key is None else to_line(sign_statement(one, key)) for one in made]
    return "".join(f"{line.decode('utf-8')}\n" for line in lines)


def _text(each: Decided, further: bool, asked: dict[str, Any]) -> str:
    from openvet.reports.look import PLAIN
    from openvet.reports.policy import compose_decision

    look = PLAIN if asked["output"] not in {None, "-"} else look_of(sys.stdout)
    name = each.subject.name or each.path
    parts = [compose_decision(name, one, look, everything=asked["everything"]) for one in each.decisions]
    return ("\n" if further else "") + "\n".join(parts)


def _changed(each: Decided, before: DecisionV1, after: DecisionV1) -> str:
    from openvet.reports._text import plural, visible
    from openvet.reports.text import table
    from openvet.workflows.decide import changes, gained, lapsed

    found = changes(before, after)
    over, new = lapsed(before, after), gained(before, after)
    head = (
        f"{visible(each.subject.name or each.path)}: {before.pack.name} as of {before.as_of} -> {after.pack.name} as of {after.as_of}: "
        f"{before.verdict} -> {after.verdict}, {plural(len(found), 'line')} otherwise"
    )
    rows = [
        ["", visible(one.requirement), f"{one.before} -> {one.after}", f"{visible(one.title)}{_days(one)}"]
        for one in found
    ]
    width = max(look_of(sys.stdout).width, _WIDE)
    lines = [head, *table(rows, width, wrap=True)]
    if over:
        said = f"{plural(len(over), 'answer')} that counted no longer {'do' if len(over) > 1 else 'does'} as of {after.as_of}: {', '.join(map(visible, over))}"
        lines += table([["", said]], width, wrap=True)
    if new and before.as_of != after.as_of:
        said = f"{plural(len(new), 'answer')} {'count' if len(new) > 1 else 'counts'} as of {after.as_of} and not as of {before.as_of}, being of a later day: {', '.join(map(visible, new))}"
        lines += table([["", said]], width, wrap=True)
    return "".join(f"{line}\n" for line in lines)


def _days(one: Change) -> str:
    """From which day a line is in force in the one and in the other, where that is what changes."""
    if one.since_before and one.since_after:
        return f" (in force from {one.since_after} in place of {one.since_before})"
    day, why = (one.since_after, "") if one.since_after else (one.since_before, " before")
    return f" (in force from {day}{why})" if day else ""


def _json(found: list[Decided], as_of: date, compared: list[tuple[Decided, DecisionV1, DecisionV1]] | None) -> str:
    import json

    from openvet.reports._text import clean
    from openvet.workflows.decide import DECISIONS_TYPE, changes, lapsed
    from openvet.workflows.knowledge import tool

    value: dict[str, Any] = {
        "type": DECISIONS_TYPE,
        "tool": tool().to_json(),
        "as_of": as_of.isoformat(),
        "models": [each.to_json() for each in found],
    }
    if compared is not None:
        value["changes"] = [
            {
                "path": each.path,
                "subject": each.subject.to_json(),
                "from": {"pack": before.pack.name, "as_of": before.as_of, "verdict": before.verdict},
                "to": {"pack": after.pack.name, "as_of": after.as_of, "verdict": after.verdict},
                "requirements": [one.to_json() for one in changes(before, after)],
                "lapsed_answers": list(lapsed(before, after)),
            }
            for each, before, after in compared
        ]
    return json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
