"""The report as JUnit XML, which most systems that build software show: a suite for each model, a test for each rule.

A rule that found something to review or reject has failed, with its places and remedies as text; one that had nothing to look at is
skipped. Every kind of place that was not read is a failed test of its own, and so are paths that could not be checked an error.
Findings that are notes, or that the team accepts, fail nothing. There is no time in it: the same model gives the same bytes.

Specification: none that is official; the schema that is obeyed is junit-10.xsd of Jenkins' xunit plugin, which GitLab's and others' readers
take too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

from openvet.core.dataclass import dataclass
from openvet.core.finding import Finding
from openvet.core.rule import Outcome
from openvet.policy.decision import Verdict
from openvet.reports._wording import group_unknowns, headline, lookup_unread, plural, short, visible
from openvet.reports.report import ModelReport, NotChecked, Report

__all__ = ["compose", "pieces"]

#: Places of one test that are listed; the JSON report has all.
_PLACES = 50


@dataclass(frozen=True, slots=True)
class _Test:
    """One test: its group, its name, and what became of it: ``passed``, ``failure``, ``error`` or ``skipped``."""

    group: str
    name: str
    became: str = "passed"
    kind: str = ""
    message: str = ""
    text: str = ""


def pieces(report: Report) -> Iterator[str]:
    """The report, suite by suite."""
    suites = [
        *((each.path, _tests(each), _properties(each)) for each in report.models),
        *((each.path, (_not_checked(each),), {}) for each in report.errors),
    ]
    counts = _counts(test for _, tests, _ in suites for test in tests)
    counts.pop("skipped")  # the schema has no such count for all suites together
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"<testsuites{_attributes({'name': 'openvet', **counts})}>\n"
    for name, tests, properties in suites:
        yield from _suite(name, tests, properties)
    yield "</testsuites>\n"


def compose(report: Report) -> str:
    """The report as one text."""
    return "".join(pieces(report))


def _suite(name: str, tests: Sequence[_Test], properties: Mapping[str, str]) -> Iterator[str]:
    yield f"  <testsuite{_attributes({'name': name, **_counts(tests)})}>\n"
    if properties:
        rows = "".join(f"      <property{_attributes({'name': key, 'value': value})}/>\n" for key, value in properties.items())  # fmt: skip
        yield f"    <properties>\n{rows}    </properties>\n"
    for each in tests:
        yield _testcase(each)
    yield "  </testsuite>\n"


def _testcase(test: _Test) -> str:
    start = f"    <testcase{_attributes({'classname': f'openvet.{test.group}', 'name': test.name})}"
    if test.became == "passed":
        return f"{start}/>\n"
    said = {"type": test.kind, "message": test.message} if test.kind else {"message": test.message}
    body = f"<{test.became}{_attributes(said)}>{_text(test.text)}</{test.became}>"
    return f"{start}>\n      {body}\n    </testcase>\n"


def _counts(tests: Iterable[_Test]) -> dict[str, str]:
    found = [each.became for each in tests]
    return {
        "tests": str(len(found)),
        "failures": str(found.count("failure")),
        "errors": str(found.count("error")),
        "skipped": str(found.count("skipped")),
    }


def _properties(report: ModelReport) -> dict[str, str]:
    tool = report.scan.tool
    return {
        "verdict": str(report.decision.verdict),
        "policy": report.decision.policy,
        "why": headline(report.decision, report.scan),
        "tool": f"{tool.name} {tool.version}",
        **{f"digest.{name}": value for name, value in sorted(report.subject.digest.items())},
    }


def _tests(report: ModelReport) -> tuple[_Test, ...]:
    """What the decision rests on fails, and nothing else."""
    failed: dict[str, Verdict] = {}
    for reason in report.decision.reasons:  # the worst first
        kind, _, rule = reason.code.partition(":")
        if kind == "rule":
            failed.setdefault(rule, reason.verdict)
    found: dict[str, list[Finding]] = {}
    for finding in sorted(report.scan.all_findings(), key=Finding.sort_key):
        if finding.rule in failed and report.decision.acceptance_of(finding) is None:
            found.setdefault(finding.rule, []).append(finding)
    rules = {**report.scan.rules, **dict.fromkeys(found, Outcome.FAIL)}
    tests = [_of_rule(rule, outcome, failed.get(rule), found.get(rule, [])) for rule, outcome in sorted(rules.items())]
    return (*tests, *_unread(report))


def _of_rule(rule: str, outcome: Outcome, verdict: Verdict | None, found: Sequence[Finding]) -> _Test:
    group = rule.partition("/")[0]
    if found:
        more = f" (and {len(found) - 1:,} more like it)" if len(found) > 1 else ""
        listed = [f"{each.severity}: {short(str(each.location))}: {short(each.message)}\n  {short(each.remedy)}" for each in found[:_PLACES]]  # fmt: skip
        return _Test(group, rule, "failure", str(verdict), short(found[0].message) + more, _lines(listed, len(found)))
    if outcome is Outcome.ERROR:
        return _Test(group, rule, "error", "rule", "the rule could not be run", lookup_unread("rule").remedy)
    if outcome in {Outcome.PASS, Outcome.FAIL}:
        return _Test(group, rule)
    return _Test(
        group, rule, "skipped", message=f"{str(outcome).replace('_', ' ')}: nothing of what it looks at is here"
    )


def _unread(report: ModelReport) -> Iterator[_Test]:
    """One test for each reason why something was not read; one that passes where everything was."""
    groups = group_unknowns(report.scan)
    for reason, unknowns in groups:
        words = lookup_unread(reason)
        listed = [f"{short(str(each.location))}: {short(each.message)}" for each in unknowns[:_PLACES]]
        message = f"{plural(len(unknowns), 'place')} not read: {words.meaning}"
        yield _Test("unread", reason, "failure", "review", message, f"{_lines(listed, len(unknowns))}\n{words.remedy}")
    if not report.scan.reproducible:
        yield _Test("unread", "time", "failure", "review", lookup_unread("time").meaning, lookup_unread("time").remedy)
    elif not report.scan.files:
        yield _Test("unread", "empty", "failure", "review", lookup_unread("empty").meaning, lookup_unread("empty").remedy)  # fmt: skip
    elif not groups:
        yield _Test("unread", "everything was read")


def _not_checked(error: NotChecked) -> _Test:
    return _Test("unread", "not checked", "error", "not-checked", short(error.message), short(error.message))


def _lines(listed: Sequence[str], count: int) -> str:
    more = [f"and {count - len(listed):,} more; openvet check --format json lists all"] if count > len(listed) else []
    return "\n".join([*listed, *more])


def _attributes(values: Mapping[str, str]) -> str:
    return "".join(f' {name}="{escape(visible(value), {chr(34): "&quot;"})}"' for name, value in values.items())


def _text(text: str) -> str:
    r"""What XML allows: ``visible`` leaves no control but the line break, no half of a surrogate, and nothing that is no character."""
    return escape(visible(text, keep="\n"))
