"""Lists of revocations in files: verified, held against the one that was seen last, and what they say of what lies in caches."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import SubjectError, UsageError, VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.keys import PublicKey
from openvet.evidence.predicates.revocations_v1 import RevocationsV1, Revoked
from openvet.evidence.signing import SignedStatement, parse_statement
from openvet.evidence.verifier import verify_with_key
from openvet.io.new_file import NewFile
from openvet.workflows.model_files import read_small

if TYPE_CHECKING:
    from openvet.workflows.gate_client import GateClient

__all__ = ["HeldList", "fetch_list", "read_list"]

_LARGEST: Final = 64 * 1024 * 1024
#: How much the clocks of two machines may differ.
_APART: Final = timedelta(minutes=10)

Named = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class HeldList:
    """A list that was verified.

    Attributes:
        file: where it is, printable.
        gate, key: whose it is: the name of its log, and SHA-256 of the key that signed it; '' where nobody checked who signed.
        said: what it says.
        expired: whether nothing may be concluded any more from what is not on it.
        kept: whether it was held against the one that was seen last.
    """

    file: str
    gate: str
    key: str
    said: RevocationsV1
    expired: bool = False
    kept: bool = False

    def revoked(self, now: datetime) -> Mapping[Named, Revoked]:
        """What is revoked at a moment, by kind, name and commit."""
        return {
            (each.repository, each.name, each.commit): each
            for each in self.said.revoked
            if each.since is None or _moment(each.since) <= now
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file, "gate": self.gate, "key": self.key or None, "project": self.said.project, "number": self.said.number,
            "at": self.said.at, "until": self.said.until, "count": len(self.said.revoked), "expired": self.expired, "kept": self.kept,
        }  # fmt: skip


def read_list(path: str, key: PublicKey, now: datetime, *, project: str = "", seen: str | None = None) -> HeldList:
    """Verify a list, and keep it as the one that was seen last.

    Args:
        key: of the gate, which has to have signed it.
        now: the time of this machine.
        project: which it has to be for, where that is said.
        seen: the file in which the newest one is kept; one that is not there is made.

    Raises:
        VerifyError: ``wrong-key``, ``tampered``, ``malformed``; ``mismatch``: it is for another project; ``not-yet-valid``: it is from the future;
            ``rollback``, ``fork``: it is older than the one that was seen last, or another one of that number.
        UsageError: a file cannot be read.
        WriteError: what was seen cannot be kept.
    """
    data = _read(path)
    found = _verified(data, key, path)
    said = found.said
    if project and project != said.project:
        raise VerifyError(
            "mismatch", f"it is for the project {said.project}, and not for {project}: fetch the one of that project"
        )
    if _moment(said.at) > now + _APART:
        raise VerifyError(
            "not-yet-valid", f"it was made at {said.at}, and this machine's clock says {_text(now)}: set the clock right first"
        )  # fmt: skip
    if seen is not None:
        before = _read(seen) if os.path.lexists(seen) else None
        if before is not None:
            _continues(_verified(before, key, seen).said, before, said, data)
        if before != data:
            _write(seen, data, replace=True)
    expired = _moment(said.until) <= now
    return HeldList(printable(path), found.gate, key.hint, said, expired, kept=seen is not None)


def fetch_list(
    gate: GateClient,
    path: str,
    key: PublicKey | None,
    project: str = "",
    *,
    proof: str | None = None,
    force: bool = False,
) -> tuple[HeldList, bool]:
    """Have a gate give its list, and write it in place of an earlier one; and whether its proof was written.

    Args:
        key: who has to have signed it; ``None`` leaves that to whoever reads it.
        proof: where the proof goes that it is in the log of the gate, once it is there.
        force: whether whatever lies there may be replaced.

    Raises:
        RefusedError, UnreachableError: the gate does not tell.
        VerifyError: it is not verified, or is older than the one that lies there; nothing was written.
        WriteError: something else lies there, or it cannot be written.
    """
    answer = gate.get("/revocations", project=project)
    try:
        data, log = answer["statement"].encode("utf-8"), answer["log"]
        proven = None if log is None else log["proof"].encode("utf-8")
    except (AttributeError, KeyError, TypeError) as error:
        raise VerifyError("malformed", "the gate answers as none does: is it an older OpenVet?") from error
    found = _read_as(data, path, key)
    earlier = False
    if not force and os.path.lexists(path):
        try:
            before = _read(path)
            old = _read_as(before, path, key)
        except (UsageError, VerifyError):
            pass  # it is something else, which is not replaced
        else:
            _continues(old.said, before, found.said, data)
            earlier = True
    _write(path, data, replace=force or earlier)
    if proof is not None and proven is not None:
        _write(proof, proven, replace=True)
    return found, proof is not None and proven is not None


# --- inside ---


def _read(path: str) -> bytes:
    try:
        return read_small(path, _LARGEST)
    except OSError as error:
        raise UsageError(f"{printable(path)}: {error.strerror or error}") from error
    except SubjectError as error:
        raise UsageError(str(error)) from error


def _write(path: str, data: bytes, *, replace: bool) -> None:
    with NewFile(path, replace=replace) as new:
        new.write(data)
        new.commit()


def _verified(data: bytes, key: PublicKey, path: str) -> HeldList:
    try:
        payload = verify_with_key(Bundle.parse(data), key).payload
    except VerifyError as error:
        raise VerifyError(error.reason, f"{printable(path)}: {error.message}") from None
    return _list_of(parse_statement(payload), path, key.hint)


def _read_as(data: bytes, path: str, key: PublicKey | None) -> HeldList:
    if key is not None:
        return _verified(data, key, path)
    return _list_of(parse_statement(Bundle.parse(data).envelope.payload), path, "")


def _list_of(found: SignedStatement, path: str, key: str) -> HeldList:
    said = found.predicate
    if not isinstance(said, RevocationsV1):
        raise VerifyError("malformed", f"{printable(path)}: is a statement, and no list of revocations")
    if len({(each.repository, each.name, each.commit) for each in said.revoked}) != len(said.revoked):
        raise VerifyError("malformed", f"{printable(path)}: names a commit twice")
    return HeldList(printable(path), printable(found.subjects[0].name), key, said)


def _continues(before: RevocationsV1, old: bytes, now: RevocationsV1, new: bytes) -> None:
    """Hold a list against one that was seen before it."""
    if before.project != now.project:
        raise VerifyError(
            "mismatch",
            f"the one that was seen last is for the project {before.project}, and this one for {now.project}",
        )
    if now.number < before.number:
        raise VerifyError(
            "rollback", f"it is number {now.number}, made at {now.at}, and number {before.number} of {before.at} was seen already: get the newest one"
        )  # fmt: skip
    if now.number == before.number and new.strip() != old.strip():
        raise VerifyError("fork", f"another list of number {now.number} was seen: the gate told two stories, or was restored from a backup; ask whoever runs it")  # fmt: skip


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
