"""What revisions were made of, and for which project a file was pulled."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa
from alembic.operations import Operations

from openvet.evidence.predicates import PREDICATE_BASE

revision: Final = "0007"
down_revision: Final = "0006"
branch_labels: Final = None
depends_on: Final = None

#: What says what a model was made of.
_KIND: Final = f"{PREDICATE_BASE}/lineage/v1"
_LARGEST: Final = 256 * 1024 * 1024


def _id() -> sa.types.TypeEngine[int]:
    """SQLite counts up only a key that is spelled INTEGER."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade(op: Operations) -> None:
    """Make the table, and fill it from what was signed; what said nothing that is known here stays not known."""
    op.create_table(
        "base",
        sa.Column("id", _id(), nullable=False),
        sa.Column("revision", _id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("relations", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["revision"], ["revision.id"], name=op.f("fk_base_revision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_base")),
        sa.UniqueConstraint("revision", "kind", "key", name=op.f("uq_base_revision_kind_key")),
    )
    op.create_index(op.f("ix_base_key"), "base", ["key"])
    op.add_column("summary", sa.Column("bases", sa.Integer(), nullable=True))
    op.add_column("pull", sa.Column("project", sa.Text(), nullable=True))
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    from openvet.evidence.predicates.lineage_v1 import LineageV1
    from openvet.store.bases import bases_of, key_of

    names = ("revision", "kind", "name", "key", "version", "relations", "verdict")
    base = sa.table("base", *(sa.column(each) for each in names))
    summary = sa.table("summary", *(sa.column(each) for each in ("revision", "vetting", "bases")))
    vetting = sa.table("vetting", *(sa.column(each) for each in ("id", "lines", "report")))
    commit = sa.table("revision", *(sa.column(each) for each in ("id", "repository")))
    repository = sa.table("repository", *(sa.column(each) for each in ("id", "kind", "name")))
    which = (
        sa.select(summary.c.revision, summary.c.vetting, repository.c.kind, repository.c.name)
        .join(commit, commit.c.id == summary.c.revision)
        .join(repository, repository.c.id == commit.c.repository)
    )
    for number, of, kind, name in connection.execute(which).all():
        kept = connection.execute(sa.select(vetting.c.lines, vetting.c.report).where(vetting.c.id == of)).one()
        try:
            body = next(_bodies(*kept), None)
            said = None if body is None else LineageV1.from_json(body)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error):
            continue  # nobody can read it; the next vetting says what it was made of
        if said is None:
            continue
        found, count = bases_of(said)
        connection.execute(sa.update(summary).where(summary.c.revision == number).values(bases=count))
        rows = [
            {"revision": number, "kind": each.kind, "name": each.name, "key": key_of(each.name), "version": each.version, "relations": " ".join(each.relations), "verdict": each.verdict}
            for each in found
            if (each.kind, key_of(each.name)) != (kind, key_of(name))
        ]  # fmt: skip
        if rows:
            connection.execute(sa.insert(base), rows)


def _bodies(lines: bytes | None, report: bytes | None) -> Iterator[dict[str, Any]]:
    """What was said of the lineage: by the signed statements, or by the report where nobody could name the bytes and so nothing was signed."""
    for line in filter(None, _inflated(lines).split(b"\n")):
        payload = base64.b64decode(json.loads(line)["dsseEnvelope"]["payload"])
        if _KIND.encode() in payload:
            value = json.loads(payload)
            if value.get("predicateType") == _KIND:
                yield value["predicate"]
    text = _inflated(report)
    if _KIND.encode() in text:
        for model in json.loads(text)["models"]:
            for value in model["statements"]:
                if value["predicateType"] == _KIND:
                    yield value["predicate"]


def _inflated(packed: bytes | None) -> bytes:
    return zlib.decompressobj().decompress(packed, _LARGEST) if packed else b""
