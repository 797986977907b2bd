"""The tables of a server. Every time is in milliseconds UTC, every digest lower-case hex.

A change here needs a migration in ``migrations/versions``; a test holds the two to the same schema.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

__all__ = [
    "ACT",
    "ATTEMPT",
    "BASE",
    "BLOB",
    "CACHED",
    "CACHE_REPORT",
    "DECISION",
    "FILE",
    "HELD_ROLE",
    "INVITATION",
    "JOB",
    "META",
    "METADATA",
    "PERSON",
    "PROJECT",
    "PULL",
    "REF",
    "REPOSITORY",
    "REQUEST",
    "REVISION",
    "SESSION",
    "SUMMARY",
    "TOKEN",
    "VETTING",
    "VOICE",
    "WORKER",
]

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts up only a key that is spelled INTEGER
_ID: Final = BigInteger().with_variant(Integer, "sqlite")

#: What was asked for and is there. ``upstream`` is where it was found last.
REPOSITORY: Final = Table(
    "repository",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("upstream", Text, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    UniqueConstraint("kind", "name"),
    Index(None, "name", "kind"),
)

#: A commit of a repository, as the upstream listed it. ``about`` is JSON.
REVISION: Final = Table(
    "revision",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("repository", ForeignKey("repository.id"), nullable=False),
    Column("commit_id", Text, nullable=False),
    Column("upstream", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("listed_at", BigInteger, nullable=False),
    UniqueConstraint("repository", "commit_id"),
)

#: Which commits a branch or a tag was seen as; the one with the latest ``last_seen`` is what it is.
REF: Final = Table(
    "ref",
    METADATA,
    Column("repository", ForeignKey("repository.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("revision", ForeignKey("revision.id"), primary_key=True),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
)

#: A file of a revision. ``sha256`` is there once its bytes were hashed here, and never changes.
FILE: Final = Table(
    "file",
    METADATA,
    Column("revision", ForeignKey("revision.id"), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("oid", Text, nullable=False),
    Column("lfs", Text, nullable=False),
    Column("pointer", Integer, nullable=False),
    Column("sha256", Text, nullable=True),
    Index(None, "sha256"),
)

#: What lies in the store of files. ``oid`` is what git calls it, '' where nobody asked.
BLOB: Final = Table(
    "blob",
    METADATA,
    Column("sha256", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("oid", Text, nullable=False),
    Column("stored_at", BigInteger, nullable=False),
    Index(None, "oid"),
)

#: One reading of a revision or of a part of it by a job: ``stage`` is ``ranges`` or ``bytes``. ``report`` and ``lines`` (signed statements) are deflated.
VETTING: Final = Table(
    "vetting",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("revision", ForeignKey("revision.id"), nullable=False),
    Column("job", ForeignKey("job.id"), nullable=False),
    Column("scope", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("bytes_total", BigInteger, nullable=False),
    Column("bytes_done", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("finished", BigInteger, nullable=True),
    Column("report", LargeBinary, nullable=True),
    Column("lines", LargeBinary, nullable=True),
    UniqueConstraint("job", "stage"),
    Index(None, "revision"),
)

#: What was decided of a revision or of a part of it, by policy or by people; never changed but for ``published``.
DECISION: Final = Table(
    "decision",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("revision", ForeignKey("revision.id"), nullable=False),
    Column("scope", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=True),
    Column("conditions", Text, nullable=False),
    Column("vetting", ForeignKey("vetting.id"), nullable=True),
    Column("line", LargeBinary, nullable=False),
    Column("published", Boolean, nullable=False),
    Index(None, "revision"),
    Index("ix_decision_standing", "revision", "kind", "scope", "until", "project", "outcome"),
    Index("ix_decision_unpublished", "id", sqlite_where=text("NOT published"), postgresql_where=text("NOT published")),
)

_ACTIVE: Final = text("state IN ('ready', 'running')")

#: Work that lasts. Only one job of a key is active at a time.
JOB: Final = Table(
    "job",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("finished", BigInteger, nullable=True),
    Index("uq_job_active_key", "key", unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
    Index("ix_job_waiting", "not_before", "id", sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
    Index(None, "key"),
)

#: Who was given what, and for which project; NULL is not known.
PULL: Final = Table(
    "pull",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("revision", ForeignKey("revision.id"), nullable=False),
    Column("path", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("person", BigInteger, nullable=True),
    Column("agent", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("project", Text, nullable=True),
    Index(None, "revision"),
    Index(None, "at"),
)

#: A few values that the server remembers.
META: Final = Table("meta", METADATA, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

#: A part of the company that models are pulled and approved for; the path says what it is below.
PROJECT: Final = Table(
    "project",
    METADATA,
    Column("path", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("added", BigInteger, nullable=False),
)

#: A user or a service account. Nobody is ever deleted: what somebody decided stays theirs. ``password`` is Argon2id, NULL where there is none;
#: ``subject`` is who an identity provider says they are, ``ISSUER SUBJECT``.
PERSON: Final = Table(
    "person",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("service", Boolean, nullable=False),
    Column("password", Text, nullable=True),
    Column("subject", Text, nullable=True),
    Column("added", BigInteger, nullable=False),
    Column("disabled", BigInteger, nullable=True),
    UniqueConstraint("name"),
    UniqueConstraint("subject"),
)

#: A role that somebody has in a project and below it.
HELD_ROLE: Final = Table(
    "held_role",
    METADATA,
    Column("person", ForeignKey("person.id"), primary_key=True),
    Column("project", ForeignKey("project.path"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("by", Text, nullable=False),
    Column("added", BigInteger, nullable=False),
)

#: A token of somebody, by its digest. It may do what its owner may in ``project``, and of that only what ``rights`` (words, with spaces) says.
TOKEN: Final = Table(
    "token",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("person", ForeignKey("person.id"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("project", ForeignKey("project.path"), nullable=False),
    Column("rights", Text, nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("revoked", BigInteger, nullable=True),
    Column("last_used", BigInteger, nullable=True),
    UniqueConstraint("digest"),
    Index(None, "person"),
)

#: Somebody who logged in with a browser, by the digest of what the cookie holds. ``form`` is what each form has to send along.
SESSION: Final = Table(
    "session",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("person", ForeignKey("person.id"), nullable=False),
    Column("form", Text, nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Index(None, "person"),
    Index(None, "expires"),
)

#: Logins that failed, by name and by address.
ATTEMPT: Final = Table(
    "attempt",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
)

#: A link by which somebody chooses a password, once, by the digest of what it holds.
INVITATION: Final = Table(
    "invitation",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("person", ForeignKey("person.id"), nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Index(None, "person"),
)

#: Somebody wants to have a commit. ``person`` is NULL where a pull was blocked of whom nobody knows who it was; ``state`` is ``blocked`` until
#: somebody says what it is for. ``decision`` is what it led to.
REQUEST: Final = Table(
    "request",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("revision", ForeignKey("revision.id"), nullable=False),
    Column("project", ForeignKey("project.path"), nullable=False),
    Column("person", ForeignKey("person.id"), nullable=True),
    Column("state", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("blocks", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=True),
    Column("added", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("decision", ForeignKey("decision.id"), nullable=True),
    Index(None, "revision"),
    Index(None, "state", "id"),
    Index(None, "person"),
)

#: What somebody said about a request. Never changed: who changes their mind says something new, and the last word of each counts.
VOICE: Final = Table(
    "voice",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("request", ForeignKey("request.id"), nullable=False),
    Column("person", ForeignKey("person.id"), nullable=False),
    Column("says", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("conditions", Text, nullable=False),
    Column("until", BigInteger, nullable=True),
    Column("at", BigInteger, nullable=False),
    Index(None, "request"),
)

#: What the last report about a revision comes to, so that a list needs no report: ``license`` as it is declared, findings by severity, and the ids of
#: the rules and advisories that hit, with a space before and behind each. ``bases`` is how many things it says that it was made of; NULL is not known.
SUMMARY: Final = Table(
    "summary",
    METADATA,
    Column("revision", ForeignKey("revision.id"), primary_key=True),
    Column("vetting", ForeignKey("vetting.id"), nullable=False),
    Column("verdict", Text, nullable=False),
    Column("license", Text, nullable=False),
    Column("critical", Integer, nullable=False),
    Column("high", Integer, nullable=False),
    Column("medium", Integer, nullable=False),
    Column("low", Integer, nullable=False),
    Column("rules", Text, nullable=False),
    Column("advisories", Text, nullable=False),
    Column("bases", Integer, nullable=True),
)

#: Something that a revision says it was made of, by its last report: ``name`` and ``version`` as they were written, ``key`` as names are compared,
#: ``relations`` (words of the lineage predicate, with spaces), and ``verdict`` of a test of the weights, '' where there was none.
BASE: Final = Table(
    "base",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("revision", ForeignKey("revision.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("relations", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    UniqueConstraint("revision", "kind", "key"),
    Index(None, "key"),
)

#: What somebody said lies in the caches of a machine, under the name that the machine gives itself. It counts once it is ``complete``; a new one
#: takes the place of the old one. ``report`` is a number that the sender made up.
CACHE_REPORT: Final = Table(
    "cache_report",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("person", ForeignKey("person.id"), nullable=False),
    Column("machine", Text, nullable=False),
    Column("report", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("complete", Boolean, nullable=False),
    UniqueConstraint("person", "machine", "report"),
)

#: A revision that lies in a cache, which the gate may know or not. ``refs`` are lines.
CACHED: Final = Table(
    "cached",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("report", ForeignKey("cache_report.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("commit_id", Text, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("refs", Text, nullable=False),
    Column("last_used", BigInteger, nullable=True),
    UniqueConstraint("report", "kind", "name", "commit_id"),
    Index(None, "name", "kind", "commit_id"),
)

#: A process that vets, and when it last said so. ``threads`` is how many vettings it does at a time.
WORKER: Final = Table(
    "worker",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("place", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("threads", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
)

#: What somebody did with people, tokens, projects or the server itself; never changed. ``by`` is a name, or words (with a space) for who is no person;
#: ``person`` is on whom.
ACT: Final = Table(
    "act",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("person", ForeignKey("person.id"), nullable=True),
    Column("project", Text, nullable=True),
    Column("details", Text, nullable=False),
    Index(None, "person"),
)
