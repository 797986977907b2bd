"""Reports built by hand, so that the reports are tested apart from readers and rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from openvet.core.coverage import Coverage, Unknown
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Outcome, Severity
from openvet.evidence.predicates.inventory_v1 import Fact, InventoryV1, Item, TensorEntry
from openvet.evidence.predicates.scan_v1 import FileScan, Scan
from openvet.evidence.predicates.tool import Tool
from openvet.evidence.statement import ResourceDescriptor
from openvet.policy.builtin import decide
from openvet.policy.decision import Acceptance, Terms
from openvet.reports.config_use import ConfigName, ConfigUse, Idle, IgnoredFile
from openvet.reports.report import ModelReport, NotChecked, Report, RuleText

__all__ = ["CLEAN", "EVIL", "HOSTILE", "MANY", "RULES", "SAFETY", "SAMPLES", "TOOL", "UNREAD", "model", "report"]

TOOL = Tool("openvet", "0.1.0", "ab" * 32)
#: Everything that a report must not let through: terminal escapes, overrides, markup, links, mentions, references.
EVIL = "\x1b[31m|a`b`<script>alert(1)</script> [x](http://evil.example) @all #1 {0} \u202egnp.exe\ud800\x07 www.evil.example"


def rule(name: str, severity: str, summary: str) -> RuleText:
    sections = (
        ("What it finds", f"It finds things for {name}."),
        ("Why it matters", "Loading the file runs them."),
        ("Remedy", "Do not load it.\n\nUse safetensors instead."),
    )
    return RuleText(name, severity, "high", "0.1.0", (502,) if severity == "critical" else (), summary, sections)


RULES = (
    rule("config/custom-code", "medium", "The model asks its loader to run code of its own."),
    rule("pickle/runs-process", "critical", "Loading the file starts a process."),
    rule("torch/needs-package", "note", "Loading the file needs a package."),
)


def digest(seed: int) -> dict[str, str]:
    return {"sha256": f"{seed:02x}" * 32}


def finding(rule: str, severity: Severity, where: Location, message: str, remedy: str, **evidence: object) -> Finding:
    return Finding(rule, severity, Confidence.HIGH, where, message, remedy, evidence)


def model(path: str, name: str, scan: Scan, inventory: InventoryV1 | None, digests: dict[str, str]) -> ModelReport:
    facts = None if inventory is None else inventory.facts
    return ModelReport(path, ResourceDescriptor(name, digests), scan, inventory, decide(scan), facts=facts)


def scan_of(files: tuple[FileScan, ...], **more: object) -> Scan:
    outcomes = {each.id: Outcome.PASS for each in RULES}
    limits = {"depth": 8, "seconds": 600.0}
    return replace(Scan(TOOL, limits, files, outcomes), **more)  # type: ignore[arg-type]


CARD = Location("README.md", pointer="/license")
CONFIG = Location("config.json", pointer="/model_type")
WEIGHTS = Location("model.safetensors")

CLEAN_FILES = (
    FileScan("README.md", ("markdown",), 7_000, digest(1), Coverage.INERT),
    FileScan("config.json", ("json",), 612, digest(2), Coverage.READ),
    FileScan("model.safetensors", ("safetensors",), 90_868_376, digest(3), Coverage.READ),
    FileScan(
        "training/state.pt", ("torch-zip",), 4_242, digest(4), Coverage.READ,
        findings=(
            finding("torch/needs-package", Severity.NOTE, Location("training/state.pt!/state/data.pkl", 17),
                    "needs the package sentence_transformers", "Install it from where you trust."),
        ),
    ),
)  # fmt: skip
CLEAN = model(
    "models/all-MiniLM-L6-v2", "all-MiniLM-L6-v2", scan_of(CLEAN_FILES),
    InventoryV1(
        TOOL,
        (
            Fact("family", "bert", "declared", (CONFIG,)),
            Fact("architecture", ["BertModel"], "declared", (Location("config.json", pointer="/architectures"),)),
            Fact("license", "apache-2.0", "declared", (CARD,)),
            Fact("parameters", 22_713_216, "derived", (WEIGHTS,)),
            Fact("dtypes", {"F32": 102, "I64": 1}, "derived", (WEIGHTS,)),
            Fact("tensors", 103, "derived", (WEIGHTS,)),
            Fact("weights format", "safetensors", "derived", (WEIGHTS,)),
            Fact("tokenizer", "BertTokenizer", "declared", (Location("tokenizer_config.json"),)),
            Fact("formats", {"json": 1, "markdown": 1, "safetensors": 1, "torch-zip": 1}, "derived"),
            Fact("files", 4, "derived"),
            Fact("bytes", 90_880_230, "derived"),
            Fact("not read", 0, "derived"),
        ),
        (
            Item("README.md", ("markdown",), 7_000, digest(1), "inert", {"title": "A model"}),
            Item("config.json", ("json",), 612, digest(2), "read"),
            Item("model.safetensors", ("safetensors",), 90_868_376, digest(3), "read", {"format": "pt"},
                 (TensorEntry("embeddings.word_embeddings.weight", "F32", (30522, 384), 8_192, 46_881_792),
                  TensorEntry("embeddings.position_ids", "I64", (1, 512), 46_889_984, 4_096))),
            Item("training/state.pt", ("torch-zip",), 4_242, digest(4), "read"),
            Item("training/state.pt!/state/data.pkl", ("pickle",), 800, {}, "read", {},
                 programs=({"kind": "pickle", "calls": []},)),
        ),
    ),
    {"dirHash": "cd" * 32},
)  # fmt: skip

RUNS = finding(
    "pickle/runs-process", Severity.CRITICAL, Location("pytorch_model.bin!/archive/data.pkl", 42),
    "calls os.system('echo hello') when it is loaded", "Do not load it; use model.safetensors instead.",
    callable="os.system", arguments=["echo hello"],
)  # fmt: skip
EVIL_FINDING = finding(
    "config/custom-code", Severity.MEDIUM, Location("config|`<b>.json", line=3, pointer=f"/auto_map/{EVIL}"),
    f"names {EVIL}", f"Read {EVIL} first.", seen=EVIL, number=float("nan"), long=2**70, infinite=float("-inf"),
)  # fmt: skip
HOSTILE = model(
    "/models/ev il", "ev il",
    scan_of(
        (
            FileScan("config|`<b>.json", ("json",), 612, digest(2), Coverage.READ, findings=(EVIL_FINDING,)),
            FileScan(
                "pytorch_model.bin", ("torch-zip",), 1_234, digest(5), Coverage.READ,
                findings=(RUNS, *(replace(RUNS, location=Location(f"pytorch_model.bin!/archive/{at}.pkl", 42)) for at in range(12))),
            ),
        ),
        rules={"pickle/runs-process": Outcome.FAIL, "config/custom-code": Outcome.FAIL, "torch/needs-package": Outcome.PASS},
    ),
    InventoryV1(
        TOOL,
        (Fact("family", EVIL, "declared", (CONFIG,)), Fact("parameters", str(2**60), "derived", (WEIGHTS,)),
         Fact("bytes", 1_846, "derived"), Fact("formats", {"json": 1, "torch-zip": 1}, "derived")),
        (
            Item("config|`<b>.json", ("json",), 612, digest(2), "read", {EVIL: EVIL, "nan": float("nan")}),
            Item("pytorch_model.bin", ("torch-zip",), 1_234, digest(5), "read", {},
                 (TensorEntry(EVIL, "F32", (2**62, 2**80), 0, 2**70),), ({"kind": "pickle", "note": EVIL},)),
        ),
    ),
    {"dirHash": "ef" * 32},
)  # fmt: skip

UNREAD = model(
    "../half read", "half read",
    scan_of(
        (
            FileScan("a b%20c.onnx", (), 99, digest(6), Coverage.UNREAD,
                     unknowns=(Unknown("no-reader", "no format recognises it", Location("a b%20c.onnx")),)),
            FileScan("b.h5", ("hdf5",), 100, digest(7), Coverage.UNREAD,
                     unknowns=(Unknown("no-reader", "hdf5 has no reader yet", Location("b.h5")),)),
            FileScan("c.bin", (), 0, {}, Coverage.UNREAD,
                     unknowns=(Unknown("denied", "cannot be opened: Permission denied", Location("c.bin")),)),
            FileScan("d.zip", ("zip",), 5_000, digest(8), Coverage.PARTIAL,
                     unknowns=tuple(Unknown("limit", f"expands too much, member {at}", Location(f"d.zip!/{at}", at)) for at in range(9))),
            FileScan("e\\x80\\u202e.txt", ("text",), 7, digest(9), Coverage.PARTIAL),
            FileScan("odd:name.txt", ("text",), 7, digest(9), Coverage.READ),
        ),
        unknowns=(Unknown("limit", "more files than allowed; the rest was not listed", Location("")),),
        reproducible=False,
        rules={"config/custom-code": Outcome.ERROR, "pickle/runs-process": Outcome.NOT_APPLICABLE,
               "torch/needs-package": Outcome.PASS},
        findings=(finding("config/custom-code", Severity.LOW, Location(""), "two loaders disagree", "Ask the author."),),
    ),
    None,
    {},
)  # fmt: skip

SAFETY = model("single/model.pt", "model.pt", scan_of((FileScan("model.pt", ("torch-zip",), 1, digest(1), Coverage.READ),)),
               None, digest(1))  # fmt: skip


_BOUND = replace(EVIL_FINDING, digests=("02" * 32,))
TEAM_SCAN = scan_of((
    FileScan("config|`<b>.json", ("json",), 612, digest(2), Coverage.READ, findings=(_BOUND,)),
    FileScan("b.json", ("json",), 612, digest(3), Coverage.READ, findings=(replace(_BOUND, digests=("03" * 32,)),)),
))  # fmt: skip
HELD = Acceptance("config/custom-code", "02" * 32, f"read by two of us {EVIL}", f"ann {EVIL}", date(2030, 6, 30), 3)
TEAM = ModelReport(
    "models/team", ResourceDescriptor("team", {"dirHash": "ab" * 32}), TEAM_SCAN, None, decide(TEAM_SCAN, Terms((HELD,))),
    ConfigName("../openvet.toml", "cd" * 32, "2026-11-24"),
)  # fmt: skip
USE = ConfigUse(
    ConfigName("../openvet.toml", "cd" * 32, "2026-11-24"), "upwards from the working directory", False,
    (Idle(9, "expired", "the acceptance of a/b in 000000000000… expired on 2026-01-01"), Idle(20, "unused", f"the callable {EVIL} is used nowhere here")),
    (IgnoredFile(f"openvet.toml{EVIL}", "it lies in models/team, which is examined, and whoever made that may have written it"),),
)  # fmt: skip
TEAM_REPORT = Report(TOOL, (TEAM,), RULES, (), USE)
STRICT_REPORT = Report(
    TOOL,
    (replace(TEAM, decision=decide(TEAM_SCAN, Terms((HELD,), strict=True))),),
    RULES,
    (),
    replace(USE, strict=True, idle=(), ignored=()),
)


def report(*models: ModelReport, errors: tuple[NotChecked, ...] = ()) -> Report:
    return Report(TOOL, models, RULES, errors)


MANY = report(CLEAN, HOSTILE, UNREAD, SAFETY, errors=(NotChecked("gone", "No such file or directory"),))
SAMPLES = {
    "clean": report(CLEAN),
    "hostile": report(HOSTILE),
    "unread": report(UNREAD),
    "safety": report(SAFETY),
    "many": MANY,
    "team": TEAM_REPORT,
    "strict": STRICT_REPORT,
    "nothing": report(errors=(NotChecked("gone\\x1b", "No such file or directory"),)),
}
