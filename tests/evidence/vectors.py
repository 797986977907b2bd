"""What ``tests/vectors`` is made of: one model that is admitted, one that is not, one that was disarmed, and broken bodies of each kind.

``OPENVET_UPDATE_SNAPSHOTS=1`` writes vectors that are not there yet. Those of a released version are never written again: whoever
verified them then has to verify them now.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from openvet.core.canonical import canonical_json
from openvet.core.coverage import Coverage, Unknown
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Outcome, Severity
from openvet.disarm.report import Copied, FileReport
from openvet.disarm.rewrite import DisarmOptions
from openvet.evidence.keys import PrivateKey, load_private
from openvet.evidence.predicates.admission_v1 import AdmissionV1, Approval, Rest
from openvet.evidence.predicates.advisories_v1 import (
    AdvisoriesV1,
    AdvisoryHit,
    AdvisorySource,
    FileFeatures,
    NamedPackage,
    Snapshot,
    VexStatement,
)
from openvet.evidence.predicates.answers_v1 import AnswersV1, GivenAnswer
from openvet.evidence.predicates.bench_v1 import (
    BenchV1,
    Cold,
    DeviceRef,
    Estimated,
    LimitSet,
    LoadSeen,
    MachineRef,
    Predicted,
    RuntimeRef,
)
from openvet.evidence.predicates.bench_v1 import Figure as BenchFigure
from openvet.evidence.predicates.bench_v1 import Work as BenchWork
from openvet.evidence.predicates.card_v1 import CardDocument, CardFact, CardV1, Missing, Section
from openvet.evidence.predicates.card_v1 import Problem as CardProblem
from openvet.evidence.predicates.claims_v1 import Claims, Input, Judgement, Result
from openvet.evidence.predicates.decision_v1 import (
    AdvisoriesNamed,
    Basis,
    DecisionV1,
    PackNamed,
    StepValue,
    UsedAnswer,
    Waived,
)
from openvet.evidence.predicates.decision_v1 import Line as DecisionLine
from openvet.evidence.predicates.derivation_v1 import (
    Agreement,
    Budget,
    Cost,
    DerivationV1,
    Kept,
    Parent,
    Rung,
    Speed,
    TaskDifference,
    TypeCount,
    Weights,
)
from openvet.evidence.predicates.derivation_v1 import Input as DerivedFrom
from openvet.evidence.predicates.derivation_v1 import Part as DerivedPart
from openvet.evidence.predicates.diff_v1 import (
    DiffV1,
    FileChange,
    ModelChange,
    NotCompared,
    Side,
    TensorChange,
    TensorGroup,
    TextChange,
    ValueChange,
    WordsChange,
)
from openvet.evidence.predicates.eval_plan_v1 import EvalPlanV1
from openvet.evidence.predicates.eval_v1 import (
    BackendRef,
    Deviation,
    EvalV1,
    Imported,
    Interval,
    ModelRef,
    Planned,
    Run,
    Sequential,
    TaskRef,
)
from openvet.evidence.predicates.fields import Descriptor
from openvet.evidence.predicates.fingerprint_v1 import FingerprintV1, NotSketched, TensorSketch, Vectors, pack
from openvet.evidence.predicates.inventory_v1 import Fact, InventoryV1, Item, TensorEntry
from openvet.evidence.predicates.licenses_v1 import Change as LicenseChange
from openvet.evidence.predicates.licenses_v1 import Declared, Found, LicensesV1, Whole
from openvet.evidence.predicates.lineage_v1 import Edge, LineageV1, Node, WeightTest
from openvet.evidence.predicates.lineage_v1 import Problem as LineageProblem
from openvet.evidence.predicates.observation_v1 import LifePhase, Load, NotLoaded, ObservationV1, Recorder, Seen, Walls
from openvet.evidence.predicates.openness_v1 import (
    COMPONENTS,
    Checklist,
    ClassProgress,
    Evidence,
    License,
    Line,
    Note,
    OpennessV1,
    Part,
    Reading,
)
from openvet.evidence.predicates.origin_v1 import (
    Copy,
    OriginFact,
    OriginName,
    OriginV1,
    Place,
    PublisherEntry,
    Remark,
    Signer,
)
from openvet.evidence.predicates.profile_v1 import Cache, Comparison, ModelPart, Problem, ProfileV1
from openvet.evidence.predicates.provenance_v1 import Provenance
from openvet.evidence.predicates.revocations_v1 import RevocationsV1, Revoked
from openvet.evidence.predicates.rights_v1 import Answer, Cited, Drift, Duty, Reason, RightsV1, Risk, Work
from openvet.evidence.predicates.scan_v1 import FileScan, Scan
from openvet.evidence.predicates.tool import Tool
from openvet.evidence.signing import sign_statement, statement_bytes, to_line
from openvet.evidence.statement import Predicate, ResourceDescriptor, Statement
from openvet.policy.builtin import decide
from openvet.policy.decision import Acceptance, Terms
from openvet.reports.config_use import ConfigName
from openvet.reports.report import ModelReport
from openvet.workflows.bom import FORMS
from openvet.workflows.disarm import DisarmReport
from openvet.workflows.provenance import provenance_of
from openvet.workflows.statements import KINDS, Asked, statements_of

__all__ = ["ADMITTED", "ASKED", "FOLDER", "KEY", "REJECTED", "broken", "made"]

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "v0.1"
#: Bills are documents of others: their bodies are not read back as statements, and tests/bom holds them against their own schemas.
#: Rights have vectors of their own, below.
_KINDS = tuple(each for each in KINDS if each not in FORMS and each != "rights")
TOOL = Tool("openvet", "0.1.0", "ab" * 32)
ASKED = Asked(datetime(2026, 11, 28, 12, 0, tzinfo=UTC), datetime(2026, 11, 28, 12, 0, 7, 500_000, tzinfo=UTC))


def _key() -> PrivateKey:
    """A key that everybody has: Ed25519 from a seed of ones, so that signatures are the same for ever."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
    return load_private(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


KEY = _key()


def sha(seed: str) -> str:
    return hashlib.sha256(seed.encode()).hexdigest()


def _finding(rule: str, severity: Severity, where: Location, file: str, **evidence: Any) -> Finding:
    return Finding(rule, severity, Confidence.HIGH, where, f"says {rule}", "Do not load it.", evidence, (sha(file),))


_PROFILE = ProfileV1(
    TOOL,
    (
        ModelPart(
            "",
            (
                Fact("family", "llama", "declared", (Location("config.json", pointer="/model_type"),)),
                Fact("parameters", 134_515_008, "derived", (Location("model.safetensors"),)),
                Fact("elements", str(2**60), "derived", (Location("model.safetensors"),)),
            ),
            (Cache("kv", 30, 384, None, 2304), Cache("state", 2, 4096)),
            (
                Comparison(
                    "dtype",
                    Fact("dtypes", "BF16", "derived", (Location("model.safetensors"),)),
                    Fact("declared dtype", "float32", "declared", (Location("config.json", pointer="/torch_dtype"),)),
                    agree=False,
                    note="most elements are BF16, and F32 is declared",
                ),
            ),
            (Problem("/num_hidden_layers is -1", Location("config.json", pointer="/num_hidden_layers")),),
            ("the family x is not known",),
        ),
    ),
    3,
)
_LICENSES = LicensesV1(
    TOOL,
    "2026-08-22",
    Whole((("MIT",), ("GPL-2.0-only", "GPL-2.0-or-later")), (("MIT",),), "differ"),
    (
        Declared("mit", "id", ("MIT",), "", "model", Location("README.md", line=2, pointer="/license")),
        Declared("gpl-2.0", "id", ("GPL-2.0-only", "GPL-2.0-or-later"), "", "model", Location("model.gguf", pointer="general.license")),
        Declared("Apache-2.0 or MIT", "expression", ("Apache-2.0", "MIT"), "Apache-2.0 OR MIT", "part", Location("code.py", line=1)),
        Declared("LICENSE.w\u00e4rme", "link", (), "", "model", Location("README.md", line=3, pointer="/license_link")),
    ),
    (
        Found(("MIT",), "whole", 160, 163, 170, "model", Location("LICENSE", line=5), 21, 3, 1, (
            LicenseChange("added", 7, "for non-commercial purposes", ""),
            LicenseChange("removed", 9, "", "sell"),
        )),
        Found(("LicenseRef-scancode-llama-3.1-license-2024",), "near", 900, 1161, 1200, "part", Location("x/LICENSE", line=1), 40),
    ),
    (Location("x/LICENSE", line=1),),
    2,
)  # fmt: skip
_CARD = CardV1(
    TOOL,
    (
        CardDocument(
            "model-card",
            "README.md",
            "",
            (
                CardFact("license", "mit", "declared", Location("README.md", line=2, pointer="/license")),
                CardFact("tags", ["w\u00e4rme", "x"], "declared", Location("README.md", line=3, pointer="/tags")),
                CardFact("license", "apache-2.0", "declared", Location("model.gguf", pointer="general.license")),
                CardFact("weights", "adapter", "derived", Location("adapter_config.json", pointer="/peft_type")),
            ),
            (Section("Uses", "filled", Location("README.md", line=9)), Section("Citation", "open", Location("README.md", line=30))),
            (Missing("metadata", "datasets"), Missing("section", "Evaluation")),
            (
                CardProblem(
                    "license-differs",
                    "names 'apache-2.0' as licence, and the card names mit",
                    Location("model.gguf", pointer="general.license"),
                    {"card": ["mit"], "found": "apache-2.0"},
                ),
            ),
        ),
        CardDocument("croissant", "croissant.json", "http://mlcommons.org/croissant/1.1", (), left_out=3),
    ),
)  # fmt: skip


_SNAPSHOT = Snapshot(
    "2026-11-28",
    90,
    2,
    sha("advisories"),
    (AdvisorySource("2026-11-28", "https://osv.dev", "OSV"), AdvisorySource("2026-11-28", "", "a table")),
)
_FEATURES = FileFeatures(
    "config.json",
    {"sha256": sha("config")},
    ("json",),
    {"hub/attention-implementation": Location("config.json", pointer="/_attn_implementation_internal")},
)
_PACKAGES = (
    NamedPackage("PyPI", "transformers", ">=4.40,<5", Location("requirements.txt", line=1), "requirements"),
    NamedPackage("", "R", "==4.3", Location(""), "user"),
)
_NOTHING = AdvisoriesV1(TOOL, _SNAPSHOT, (FileFeatures("config.json", {}, ("json",), {}),), (), ())
_REACHED = AdvisoriesV1(
    TOOL,
    _SNAPSHOT,
    (_FEATURES,),
    _PACKAGES,
    (
        AdvisoryHit(
            id="GHSA-29pf-2h5f-8g72",
            aliases=("CVE-2026-4372",),
            ecosystem="PyPI",
            name="transformers",
            status="may-be-affected",
            summary="a configuration runs code",
            severity="critical",
            fixed=("5.3.0",),
            reasons=tuple(_FEATURES.rules.items()),
            evidence="rule hub/attention-implementation",
            named=(0,),
            references=("https://example.com/a",),
            vex=(
                VexStatement(
                    "a.json", "w\u00e4rme", "not_affected", "component_not_present", "of pkg:pypi/transformers"
                ),
            ),
        ),
        AdvisoryHit("CVE-2024-27322", (), "", "R", "affected", last=("4.3.3",), named=(1,)),
    ),
    "2026-11-28",
    7,
)


def _parts(given: dict[str, Part]) -> tuple[Part, ...]:
    return tuple(given.get(each, Part(each, "document", "missing")) for each in COMPONENTS)


_OPENNESS = OpennessV1(
    TOOL,
    "files",
    _parts(
        {
            "final-parameters": Part(
                "final-parameters",
                "data",
                "found",
                (Evidence("weights", Location("model.safetensors")),),
                2,
                License("Apache-2.0", "open-other-type", "distribution", Location("README.md", line=2, pointer="/license"), Location("LICENSE", line=1)),
            ),
            "datasets": Part(
                "datasets",
                "data",
                "linked",
                (Evidence("a data set of the hub", Location("README.md", line=3), "https://huggingface.co/datasets/a/w\u00e4rme"),),
                license=License("odc-other", "not-known", "component", Location("MOF.yml", pointer="/release/components/0/license")),
            ),
            "research-paper": Part("research-paper", "document", "recorded", (Evidence("named by the record", Location("MOF.yml")),)),
        }
    ),
    "1.0",
    (
        Reading(
            "declared",
            0,
            (
                ClassProgress(3, 2, 6, held_back=False, missing=("architecture", "model-card", "data-card", "evaluation-results"), unlicensed=("research-paper",)),
                ClassProgress(2, 2, 10, held_back=True),
                ClassProgress(1, 2, 14, held_back=True, not_open=("datasets",)),
            ),
        ),
        Reading("files", 0, (ClassProgress(3, 1, 6, held_back=False),)),
    ),
    ("final-parameters",),
    (
        Checklist(
            "osaid-1.0",
            "2024-10-28",
            (
                Line("parameters", "OSAID 1.0, parameters", "the parameters", "evidence", "found, under Apache-2.0", "", (Location("model.safetensors"),)),
                Line("training-code", "OSAID 1.0, code", "code for training", "open", "nothing of it was found", "provider"),
            ),
        ),
        Checklist("eu-53-2", "EU-2026-07-27", (Line("use", "Article 53(2)", "use", "against", "allows no commercial use"),)),
        Checklist("openmdw-1", "1.1", (Line("licence-id", "OpenMDW 1.0 and 1.1", "one licence", "declared", "is declared", "reader"),)),
    ),
    (Note("names no component of the framework: Magic", Location("MOF.yml", pointer="/release/components/4")),),
)  # fmt: skip
_RECORDED = OpennessV1(TOOL, "record", _parts({}), "1.0", (Reading("record", 0, ()),))


def _openness(found: OpennessV1) -> Statement:
    return Statement(ResourceDescriptor("model", {"dirHash": sha("model")}), found)


def _advisories(found: AdvisoriesV1) -> Statement:
    return Statement(ResourceDescriptor("model", {"dirHash": sha("model")}), found)


_LINEAGE = LineageV1(
    TOOL,
    (
        Node("this", "model", "t\u00fcned", digest={"dirHash": sha("tuned")}),
        Node("hub:org/base", "model", "Org/Base", "org/base", "main", "pkg:huggingface/org/base@main", "https://example.com/org/base"),
        Node("dataset:org/words", "dataset", "org/words", "org/words"),
        Node("file:adapter", "adapter", "adapter", place="adapter"),
    ),
    (
        Edge("this", "hub:org/base", "finetune", "declared", (Location("README.md", line=3, pointer="/base_model"), Location("model.gguf", pointer="general.base_model.0.name"))),
        Edge("this", "file:adapter", "merge", "derived", (Location("mergekit_config.yml", pointer="/models/0"),), {"weight": 0.5, "method": "slerp"}),
        Edge("hub:org/base", "dataset:org/words", "trained-on", "attested"),
    ),
    (
        WeightTest("this", "hub:org/base", "derived", "consistent", "vector-correlation", "rows agree", 2304, "0.9991", "0.2", "1.6e-6",
                   {"z": "780", "tensors": "36 of 39"}),
        WeightTest("this", "hub:org/base", "low-rank", "cannot-tell", "rank-of-difference", "one of the two is a fingerprint"),
        WeightTest("this", "file:adapter", "adapter", "not-consistent", "shapes", "its shapes do not fit", 3, "-0.5"),
    ),
    (LineageProblem("names itself as its base model", Location("README.md", line=3)),),
    2,
)  # fmt: skip
_ALONE = LineageV1(TOOL, (Node("this", "model", "alone"),))


def _model(name: str, files: tuple[FileScan, ...], rules: dict[str, Outcome], **more: Any) -> ModelReport:
    scan = Scan(TOOL, {"depth": 8, "seconds": 600.0}, files, rules, **more)
    inventory = InventoryV1(
        TOOL,
        (
            Fact("family", "bert", "declared", (Location("config.json", pointer="/model_type"),)),
            Fact("parameters", 22_713_216, "derived", (Location("model.safetensors"),)),
            Fact("eps", 1e-12, "declared", (Location("config.json", pointer="/layer_norm_eps"),)),
        ),
        tuple(
            Item(each.path, each.formats, each.size, each.digest, str(each.coverage), {"n": 2**60},
                 (TensorEntry("w\u00e4rme", "F32", (3, 2**60), 8, None),))
            for each in files
        ),
    )  # fmt: skip
    subject = ResourceDescriptor(name, {"dirHash": sha(name)})
    answers: dict[str, Predicate] = {
        "profile": _PROFILE,
        "card": _CARD,
        "licenses": _LICENSES,
        "lineage": _LINEAGE,
        "openness": _OPENNESS,
        "advisories": _NOTHING,
    }
    return ModelReport(name, subject, scan, inventory, decide(scan), answers=answers)


_CONFIG = FileScan("config.json", ("json",), 612, {"sha256": sha("config")}, Coverage.READ)
_WEIGHTS = FileScan("model.safetensors", ("safetensors",), 90_868_376, {"sha256": sha("weights")}, Coverage.READ)
_ACCEPTED = _finding("python/custom-code", Severity.MEDIUM, Location("code.py", line=3), "code")
_CODE = FileScan("code.py", ("python",), 99, {"sha256": sha("code")}, Coverage.READ, (_ACCEPTED,))
_RULES = {
    "pickle/runs-process": Outcome.NOT_APPLICABLE,
    "safetensors/header-lies": Outcome.PASS,
    "hub/no-licence": Outcome.FAIL,
    "python/custom-code": Outcome.NOT_APPLICABLE,
}
_NOTE = _finding("hub/no-licence", Severity.NOTE, Location(""), "")
ADMITTED = _model("admitted", (_CONFIG, _WEIGHTS), _RULES, findings=(_NOTE,))


def _team() -> ModelReport:
    """Admitted since a team accepted what is in it."""
    found = _model("team", (_CODE, _CONFIG), {**_RULES, "python/custom-code": Outcome.FAIL})
    terms = Terms((Acceptance("python/custom-code", sha("code"), "read it", "me", date(2027, 1, 1)),))
    return replace(
        found,
        decision=decide(found.scan, terms),
        config=ConfigName("team/openvet.toml", sha("team"), "2026-11-28"),
    )


_ATTACK = _finding(
    "hub/attention-implementation", Severity.CRITICAL, Location("config.json", pointer="/_attn_implementation_internal"),
    "config", advisory="CVE-2026-4372", repository="attacker/kernel",
)  # fmt: skip
_HARMLESS = replace(_ATTACK, severity=Severity.NOTE, evidence={"advisory": "CVE-2026-5241"})
_BROKEN = Unknown("malformed", "ends too early", Location("model.safetensors", 8))
REJECTED = _model(
    "r\u00e9jected",
    (
        replace(
            _CONFIG, findings=(_ATTACK, replace(_ATTACK, location=Location("config.json", pointer="/b")), _HARMLESS)
        ),
        replace(_WEIGHTS, coverage=Coverage.PARTIAL, unknowns=(_BROKEN,)),
    ),
    {
        "hub/attention-implementation": Outcome.FAIL,
        "json/odd": Outcome.FAIL,
        "pickle/runs-process": Outcome.NOT_APPLICABLE,
        "safetensors/header-lies": Outcome.ERROR,
        "safetensors/metadata": Outcome.PASS,
    },
    findings=(_finding("json/odd", Severity.LOW, Location(""), ""),),
)


def _disarmed(*, folder: bool) -> Statement:
    files = (FileReport("weights.pt", sha("pt"), 900, "torch-zip", "out.safetensors", sha("out"), 800, (),
                        saved="out.safetensors.rest.json", saved_digest=sha("rest")),)  # fmt: skip
    copied = (Copied("config.json", sha("config")),) if folder else ()
    indexes = (Copied("out.safetensors.index.json", sha("index")),) if folder else ()
    target = "safe" if folder else "out.safetensors"
    options = DisarmOptions(save_rest=True, copy_others=folder)
    report = DisarmReport("in/weights.pt", target, ADMITTED, files, copied, indexes, (), options)
    made = provenance_of(report, printed=None if folder else b"{}\n")
    assert isinstance(made.predicate, Provenance)
    # limits come and go with versions, and a vector stays
    return replace(made, predicate=replace(made.predicate, internal={"limits": {"members": 200_000, "seconds": 600}}))


_CLAIMS = Claims(
    TOOL,
    "a r\u00fcn",
    (
        Input("training.tokens", "token", "a paper", "180000000000", readings=("300000000000",)),
        Input("training.pue", "", "", low="1.05", high="1.6"),
        Input("training.chip", "", "a paper", word="a100-sxm"),
    ),
    ("training.dtype is not stated: the dense peak of bf16 is taken",),
    (
        Result("training_flop", "FLOP", "training.tokens 1.8e11", "1.701e23", "2.079e23", "1.323e23", "3.276e23",
               "6 x parameters x tokens", "1.75e11; 1.8e11", "1.89e23"),
        Result("energy_mwh", "MWh", "", "0.05", "70.272", "1e-7", "356", "chip_hours x chip_watts", "1; 400"),
    ),
    (Judgement("training_flop", "FLOP", "4.3e23", "4.3e23", "cannot-tell", "it depends", "6 x parameters x tokens"),),
    ("a note",),
)  # fmt: skip
_NO_CLAIMS = Claims(TOOL, "unnamed", (), (), (), ())


_ANSWERS = AnswersV1(
    TOOL,
    {"name": "R. Lima", "role": "compliance officer", "organisation": "Acme"},
    (
        GivenAnswer("role", "What are you?", "many-of", ("provider", "deployer"), "2026-11-20", "2027-11-20"),
        GivenAnswer("general", "Is it of general use?", "yes-no", True, "2026-11-20", note="see the minutes"),
        GivenAnswer("training_tokens", "How many tokens?", "number", "15e12", "2026-11-20"),
        GivenAnswer("in_service_since", "Since when?", "date", "2026-06-01", "2026-11-20"),
        GivenAnswer("purpose", "What for?", "text", "Answers questions of customers", "2026-11-20"),
        GivenAnswer("established_in", "Where?", "one-of", "eu", "2026-11-20"),
        GivenAnswer(
            "risk_file", "Attach the risk file.", "document", True, "2026-11-20",
            document=Descriptor("risks.pdf", digest={"sha256": sha("risks")}, annotations={"date": "2026-10-01"}),
        ),
    ),
    "the help desk",
)  # fmt: skip
_ADMISSION = AdmissionV1(
    TOOL, "model", "org/my-model", "1234567890" * 4, "all", "approval", "admit", "looked at by two of us", "Ada, Bob", "2026-11-28T10:00:00Z",
    "2027-05-27T00:00:00Z", "/vision/ocr", "only where nothing personal is read",
    (Rest("https://openvet/predicates/admission/v1", sha("policy")),),
)  # fmt: skip
_BY_TWO = replace(
    _ADMISSION, reason="Ada: read it; Bob: we know whoever made it", conditions="only offline",
    approvals=(
        Approval("Ada", "2026-11-28T09:00:00Z", "read it", until="2027-05-27T00:00:00Z"),
        Approval("Bob", "2026-11-28T10:00:00Z", "we know whoever made it,\nand ran it ourselves", "only offline"),
    ),
)  # fmt: skip
_FOR_TWO = replace(
    _ADMISSION,
    kind="policy",
    outcome="review",
    reason="needs a review",
    by="policy",
    until=None,
    conditions="",
    approvers=2,
)
_LISTED_ONLY = AdmissionV1(
    TOOL,
    "dataset",
    "squad",
    "0" * 40,
    "small",
    "policy",
    "upstream",
    "other bytes came than were listed",
    "policy",
    "2026-11-28T10:00:00Z",
)
_REVOCATIONS = RevocationsV1(
    TOOL, "/vision/ocr", 17, "2026-11-28T10:00:00Z", "2026-12-05T10:00:00Z",
    (
        Revoked("dataset", "squad", "0" * 40, "/", "Ada", "2026-11-27T10:00:00Z", "a licence was withdrawn", sha("one"), "2026-12-01T00:00:00Z"),
        Revoked("model", "org/my-model", "1234567890" * 4, "/vision", "Ada, Bob", "2026-11-28T09:00:00Z", "a backdoor was published", sha("two")),
    ),
)  # fmt: skip
_NONE_REVOKED = RevocationsV1(TOOL, "/", 1, "2026-11-28T10:00:00Z", "2026-11-29T10:00:00Z")
_NO_ANSWERS = AnswersV1(TOOL, {"name": "R. Lima"}, ())
_DECISION = DecisionV1(
    TOOL,
    PackNamed("acme", "1.0.0", "What we ask", "EU-2026-07-27", ("baseline@1.0.0",), (sha("pack"), sha("baseline"))),
    "2026-11-28",
    (
        Basis("scan", "https://openvet/predicates/scan/v1", sha("scan")),
        Basis("answers", "https://openvet/predicates/answers/v1", sha("answers")),
    ),
    "reject",
    (
        DecisionLine("A-1", "It is safe to load", "1", "House rules", "computed", "critical", "violated", "reject", "does not hold: x",
                     offenders=("pickle/unsafe-import",), kinds=("scan",), remedy="Take another."),
        DecisionLine("A-2", "Risks are managed", "Art. 9", "AI Act", "attested", "high", "not-yet-in-force", "admit", "in force from 2027-12-02",
                     answers=("risk_file",), since="2027-12-02", foreseen="satisfied-by-attestation"),
        DecisionLine("A-3", "Its compute is known", "Art. 51", "AI Act", "computed", "medium", "indeterminate", "admit", "nobody can say",
                     missing=("profile.parameters",), waived=Waived("risk@acme.example", "asked for", "2027-03-31"), remedy="Ask."),
        DecisionLine("A-4", "There is a card", "2", "House rules", "presence", "low", "satisfied-by-evidence", "admit", "the evidence says so"),
    ),
    (StepValue("compute", "", "8.4e+22"), StepValue("general", "Generality", None, ("answers.general",), "straddles")),
    (UsedAnswer("risk_file", "R. Lima (compliance officer)", "2026-11-20", sha("answers")),
     UsedAnswer("general", "R. Lima", "2024-11-20", sha("answers"), "it is older than 365 days")),
    sha("configuration"),
)  # fmt: skip
_NO_DECISION = DecisionV1(
    TOOL, PackNamed("acme", "1.0.0", "What we ask", "", (), (sha("pack"),)), "2026-11-28", (), "admit", ()
)


def _claims(claims: Claims) -> Statement:
    return Statement(ResourceDescriptor("run.toml", {"sha256": sha("run")}), claims)


_LIFE = (
    LifePhase("prepare", "completed", "", "0.70"),
    LifePhase("load", "completed", "", "0.12"),
    LifePhase("construct", "left out", "its objects are made as it is loaded", "0.00"),
    LifePhase("forward", "failed", "ValueError: b\u00e4d", "1234.50"),
    LifePhase("unload", "cut short", "", "3.00"),
)
_OBSERVED = ObservationV1(
    TOOL,
    Walls("3", ("bubblewrap", "landlock", "seccomp"), "namespaces and more", {"write": "refused", "tcp": "hidden"}, accepted=False),
    (Recorder("audit", "events of Python", "native code"), Recorder("kernel", "calls", "what computes")),
    {"python": "3.11.7", "kernel": "6.18", "machine": "x86_64"},
    (
        Load("a/model.pkl", "pickle", "", "observed-malicious", "killed: the limit seconds (2) was reached", _LIFE, (
            Seen("load", "audit", "compile", "<string>", "import os\nos.system('echo')", "", "openvet/sandbox/loaders.py:84", 1, "unusual", "text is run"),
            Seen("load", "kernel", "openat", "~/.aws/credentials", "", "let on", "", 2, "malicious", "a secret is opened"),
            Seen("unload", "network", "sent", "tcp 192.0.2.1 80", "<decoy of ~/.netrc>", "feigned", "", 1, "malicious", "it was stolen"),
        ), 3, 1, 27, "hello\n"),
        Load("", "torch", "2.13.0", "nothing-observed", "answered", _LIFE[:2], ()),
    ),
    (NotLoaded("model.h5", "no loader here for hdf5"),),
)  # fmt: skip
_NOT_OBSERVED = ObservationV1(
    TOOL, Walls("1", (), "limits alone", {"write": "reached"}, accepted=True), (), {"python": "3.11.7"}, (), ()
)
_TASK = TaskRef("c\u00e4pitals", "1", sha("task"), 200, "exact", "exact match", "mean", higher=True, clustered=True)
_EVAL = EvalV1(
    TOOL,
    ModelRef("b\u00e4se", {"dirHash": sha("base")}),
    _TASK,
    BackendRef("openai", {"endpoint": "http://127.0.0.1:8000/v1", "model": "b", "mode": "chat"}, attests=False),
    Run(0, "2026-11-29", 200, 120, 2),
    sha("root"),
    Interval("0.7203389830508474", "0.61", "0.82", "0.95", "0.05", 118, 40, "t-clustered"),
    Sequential("0.05", "0.6", "0.85", "the mean lies above 0.5", None, "0.5"),
    5000,
    700,
    Planned(sha("plan"), signed=True, deviations=(Deviation("samples", "200", "120"),)),
    None,
    ("2 samples were not answered",),
)
_EVAL_BARE = EvalV1(
    TOOL,
    ModelRef("gpt"),
    TaskRef("mmlu", "", "", 1, "foreign", "accuracy", "mean", higher=True, clustered=False),
    BackendRef("recorded", {}, attests=False),
    Run(1, "file", 1, 1, 0),
    sha("root"),
    Interval("-2.5e-7", None, None, "0.9", None, 1, 1, "none"),
    imported=Imported("lm-eval", "0.4.13", sha("log")),
)
_BENCH = BenchV1(
    TOOL,
    ModelRef("b\u00e4se", {"dirHash": sha("base")}),
    MachineRef("A Processor", "x86_64", 2, ("avx2", "fma"), "performance", "6.18", 16 * 2**30, virtual=True),
    RuntimeRef("gguf", "llama_cpp_python 0.3.36", "3.11.7", "3", 1, {"context": "512"}),
    BenchWork("generate", sha("words"), 1024, "60", 57, "60.4", 64, "73.5"),
    "measured",
    "",
    certified=False,
    reasons=("others used 51 % of the processors while it was measured (at most 10 %)",),
    limits=(
        LimitSet("memory", "600000000", enforced=True, how="cgroup v2"),
        LimitSet("cpu", "4", enforced=False, how="this machine gives 2 cores"),
    ),
    load=(LoadSeen("before", "1.00", "0.10", "0.0100", "0.0000", None), LoadSeen("during", "65.20", "2.10", "0.5100", "0.0010", "3.25")),
    cold=Cold(3, "0"),
    figures=(
        BenchFigure("cold-start", "s", "0.69", "0.68", "0.71", None, 3, "range"),
        BenchFigure("request-p99", "s", "1.37", "1.36", None, "0.95", 57, "order"),
        BenchFigure("decode-rate", "token/s", "45.79", "43.04", "48.55", "0.95", 57, "t"),
        BenchFigure("peak-resident", "byte", "270900000", None, None, None, 1, "none"),
    ),
    predictions=(
        Predicted("this-machine", "decode-rate", "135.1", "24.31", "135.1", "0.339", "bandwidth bound"),
        Predicted("this-machine", "peak-resident", "99000000", None, None, None, "weights and the cache of 105 tokens"),
    ),
    estimates=(Estimated("energy-per-token", "J", "0.153", "0.328", "estimate: 7 to 15 W under load, times seconds here"),),
    device=DeviceRef("rpi5:8", "Raspberry Pi 5", ""),
    notes=("one request at a time",),
)  # fmt: skip
_BENCH_BARE = BenchV1(
    TOOL, ModelRef("m.gguf", {"sha256": sha("m")}), MachineRef("", "aarch64", 4, (), "", "6.1", 0, virtual=False),
    RuntimeRef("", "", "3.11.7", "3", 1, {}), BenchWork("", "", 1, "0.5", 0, "0", 0), "refused", "it cannot be loaded",
    certified=False, reasons=("it was not measured to the end",), limits=(), load=(), cold=None, figures=(),
)  # fmt: skip
_DERIVATION = DerivationV1(
    TOOL,
    "quantize",
    "gguf-quantize",
    {"to": "q2_k", "pure": "no", "made:ftype": "10"},
    {"packages": "llama_cpp_python 0.3.36", "python": "3.11.7", "level": "3", "threads": "1", "isolation": "proven"},
    Parent("b\u00e4se.gguf", {"sha256": sha("base")}),
    (DerivedFrom("text", "sample.txt", sha("text")), DerivedFrom("task", "quiz.yaml", sha("task"))),
    Weights("gguf", 1000, 900, 400, "18.0000", (TypeCount("F16", 2, 400, 800), TypeCount("F32", 1, 25, 100))),
    Weights("gguf", 400, 300, 400, "6.0000", (TypeCount("Q4_0", 2, 400, 225), TypeCount("F32", 1, 25, 75)), "0.250000"),
    Kept(1, 75, (("norm.weight", "F32", 75),)),
    (Agreement("kl", "0.51", "0.4", "0.62", 1023, "tokens"), Agreement("similarity-correlation", "0.95", None, None, 66, "pairs of texts")),
    (
        TaskDifference("quiz", sha("task"), 100, "0.58", "0.59", "0.01", "-0.066", "0.086", "tango", 8, 7, "1", (sha("a"), sha("b"))),
        TaskDifference("likeness", sha("other"), 3, "0.6", "0.5", "-0.1", None, None, "none", None, None, None, (sha("c"), sha("d"))),
    ),
    Cost(
        {"processor": "A Processor", "flags": "avx2 fma", "threads": "1"}, ("3.10", "3.20"), certified=False, why="the load was 3.10",
        speeds=(Speed("a token", ("0.015", "0.02"), ("0.008", "0.01"), 5, 206_000_000, 190_000_000),),
    ),
    Budget("Raspberry Pi 5", 600_000_000, (Rung("q2_k", 400, 500, "unresolved", "the interval holds zero"), Rung("f16", 1000, 10**10, "too-large", "too much"))),
    "0.02",
    "unresolved",
    "the interval holds zero and minus the margin",
    ("There is not one tensor of the type Q2_K in it.",),
)  # fmt: skip
_DERIVATION_BARE = DerivationV1(
    TOOL, "convert", "safetensors-cast", {}, {}, Parent("m", {"dirHash": sha("m")}), (), Weights("safetensors", 0, 0, 0, "0", ()),
    Weights("safetensors", 0, 0, 0, "0", ()), Kept(0, 0, ()),
)  # fmt: skip
_GRAPH = Weights("onnx", 500, 400, 100, "32.0000", (TypeCount("F32", 2, 100, 400),))
_DERIVATION_PARTS = replace(
    _DERIVATION_BARE, kind="quantize", method="onnx-quantize",
    agreement=(
        Agreement("same-text", "0.875", "0.5", "1", 8, "images of lines"), Agreement("text-difference", "0.125", "0", "0.5", 8, "images of lines"),
        Agreement("character-errors-of-parent", "0", None, None, 8, "images of lines"), Agreement("character-errors", "0.125", "0", "0.5", 8, "images of lines"),
        Agreement("max-difference", "0.25", None, None, 64, "numbers of det: y"),
    ),
    parts=(
        DerivedPart("d\u00e9t.onnx", sha("det"), sha("det"), _GRAPH, _GRAPH, Kept(2, 400, (("w", "F32", 300), ("b", "F32", 100)))),
        DerivedPart("rec.onnx", sha("rec"), sha("small"), _GRAPH, Weights("onnx", 200, 175, 100, "14.0000", (TypeCount("F32", 1, 25, 100), TypeCount("I8", 1, 75, 75))), Kept(1, 100, (("b", "F32", 100),))),
    ),
)  # fmt: skip
_PLAN = EvalPlanV1(
    TOOL, ModelRef("b\u00e4se", {"dirHash": sha("base")}), _TASK, 150, "2026-11-29", 7, "0.05", "0.8", "0.2", "0.1023", "0.02", "holm", "0.05", "0.5"
)  # fmt: skip
_PLAN_BARE = EvalPlanV1(TOOL, None, _TASK, 200, "file", 0, "0.05", "0.8", "0.2", "0.0886", None, "none")


_DIFF = DiffV1(
    TOOL,
    "b\u00e4se",
    {"dirHash": sha("base")},
    3,
    (
        FileChange("changed", Side("config.json", 20, sha("a")), Side("config.json", 21, sha("b"))),
        FileChange("moved", Side("a.txt", 1, sha("c")), Side("b.txt", 1, sha("c"))),
        FileChange("added", None, Side("new.bin", 2**40)),
    ),
    (
        ValueChange("changed", "config.json", "/a~1b", "1", "2.5"),
        ValueChange("removed", "config.json", "/c", '{"d": []}', None),
    ),
    (
        TextChange("chat-template", "chat_template.jinja", "chat_template.jinja", ("loop: x",), (), True, ("@@ -1 +1 @@", "-a", "+b")),
        TextChange("program", None, "model.bin", ("calls posix.system",), (), True, (), True),
    ),
    (WordsChange("vocabulary", "tokenizer.json", "model.gguf", 10, 12, 3, 1, 2, ("+ \u0120x 11", "~ y 1 2")),),
    (
        ModelChange(
            "",
            "model.gguf",
            (
                TensorGroup(None, "embedding", {"equal": 1}, 0, 0),
                TensorGroup(0, "attention", {"equal": 1, "quantized": 1, "changed": 1}, 8192, 100, "0.00123"),
            ),
            (
                TensorChange(
                    "quantized", "blk.0.attn_q.weight", "model.layers.0.self_attn.q_proj.weight", "BF16", "Q8_0", (64, 64), (64, 64), "a",
                    "the rows of its heads are in llama.cpp's order", 4096, 4090, 4096, "1.2e+03", "1.2e+03", "0.9", "0.01", "0.00075", "0.5", 0,
                ),
                TensorChange("changed", "x", None, "F32", "F32", (4096,), (4096,), "", "", 4096, 100, 4096, "1", "2", "1.5", "1", "1.5", None, None, (0, 2)),
                TensorChange("added", "y", dtype_b="U8", shape_b=()),
            ),
            7,
        ),
    ),
    (NotCompared("", "model.gguf", "blocks of the type IQ2_XXS are not decoded"),),
    {"values": 12},
)  # fmt: skip
_SAME = DiffV1(TOOL, "base", {"sha256": sha("base")}, 1)


def _diff(diff: DiffV1) -> Statement:
    return Statement(ResourceDescriptor("tuned", {"dirHash": sha("tuned")}), diff)


_ORIGIN = OriginV1(
    TOOL,
    Place("huggingface.co", "meta-1lama", "meta-1lama/Llama-3.1-8B", "a" * 40, "measured"),
    (
        PublisherEntry("meta", "Meta", False, ("base meta-llama/Llama-3.1-8B",), "Meta Platforms, Inc.", None, "State of California, US", None, "https://a/b", "2024-07-23"),
        PublisherEntry("zai", "Z.ai", True, ("account zai-org",)),
    ),
    (
        OriginName("account", "meta-1lama", "measured", Location("")),
        OriginName("base", "meta-llama/Llama-3.1-8B", "declared", Location("README.md", line=3, pointer="/base_model"), "meta"),
        OriginName("author", "M\u00e9ta \\u202e", "declared", Location("model.gguf", pointer="general.author")),
    ),
    (
        Signer("keyless", sha("key"), "me@example.org", "https://accounts.example.org", True, "the model's files", Location("model.sig")),
        Signer("key", "", "", "", False, "https://openvet/predicates/scan/v1", Location("dossier", line=2)),
    ),
    (OriginFact("createdAt", "2024-07-14T22:20:15.000Z", "declared", Location("now.json")), OriginFact("disabled", False, "declared", Location("now.json"))),
    (
        Copy("meta-llama/Llama-3.1-8B", "measured", 291, 291, 2**40, 2**40, False, True),
        Copy("other", "derived", 1, 291, 4096, 2**40, True, False),
    ),
    (
        Remark("namespace-reused", "is another repository than before", "derived", False, Location("now.json"), {"_id before": "a", "_id after": "b"}),
        Remark("look-alike-account", "looks like meta-llama", "derived", True, Location(""), {"like": "meta-llama"}),
    ),
    ("no folder of known models was named",),
    3,
)  # fmt: skip
_NO_ORIGIN = OriginV1(TOOL, None, (), ())


def _origin(origin: OriginV1) -> Statement:
    return Statement(ResourceDescriptor("model", {"dirHash": sha("model")}), origin)


_VECTORS = Vectors(pack(b"\x01\0\0\0"), pack(b"\0\0\x80?"), pack(b"\0\0\0?"), pack(bytes(range(32))))
_FINGERPRINT = FingerprintV1(
    TOOL,
    "openvet-sketch-1",
    (
        TensorSketch(
            "a.weight", "F32", (32, 40), False, "0.0125", 0, pack(bytes(256)), _VECTORS, _VECTORS, pack(bytes(128))
        ),
        TensorSketch("blk.0.ffn_up.weight", "Q4_K", (2, 256), True, "0", 3, pack(bytes(64)), _VECTORS),
    ),
    {"names": sha("names"), "config": sha("config")},
    (NotSketched("model.gguf", "1 tensor (x): blocks of the type IQ2_XXS are not decoded"),),
    5,
)
_NO_FINGERPRINT = FingerprintV1(TOOL, "openvet-sketch-1", ())


def _lineage(lineage: LineageV1 | FingerprintV1) -> Statement:
    return Statement(ResourceDescriptor("tuned", {"dirHash": sha("tuned")}), lineage)


_GRANT = Cited("MIT", "paragraph 1", "to deal in the Software without restriction")
_ASKS = Cited("CC-BY-SA-4.0", "3(b)(1)", "The Adapter\u2019s License You apply must be a Creative Commons license")
_RIGHTS = RightsV1(
    TOOL,
    ("commercial", "eu", "100M-mau"),
    (
        Work("this", "t\u00fcned", "self", "declared", "mit", (("MIT",),), ("MIT",), sources=(Location("README.md", line=2, pointer="/license"),)),
        Work("hub:org/base", "Org/Base", "finetune", "given", "CC-BY-SA-4.0 OR MIT", (("CC-BY-SA-4.0",), ("MIT",)), ("CC-BY-SA-4.0",),
             note="from base", sources=(Location("README.md", line=3, pointer="/base_model"),), changed=(Location("LICENSE", line=4),)),
        Work("dataset:org/words", "org/words", "trained-on", "unknown", "cc", candidates=("CC-BY-4.0", "CC0-1.0"), sure=False),
    ),
    (
        Answer("commercial", "not-allowed", (
            Reason("allowed", "this", "grants it", _GRANT), Reason("not-allowed", "hub:org/base", "no commercial use", _ASKS),
            Reason("depends", "dataset:org/words", "the licence of the data is not known", None, "the licence of org/words"),
        )),
        Answer("eu", "allowed", (Reason("allowed", "this", "no clause leaves a place out", _GRANT),)),
        Answer("100M-mau", "depends", (Reason("depends", "this", "above 7 users", _GRANT, "how many there are"),)),
    ),
    (
        Duty("ship", "notice-line", "keep this line", ("this", "hub:org/base"), _ASKS, "met", Location("NOTICE")),
        Duty("pass-on", "share-alike", "share alike", ("hub:org/base",), Cited("CC-BY-SA-4.0", "3", "a", "policy"), "missing"),
        Duty("show", "attribution", "name the author", ("dataset:org/words",), _ASKS, contested=True),
    ),
    (Risk("breach-ending", "ends on a breach", ("this",), _GRANT),),
    (
        Drift("share-alike-broken", "is under MIT", "hub:org/base", Location("README.md", line=2), (_ASKS,), _GRANT),
        Drift("copy-missing", "its text is not here", "hub:org/base", Location(""), (_ASKS,)),
    ),
    (Reason("depends", "this", "not granted in uk", _GRANT, "where it is used"),),
)  # fmt: skip
_NO_RIGHTS = RightsV1(TOOL, (), (Work("this", "alone", "self", "unknown", note="no file of it declares a licence"),))


def _rights(rights: RightsV1) -> Statement:
    return Statement(ResourceDescriptor("tuned", {"dirHash": sha("tuned")}), rights)


def statements() -> Iterator[tuple[str, Statement]]:
    for report in (ADMITTED, REJECTED, _team()):
        name = report.subject.name.replace("\u00e9", "e")
        asked = replace(ASKED, resource="pkg:huggingface/org/team@1") if name == "team" else ASKED
        for kind, statement in zip(_KINDS, statements_of(report, _KINDS, asked), strict=True):
            yield f"{kind}-{name}", statement
    yield "advisories-reached", _advisories(_REACHED)
    model = ResourceDescriptor("my-model", {"dirHash": sha("model")})
    yield "admission-approval", Statement(model, _ADMISSION)
    yield "admission-by-two", Statement(model, _BY_TWO)
    yield "admission-for-two", Statement(model, _FOR_TWO)
    yield (
        "admission-upstream",
        Statement(ResourceDescriptor("hf:datasets/squad", {"gitCommit": "0" * 40}), _LISTED_ONLY),
    )
    gate = ResourceDescriptor("openvet/gate/0123456789abcdef", {"sha256": sha("key")})
    yield "revocations-two", Statement(gate, _REVOCATIONS)
    yield "revocations-none", Statement(gate, _NONE_REVOKED)
    yield "answers-seven", Statement(model, _ANSWERS)
    yield "answers-none", Statement(model, _NO_ANSWERS)
    yield "decision-lines", Statement(model, _DECISION)
    yield "decision-nothing", Statement(model, _NO_DECISION)
    lines = (replace(_DECISION.lines[0], approvers=3), *_DECISION.lines[1:])
    yield "decision-approvers", Statement(model, replace(_DECISION, lines=lines))
    again = AdvisoriesNamed("2026-11-25", 962, sha("advisories"), judged_again=True)
    yield "decision-advisories", Statement(model, replace(_DECISION, advisories=again))
    yield "claims-readings", _claims(_CLAIMS)
    yield "claims-nothing", _claims(_NO_CLAIMS)
    yield "eval-everything", Statement(model, _EVAL)
    yield "eval-bare", Statement(model, _EVAL_BARE)
    yield "derivation-everything", Statement(model, _DERIVATION)
    yield "derivation-bare", Statement(model, _DERIVATION_BARE)
    yield "derivation-parts", Statement(model, _DERIVATION_PARTS)
    yield "bench-everything", Statement(model, _BENCH)
    yield "bench-bare", Statement(model, _BENCH_BARE)
    yield "eval-plan-everything", Statement(model, _PLAN)
    yield "eval-plan-bare", Statement(model, _PLAN_BARE)
    yield "openness-record", _openness(_RECORDED)
    yield "diff-everything", _diff(_DIFF)
    yield "diff-same", _diff(_SAME)
    yield "observation-everything", Statement(model, _OBSERVED)
    yield "observation-nothing", Statement(model, _NOT_OBSERVED)
    yield "origin-everything", _origin(_ORIGIN)
    yield "origin-nothing", _origin(_NO_ORIGIN)
    yield (
        "origin-sketched",
        _origin(replace(_ORIGIN, copies=tuple(replace(each, sketched=True) for each in _ORIGIN.copies))),
    )
    yield "lineage-tested", _lineage(_LINEAGE)
    yield "lineage-alone", _lineage(_ALONE)
    yield "fingerprint-two", _lineage(_FINGERPRINT)
    yield "fingerprint-none", _lineage(_NO_FINGERPRINT)
    yield "rights-asked", _rights(_RIGHTS)
    yield "rights-nothing", _rights(_NO_RIGHTS)
    yield "provenance-file", _disarmed(folder=False)
    yield "provenance-folder", _disarmed(folder=True)


def made() -> dict[str, bytes]:
    """Every vector by its name: what is signed, and the bundle around it."""
    out: dict[str, bytes] = {"key.pub": KEY.public.pem}
    for name, statement in statements():
        out[f"{name}.json"] = statement_bytes(statement)
        out[f"{name}.bundle.json"] = to_line(sign_statement(statement, KEY))
    for name, body in broken():
        out[f"fail/{name}.json"] = canonical_json(body)
    return out


Change = Callable[[dict[str, Any]], object]
_BREAKS: dict[str, tuple[str, dict[str, Change]]] = {
    "scan": ("scan-admitted", {
        "no-tool": lambda body: body.pop("tool"),
        "unknown-field": lambda body: body.update(verdict="admit"),
        "coverage": lambda body: body["files"][0].update(coverage="clean"),
    }),
    "inventory": ("inventory-admitted", {
        "unknown-field": lambda body: body["facts"][0].update(verdict="good"),
        "no-basis": lambda body: body["facts"][0].pop("basis"),
        "no-items": lambda body: body.pop("items"),
    }),
    "profile": ("profile-admitted", {
        "no-parts": lambda body: body.pop("parts"),
        "cache": lambda body: body["parts"][0]["caches"][0].update(kind="fast"),
        "unknown-field": lambda body: body["parts"][0].update(verdict="good"),
    }),
    "card": ("card-admitted", {
        "unknown-field": lambda body: body["documents"][0].update(verdict="good"),
        "kind": lambda body: body["documents"][0].update(kind="advertisement"),
        "basis": lambda body: body["documents"][0]["facts"][0].update(basis="assumed"),
        "no-value": lambda body: body["documents"][0]["facts"][0].update(value=None),
        "no-source": lambda body: body["documents"][0]["problems"][0].pop("source"),
        "state": lambda body: body["documents"][0]["sections"][0].update(state="good"),
        "line": lambda body: body["documents"][0]["facts"][0]["source"].update(line=0),
    }),
    "licenses": ("licenses-admitted", {
        "unknown-field": lambda body: body["found"][0].update(verdict="good"),
        "form": lambda body: body["declared"][0].update(form="guess"),
        "extent": lambda body: body["found"][0].update(extent="most"),
        "no-keys": lambda body: body["found"][0].update(keys=[]),
        "state": lambda body: body["model"].update(state="compliant"),
        "line": lambda body: body["unknown_texts"][0].update(line=0),
    }),
    "openness": ("openness-admitted", {
        "unknown-field": lambda body: body.update(score=7),
        "order": lambda body: body["parts"].reverse(),
        "twice": lambda body: body["parts"].append(body["parts"][0]),
        "state": lambda body: body["parts"][0].update(state="promised"),
        "standing": lambda body: body["parts"][1]["license"].update(standing="free"),
        "class": lambda body: body["readings"][0]["classes"][0].update({"class": 4}),
        "component": lambda body: body["readings"][0]["classes"][0]["missing"].append("logo"),
        "line-state": lambda body: body["checklists"][0]["lines"][0].update(state="complies"),
        "no-clause": lambda body: body["checklists"][0]["lines"][0].pop("clause"),
        "line": lambda body: body["parts"][1]["license"]["source"].update(line=0),
    }),
    "advisories": ("advisories-reached", {
        "no-snapshot": lambda body: body.pop("snapshot"),
        "status": lambda body: body["hits"][0].update(status="fixed"),
        "unknown-field": lambda body: body["hits"][0].update(verdict="good"),
        "no-packages": lambda body: body.pop("packages"),
    }),
    "test-result": ("test-result-rejected", {
        "result": lambda body: body.update(result="passed"),
        "no-configuration": lambda body: body.pop("configuration"),
        "empty-descriptor": lambda body: body["configuration"].append({"name": "nothing"}),
        "names": lambda body: body.update(passedTests=[1]),
    }),
    "svr": ("svr-admitted", {
        "no-policies": lambda body: body["verifier"].pop("policies"),
        "local-time": lambda body: body.update(timeCreated="2026-11-28T12:00:07+01:00"),
        "no-such-day": lambda body: body.update(timeCreated="2026-02-30T12:00:07Z"),
        "no-uri": lambda body: body["verifier"].update(id="openvet"),
        "properties": lambda body: body.update(properties="OPENVET_SAFE_TO_LOAD"),
    }),
    "vsa": ("vsa-rejected", {
        "contradiction": lambda body: body.update(verificationResult="PASSED"),
        "result": lambda body: body.update(verificationResult="WARNED"),
        "no-policy-uri": lambda body: body["policy"].pop("uri"),
        "no-resource": lambda body: body.pop("resourceUri"),
        "input-without-digest": lambda body: body["inputAttestations"].append({"uri": "https://a/b"}),
        "count": lambda body: body.update(dependencyLevels={"SLSA_BUILD_LEVEL_1": True}),
    }),
    "vulns": ("vulns-rejected", {
        "no-update": lambda body: body["scanner"]["db"].pop("lastUpdate"),
        "no-id": lambda body: body["scanner"]["result"][0].pop("id"),
        "score": lambda body: body["scanner"]["result"][0]["severity"][0].update(score=9),
        "wrapped": lambda body: body["scanner"].update(result=[{"vulnerability": body["scanner"]["result"][0]}]),
    }),
    "admission": ("admission-approval", {
        "unknown-field": lambda body: body.update(trusted=True),
        "refusing-approval": lambda body: body.update(outcome="reject"),
        "nobody": lambda body: body.update(by=""),
        "branch": lambda body: body.update(commit="main"),
        "scope": lambda body: body.update(scope="most"),
        "project": lambda body: body.update(project="vision"),
        "day": lambda body: body.update(until="2027-05-27"),
        "approvers": lambda body: body.update(approvers=2),
        "nobody-approves": lambda body: body.update(approvals=[{"by": "", "at": "2026-11-28T10:00:00Z", "reason": "yes", "conditions": ""}]),
    }),
    "revocations": ("revocations-two", {
        "unknown-field": lambda body: body.update(complete=True),
        "number": lambda body: body.update(number=0),
        "endless": lambda body: body.pop("until"),
        "project": lambda body: body.update(project="vision"),
        "branch": lambda body: body["revoked"][0].update(commit="main"),
        "nobody": lambda body: body["revoked"][0].update(by=""),
        "statement": lambda body: body["revoked"][1].update(sha256="two"),
        "day": lambda body: body["revoked"][0].update({"from": "2026-12-01"}),
    }),
    "answers": ("answers-seven", {
        "unknown-field": lambda body: body["answers"][0].update(trusted=True),
        "nobody": lambda body: body["by"].pop("name"),
        "type": lambda body: body["answers"][1].update(value="yes"),
        "number": lambda body: body["answers"][2].update(value="many"),
        "day": lambda body: body["answers"][0].update(said="yesterday"),
    }),
    "decision": ("decision-lines", {
        "unknown-field": lambda body: body["requirements"][0].update(compliant=True),
        "outcome": lambda body: body["requirements"][0].update(outcome="compliant"),
        "day": lambda body: body.update(asOf="tomorrow"),
        "no-inputs": lambda body: body.pop("inputs"),
        "advisories": lambda body: body.update(advisories={"date": "2026-05-10", "records": 1}),
        "approvers": lambda body: body["requirements"][0].update(approvers=1),
    }),
    "claims": ("claims-readings", {
        "verdict": lambda body: body["judgements"][0].update(verdict="true"),
        "number": lambda body: body["results"][0].update(low="about 7"),
        "unknown-field": lambda body: body.update(verdict="consistent"),
        "no-formula": lambda body: body["results"][0].pop("formula"),
    }),
    "eval": ("eval-everything", {
        "unknown-field": lambda body: body["figure"].update(good=True),
        "number": lambda body: body["figure"].update(value="about 7"),
        "method": lambda body: body["figure"].update(method="guess"),
        "failed": lambda body: body["run"].update(failed=-1),
        "root": lambda body: body["log"].update(root="ab"),
        "no-backend": lambda body: body.pop("backend"),
    }),
    "derivation": ("derivation-everything", {
        "unknown-field": lambda body: body["after"].update(quality="good"),
        "kind": lambda body: body.update(kind="improve"),
        "verdict": lambda body: body.update(verdict="identical"),
        "measure": lambda body: body["agreement"][0].update(measure="feeling"),
        "number": lambda body: body["agreement"][0].update(value="small"),
        "no-digest": lambda body: body["parent"].pop("digest"),
        "negative": lambda body: body["after"].update(bytes=-1),
        "roots": lambda body: body["tasks"][0].update(roots=["one"]),
        "certified": lambda body: body["cost"].update(certified="yes"),
        "no-kept": lambda body: body.pop("notCompressed"),
    }),
    "derivation-part": ("derivation-parts", {
        "unknown-field": lambda body: body["parts"][0].update(role="detects"),
        "no-digest": lambda body: body["parts"][0].pop("child"),
        "digest": lambda body: body["parts"][1].update(parent="ab"),
        "no-kept": lambda body: body["parts"][1].pop("notCompressed"),
    }),
    "bench": ("bench-everything", {
        "unknown-field": lambda body: body["work"].update(batch=1),
        "number": lambda body: body["figures"][0].update(value="fast"),
        "outcome": lambda body: body.update(outcome="good"),
        "certified": lambda body: body.update(certified=True),
        "twice": lambda body: body["figures"].append(body["figures"][0]),
        "no-limits": lambda body: body.pop("limits"),
    }),
    "eval-plan": ("eval-plan-everything", {
        "unknown-field": lambda body: body.update(verdict="better"),
        "samples": lambda body: body.update(samples=-1),
        "correction": lambda body: body.update(correction="none of it"),
        "margin": lambda body: body.update(margin="small"),
    }),
    "diff": ("diff-everything", {
        "verdict": lambda body: body.update(verdict="same"),
        "number": lambda body: body["models"][0]["groups"][1].update(relative="nan"),
        "status": lambda body: body["models"][0]["tensors"][0].update(status="equal"),
        "unknown-field": lambda body: body["files"][0].update(why="a"),
        "no-models": lambda body: body.pop("models"),
        "negative": lambda body: body["models"][0]["tensors"][1].update(changed=-1),
    }),
    "observation": ("observation-everything", {
        "unknown-field": lambda body: body["loads"][0].update(safe=True),
        "verdict": lambda body: body.update(verdict="safe"),
        "judged": lambda body: body["loads"][0]["seen"][0].update(judged="harmless"),
        "answer": lambda body: body["loads"][0]["seen"][1].update(answer="allowed"),
        "seconds": lambda body: body["loads"][0]["phases"][0].update(seconds="soon"),
        "outcome": lambda body: body["walls"]["outcomes"].update(write="perhaps"),
        "negative": lambda body: body["loads"][0].update(lost=-1),
        "no-walls": lambda body: body.pop("walls"),
    }),
    "origin": ("origin-everything", {
        "kind": lambda body: body["remarks"][0].update(kind="stolen"),
        "role": lambda body: body["names"][0].update(role="owner"),
        "unknown-field": lambda body: body["publishers"][0].update(verdict="good"),
        "no-basis": lambda body: body["signers"][0].pop("basis"),
        "measured-signer": lambda body: body["signers"][0].update(basis="measured"),
        "count": lambda body: body["copies"][0].update(equal=-1),
        "no-names": lambda body: body.pop("names"),
        "line": lambda body: body["names"][1]["source"].update(line=0),
    }),
    "lineage": ("lineage-tested", {
        "unknown-field": lambda body: body["edges"][0].update(verdict="consistent"),
        "no-nodes": lambda body: body.update(nodes=[], edges=[], tests=[]),
        "relation": lambda body: body["edges"][0].update(relation="friend"),
        "basis": lambda body: body["edges"][0].update(basis="assumed"),
        "verdict": lambda body: body["tests"][0].update(verdict="true"),
        "number": lambda body: body["tests"][0].update(pValue="small"),
        "negative": lambda body: body["tests"][0].update(samples=-1),
    }),
    "fingerprint": ("fingerprint-two", {
        "unknown-field": lambda body: body["tensors"][0].update(verdict="good"),
        "no-recipe": lambda body: body.pop("recipe"),
        "shape": lambda body: body["tensors"][0].update(shape=[32, 0]),
        "vector": lambda body: body["tensors"][0].update(shape=[32]),
        "packed": lambda body: body["tensors"][0]["rows"].update(values="AAA"),
        "empty": lambda body: body["tensors"][0].update(norms=""),
        "share": lambda body: body["tensors"][0].update(zeros="2"),
        "digest": lambda body: body["digests"].update(names="ab"),
    }),
    "rights": ("rights-asked", {
        "unknown-field": lambda body: body["answers"][0].update(law="BGB"),
        "verdict": lambda body: body["answers"][0].update(verdict="compliant"),
        "no-clause": lambda body: body["answers"][0]["reasons"][0].pop("cited"),
        "known": lambda body: body["works"][0].update(known="guessed"),
        "choices": lambda body: body["works"][0].update(choices=["MIT"]),
    }),
    "provenance": ("provenance-file", {
        "no-builder": lambda body: body["runDetails"].pop("builder"),
        "no-type": lambda body: body["buildDefinition"].pop("buildType"),
        "parameters": lambda body: body["buildDefinition"].update(externalParameters=[]),
        "time": lambda body: body["runDetails"].update(metadata={"startedOn": "yesterday"}),
    }),
}  # fmt: skip


def broken() -> Iterator[tuple[str, dict[str, Any]]]:
    """Statements whose bodies are none of their kind."""
    whole = {name: statement_bytes(statement) for name, statement in statements()}
    for kind, (name, changes) in _BREAKS.items():
        for what, change in changes.items():
            value = copy.deepcopy(json.loads(whole[name]))
            change(value["predicate"])
            yield f"{kind}-{what}", value
