"""``CITATION.cff``: what the Citation File Format requires, and what it says.

Specification: https://github.com/citation-file-format/citation-file-format/blob/1.2.0/schema-guide.md
"""

from __future__ import annotations

from datetime import date
from typing import Any

from openvet.cards._page import Page, child, shown, what
from openvet.core.pattern import pattern

__all__ = ["read_citation"]

_REQUIRED = ("authors", "cff-version", "message", "title")
_TEXTS = (
    "title",
    "message",
    "version",
    "doi",
    "date-released",
    "license-url",
    "url",
    "repository",
    "repository-code",
    "abstract",
    "type",
    "commit",
)
_TYPES = ("software", "dataset")
_DOI = pattern(r"10\.\d{4,9}(?:\.\d+)?/[A-Za-z0-9:/_;\-.()\[\]\\]+\Z")
_VERSION = pattern(r"1\.\d+\.\d+\Z")


def read_citation(page: Page, document: Any) -> None:
    """Put what ``document`` declares onto ``page``, and what its format does not allow."""
    for anomaly in page.component.anomalies:
        if anomaly.rule == "card/citation":
            page.problem("citation", anomaly.message, "")
            return
    if not isinstance(document, dict):
        page.problem("citation", f"is {what(document)}, and has to be a map", "")
        return
    version = document.get("cff-version")
    if isinstance(version, str | int | float) and not isinstance(version, bool):
        page.specification = str(version)
        if not _VERSION.match(str(version)):
            page.problem(
                "citation", f"cff-version {shown(version)} is no version of the format", "/cff-version", found=version
            )
    for name in _REQUIRED:
        if document.get(name) in (None, "", []):
            page.lack("property", name)
            page.problem("citation", f"{name} is not there, which the format requires", "")
    for name in _TEXTS:
        value = document.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            page.declare(name, value if isinstance(value, str) else str(value), child("", name))
        elif value is not None:
            page.problem("citation", f"{name} is {what(value)}, and has to be a text", child("", name))
    page.declare("license", document.get("license"), "/license")
    _authors(page, document.get("authors"))
    _check(page, document)


def _authors(page: Page, authors: Any) -> None:
    if authors in (None, "", []):
        return
    if not isinstance(authors, list):
        page.problem("citation", f"authors is {what(authors)}, and has to be a list", "/authors")
        return
    for number, each in enumerate(authors[:200]):
        at = child("/authors", number)
        if not isinstance(each, dict):
            page.problem("citation", f"an author is {what(each)}, and has to be a map", at)
            continue
        parts = [
            each.get(key) for key in ("given-names", "name-particle", "family-names", "name-suffix", "name", "alias")
        ]
        page.declare("author", " ".join(part for part in parts if isinstance(part, str)), at)


def _check(page: Page, document: dict[str, Any]) -> None:
    kind, doi, released = (document.get(name) for name in ("type", "doi", "date-released"))
    if isinstance(kind, str) and kind not in _TYPES:
        page.problem("citation", f"type is {shown(kind)}, and can be {' or '.join(_TYPES)}", "/type", found=kind)
    if isinstance(doi, str) and not _DOI.match(doi):
        page.problem("citation", f"doi {shown(doi)} is none", "/doi", found=doi)
    if isinstance(released, str):
        try:
            date.fromisoformat(released)
        except ValueError:
            page.problem("citation", f"date-released {shown(released)} is no date", "/date-released", found=released)
