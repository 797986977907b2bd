"""What a model was made of, out of its lineage: the pieces that a bill names, how they belong to one another, and what is only noted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openvet.bom.bill import Piece, Relation, Said
from openvet.bom.purl import huggingface
from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.lineage_v1 import THIS, Edge, LineageV1, Node

__all__ = ["NOTED", "MadeOf", "made_of"]

#: Relations by which weights were handed on: the origin is an ancestor.
WEIGHTS: Final = ("based-on", "finetune", "adapter", "quantized", "merge", "pruned", "converted")
#: What is said about a model beside that, by the name under which a bill has it. ``loaded-from`` may be the model itself under another
#: name, a teacher handed on outputs alone, and a tokenizer is a part: none of them is an ancestor.
NOTED: Final = {"loaded-from": "loaded from", "distilled-from": "distilled from", "tokenizer-of": "tokenizer of"}
_MOST: Final = 500


@dataclass(frozen=True, slots=True)
class MadeOf:
    """The ancestors and data sets of a model.

    Attributes:
        pieces: of the kinds ``base-model`` and ``dataset``.
        relations: ``descends`` and ``trained-on``, between the model, them, and their own ancestors.
        refs: the lineage's name of a node -> the piece's in the bill.
        noted: what else the lineage says of the model, by the names of :data:`NOTED`.
        left_out: edges that are not in the bill since there are too many.
    """

    pieces: tuple[Piece, ...]
    relations: tuple[Relation, ...]
    refs: dict[str, str]
    noted: dict[str, Said]
    left_out: int = 0


def made_of(lineage: LineageV1 | None) -> MadeOf:
    """What ``lineage`` says; nothing where nobody asked for one."""
    if lineage is None:
        return MadeOf((), (), {THIS: "model"}, {})
    refs = {THIS: "model"}
    pieces: dict[str, Piece] = {}
    relations: list[Relation] = []
    left_out = lineage.left_off
    seen: set[tuple[str, str, str]] = set()
    for edge in lineage.edges:
        kind = "descends" if edge.relation in WEIGHTS else "trained-on" if edge.relation == "trained-on" else ""
        node = lineage.node(edge.origin)
        if not kind or node is None or (edge.derivative, kind, edge.origin) in seen:
            continue
        if len(relations) >= _MOST:
            left_out += 1
            continue
        seen.add((edge.derivative, kind, edge.origin))
        for each in filter(None, (lineage.node(edge.derivative), node)):
            if each.id not in refs:
                piece = _piece(each, edge, taken=set(pieces))
                refs[each.id], pieces[piece.ref] = piece.ref, piece
        relations.append(
            Relation(refs[edge.derivative], kind, refs[node.id], Said(edge.relation, edge.basis, edge.sources))
        )
    return MadeOf(tuple(pieces.values()), tuple(relations), refs, dict(_noted(lineage)), left_out)


def _piece(node: Node, edge: Edge, taken: set[str]) -> Piece:
    """One origin as a piece; what was said of the step stands with it, so that of a merge each part says its own."""
    is_data = node.kind == "dataset"
    name, version = node.hub or node.name or node.uri or node.id, node.revision or ""
    ref = f"{'dataset' if is_data else 'base'}:{name}"
    if ref in taken:  # another version of it
        ref = f"{'dataset' if is_data else 'base'}:{node.id}"
    named = Said(name, edge.basis, edge.sources)
    said = {} if is_data else {"relation": Said(edge.relation, edge.basis, edge.sources)}
    for key, value in edge.parameters.items():
        said[f"relation {key}"] = Said(value, edge.basis, edge.sources)
    if is_data:
        # there is no type of package URL for the hub's data sets
        url = f"https://huggingface.co/datasets/{node.hub}" if node.hub else node.uri or ""
        said |= (
            {"url": Said(url, "derived" if node.hub else edge.basis, edge.sources)}
            if url.startswith("https://")
            else {}
        )
        return Piece(ref, "dataset", name, version, said=said, named=named, digests=dict(node.digest))
    return Piece(ref, "base-model", name, version, node.purl or huggingface(node.hub or "", version), said=said, named=named, digests=dict(node.digest))  # fmt: skip


def _noted(lineage: LineageV1) -> Iterator[tuple[str, Said]]:
    for relation, name in NOTED.items():
        edges = lineage.origins(THIS, relation)[:_MOST]
        names = [node.hub or node.name for node in (lineage.node(each.origin) for each in edges) if node is not None]
        if names:
            sources = tuple(dict.fromkeys(where for each in edges for where in each.sources))
            yield name, Said(names if len(names) > 1 else names[0], edges[0].basis, sources)
