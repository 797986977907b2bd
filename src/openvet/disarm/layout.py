"""What the safetensors file will look like: names, aliases, order, header; and whether it may be written at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.limits import Limits
from openvet.core.text import printable, shorten
from openvet.disarm.tree import Named
from openvet.disarm.view import View
from openvet.errors import LimitError, MalformedError

__all__ = ["Layout", "Placed", "lay_out"]

_HEADER: Final = 100_000_000
_ALIGNED: Final = 8
#: The reference implementation puts wide types first, so that every tensor is aligned.
_ORDER: Final = (
    "BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I16", "U16", "F16", "BF16", "I32",
    "U32", "F32", "F64", "I64", "U64",
)  # fmt: skip
_RANK: Final = {word: rank for rank, word in enumerate(_ORDER)}


@dataclass(frozen=True, slots=True)
class Placed:
    """A tensor in the output: the first name that it has, the other names, and where its bytes go."""

    name: str
    aliases: tuple[str, ...]
    view: View
    begin: int

    @property
    def end(self) -> int:
        return self.begin + self.view.nbytes


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole file: its header as bytes, and the tensors in the order in which they follow."""

    header: bytes
    tensors: tuple[Placed, ...]

    @property
    def size(self) -> int:
        return len(self.header) + (self.tensors[-1].end if self.tensors else 0)


def lay_out(tensors: Sequence[Named], limits: Limits, present: int) -> Layout:
    """Where each tensor goes. ``present`` is the size of the input, which an output may exceed only so far.

    Raises:
        MalformedError: two tensors have one name, or a name cannot be written.
        LimitError: the output would be too large.
    """
    names: set[str] = set()
    first: dict[tuple[object, ...], tuple[str, View, list[str]]] = {}
    for each in tensors:
        name = each.name or "tensor"
        _check_name(name, names)
        names.add(name)
        known = first.setdefault(each.view.key(), (name, each.view, []))
        if known[0] != name:
            known[2].append(name)
    ordered = sorted(first.values(), key=lambda entry: (-_RANK[entry[1].dtype], entry[0].encode()))
    placed: list[Placed] = []
    at = 0
    for name, view, aliases in ordered:
        placed.append(Placed(name, tuple(aliases), view, at))
        at += view.nbytes
    if at > present + limits.decoded_bytes:
        raise LimitError("decoded_bytes", limits.decoded_bytes, f"its tensors overlap and would take {at} bytes")
    return Layout(_header(placed), tuple(placed))


def _check_name(name: str, names: set[str]) -> None:
    shown = shorten(printable(name), 200)
    if name in names:
        raise MalformedError(f"two tensors have the name {shown} when keys are joined with dots")
    if name in ("__metadata__", "format"):  # the second is a key of the metadata, where an alias would be
        raise MalformedError(f"a tensor has the name {shown}, which means something else in safetensors")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise MalformedError(f"the name {shown} is not Unicode") from None


def _header(placed: Sequence[Placed]) -> bytes:
    """Eight bytes of length and the JSON, padded so that data begins aligned."""
    # other names of a tensor are written as safetensors.torch.save_model writes them: name -> name that is there
    entries: dict[str, object] = {
        "__metadata__": {"format": "pt", **{alias: each.name for each in placed for alias in each.aliases}}
    }
    for each in placed:
        entries[each.name] = {
            "dtype": each.view.dtype,
            "shape": list(each.view.shape),
            "data_offsets": [each.begin, each.end],
        }
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNED)
    if len(text) > _HEADER:
        raise LimitError("header", _HEADER, "the header would be longer than safetensors allows")
    return len(text).to_bytes(8, "little") + text
