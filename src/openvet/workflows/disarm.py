"""disarm: check a model, rewrite what of it is data to safetensors, and say what was left out."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from openvet.core.coverage import Coverage
from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.progress import Progress
from openvet.core.rule import Severity
from openvet.core.snapshot import Entry, EntryKind
from openvet.core.text import printable
from openvet.disarm.checkpoint import KINDS, kind_of, must_begin_as_one
from openvet.disarm.report import Copied, FileReport, Skipped
from openvet.disarm.rewrite import DisarmOptions, NothingError, RefusedError, rewrite
from openvet.disarm.writing import NewFile, WriteError, copy_file
from openvet.errors import ReadError, SubjectError
from openvet.origins.local import LocalOrigin
from openvet.policy.decision import Verdict
from openvet.workflows.check import Options, check_each

if TYPE_CHECKING:
    from openvet.evidence.predicates.scan_v1 import FileScan
    from openvet.reports.report import ModelReport

__all__ = ["DISARM_TYPE", "DisarmOptions", "DisarmReport", "Outcome", "RefusedError", "WriteError", "disarm"]

DISARM_TYPE: Final = "https://openvet/disarm/v1"
_ENDING: Final = pattern(r"(\.(bin|pt|pth|pt2|ckpt|pkl|pickle|p|joblib|npy|npz|jit|model|dat|data|sav|gz|z|bz2|xz|lzma))\Z", re.IGNORECASE)  # fmt: skip
_LONGEST_ENDING: Final = len(".joblib")
_SHARD: Final = pattern(r"(.*)-(\d{5})-of-(\d{5})\.safetensors")
_INDEX: Final = ".index.json"
_INDEX_HELD: Final = 64 * 1024 * 1024


class Outcome(StrEnum):
    """What became of the model: all of it, a part of it, or all that was no danger."""

    WHOLE = "whole"
    PARTIAL = "partial"
    DANGEROUS = "dangerous"


@dataclass(frozen=True, slots=True)
class DisarmReport:
    """What was done to one model.

    Attributes:
        source, target: what the user named, printable.
        checked: the check of the input: its findings say what would have run.
        files: what was rewritten, file by file.
        copied, indexes, skipped: what else is in the output folder, and what is not.
        options: what was asked for.
    """

    source: str
    target: str
    checked: ModelReport
    files: tuple[FileReport, ...]
    copied: tuple[Copied, ...]
    indexes: tuple[Copied, ...]
    skipped: tuple[Skipped, ...]
    options: DisarmOptions

    @property
    def outcome(self) -> Outcome:
        if self.checked.decision.verdict is Verdict.REJECT:
            return Outcome.DANGEROUS
        lost = any(each.lost for each in self.skipped)
        return Outcome.PARTIAL if lost or not all(each.whole for each in self.files) else Outcome.WHOLE

    def to_json(self) -> dict[str, Any]:
        from openvet.workflows.knowledge import tool

        scan = self.checked.scan
        findings = [*scan.findings, *(each for file in scan.files for each in file.findings)]
        return {
            "type": DISARM_TYPE,
            "tool": tool().to_json(),
            "source": self.source,
            "target": self.target,
            "options": {
                "drop_the_rest": self.options.drop_the_rest,
                "save_rest": self.options.save_rest,
                "copy_others": self.options.copy_others,
            },
            "outcome": str(self.outcome),
            "decision": self.checked.decision.to_json(),
            "findings": [each.to_json() for each in sorted(findings, key=lambda each: each.sort_key())],
            "files": [each.to_json() for each in self.files],
            "copied": [each.to_json() for each in self.copied],
            "indexes": [each.to_json() for each in self.indexes],
            "skipped": [each.to_json() for each in self.skipped],
        }


def disarm(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    options: DisarmOptions | None = None,
    progress: Progress | None = None,
) -> DisarmReport:
    """Rewrite a checkpoint, or every one in a folder, to safetensors, without executing anything of it.

    Args:
        source: a file or a folder.
        target: the file or the folder to make: it is there whole or not at all.

    Raises:
        SubjectError: the source does not exist or may not be opened.
        RefusedError: something cannot be carried over; nothing was written.
        WriteError: the target cannot be written.
    """
    return _Run(os.fspath(source), os.fspath(target), options or DisarmOptions(), progress or Progress()).run()


def _dangerous(module: str, name: str) -> bool:
    from openvet.checks.pickle._callables import Kind, classify

    return classify(module, name).kind is Kind.DANGEROUS


class _Run:
    def __init__(self, source: str, target: str, options: DisarmOptions, progress: Progress) -> None:
        self.source = source
        self.target = os.path.realpath(target)
        self.shown = printable(target)
        self.options = options
        self.progress = progress
        self.files: list[FileReport] = []
        self.copied: list[Copied] = []
        self.indexes: list[Copied] = []
        self.skipped: list[Skipped] = []

    def run(self) -> DisarmReport:
        origin = LocalOrigin(self.source, limits=self.options.limits)
        try:
            self._may_write(single=origin.snapshot.single)
            # a check is long, and there is no need of one where nothing can be rewritten
            if origin.snapshot.single:
                self._must_be_one(origin)
                checked = self._check()
                self._single(origin)
            else:
                found, others = self._sorted_out(origin)
                checked = self._check()
                self._folder(origin, found, others, {file.path: file for file in checked.scan.files})
        finally:
            origin.close()
        return DisarmReport(
            printable(self.source),
            self.shown,
            checked,
            tuple(self.files),
            tuple(self.copied),
            tuple(self.indexes),
            tuple(self.skipped),
            self.options,
        )

    def _check(self) -> ModelReport:
        # each file is hashed while it is rewritten, so that the check need not do it
        options = Options(limits=self.options.limits, with_inventory=False, algorithms=())
        return next(check_each([self.source], options, self.progress))

    def _may_write(self, *, single: bool) -> None:
        """Say before the long work that the output cannot go there."""
        real = os.path.realpath(self.source)
        inside = self.target.startswith(real.rstrip(os.sep) + os.sep)
        if self.target == real or inside:
            raise WriteError(f"cannot write {self.shown}: it is part of what is disarmed; choose another place")
        if not os.path.isdir(os.path.dirname(self.target)):
            raise WriteError(f"cannot write {self.shown}: its folder does not exist; make it first")
        there = os.path.lexists(self.target)
        if single and os.path.isdir(self.target):
            raise WriteError(f"cannot write {self.shown}: it is a folder; name a file")
        if not single and there and not os.path.isdir(self.target):
            raise WriteError(f"cannot write {self.shown}: it is a file, and a folder is disarmed; name a folder")
        if single and there and not os.path.isfile(self.target):
            raise WriteError(f"cannot write {self.shown}: it is no regular file")
        rest = f"{self.target}.rest.json"
        if single and self.options.save_rest and os.path.lexists(rest) and not self.options.force:
            raise WriteError(f"{printable(rest)} exists; --force replaces it")
        if there and not self.options.force and (single or os.listdir(self.target)):
            raise WriteError(f"{self.shown} exists; --force replaces it")

    def _must_be_one(self, origin: LocalOrigin) -> None:
        entry = origin.snapshot.entries[0]
        try:
            with origin.open(entry) as source:
                must_begin_as_one(source, entry.name)
        except ReadError as error:
            raise RefusedError(f"{entry.place}: refused: {error}") from error

    def _single(self, origin: LocalOrigin) -> None:
        entry = origin.snapshot.entries[0]
        self.files.append(self._rewrite(origin, entry, self.target, self.shown, self.options))

    def _rewrite(self, origin: LocalOrigin, entry: Entry, path: str, shown: str, options: DisarmOptions) -> FileReport:
        try:
            source = origin.open(entry)
        except ReadError as error:
            raise RefusedError(f"{entry.place}: refused: {error}") from error
        with source:
            return rewrite(source, entry.name, entry.place, path, shown, options, self.progress, _dangerous)

    # a folder

    def _sorted_out(self, origin: LocalOrigin) -> tuple[list[Entry], list[Entry]]:
        """The checkpoints of a folder, and its other files."""
        if origin.snapshot.cut:
            raise SubjectError(f"{printable(self.source)}: {origin.snapshot.cut}")
        others: list[Entry] = []
        found: list[Entry] = []
        for entry in origin.snapshot.entries:
            if entry.kind is not EntryKind.FILE:
                if entry.kind is not EntryKind.FOLDER_LINK:
                    self.skipped.append(Skipped(entry.name, entry.detail or str(entry.kind), lost=True))
                continue
            (found if self._is_checkpoint(origin, entry) else others).append(entry)
        if not found:
            raise self._nothing()
        return found, others

    def _nothing(self) -> RefusedError:
        return RefusedError(f"{printable(self.source)}: refused: no file in it holds tensors that can be rewritten")

    def _folder(
        self, origin: LocalOrigin, found: list[Entry], others: list[Entry], scans: Mapping[str, FileScan]
    ) -> None:
        parent, name = os.path.split(self.target)
        try:
            folder = tempfile.mkdtemp(prefix=f".{name[:100]}.", suffix=".part", dir=parent)
        except OSError as error:
            raise WriteError(f"cannot write {self.shown}: {error.strerror}") from error
        try:
            self._checkpoints(origin, folder, found, {each.name for each in others})
            if not self.files:
                raise self._nothing()
            self._write_indexes(folder, origin, others)
            for entry in others:
                self._other(origin, entry, folder, scans.get(entry.place))
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(folder, 0o777 & ~umask)
            self._put(folder)
        except OSError as error:
            raise WriteError(f"cannot write {self.shown}: {error.strerror or error}") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _checkpoints(self, origin: LocalOrigin, folder: str, found: list[Entry], others: set[str]) -> None:
        """Rewrite every checkpoint, under a name that none of ``others`` has."""
        inside = replace(self.options, force=False)
        for entry, name in _named(found, others if self.options.copy_others else set()):
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            try:
                self.files.append(self._rewrite(origin, entry, path, name, inside))
            except NothingError as error:
                self.skipped.append(
                    Skipped(entry.name, str(error).removeprefix(f"{entry.place}: refused: "), lost=True)
                )

    def _is_checkpoint(self, origin: LocalOrigin, entry: Entry) -> bool:
        try:
            with origin.open(entry) as source:
                kind = kind_of(source, entry.name)
                return kind in KINDS or (kind in ("gzip", "zlib", "bzip2", "xz") and ".joblib" in entry.name)  # fmt: skip
        except ReadError as error:
            raise RefusedError(f"{entry.place}: refused: {error}") from error

    def _write_indexes(self, folder: str, origin: LocalOrigin, others: list[Entry]) -> None:
        """The index of each group of shards; the index that the group had is replaced by it."""
        groups: dict[tuple[str, str], list[FileReport]] = {}
        for file in self.files:
            match = _SHARD.fullmatch(file.target)
            if match:
                groups.setdefault((match[1], match[3]), []).append(file)
        for (prefix, count), files in groups.items():
            if len(files) != int(count) and not self.options.drop_the_rest:
                raise RefusedError(f"{printable(prefix)}: refused: {len(files)} of {int(count)} shards are there")
            weights: dict[str, str] = {}
            for file in files:
                for each in file.tensors:
                    if weights.setdefault(each.name, os.path.basename(file.target)) != os.path.basename(file.target):
                        raise RefusedError(f"{printable(prefix)}: refused: {printable(each.name)} is in two shards")
            aliases = {alias for file in files for each in file.tensors for alias in each.aliases}
            self._compare(origin, others, prefix, {*weights, *aliases})
            size = sum(each.nbytes for file in files for each in file.tensors)
            value = {"metadata": {"total_size": size}, "weight_map": dict(sorted(weights.items()))}
            name = f"{prefix}.safetensors{_INDEX}"
            self._write_text(folder, name, json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def _write_text(self, folder: str, name: str, text: str) -> None:
        import hashlib

        data = text.encode()
        with NewFile(os.path.join(folder, name), replace=False) as file:
            file.write(data)
            file.commit()
        self.indexes.append(Copied(name, hashlib.sha256(data).hexdigest()))

    def _compare(self, origin: LocalOrigin, others: list[Entry], prefix: str, names: set[str]) -> None:
        """Hold the tensors that were found against the index that the input has."""
        for entry in list(others):
            given = entry.name.removesuffix(_INDEX)
            if given == entry.name or _renamed(_stem(given)) != prefix:
                continue
            others.remove(entry)
            self.skipped.append(Skipped(entry.name, f"replaced by {printable(prefix)}.safetensors{_INDEX}", lost=False))
            with origin.open(entry) as source:
                try:
                    listed = set(json.loads(source.upto(0, _INDEX_HELD))["weight_map"])
                except (ValueError, KeyError, TypeError, RecursionError):
                    continue
            missing = sorted(listed - names)
            if missing and not self.options.drop_the_rest:
                raise RefusedError(
                    f"{entry.place}: refused: it lists {len(missing)} tensors that no shard has, such as "
                    f"{printable(str(missing[0]))}"
                )

    def _other(self, origin: LocalOrigin, entry: Entry, folder: str, scan: FileScan | None) -> None:
        """Copy a file that is no checkpoint where that was asked for and it is safe."""
        if not self.options.copy_others:
            self.skipped.append(
                Skipped(entry.name, "not a checkpoint; --copy-others copies those that are safe", lost=False)
            )
            return
        if (
            scan is None
            or scan.coverage not in (Coverage.READ, Coverage.INERT)
            or any(each.severity > Severity.NOTE for each in scan.findings)
        ):
            self.skipped.append(
                Skipped(entry.name, "not copied: something was found in it, or not all of it was read", lost=True)
            )
            return
        path = os.path.join(folder, entry.name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with origin.open(entry) as source, NewFile(path, replace=False) as file:
            self.copied.append(Copied(entry.name, copy_file(source, file)))
            file.commit()

    def _put(self, folder: str) -> None:
        """Put the complete folder in its place; into one that is there, file by file."""
        if not os.path.isdir(self.target) or not os.listdir(self.target):
            os.rename(folder, self.target)
            return
        for root, _, names in os.walk(folder):
            there = os.path.join(self.target, os.path.relpath(root, folder))
            os.makedirs(there, exist_ok=True)
            for name in names:
                os.replace(os.path.join(root, name), os.path.join(there, name))


def _stem(name: str) -> str:
    """The name without the endings that checkpoints have, all of them."""
    while ending := _ENDING.search(name[-_LONGEST_ENDING:]):
        name = name[: len(name) - len(ending[0])]
    return name


def _renamed(name: str) -> str:
    """The hub's names: ``pytorch_model`` is ``model`` where it is safetensors."""
    folder, _, base = name.rpartition("/")
    base = re.sub(r"^pytorch_model", "model", base)
    return f"{folder}/{base}" if folder else base


def _named(entries: list[Entry], taken: set[str]) -> Iterator[tuple[Entry, str]]:
    """The name that each output gets; the whole old name is kept where two would have one."""
    short = [f"{_renamed(_stem(entry.name) or entry.name)}.safetensors" for entry in entries]
    times = Counter(short)
    for entry, name in zip(entries, short, strict=True):
        yield entry, name if times[name] == 1 and name not in taken else f"{entry.name}.safetensors"
