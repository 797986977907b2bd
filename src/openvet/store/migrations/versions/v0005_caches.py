"""What lies in the caches of clients."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic.operations import Operations

revision: Final = "0005"
down_revision: Final = "0004"
branch_labels: Final = None
depends_on: Final = None


def _id() -> sa.types.TypeEngine[int]:
    """SQLite counts up only a key that is spelled INTEGER."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade(op: Operations) -> None:
    """Make the tables of reports and of what they name."""
    op.create_table(
        "cache_report",
        sa.Column("id", _id(), nullable=False),
        sa.Column("person", _id(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_cache_report_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cache_report")),
        sa.UniqueConstraint("person", "machine", "report", name=op.f("uq_cache_report_person_machine_report")),
    )
    op.create_table(
        "cached",
        sa.Column("id", _id(), nullable=False),
        sa.Column("report", _id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("commit_id", sa.Text(), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("refs", sa.Text(), nullable=False),
        sa.Column("last_used", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["report"], ["cache_report.id"], name=op.f("fk_cached_report")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cached")),
        sa.UniqueConstraint("report", "kind", "name", "commit_id", name=op.f("uq_cached_report_kind_name_commit_id")),
    )
    op.create_index(op.f("ix_cached_name_kind_commit_id"), "cached", ["name", "kind", "commit_id"])
