"""Repositories, the commits that were seen of them, and their files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import and_, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from openvet.core.dataclass import dataclass
from openvet.store.database import Connection
from openvet.store.tables import BLOB, FILE, JOB, PULL, REF, REPOSITORY, REVISION

__all__ = [
    "FileRow", "RefRow", "RevisionRow", "add_revision", "blob_of_oid", "blobs_at_work", "file_row", "files_of", "forget_blob",
    "last_uses", "note_blob", "note_ref", "note_stored",
    "ref_history", "repositories_named", "revision_by_commit", "revision_by_id", "revisions_of", "stored_digest",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """A commit of a repository. ``about`` is JSON; ``upstream`` is where it was listed."""

    id: int
    kind: str
    name: str
    commit: str
    upstream: str
    about: str
    listed_at: int


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as it was listed; ``sha256`` is '' until its bytes were hashed here."""

    path: str
    size: int
    oid: str
    lfs: str = ""
    pointer: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class RefRow:
    """What a branch or tag was at a time."""

    revision: int
    commit: str
    first_seen: int
    last_seen: int


_REVISION: Final = (
    REVISION.c.id, REPOSITORY.c.kind, REPOSITORY.c.name, REVISION.c.commit_id, REVISION.c.upstream, REVISION.c.about, REVISION.c.listed_at,
)  # fmt: skip
_FILE: Final = (FILE.c.path, FILE.c.size, FILE.c.oid, FILE.c.lfs, FILE.c.pointer, func.coalesce(FILE.c.sha256, ""))
#: Made once: it is asked for each file that somebody gets.
_DIGEST: Final = select(FILE.c.sha256).where(FILE.c.revision == bindparam("which"), FILE.c.path == bindparam("name"))
_ROWS: Final = 500


def add_revision(
    connection: Connection,
    kind: str,
    name: str,
    commit: str,
    upstream: str,
    about: str,
    files: Sequence[FileRow],
    now: int,
) -> int:
    """Remember a commit and what it lists; its number. What is known already stays as it is."""
    make = insert_postgresql if connection.dialect.name == "postgresql" else insert_sqlite
    connection.execute(
        make(REPOSITORY).values(kind=kind, name=name, upstream=upstream, first_seen=now).on_conflict_do_nothing()
    )
    repository = connection.execute(
        select(REPOSITORY.c.id).where(REPOSITORY.c.kind == kind, REPOSITORY.c.name == name)
    ).scalar_one()
    new = make(REVISION).values(repository=repository, commit_id=commit, upstream=upstream, about=about, listed_at=now)
    made = connection.execute(new.on_conflict_do_nothing().returning(REVISION.c.id)).scalar()
    if made is None:
        which = (REVISION.c.repository == repository, REVISION.c.commit_id == commit)
        return int(connection.execute(select(REVISION.c.id).where(*which)).scalar_one())
    rows = [
        {"revision": made, "number": number, "path": each.path, "size": each.size, "oid": each.oid, "lfs": each.lfs, "pointer": each.pointer}
        for number, each in enumerate(files)
    ]  # fmt: skip
    for start in range(0, len(rows), _ROWS):
        connection.execute(insert(FILE), rows[start : start + _ROWS])
    return int(made)


def revision_by_commit(connection: Connection, kind: str, name: str, commit: str) -> RevisionRow | None:
    """A commit that is known."""
    which = and_(REPOSITORY.c.kind == kind, REPOSITORY.c.name == name, REVISION.c.commit_id == commit)
    row = connection.execute(select(*_REVISION).join_from(REVISION, REPOSITORY).where(which)).first()
    return None if row is None else RevisionRow(*row)


def revision_by_id(connection: Connection, revision: int) -> RevisionRow:
    """A commit by its number, which has to be one."""
    return RevisionRow(
        *connection.execute(select(*_REVISION).join_from(REVISION, REPOSITORY).where(REVISION.c.id == revision)).one()
    )


def files_of(connection: Connection, revision: int) -> list[FileRow]:
    """The files of a commit, in byte order of their paths."""
    rows = connection.execute(select(*_FILE).where(FILE.c.revision == revision).order_by(FILE.c.number))
    return [FileRow(*each) for each in rows]


def file_row(connection: Connection, revision: int, path: str) -> FileRow | None:
    """One file of a commit."""
    row = connection.execute(select(*_FILE).where(FILE.c.revision == revision, FILE.c.path == path)).first()
    return None if row is None else FileRow(*row)


def note_blob(connection: Connection, sha256: str, oid: str, size: int, now: int) -> None:
    """Remember that these bytes are in the store of files."""
    make = insert_postgresql if connection.dialect.name == "postgresql" else insert_sqlite
    connection.execute(make(BLOB).values(sha256=sha256, oid=oid, size=size, stored_at=now).on_conflict_do_nothing())


def note_stored(connection: Connection, revision: int, path: str, sha256: str) -> bool:
    """Remember which bytes a file has; false where it is known to have others."""
    which = and_(FILE.c.revision == revision, FILE.c.path == path)
    free = and_(which, FILE.c.sha256.is_(None))
    if connection.execute(update(FILE).where(free).values(sha256=sha256)).rowcount == 1:
        return True
    return connection.execute(select(FILE.c.sha256).where(which)).scalar() == sha256


def blob_of_oid(connection: Connection, oid: str, size: int) -> str:
    """SHA-256 of stored bytes that git calls ``oid``, '' where there are none."""
    which = and_(BLOB.c.oid == oid, BLOB.c.size == size)
    return connection.execute(select(BLOB.c.sha256).where(which).limit(1)).scalar() or ""


def last_uses(connection: Connection) -> dict[str, int]:
    """When each stored file came or was given to somebody last, whichever is later."""
    given = select(PULL.c.sha256, func.max(PULL.c.at)).group_by(PULL.c.sha256)
    came = connection.execute(select(BLOB.c.sha256, BLOB.c.stored_at))
    out: dict[str, int] = {each.sha256: each.stored_at for each in came}
    for sha256, at in connection.execute(given):
        if at > out.get(sha256, at):
            out[sha256] = at
    return out


def blobs_at_work(connection: Connection, kind: str) -> set[str]:
    """The digests of files of commits for which a job of a kind waits or is under way."""
    jobs = connection.execute(select(JOB.c.payload).where(JOB.c.kind == kind, JOB.c.state.in_(("ready", "running"))))
    numbers = {int(json.loads(each)["revision"]) for each in jobs.scalars()}
    which = select(FILE.c.sha256).where(FILE.c.revision.in_(numbers), FILE.c.sha256.is_not(None))
    return set(connection.execute(which).scalars()) if numbers else set()


def forget_blob(connection: Connection, sha256: str) -> None:
    """Remember that these bytes are not in the store of files any more; what they were stays known."""
    connection.execute(delete(BLOB).where(BLOB.c.sha256 == sha256))


def note_ref(connection: Connection, revision: int, name: str, now: int) -> None:
    """Remember that a branch or tag is this commit now."""
    make = insert_postgresql if connection.dialect.name == "postgresql" else insert_sqlite
    repository = connection.execute(select(REVISION.c.repository).where(REVISION.c.id == revision)).scalar_one()
    new = make(REF).values(repository=repository, name=name, revision=revision, first_seen=now, last_seen=now)
    keys = [REF.c.repository, REF.c.name, REF.c.revision]
    connection.execute(new.on_conflict_do_update(index_elements=keys, set_={"last_seen": now}))


def ref_history(connection: Connection, kind: str, name: str, ref: str, most: int = 100) -> list[RefRow]:
    """What a branch or tag was seen as, the latest first."""
    columns = (REF.c.revision, REVISION.c.commit_id, REF.c.first_seen, REF.c.last_seen)
    where = and_(REPOSITORY.c.kind == kind, REPOSITORY.c.name == name, REF.c.name == ref)
    tables = REF.join(REVISION, REF.c.revision == REVISION.c.id).join(REPOSITORY, REF.c.repository == REPOSITORY.c.id)
    which = select(*columns).select_from(tables).where(where).order_by(REF.c.last_seen.desc(), REF.c.revision.desc())
    return [RefRow(*each) for each in connection.execute(which.limit(most))]


def stored_digest(connection: Connection, revision: int, path: str) -> str:
    """SHA-256 of a file of a commit as it was hashed here, '' where it was not."""
    return connection.execute(_DIGEST, {"which": revision, "name": path}).scalar() or ""


def repositories_named(connection: Connection, kind: str, search: str, after: str) -> Iterator[tuple[int, str]]:
    """Number and name of the repositories of a kind whose names contain ``search``, whatever the case, and come after ``after``, in order."""
    part = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found = REPOSITORY.c.name.ilike(f"%{part}%", escape="\\")
    # PostgreSQL would order by the language of the database
    name = REPOSITORY.c.name.collate("C") if connection.dialect.name == "postgresql" else REPOSITORY.c.name
    while True:
        which = select(REPOSITORY.c.id, REPOSITORY.c.name).where(REPOSITORY.c.kind == kind, found, name > after)
        rows = connection.execute(which.order_by(name).limit(_ROWS)).all()
        for number, each in rows:
            yield number, each
            after = each
        if len(rows) < _ROWS:
            return


def revisions_of(connection: Connection, repository: int) -> list[RevisionRow]:
    """The commits of a repository, the latest that was listed first."""
    which = select(*_REVISION).join_from(REVISION, REPOSITORY).where(REVISION.c.repository == repository)
    return [RevisionRow(*each) for each in connection.execute(which.order_by(REVISION.c.id.desc()))]
