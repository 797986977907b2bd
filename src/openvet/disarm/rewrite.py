"""One file in, one safetensors file out; or a refusal that names every reason."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.limits import DEFAULT_LIMITS, Budget, Limits
from openvet.core.progress import Progress
from openvet.core.text import printable, shorten
from openvet.disarm.checkpoint import Checkpoint, open_checkpoint
from openvet.disarm.layout import Layout, lay_out
from openvet.disarm.report import FileReport, TensorReport
from openvet.disarm.tree import Left
from openvet.disarm.writing import NewFile, write_tensors
from openvet.errors import OpenVetError, ReadError
from openvet.io.source import FileSource

__all__ = ["DisarmOptions", "NothingError", "RefusedError", "rewrite"]

_REASONS: Final = 8


class RefusedError(OpenVetError):
    """The file was not rewritten, and why. Nothing was written."""


class NothingError(RefusedError):
    """The file was read, and holds no tensor."""


def _nothing(_module: str, _name: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class DisarmOptions:
    """How to disarm.

    Attributes:
        drop_the_rest: leave out what safetensors cannot carry, and say so, instead of refusing.
        save_rest: write plain values to a JSON file beside the output.
        copy_others: copy files of a folder that hold nothing to run and were read to their last byte.
        force: replace what is there.
        limits: what one file may cost.
    """

    drop_the_rest: bool = False
    save_rest: bool = False
    copy_others: bool = False
    force: bool = False
    limits: Limits = DEFAULT_LIMITS


def rewrite(
    source: FileSource,
    name: str,
    place: str,
    target: str,
    shown_target: str,
    options: DisarmOptions,
    progress: Progress,
    dangerous: Callable[[str, str], bool] = _nothing,
) -> FileReport:
    """Rewrite one file.

    Args:
        source: the file.
        name, place: its raw name, a hint, and its printable place.
        target, shown_target: the path to write to, and its name in the report.
        dangerous: whether what a callable would give may be left out without being asked: nobody wants it.

    Raises:
        RefusedError: something cannot be carried over, and it was not asked to leave it out; or the file cannot be read.
        WriteError: the output cannot be written.
    """
    try:
        with open_checkpoint(source, name, place, Budget(options.limits)) as checkpoint, ExitStack() as stack:
            layout = _plan(checkpoint, options, source.size, dangerous)
            progress.bytes_total += layout.size - len(layout.header)
            file = stack.enter_context(NewFile(target, replace=options.force))
            rest = saved = None
            if options.save_rest and checkpoint.tree.plain:
                rest = stack.enter_context(NewFile(f"{target}.rest.json", replace=options.force))
                data = _rest(checkpoint)
                saved = hashlib.sha256(data).hexdigest()
                rest.write(data)
            written = write_tensors(source, layout, file, progress)
            report = _report(checkpoint, layout, source.size, shown_target, saved)(
                written.source, written.target, written.before, written.after
            )
            if rest is not None:
                rest.commit()
            try:
                file.commit()
            except BaseException:
                if rest is not None:  # both or none
                    os.unlink(rest.path)
                raise
            return report
    except ReadError as error:
        raise RefusedError(f"{place}: refused: {error}") from error


def _plan(checkpoint: Checkpoint, options: DisarmOptions, size: int, dangerous: Callable[[str, str], bool]) -> Layout:
    tree = checkpoint.tree
    if not tree.tensors and not any(each.kind == "tensor" for each in tree.left):
        raise NothingError(f"{checkpoint.place}: refused: it holds no tensor")
    reasons = []
    if not options.drop_the_rest:
        reasons = [_why(each) for each in tree.left if not (each.callable and dangerous(*each.callable))]
        if tree.plain and not options.save_rest:
            names = ", ".join(shorten(each.name or "the whole", 60) for each in tree.plain[:3])
            reasons.append(f"{_count(len(tree.plain))} ({names}{', …' if tree.plain[3:] else ''})")
        if tree.dropped:
            reasons.append(f"{tree.dropped} more")
    if reasons:
        shown = "; ".join(reasons[:_REASONS]) + (f"; and {len(reasons) - _REASONS} more" if reasons[_REASONS:] else "")
        only_plain = len(reasons) == 1 and tree.plain and not options.save_rest
        remedy = "--save-rest writes them to a JSON file, --drop-the-rest leaves them out" if only_plain else "--drop-the-rest leaves out what cannot be carried"  # fmt: skip
        raise RefusedError(f"{checkpoint.place}: refused: {shown}. {remedy}")
    if not tree.tensors:
        why = "; ".join(_why(each) for each in tree.left if each.kind == "tensor")
        raise RefusedError(
            f"{checkpoint.place}: refused: it holds no tensor that can be carried over: {shorten(why, 1000)}"
        )
    return lay_out(tree.tensors, options.limits, size)


def _count(plain: int) -> str:
    return "1 plain value is no tensor" if plain == 1 else f"{plain} plain values are no tensors"


def _why(left: Left) -> str:
    where = f"{shorten(left.name, 100)}: " if left.name else ""
    return f"{where}{left.what}"


def _rest(checkpoint: Checkpoint) -> bytes:
    values = [{"name": each.name, "value": each.value} for each in checkpoint.tree.plain]
    value = {"type": "https://openvet/rest/v1", "values": values}
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace") + b"\n"


def _report(
    checkpoint: Checkpoint, layout: Layout, size: int, target: str, saved: str | None
) -> Callable[[str, str, tuple[str, ...], tuple[str, ...]], FileReport]:
    tree = checkpoint.tree

    def make(source_digest: str, target_digest: str, before: tuple[str, ...], after: tuple[str, ...]) -> FileReport:
        return FileReport(
            source=checkpoint.place,
            source_digest=source_digest,
            source_size=size,
            format=checkpoint.kind,
            target=target,
            target_digest=target_digest,
            target_size=layout.size,
            tensors=tuple(
                TensorReport(
                    name=each.name,
                    dtype=each.view.dtype,
                    shape=each.view.shape,
                    aliases=each.aliases,
                    nbytes=each.view.nbytes,
                    contiguous=each.view.contiguous,
                    swapped=each.view.storage.swapped and each.view.width > 1,
                    place=printable(each.view.storage.place),
                    before=before[at],
                    after=after[at],
                )
                for at, each in enumerate(layout.tensors)
            ),
            plain=tuple(tree.plain),
            saved=f"{target}.rest.json" if saved else None,
            saved_digest=saved,
            left=tuple(tree.left),
            dropped=tree.dropped,
            notes=tuple(tree.notes),
            calls=tuple(checkpoint.calls),
        )

    return make
