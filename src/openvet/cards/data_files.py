"""Data files that a data set card lists for its configurations, held against the files beside it.

Specification: https://huggingface.co/docs/hub/datasets-manual-configuration
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from typing import Any

from openvet.cards._beside import Beside
from openvet.cards._page import Page, child, shown

__all__ = ["look_at_data_files"]

#: Patterns compared with the files, and characters of each.
_PATTERNS = 20
_LONGEST = 300


def look_at_data_files(page: Page, document: dict[str, Any], beside: Beside) -> None:
    """Tell of listed files that are not here, where others of the list are: where none is, the card came without its data."""
    here = {each.place[len(beside.folder) :] for each in beside.components}
    listed = [
        (path, where) for path, where in _listed(document.get("configs")) if ":" not in path and len(path) <= _LONGEST
    ]
    missing = []
    found = False
    for path, where in listed[:_PATTERNS]:
        name = path.removeprefix("./")
        if name in here or (any(sign in name for sign in "*?[") and _matches(name, here)):
            found = True
        else:
            missing.append((path, where))
    for path, where in missing if found else ():
        page.problem(
            "data-file-missing", f"lists the data files {shown(path)}, and none of them is here", where, found=path
        )


def _matches(pattern: str, here: set[str]) -> bool:
    """Whether any file is meant; ``**/`` stands for no folder as well."""
    return any(fnmatch.filter(here, each) for each in {pattern, pattern.replace("**/", "")})


def _listed(configs: Any) -> Iterator[tuple[str, str]]:
    """(path or pattern, pointer) of every data file of every configuration."""
    for index, config in enumerate(configs if isinstance(configs, list) else [configs]):
        if not isinstance(config, dict):
            continue
        folder = config.get("data_dir")
        start = f"{folder.strip('/')}/" if isinstance(folder, str) and folder.strip("/") else ""
        at = child("/configs", index, "data_files") if isinstance(configs, list) else "/configs/data_files"
        for path, where in _paths(config.get("data_files"), at):
            yield start + path, where


def _paths(value: Any, at: str) -> Iterator[tuple[str, str]]:
    """A text, a list of texts, a map from splits to them, or a list of maps with ``split`` and ``path``."""
    if isinstance(value, str):
        yield value, at
    elif isinstance(value, list):
        for index, each in enumerate(value):
            inner = each.get("path") if isinstance(each, dict) else each
            for path in inner if isinstance(inner, list) else [inner]:
                if isinstance(path, str):
                    yield path, child(at, index)
    elif isinstance(value, dict):
        for key, each in value.items():
            for path in each if isinstance(each, list) else [each]:
                if isinstance(path, str):
                    yield path, child(at, key)
