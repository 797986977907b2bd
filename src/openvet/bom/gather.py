"""From statements to a bill: what the inventory, the profile and the cards say of one subject, each with its basis and its source.

Nothing is looked up and nothing is added. Where two sources disagree, the first one stands and both are listed as disputed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from openvet.bom._made_of import made_of
from openvet.bom._pieces import pieces_of
from openvet.bom._table import license_reference, spdx_id, table
from openvet.bom.bill import Bill, License, Piece, Relation, Said
from openvet.bom.purl import Purl, huggingface, parse
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import MalformedError, UsageError
from openvet.evidence.predicates.advisories_v1 import AdvisoriesV1
from openvet.evidence.predicates.card_v1 import CardDocument, CardFact, CardV1
from openvet.evidence.predicates.inventory_v1 import InventoryV1
from openvet.evidence.predicates.licenses_v1 import LicensesV1
from openvet.evidence.predicates.lineage_v1 import LineageV1
from openvet.evidence.predicates.profile_v1 import ModelPart, ProfileV1
from openvet.evidence.predicates.rights_v1 import RightsV1
from openvet.evidence.statement import ResourceDescriptor

__all__ = ["gather"]

#: A place of the hub that a path names: ``hf:org/name@revision``, or the hub's cache.
_HUB: Final = pattern(r"hf:(?://)?([\w.-]+/[\w.-]+?)(?:@([\w.-]+))?/?\Z")
_COMMIT: Final = pattern(r"[0-9a-f]{40}\Z")
_ARXIV: Final = pattern(r"arxiv:(\d{4}\.\d{4,5}(?:v\d+)?)\Z")
_LINK: Final = pattern(r"https?://[A-Za-z0-9.\-_~:/?#@!$&'()*+,;=%]{1,500}\Z")
_DOI: Final = pattern(r"10\.\d{4,9}(?:\.\d+)?/[A-Za-z0-9:/_;\-.]{1,200}\Z")
_MOST: Final = 500


def gather(
    path: str,
    subject: ResourceDescriptor,
    inventory: InventoryV1,
    profile: ProfileV1 | None = None,
    card: CardV1 | None = None,
    purl: str = "",
    advisories: AdvisoriesV1 | None = None,
    licenses: LicensesV1 | None = None,
    lineage: LineageV1 | None = None,
    rights: RightsV1 | None = None,
) -> Bill:
    """The bill of one subject.

    Args:
        path: how it was named; a place of the hub in it says who publishes it, and which revision it is.
        purl: the package URL under which its users know it, where the caller says so.
        advisories: what was found when somebody looked for published problems.
        licenses: whose texts were found with the model.
        lineage: what it was made of; without, no base model and no training data are listed.
        rights: what the licences of all of that say, and ask for.

    Raises:
        UsageError: ``purl`` is none.
    """
    pieces, left_out = pieces_of(inventory)
    documents = _documents(card)
    origin = _origin(path, purl)
    parts = _parts(profile)
    main = parts[0] if len(parts) == 1 else next((each for each in parts if _is_whole(each)), None)
    said = {**_from_cards(documents), **(_from_profile(main) if main is not None else {})}
    if "version" not in said and origin is not None and origin.version:
        said["version"] = Said(origin.version, "derived")
    if origin is not None and origin.namespace:
        said["supplier"] = Said(origin.namespace, "derived")
    name = origin.name if origin is not None else said["name"].text if "name" in said else subject.name or "model"
    model = Piece(
        "model",
        "model",
        name,
        said["version"].text if "version" in said else "",
        str(origin) if origin is not None else "",
        digests=dict(subject.digest),
        said=said,
    )
    models = tuple(_part(each) for each in parts if each is not main)
    made = made_of(lineage)
    said.update(made.noted)
    data, used = _tested(documents, {each.ref: each for each in made.pieces})
    pieces += [*made.pieces, *data]
    relations = [
        *(Relation("model", "contains", each.ref) for each in (*models, *pieces) if each.kind in _CONTAINED),
        *(Relation("model", "depends", each.ref, each.named) for each in pieces if each.kind in ("library", "service")),
        *made.relations,
        *used,
    ]
    disputed = [each for part in parts for each in part.comparisons if not each.agree]
    return Bill(
        subject,
        inventory.tool,
        model,
        models,
        tuple(pieces),
        tuple(relations),
        (*_licenses(documents), *_license_texts(licenses)),
        tuple(_metrics(documents))[:_MOST],
        tuple(_links(documents, origin)),
        tuple(disputed),
        left_out + made.left_out,
        advisories,
        rights,
        made.refs,
    )


_CONTAINED: Final = frozenset({
    "model-part", "weights", "adapter", "tokenizer", "chat-template", "generation-config", "configuration", "code", "license",
    "documentation", "file",
})  # fmt: skip


def _documents(card: CardV1 | None) -> list[CardDocument]:
    """The model's own documents, the card first. Data set cards further down describe something else."""
    if card is None:
        return []
    found = [each for each in card.documents if each.kind in ("model-card", "files", "eval-results", "citation")]
    top = next((each for each in found if each.kind in ("model-card", "files")), None)
    return [each for each in found if each.kind not in ("model-card", "files") or each is top]


def _origin(path: str, purl: str) -> Purl | None:
    if purl:
        try:
            return parse(purl)
        except MalformedError as error:
            raise UsageError(f"--purl: {error.message}") from None
    named = _HUB.match(path)
    if named is not None:
        text = huggingface(named[1], named[2] or "")
        return parse(text) if text else None
    folder, snapshots, revision = ("", "", "", *path.rstrip("/").split("/"))[-3:]
    marked, _, id_ = folder.partition("--")
    if marked != "models" or snapshots != "snapshots" or not _COMMIT.match(revision):
        return None
    text = huggingface(id_.replace("--", "/", 1), revision)
    return parse(text) if text else None


# --- what documents say ---


def _said(fact: CardFact) -> Said:
    return Said(fact.value, fact.basis, (fact.source,))


def _facts(documents: list[CardDocument], *names: str, kinds: tuple[str, ...] = ()) -> Iterator[CardFact]:
    for name in names:
        for document in documents:
            if not kinds or document.kind in kinds:
                yield from (each for each in document.facts if each.name == name)


_CARD: Final = ("model-card", "files")
_TAKEN: Final = (
    ("name", ("model_name",), _CARD), ("name", ("title",), ("citation",)), ("task", ("pipeline_tag",), _CARD),
    ("library", ("library_name", "library"), _CARD), ("language", ("language",), _CARD), ("tags", ("tags",), _CARD),
    ("version", ("version",), ("citation",)), ("released", ("date-released",), ("citation",)), ("supplier", ("model_creator",), _CARD),
    ("relation", ("base_model_relation",), _CARD), ("co2", ("co2_eq_emissions",), _CARD), ("abstract", ("abstract",), ("citation",)),
    ("weights are", ("weights",), _CARD), ("license link", ("license_link",), _CARD), ("license name", ("license_name",), _CARD),
)  # fmt: skip


def _from_cards(documents: list[CardDocument]) -> dict[str, Said]:
    out: dict[str, Said] = {}
    for name, keys, kinds in _TAKEN:
        for fact in _facts(documents, *keys, kinds=kinds):
            if name == "name" and not (isinstance(fact.value, str) and fact.value.strip()):
                continue
            out.setdefault(name, _said(fact))
    authors = list(_facts(documents, "author", kinds=("citation",)))
    if authors:
        out["authors"] = Said([str(each.value) for each in authors], "declared", tuple(each.source for each in authors))
        out.setdefault("supplier", Said(str(authors[0].value), "declared", (authors[0].source,)))
    sections = {each.name: each for document in documents for each in document.sections if each.text}
    for name, ways in table()["says"].items():
        answer = next(_facts(documents, *ways["keys"], kinds=_CARD), None)
        if answer is not None:
            out[name] = _said(answer)
            continue
        told = [sections[each] for each in ways["sections"] if each in sections]
        # a section that lies in another one has been told with it
        told = [each for each in told if not any(each.text in one.text for one in told if one is not each)]
        if told:
            out[name] = Said("\n".join(each.text for each in told), "declared", tuple(each.source for each in told))
    for name, section in (
        ("description", "Model Description"), ("use", "Uses"), ("out of scope", "Out-of-Scope Use"), ("metrics", "Metrics"),
        ("risks", "Bias, Risks, and Limitations"), ("mitigation", "Recommendations"), ("environment", "Environmental Impact"),
        ("training data", "Training Data"), ("hyperparameters", "Training Hyperparameters"), ("hardware", "Technical Specifications"),
    ):  # fmt: skip
        if section in sections:
            out[name] = Said(sections[section].text, "declared", (sections[section].source,))
    impact = out["co2"].value if "co2" in out else None
    if (
        "energyQuantity" not in out
        and isinstance(impact, Mapping)
        and isinstance(impact.get("energy_consumed"), int | float)
    ):
        out["energyQuantity"] = Said(impact["energy_consumed"], "declared", out["co2"].sources)
    if "description" not in out and "abstract" in out:
        out["description"] = out["abstract"]
    return out


def _licenses(documents: list[CardDocument]) -> Iterator[License]:
    link = next((each.value for each in _facts(documents, "license_link", kinds=_CARD)), "")
    other = next((each.value for each in _facts(documents, "license_name", kinds=_CARD)), "")
    seen: set[tuple[str, bool]] = set()
    for document in documents:
        for fact in document.facts:
            if fact.name not in ("license", "license by the file's name"):
                continue
            found = fact.source.place != document.place or document.kind not in _CARD
            for name in fact.value if isinstance(fact.value, list) else [fact.value]:
                if not isinstance(name, str) or not name.strip() or name == "…":
                    continue
                shown = other if name == "other" and isinstance(other, str) and other.strip() else name
                if (shown, found) in seen or len(seen) >= _MOST:
                    continue
                seen.add((shown, found))
                given = link if isinstance(link, str) and not found and _LINK.match(link) else ""
                id_ = spdx_id(shown)
                yield License(id_, "" if id_ else license_reference(shown), shown, given, _said(fact), found)


def _license_texts(licenses: LicensesV1 | None) -> Iterator[License]:
    """Licences of the model itself whose texts are surely known, each once."""
    seen: set[str] = set()
    for each in licenses.found if licenses is not None else ():
        if each.key is None or each.key in seen or each.scope != "model" or len(seen) >= _MOST:
            continue
        seen.add(each.key)
        id_ = spdx_id(each.key)
        said = Said(each.key, "derived", (each.source,))
        yield License(id_, "" if id_ else license_reference(each.key), each.key, "", said, found=True, text=True)


def _metrics(documents: list[CardDocument]) -> Iterator[Said]:
    for fact in _facts(documents, "model-index", "result"):
        if isinstance(fact.value, Mapping) and isinstance(fact.value.get("value"), int | float | str):
            yield _said(fact)


def _links(documents: list[CardDocument], origin: Purl | None) -> Iterator[tuple[str, str, Said]]:
    if origin is not None and origin.type == "huggingface" and "repository_url" not in origin.qualifiers:
        home = f"https://huggingface.co/{origin.namespace}/{origin.name}"
        said = Said(str(origin), "derived")
        yield "website", home, said
        yield "vcs", f"{home}.git", said
        yield "distribution", f"{home}/tree/{origin.version or 'main'}", said
    seen: set[str] = set()
    for fact in _facts(documents, "url", "repository-code", "repository", "repository-artifact", kinds=("citation",)):
        kind = {"url": "website", "repository-artifact": "distribution"}.get(fact.name, "vcs")
        if isinstance(fact.value, str) and _LINK.match(fact.value) and fact.value not in seen:
            seen.add(fact.value)
            yield kind, fact.value, _said(fact)
    for fact in _facts(documents, "doi", kinds=("citation",)):
        if isinstance(fact.value, str) and _DOI.match(fact.value):
            yield "paper", f"https://doi.org/{fact.value}", _said(fact)
    for fact in _facts(documents, "tags", kinds=_CARD):
        for tag in fact.value if isinstance(fact.value, list) else ():
            match = _ARXIV.match(tag) if isinstance(tag, str) else None
            if match:
                yield "paper", f"https://arxiv.org/abs/{match[1]}", _said(fact)


# --- what the profile says ---


def _parts(profile: ProfileV1 | None) -> list[ModelPart]:
    return [each for each in profile.parts if each.facts] if profile is not None else []


def _is_whole(part: ModelPart) -> bool:
    """Whether it is a pipeline, which the other parts are the parts of."""
    kind = part.fact("kind")
    return kind is not None and kind.value == "pipeline"


def _from_profile(part: ModelPart) -> dict[str, Said]:
    """What it says, under its own words; a name that is none is left out."""
    return {
        each.name: Said(each.value, each.basis, each.sources)
        for each in part.facts
        if each.name != "name" or (isinstance(each.value, str) and each.value.strip())
    }


def _part(part: ModelPart) -> Piece:
    return Piece(f"part:{part.name}", "model-part", part.name or "model", place=part.name, said=_from_profile(part))


# --- what it was measured on ---


def _tested(documents: list[CardDocument], known: Mapping[str, Piece]) -> tuple[list[Piece], list[Relation]]:
    """Data sets of results; ``known`` are those that the bill has already, by their names in it."""
    pieces: dict[str, Piece] = {}
    relations: dict[str, Relation] = {}
    for fact in _facts(documents, "model-index", "result"):
        value = fact.value if isinstance(fact.value, Mapping) else {}
        data, revision = value.get("dataset"), value.get("revision")
        if not isinstance(data, str) or not data.strip() or len(pieces) >= _MOST:
            continue
        ref = f"dataset:{data.strip()}"
        if ref not in known:
            version = printable(revision) if isinstance(revision, str) else ""
            pieces.setdefault(ref, Piece(ref, "dataset", data.strip(), version, named=_said(fact)))
        relations.setdefault(ref, Relation("model", "tested-on", ref, _said(fact)))
    return list(pieces.values()), list(relations.values())
