"""Front matter of a model or data set card: every field against the kind that the hub gives it.

A field of another kind is a problem and no statement: nothing is made of it. What the hub does not name is kept as declared.

Specification: https://github.com/huggingface/hub-docs/blob/main/modelcard.md and datasetcard.md
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.cards._beside import hub_id
from openvet.cards._forms import forms, words
from openvet.cards._near_keys import look_at_keys
from openvet.cards._page import Page, child, shown, what
from openvet.core.pattern import pattern

__all__ = ["kind_of", "read_front_matter", "texts_of"]

_KINDS = {
    "text": "a text",
    "texts": "a text or a list of texts",
    "list": "a list of texts",
    "map": "a map",
    "flag": "true or false",
    "impact": "a number of grams, or a map with one",
    "items": "a list of maps",
}
_LANGUAGE = pattern(r"[a-z]{2,3}\Z")
_TAGGED_LANGUAGE = pattern(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})+\Z")
#: Fields whose values are ids of models or data sets on a hub.
_IDS = {"base_model": "model", "new_version": "model", "datasets": "data set"}
_TASKS = ("pipeline_tag", "task_categories")


def kind_of(document: dict[str, Any]) -> str | None:
    """Whether front matter is that of a ``model`` or of a ``dataset``, by fields that only one of them has; ``None`` where it has neither."""
    telling: dict[str, list[str]] = forms()["telling"]
    found = {kind: sum(name in document for name in names) for kind, names in telling.items()}
    if found["dataset"] == found["model"]:
        return None
    return max(found, key=lambda kind: found[kind])


def read_front_matter(page: Page, document: Any, form: dict[str, Any]) -> None:
    """Put what ``document`` declares onto ``page``; ``form`` is the table of the card's kind."""
    if document is None:
        page.problem("malformed-metadata", "the front matter holds nothing", "")
        return
    if not isinstance(document, dict):
        page.problem(
            "malformed-metadata",
            f"the front matter is {what(document)}, and has to be a map",
            "",
            found=document,
            unread=True,
        )
        return
    fields = form["fields"]
    for key, value in document.items():
        pointer = child("", key)
        kind = fields.get(key, "any")
        if value is None:
            continue
        if key == "model-index":
            continue
        wrong = _wrong(key, value, kind)
        if wrong is None:
            page.declare(key, value, pointer)
        else:
            page.problem("malformed-metadata", wrong, pointer, found=value)
    look_at_keys(page, document)
    _look_at_ids(page, document)
    _look_at_languages(page)
    _look_at_tasks(page, document)
    relation = document.get("base_model_relation")
    if isinstance(relation, str) and relation not in forms()["relations"]:
        page.problem(
            "malformed-metadata",
            f"base_model_relation is {shown(relation)}, and can be {', '.join(forms()['relations'])}",
            "/base_model_relation",
            found=relation,
        )


def _wrong(key: str, value: Any, kind: str) -> str | None:
    """What is wrong with a value, in a sentence; ``None`` where it is of its kind."""
    if _is(value, kind):
        return None
    if isinstance(value, bool) and kind in ("text", "texts"):
        return f"{key} is {'true' if value else 'false'}: without quotes, YAML reads no, yes, on and off so"
    if isinstance(value, list) and kind in ("texts", "list"):
        odd = next(each for each in value if not isinstance(each, str))
        if isinstance(odd, bool):
            return f"{key} holds {'true' if odd else 'false'}: without quotes, YAML reads no, yes, on and off so"
        return f"{key} holds {what(odd)} beside texts, and has to be {_KINDS[kind]}"
    return f"{key} is {what(value)}, and has to be {_KINDS[kind]}"


def _is(value: Any, kind: str) -> bool:
    if kind == "text":
        return isinstance(value, str)
    if kind in ("texts", "list"):
        return (isinstance(value, str) and kind == "texts") or (
            isinstance(value, list) and all(isinstance(each, str) for each in value)
        )
    if kind == "map":
        return isinstance(value, dict)
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "impact":
        grams = value.get("emissions", 0) if isinstance(value, dict) else value
        return (
            isinstance(grams, int | float | str)
            and not isinstance(grams, bool)
            and (isinstance(value, dict) or not isinstance(value, str))
        )
    if kind == "items":
        return isinstance(value, dict) or (isinstance(value, list) and all(isinstance(each, dict) for each in value))
    return True


def texts_of(document: dict[str, Any], key: str) -> Iterator[tuple[str, str]]:
    """(text, pointer) of a field that is a text or a list of them."""
    value = document.get(key)
    if isinstance(value, str):
        yield value, child("", key)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            if isinstance(each, str):
                yield each, child("", key, index)


def _look_at_ids(page: Page, document: dict[str, Any]) -> None:
    for key, kind in _IDS.items():
        for text, pointer in texts_of(document, key):
            if not text:
                continue
            named = hub_id(text, "models" if kind == "model" else "datasets")
            if named is None:
                page.problem(
                    "malformed-metadata",
                    f"{key} names {shown(text)}, which is no id of a {kind} on a hub",
                    pointer,
                    found=text,
                )
            elif named != text.strip():
                page.problem(
                    "malformed-metadata",
                    f"{key} names {shown(text)}, which is a link; the hub takes the id, {shown(named)}",
                    pointer,
                    found=text,
                    id=named,
                )


def _look_at_languages(page: Page) -> None:
    document = page.component.document
    for text, pointer in texts_of(document, "language"):
        if text in words("languages") or (len(text) == 3 and _LANGUAGE.match(text)):
            continue
        if _TAGGED_LANGUAGE.match(text):
            hint = "it looks like a BCP 47 tag, which belongs into language_bcp47"
        elif _LANGUAGE.match(text.lower()) and text != text.lower():
            hint = "codes are written in small letters"
        else:
            hint = "it takes codes of ISO 639, code or multilingual"
        page.problem("language-code", f"language names {shown(text)}; {hint}", pointer, found=text)


def _look_at_tasks(page: Page, document: dict[str, Any]) -> None:
    for key in _TASKS:
        for text, pointer in texts_of(document, key):
            if text not in words("tasks"):
                page.problem(
                    "unknown-task", f"{key} names {shown(text)}, which is no task of the hub", pointer, found=text
                )
