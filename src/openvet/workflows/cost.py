"""``openvet cost``: inputs from options and a file, a model or its number of parameters, a device; computed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import ConfigError, UsageError
from openvet.evidence.predicates import NAMES
from openvet.evidence.predicates.profile_v1 import ProfileV1
from openvet.profile.cost import Cost, compute_cost
from openvet.profile.cost_inputs import KEYS, take_cost_inputs
from openvet.profile.device import Device
from openvet.profile.needs import Needs, needs_of
from openvet.workflows.answer import Answer
from openvet.workflows.devices import find_devices
from openvet.workflows.knowledge import tool
from openvet.workflows.model_files import read_small
from openvet.workflows.stated_file import StatedReader
from openvet.workflows.toml_lines import Path
from openvet.workflows.toml_reader import LARGEST

__all__ = ["COST_TYPE", "Asked", "Costed", "compute", "one_model"]

COST_TYPE: Final = f"{NAMES}/cost-report/v1"
_NUMBER: Final = pattern(r"[0-9]{1,60}(\.[0-9]{0,60})?([eE][-+]?[0-9]{1,3})?\Z")
_PLAIN_BITS: Final = 16


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user states.

    Attributes:
        settings: key -> the option's name and its text; they count above the file.
        inputs: a file with the same keys, or ''.
        device: as named, or ''.
        batch, cache_type: see :class:`~openvet.profile.needs.Workload`.
    """

    settings: Mapping[str, tuple[str, str]]
    inputs: str = ""
    device: str = ""
    batch: int = 1
    cache_type: str = "f16"


@dataclass(frozen=True, slots=True)
class Costed:
    """What came out, about which model (printable, or ``None``) on which device."""

    cost: Cost
    model: str | None
    device: Device | None

    def to_json(self) -> dict[str, Any]:
        return {
            "type": COST_TYPE,
            "tool": tool().to_json(),
            "model": self.model,
            "device": None if self.device is None else self.device.label,
            **self.cost.to_json(),
        }


def one_model(answer: Answer) -> tuple[str, Needs]:
    """The one model of a subject that makes tokens: its name and what it needs.

    Raises:
        UsageError: there is none, or more than one.
    """
    parts = answer.predicate.parts if isinstance(answer.predicate, ProfileV1) else ()
    able = [(part.name, needs) for part in parts if (needs := needs_of(part)) is not None and needs.decodes]
    if len(able) != 1:
        names = ", ".join(name or "the subject itself" for name, _ in able)
        why = f"has several models that make tokens ({names}); name one" if able else "no model in it is known to make tokens"  # fmt: skip
        raise UsageError(f"{answer.path}: {why}, or state --parameters or --tokens-per-second in its place")
    name, needs = able[0]
    return "/".join(each for each in (answer.path, name) if each), needs


def compute(asked: Asked, model: tuple[str, Needs] | None) -> Costed:
    """Everything that follows from what is stated.

    Raises:
        UsageError: inputs do not go together.
        ConfigError: a problem with its place: the option, or the line of the file.
        OSError, SubjectError: a file cannot be read.
    """
    path = asked.inputs
    reader = StatedReader(
        read_small(path, LARGEST) if path else b"",
        printable(path) or "the options",
        os.path.splitext(path)[1].lower(),
        f"keys such as {', '.join(list(KEYS)[:3])}",
    )
    document: dict[str, Any] = {
        **reader.document(),
        **{name: _value(text) for name, (_, text) in asked.settings.items()},
    }
    problems: list[str] = []

    def problem(at: Path, text: str) -> None:
        option = asked.settings.get(str(at[0])) if at else None
        if option is not None:
            problems.append(f"{option[0]}: {text}")
        elif path:
            reader.problem(at, text)
        else:
            problems.append(text)

    stated = take_cost_inputs(document, problem)
    if "parameters" in document and model is not None:
        problem(("parameters",), "parameters stand in the place of a MODEL; name one of the two")
    if problems:
        raise ConfigError(*problems)
    reader.finish()
    devices = find_devices([asked.device]) if asked.device else []
    if len(devices) > 1:
        names = ", ".join(each.id for each in devices)
        raise UsageError(f"--device: the file describes several devices ({names}); keep the one that is priced")
    needs = None if model is None else model[1]
    if "parameters" in stated:
        needs = _plain(stated["parameters"].low, stated["bits"].low if "bits" in stated else Fraction(_PLAIN_BITS))
    if devices and needs is None and "tokens_per_second" not in stated:
        raise UsageError(
            "--device: what runs on it is not known; name a MODEL, or state --parameters or --tokens-per-second"
        )
    if not devices and needs is not None and "tokens_per_second" not in stated:
        named = "--parameters" if model is None else "MODEL"
        raise UsageError(
            f"{named}: what it runs on is not stated, and nothing would follow from it; name a --device, or state --tokens-per-second"
        )
    device = devices[0] if devices else None
    cost = compute_cost(stated, needs, device, asked.batch, asked.cache_type)
    return Costed(cost, None if model is None else model[0], device)


def _value(text: str) -> Any:
    """A number as options write it, or ``0.2..0.5`` for a band."""
    if ".." in text:
        low, _, high = text.partition("..")
        return {"low": _one(low), "high": _one(high)}
    return _one(text)


def _one(text: str) -> Any:
    plain = text.strip().replace(",", "").replace("_", "")
    return Fraction(plain) if _NUMBER.match(plain) else text


def _plain(parameters: Fraction, bits: Fraction) -> Needs:
    """A model of which only the number of parameters is known."""
    count = int(parameters)
    size = int(-(-count * bits // 8))
    dtype = {Fraction(32): "F32", Fraction(16): "BF16"}.get(bits, "")
    text = "only parameters are stated: no cache is counted, and memory is that of these parameters alone"
    return Needs(size, "assumed", bits, dtype, count, count, 0, (), None, decodes=True, assumptions=(text,))
