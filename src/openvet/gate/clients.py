"""Which programs load models here: what clients of a hub say in ``User-Agent``, and what advisories say of these versions.

::

    transformers/5.5.0; python/3.11.7; session_id/1f..; torch/2.5.1; file_type/config; hf_hub/2.4.0

A client says what it likes: this is an inventory, and no evidence. Source: ``huggingface_hub.utils.build_hf_headers``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from openvet.advisories.match import match
from openvet.advisories.snapshot import bundled
from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.evidence.predicates.advisories_v1 import NamedPackage

__all__ = ["PACKAGES", "Affected", "Client", "advisories_for", "clients_among", "packages_in"]

#: What clients call themselves -> the package of PyPI.
PACKAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "hf_hub": "huggingface-hub", "transformers": "transformers", "torch": "torch", "tensorflow": "tensorflow", "tf": "tensorflow",
        "jax": "jax", "flax": "flax", "onnxruntime": "onnxruntime", "diffusers": "diffusers", "datasets": "datasets", "vllm": "vllm",
        "sentence-transformers": "sentence-transformers", "sentence_transformers": "sentence-transformers", "keras": "keras", "peft": "peft",
        "fastai": "fastai", "timm": "timm", "accelerate": "accelerate",
    }
)  # fmt: skip
_PART: Final = pattern(r"([A-Za-z][A-Za-z0-9_-]{0,40})/([0-9][0-9A-Za-z.+!-]{0,40})")
_MOST: Final = 32


@dataclass(frozen=True, slots=True)
class Affected:
    """An advisory about a version: its id and severity as published, and the first versions without the problem."""

    id: str
    severity: str
    summary: str
    fixed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Client:
    """A version of a program that models were pulled with.

    Attributes:
        package, version: which, as PyPI names it.
        files: that were pulled with it.
        people: who pulled with it, by number; those whom nobody knows are not counted.
        last: when it was seen last, in milliseconds UTC.
        advisories: about this version, the worst first.
    """

    package: str
    version: str
    files: int
    people: int
    last: int
    advisories: tuple[Affected, ...]


@lru_cache(maxsize=4096)
def packages_in(agent: str) -> tuple[tuple[str, str], ...]:
    """The packages and versions that a ``User-Agent`` names, in its order; what is no package of ours to know is left out."""
    found: dict[str, str] = {}
    for part in agent[:1000].split(";")[:_MOST]:
        said = _PART.fullmatch(part.strip())
        if said is not None and said[1].lower() in PACKAGES:
            found.setdefault(PACKAGES[said[1].lower()], said[2])
    return tuple(found.items())


@lru_cache(maxsize=4096)
def advisories_for(package: str, version: str) -> tuple[Affected, ...]:
    """The advisories that ship with OpenVet about a version of a package of PyPI, the worst first."""
    named = NamedPackage("PyPI", package, f"=={version.partition('+')[0]}", Location(""), "user")
    hits, _ = match(bundled((package,)).records, (), (named,))
    return tuple(
        Affected(each.id, each.severity, each.summary, each.fixed) for each in hits if each.status == "affected"
    )


def clients_among(agents: Iterable[tuple[str, int | None, int, int]]) -> list[Client]:
    """The versions among what clients said (words, person, files, last time), those with advisories first, then by name and version."""
    files: dict[tuple[str, str], int] = {}
    people: dict[tuple[str, str], set[int]] = {}
    last: dict[tuple[str, str], int] = {}
    for agent, person, count, at in agents:
        for each in packages_in(agent):
            files[each] = files.get(each, 0) + count
            people.setdefault(each, set()).update(() if person is None else (person,))
            last[each] = max(last.get(each, 0), at)
    found = [Client(*each, files[each], len(people[each]), last[each], advisories_for(*each)) for each in files]
    return sorted(found, key=lambda each: (not each.advisories, each.package, each.version))
