"""The names that conditions see, beside answers and steps: each with its type, the kind of statement that has it, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openvet.core.dataclass import dataclass

__all__ = ["BESIDE", "KINDS", "VOCABULARY", "Fact"]

#: Kinds of statements that a check makes only where a pack asks for them, in the order in which they are made.
BESIDE: Final = ("openness", "rights", "origin")


@dataclass(frozen=True, slots=True)
class Fact:
    """A name.

    Attributes:
        kind: of the statement that has to be at hand; '' where it is always there.
        text: what it is, in a sentence.
        label: the same in a few words, beside a value.
        declared: it is what the model says of itself, where the statement does not say of each fact how it is known.
    """

    name: str
    type: str
    kind: str
    text: str
    label: str
    declared: bool = False


#: What is not told well enough by the name alone.
_LABELS: Final[Mapping[str, str]] = {
    "subject.name": "name of the model",
    "subject.digest": "digests of the model",
    "signature.signers": "keys that signed the model's bytes",
    "scan.verdict": "safe to load, by the built-in policy",
    "scan.rejected": "rules whose findings lead to a reject",
    "scan.reviewed": "rules whose findings lead to a review",
    "scan.rules": "rules with findings",
    "scan.unread": "files that were not read to their end",
    "scan.formats": "formats of the files",
    "profile.kind": "kind of architecture",
    "profile.family": "family of the architecture",
    "profile.active_parameters": "parameters that one token passes",
    "profile.weight_bytes": "size of the weights",
    "profile.context_length": "context length in tokens",
    "profile.input": "what goes in",
    "profile.output": "what comes out",
    "inventory.library": "library that loads it",
    "inventory.dtypes": "types of the weights",
    "card.sections": "sections of the model card that say something",
    "card.datasets": "data sets that the card names",
    "card.languages": "languages that the card names",
    "card.pipeline_tag": "task that the card names",
    "licenses.state": "declared licences and licences' texts",
    "licenses.declared": "declared licences",
    "licenses.found": "licences whose texts lie with the model",
    "licenses.texts": "texts of licences",
    "lineage.bases": "models that it is made of",
    "lineage.datasets": "data sets that it or a base is said to be trained on",
    "lineage.relations": "how it was made of these",
    "advisories.affected": "published problems of versions that the files name",
    "advisories.packages": "packages that the files name",
    "advisories.date": "problems are known up to",
    "origin.signers": "verified signers of files or statements",
    "observation.verdict": "what it did when it was loaded in a sandbox",
    "observation.level": "level of that sandbox",
    "observation.proven": "its walls held in that run",
    "observation.phases": "phases that were gone through",
    "claims.compute_low": "operations of training by the declared figures, at least",
    "claims.compute_high": "operations of training by the declared figures, at most",
    "claims.energy_low": "MWh of training by the declared figures, at least",
    "claims.energy_high": "MWh of training by the declared figures, at most",
    "claims.formulas": "how they were computed",
    "diff.verdict": "against the version before",
    "bom.components": "components of the bill of materials",
    "eval.tasks": "tasks of which there are results",
    "eval.value": "figures of tasks",
    "eval.low": "figures of tasks, at least",
    "eval.high": "figures of tasks, at most",
    "eval.samples": "samples behind these figures",
    "eval.metric": "what these figures are",
    "eval.signer": "who signed these results",
    "bench.devices": "devices under whose limits it was measured",
    "bench.outcome": "how measuring it went, by device",
    "bench.certified": "devices of which figures are vouched for",
    "bench.value": "speed and memory, by device",
    "bench.low": "speed and memory, at least",
    "bench.high": "speed and memory, at most",
    "bench.signer": "who signed these measurements",
    "derivation.kinds": "steps that it is made by",
    "derivation.methods": "how these steps were made",
    "derivation.parents": "digests of what it is made of",
    "derivation.verdict": "as good as its parent, by what was measured",
    "derivation.loss": "loss that counted as still as good",
    "derivation.signers": "who signed the certificates of these steps",
    "tests.result": "result of the signed test run",
    "tests.passed": "tests that passed",
    "tests.failed": "tests that failed",
    "tests.address": "where the test run can be looked at",
}
#: Names that are not of the kind by which they begin.
_KINDS: Final[Mapping[str, str]] = {"tests": "test-result"}
_DECLARED: Final = frozenset([
    "card.fields", "card.datasets", "card.languages", "card.pipeline_tag", "licenses.declared", "lineage.bases", "lineage.datasets",
    "lineage.relations", "advisories.packages", "origin.publishers", "origin.seats", "tests.result", "tests.passed", "tests.failed",
    "tests.address",
])  # fmt: skip


def _made(*rows: tuple[str, str, str]) -> Mapping[str, Fact]:
    always = {"as_of", "subject", "evidence"}
    out = {}
    for name, type_, text in rows:
        kind = name.split(".", 1)[0]
        label = _LABELS.get(name, name.split(".", 1)[-1].replace("_", " "))
        out[name] = Fact(name, type_, "" if kind in always else _KINDS.get(kind, kind), text, label, name in _DECLARED)
    return out


VOCABULARY: Final[Mapping[str, Fact]] = _made(
    ("as_of", "timestamp", "the day that is asked about, 00:00 UTC"),
    ("subject.name", "string", "what the model is called"),
    ("subject.digest", "list(string)", "the model's digests, algorithm:hex"),
    ("evidence.kinds", "list(string)", "kinds of statements that are at hand and believed"),
    ("signature.signers", "list(string)", "who signed the model's bytes and is believed for it"),
    ("scan.verdict", "string", "admit, review or reject by the built-in policy, with the team's acceptances"),
    ("scan.rejected", "list(string)", "rules whose findings lead to a reject there"),
    ("scan.reviewed", "list(string)", "rules, and reasons why something was not read, that lead to a review there"),
    ("scan.rules", "list(string)", "rules with a finding above note"),
    ("scan.noted", "list(string)", "rules with any finding"),
    ("scan.files", "int", "files"),
    ("scan.unread", "int", "files that were not read to their end"),
    ("scan.formats", "list(string)", "formats that files were read as"),
    (
        "scan.findings",
        "list(map)",
        "rule, severity, confidence, place and message of the first 1000 findings above note, the worst first",
    ),
    (
        "profile.parameters",
        "double",
        "of the only model, of a pipeline together, or what several packagings agree about",
    ),
    ("profile.active_parameters", "double", "what one token passes"),
    ("profile.weight_bytes", "double", "bytes of all weights"),
    ("profile.context_length", "double", "tokens"),
    ("profile.layers", "double", "layers"),
    ("profile.family", "string", "architecture's family, as declared"),
    ("profile.kind", "string", "decoder, encoder, denoiser, adapter ... by the family"),
    ("profile.input", "list(string)", "text image audio video, what goes in"),
    ("profile.output", "list(string)", "text image audio video vectors labels, what comes out"),
    ("inventory.architectures", "list(string)", "architectures that the configuration declares"),
    ("inventory.library", "string", "the library that loads it, as declared"),
    ("inventory.tokenizer", "string", "its tokenizer, as declared, or the tokenizer's file"),
    ("inventory.tensors", "int", "tensors"),
    ("inventory.dtypes", "list(string)", "types of the tensors' elements"),
    ("card.present", "bool", "there is a model card"),
    (
        "card.sections",
        "list(string)",
        "sections of the hub's template in which something stands that the template did not put there",
    ),
    ("card.missing", "list(string)", "metadata:NAME, section:NAME, property:NAME that are expected and not there"),
    ("card.fields", "list(string)", "names of what the card declares"),
    ("card.datasets", "list(string)", "data sets that the card declares"),
    ("card.languages", "list(string)", "languages that the card declares"),
    ("card.pipeline_tag", "string", "the task that the card declares"),
    ("card.problems", "list(string)", "kinds of what is malformed in documents, or contradicted by the files"),
    ("licenses.state", "string", "agree, differ, declared-only, found-only, unclear, nothing"),
    ("licenses.declared", "list(string)", "keys of licences that are declared of the model"),
    ("licenses.found", "list(string)", "keys of licences whose texts lie with the model"),
    ("licenses.texts", "list(string)", "where texts of licences lie, and of which"),
    ("licenses.sure", "bool", "no name or text of a licence may mean several"),
    (
        "rights.uses",
        "map(string, string)",
        "use -> allowed, depends, not-allowed, of the uses that the pack asks about",
    ),
    (
        "rights.uses_but_data",
        "map(string, string)",
        "the same, leaving out what hangs on data sets: whether their licences bind a model is contested",
    ),
    ("rights.verdict", "string", "the worst of these, and of what has to be known whatever the use"),
    ("rights.drifts", "list(string)", "kinds of what the model's licence drops of what a base model's asks for"),
    ("rights.duties", "list(string)", "kinds of duties that licences name for these uses"),
    ("rights.missing_duties", "list(string)", "kinds of duties that the files show to be missing"),
    ("lineage.bases", "list(string)", "models that this one is said, or seen, to be made of"),
    ("lineage.datasets", "list(string)", "data sets that it, or a base, is said to be trained on"),
    ("lineage.relations", "list(string)", "finetune adapter quantized merge ... of this model"),
    ("lineage.problems", "int", "declarations that make no sense"),
    ("lineage.contradicted", "list(string)", "named bases that the weights speak against"),
    (
        "openness.class_files",
        "int",
        "class of the Model Openness Framework, by files alone: 1 is the most open, 3 the least, 0 none",
    ),
    ("openness.class_declared", "int", "the same, with what is declared and linked"),
    ("openness.lines", "map(string, string)", "scheme/line -> evidence, declared, open, against"),
    ("openness.parts", "map(string, string)", "component -> found, linked, recorded, missing"),
    ("advisories.affected", "list(string)", "published problems of versions that the files name"),
    ("advisories.maybe", "list(string)", "the same, of ranges that allow versions with the problem and others"),
    ("advisories.reached", "list(string)", "published problems of loaders that content of the model reaches"),
    ("advisories.packages", "list(string)", "packages that files name, with what they say of the version"),
    ("advisories.date", "timestamp", "the day up to which problems are known"),
    ("origin.remarks", "list(string)", "kinds of what a person should look at"),
    ("origin.publishers", "list(string)", "known publishers that are named"),
    ("origin.seats", "list(string)", "countries in which these say that they are seated (ISO 3166)"),
    ("origin.signers", "list(string)", "verified signers of files or statements"),
    (
        "observation.verdict",
        "string",
        "nothing-observed, not-loaded, observed-unusual, observed-malicious: when it was loaded in a sandbox; never a proof of safety",
    ),
    ("observation.level", "int", "the level of that sandbox, 1 to 4, whose walls were tried in the same run"),
    (
        "observation.proven",
        "bool",
        "whether none of the attempts to get out of it reached anything, at level 2 or above, and no isolation was accepted",
    ),
    ("observation.phases", "list(string)", "the phases that every load completed: load, construct, forward, unload"),
    ("claims.compute_low", "double", "operations of training that the declared figures give, at least"),
    ("claims.compute_high", "double", "the same, at most"),
    ("claims.energy_low", "double", "MWh of training that the declared figures give, at least"),
    ("claims.energy_high", "double", "the same, at most"),
    ("claims.formulas", "list(string)", "by which formulas, and from which numbers, these were computed"),
    ("claims.inconsistent", "list(string)", "published figures that cannot be true with the others"),
    (
        "eval.tasks",
        "list(string)",
        "tasks of which results of these bytes are there: names, and sha256: with the digest of each",
    ),
    (
        "eval.value",
        "map(string, double)",
        "task -> its figure, the worst of several results; a task is a name, where one alone has it, or sha256: and its digest",
    ),
    (
        "eval.low",
        "map(string, double)",
        "task -> the lower end of its interval, of several results the least; none where samples failed",
    ),
    (
        "eval.high",
        "map(string, double)",
        "task -> the upper end, of several results the most; none where samples failed",
    ),
    ("eval.samples", "map(string, double)", "task -> samples that are in the figure, of several results the fewest"),
    ("eval.metric", "map(string, string)", "task -> mean, ratio or correlation"),
    ("eval.signer", "map(string, string)", "task -> SHA-256 of the key that signed all its results"),
    ("bench.devices", "list(string)", "devices under whose limits it was to run; here where no device was named"),
    (
        "bench.outcome",
        "map(string, string)",
        "device -> measured, ended, too-slow or refused, the worst of several benches",
    ),
    (
        "bench.certified",
        "list(string)",
        "devices with a bench whose figures are vouched for: the machine was quiet, every limit kept",
    ),
    (
        "bench.value",
        "map(string, double)",
        "device/figure, such as rpi5/request-p50 (s) or rpi5/peak-resident (byte), of benches that are certified",
    ),
    (
        "bench.low",
        "map(string, double)",
        "device/figure -> the lower end of its interval, of several benches the least",
    ),
    ("bench.high", "map(string, double)", "device/figure -> the upper end, of several benches the most"),
    ("bench.signer", "map(string, string)", "device -> SHA-256 of the key that signed all its certified benches"),
    (
        "derivation.kinds",
        "list(string)",
        "quantize prune distill convert finetune ...: steps whose certificate is about these bytes",
    ),
    ("derivation.methods", "list(string)", "which transforms these were"),
    ("derivation.parents", "list(string)", "digests of what it was made of, algorithm:hex"),
    (
        "derivation.verdict",
        "string",
        "as-good, unresolved or worse than its parent by measurement, the worst of several certificates; not-asked where none was asked",
    ),
    (
        "derivation.loss",
        "double",
        "how much worse was still as good there: a share; of several certificates the largest",
    ),
    ("derivation.signers", "list(string)", "SHA-256 of the keys that signed these certificates"),
    ("diff.verdict", "string", "same, differs, cannot-tell: against another version"),
    ("bom.formats", "list(string)", "forms of the bills of materials that are at hand: cyclonedx, spdx"),
    ("bom.components", "list(string)", "software and models that they list, with versions"),
    ("tests.result", "string", "PASSED, WARNED or FAILED: of a signed run of tests, in the words of who ran it"),
    ("tests.passed", "list(string)", "names of its tests that passed"),
    ("tests.failed", "list(string)", "names of its tests that failed"),
    ("tests.address", "string", "where that run can be looked at"),
)
#: The words of ``evidence.kinds``: kinds that facts come from, and those of which only that they are there counts. A bill is of the kind of its form.
KINDS: Final = frozenset({each.kind for each in VOCABULARY.values()} - {"", "bom"}) | {
    "inventory", "fingerprint", "cyclonedx", "spdx", "provenance", "svr", "vsa", "vulns", "test-result",
}  # fmt: skip
