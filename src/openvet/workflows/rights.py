"""What may be done with a model: its licences and its lineage, read once, and the licences of base models as somebody gives them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from openvet.core.coverage import Unknown
from openvet.core.license_ids import keys_of
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import MalformedError, OpenVetError, ReadError, SubjectError, UsageError
from openvet.evidence.dossier.layout import CLAIMS
from openvet.evidence.predicates import NAMES
from openvet.evidence.predicates.licenses_v1 import LicensesV1
from openvet.evidence.predicates.lineage_v1 import THIS, LineageV1
from openvet.evidence.predicates.rights_v1 import Reason, RightsV1
from openvet.evidence.signing import parse_line, parse_statement
from openvet.evidence.statement import Predicate
from openvet.inventory.component import Inventory
from openvet.inventory.texts import is_license_name
from openvet.licenses.along import weigh
from openvet.licenses.held import held_of
from openvet.licenses.terms import terms_of
from openvet.licenses.uses import Asked, take_uses
from openvet.licenses.works import Given, choices_of
from openvet.workflows.answer import Answer, not_read
from openvet.workflows.check import Options, take
from openvet.workflows.knowledge import tool

__all__ = ["PRODUCT", "REPORT_TYPE", "Base", "ask_rights", "idle_bases", "read_bases", "rights_of", "take_base"]

#: What is asked where nobody says: the uses of a model in a product that is shipped or served.
PRODUCT: Final = Asked(("commercial", "redistribute", "serve"))
REPORT_TYPE: Final = f"{NAMES}/rights-report/v1"
_LARGEST: Final = 64 * 1024 * 1024
_HUB: Final = "pkg:huggingface/"
#: Ends of names of files that say what a model's licence is, or what it was made of.
_TELLING: Final = (".md", ".txt", ".json", ".yml", ".yaml", ".toml", ".cff", ".gguf", ".safetensors")
_MOST_UNREAD: Final = 20
_MOST_NAMED: Final = 8
#: How notes of works begin whose licence somebody gave.
_GIVEN: Final = ("given as ", "from ")


class Base:
    """``[NAME=]WHAT`` of ``--base``: a model's files, a dossier or statement, a bill of materials, or a licence."""

    __slots__ = ("name", "what")

    def __init__(self, name: str, what: str) -> None:
        self.name, self.what = name, what


def take_base(text: str) -> Base:
    """What somebody wrote after ``--base``.

    Raises:
        UsageError: there is nothing.
    """
    name, equals, what = text.partition("=")
    if not equals or os.path.lexists(text):
        name, what = "", text
    if not what.strip():
        raise UsageError(f"--base {printable(text)[:100]}: write PATH, or NAME=PATH, or NAME=LICENCE")
    return Base(name.strip(), what.strip())


def read_bases(bases: Sequence[Base], options: Options, progress: Progress) -> list[Given]:
    """What is said of the licences of base models.

    Raises:
        UsageError: it is neither a path nor a licence.
        SubjectError: what lies there cannot be read.
    """
    return [given for each in bases for given in _read_base(each, options, progress)]


def idle_bases(bases: Sequence[Base], answers: Sequence[RightsV1]) -> list[str]:
    """A sentence for each of ``bases`` that counted for no work of any answer: what was meant, and what the models name instead."""
    works = {each.id: each for answer in answers for each in answer.works if each.id != THIS}.values()
    names = {name.lower() for each in works for name in (each.id, each.name)}
    there = f"named are {', '.join(sorted(each.name for each in works)[:_MOST_NAMED])}" if works else "none is named"
    idle = []
    for base in bases:
        if base.name:
            if base.name.lower().removeprefix(_HUB) not in names:
                idle.append(
                    f"--base {printable(base.name)[:100]}=...: counted for nothing: no such work is named; {there}"
                )
        elif not base.what.endswith(".json") and not any(each.note.startswith(_GIVEN) for each in works):
            idle.append(
                f"--base {printable(base.what)[:100]}: counted for nothing, since there is not exactly one base model: write NAME=...; {there}"
            )
    return idle


def _read_base(base: Base, options: Options, progress: Progress) -> Iterator[Given]:
    what, shown = base.what, printable(base.what)
    if not os.path.lexists(what) and not what.startswith(("hf:", "oci:")):
        if keys_of(what) or terms_of(what) is not None or (choices_of(what) and " " in what):
            yield Given(base.name, text=what, origin="--base")
            return
        raise UsageError(f"--base {shown[:100]}: is neither a path nor a licence that we know")
    said = _read_statements(what)
    if said is not None:
        yield Given(base.name, said, origin=f"a statement in {shown}, whose signature was not verified here")
        return
    bill = _read_bill(what) if what.endswith(".json") and os.path.isfile(what) else None
    if bill is not None:
        yield from _of_bill(base, bill, shown)
        return
    from openvet.workflows.assemble import answers_of

    taken = take(what, replace(options, algorithms=()), progress)
    found = answers_of(taken.inventory, ["licenses"])["licenses"]
    if isinstance(found, LicensesV1):
        yield Given(base.name, found, origin=shown)


def _read_statements(path: str) -> LicensesV1 | None:
    """The last statement about licences in a dossier, or in a file of statements, signed or not; ``None`` where there is none."""
    file = os.path.join(path, CLAIMS) if os.path.isdir(path) else path
    if not file.endswith((".json", ".jsonl")) or not os.path.isfile(file):
        return None
    found = None
    for line in _read(file).splitlines():
        try:
            payload = parse_line(line, "line").envelope.payload if b'"dsseEnvelope"' in line else line
            predicate = parse_statement(payload).predicate
        except (OpenVetError, RecursionError):
            continue
        found = predicate if isinstance(predicate, LicensesV1) else found
    return found


def _read(path: str) -> bytes:
    """A document of somebody's, within bounds."""
    try:
        if os.path.getsize(path) > _LARGEST:
            raise SubjectError(f"{printable(path)}: is too large for a bill of materials or statements")
        with open(path, "rb") as file:
            return file.read(_LARGEST)
    except OSError as error:
        raise SubjectError(f"{printable(path)}: {error.strerror}") from error


def _read_bill(path: str) -> Any:
    """The components of a bill of materials in JSON; ``None`` where it is none."""
    from openvet.bom.foreign import read_bill

    try:
        return read_bill(json.loads(_read(path).decode("utf-8-sig")))
    except (MalformedError, ReadError, ValueError, RecursionError):
        return None


def _of_bill(base: Base, bill: Any, shown: str) -> Iterator[Given]:
    for entry in bill.entries:
        if not entry.licenses:
            continue
        text = entry.licenses[0] if len(entry.licenses) == 1 else " AND ".join(f"({each})" for each in entry.licenses)
        purl = entry.purl.removeprefix(_HUB).partition("@")[0].partition("?")[0] if entry.purl.startswith(_HUB) else ""
        for name in dict.fromkeys(filter(None, (purl, entry.name))):
            if not base.name or name.lower() == base.name.lower():
                yield Given(name, text=text, origin=f"the bill {shown}")


def ask_rights(
    path: str | os.PathLike[str],
    asked: Asked,
    given: Sequence[Given] = (),
    options: Options | None = None,
    progress: Progress | None = None,
    *,
    digests: bool = False,
) -> Answer:
    """Read a model once, and say what its licences and those of what it was made of say to ``asked``.

    Args:
        given: of base models, see :func:`read_bases`.
        digests: also hash every byte, so that the answer names what it is about.

    Raises:
        SubjectError: the model cannot be examined.
        UsageError: an option makes no sense.
    """
    from openvet.workflows.assemble import answers_of, subject_of

    settled = (options or Options()).settled()
    if not digests:
        settled = replace(settled, algorithms=())
    named = os.fspath(path)
    taken = take(named, settled, progress or Progress())
    subject = subject_of(taken.snapshot, taken.inventory)
    answers = answers_of(taken.inventory, ["licenses", "lineage"], subject.name, subject.digest)
    hub = named.removeprefix("hf:").partition("@")[0] if named.startswith("hf:") else ""
    held = (taken.inventory, hub)
    unknowns = not_read(taken)
    said = _weigh(answers, asked, given, held, subject.name)
    return Answer(printable(named), subject, replace(said, needs=(*said.needs, *_unread(unknowns))), unknowns)


def _unread(unknowns: Sequence[Unknown]) -> Iterator[Reason]:
    """What is not read and may name a licence or a base model: nobody knows what the answer would be with it."""
    places = dict.fromkeys(each.location.place for each in unknowns)
    for place in [each for each in places if not each or is_license_name(each) or each.lower().endswith(_TELLING)][
        :_MOST_UNREAD
    ]:
        whole = place or "a part of the model"
        yield Reason(
            "depends", THIS, f"{whole} was not read", None, f"what {whole} says of licences and of base models"
        )


def rights_of(
    inventory: Inventory, licenses: LicensesV1, lineage: Predicate, name: str, uses: Sequence[str] = ()
) -> RightsV1:
    """What the files of a model alone say to :data:`PRODUCT` and ``uses``: no licence of a base model is given beside them."""
    answers: dict[str, Predicate] = {"licenses": licenses, "lineage": lineage}
    asked = take_uses([*PRODUCT.words, *uses]) if uses else PRODUCT
    said = _weigh(answers, asked, (), (inventory, ""), name)
    unknowns = [each for part in inventory.walk() for each in part.unknowns]
    return replace(said, needs=(*said.needs, *_unread(unknowns)))


def _weigh(
    answers: dict[str, Predicate], asked: Asked, given: Sequence[Given], held: tuple[Any, str], name: str
) -> RightsV1:
    licenses, lineage = answers["licenses"], answers["lineage"]
    if not isinstance(licenses, LicensesV1) or not isinstance(lineage, LineageV1):
        raise TypeError("the rooms of licences and of lineage gave something else than their predicates")
    return weigh(tool(), licenses, lineage, asked, given, held_of(held[0], licenses, held[1]), name)
