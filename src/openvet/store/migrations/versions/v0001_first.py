"""The first schema."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic.operations import Operations

revision: Final = "0001"
down_revision: Final = None
branch_labels: Final = None
depends_on: Final = None

_ACTIVE: Final = sa.text("state IN ('ready', 'running')")


def _id() -> sa.types.TypeEngine[int]:
    """SQLite counts up only a key that is spelled INTEGER."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade(op: Operations) -> None:
    """Make every table."""
    op.create_table(
        "blob",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("oid", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blob")),
    )
    op.create_index(op.f("ix_blob_oid"), "blob", ["oid"], unique=False)
    op.create_table(
        "job",
        sa.Column("id", _id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(op.f("ix_job_key"), "job", ["key"], unique=False)
    op.create_index(
        "ix_job_waiting", "job", ["not_before", "id"], unique=False, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE
    )
    op.create_index("uq_job_active_key", "job", ["key"], unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE)
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "repository",
        sa.Column("id", _id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("upstream", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repository")),
        sa.UniqueConstraint("kind", "name", name=op.f("uq_repository_kind_name")),
    )
    op.create_table(
        "revision",
        sa.Column("id", _id(), nullable=False),
        sa.Column("repository", _id(), nullable=False),
        sa.Column("commit_id", sa.Text(), nullable=False),
        sa.Column("upstream", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("listed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["repository"], ["repository.id"], name=op.f("fk_revision_repository")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
        sa.UniqueConstraint("repository", "commit_id", name=op.f("uq_revision_repository_commit_id")),
    )
    op.create_table(
        "file",
        sa.Column("revision", _id(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("oid", sa.Text(), nullable=False),
        sa.Column("lfs", sa.Text(), nullable=False),
        sa.Column("pointer", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["revision"], ["revision.id"], name=op.f("fk_file_revision")),
        sa.PrimaryKeyConstraint("revision", "path", name=op.f("pk_file")),
    )
    op.create_index(op.f("ix_file_sha256"), "file", ["sha256"], unique=False)
    op.create_table(
        "pull",
        sa.Column("id", _id(), nullable=False),
        sa.Column("revision", _id(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["revision"], ["revision.id"], name=op.f("fk_pull_revision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pull")),
    )
    op.create_index(op.f("ix_pull_at"), "pull", ["at"], unique=False)
    op.create_index(op.f("ix_pull_revision"), "pull", ["revision"], unique=False)
    op.create_table(
        "ref",
        sa.Column("repository", _id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", _id(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["repository"], ["repository.id"], name=op.f("fk_ref_repository")),
        sa.ForeignKeyConstraint(["revision"], ["revision.id"], name=op.f("fk_ref_revision")),
        sa.PrimaryKeyConstraint("repository", "name", "revision", name=op.f("pk_ref")),
    )
    op.create_table(
        "vetting",
        sa.Column("id", _id(), nullable=False),
        sa.Column("revision", _id(), nullable=False),
        sa.Column("job", _id(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("bytes_total", sa.BigInteger(), nullable=False),
        sa.Column("bytes_done", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.BigInteger(), nullable=True),
        sa.Column("report", sa.LargeBinary(), nullable=True),
        sa.Column("lines", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["job"], ["job.id"], name=op.f("fk_vetting_job")),
        sa.ForeignKeyConstraint(["revision"], ["revision.id"], name=op.f("fk_vetting_revision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vetting")),
        sa.UniqueConstraint("job", "stage", name=op.f("uq_vetting_job_stage")),
    )
    op.create_index(op.f("ix_vetting_revision"), "vetting", ["revision"], unique=False)
    op.create_table(
        "decision",
        sa.Column("id", _id(), nullable=False),
        sa.Column("revision", _id(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("vetting", _id(), nullable=True),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["revision"], ["revision.id"], name=op.f("fk_decision_revision")),
        sa.ForeignKeyConstraint(["vetting"], ["vetting.id"], name=op.f("fk_decision_vetting")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_revision"), "decision", ["revision"], unique=False)
    op.create_index(
        "ix_decision_unpublished",
        "decision",
        ["id"],
        unique=False,
        sqlite_where=sa.text("NOT published"),
        postgresql_where=sa.text("NOT published"),
    )
