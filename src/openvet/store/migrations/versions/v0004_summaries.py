"""Summaries of reports, and what lists are made by."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic.operations import Operations

revision: Final = "0004"
down_revision: Final = "0003"
branch_labels: Final = None
depends_on: Final = None


def _id() -> sa.types.TypeEngine[int]:
    """SQLite counts up only a key that is spelled INTEGER."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade(op: Operations) -> None:
    """Make the table of summaries; what was vetted before has one after its next vetting."""
    op.create_table(
        "summary",
        sa.Column("revision", _id(), nullable=False),
        sa.Column("vetting", _id(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("critical", sa.Integer(), nullable=False),
        sa.Column("high", sa.Integer(), nullable=False),
        sa.Column("medium", sa.Integer(), nullable=False),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("advisories", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["revision"], ["revision.id"], name=op.f("fk_summary_revision")),
        sa.ForeignKeyConstraint(["vetting"], ["vetting.id"], name=op.f("fk_summary_vetting")),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_summary")),
    )
    op.create_index("ix_decision_standing", "decision", ["revision", "kind", "scope", "until", "project", "outcome"])
    op.create_index("ix_repository_name_kind", "repository", ["name", "kind"])
