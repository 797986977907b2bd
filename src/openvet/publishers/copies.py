"""The same tensors under another name: which models that are known hold tensors with the bytes of this one's.

What many models have in common is no evidence: tensors whose bytes are all one number (zeros, ones), small ones, and tables that an
architecture computes (rotary frequencies, masks, positions). They are left out of the count, on both sides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.evidence.predicates.origin_v1 import Copy, Remark

__all__ = ["Held", "compare_held", "counting", "remarks_on"]

#: Bytes below which a tensor is no evidence.
SMALL: Final = 4096
#: Tables that an architecture computes, by how tensors that hold them are called in public libraries.
_BUFFERS: Final = pattern(r"(?:^|\.)(?:inv_freq|position_ids|position_bias_table|relative_position_index|masked_bias|attn\.bias|attention\.bias|causal_mask|attn_mask|"
                          r"cos_cached|sin_cached|rope_freqs\.weight|rope_factors_(?:long|short)\.weight|token_type_ids|mel_filters|num_batches_tracked)$", re.ASCII)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """One tensor: its name, the SHA-256 of its data in hex, its bytes, and whether all of its numbers are the same."""

    name: str
    sha256: str
    nbytes: int
    constant: bool = False


def counting(tensors: Iterable[Held]) -> list[Held]:
    """Those that are evidence."""
    return [each for each in tensors if each.nbytes >= SMALL and not each.constant and not _BUFFERS.search(each.name)]


def compare_held(
    mine: Sequence[Held], others: Sequence[Held], of: str, *, same_name: bool, says_so: bool
) -> Copy | None:
    """How much of ``mine`` is in ``others``, both already without what does not count; ``None`` for nothing."""
    there = Counter(each.sha256 for each in others)
    equal = [each for each in mine if there[each.sha256]]
    if not equal:
        return None
    return Copy(
        of,
        "measured",
        len(equal),
        len(mine),
        sum(each.nbytes for each in equal),
        sum(each.nbytes for each in mine),
        same_name,
        says_so,
    )


def remarks_on(copies: Iterable[Copy]) -> Iterable[Remark]:
    """Copies whose tensors are all in another model, and that are called otherwise and do not say so."""
    for each in copies:
        if each.whole and not each.same_name and not each.says_so:
            shown = shorten(printable(each.of), 120)
            what = "every tensor that counts is" if each.basis == "measured" else "every file with weights is"
            said = (
                f"{what} in {shown} too, bit for bit,"
                if not each.sketched
                else f"every matrix has the values of the fingerprint of {shown},"
            )
            yield Remark("copy-under-another-name", f"{said} and nothing says that it was made of it", each.basis, False, Location(""), {"of": shown, "equal": each.equal, "bytes": each.equal_bytes})  # fmt: skip
