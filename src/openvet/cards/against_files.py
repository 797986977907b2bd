"""Task and library that a card names, held against the files: an architecture's head, and files that only one library writes."""

from __future__ import annotations

from typing import Any

from openvet.cards._beside import Beside
from openvet.cards._forms import forms
from openvet.cards._page import Page, shown

__all__ = ["look_at_files"]


def look_at_files(page: Page, document: dict[str, Any], beside: Beside) -> None:
    """Compare ``pipeline_tag`` and ``library_name`` with what lies beside the card."""
    _task(page, document, beside)
    _library(page, document, beside)


def _task(page: Page, document: dict[str, Any], beside: Beside) -> None:
    config = beside.settings("config.json") or {}
    architectures = config.get("architectures")
    if not isinstance(architectures, list) or not architectures or not isinstance(architectures[0], str):
        return
    name = architectures[0]
    source = beside.at("config.json", "/architectures/0")
    page.heard("architecture", name, source)
    task = document.get("pipeline_tag")
    if not isinstance(task, str):
        return
    head = next((each for each in forms()["head"] if name.endswith(each["ends"])), None)
    if head is None:
        return
    if task not in head["fits"] if "fits" in head else task in head["never"]:
        page.problem(
            "task-contradicted",
            f"pipeline_tag is {shown(task)}, and the architecture {shown(name)} has a head for something else",
            "/pipeline_tag",
            found=task,
            architecture=name,
            files=source.to_json(),
        )


def _library(page: Page, document: dict[str, Any], beside: Beside) -> None:
    declared = document.get("library_name")
    for each in forms()["library"]:
        file = each["file"]
        settings = beside.settings(file)
        if settings is None or each["key"] not in settings:
            continue
        source = beside.at(file, f"/{each['key']}")
        page.derive("library", each["name"], source)
        if isinstance(declared, str) and declared.strip().casefold() in {
            *each["not"],
            *forms()["beneath"]["frameworks"],
        }:
            page.problem(
                "library-contradicted",
                f"library_name is {shown(declared)}, and {file} is a file of {each['name']}",
                "/library_name",
                found=declared,
                files=source.to_json(),
            )
        return
