"""Requests: who wants to have what, and what others say about it."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic.operations import Operations

revision: Final = "0003"
down_revision: Final = "0002"
branch_labels: Final = None
depends_on: Final = None


def _id() -> sa.types.TypeEngine[int]:
    """SQLite counts up only a key that is spelled INTEGER."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade(op: Operations) -> None:
    """Make the tables of requests."""
    op.create_table(
        "request",
        sa.Column("id", _id(), nullable=False),
        sa.Column("revision", _id(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("person", _id(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("blocks", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("decision", _id(), nullable=True),
        sa.ForeignKeyConstraint(["revision"], ["revision.id"], name=op.f("fk_request_revision")),
        sa.ForeignKeyConstraint(["project"], ["project.path"], name=op.f("fk_request_project")),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_request_person")),
        sa.ForeignKeyConstraint(["decision"], ["decision.id"], name=op.f("fk_request_decision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
    )
    op.create_index(op.f("ix_request_revision"), "request", ["revision"], unique=False)
    op.create_index(op.f("ix_request_state_id"), "request", ["state", "id"], unique=False)
    op.create_index(op.f("ix_request_person"), "request", ["person"], unique=False)
    op.create_table(
        "voice",
        sa.Column("id", _id(), nullable=False),
        sa.Column("request", _id(), nullable=False),
        sa.Column("person", _id(), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["request"], ["request.id"], name=op.f("fk_voice_request")),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_voice_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voice")),
    )
    op.create_index(op.f("ix_voice_request"), "voice", ["request"], unique=False)
