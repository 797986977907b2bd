"""Writes docs/reference and docs/coverage.md from the code: rules, formats, cases, policy packs, command line and schemas have one source each.

usage: tools/reference.py [--check]

``--check`` writes nothing and fails when a page is not what the code says.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PACKAGE = ROOT / "src" / "openvet"
MADE = "<!-- made by `make docs` from the code; change the code -->\n\n"


def rule_pages() -> Iterator[tuple[str, str]]:
    """A page for each rule, under its id, and the table of them."""
    from openvet.workflows.knowledge import rule_texts

    table = ["# Rules", "", "| rule | severity | confidence | what it says |", "| --- | --- | --- | --- |"]
    for rule in rule_texts():
        table.append(
            f"| [{rule.id}](rules/{rule.id}.md) | {rule.severity} | {rule.confidence} | {_cell(rule.summary)} |"
        )
        facts = f"Severity {rule.severity}, confidence {rule.confidence}, since {rule.since}"
        if rule.cwe:
            facts += ", " + ", ".join(f"CWE-{number}" for number in rule.cwe)
        parts = [f"# {rule.id}", rule.summary, f"{facts}."]
        for heading, text in rule.sections:
            parts += [f"## {heading}", text]
        yield f"rules/{rule.id}.md", MADE + "\n\n".join(parts) + "\n"
    yield "rules.md", MADE + "\n".join(table) + "\n"


def format_page() -> Iterator[tuple[str, str]]:
    """One page of formats: those that are read, with what a reading can and cannot tell, and those only recognised."""
    from openvet.workflows.knowledge import all_formats

    read = [each for each in all_formats() if each.reader]
    recognised = [each for each in all_formats() if not each.reader]
    parts = ["# Formats", "## Read"]
    for each in read:
        endings = ", ".join(f"`{ending}`" for ending in each.extensions) or "any name"
        parts += [f"### {each.id}", f"{each.title}. Usually published as: {endings}."]
        parts += ["Can tell:", "\n".join(f"* {line}" for line in each.can_tell)]
        parts += ["Cannot tell:", "\n".join(f"* {line}" for line in each.cannot_tell)]
    if recognised:
        parts += ["## Recognised by content and reported as unread"]
        parts.append("\n".join(f"* `{each.id}`: {each.title}" for each in recognised))
    yield "formats.md", MADE + "\n\n".join(parts) + "\n"


def command_page() -> Iterator[tuple[str, str]]:
    """The help of every command, as the terminal shows it."""
    import click

    from openvet.cli import main

    parts = ["# Command line"]

    def add(command: click.Command, name: str, parent: click.Context | None) -> None:
        context = command.make_context(
            name, [], parent, resilient_parsing=True, terminal_width=100, max_content_width=100
        )
        parts.append(f"## `{context.command_path}`\n\n```text\n{command.get_help(context)}\n```")
        if isinstance(command, click.Group):
            for each in command.list_commands(context):
                child = command.get_command(context, each)
                if child is not None and not child.hidden:
                    add(child, each, context)

    if not isinstance(main, click.Command):
        raise SystemExit("openvet.cli.main is not a click command")
    add(main, "openvet", None)
    yield "command-line.md", MADE + "\n\n".join(parts) + "\n"


def schema_files() -> Iterator[tuple[str, str]]:
    """The JSON Schemas and the predicates' spec pages that the package carries."""
    for path in sorted(PACKAGE.glob("data/schema/*.json")):
        yield f"schemas/{path.name}", path.read_text(encoding="utf-8")
    for path in sorted(PACKAGE.glob("evidence/predicates/*.md")):
        yield f"predicates/{path.name}", path.read_text(encoding="utf-8")


def element_page() -> Iterator[tuple[str, str]]:
    """The minimum elements of the G7, and where a bill has them."""
    from openvet.bom.coverage import clusters, elements

    parts = [
        "# Minimum elements of an SBOM for AI",
        (
            "The 50 elements in 7 clusters of *Software Bill of Materials for Artificial Intelligence - Minimum Elements* (G7 Cybersecurity "
            "Working Group, published by the BSI on 2026-05-12), and the field of each in the two forms that `openvet bom` writes. "
            "`openvet bom --coverage` says for a model which of them are met from evidence, which only declared, and which missing. The "
            "mapping is data ([`g7_elements.toml`](../../src/openvet/data/g7_elements.toml)) and free for anybody to use (CC0-1.0)."
        ),
    ]
    for name in clusters().values():
        rows = [each for each in elements() if each.cluster == name]
        table = ["| element | name | CycloneDX 1.7 | SPDX 3.0.1 |", "| --- | --- | --- | --- |"]
        table += [
            f"| {each.code} | {_cell(each.name)} | {_cell(each.cyclonedx)} | {_cell(each.spdx)} |" for each in rows
        ]
        parts += [f"## {name}", "\n".join(table)]
    yield "g7-elements.md", MADE + "\n\n".join(parts) + "\n"


def policy_pages() -> Iterator[tuple[str, str]]:
    """A page for each pack that ships, the crosswalk of all, and the names that conditions can use."""
    from openvet.policy.crosswalk import cross
    from openvet.reports.pack_page import compose_crosswalk_page, compose_names_page, compose_pack_page
    from openvet.workflows.packs import catalogue, list_packs, load_pack

    places = {name: place for name, place in list_packs().items() if PACKAGE in Path(place.path).resolve().parents}
    packs = {name: load_pack(name) for name in places}
    for name, found in packs.items():
        words = Path(places[name].path).with_name("pack.md").read_text(encoding="utf-8")
        words = re.sub(r"\]\(\.\./(\w+)/pack\.md\b", lambda link: f"]({link[1].replace('_', '-')}.md", words)
        yield f"packs/{name}.md", MADE + compose_pack_page(found, words)
    yield "crosswalk.md", MADE + compose_crosswalk_page(cross(list(packs.values())))
    yield "policy-names.md", MADE + compose_names_page(tuple(catalogue().questions.values()))


def coverage_page() -> Iterator[tuple[str, str]]:
    """Every case of the test kit: what is done, where it was reported, in which formats, and what is decided."""
    from openvet.testing.case import all_cases

    cases = all_cases()
    counts = {verdict: sum(case.decision == verdict for case in cases) for verdict in ("reject", "review", "admit")}
    parts = [
        "# Coverage",
        (
            f"The test kit has {len(cases)} cases: {counts['reject']} have to be rejected, {counts['review']} need a person's "
            f"review, and {counts['admit']} are harmless and have to be admitted. `make test` builds each one from text, examines "
            "it, and fails unless the decision and the rules are exactly these. A case is an example of a technique: that it is "
            "listed says that this example is found, and not that every form of the technique is."
        ),
    ]
    for family in sorted({case.id.partition("/")[0] for case in cases}):
        table = [
            "| case | technique | formats | reported as | decision | rules |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for case in cases:
            if case.id.partition("/")[0] == family:
                rules = ", ".join(f"[{rule}](reference/rules/{rule}.md)" for rule in sorted(case.rules))
                cells = (
                    case.id,
                    _cell(case.technique),
                    ", ".join(case.formats),
                    ", ".join(case.advisories),
                    case.decision,
                )
                table.append(f"| {' | '.join(cells)} | {rules} |")
        parts += [f"## {family}", "\n".join(table)]
    yield "coverage.md", MADE + "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("](", "]\\(").replace("\n", " ")


def pages() -> dict[str, str]:
    """Every page by its path under docs."""
    reference = (
        page
        for source in (rule_pages, format_page, command_page, element_page, policy_pages, schema_files)
        for page in source()
    )
    return {**{f"reference/{name}": text for name, text in reference}, **dict(coverage_page())}


def stale(wanted: dict[str, str]) -> list[str]:
    """Pages on disk that differ from ``wanted``, lack, or should not be there."""
    made = [*DOCS.joinpath("reference").rglob("*"), DOCS / "coverage.md"]
    there = {str(path.relative_to(DOCS)): path for path in made if path.is_file()}
    changed = [
        name for name, text in wanted.items() if name not in there or there[name].read_text(encoding="utf-8") != text
    ]
    return sorted({*changed, *(there.keys() - wanted.keys())})


def main() -> int:
    wanted = pages()
    names = stale(wanted)
    if sys.argv[1:] == ["--check"]:
        if names:
            print(
                "docs/reference or docs/coverage.md is not what the code says; run `make docs`:",
                *names,
                sep="\n  ",
                file=sys.stderr,
            )
        return 1 if names else 0
    for name in names:
        path = DOCS / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8")
        else:
            path.unlink()
    print(f"docs: {len(wanted)} pages made from the code, {len(names)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
