"""Who supplied which field of a document, from which bytes: CycloneDX's citations, and the words in which a source is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from openvet.bom.bill import Bill, Said
from openvet.core.location import Location

__all__ = ["Citations", "source_text", "told"]

#: Sources that are told of one statement.
_MOST: Final = 5


def source_text(where: Location, digests: Mapping[str, Mapping[str, str]]) -> str:
    """``README.md /license line 2 sha256:...``: the bytes by their digest, and the point in them."""
    text = where.place or "the whole subject"
    if where.pointer:
        text += f" {where.pointer}"
    if where.line is not None:
        text += f" line {where.line}"
    if where.offset is not None:
        text += f" offset {where.offset}"
    digest = digests.get(where.place, {})
    for name in ("sha256", "blake3", "sha512"):
        if name in digest:
            return f"{text} {name}:{digest[name]}"
    return text


def told(said: Said, digests: Mapping[str, Mapping[str, str]]) -> str:
    """``declared in README.md ...``, in one line."""
    sources = "; ".join(source_text(each, digests) for each in said.sources[:_MOST])
    more = f"; and {len(said.sources) - _MOST} more" if len(said.sources) > _MOST else ""
    if said.note and not sources:
        return f"{said.basis}: {said.note}"
    if said.basis == "declared":
        return f"declared in {sources}{more}" if sources else "declared"
    return f"{said.basis} from {sources}{more}" if sources else f"{said.basis} from the name of the subject"


class Citations:
    """Collects (pointer, statement) while a document is built; gives one citation for each source.

    Args:
        bill: whose files are cited.
        refs: place -> bom-ref of the component that is the file there.
        tool: bom-ref of what derives.
        timestamp: of all citations.
    """

    def __init__(self, bill: Bill, refs: Mapping[str, str], tool: str, timestamp: str) -> None:
        self.digests = bill.digests_by_place
        self._refs = refs
        self._tool = tool
        self._timestamp = timestamp
        self._found: dict[tuple[str, str], list[str]] = {}

    def cite(self, pointer: str, said: Said | None) -> None:
        """The field at ``pointer`` of the document is what ``said`` says."""
        if said is None:
            return
        self._found.setdefault((self.by(said), told(said, self.digests)), []).append(pointer)

    def by(self, said: Said) -> str:
        """The bom-ref of who says it: the file that declares it, else the tool that derived it."""
        if said.basis == "declared" and said.sources:
            return self._refs.get(said.sources[0].place, self._tool)
        return self._tool

    def done(self) -> Sequence[dict[str, Any]]:
        """The citations, in the order in which their sources came up."""
        return [
            {"pointers": pointers, "timestamp": self._timestamp, "attributedTo": by, "note": note}
            for (by, note), pointers in self._found.items()
        ]
