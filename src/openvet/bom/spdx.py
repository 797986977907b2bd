"""A bill as SPDX 3.0.1 in JSON-LD: an AI package with its files, data sets, ancestors and libraries, and where each field was read.

What SPDX has no field for is left to CycloneDX; where a field is read, an annotation of the package says. Ids are those of one document,
made from its subject, so that the same subject gives the same bytes.

Specification: https://spdx.github.io/spdx-spec/v3.0.1/ (profiles Core, Software, AI, Dataset, SimpleLicensing, Security)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from openvet.bom._cited import told
from openvet.bom._made_of import NOTED
from openvet.bom._problems import problems
from openvet.bom._rights import about_model, duties, held_licenses, key_of
from openvet.bom._table import table
from openvet.bom.bill import Bill, License, Piece, Said
from openvet.bom.cyclonedx import serial
from openvet.core.pattern import pattern

__all__ = ["spdx"]

_CONTEXT: Final = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
_ALGORITHMS: Final = ("sha256", "sha512", "sha384", "sha1", "md5", "blake3")
_HEX: Final = pattern(r"[0-9a-f]{32,128}")
_DATE: Final = pattern(r"\d{4}-\d\d-\d\d")
_EXPRESSION: Final = pattern(r"[A-Za-z0-9.+-]+")
_PURPOSES: Final = {"weights": "model", "adapter": "model", "tokenizer": "data", "chat-template": "data", "generation-config": "configuration",
                    "configuration": "configuration", "code": "source", "license": "documentation", "documentation": "documentation"}  # fmt: skip
_RELATIONS: Final = {
    "contains": "contains",
    "depends": "dependsOn",
    "trained-on": "trainedOn",
    "tested-on": "testedOn",
    "descends": "descendantOf",
}
_LINKS: Final = {"vcs": "vcs", "website": "altWebPage", "paper": "documentation", "distribution": "altDownloadLocation"}
_TEXTS: Final = ("informationAboutApplication", "informationAboutTraining", "limitation")
_LISTS: Final = ("domain", "modelDataPreprocessing", "modelExplainability", "standardCompliance")
_WORDS: Final = ("autonomyType", "safetyRiskAssessment", "useSensitivePersonalInformation")


def spdx(bill: Bill, time: datetime | None = None) -> dict[str, Any]:
    """The document. SPDX requires a time of creation: without ``time`` it is the epoch's."""
    return _Writer(bill, time).document()


class _Writer:
    def __init__(self, bill: Bill, time: datetime | None) -> None:
        self._bill = bill
        self._stamp = (time or datetime.fromtimestamp(0, UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._base = f"https://openvet/spdx/{serial(bill, 'spdx')}#"
        self._digests = bill.digests_by_place
        self._elements: list[dict[str, Any]] = []
        self._said: dict[str, Said] = {}
        self._notes: list[tuple[str, str]] = []

    def _id(self, ref: str) -> str:
        return self._base + quote(ref, safe="")

    def _add(self, kind: str, ref: str, **fields: Any) -> str:
        element = {"type": kind, "spdxId": self._id(ref), "creationInfo": "_:creation"}
        self._elements.append(
            {**element, **{key: value for key, value in fields.items() if value not in (None, "", [], {})}}
        )
        return self._id(ref)

    def document(self) -> dict[str, Any]:
        bill, tool = self._bill, self._bill.tool
        creation = {
            "type": "CreationInfo",
            "@id": "_:creation",
            "specVersion": "3.0.1",
            "created": self._stamp,
            "createdBy": [self._id("agent:openvet")],
            "createdUsing": [self._id("tool:openvet")],
        }
        self._add("SoftwareAgent", "agent:openvet", name=f"{tool.name} {tool.version}")
        self._add(
            "Tool", "tool:openvet", name=f"{tool.name} {tool.version}", description=f"knowledge sha256:{tool.knowledge}"
        )
        model = self._model()
        for part in bill.parts:
            self._ai(part.ref, part.name, part.said)
        for piece in bill.pieces:
            self._piece(piece)
        self._licenses(model)
        self._licenses_of_others()
        for number, (one, kind, others) in enumerate(self._grouped()):
            self._add("Relationship", f"relation:{number}", **{"from": self._id(one)}, relationshipType=_RELATIONS[kind],
                      to=[self._id(each) for each in others])  # fmt: skip
        for element in problems(bill, self._id):
            self._elements.append({**element, "creationInfo": "_:creation"})
        self._annotations()
        listed = [each["spdxId"] for each in self._elements]
        self._add("software_Sbom", "sbom", name=f"bill of materials of {bill.model.name}", rootElement=[model], element=listed,
                  software_sbomType=["analyzed"], profileConformance=_profiles(bill))  # fmt: skip
        self._add("SpdxDocument", "document", name=bill.model.name, rootElement=[self._id("sbom")], element=[*listed, self._id("sbom")],
                  profileConformance=_profiles(bill))  # fmt: skip
        return {"@context": _CONTEXT, "@graph": [creation, *self._elements]}

    def _grouped(self) -> list[tuple[str, str, list[str]]]:
        """Relations of one element of one kind are one."""
        out: dict[tuple[str, str], list[str]] = {}
        for each in self._bill.relations:
            others = out.setdefault((each.one, each.kind), [])
            if each.other not in others:
                others.append(each.other)
        return [(one, kind, others) for (one, kind), others in out.items()]

    # --- packages ---

    def _model(self) -> str:
        bill, said = self._bill, self._bill.model.said
        supplier = None
        if "supplier" in said and said["supplier"].text:
            supplier = self._add("Agent", "agent:supplier", name=said["supplier"].text)
            self._said["suppliedBy"] = said["supplier"]
        authors = []
        for number, each in enumerate(said["authors"].value if "authors" in said else ()):
            authors.append(self._add("Agent", f"agent:author:{number}", name=str(each)))
            self._said["originatedBy"] = said["authors"]
        where = next((url for kind, url, _ in bill.links if kind == "distribution"), None)
        home = next((url for kind, url, _ in bill.links if kind == "website"), None)
        refs = [
            {"type": "ExternalRef", "externalRefType": _LINKS[kind], "locator": [url]} for kind, url, _ in bill.links
        ]
        return self._ai(
            "model", bill.model.name, said, main=True, suppliedBy=supplier, originatedBy=authors, releaseTime=self._released(said),
            software_packageVersion=bill.model.version, software_packageUrl=bill.model.purl, software_downloadLocation=where,
            software_homePage=home, externalRef=refs, verifiedUsing=_hashes(bill.subject.digest),
            description=self._take("description", said, "description"), ai_metric=self._metrics(), comment=_dir_hash(bill),
        )  # fmt: skip

    def _ai(self, ref: str, name: str, said: Mapping[str, Said], *, main: bool = False, **fields: Any) -> str:
        kinds = [said[key].text for key in ("family", "class", "kind", "task") if key in said and said[key].text]
        values = [
            {"type": "DictionaryEntry", "key": key, "value": said[name].text}
            for name, key in table()["hyperparameters"].items()
            if name in said and said[name].text
        ]
        if main:
            for key in ("family", "class", "kind", "task"):
                if key in said:
                    self._said[f"ai_typeOfModel {key}"] = said[key]
            for key, to in table()["hyperparameters"].items():
                if key in said:
                    self._said[f"ai_hyperparameter {to}"] = said[key]
            fields |= self._ai_fields(said)
        return self._add(
            "ai_AIPackage", ref, name=name, software_primaryPurpose="model", ai_typeOfModel=list(dict.fromkeys(kinds)),
            ai_hyperparameter=values, **fields,
        )  # fmt: skip

    def _ai_fields(self, said: Mapping[str, Said]) -> dict[str, Any]:
        out: dict[str, Any] = {f"ai_{name}": self._take(f"ai_{name}", said, name) for name in _TEXTS}
        for name in _LISTS:
            text = self._take(f"ai_{name}", said, name)
            value = said[name].value if name in said else None
            out[f"ai_{name}"] = [str(each) for each in value] if isinstance(value, list) else [text] if text else None
        for name in _WORDS:
            if name in said and said[name].text in table()["words"][name].split():
                out[f"ai_{name}"] = self._take(f"ai_{name}", said, name)
        if "metricDecisionThreshold" in said:
            text = self._take("ai_metricDecisionThreshold", said, "metricDecisionThreshold")
            out["ai_metricDecisionThreshold"] = [{"type": "DictionaryEntry", "key": "threshold", "value": text}]
        energy = said.get("energyQuantity")
        if energy is not None and isinstance(energy.value, int | float) and 0 <= energy.value < 1e18:
            self._said["ai_energyConsumption"] = energy
            described = {
                "type": "ai_EnergyConsumptionDescription",
                "ai_energyQuantity": energy.value,
                "ai_energyUnit": "kilowattHour",
            }
            kind = "co2" in said and isinstance(said["co2"].value, Mapping) and said["co2"].value.get("training_type")
            which = "ai_finetuningEnergyConsumption" if kind == "fine-tuning" else "ai_trainingEnergyConsumption"
            out["ai_energyConsumption"] = {"type": "ai_EnergyConsumption", which: [described]}
        return out

    def _take(self, field: str, said: Mapping[str, Said], name: str) -> str | None:
        if name not in said or not said[name].text:
            return None
        self._said[field] = said[name]
        return said[name].text

    def _metrics(self) -> list[dict[str, str]]:
        out = []
        for number, each in enumerate(self._bill.metrics):
            data = f" on {each.value['dataset']}" if isinstance(each.value.get("dataset"), str) else ""
            name = each.value.get("metric") or each.value.get("task") or "value"
            out.append({"type": "DictionaryEntry", "key": f"{name}{data}", "value": str(each.value["value"])})
            self._said[f"ai_metric {number}"] = each
        return out

    def _released(self, said: Mapping[str, Said]) -> str | None:
        released = said.get("released")
        if released is None or not _DATE.fullmatch(released.text):
            return None
        try:
            datetime.fromisoformat(released.text)
        except ValueError:
            return None
        self._said["releaseTime"] = released
        return f"{released.text}T00:00:00Z"

    def _piece(self, piece: Piece) -> None:
        purl = piece.purl or None
        if piece.kind == "dataset":
            self._add("dataset_DatasetPackage", piece.ref, name=piece.name, dataset_datasetType=["noAssertion"],
                      verifiedUsing=_hashes(piece.digests), software_packageVersion=piece.version, software_primaryPurpose="data", comment=self._comment(piece),
                      software_downloadLocation=piece.said["url"].text if "url" in piece.said else None)  # fmt: skip
        elif piece.kind == "base-model":
            self._add("ai_AIPackage", piece.ref, name=piece.name, software_packageUrl=purl, software_primaryPurpose="model",
                      software_packageVersion=piece.version, verifiedUsing=_hashes(piece.digests), comment=self._comment(piece))  # fmt: skip
        elif piece.kind in ("library", "service"):
            self._add("software_Package", piece.ref, name=piece.name, software_packageVersion=piece.version, software_packageUrl=purl,
                      software_primaryPurpose="library" if piece.kind == "library" else "requirement", comment=self._comment(piece))  # fmt: skip
        else:
            self._add("software_File", piece.ref, name=piece.name, verifiedUsing=_hashes(piece.digests),
                      software_primaryPurpose=_PURPOSES.get(piece.kind), comment=f"role: {piece.kind}")  # fmt: skip

    def _comment(self, piece: Piece) -> str | None:
        if piece.named is None:
            return None
        said = [f"{name} {each.text}" for name, each in piece.said.items() if name.startswith("relation")]
        return "; ".join([*said, told(piece.named, self._digests)])

    def _licenses(self, model: str) -> None:
        relations: dict[str, list[str]] = {}
        for number, each in enumerate(self._bill.licenses):
            ref = self._add("simplelicensing_LicenseExpression", f"license:{number}", simplelicensing_licenseExpression=_expression(each),
                            comment=f"written as {each.name}; {told(each.said, self._digests)}")  # fmt: skip
            relations.setdefault("hasConcludedLicense" if each.text else "hasDeclaredLicense", []).append(ref)
            self._duties(ref, "model", key_of(each))
        for kind, refs in relations.items():
            name = "relation:license" if kind == "hasDeclaredLicense" else "relation:license-text"
            self._add("Relationship", name, **{"from": model}, relationshipType=kind, to=refs)

    def _licenses_of_others(self) -> None:
        """Those of base models and data sets, as far as they are known."""
        for piece in self._bill.of("base-model", "dataset"):
            held = held_licenses(self._bill, piece.ref)
            if held is None:
                continue
            refs: list[str] = []
            texts = (
                [(held.expression, "")]
                if held.expression
                else [(_expression(each), key_of(each)) for each in held.licenses]
            )
            for text, key in texts:
                ref = self._add("simplelicensing_LicenseExpression", f"license:{piece.ref}:{len(refs)}", simplelicensing_licenseExpression=text,
                                comment=told(held.said, self._digests))  # fmt: skip
                self._duties(ref, piece.ref, key)
                refs.append(ref)
            self._add("Relationship", f"relation:license:{piece.ref}", **{"from": self._id(piece.ref)}, relationshipType="hasDeclaredLicense", to=refs)  # fmt: skip

    def _duties(self, subject: str, ref: str, key: str) -> None:
        for group, words in duties(self._bill, ref, key):
            self._notes.append((subject, f"duty, {group}: {words}"))

    def _annotations(self) -> None:
        """Where each field of the model was read, and what has no field: what else it was made of, and what licences say and ask for."""
        model = self._id("model")
        notes = [(model, f"{field}: {told(said, self._digests)}") for field, said in self._said.items()]
        notes += [
            (model, f"{name} {said.text}: {told(said, self._digests)}")
            for name, said in self._bill.model.said.items()
            if name in NOTED.values()
        ]
        notes += [
            (model, f"{name}: {said.text}; {told(said, self._digests)}") for name, said in about_model(self._bill)
        ]
        for number, (subject, text) in enumerate((*notes, *self._notes)):
            self._add("Annotation", f"annotation:{number}", annotationType="other", subject=subject, contentType="text/plain",
                      statement=text)  # fmt: skip


def _expression(license: License) -> str:  # noqa: A002
    text = license.id or license.reference
    return text if _EXPRESSION.fullmatch(text) else "NOASSERTION"


def _hashes(digests: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"type": "Hash", "algorithm": name, "hashValue": digests[name]}
        for name in _ALGORITHMS
        if name in digests and _HEX.fullmatch(digests[name])
    ]


def _dir_hash(bill: Bill) -> str | None:
    found = bill.subject.digest.get("dirHash")
    return f"dirHash (Go's h1, in hex, over the names and SHA-256 of all files): {found}" if found else None


def _profiles(bill: Bill) -> list[str]:
    data = ["dataset"] if any(each.kind == "dataset" for each in bill.pieces) else []
    security = ["security"] if bill.advisories is not None and bill.advisories.hits else []
    return ["core", "software", "ai", *data, "simpleLicensing", *security]
