"""The page for people, whole, with hostile texts, and of a report that is far too long."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet import Options
from openvet.core.coverage import Coverage, Unknown
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Severity
from openvet.evidence.predicates.advisories_v1 import AdvisoriesV1
from openvet.evidence.predicates.decision_v1 import DecisionV1, Line, PackNamed, Waived
from openvet.evidence.predicates.origin_v1 import OriginV1
from openvet.evidence.predicates.scan_v1 import FileScan
from openvet.evidence.predicates.tool import Tool
from openvet.evidence.signing import parse_statement, statement_bytes
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.policy.builtin import decide
from openvet.reports import markdown
from openvet.reports.page.compose import compose
from openvet.reports.page.sheet import FULL, MODELS, ROWS, Evidence, InDossier, Sheet
from openvet.reports.report import ModelReport, NotChecked, Report
from openvet.workflows.check import check_each
from openvet.workflows.page import BESIDE, sheet_of
from tests.browser.models import EVIL, marked, ordinary, tuned
from tests.reports import samples
from tests.reports.test_markup import read, undressed
from tests.snapshots.snapshot import matches

MARK = "zqmarkqz"
VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "v0.1"
RULES = {each.id: each for each in samples.RULES}


def line(name: str, outcome: str, verdict: str, **more: Any) -> Line:
    return Line(name, f"Asks for {name} {MARK}", f"Article {MARK}", f"the law {MARK}", "computed", "high", outcome, verdict, f"why {MARK}", **more)  # fmt: skip


WAIVED = Waived(f"ann {MARK}", f"read {MARK}", "2026-12-31")
POLICIES = (
    DecisionV1(
        samples.TOOL,
        PackNamed("baseline", "1.0.0", f"What anybody wants {MARK}", "", (), ("ab" * 32,)),
        "2026-11-28",
        (),
        "reject",
        (
            line("known-licence", "satisfied-by-evidence", "admit"),
            line("oversight", "satisfied-by-attestation", "admit", answers=("oversight",)),
            line("safe-to-load", "violated", "reject", offenders=(f"{MARK}.pkl",), remedy=f"do not load {MARK}"),
            line("secrets", "violated", "admit", waived=WAIVED),
        ),
    ),
    DecisionV1(
        samples.TOOL,
        PackNamed("eu-ai-act", "1.0.0", "The AI Act", f"EU-2026 {MARK}", (), ("cd" * 32,)),
        "2026-11-28",
        (),
        "review",
        (
            line("usage", "indeterminate", "review", missing=tuple(f"answers.a{at}{MARK}" for at in range(20))),
            line("later", "not-yet-in-force", "admit", since="2027-08-02", foreseen="violated"),
            line("none", "not-applicable", "admit"),
        ),
    ),
)


def sheet(report: Report) -> list[Sheet]:
    return [Sheet(each, RULES) for each in report.models]


@cache
def checked(kind: str) -> Sheet:
    """The sheet of a small model that has something in every section, as a check makes it."""
    makers: dict[str, Callable[[Path], Path]] = {
        "ordinary": ordinary,
        "tuned": tuned,
        "marked": partial(marked, mark=MARK),
    }
    with TemporaryDirectory() as folder:
        place = makers[kind](Path(folder))
        report = next(check_each([place], Options(also=BESIDE)))
    return sheet_of(replace(report, path=place.name), POLICIES)


def page(*sheets: Sheet, **more: Any) -> str:
    return compose(sheets, samples.TOOL, **more)


# --- whole ---


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_the_whole_page(name: str) -> None:
    report = samples.SAMPLES[name]
    made = compose(sheet(report), report.tool, report.errors, report.config)
    matches(f"reports/{name}.html", undressed(made))
    assert made == compose(sheet(report), report.tool, report.errors, report.config)
    made.encode()


def vector(name: str) -> Any:
    """What a statement says that is kept for ever."""
    found = parse_statement((VECTORS / f"{name}.json").read_bytes())
    assert found.predicate is not None
    return found.predicate


def test_the_whole_page_of_a_model_with_everything() -> None:
    """From statements that never change, so that only the page itself can: a check of a model changes with every rule."""
    scan, inventory = vector("scan-rejected"), vector("inventory-rejected")
    names = {
        "profile": "rejected",
        "card": "rejected",
        "licenses": "rejected",
        "lineage": "tested",
        "rights": "asked",
        "openness": "rejected",
        "advisories": "reached",
    }
    answers = {kind: vector(f"{kind}-{name}") for kind, name in names.items()}
    report = ModelReport(
        "models/kept",
        ResourceDescriptor("kept", {"dirHash": "12" * 32}),
        scan,
        inventory,
        decide(scan),
        facts=inventory.facts,
        answers=answers,
    )
    found = replace(sheet_of(report, (vector("decision-lines"),)), rules=RULES, covered=())
    matches("reports/everything.html", undressed(page(found)))


@pytest.mark.parametrize("kind", ["ordinary", "tuned"])
def test_a_page_is_well_formed(kind: str) -> None:
    found = read(page(checked(kind)))
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    leads = {str(attributes["href"])[1:] for name, attributes in found.elements if name == "a"}
    assert leads <= set(ids)
    told = {one for _, attributes in found.elements for one in str(attributes.get("aria-labelledby") or "").split()}
    assert told <= set(ids)
    levels = [int(name[1]) for name, _ in found.elements if re.fullmatch(r"h[1-6]", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - before <= 1 for before, later in pairwise(levels))
    names = {name for name, _ in found.elements}
    assert not names & {"script", "img", "iframe", "object", "form", "input", "link", "base"}
    assert {"main", "nav", "header", "footer", "svg", "table", "details"} <= names


def test_the_answer_comes_first() -> None:
    made = page(checked("tuned"))
    text = "".join(read(made).text)
    assert text.index("Reject") < text.index("calls os.system('echo hello')") < text.index("dirHash")
    assert [re.sub(r" \(\d+\)$", "", each) for each in re.findall(r"<h2[^>]*>(.*?)</h2>", made)] == [
        "Why", "What it is", "Findings", "Not read", "Policy", "Where it comes from", "Licences and duties", "Openness",
        "Published problems", "What it is made of", "What it needs", "Evidence, and how to check it",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("packs", "word", "because"),
    [
        ((), "Admit", "Everything was read, and nothing above a note was found."),
        (POLICIES[1:], "Review", "by eu-ai-act@1.0.0: 1 indeterminate"),
        (POLICIES, "Reject", "by baseline@1.0.0: 1 violated"),
    ],
)
def test_the_answer_is_the_worst_of_the_check_and_the_packs(
    packs: tuple[DecisionV1, ...], word: str, because: str
) -> None:
    """Whoever reads the top alone must not take a model for admitted that a pack does not admit; in HTML and in Markdown."""
    given = replace(samples.CLEAN, policies=packs)
    made = page(Sheet(given, RULES, policies=packs))
    top = made[made.index("<header") : made.index("</header>")]
    assert f"<title>{word}: {given.subject.name} – OpenVet</title>" in made
    assert f"<strong>{word}</strong>" in top
    assert because in top
    assert top.count("<li>") == (len(packs) + 1 if packs else 0)
    overview = page(Sheet(given, RULES, policies=packs), Sheet(samples.CLEAN, RULES))
    assert because in overview or not packs
    text = markdown.compose(Report(samples.TOOL, (given,)))
    assert f" {word.upper()}: " in text.partition("\n")[0]
    assert text.count("by the built-in policy") == (1 if packs else 0)
    assert ("| <code>usage</code> | review | indeterminate |" in text) is bool(packs)


def test_a_page_says_what_was_found_where_and_what_to_do() -> None:
    text = "".join(read(page(checked("tuned"))).text)
    for said in (
        "calls os.system('echo hello') when the file is loaded",
        "state-0.pkl @",
        "What to do: Do not load this file",
        "no format that OpenVet knows",
        "meta-llama/Llama-3.1-8B-Instruct",
        "fine-tuned from",
        "What its own licence drops",
        "Model Openness Framework",
        "use torch ",
        "Minimum elements of the G7's SBOM for AI",
        "Roofline on",
        "Memory to serve, by tokens of context",
        "openvet dossier verify DOSSIER",
        "openvet_verify.py",
    ):
        assert said in text, said
    assert "compliant" not in text.lower()


def test_policies_are_a_matrix_with_what_is_open_first() -> None:
    made = page(checked("tuned"))
    text = "".join(read(made).text)
    assert text.index("safe-to-load") < text.index("known-licence")
    for decision in POLICIES:
        for each in decision.lines:
            assert each.id in text
            assert each.outcome in text
    for said in (
        "2 lines without anything to do today",
        "from 2027-08-02 on: violated",
        "and 12 more",
        "Waived: by ann",
        "as of 2026-11-28",
    ):
        assert said in text, said
    assert "eu-ai-act" not in "".join(read(page(replace(checked("tuned"), policies=()))).text)


def test_evidence_is_named_by_the_bytes_that_are_signed() -> None:
    found = checked("ordinary")
    scan = Statement(found.report.subject, found.report.scan)
    assert found.evidence[0].sha256 == hashlib.sha256(statement_bytes(scan)).hexdigest()
    assert found.evidence[0].sha256 in page(found)
    assert len(found.evidence) == len(found.report.answers) + 2


# --- hostile texts ---


def everywhere(value: Any, text: str) -> Any:
    """``value`` with :data:`MARK` replaced in every text that it holds, however deep."""
    if isinstance(value, str):
        return type(value)(value.replace(MARK, text)) if MARK in value else value
    if isinstance(value, Tool):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            each.name: everywhere(old, text) for each in fields(value) if each.init and (old := getattr(value, each.name)) is not None
        }  # fmt: skip
        return replace(value, **changed)
    if isinstance(value, Mapping):
        if not isinstance(value, dict):
            return value
        return {everywhere(key, text): everywhere(each, text) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(everywhere(each, text) for each in value)
    return value


def _origin() -> OriginV1:
    """With the mark in every text of somebody else, as its vector has a text there."""
    found = vector("origin-everything")
    assert isinstance(found, OriginV1)
    return replace(
        found,
        published=None if found.published is None else replace(found.published, repository=MARK, host=MARK),
        publishers=tuple(replace(each, name=MARK) for each in found.publishers),
        signers=tuple(replace(each, identity=MARK) for each in found.signers),
        remarks=tuple(replace(each, message=MARK, source=Location(MARK, pointer=MARK)) for each in found.remarks),
        not_known=(MARK,),
    )


@cache
def soiled() -> Sheet:
    """A sheet with the mark wherever a text of somebody else can stand."""
    found = checked("marked")
    evidence = (*found.evidence, Evidence(f"https://example.org/{MARK}", "", (f"says {MARK}",), 3, MARK, used=False))
    published = found.report.answers["advisories"]
    assert isinstance(published, AdvisoriesV1)
    hits = tuple(
        replace(
            each, name=f"{each.name}-{MARK}", id=MARK, aliases=(), summary=MARK, evidence=MARK, fixed=(f"2.0+{MARK}",)
        )
        for each in published.hits
    )
    answers = {**found.report.answers, "advisories": replace(published, hits=hits), "origin": _origin()}
    report = replace(found.report, answers=answers)
    return replace(found, report=report, evidence=evidence, notes=(f"a note on {MARK}",))


def shape(text: str) -> Counter[tuple[str, tuple[str, ...], str]]:
    """What a page is made of, apart from texts and from anything's order."""
    return Counter((name, tuple(attributes), str(attributes.get("class"))) for name, attributes in read(text).elements)


@cache
def harmless(dossier: InDossier | None) -> Counter[tuple[str, tuple[str, ...], str]]:
    """What the page is made of where the mark is no more than a word."""
    return shape(page(replace(soiled(), dossier=dossier)))


def test_the_mark_is_in_every_section() -> None:
    """What the next test proves, it proves of all of these."""
    made = page(replace(soiled(), dossier=InDossier(f"d/{MARK}", MARK, 3)))
    parts = re.findall(r'<section>.*?id="m-([a-z]+)".*?</section>', made, re.DOTALL)
    without = [part for part in re.findall(r"<section>.*?</section>", made, re.DOTALL) if MARK not in part]
    assert len(parts) == 12
    assert [re.search(r'id="m-([a-z]+)"', part)[1] for part in without] == []  # type: ignore[index]


_HARM = st.sampled_from([EVIL, "<script>alert(1)</script>", "\"'><svg onload=alert(1)>", "</title><style>*{display:none}</style>", "</code></pre></main>", "&lt;b&gt;&#60;",
                         "]]>", "<!--", "-->", "<?xml ?>", "javascript:alert(1)", "' onmouseover='x", "url(https://x)", "\u202e\u2066", "\ud800", "\x00\x1b[2J", "`a`", "}</style>"])  # fmt: skip


@settings(max_examples=30)
@given(
    st.lists(st.one_of(_HARM, st.text(min_size=1, max_size=12)), min_size=1, max_size=3)
    .map("".join)
    .map(lambda text: text[:90])
)
def test_hostile_texts_change_no_element_and_no_attribute(text: str) -> None:
    harmful = everywhere(soiled(), text)
    for other in (None, InDossier(f"d/{MARK}", MARK, 3)):
        made = page(replace(harmful, dossier=everywhere(other, text)))
        assert shape(made) == harmless(other)
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", made)


# --- far too long ---


def many(count: int) -> Sheet:
    """A model with a finding in each of so many files, of more rules than a page shows, and as many places that were not read."""
    files = tuple(
        FileScan(
            f"folder/{at:06}/{'x' * 100}.pkl",
            ("pickle",),
            9,
            {"sha256": f"{at:064x}"},
            Coverage.PARTIAL,
            findings=(
                Finding(f"family/rule-{at % 400}", Severity.HIGH, Confidence.HIGH, Location(f"folder/{at:06}.pkl", at), f"message {at} {'y' * 900}", f"remedy {at}"),
            ),
            unknowns=(Unknown(f"reason-{at % 300}", f"not read {at} {'z' * 900}", Location(f"folder/{at:06}.pkl")),),
        )
        for at in range(count)
    )  # fmt: skip
    scan = replace(samples.CLEAN.scan, files=files)
    return Sheet(
        replace(samples.CLEAN, scan=scan, decision=decide(scan)), RULES, evidence=(Evidence("x", "", ()),) * 5_000
    )


def test_fifty_thousand_findings_make_a_page_that_can_be_opened() -> None:
    made = page(many(50_000))
    assert len(made) < 1_500_000
    text = "".join(read(made).text)
    assert "Findings (50,000)" in text
    assert (
        f"and {400 - ROWS:,} more rules with findings; openvet check --format json models/all-MiniLM-L6-v2 gives all of them"
        in text
    )
    assert "and 120 more like it" in text
    assert "and 49,900 more files" in text
    assert "and 4,900 more statements" in text
    assert "more places" in text


def test_a_thousand_models_make_a_page_that_can_be_opened() -> None:
    sheets = [Sheet(replace(samples.CLEAN, path=f"models/{at}"), RULES) for at in range(1_000)]
    errors = tuple(NotChecked(f"gone/{at}", "No such file or directory") for at in range(1_000))
    made = page(*sheets, errors=errors)
    assert len(made) < 1_500_000
    text = "".join(read(made).text)
    assert f"and {2_000 - 2 * MODELS:,} more models" in text
    assert f"The first {FULL} are shown in full below" in text
