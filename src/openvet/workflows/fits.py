"""A profile held against devices: every model of a subject on every device that was named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.profile_v1 import ModelPart, ProfileV1
from openvet.profile.device import Device
from openvet.profile.fit import Fit, fit, room_on
from openvet.profile.needs import Workload, needs_of

__all__ = ["USUAL_CONTEXT", "PartFits", "fits_of", "together"]

#: Tokens of context where nobody says; a model that was made for fewer has its own.
USUAL_CONTEXT: Final = 4096


@dataclass(frozen=True, slots=True)
class PartFits:
    """One model of a subject; ``reasons`` say why it has no ``fits``."""

    part: ModelPart
    fits: tuple[Fit, ...]
    reasons: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "part": self.part.name,
            "fits": [each.to_json() for each in self.fits],
            "reasons": list(self.reasons),
        }


def fits_of(
    profile: ProfileV1, devices: Sequence[Device], context: int | None = None, batch: int = 1, cache_type: str = "f16"
) -> tuple[PartFits, ...]:
    """Every model on every device.

    Args:
        context: tokens of a sequence; ``None`` takes :data:`USUAL_CONTEXT`, or what the model was made for where that is less.
        batch: sequences at once.
        cache_type: one of :data:`openvet.profile.needs.CACHE_TYPES`.
    """
    out = []
    for part in profile.parts:
        needs = needs_of(part)
        if needs is None:
            out.append(PartFits(part, (), ("neither weights nor parameters are known: what it needs cannot be said",)))
            continue
        work = Workload(context or min(USUAL_CONTEXT, needs.context or USUAL_CONTEXT), batch, cache_type)
        out.append(PartFits(part, tuple(fit(needs, device, work) for device in devices)))
    return tuple(out)


def together(found: Sequence[PartFits], devices: Sequence[Device]) -> list[tuple[Device, int, str]]:
    """Every model of a subject at once: for each device the bytes to serve, and whether they fit. Empty where there are not several.

    A pipeline is the whole of its parts, which are there too, and counts only once.
    """
    several = [each for each in found if each.fits and not _is_whole(each.part)]
    if len(several) < 2:
        return []
    out = []
    for at, device in enumerate(devices):
        need = sum(each.fits[at].serve_bytes for each in several)
        out.append((device, need, room_on(device, need)[2]))
    return out


def _is_whole(part: ModelPart) -> bool:
    kind = part.fact("kind")
    return kind is not None and kind.value == "pipeline"
