"""Which files are documents about a model or data set; it imports nothing that a model without any has to pay for."""

from __future__ import annotations

from collections.abc import Iterator

from openvet.inventory.component import Component, Inventory

__all__ = ["CARD", "CITATION", "CROISSANT", "RESULTS", "candidates", "has_candidates"]

CARD, RESULTS, CROISSANT, CITATION = range(4)


def has_candidates(inventory: Inventory) -> bool:
    """Whether there is any; ask through :meth:`~openvet.inventory.component.Inventory.once`."""
    return next(candidates(inventory), None) is not None


def candidates(inventory: Inventory) -> Iterator[tuple[int, Component]]:
    """(kind, file): the ``README.md`` nearest to the top and others with front matter, results, JSON-LD that may be Croissant, citation files."""
    pages = [each for each in inventory.of(("markdown",)) if each.basename.lower() == "readme.md"]
    top = min(pages, key=lambda each: (each.place.count("/"), each.place), default=None)
    for each in pages:
        if each is top or (each.outline is not None and each.outline.front_matter):
            yield CARD, each
    for each in inventory.of(("yaml",)):
        if each.place.rpartition("/")[0].endswith(".eval_results"):
            yield RESULTS, each
    for each in inventory.of(("json",)):
        if each.format == "json" and isinstance(each.document, dict) and "@context" in each.document:
            yield CROISSANT, each
    for each in inventory.of(("citation",)):
        yield CITATION, each
