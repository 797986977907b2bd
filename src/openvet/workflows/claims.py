"""Claims from a file, from options, or from the published rows that ship as data; examined, and as a statement."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.progress import Progress
from openvet.core.tables import data_folder
from openvet.core.text import printable
from openvet.errors import ConfigError, UsageError
from openvet.evidence.predicates import NAMES
from openvet.evidence.predicates.claims_v1 import Claims
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.profile.claims.examine import examine
from openvet.profile.claims.inputs import Inputs, take_inputs
from openvet.profile.claims.keys import KEYS
from openvet.workflows.held_model import model_digest
from openvet.workflows.knowledge import tool
from openvet.workflows.model_files import read_small
from openvet.workflows.stated_file import StatedReader
from openvet.workflows.toml_lines import Path
from openvet.workflows.toml_reader import LARGEST, near_word

__all__ = ["REPORT_TYPE", "Examined", "Source", "examine_claims", "published_names", "read_inputs", "statement_about"]

REPORT_TYPE: Final = f"{NAMES}/claims-report/v1"
_NUMBER: Final = pattern(r"[0-9]{1,60}(\.[0-9]{0,60})?([eE][-+]?[0-9]{1,3})?\Z")
_BAND: Final = ".."
_OR: Final = "|"


@dataclass(frozen=True, slots=True)
class Source:
    """Where inputs come from.

    Attributes:
        path: a file of the user's, or ''.
        published: the name of a row that ships, or ''.
        settings: ``section.key`` -> text, which count above what the file says, each with the option that named it.
    """

    path: str = ""
    published: str = ""
    settings: Mapping[str, tuple[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """What came out; ``subject`` is the file that the inputs were read from as they are there, else ``None``."""

    claims: Claims
    subject: ResourceDescriptor | None

    def to_json(self) -> dict[str, Any]:
        return {
            "type": REPORT_TYPE,
            "verdict": self.claims.verdict,
            "subject": None if self.subject is None else self.subject.to_json(),
            "claims": self.claims.to_json(),
        }


def published_names() -> tuple[str, ...]:
    """The rows that ship, for ``--published``."""
    names = os.listdir(os.path.join(data_folder(), "claims"))
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def read_inputs(source: Source) -> tuple[Inputs, ResourceDescriptor | None]:
    """The inputs, and the file that they are in, where no setting changed them.

    Raises:
        UsageError: there is no such row, or no input at all.
        ConfigError: a problem with its place: ``run.toml:7: ...``, or the option.
        OSError, SubjectError: the file cannot be read.
    """
    path, shown = source.path, printable(source.path)
    if source.published:
        known = published_names()
        if source.published not in known:
            raise UsageError(
                f"no published row {printable(source.published)[:100]!r}{near_word(source.published, known)}; `openvet claims --list` names them"
            )
        path = os.path.join(data_folder(), "claims", f"{source.published}.toml")
        shown = f"{source.published}.toml"
    settings = source.settings or {}
    if not path and not settings:
        raise UsageError("nothing is stated: name a FILE, a --published row, or options such as --parameters")
    data = read_small(path, LARGEST) if path else b""
    reader = StatedReader(
        data, shown or "the options", os.path.splitext(path)[1].lower(), "name, model, training, serving or published"
    )
    document = _with_settings(reader.document(), settings) if settings else reader.document()
    problems: list[tuple[int, str]] = []

    def problem(at: Path, text: str) -> None:
        option = settings.get(".".join(map(str, at[:2])))
        if option is None:
            reader.problem(at, text)
        else:
            problems.append((len(problems), f"{option[0]}: {text}"))

    inputs = take_inputs(document, problem)
    if problems:
        raise ConfigError(*(text for _, text in problems))
    reader.finish()
    if not path or settings:
        return inputs, None
    name = printable(os.path.basename(path))
    return inputs, ResourceDescriptor(name, {"sha256": hashlib.sha256(data).hexdigest()})


def _with_settings(document: Mapping[str, Any], settings: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    merged: dict[str, Any] = copy.deepcopy(dict(document))
    for name, (option, text) in settings.items():
        key = KEYS.get(name)
        if key is None:
            raise UsageError(
                f"{option}: there is no key {printable(name)[:100]!r}{near_word(name, KEYS)}; `openvet claims --keys` lists them"
            )
        section = merged.setdefault(key.section, {})
        if isinstance(section, dict):
            section[key.leaf] = text if key.kind == "word" else _value(text)
    return merged


def _value(text: str) -> Any:
    """A number as options write it: ``366e9``, ``0.38..0.43`` for a band, ``180e9|300e9`` where it can be read in two ways."""
    if _BAND in text:
        low, _, high = text.partition(_BAND)
        return {"low": _one(low), "high": _one(high)}
    first, *others = text.split(_OR)
    return {"value": _one(first), "or": [_one(each) for each in others]} if others else _one(first)


def _one(text: str) -> Any:
    plain = text.strip().replace(",", "").replace("_", "")
    return Fraction(plain) if _NUMBER.match(plain) else text


def examine_claims(source: Source) -> Examined:
    """Read, compute and judge (raises like :func:`read_inputs`)."""
    inputs, subject = read_inputs(source)
    return Examined(examine(inputs, tool()), subject)


def statement_about(examined: Examined, model: str | None, progress: Progress) -> Statement:
    """The unsigned statement: about the model at ``model``, or about the file that states the inputs.

    Raises:
        UsageError: there is nothing that it could be about.
        VerifyError, SubjectError: the model cannot be hashed.
    """
    if model is not None:
        algorithm, digest, _ = model_digest(model, progress)
        name = printable(os.path.basename(os.path.normpath(model)))
        return Statement(ResourceDescriptor(name, {algorithm: digest}), examined.claims)
    if examined.subject is None:
        raise UsageError(
            "a statement is about a file or a model: put everything into one FILE without options beside it, or name --model PATH"
        )
    return Statement(examined.subject, examined.claims)
