"""How open a release is: its components with their evidence and licences, and what each scheme makes of them, by its own rules."""

from __future__ import annotations

from openvet.core.location import Location
from openvet.evidence.predicates.card_v1 import CardV1
from openvet.evidence.predicates.licenses_v1 import LicensesV1
from openvet.evidence.predicates.openness_v1 import Checklist, Line, OpennessV1, Part
from openvet.evidence.predicates.tool import Tool
from openvet.inventory.component import Inventory
from openvet.openness._tables import component_table
from openvet.openness.exemption import Clause, Clauses, check_exemption
from openvet.openness.framework import judge, unfitting
from openvet.openness.gathered import Declared, Gathered
from openvet.openness.osaid import check_definition
from openvet.openness.record import is_record, read_record, records
from openvet.openness.signs import card_of, distribution_of, read_cards, read_files
from openvet.openness.texts import settle

__all__ = ["examine"]

#: The licence of the Linux Foundation for models with all that belongs to them: https://openmdw.ai
_OPENMDW = "openmdw-1."


def _nothing_read(_: str) -> tuple[Clause, ...]:
    return ()


def examine(
    inventory: Inventory,
    card: CardV1,
    tool: Tool,
    licenses: LicensesV1 | None = None,
    clauses: Clauses = _nothing_read,
) -> OpennessV1:
    """What stands for and against the openness of a release.

    A single YAML file that is a record of the Model Openness Tool is taken at its word; among other files a record's paths are looked up.

    Args:
        inventory: its files.
        card: what its cards say.
        clauses: what a licence says, by its key; by default nothing, so that names alone count.
        licenses: which texts of licences were found; ``None`` where nobody looked, so that ids alone count.
    """
    only = inventory.files[0] if len(inventory.files) == 1 else None
    alone = only is not None and only.format == "yaml" and is_record(only.document, alone=True)
    gathered = Gathered()
    documents = card.documents
    if alone and only is not None:
        read_record(only, gathered, None)
    else:
        gathered.distribution = distribution_of(documents)
        if licenses is not None:
            gathered.distribution = settle(gathered.distribution, licenses, gathered)
        gathered.model = gathered.distribution
        for each in records(inventory):
            read_record(each, gathered, inventory)
        read_files(inventory, gathered)
        read_cards(documents, inventory, gathered)
    parts = gathered.parts()
    by_name = {each.id: each for each in parts}
    held = None if alone else inventory
    model_card = card_of(documents)
    readings = [judge("record" if alone else "declared", _licences(parts))]
    if not alone:
        readings.append(judge("files", _licences(parts, found=True)))
    return OpennessV1(
        tool,
        "record" if alone else "files",
        parts,
        component_table()["version"],
        tuple(readings),
        unfitting(_licences(parts)),
        (
            check_definition(by_name, model_card, gathered.distribution),
            check_exemption(by_name, model_card, gathered.distribution, held, clauses),
            _openmdw(by_name["final-parameters"], gathered.distribution),
        ),
        tuple(gathered.notes),
    )


def _licences(parts: tuple[Part, ...], *, found: bool = False) -> dict[str, str]:
    """The licence of each component that is there, or that was found among the files."""
    return {
        each.id: "" if each.license is None else each.license.id
        for each in parts
        if each.state != "missing" and (each.state == "found" or not found)
    }


def _openmdw(part: Part, distribution: Declared | None) -> Checklist:
    """Whether the declared licence is OpenMDW, by its id."""
    clause, asked = "OpenMDW 1.0 and 1.1", "one licence for model, data, code and documents"
    said, where = (part.license.id, part.license.source) if part.license is not None else ("", Location(""))
    if distribution is not None:
        said, where = distribution.id, distribution.source
    if said.lower().startswith(_OPENMDW):
        line = Line("licence-id", clause, asked, "declared", f"{said} is declared", "", (where,))
    else:
        text = f"{said} is declared, and not OpenMDW" if said else "no licence is declared"
        line = Line("licence-id", clause, asked, "open", text, "", (where,) if said else ())
    return Checklist("openmdw-1", "1.1", (line,))
