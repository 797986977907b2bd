"""A graph under construction: nodes found again under their identifiers, edges whose sources are put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.evidence.predicates.lineage_v1 import THIS, Edge, LineageV1, Node, Problem
from openvet.evidence.predicates.tool import Tool

__all__ = ["Graph", "hub_name"]

#: Edges and problems of one statement, and characters of a name.
EDGES: Final = 2_000
_PROBLEMS: Final = 200
_LONGEST: Final = 300
_SOURCES: Final = 20
_HUB: Final = pattern(r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/(datasets/)?([\w.\-]+/[\w.\-]+)(?:/tree/([\w.\-/]+))?/?(?:[?#].*)?\Z")  # fmt: skip
_ID: Final = pattern(r"[A-Za-z0-9][\w.\-]{0,95}/[A-Za-z0-9][\w.\-]{0,95}\Z")
_OLD_ID: Final = pattern(r"[A-Za-z0-9][\w.\-]{0,95}\Z")
_URI: Final = pattern(r"[a-z][a-z0-9+.-]*://[\x21-\x7e]+\Z")


def hub_name(text: str, *, dataset: bool = False) -> tuple[str, str | None] | None:
    """``organisation/name`` and a revision, if ``text`` is a name or a link of the hub; ``None`` where it is neither."""
    stripped = text.strip()
    link = _HUB.match(stripped)
    if link:
        return (link[2].removesuffix(".git"), link[3]) if bool(link[1]) == dataset else None
    if _ID.match(stripped) and not stripped.startswith(("models/", "data/", "output/", "outputs/", "checkpoints/")):
        return stripped, None
    return (stripped, None) if dataset and _OLD_ID.match(stripped) else None


@dataclass(slots=True)
class _Kept:
    relation: str
    basis: str
    sources: list[Location]
    parameters: dict[str, Any]


class Graph:
    """What is being declared of one subject.

    Args:
        name: of the subject, printable.
        digest: of it, as far as it was hashed.
    """

    def __init__(self, name: str, digest: Mapping[str, str]) -> None:
        self._nodes: dict[str, Node] = {THIS: Node(THIS, "model", name, digest=dict(digest))}
        self._edges: dict[tuple[str, str, str], _Kept] = {}
        self._problems: list[Problem] = []
        self._left_off = 0

    def be(self, kind: str) -> None:
        """Say of which kind the subject is."""
        self._nodes[THIS] = replace(self._nodes[THIS], kind=kind)

    @property
    def kind(self) -> str:
        return self._nodes[THIS].kind

    def problem(self, message: str, source: Location) -> None:
        """Something makes no sense."""
        if len(self._problems) < _PROBLEMS:
            self._problems.append(Problem(message, source))

    def node(self, named: str, kind: str = "model", **more: Any) -> str:
        """The identifier of what is called ``named``: a name or a link of a hub, any other address, a path or just a name."""
        text = printable(shorten(named.strip(), _LONGEST))
        hub = hub_name(text, dataset=kind == "dataset")
        found: dict[str, Any] = {
            name: printable(shorten(str(value), _LONGEST)) for name, value in more.items() if value
        }
        if hub is not None:
            found.setdefault("hub", hub[0])
            if hub[1]:
                found.setdefault("revision", hub[1])
            identifier = f"{'dataset' if kind == 'dataset' else 'hub'}:{hub[0].casefold()}"
        elif _URI.match(text):
            found.setdefault("uri", text)
            identifier = f"uri:{text}"
        elif "hub" in found:
            identifier = f"{'dataset' if kind == 'dataset' else 'hub'}:{found['hub'].casefold()}"
        else:
            identifier = f"{'dataset' if kind == 'dataset' else 'name'}:{text}"
        if found.get("revision"):
            same = self._nodes.get(identifier)
            if same is not None and same.revision not in {None, found["revision"]}:
                identifier += f"@{found['revision']}"
        known = self._nodes.get(identifier)
        if known is None:
            self._nodes[identifier] = Node(identifier, kind, text, **found)
        else:
            fresh = {name: value for name, value in found.items() if getattr(known, name) is None}
            self._nodes[identifier] = replace(known, **fresh) if fresh else known
        return identifier

    def edge(
        self, origin: str, relation: str, source: Location, parameters: Mapping[str, Any] | None = None,
        *, derivative: str = THIS, basis: str = "declared",
    ) -> None:  # fmt: skip
        """``derivative`` is a ``relation`` of ``origin``; what several places say is one edge."""
        if derivative == origin:
            return
        said = {name: value for name, value in (parameters or {}).items() if value is not None}
        kept = self._edges.get((derivative, relation, origin))
        if kept is None:
            if len(self._edges) >= EDGES:
                self._left_off += 1
                return
            self._edges[derivative, relation, origin] = _Kept(relation, basis, [source], said)
            return
        if source not in kept.sources and len(kept.sources) < _SOURCES:
            kept.sources.append(source)
        for name, value in said.items():
            kept.parameters.setdefault(name, value)

    def made(self, tool: Tool) -> LineageV1:
        """The statement's body. Where a relation is known from one place, that a base is named in another one adds its source to it."""
        edges = dict(self._edges)
        for (derivative, relation, origin), kept in self._edges.items():
            if relation != "based-on":
                continue
            for better in ("finetune", "adapter", "quantized", "merge", "converted", "pruned", "distilled-from"):
                held = edges.get((derivative, better, origin))
                if held is not None:
                    held.sources.extend(each for each in kept.sources if each not in held.sources)
                    edges.pop((derivative, relation, origin), None)
                    break
        used = {THIS} | {each for derivative, _, origin in edges for each in (derivative, origin)}
        nodes = [self._nodes[THIS], *(self._nodes[each] for each in sorted(used - {THIS}))]
        listed = [
            Edge(derivative, origin, relation, kept.basis, tuple(kept.sources), kept.parameters)
            for (derivative, relation, origin), kept in sorted(edges.items())
        ]
        return LineageV1(tool, tuple(nodes), tuple(listed), (), tuple(self._problems), self._left_off)
