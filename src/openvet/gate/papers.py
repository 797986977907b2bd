"""What can be taken away of a revision: its bill of materials and its dossier."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zlib
from typing import Final

from openvet.evidence.keys import PublicKey
from openvet.evidence.log.disk import StorageError
from openvet.evidence.predicates.inventory_v1 import InventoryV1
from openvet.evidence.signing import SignedStatement, parse_line, parse_statement
from openvet.io.new_file import WriteError
from openvet.store.revisions import RevisionRow
from openvet.workflows.bom import bill_of_statements, document_of
from openvet.workflows.dossier_zip import export_dossier

__all__ = ["bill_of_lines", "digest_of_line", "statement_of_kind", "statements_of_lines", "zip_of_dossier"]

#: The hub whose names a package URL of type huggingface is about.
_HUB: Final = "https://huggingface.co"


def bill_of_lines(row: RevisionRow, packed: bytes, form: str) -> bytes | None:
    """The bill of materials of a revision from the statements of a check, as JSON; ``None`` where there is no inventory among them.

    Args:
        packed: what a vetting keeps: deflated signed statements, one a line.
        form: one of :data:`openvet.workflows.bom.FORMS`.
    """
    statements = [each for _, each in statements_of_lines(packed)]
    if not any(isinstance(each.predicate, InventoryV1) for each in statements):
        return None
    # a folder or another hub may have a model of that name, which is not that of the hub
    published = row.upstream == _HUB and row.kind == "model"
    bill = bill_of_statements(f"hf:{row.name}@{row.commit}" if published else row.name, statements)
    return json.dumps(document_of(bill, form).to_json(), ensure_ascii=False, indent=2).encode()


def statements_of_lines(packed: bytes) -> list[tuple[str, SignedStatement]]:
    """The statements that a vetting keeps, each with the SHA-256 of what was signed; ``packed`` as of :func:`bill_of_lines`."""
    lines = filter(None, zlib.decompress(packed).split(b"\n"))
    payloads = [parse_line(each, "a statement of ours").envelope.payload for each in lines]
    return [(hashlib.sha256(each).hexdigest(), parse_statement(each)) for each in payloads]


def statement_of_kind(packed: bytes, kind: str) -> tuple[str, SignedStatement] | None:
    """The statement of one kind as of :func:`statements_of_lines`, without reading the bodies of the others; ``None`` where there is none."""
    said = f'"predicateType":"{kind}"'.encode()
    for line in filter(None, zlib.decompress(packed).split(b"\n")):
        payload = parse_line(line, "a statement of ours").envelope.payload
        if said in payload and (found := parse_statement(payload)).predicate_type == kind:
            return hashlib.sha256(payload).hexdigest(), found
    return None


def digest_of_line(line: bytes) -> str:
    """SHA-256 of what a line of ours signed."""
    return hashlib.sha256(parse_line(line, "a statement of ours").envelope.payload).hexdigest()


def zip_of_dossier(folder: str, key: PublicKey) -> str:
    """A dossier, verified, as a zip: the path of a new file, which whoever asks removes.

    Raises:
        VerifyError: the dossier on our disk is damaged.
        StorageError: there is no room for the zip.
    """
    try:
        descriptor, target = tempfile.mkstemp(prefix="openvet-", suffix=".zip")
        os.close(descriptor)
        try:
            export_dossier(folder, target, key, force=True)
        except BaseException:
            os.unlink(target)
            raise
    except (OSError, WriteError) as error:
        raise StorageError(f"the dossier cannot be packed: {error}; tell whoever runs this gate") from error
    return target
