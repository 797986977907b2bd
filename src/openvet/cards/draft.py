"""A model card in the hub's form, filled in with what the evidence says and with nothing else.

What only a person can know is left visibly open, with :data:`OPEN`; so is what two sources say differently. Each statement carries, in a
comment, where it was read. Text of the model stands in code spans, so that it is shown and not interpreted.

Template: https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/templates/modelcard_template.md
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openvet.cards._beside import hub_id
from openvet.cards._draft_evidence import Evidence
from openvet.cards._forms import words
from openvet.core.location import Location
from openvet.core.text import printable, shorten
from openvet.evidence.predicates.card_v1 import CardDocument
from openvet.evidence.predicates.inventory_v1 import Fact, Item

__all__ = ["OPEN", "draft_card"]

#: How a field begins that a person has to fill in.
OPEN = "[to be filled in by a person:"
_FILES = 40
_RESULTS = 60


def draft_card(name: str, facts: Sequence[Fact], documents: Sequence[CardDocument], items: Sequence[Item]) -> str:
    """The draft, as Markdown that the hub takes.

    Args:
        name: of the model.
        facts, items: of its inventory.
        documents: its cards.
    """
    draft = _Draft(Evidence(name, facts, documents, items))
    return "\n".join([*draft.front_matter(), *draft.body()]) + "\n"


def _open(what: str) -> str:
    return f"{OPEN} {what}]"


def _code(value: Any) -> str:
    """Text of the model as a code span: no Markdown, no HTML, no mark of ours in it counts."""
    text = shorten(str(value), 200).replace("`", "'")
    return f"`{text}`" if text.strip() else "``"


def _from(*sources: Location, basis: str = "") -> str:
    """A comment that says where something was read."""
    where = "; ".join(str(each) for each in sources[:4])
    text = f"{basis}: {where}" if basis and where else basis or where
    while "--" in text:
        text = text.replace("--", "- -")
    return f" <!-- {text.replace('>', ' ')} -->" if text else ""


class _Draft:
    def __init__(self, known: Evidence) -> None:
        self._known = known

    # --- the metadata ---

    def front_matter(self) -> Iterator[str]:
        import yaml

        known: dict[str, Any] = {}
        missing: list[str] = []

        def put(key: str, value: Any, what: str) -> None:
            if value:
                known[key] = value[0] if isinstance(value, list) and len(value) == 1 and key != "tags" else value
            else:
                missing.append(f"# {key}: {_open(what)}")

        languages = [
            each
            for each in self._known.texts("language")
            if each in words("languages") or (len(each) == 3 and each.isalpha() and each.islower())
        ]
        tasks = [
            each
            for each in self._known.texts("pipeline_tag")
            if each in words("tasks") and "task-contradicted" not in self._known.doubted
        ]
        put("language", languages, "codes of ISO 639")
        put("license", self._known.license(), "an id of the hub, or other with license_name and license_link")
        if known.get("license") == "other":
            put("license_name", self._known.texts("license_name")[:1], "a name of the licence")
            put("license_link", self._known.texts("license_link")[:1], "a file or a link with the licence's text")
        put("library_name", self._known.library(), "the library that loads it")
        put("pipeline_tag", tasks[:1], "a task of the hub")
        bases = self._known.bases()
        if (
            bases
            or self._known.said("weights", "derived")
            or self._known.said("quantization", "derived")
            or "base-model-differs" in self._known.doubted
        ):
            put("base_model", bases, "the id of the base model")
            relation = self._known.relation()
            if bases and relation is not None:
                put("base_model_relation", relation, "")
        put(
            "datasets",
            [each for each in (hub_id(text, "datasets") for text in self._known.texts("datasets")) if each],
            "ids of the data sets that it was trained on",
        )
        put("metrics", self._known.texts("metrics"), "metrics that it was evaluated with")
        if self._known.texts("tags"):
            put("tags", self._known.texts("tags"), "")
        yield "---"
        yield from self._unread()
        yield from missing
        if known:
            yield yaml.safe_dump(known, sort_keys=False, allow_unicode=True, width=1000).rstrip("\n")
        else:
            yield "tags: []"
        yield "---"
        yield ""

    def _unread(self) -> Iterator[str]:
        """A comment where the card has front matter of which this draft takes nothing."""
        card = self._known.card
        if card is not None and card.unread is not None:
            yield f"# {shorten(printable(f'{card.place}: {card.unread.message}'), 400)}"
            yield f"# {_open('what that front matter says; nothing of it is in this draft')}"

    # --- the prose ---

    def body(self) -> Iterator[str]:
        yield f"# Model Card for {_code(self._known.name)}"
        yield ""
        yield "<!-- A draft by OpenVet, from the files alone. What a comment calls declared is what the model says about itself; nobody has verified it. -->"
        yield ""
        yield _open("a short summary of what the model does")
        yield from self._details()
        yield from self._for_people("## Uses", (("### Direct Use", "what it is for"), ("### Downstream Use [optional]", "what may be built on it"),
                                               ("### Out-of-Scope Use", "what it must not be used for")))  # fmt: skip
        yield from self._for_people(
            "## Bias, Risks, and Limitations",
            (("", "what can go wrong, and for whom"), ("### Recommendations", "what users should do about it")),
        )
        yield from self._for_people("## How to Get Started with the Model", (("", "code that loads and runs it"),))
        yield from self._training()
        yield from self._evaluation()
        yield from self._impact()
        yield from self._specifications()
        yield from self._citation()
        yield from self._for_people("## Model Card Authors [optional]", (("", "who wrote this card"),))
        yield from self._for_people("## Model Card Contact", (("", "who answers questions"),))

    def _for_people(self, heading: str, parts: Sequence[tuple[str, str]]) -> Iterator[str]:
        yield from ("", heading)
        for below, what in parts:
            yield from ("", below) if below else ()
            yield from ("", _open(what))

    def _details(self) -> Iterator[str]:
        yield from ("", "## Model Details", "", "### Model Description", "", _open("a longer description"), "")
        yield f"- **Developed by:** {_open('who made it')}"
        yield f"- **Funded by [optional]:** {_open('who paid for it')}"
        yield f"- **Shared by [optional]:** {_open('who publishes it')}"
        yield self._line("Model type", ("family", "architecture"), "what kind of model it is")
        yield self._card_line("Language(s) (NLP)", "language", "which languages it is for")
        yield from self._license_lines()
        bases = self._known.said("base_model")
        if bases:
            named = ", ".join(
                f"{_code(_joined(each.value))}{_from(each.source, basis=each.basis)}" for each in bases[:4]
            )
            yield f"- **Finetuned from model [optional]:** {named}"
        else:
            yield f"- **Finetuned from model [optional]:** {_open('the base model, if there is one')}"
        yield from ("", "### Model Sources [optional]", "")
        for label, what in (
            ("Repository", "where it is published"),
            ("Paper [optional]", "what describes it"),
            ("Demo [optional]", "where to try it"),
        ):
            yield f"- **{label}:** {_open(what)}"

    def _license_lines(self) -> Iterator[str]:
        said = self._known.said("license")
        fact = self._known.facts.get("license")
        if not said and fact is None:
            yield f"- **License:** {_open('the licence')}"
            return
        if said:
            shown = ", ".join(
                f"{_code(_joined(each.value))}{_from(each.source, basis=each.basis)}" for each in said[:6]
            )
        else:
            shown = f"{_code(_joined(fact.value))}{_from(*fact.sources, basis=fact.basis)}" if fact is not None else ""
        left = "" if self._known.license() is not None else f" {_open('which licence exactly')}"
        yield f"- **License:** {shown}{left}"

    def _line(self, label: str, names: Sequence[str], what: str) -> str:
        found = [self._known.facts[name] for name in names if name in self._known.facts]
        if not found:
            return f"- **{label}:** {_open(what)}"
        shown = ", ".join(f"{_code(_joined(each.value))}{_from(*each.sources, basis=each.basis)}" for each in found)
        return f"- **{label}:** {shown}"

    def _card_line(self, label: str, name: str, what: str) -> str:
        found = self._known.said(name)
        if not found:
            return f"- **{label}:** {_open(what)}"
        return f"- **{label}:** {_code(_joined(found[0].value))}{_from(found[0].source, basis=found[0].basis)}"

    def _training(self) -> Iterator[str]:
        yield from ("", "## Training Details", "", "### Training Data", "")
        found = self._known.said("datasets")
        for each in found:
            for name in each.value if isinstance(each.value, list) else [each.value]:
                yield f"- {_code(name)}{_from(each.source, basis=each.basis)}"
        yield from ("",) if found else ()
        yield _open("what it was trained on, and how that was chosen and filtered")
        yield from (
            "",
            "### Training Procedure",
            "",
            "#### Preprocessing [optional]",
            "",
            _open("how the data was prepared"),
        )
        yield from (
            "",
            "#### Training Hyperparameters",
            "",
            f"- **Training regime:** {_open('precision, steps, learning rate')}",
        )
        yield from ("", "#### Speeds, Sizes, Times [optional]", "", _open("throughput, start and end"))

    def _evaluation(self) -> Iterator[str]:
        yield from ("", "## Evaluation", "", "### Testing Data, Factors & Metrics", "")
        yield from (_open("on what it was tested, by which factors, and with which metrics"), "", "### Results", "")
        rows = list(self._results())
        if rows:
            yield "| data set | task | metric | value | read in |"
            yield "| --- | --- | --- | --- | --- |"
            for said, source in rows[:_RESULTS]:
                cells = [
                    _cell(said.get("dataset")),
                    _cell(said.get("task")),
                    _cell(said.get("metric")),
                    _cell(said.get("value")),
                    _cell(source),
                ]
                yield f"| {' | '.join(cells)} |"
            if len(rows) > _RESULTS:
                yield from ("", f"and {len(rows) - _RESULTS} more, which the evidence lists")
            yield from (
                "",
                "All of them are declared; nobody has repeated them here.",
                "",
                _open("what the results mean"),
            )
        else:
            yield _open("results, with the data set, the metric and the value of each")

    def _results(self) -> Iterator[tuple[Mapping[str, Any], Location]]:
        for document in self._known.documents:
            for each in document.facts:
                if each.name in ("result", "model-index") and isinstance(each.value, dict):
                    yield each.value, each.source

    def _impact(self) -> Iterator[str]:
        yield from ("", "## Environmental Impact", "")
        found = self._known.said("co2_eq_emissions")
        said = found[0].value if found else None
        told: Mapping[str, Any] = said if isinstance(said, dict) else {} if said is None else {"emissions": said}
        for label, key, what in (
            ("Hardware Type", "hardware_used", "which hardware"),
            ("Hours used", "hours_used", "how many hours"),
            ("Cloud Provider", "cloud_provider", "whose hardware"),
            ("Compute Region", "geographical_location", "where"),
            ("Carbon Emitted", "emissions", "how many grams of CO2eq"),
        ):
            value = told.get(key)
            unit = " grams of CO2eq" if key == "emissions" else ""
            shown = (
                _open(what)
                if value in (None, "")
                else f"{_code(value)}{unit}{_from(found[0].source, basis=found[0].basis)}"
            )
            yield f"- **{label}:** {shown}"

    def _specifications(self) -> Iterator[str]:
        yield from ("", "## Technical Specifications [optional]", "", "### Model Architecture and Objective", "")
        for label, name in (
            ("Architecture", "architecture"),
            ("Parameters", "parameters"),
            ("Types of the weights", "dtypes"),
            ("Declared type", "declared dtype"),
            ("Tensors", "tensors"),
            ("Format of the weights", "weights format"),
            ("Tokenizer", "tokenizer"),
        ):
            if name in self._known.facts:
                yield self._line(label, (name,), "")
        quantized = self._known.said("quantization", "derived")
        if quantized:
            yield f"- **Quantization:** {_code(quantized[0].value)}{_from(quantized[0].source, basis='derived')}"
        yield f"- **Objective:** {_open('what it was trained to do')}"
        # this draft takes the place of the card, whose digest would be that of a file which is no longer there
        replaced = {"README.md", "" if self._known.card is None else self._known.card.place}
        yield from ("", "### Compute Infrastructure", "", _open("hardware and software of the training"))
        files = [each for each in self._known.items if "!/" not in each.place and each.place not in replaced]
        yield from ("", "### Files", "", "| file | format | bytes | SHA-256 |", "| --- | --- | --- | --- |")
        for each in files[:_FILES]:
            digest = each.digest.get("sha256", "")
            yield f"| {_cell(each.place)} | {_cell('+'.join(each.formats) or 'unknown')} | {each.size} | {_code(digest) if digest else 'not read to its end'} |"
        if len(files) > _FILES:
            yield from ("", f"and {len(files) - _FILES} more files, which the inventory lists")

    def _citation(self) -> Iterator[str]:
        yield from ("", "## Citation [optional]", "")
        found = next((each for each in self._known.documents if each.kind == "citation"), None)
        if found is None:
            yield _open("how to cite it")
            return
        for label, name in (
            ("Title", "title"),
            ("Authors", "author"),
            ("Version", "version"),
            ("DOI", "doi"),
            ("Released", "date-released"),
        ):
            said = [each for each in found.facts if each.name == name]
            if said:
                shown = ", ".join(_code(each.value) for each in said[:20])
                yield f"- **{label}:** {shown}{_from(said[0].source, basis='declared')}"
            else:
                yield f"- **{label}:** {_open(label.lower())}"


def _joined(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def _cell(value: Any) -> str:
    return "" if value is None else _code(_joined(value)).replace("|", "\\|")
