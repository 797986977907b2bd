"""``documents/NAME.yaml`` of a pack -> :class:`openvet.policy.document.Document`, read as strictly as the pack itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from openvet.core.dataclass import dataclass
from openvet.policy.compiled import CompiledPack
from openvet.policy.document import Document, Item
from openvet.policy.pack import Level, PackFile
from openvet.policy.yaml_reader import Node, PackError, documents, each_of

__all__ = ["Head", "read_document", "read_head"]

_BY = "a person who answers for it"


def read_document(data: bytes, file: str, pack: CompiledPack) -> Document:
    """Read one document.

    Args:
        file: as messages name it; its name without ``.yaml`` is the document's id.
        pack: whose document it is: names of facts, steps and answers are those that its conditions may use, sources are its own.

    Raises:
        PackError: a field is missing, not known or none of its kind, a name is not known, an item stands twice; with file and line.
    """
    top = _only(data, file).mapped()
    name = top.take("id")
    if f"{name.text()}.yaml" != file.rpartition("/")[2]:
        name.refuse(f"{name.text()[:60]!r} has to be the name of the file without .yaml")
    source = top.take("source")
    if source.text() not in pack.pack.sources:
        source.refuse(f"{source.text()[:60]!r} is none of the sources of {pack.pack.id}")
    made = Document(
        name.text(), top.take("title").text(), top.take("clause").text(), pack.pack.sources[source.text()], top.may_text("filled_by") or _BY,
        tuple(item for items in each_of(top.take("items").items(), lambda each: _items(each, pack)) for item in items), PackFile(file, hashlib.sha256(data).hexdigest()),
    )  # fmt: skip
    top.end("id", "title", "clause", "source", "filled_by", "items")
    return _whole(made, pack)


@dataclass(frozen=True, slots=True)
class Head:
    """What a list says of a document: ``items`` counts them."""

    id: str
    title: str
    clause: str
    items: int


def read_head(data: bytes, file: str) -> Head:
    """The head of a document, without looking at what its items rest on (:func:`read_document` does).

    Raises:
        PackError: a field of it is missing or none of its kind; with file and line.
    """
    top = _only(data, file).mapped()
    items = sum(_count(each) for each in top.take("items").items())
    return Head(top.take("id").text(), top.take("title").text(), top.take("clause").text(), items)


def _count(node: Node) -> int:
    listed = node.mapped().may("requirements")
    return 1 if listed is None else len(listed.items())


def _only(data: bytes, file: str) -> Node:
    found = documents(data, file)
    if len(found) != 1:
        raise PackError(f"{file}: holds {len(found)} documents, and not one")
    return found[0]


def _items(node: Node, pack: CompiledPack) -> tuple[Item, ...]:
    """One item; or one for each of a list of the pack's requirements, which brings its own words and level."""
    each = node.mapped()
    listed = each.may("requirements")
    if listed is None:
        return (_item(node, pack.types),)
    section = each.take("section").text()
    each.end("section", "requirements")
    known = {one.requirement.id: one for one in pack.requirements}
    out = []
    for named in listed.items():
        found = known.get(named.text())
        if found is None:
            named.refuse(f"there is no requirement {named.text()[:60]!r} in {pack.pack.id}")
        asked = found.requirement
        out.append(
            Item(
                id=asked.id, section=section, label=asked.title, clause=asked.clause, asks=asked.text, fills=tuple((name,) for name in found.all_names),
                level=asked.level, human=asked.level is Level.ATTESTED, requirement=asked.id, where=f"{named.file}:{named.line}",
            )
        )  # fmt: skip
    return tuple(out)


def _item(node: Node, types: Mapping[str, str]) -> Item:
    each = node.mapped()
    human, when, choices, beside = each.may("human"), each.may("when"), each.may("choices"), each.may("beside")
    if when is not None and (not when.text().startswith("steps.") or types.get(when.text()) != "bool"):
        when.refuse(f"{when.text()[:60]!r} is no step that is true or false")
    fills = each.take("fills")
    made = Item(
        id=each.take("id").text(),
        section=each.take("section").text(),
        label=each.take("label").text(),
        clause=each.take("clause").text(),
        asks=each.take("asks").text(),
        fills=tuple(_names(group, types) for group in fills.items()),
        level=Level(each.take("level").word([str(one) for one in Level])),
        human=human is not None and human.truth(),
        when="" if when is None else when.text(),
        choices=() if choices is None else choices.texts(),
        beside=() if beside is None else tuple(name for group in beside.items() for name in _names(group, types)),
        where=f"{node.file}:{node.line}",
    )
    each.end("id", "section", "label", "clause", "asks", "fills", "level", "human", "when", "choices", "beside")
    if made.human and made.level is Level.COMPUTED:
        node.refuse(f"{made.id} is computed, and only a person can write it: one of the two")
    if not made.human and not made.fills:
        node.refuse(f"nothing fills {made.id}, and no person has to")
    if made.human and not all(name.startswith("answers.") for group in made.fills for name in group):
        fills.refuse(f"only a person can write {made.id}: what evidence says of it belongs to `beside`")
    if made.choices and made.answers:
        node.refuse(f"{made.id} has choices, and answers to questions that have their own")
    return made


def _names(node: Node, types: Mapping[str, str]) -> tuple[str, ...]:
    """One name, or several that can stand for each other."""
    found = node.items() if isinstance(node.value, list) else [node]
    if not found:
        node.refuse("there is no name in it")
    for each in found:
        if each.text() not in types:
            each.refuse(f"there is no fact, step or answer {each.text()[:60]!r}")
        if types[each.text()] == "list(map)":
            each.refuse(f"{each.text()} is a list of objects, and fills no line")
    return tuple(each.text() for each in found)


def _whole(document: Document, pack: CompiledPack) -> Document:
    """``document``, where no item, and no question of one, is there twice."""
    seen: dict[str, str] = {}
    problems = []
    if not document.items:
        problems.append(f"{document.file.name}:1: there is no item in it")
    for each in document.items:
        if each.id in seen:
            problems.append(f"{each.where}: the item {each.id!r} is there already ({seen[each.id]})")
        seen[each.id] = each.where
    asked: dict[str, str] = {}
    for question in document.questions:
        if question.id in asked or question.name in pack.types:
            problems.append(f"{question.where}: there is another question {question.id!r}; name the item otherwise")
        asked[question.id] = question.where
    if problems:
        raise PackError(*problems)
    return document
