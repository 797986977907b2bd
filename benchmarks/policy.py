"""Deciding by policy packs: 200 findings and 100 requirements, and the AI Act's pack on a full dossier, beside plain Python that compares the same.

usage: ``python benchmarks/policy.py [--runs N]``

Deciding is timed alone: importing, reading and compiling a pack are told beside it, and so is the memory of each. The floor is the same conditions
written by hand as Python functions over the same values: what computing them costs where nothing has to be data.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FINDINGS = 200
REQUIREMENTS = 100
TARGET = 0.050
DAY = date(2026, 11, 28)

#: One condition in CEL and as Python, over the same values; ``{at}`` makes each requirement another one.
CONDITIONS: list[tuple[str, Callable[[Mapping[str, Any], int], bool]]] = [
    ("scan.findings.all(each, each['severity'] != 'critical' || each['rule'] != 'rule-{at}')",
     lambda v, at: all(each["severity"] != "critical" or each["rule"] != f"rule-{at}" for each in v["scan.findings"])),
    ("!scan.rules.exists(each, each == 'rule-{at}')",
     lambda v, at: not any(each == f"rule-{at}" for each in v["scan.rules"])),
    ("scan.verdict != 'reject' && scan.unread <= {at}",
     lambda v, at: v["scan.verdict"] != "reject" and v["scan.unread"] <= at),
    ("answers.parameters * 6.0 * answers.tokens > {at}.0e20 && answers.general",
     lambda v, at: v["answers.parameters"] * 6.0 * v["answers.tokens"] > at * 1e20 and v["answers.general"]),
    ("'rule-{at}' in scan.rules || scan.noted.size() > 90 || answers.general",
     lambda v, at: f"rule-{at}" in v["scan.rules"] or len(v["scan.noted"]) > 90 or v["answers.general"]),
]  # fmt: skip


def pack_text(kinds: int = len(CONDITIONS)) -> str:
    """A pack of 100 requirements of the first kinds; the first kind looks at every finding."""
    head = "id: bench\nversion: 1.0.0\ntitle: Bench\nsources: {b: {title: Bench, date: 2026-11-28, confidence: high}}\nquestions:\n"
    head += "  - {id: tokens, ask: How many, type: number}\n  - {id: parameters, ask: How many, type: number}\n  - {id: general, ask: Is it, type: yes-no}\nrequirements:\n"
    rows = []
    for at in range(REQUIREMENTS):
        condition = CONDITIONS[at % kinds][0].replace("{at}", str(at))
        level = "presence" if "answers." in condition else "computed"
        rows.append(f"  - {{id: B-{at}, title: t, clause: c, source: b, level: {level}, severity: medium, remedy: r, pass: \"{condition}\"}}\n")  # fmt: skip
    return head + "".join(rows)


def evidence() -> Any:
    """A scan with 200 findings, and what the questions are answered with."""
    from openvet.core.coverage import Coverage
    from openvet.core.finding import Finding
    from openvet.core.location import Location
    from openvet.core.rule import Confidence, Outcome, Severity
    from openvet.evidence.predicates.answers_v1 import AnswersV1, GivenAnswer
    from openvet.evidence.predicates.scan_v1 import FileScan, Scan
    from openvet.evidence.predicates.tool import Tool
    from openvet.evidence.statement import ResourceDescriptor
    from openvet.policy.builtin import decide as decide_safety
    from openvet.policy.given import Evidence, Held

    tool, weights = Tool("openvet", "0", "0" * 64), (Severity.LOW, Severity.MEDIUM, Severity.HIGH)
    files = tuple(
        FileScan(f"model-{at}.bin", ("pickle",), 1, {"sha256": f"{at:064x}"}, Coverage.READ,
                 (Finding(f"rule-{at % 60}", weights[at % 3], Confidence.HIGH, Location(f"model-{at}.bin"), "A finding.", "Look at it."),), ())
        for at in range(FINDINGS)
    )  # fmt: skip
    scan = Scan(tool, {}, files, {f"rule-{at}": Outcome.FAIL for at in range(60)})
    said = (
        GivenAnswer("tokens", "How many", "number", "15e12", "2026-11-01"),
        GivenAnswer("parameters", "How many", "number", "7e9", "2026-11-01"),
        GivenAnswer("general", "Is it", "yes-no", True, "2026-11-01"),
    )
    answers = AnswersV1(tool, {"name": "R. Lima"}, said, "")
    return Evidence(
        ResourceDescriptor(name="model", digest={"sha256": "0" * 64}), {"scan": Held("scan", scan, "0" * 64)},
        (Held("answers", answers, "1" * 64),), decide_safety(scan),
    )  # fmt: skip


def rich(found: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A value for every fact, and an answer to every question of a pack: nothing is cut short because it is unknown."""
    from datetime import UTC, datetime

    from openvet.policy.evidence_facts import FACTS_OF
    from openvet.policy.vocabulary import VOCABULARY

    plain = {
        "bool": True, "int": 2, "double": 8e9, "string": "admit", "timestamp": datetime(2026, 11, 1, tzinfo=UTC),
        "list(string)": ["text", "eu"], "list(map)": [{"rule": "a/b", "severity": "low"}] * FINDINGS, "map(string, string)": {"commercial": "allowed"},
    }  # fmt: skip
    facts = {each.name: plain[each.type] for each in VOCABULARY.values() if each.name != "as_of"}
    facts["evidence.kinds"] = sorted({*FACTS_OF, "cyclonedx", "spdx", "signature"})
    answers: dict[str, Any] = {}
    for question in found.questions:
        for name, kind in question.names.items():
            answers[name] = plain[kind]
        if question.choices:
            first = next(iter(question.choices))
            answers[question.name] = [first] if question.type == "many-of" else first
    # a provider of a high-risk system and of a large model, in the Union: as much of the Act as one can meet at once
    answers |= {
        "answers.regions": ["eu"], "answers.exclusions": ["none"], "answers.role": ["provider", "deployer", "model-provider"],
        "answers.annex_iii_uses": ["III-4a"], "answers.annex_iii_left_out": ["none"], "answers.training_tokens": 15e12,
    }  # fmt: skip
    return facts, answers


def median(runs: int, call: Callable[[], object]) -> float:
    """Seconds of the middle one of some calls, after three that do not count."""
    for _ in range(3):
        call()
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def resident() -> float:
    """Megabytes that lie in memory now."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return float("nan")
    import resource

    return pages * resource.getpagesize() / 1e6


def told(what: str, seconds: float, more: str = "") -> None:
    print(f"{what:<64} {seconds * 1000:>8.2f} ms  {more}".rstrip())


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=101)
    runs = parser.parse_args().runs
    before = resident()
    start = time.perf_counter()
    from openvet.policy.compiled import compile_pack
    from openvet.policy.decide import decide_values
    from openvet.policy.given import Answers
    from openvet.policy.read_pack import read_pack
    from openvet.workflows.packs import catalogue, list_packs, load_pack

    told("importing", time.perf_counter() - start, f"{resident() - before:+.1f} MB")
    before, start = resident(), time.perf_counter()
    small = compile_pack(read_pack(pack_text().encode(), "pack.yaml"))
    told(f"reading and compiling {REQUIREMENTS} requirements, and loading CEL", time.perf_counter() - start, f"{resident() - before:+.1f} MB")  # fmt: skip
    catalogue()
    before, start = resident(), time.perf_counter()
    law = load_pack("eu-ai-act")
    told(f"reading and compiling eu-ai-act ({len(law.requirements)} requirements)", time.perf_counter() - start, f"{resident() - before:+.1f} MB")  # fmt: skip
    start = time.perf_counter()
    every = [load_pack(name) for name in list_packs()]
    told(f"reading and compiling all {len(every)} packs", time.perf_counter() - start)

    from openvet.evidence.signing import statement_bytes
    from openvet.evidence.statement import Statement
    from openvet.policy.decide import decide
    from openvet.policy.given import count_answers, facts_of

    held = evidence()
    tool = held.held["scan"].predicate.tool
    values = {**facts_of(held, DAY), **count_answers(held.answers, small.questions, DAY).values}

    def by_pack() -> Any:
        return decide(small, held, DAY, tool)

    def by_hand() -> list[bool]:
        return [CONDITIONS[at % len(CONDITIONS)][1](values, at) for at in range(REQUIREMENTS)]

    if [each.outcome.startswith("satisfied") for each in by_pack().lines] != by_hand():
        print("the pack and plain Python do not agree", file=sys.stderr)
        return 1
    before = resident()
    deciding, floor = median(runs, by_pack), median(runs, by_hand)
    met = deciding <= TARGET
    told(f"deciding {FINDINGS} findings x {REQUIREMENTS} requirements", deciding, f"target {TARGET * 1000:.0f} ms: {'met' if met else 'NOT MET'}; {resident() - before:+.1f} MB over {runs} decisions")  # fmt: skip
    told("  the same comparisons as plain Python", floor, f"{deciding / floor:.0f} x")
    every_one = compile_pack(read_pack(pack_text(1).encode(), "pack.yaml"))
    told("  where each of them looks at every finding", median(runs, lambda: decide(every_one, held, DAY, tool)))
    told("  the facts alone, out of the scan", median(runs, lambda: facts_of(held, DAY)))
    made = Statement(held.subject, by_pack())
    told(
        "  its statement, as bytes",
        median(runs, lambda: statement_bytes(made)),
        f"{len(statement_bytes(made)) / 1000:.0f} kB",
    )

    rich_facts, rich_answers = rich(law)
    lines, _ = decide_values(law, rich_facts, Answers(rich_answers, ()), DAY, {})
    open_lines = sum(each.outcome == "indeterminate" for each in lines)
    seconds = median(runs, lambda: decide_values(law, rich_facts, Answers(rich_answers, ()), DAY, {}))
    told("deciding eu-ai-act with every fact and every answer", seconds, f"{len(lines)} lines, {open_lines} open")
    seconds = median(runs, lambda: decide_values(law, {"scan.verdict": "admit"}, Answers({}, ()), DAY, {}))
    told("deciding eu-ai-act with next to nothing known", seconds)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
