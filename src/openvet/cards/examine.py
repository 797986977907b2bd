"""The cards of a subject, each read once from what the formats have read already.

The first document is the card that a hub shows: the ``README.md`` nearest to the top. Others with front matter follow, then evaluation
results, Croissant descriptions and citation files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from openvet.cards._beside import Beside
from openvet.cards._candidates import CROISSANT, candidates
from openvet.cards._page import Page
from openvet.core.coverage import Coverage
from openvet.evidence.predicates.card_v1 import CardDocument
from openvet.inventory.component import Component, Inventory

__all__ = ["find_cards", "say_without_card"]

#: Documents of one subject; a data set in a folder may have thousands of pages.
_MOST = 200
#: Files by which a folder is that of a model.
_TELLING = frozenset({"config.json", "adapter_config.json", "model_index.json"})
_DATA = frozenset({"parquet", "arrow", "avro", "orc", "tfrecord"})


def find_cards(inventory: Inventory) -> tuple[CardDocument, ...]:
    """Every document about the model or data set; ask through :meth:`~openvet.inventory.component.Inventory.once`."""
    found = sorted(_documents(inventory), key=lambda each: (each[0], each[1].place.count("/"), each[1].place))
    return tuple(_READ[kind](inventory, component) for kind, component in found[:_MOST])


def say_without_card(inventory: Inventory) -> tuple[CardDocument, ...]:
    """What the files themselves say where there is no card to say it: licence, base model, architecture, quantization; nothing if they do not."""
    from openvet.cards._forms import forms
    from openvet.cards.against_files import look_at_files
    from openvet.cards.licenses import look_at_licenses
    from openvet.cards.lineage_claims import look_at_lineage

    telling = [each for each in inventory.walk() if each.basename in _TELLING or each.format == "gguf"]
    if not telling:
        return ()
    top = min(telling, key=lambda each: (each.place.count("/"), each.place))
    page = Page("files", Component("", "", 0, (), Coverage.INERT))
    beside = Beside(inventory, f"{top.place.removesuffix(top.basename)}README.md")
    for look in (look_at_licenses, look_at_lineage, look_at_files):
        look(page, {}, beside)
    for name in forms()["expected"]["model"]:
        if not page.says(name):
            page.lack("metadata", name)
    found = replace(page.done(), problems=())  # without a card nothing can contradict it
    return (found,) if found.facts else ()


def _documents(inventory: Inventory) -> Iterator[tuple[int, Component]]:
    """The candidates that are what they look like."""
    for kind, each in candidates(inventory):
        if kind == CROISSANT:
            from openvet.cards.croissant import is_croissant

            if not is_croissant(each.document):
                continue
        yield kind, each


def _card(inventory: Inventory, component: Component) -> CardDocument:
    from openvet.cards._forms import forms
    from openvet.cards.against_files import look_at_files
    from openvet.cards.front_matter import kind_of, read_front_matter
    from openvet.cards.licenses import look_at_licenses
    from openvet.cards.lineage_claims import look_at_lineage
    from openvet.cards.sections import look_at_sections

    beside = Beside(inventory, component.place)
    document = component.document
    told = document if isinstance(document, dict) else {}
    kind = kind_of(told) or ("dataset" if _is_data(beside) else "model")
    form = forms()[kind]
    page = Page(f"{kind}-card", component)
    outline = component.outline
    if outline is not None and outline.front_matter:
        broken = next((each for each in component.unknowns if each.reason in ("malformed", "limit", "timeout")), None)
        if document is None and broken is not None:
            page.problem("malformed-metadata", f"the front matter was not read: {broken.message}", "", unread=True)
        else:
            read_front_matter(page, document, form)
    if told.get("model-index") is not None:
        from openvet.cards.evaluations import read_model_index

        read_model_index(page, told["model-index"])
    look_at_licenses(page, told, beside)
    if kind == "dataset":
        from openvet.cards.data_files import look_at_data_files

        look_at_data_files(page, told, beside)
    else:
        look_at_lineage(page, told, beside)
        look_at_files(page, told, beside)
    if not page.unread:
        _expect(page, told, kind)
    look_at_sections(page, form)
    if outline is not None and outline.front_matter and kind == "model" and beside.has_weights:
        _say_incomplete(page)
    return page.done()


def _is_data(beside: Beside) -> bool:
    """Whether what lies beside the card is data and no model."""
    formats = {each.format for each in beside.components}
    return bool(formats & _DATA) and not beside.has_weights and beside.named("config.json") is None


def _expect(page: Page, told: dict[str, Any], kind: str) -> None:
    from openvet.cards._forms import forms

    silent = forms()["silent"]["language"]
    for name in forms()["expected"][kind]:
        if told.get(name) in (None, "", [], {}) and not (name == "language" and told.get("pipeline_tag") in silent):
            page.lack("metadata", name)


def _say_incomplete(page: Page) -> None:
    lacking = [each.name for each in page.missing if each.of == "metadata" and each.name in ("license", "datasets")]
    if "license" in lacking:
        page.problem("incomplete", f"the card does not name {' or '.join(lacking)}", "", missing=lacking)


def _results(inventory: Inventory, component: Component) -> CardDocument:
    from openvet.cards.evaluations import read_eval_results

    del inventory
    page = Page("eval-results", component)
    if component.document is not None or not component.unknowns:
        read_eval_results(page, component.document)
    else:
        page.problem("eval-results", f"was not read: {component.unknowns[0].message}", "")
    return page.done()


def _croissant(inventory: Inventory, component: Component) -> CardDocument:
    from openvet.cards.croissant import read_croissant

    page = Page("croissant", component)
    read_croissant(page, component.document, Beside(inventory, component.place))
    return page.done()


def _citation(inventory: Inventory, component: Component) -> CardDocument:
    from openvet.cards.citation import read_citation

    del inventory
    page = Page("citation", component)
    read_citation(page, component.document)
    return page.done()


_READ = (_card, _results, _croissant, _citation)
