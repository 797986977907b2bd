"""Signed statements in a file, as ``openvet check --statement`` and other tools write them: verified, read, held against a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import SubjectError, UsageError, VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.keys import PublicKey
from openvet.evidence.predicates import NAMES
from openvet.evidence.signing import SignedStatement, parse_statement
from openvet.evidence.statement import ResourceDescriptor
from openvet.evidence.verifier import verify_with_key
from openvet.workflows.held_model import OPENSSF, model_digest
from openvet.workflows.model_files import read_small

__all__ = ["OPENSSF", "STATEMENTS_TYPE", "ReadStatements", "not_interpreted", "read_statements", "refusal"]

STATEMENTS_TYPE: Final = f"{NAMES}/statements/v1"
_LARGEST: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReadStatements:
    """Statements that were verified.

    Attributes:
        path: the file, printable.
        key: SHA-256 of the key that signed all of them.
        statements: in the order of the file; at least one.
        compared: whether a model was held against every one of them.
    """

    path: str
    key: str
    statements: tuple[SignedStatement, ...]
    compared: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "type": STATEMENTS_TYPE,
            "verified": True,
            "file": self.path,
            "key": self.key,
            "compared": self.compared,
            "statements": [
                {
                    "subject": [each.to_json() for each in one.subjects],
                    "predicate_type": one.predicate_type,
                    "predicate": dict(one.body),
                    "known": one.predicate is not None,
                    "not_interpreted": list(not_interpreted(one)),
                }
                for one in self.statements
            ],
        }


def not_interpreted(statement: SignedStatement) -> tuple[str, ...]:
    """JSON Pointers of the fields that the specification of a known kind does not name."""
    return tuple(getattr(statement.predicate, "extensions", ()))


def refusal(path: str, error: VerifyError) -> dict[str, Any]:
    """What did not verify, for programs."""
    said = {"reason": error.reason, "message": error.message}
    return {"type": STATEMENTS_TYPE, "verified": False, "file": printable(path), **said}


def read_statements(
    path: str, key: PublicKey, model: str | None = None, progress: Progress | None = None
) -> ReadStatements:
    """Verify and read a Sigstore bundle, or several, one a line; all of them or none.

    Args:
        key: who has to have signed each.
        model: a folder or file that each has to be about.

    Raises:
        VerifyError: one is not verified, is no statement, has a body that is none of its kind, or is about something else.
        UsageError: the file cannot be read.
        SubjectError: the model cannot be listed.
    """
    try:
        data = read_small(path, _LARGEST)
    except OSError as error:
        raise UsageError(f"{printable(path)}: {error.strerror or error}") from error
    except SubjectError as error:
        raise UsageError(str(error)) from error
    statements = tuple(parse_statement(verify_with_key(each, key).payload) for each in _bundles(data))
    if model is not None:
        name, whole, by_file = model_digest(model, progress or Progress())
        for number, each in enumerate(statements, 1):
            if each.predicate_type in OPENSSF:
                raise VerifyError(
                    "unsupported", f"statement {number} is a signature of files, which `openvet verify` compares"
                )
            if not _is_about(each.subjects, name, whole, by_file):
                raise VerifyError("mismatch", f"statement {number} is not about a model with the {name} {whole}")
    return ReadStatements(printable(path), key.hint, statements, model is not None)


def _bundles(data: bytes) -> list[Bundle]:
    """One document, whatever its layout, or one a line."""
    lines = [line for line in data.split(b"\n") if line.strip()]
    if len(lines) < 2 or not lines[0].rstrip().endswith(b"}"):
        return [Bundle.parse(data)]
    return [Bundle.parse(line) for line in lines]


def _is_about(subjects: tuple[ResourceDescriptor, ...], name: str, whole: str, by_file: Mapping[str, str]) -> bool:
    """Whether the model is a subject; or all subjects are files of it, under their names."""
    if any(each.digest.get(name) == whole for each in subjects):
        return True
    return all(each.digest.get("sha256") is not None and by_file.get(each.name) == each.digest["sha256"] for each in subjects)  # fmt: skip
