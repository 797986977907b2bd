"""What was done, as frozen words: the derivation of each output file from its input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.disarm.checkpoint import Call
from openvet.disarm.tree import Left, Plain

__all__ = ["Copied", "FileReport", "Skipped", "TensorReport"]


@dataclass(frozen=True, slots=True)
class TensorReport:
    """One tensor that was written.

    Attributes:
        aliases: other names that the input has for the same elements; the output's metadata leads from them to ``name``.
        contiguous: whether its bytes lie in the input as they do in the output.
        place: where its storage is in the input.
        before, after: SHA-256 of its elements in row-major order, as gathered from the input and as read back.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    aliases: tuple[str, ...]
    nbytes: int
    contiguous: bool
    swapped: bool
    place: str
    before: str
    after: str

    def to_json(self) -> dict[str, Any]:
        return {
            "name": printable(self.name),
            "dtype": self.dtype,
            "shape": list(self.shape),
            "aliases": [printable(each) for each in self.aliases],
            "bytes": self.nbytes,
            "contiguous": self.contiguous,
            "byte_swapped": self.swapped,
            "source": self.place,
            "sha256_before": self.before,
            "sha256_after": self.after,
        }


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file that was rewritten.

    Attributes:
        source, target: names relative to what was named by the user.
        plain: values that safetensors cannot carry; ``saved`` says under which name they were written, if they were, and
            ``saved_digest`` the SHA-256 of that file.
        left: what is not in the output.
        notes: bookkeeping of the loader that no tensor depends on.
        calls: what loading the input would call besides what only builds tensors; none of it was called.
    """

    source: str
    source_digest: str
    source_size: int
    format: str
    target: str
    target_digest: str
    target_size: int
    tensors: tuple[TensorReport, ...]
    plain: tuple[Plain, ...] = ()
    saved: str | None = None
    left: tuple[Left, ...] = ()
    dropped: int = 0
    notes: tuple[Plain, ...] = ()
    calls: tuple[Call, ...] = ()
    saved_digest: str | None = None

    @property
    def whole(self) -> bool:
        """Whether everything in the file was carried over, and nothing was there to be called that might have changed it."""
        return not self.left and not self.dropped and not self.calls and (not self.plain or self.saved is not None)

    def to_json(self) -> dict[str, Any]:
        return {
            "source": {"name": printable(self.source), "digest": {"sha256": self.source_digest}, "size": self.source_size},
            "format": self.format,
            "target": {"name": printable(self.target), "digest": {"sha256": self.target_digest}, "size": self.target_size},
            "tensors": [each.to_json() for each in self.tensors],
            "plain": [{"name": each.name, "value": each.value} for each in self.plain],
            "plain_saved": None if self.saved is None else printable(self.saved),
            "left_out": [_left(each) for each in self.left],
            "left_out_more": self.dropped,
            "notes": [{"name": each.name, "value": each.value} for each in self.notes],
            "calls": [
                {"callable": each.qualified, "calls": each.calls, "place": each.place, "offset": each.offset,
                 "arguments": list(each.arguments)}
                for each in self.calls
            ],
        }  # fmt: skip


def _left(left: Left) -> dict[str, Any]:
    out: dict[str, Any] = {"kind": left.kind, "name": left.name, "what": left.what, "offset": left.offset}
    if left.callable is not None:
        out["callable"] = printable(".".join(filter(None, left.callable)))
    return out


@dataclass(frozen=True, slots=True)
class Copied:
    """A file that was copied as it is, or an index that was written anew."""

    name: str
    digest: str

    def to_json(self) -> dict[str, Any]:
        return {"name": printable(self.name), "digest": {"sha256": self.digest}}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file of the folder that is not in the output; ``lost`` where nothing that was asked for says so."""

    name: str
    why: str
    lost: bool

    def to_json(self) -> Mapping[str, Any]:
        return {"name": printable(self.name), "why": self.why}
