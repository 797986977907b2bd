"""The names that conditions see, beside answers and steps: each with its type, the kind of statement that has it, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openvet.core.dataclass import dataclass

__all__ = ["VOCABULARY", "Fact"]


@dataclass(frozen=True, slots=True)
class Fact:
    """A name. ``kind`` is that of the statement that has to be at hand; '' where it is always there."""

    name: str
    type: str
    kind: str
    text: str


def _made(*rows: tuple[str, str, str]) -> Mapping[str, Fact]:
    always = {"as_of", "subject", "evidence"}
    out = {}
    for name, type_, text in rows:
        kind = name.split(".", 1)[0]
        out[name] = Fact(name, type_, "" if kind in always else kind, text)
    return out


VOCABULARY: Final[Mapping[str, Fact]] = _made(
    ("as_of", "timestamp", "the day that is asked about, 00:00 UTC"),
    ("subject.name", "string", "what the model is called"),
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
    ("licenses.sure", "bool", "no name or text of a licence may mean several"),
    (
        "rights.uses",
        "map(string, string)",
        "use -> allowed, depends, not-allowed, of the uses that the pack asks about",
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
    ("advisories.date", "timestamp", "the day up to which problems are known"),
    ("origin.remarks", "list(string)", "kinds of what a person should look at"),
    ("origin.publishers", "list(string)", "known publishers that are named"),
    ("origin.seats", "list(string)", "countries in which these say that they are seated (ISO 3166)"),
    ("origin.signers", "list(string)", "verified signers of files or statements"),
    ("claims.compute_low", "double", "operations of training that the declared figures give, at least"),
    ("claims.compute_high", "double", "the same, at most"),
    ("claims.inconsistent", "list(string)", "published figures that cannot be true with the others"),
    ("diff.verdict", "string", "same, differs, cannot-tell: against another version"),
)
