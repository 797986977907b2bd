"""A model of which much is known and one of which nothing is, as evidence; and what three people answered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.advisories_v1 import AdvisoriesV1
from openvet.evidence.predicates.answers_v1 import AnswersV1, GivenAnswer
from openvet.evidence.predicates.claims_v1 import Claims, Result
from openvet.evidence.predicates.fields import Descriptor
from openvet.evidence.predicates.scan_v1 import Scan
from openvet.evidence.predicates.test_result_v0 import SuiteResult
from openvet.evidence.statement import ResourceDescriptor
from openvet.policy.builtin import decide as decide_safety
from openvet.policy.compiled import CompiledPack, compile_pack
from openvet.policy.decide import decide
from openvet.policy.document import Document
from openvet.policy.fill import Placed, checklist, fill
from openvet.policy.given import Evidence, Held
from openvet.policy.paper import Paper, Reference
from openvet.policy.read_document import read_document
from openvet.policy.read_pack import read_pack
from openvet.testing import safetensors
from openvet.workflows.check import Options, check_each
from openvet.workflows.documents import Given, document_questions, given_report
from openvet.workflows.packs import catalogue
from tests.reports.samples import EVIL, TOOL

__all__ = [
    "ACME",
    "DAY",
    "PACK",
    "Bill",
    "acme",
    "acme_document",
    "answer",
    "checked",
    "empty",
    "filled",
    "given",
    "listed",
    "placed",
    "rich",
    "say",
]

DAY = date(2026, 11, 28)
PACK = b"""\
id: acme
version: 1.0.0
title: What we ask
law_snapshot: ACME-2026
snapshot_date: 2026-11-01
sources: {acme: {title: House rules, date: 2026-01-01, confidence: high}}
steps:
  - {id: large, text: It is large, value: profile.parameters > 1e9}
  - {id: risky, text: It is risky, value: answers.risky}
  - {id: tokens, text: Tokens that it was trained on, value: answers.training_tokens}
requirements:
  - {id: A-1, title: It is safe to load, clause: "1", source: acme, level: computed, pass: scan.verdict == 'admit', severity: critical, remedy: Take another.}
  - {id: A-2, title: Somebody answers for it, clause: "2", source: acme, level: attested, pass: answers.accountable_person != '', severity: medium, remedy: Say who.}
  - {id: A-3, title: Its risks are written down, clause: "3", source: acme, level: presence, applies: steps.risky, in_force: 2027-01-01, pass: answers.risk_file, severity: high, remedy: Write them down.}
  - {id: A-4, title: Large ones are asked about, clause: "4", source: acme, level: computed, applies: steps.large, pass: "false", severity: low, remedy: Ask.}
  - {id: A-5, title: It has no bad licence, clause: "5", source: acme, level: computed, pass: licenses.state == 'agree', offenders: licenses.declared, severity: high, remedy: Look.}
  - {id: A-6, title: It is signed, clause: "6", source: acme, level: computed, pass: "signature.signers.size() > 0", severity: low, remedy: Sign it.}
questions:
  - {id: risky, ask: Is it risky, type: yes-no}
waivers:
  - {requirement: A-5, subject: "*", reason: Known, owner: risk@acme.example, from: 2026-11-01, expires: 2027-01-31}
"""
ACME = b"""\
id: acme
title: Our sheet
clause: rule 7
source: acme
filled_by: the owner of the model
items:
  - {id: "1", section: Facts, label: Size, clause: 7.1, asks: How large it is., fills: [profile.parameters], beside: [steps.large, profile.weight_bytes], level: computed}
  - {id: "2", section: Facts, label: Software, clause: 7.2, asks: What it needs., fills: [[bom.components, answers.required_software]], level: computed}
  - {id: "3", section: Facts, label: Tests, clause: 7.3, asks: What was tested., fills: [[tests.result, answers.test_report], answers.fairness_report], level: presence}
  - {id: "4", section: People, label: Purpose, clause: 7.4, asks: What for., fills: [answers.purpose, answers.accountable_person], beside: [card.pipeline_tag], level: attested, human: true}
  - {id: "5", section: People, label: Why, clause: 7.5, asks: Why it is good., fills: [], level: attested, human: true, choices: [because, since]}
  - {id: "6", section: People, label: Risks, clause: 7.6, asks: Its risks., fills: [answers.risk_file], level: presence, human: true, when: steps.risky}
  - {id: "7", section: People, label: Much data, clause: 7.7, asks: Of large ones., fills: [], beside: [steps.tokens], level: attested, human: true, when: steps.large}
"""
_CARD = f"""---
license: apache-2.0
pipeline_tag: text-generation
language: [en, lv]
datasets: [wikipedia, "{EVIL[5:60].replace('"', "")}"]
base_model: org/base
---
# M

A model for tests.
"""


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill of materials as somebody else wrote it."""

    predicate_type: str
    body: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return dict(self.body)


def sha(text: str) -> str:
    """A digest that changes with no code."""
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def checked() -> Evidence:
    """What a check says of a small model, with digests that change with no code."""
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 16, "max_position_embeddings": 512}  # fmt: skip
    with TemporaryDirectory() as place:
        folder = Path(place, "small")
        folder.mkdir()
        folder.joinpath("model.safetensors").write_bytes(safetensors({"model.embed_tokens.weight": ("F32", (16, 8))}))
        folder.joinpath("config.json").write_text(json.dumps(config))
        folder.joinpath("README.md").write_text(_CARD, encoding="utf-8", errors="backslashreplace")
        folder.joinpath("requirements.txt").write_text("transformers==4.40.0\n")
        report = next(check_each([str(folder)], Options(also=("rights", "openness"))))
    evidence = given_report(report).evidence
    held = {kind: replace(each, sha256=sha(kind)) for kind, each in evidence.held.items()}
    found = held["advisories"].predicate
    assert isinstance(found, AdvisoriesV1)
    kept = replace(found, snapshot=replace(found.snapshot, date="2026-11-01"), hits=())
    held["advisories"] = replace(held["advisories"], predicate=kept)
    scan = held["scan"].predicate
    assert isinstance(scan, Scan)
    subject = ResourceDescriptor(f"small {EVIL}", {"dirHash": "cd" * 32})
    return Evidence(subject, held, (), decide_safety(scan))


def say(by: str, *answers: GivenAnswer, about: str = "") -> Held:
    """A statement of answers."""
    return Held("answers", AnswersV1(TOOL, {"name": by, "role": "officer"}, answers, about), sha(by))


def answer(question: str, kind: str, value: Any, said: str = "2026-11-20", **more: Any) -> GivenAnswer:
    return GivenAnswer(question, "?", kind, value, said, **more)


def rich() -> Evidence:
    """Much is known, some of it twice, some no more."""
    flop = Result(
        "training_flop",
        "FLOP",
        "",
        "6.0e+20",
        "9.0e+20",
        "6.0e+20",
        "9.0e+20",
        "6 x parameters x tokens",
        "6 x 1e9 x 1e11",
    )
    energy = Result("energy_mwh", "MWh", "", "12.5", "14", "9", "20", "hours x watts", "1000 x 700")
    bill = Bill("https://cyclonedx.org/bom", {"components": [{"type": "library", "name": "torch", "version": "2.5.1"}, {"type": "file", "name": "x"}, {"name": 7}]})  # fmt: skip
    more = {
        "claims": Held("claims", Claims(TOOL, "m", (), (), (flop, energy), ()), sha("claims")),
        "cyclonedx": Held("cyclonedx", bill, sha("cyclonedx")),
        "test-result": Held("test-result", SuiteResult("PASSED", (), ("mmlu",), None, (), "https://runs.example/1"), sha("test-result")),
    }  # fmt: skip
    report = Descriptor(name="tests.pdf", digest={"sha256": "ef" * 32}, annotations={"date": "2026-10-01"})
    lima = say(
        "R. Lima",
        answer("purpose", "text", f"To sort letters. {EVIL}", note=f"for now {EVIL}"),
        answer("accountable_person", "text", "A. Ng, head of data"),
        answer("organisation", "text", "Acme"),
        answer("organisation_size", "one-of", "small", until="2027-11-20"),
        answer("generates", "many-of", ("text",)),
        answer("training_tokens", "number", "1e11"),
        answer("risky", "yes-no", True),
        answer("test_report", "document", True, document=report),
        answer("risk_file", "document", False),
        answer("release_date", "date", "2026-09-01"),
        answer("acme_5", "text", "because"),
        answer("annex_iv_4", "text", "They fit."),
        answer("known_limits", "text", "None known", said="2024-01-01"),
    )
    other = say(
        "B. Oz",
        answer("instructions_for_use", "document", True),
        answer("model_version", "text", "1.1", said="2026-12-24"),
    )
    base = checked()
    return replace(base, held={**base.held, **more}, answers=(lima, other), signers=("key-1",))


def empty() -> Evidence:
    """A scan and nothing else: not all of the model was read, so that it has no digest."""
    base = checked()
    return Evidence(ResourceDescriptor("", {}), {"scan": base.held["scan"]})


def placed(evidence: Evidence) -> Placed:
    """Where its statements lie: one line after the other."""
    every = [*evidence.held.values(), *evidence.answers]
    lines = {each.sha256: at for at, each in enumerate(every, 1)}
    signatures = (Reference("signature", sha("signature"), 99),) if evidence.signers else ()
    return Placed(lines, signatures)


def given(evidence: Evidence) -> Given:
    """As documents are made from."""
    return Given(evidence, placed(evidence))


@cache
def acme() -> CompiledPack:
    """A small pack."""
    return compile_pack(read_pack(PACK, "pack.yaml"), catalogue())


@cache
def acme_document() -> Document:
    """Its document."""
    return read_document(ACME, "documents/acme.yaml", acme())


def filled(document: Document, pack: CompiledPack, evidence: Evidence) -> Paper:
    """A document, with a tool whose digest changes with no code."""
    decision = decide(pack, evidence, DAY, TOOL)
    return fill(document, pack, document_questions(document, pack), evidence, decision, placed(evidence))


def listed(pack: CompiledPack, evidence: Evidence) -> Paper:
    """The checklist of a pack."""
    return checklist(pack, evidence, decide(pack, evidence, DAY, TOOL), placed(evidence))
