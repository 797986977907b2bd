"""``openvet rules`` and ``openvet explain``: what is looked for, and what a finding means."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.options import complete_rules, form_option
from openvet.cli.terminal import look_of

if TYPE_CHECKING:
    from openvet.reports.look import Look
    from openvet.reports.report import RuleText

__all__ = ["explain", "find_rule", "rules"]


@click.command(short_help="List the rules.")
@form_option("How to print them.")
def rules(form: str) -> None:
    """List the rules that check and scan run.

    \b
    Examples:
      openvet rules
      openvet rules --format json
    """  # noqa: D301
    from openvet.cli.output import StandardOutput, write_text
    from openvet.workflows.knowledge import rule_texts

    if form == "json":
        StandardOutput(utf8=True).write(_as_json([_to_json(rule) for rule in rule_texts()]))
        return
    from openvet.reports.text import table

    look = look_of(sys.stdout)
    rows = [[rule.id, rule.severity, rule.summary] for rule in rule_texts()]
    count = f"\n{len(rows)} rules; `openvet explain RULE` tells more about one\n"
    write_text(look.finish("\n".join(table(rows, look.width, wrap=True)) + "\n" + count))


@click.command(short_help="Explain a rule.")
@click.argument("rule", metavar="RULE", shell_complete=complete_rules)
@form_option("How to print it.")
def explain(rule: str, form: str) -> None:
    """Explain a rule: what it finds, why it matters, what to do.

    RULE is the id that a report prints. It may also be a reason why something was not read, such as unknown:no-reader.

    \b
    Examples:
      openvet explain house/broken-plugin
      openvet explain unknown:limit
    """  # noqa: D301
    from openvet.cli.output import StandardOutput, write_text
    from openvet.reports._wording import UNREAD

    look = look_of(sys.stdout)
    if rule in UNREAD:  # as the report's own list of what was not read spells it
        rule = f"unknown:{rule}"
    if rule.startswith("unknown:"):
        sections = _unknown_sections(rule)
        if form == "json":
            value = {"id": rule, "summary": sections["What it means"], "sections": sections}
            StandardOutput(utf8=True).write(_as_json(value))
        else:
            write_text(look.finish(_explain_unknown(rule, sections, look)))
        return
    found = find_rule(rule)
    if form == "json":
        StandardOutput(utf8=True).write(_as_json(_to_json(found)))
    else:
        write_text(look.finish(_explain(found, look)))


def find_rule(name: str) -> RuleText:
    """The rule with this id.

    Raises:
        UsageError: there is none; the message names the nearest ones.
    """
    from openvet.core.text import printable
    from openvet.errors import UsageError
    from openvet.workflows.knowledge import rule_texts

    known = {rule.id: rule for rule in rule_texts()}
    wanted = name.strip().removeprefix("rule:")
    if wanted in known:
        return known[wanted]
    near = _near(wanted, list(known))
    advice = f"did you mean {' or '.join(near)}?" if near else "`openvet rules` lists them"
    raise UsageError(f"there is no rule {printable(name)[:100]}; {advice}")


def _near(wanted: str, known: list[str]) -> list[str]:
    """Ids that look like ``wanted``, or have its last part, or its words."""
    import difflib

    last = wanted.rpartition("/")[2][:100].lower()
    same = [each for each in known if last and (each.rpartition("/")[2] == last or last in each)]
    return (
        same + [each for each in difflib.get_close_matches(wanted[:100].lower(), known, 3, 0.6) if each not in same]
    )[:3]


def _explain(rule: RuleText, look: Look) -> str:
    import textwrap

    from openvet.reports._wording import visible

    cwe = "".join(f"  CWE-{number}" for number in rule.cwe)
    lines = [
        f"{look.paint(rule.id, 'bold')}  {look.paint(f'severity {rule.severity}  confidence {rule.confidence}  since {rule.since}{cwe}', 'dim')}",
        "",
        *textwrap.wrap(visible(rule.summary), look.width),
    ]
    for heading, text in rule.sections:
        lines += ["", look.paint(heading, "bold")]
        lines += [f"  {visible(line)}".rstrip() for line in text.splitlines()]
    return "\n".join(lines) + "\n"


def _unknown_sections(name: str) -> dict[str, str]:
    from openvet.core.text import printable
    from openvet.errors import UsageError
    from openvet.reports._wording import UNREAD

    word = name.removeprefix("unknown:")
    if word not in UNREAD:
        raise UsageError(
            f"there is no reason {printable(name)[:100]}; known are {', '.join(f'unknown:{each}' for each in UNREAD)}"
        )
    why = (
        "Unread is never clean: a model of which any part was not read is at best `review`, whatever the parts say that "
        "were read."
    )
    return {
        "What it means": f"Something was not read: {UNREAD[word].meaning}.",
        "Why it matters": why,
        "Remedy": UNREAD[word].remedy,
    }


def _explain_unknown(name: str, sections: dict[str, str], look: Look) -> str:
    import textwrap

    lines = [f"{look.paint(name, 'bold')}  {look.paint('leads to review', 'dim')}"]
    for heading, text in sections.items():
        lines += [
            "",
            look.paint(heading, "bold"),
            *textwrap.wrap(text, look.width, initial_indent="  ", subsequent_indent="  "),
        ]
    return "\n".join(lines) + "\n"


def _to_json(rule: RuleText) -> dict[str, Any]:
    return {
        "id": rule.id,
        "severity": rule.severity,
        "confidence": rule.confidence,
        "since": rule.since,
        "cwe": list(rule.cwe),
        "summary": rule.summary,
        "sections": dict(rule.sections),
    }


def _as_json(value: Any) -> str:
    import json

    from openvet.reports._wording import clean

    return json.dumps(clean(value), indent=2, ensure_ascii=False) + "\n"
