"""A bill as CycloneDX 1.7: components with hashes, a model card, formulation, citations, and claims with their evidence.

The first component is the model as its documents describe it; ``metadata.component`` is the subject as it was delivered. Fields that the
standard has no place for are properties: the official ``cdx:ai-ml:*``, the names of SPDX's AI profile as ``spdx:*``, those under which
OWASP's generator looks for hyperparameters as ``genai:aibom:*``, and ours as ``openvet:*``.

Specification: ECMA-424; https://cyclonedx.org/docs/1.7/json/ ; https://github.com/CycloneDX/cyclonedx-property-taxonomy
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from openvet.bom._cited import Citations, told
from openvet.bom._model_card import CardWriter
from openvet.bom._problems import vulnerabilities
from openvet.bom._rights import about_model, duties, held_licenses, key_of
from openvet.bom.bill import Bill, License, Piece, Said
from openvet.core.canonical import canonical_json
from openvet.core.pattern import pattern
from openvet.evidence.predicates.inventory_v1 import Fact

__all__ = ["ALGORITHMS", "cyclonedx", "hashes", "serial"]

#: Ours -> CycloneDX's. A ``dirHash`` is no hash of bytes and is told as a property.
ALGORITHMS: Final = {
    "sha256": "SHA-256",
    "sha512": "SHA-512",
    "sha384": "SHA-384",
    "sha1": "SHA-1",
    "md5": "MD5",
    "blake3": "BLAKE3",
}
_HEX: Final = pattern(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128}")
_URL: Final = pattern(r"https?://[A-Za-z0-9.\-_~:/?#@!$&'()*+,;=]{1,500}")
#: Names of bills, by what they are of: a UUID of version 5 in this space.
_SPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "https://openvet/bom/v1")
_MOST_CLAIMS: Final = 300
_TYPES: Final = {"library": "library", "dataset": "data", "base-model": "machine-learning-model", "model": "machine-learning-model",
                 "model-part": "machine-learning-model", "chat-template": "data"}  # fmt: skip


def serial(bill: Bill, form: str) -> uuid.UUID:
    """The name of the document: the same for the same subject, tool and statements, of another kind for each form."""
    digest = {
        key: dict(each) for key, each in (("subject", bill.subject.digest), ("model", bill.model.digests)) if each
    }
    seed: dict[str, Any] = {"form": form, "name": bill.subject.name, "digest": digest, "knowledge": bill.tool.knowledge}
    if not digest:
        seed["files"] = {each.ref: dict(each.digests) for each in bill.pieces}
    return uuid.uuid5(_SPACE, canonical_json(seed).decode())


def hashes(digests: Mapping[str, str]) -> list[dict[str, str]]:
    """CycloneDX's hashes."""
    return [
        {"alg": ALGORITHMS[name], "content": value}
        for name, value in sorted(digests.items())
        if name in ALGORITHMS and _HEX.fullmatch(value)
    ]


def cyclonedx(bill: Bill, time: datetime | None = None) -> dict[str, Any]:
    """The document. Without ``time`` it has no timestamp, and those that citations require are the epoch's."""
    return _Writer(bill, time).document()


class _Writer:
    def __init__(self, bill: Bill, time: datetime | None) -> None:
        self._bill = bill
        self._time = time
        stamp = (time or datetime.fromtimestamp(0, UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._tool = "tool:openvet"
        self._by_ref = {each.ref: each for each in bill.of("base-model")}
        files = {each.place: each.ref for each in reversed(bill.pieces) if each.ref.startswith("file:")}
        self.citations = Citations(bill, files, self._tool, stamp)

    def document(self) -> dict[str, Any]:
        bill = self._bill
        out: dict[str, Any] = {
            "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.7",
            "serialNumber": f"urn:uuid:{serial(bill, 'cyclonedx')}",
            "version": 1,
            "metadata": self._metadata(),
            "components": [],
        }
        components = out["components"]
        components.append(self._model("/components/0"))
        for each in bill.parts:
            components.append(self._part(each, f"/components/{len(components)}"))
        for each in bill.pieces:
            if each.kind not in ("service", "base-model"):
                components.append(self._piece(each, f"/components/{len(components)}"))
        services = [self._service(each, f"/services/{number}") for number, each in enumerate(bill.of("service"))]
        if services:
            out["services"] = services
        out["dependencies"] = self._dependencies()
        out["compositions"] = [
            {"aggregate": "incomplete" if bill.left_out else "complete", "assemblies": ["model"]},
        ]
        formulation = self._formulation()
        if formulation:
            out["formulation"] = formulation
        out["vulnerabilities"] = vulnerabilities(bill)
        out["declarations"] = self._declarations()
        out["citations"] = self.citations.done()
        return {key: value for key, value in out.items() if value != []}

    def _metadata(self) -> dict[str, Any]:
        bill, tool = self._bill, self._bill.tool
        at = "/metadata/component"
        subject = {
            "type": "machine-learning-model",
            "bom-ref": "subject",
            **self._named(bill.model, at),
            "hashes": hashes(bill.subject.digest),
            "licenses": self._licenses(at),
            "externalReferences": self._links(at),
            "properties": self._identity(),
        }
        out: dict[str, Any] = {}
        if self._time is not None:
            out["timestamp"] = self._time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        out["lifecycles"] = [{"phase": "post-build"}]
        out["tools"] = {
            "components": [
                {
                    "type": "application",
                    "bom-ref": self._tool,
                    "name": tool.name,
                    "version": tool.version,
                    "properties": [
                        {"name": "openvet:knowledge", "value": f"sha256:{tool.knowledge}"},
                        *(
                            [{"name": "openvet:advisories", "value": f"known up to {bill.advisories.snapshot.date}"}]
                            if bill.advisories is not None
                            else []
                        ),
                    ],
                }
            ]
        }
        out["component"] = _full(subject)
        return out

    def _identity(self) -> list[dict[str, str]]:
        digest = self._bill.subject.digest
        return [{"name": "openvet:dirHash", "value": digest["dirHash"]}] if "dirHash" in digest else []

    def _named(self, piece: Piece, at: str) -> dict[str, Any]:
        """Group, name, version, purl and supplier of the model."""
        said = piece.said
        out: dict[str, Any] = {}
        if "supplier" in said:
            out["supplier"] = {"name": said["supplier"].text}
            self.citations.cite(f"{at}/supplier/name", said["supplier"])
        if "authors" in said:
            out["authors"] = [{"name": str(each)} for each in said["authors"].value]
            self.citations.cite(f"{at}/authors", said["authors"])
        if piece.purl.startswith("pkg:huggingface/"):
            out["group"] = piece.purl.removeprefix("pkg:huggingface/").partition("/")[0]
        out["name"] = piece.name
        if not piece.purl:
            self.citations.cite(f"{at}/name", said.get("name"))
        if piece.version:
            out["version"] = piece.version
            self.citations.cite(f"{at}/version", said.get("version"))
        if piece.purl:
            out["purl"] = piece.purl
            for field in ("name", "group", "purl"):
                if field in out:
                    self.citations.cite(f"{at}/{field}", Said(piece.purl, "derived"))
        return out

    def _licenses(self, at: str, *, found: bool = False) -> list[dict[str, Any]]:
        out: list[dict[str, Any]] = []
        for each in self._bill.licenses:
            if each.found == found:
                self.citations.cite(f"{at}/licenses/{len(out)}", each.said)
                made = _license(each)
                out.append(
                    {
                        "license": self._with_duties(made, "model", key_of(each))
                        if at.startswith("/components/")
                        else made
                    }
                )
        return out

    def _links(self, at: str) -> list[dict[str, Any]]:
        out: list[dict[str, Any]] = []
        kinds = {"paper": "documentation"}
        for kind, url, said in self._bill.links:
            self.citations.cite(f"{at}/externalReferences/{len(out)}", said)
            out.append({"type": kinds.get(kind, kind), "url": url})
        return out

    def _model(self, at: str) -> dict[str, Any]:
        bill, said = self._bill, self._bill.model.said
        out: dict[str, Any] = {"type": "machine-learning-model", "bom-ref": "model", **self._named(bill.model, at)}
        if "description" in said:
            out["description"] = said["description"].text
            self.citations.cite(f"{at}/description", said["description"])
        out["hashes"] = hashes(bill.subject.digest)
        out["licenses"] = self._licenses(at)
        ancestors = self._ancestors("model", f"{at}/pedigree/ancestors", {"model"})
        if ancestors:
            out["pedigree"] = {"ancestors": ancestors}
        out["externalReferences"] = self._links(at)
        evidence = self._licenses(f"{at}/evidence", found=True)
        if evidence:
            out["evidence"] = {"licenses": evidence}
        card = CardWriter(bill, self.citations.cite)
        out["modelCard"] = card.model_card(f"{at}/modelCard", said)
        properties = [*self._identity(), *card.properties(f"{at}/properties", said, start=len(self._identity()))]
        for name, words in about_model(bill):
            self.citations.cite(f"{at}/properties/{len(properties)}", words)
            properties.append({"name": f"openvet:{name}", "value": words.text})
        out["properties"] = properties
        return _full(out)

    def _ancestors(self, ref: str, at: str, told: set[str]) -> list[dict[str, Any]]:
        """What a piece descends from, and what that descends from; each once, also where lines meet or run in a circle."""
        out: list[dict[str, Any]] = []
        for each in self._bill.relations:
            base = self._by_ref.get(each.other)
            if each.one != ref or each.kind != "descends" or base is None or each.other in told:
                continue
            told.add(each.other)
            here = f"{at}/{len(out)}"
            self.citations.cite(here, base.named)
            found: dict[str, Any] = {
                "type": "machine-learning-model", "bom-ref": base.ref, "name": base.name, "version": base.version, "purl": base.purl,
                "hashes": hashes(base.digests), "licenses": self._held(base.ref, f"{here}/licenses"),
            }  # fmt: skip
            older = self._ancestors(base.ref, f"{here}/pedigree/ancestors", told)
            if older:
                found["pedigree"] = {"ancestors": older}
            properties: list[dict[str, str]] = []
            for name, said in base.said.items():
                self.citations.cite(f"{here}/properties/{len(properties)}", said)
                properties.append({"name": f"openvet:{name}", "value": said.text})
            found["properties"] = properties
            out.append(_full(found))
        return out

    def _held(self, ref: str, at: str) -> list[dict[str, Any]]:
        """The licences of a base model or data set, as they are known, each with what it asks for."""
        held = held_licenses(self._bill, ref)
        if held is None:
            return []
        self.citations.cite(f"{at}/0", held.said)
        if held.expression:
            return [{"expression": held.expression, "acknowledgement": "declared"}]
        return [{"license": self._with_duties(_license(each), ref, key_of(each))} for each in held.licenses]

    def _with_duties(self, license: dict[str, Any], ref: str, key: str) -> dict[str, Any]:  # noqa: A002
        asked = [{"name": f"openvet:duty:{group}", "value": words} for group, words in duties(self._bill, ref, key)]
        return {**license, "properties": [*license.get("properties", ()), *asked]} if asked else license

    def _part(self, part: Piece, at: str) -> dict[str, Any]:
        card = CardWriter(self._bill, self.citations.cite)
        out = {"type": "machine-learning-model", "bom-ref": part.ref, "name": part.name}
        return {**out, "modelCard": card.part_card(f"{at}/modelCard", part.said)}

    def _piece(self, piece: Piece, at: str) -> dict[str, Any]:
        out: dict[str, Any] = {
            "type": _TYPES.get(piece.kind, "file"),
            "bom-ref": piece.ref,
            "name": piece.name,
            "version": piece.version,
            "purl": piece.purl,
            "hashes": hashes(piece.digests),
        }
        if piece.kind == "dataset":
            out["licenses"] = self._held(piece.ref, f"{at}/licenses")
            out["data"] = [{"type": "dataset", "name": piece.name}]
            if "url" in piece.said:
                out["data"][0]["contents"] = {"url": piece.said["url"].text}
                self.citations.cite(f"{at}/data/0/contents/url", piece.said["url"])
        if piece.kind in ("library", "dataset"):
            out["isExternal"] = True
        properties = [{"name": "openvet:role", "value": piece.kind}]
        if piece.kind == "tokenizer":
            properties.append({"name": "cdx:ai-ml:model:tokenizer", "value": "true"})
        if piece.kind == "chat-template":
            properties.append({"name": "cdx:ai-ml:model:template:chat", "value": "true"})
        if piece.format:
            properties.append({"name": "openvet:format", "value": piece.format})
        if piece.size is not None:
            properties.append({"name": "openvet:bytes", "value": str(piece.size)})
        for name, said in piece.said.items():
            if name == "url":
                continue
            self.citations.cite(f"{at}/properties/{len(properties)}", said)
            properties.append({"name": f"openvet:{name}", "value": said.text})
        out["properties"] = properties
        if piece.named is not None:
            self.citations.cite(at, piece.named)
        # what is a file says by its own hash where it comes from; a range cannot be a version
        return _full(out, keep=("isExternal",))

    def _service(self, piece: Piece, at: str) -> dict[str, Any]:
        self.citations.cite(at, piece.named)
        url = _URL.search(piece.name)
        out: dict[str, Any] = {"bom-ref": piece.ref, "name": piece.name}
        if url is not None:
            out["endpoints"] = [url[0]]
        return out

    def _dependencies(self) -> list[dict[str, Any]]:
        needed = [each.other for each in self._bill.relations if each.kind in ("contains", "depends")]
        out: list[dict[str, Any]] = [{"ref": "subject", "dependsOn": ["model"]}]
        out.append(_full({"ref": "model", "dependsOn": list(dict.fromkeys(needed))}))
        return out

    def _formulation(self) -> list[dict[str, Any]]:
        """How it was made, as far as its documents say it: from which models, in which relation, on which data."""
        bill = self._bill
        bases = [each for each in bill.relations if each.kind == "descends" and each.one == "model"]
        data = [each for each in bill.relations if each.kind == "trained-on" and each.one == "model"]
        if not bases and not data:
            return []
        said = bill.model.said.get("relation")
        ways = {str(each.said.value) for each in bases if each.said is not None} - {"based-on"}
        how = (
            said.text
            if said is not None and said.text
            else "training"
            if not bases
            else ways.pop()
            if len(ways) == 1
            else "derivation"
        )
        at = "/formulation/0/workflows/0"
        for number, each in enumerate((*bases, *data)):
            self.citations.cite(f"{at}/inputs/{number}", each.said)
        self.citations.cite(f"{at}/name", said)
        workflow = {
            "bom-ref": "formulation:0:workflow",
            "uid": "making",
            "name": how,
            "taskTypes": ["merge" if how == "merge" else "build"],
            "inputs": [{"resource": {"ref": each.other}} for each in (*bases, *data)],
            "outputs": [{"type": "artifact", "resource": {"ref": "model"}}],
        }
        return [{"bom-ref": "formulation:0", "workflows": [workflow]}]

    def _declarations(self) -> dict[str, Any]:
        """Each statement about the model as a claim, with its basis as evidence; what contradicts it as counter-evidence."""
        claims: list[dict[str, Any]] = []
        evidence: list[dict[str, Any]] = []
        contradicted: dict[str, Fact] = {}
        for each in self._bill.disputed:
            contradicted.setdefault(each.one.name, each.other)
            contradicted.setdefault(each.other.name, each.one)

        def note(name: str, said: Said) -> str:
            ref = f"evidence:{len(evidence)}"
            evidence.append(
                {
                    "bom-ref": ref,
                    "propertyName": f"openvet:{said.basis}:{name}",
                    "description": told(said, self.citations.digests),
                }
            )
            return ref

        for name, said in list(self._bill.model.said.items())[:_MOST_CLAIMS]:
            claim: dict[str, Any] = {
                "bom-ref": f"claim:{len(claims)}",
                "target": "model",
                "predicate": f"{name}: {_short(said.text)}",
                "reasoning": f"{said.basis}; OpenVet has verified no more than that it is so written"
                if said.basis == "declared"
                else f"{said.basis} by OpenVet from the files",
                "evidence": [note(name, said)],
            }
            other = contradicted.get(name)
            if other is not None:
                claim["counterEvidence"] = [note(other.name, Said(other.value, other.basis, other.sources))]
            claims.append(claim)
        if not claims:
            return {}
        return {"claims": claims, "evidence": evidence}


def _license(license: License) -> dict[str, Any]:  # noqa: A002
    out: dict[str, Any] = {"id": license.id} if license.id else {"name": license.name}
    out["acknowledgement"] = "concluded" if license.text else "declared"
    if license.link:
        out["url"] = license.link
    if license.reference:
        out["properties"] = [{"name": "openvet:reference", "value": license.reference}]
    return out


def _short(text: str) -> str:
    return text if len(text) <= 300 else text[:299] + "…"


def _full(out: dict[str, Any], keep: tuple[str, ...] = ()) -> dict[str, Any]:
    """``out`` without what is empty."""
    return {key: value for key, value in out.items() if key in keep or value not in ("", [], {}, None)}
