"""What rests on what: names in any case of letters, levels, circles, and what was signed before this was kept."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, insert, select, text
from tests.store.test_database import SCRIPTS

from openvet.evidence.predicates.lineage_v1 import THIS, Edge, LineageV1, Node, WeightTest
from openvet.evidence.signing import sign_statement, to_line
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.gate.opening import open_key
from openvet.store import bases, models
from openvet.store.bases import Base, Step, bases_of, key_of, note_bases
from openvet.store.database import Connection, Database, open_database
from openvet.store.decisions import add_decision
from openvet.store.jobs import add_job
from openvet.store.models import Summary, note_summary, summary_of
from openvet.store.revisions import add_revision
from openvet.store.tables import BASE, JOB, METADATA, REPOSITORY, REVISION, SUMMARY, VETTING
from openvet.store.vettings import start_vetting
from openvet.workflows.knowledge import tool

ROOT = ["/"]


def model(
    connection: Connection, name: str, *named: str, commit: str = "a", kind: str = "model", advisory: str = ""
) -> int:
    """A revision that was vetted, and names these."""
    number = add_revision(connection, kind, name, commit * 40, "up", "{}", [], 1)
    job = add_job(connection, "vet", f"vet:{number}:all", {"revision": number, "scope": "all"}, 1)
    vetting = start_vetting(connection, number, job, "all", "bytes", 10, 1)
    hits = (advisory,) if advisory else ()
    note_summary(connection, number, Summary(vetting, "admit", "MIT", advisories=hits, bases=len(named)))
    note_bases(connection, number, [Base("model", each, "", ("finetune",)) for each in named])
    return number


def decide(
    connection: Connection, revision: int, kind: str = "policy", outcome: str = "admit", project: str = "/"
) -> None:
    add_decision(connection, revision, "all", kind, outcome, "", "x", 1, b"", project=project)


def told(steps: list[Step]) -> list[tuple[str, str, bool]]:
    return sorted((each.source[1], each.base.name, each.direct) for each in steps)


def test_names_are_found_in_any_case_of_letters_and_level_by_level(database: Database) -> None:
    with database.writing() as connection:
        model(connection, "org/Base", "far/away")
        model(connection, "a/tuned", "ORG/base")
        model(connection, "b/quantized", "a/Tuned", "/home/somebody/base")
        model(connection, "c/other", "org/base2")
    with database.reading() as connection:
        root = {("model", key_of("Org/BASE"))}
        assert told(bases.built_on(connection, root, ROOT, 1)) == [
            ("a/tuned", "ORG/base", True), ("b/quantized", "a/Tuned", False),
        ]  # fmt: skip
        assert told(bases.made_of(connection, 3, ROOT, 1)) == [
            ("a/tuned", "ORG/base", False), ("b/quantized", "/home/somebody/base", True), ("b/quantized", "a/Tuned", True),
            ("org/base", "far/away", False),
        ]  # fmt: skip
        known = bases.known_as(
            connection, {("model", "org/base"), ("model", "far/away"), ("dataset", "org/base")}, ROOT, 1
        )
        assert {key: each.row.name for key, each in known.items()} == {("model", "org/base"): "org/Base"}
        assert bases.built_on(connection, {("dataset", "org/base")}, ROOT, 1) == []


def test_circles_end_and_what_names_itself_is_no_base(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    of_bases = bases._named

    def counted(connection: Connection, keys: Collection[bases.Key]) -> Iterator[Step]:
        asked.append(len(keys))
        return of_bases(connection, keys)

    monkeypatch.setattr(bases, "_named", counted)
    with database.writing() as connection:
        for name, named in (("a/a", "b/b"), ("b/b", "c/c"), ("c/c", "a/a"), ("d/d", "D/D"), ("e/e", "d/d")):
            model(connection, name, named)
        model(connection, "x/x", "far/away", "y/y")
        model(connection, "y/y", "x/x")
    with database.reading() as connection:
        for name in ("a/a", "b/b", "c/c"):
            found = bases.built_on(connection, {("model", name)}, ROOT, 1)
            assert len(found) == 2
            assert sum(each.direct for each in found) == 1
            assert asked == [1, 1, 1]  # each name once
            asked.clear()
        assert [each.source[1] for each in bases.made_of(connection, 1, ROOT, 1)] == ["a/a", "b/b", "c/c"]
        assert told(bases.built_on(connection, {("model", "d/d")}, ROOT, 1)) == [("e/e", "d/d", True)]
        assert bases.made_of(connection, 4, ROOT, 1) == []
        found, total = bases.list_steps(connection, ROOT, 1)
        assert (len(found), total) == (7, 7)
        asked.clear()
        below = bases.built_on(connection, {("model", "far/away")}, ROOT, 1)
        assert told(below) == [("x/x", "far/away", True), ("x/x", "y/y", False), ("y/y", "x/x", False)]
        assert asked == [1, 1, 1]


def test_a_long_chain_is_followed_as_far_as_levels_go(database: Database) -> None:
    with database.writing() as connection:
        for at in range(bases.LEVELS + 10):
            model(connection, f"m/{at}", f"m/{at - 1}")
    with database.reading() as connection:
        assert len(bases.built_on(connection, {("model", "m/-1")}, ROOT, 1)) == bases.LEVELS
        assert len(bases.made_of(connection, bases.LEVELS + 10, ROOT, 1)) == bases.LEVELS + 1


def test_the_newest_admitted_revision_speaks_for_a_repository(database: Database) -> None:
    with database.writing() as connection:
        first, second = (model(connection, "a/a", "org/base", commit=each) for each in "12")
        model(connection, "a/a", "elsewhere/x", commit="3")
        decide(connection, first)
        decide(connection, second, outcome="reject")
        note_bases(
            connection, first, [Base("model", "org/base", "", ("finetune",))]
        )  # vetted again, after the newer one
    with database.reading() as connection:
        steps, _ = bases.list_steps(connection, ROOT, 2)
        assert [(each.key[1], each.revision, each.word) for each in steps] == [
            ("org/base", first, 1),
            ("elsewhere/x", 3, 0),
        ]
        assert sorted(bases.count_bases(connection, ROOT, 2)) == [(("model", "elsewhere/x"), "elsewhere/x", 1, 0), (("model", "org/base"), "org/base", 1, 1)]  # fmt: skip
        assert [each[0][1] for each in bases.count_bases(connection, ROOT, 2, [2])] == ["org/base"]
        for words, number in (([], first), ([1], first), ([2], second)):
            assert [each.revision for each in bases.steps_to(connection, {("model", "org/base")}, ROOT, 2, words)] == [number]  # fmt: skip
        assert [each.revision for each in bases.list_steps(connection, ROOT, 2, [2])[0]] == [second]
        assert bases.list_steps(connection, ROOT, 2, [3]) == ([], 0)
    with database.writing() as connection:
        decide(connection, first, "revocation", "reject", "/vision")
    with database.reading() as connection:
        for projects, number in ((["/", "/vision"], second), (ROOT, first)):
            (each,) = bases.built_on(connection, {("model", "org/base")}, projects, 2)
            assert each.revision == number


def test_a_base_is_in_trouble_by_any_of_its_revisions(database: Database) -> None:
    with database.writing() as connection:
        old = model(connection, "org/Revoked", commit="1")
        model(connection, "org/Revoked", commit="2")
        model(connection, "org/hit", advisory="CVE-1")
        model(connection, "org/fine")
        decide(connection, old, "revocation", "reject", "/vision")
        again = model(connection, "org/back")
        decide(connection, again, "revocation", "reject")
        decide(connection, again, "approval", "admit")
    with database.reading() as connection:
        assert bases.in_trouble(connection, ["/", "/vision"], 2) == {("model", "org/revoked"), ("model", "org/hit")}
        assert bases.in_trouble(connection, ROOT, 2) == {("model", "org/hit")}
        keys = {("model", "org/revoked"), ("model", "org/hit")}
        known = bases.known_as(connection, keys, ["/", "/vision"], 2)
        said = {key[1]: (each.row.commit[0], each.revoked, each.advisories) for key, each in known.items()}
        assert said == {"org/revoked": ("2", 1, ()), "org/hit": ("a", 0, ("CVE-1",))}


def test_a_report_takes_the_place_of_the_one_before(database: Database) -> None:
    with database.writing() as connection:
        number = model(connection, "a/a", "org/one", "org/two")
        note_bases(connection, number, [Base("dataset", "org/data", "main", ("trained-on",), "")])
        rows = connection.execute(select(BASE.c.kind, BASE.c.name, BASE.c.version, BASE.c.relations)).all()
        assert [tuple(each) for each in rows] == [("dataset", "org/data", "main", "trained-on")]
        assert bases.count_unknown(connection) == 0
        connection.execute(SUMMARY.update().values(bases=None))
        assert bases.count_unknown(connection) == 1


@pytest.mark.parametrize("name", ["K", "\u212a/x", "x" * 5000, "\U0001f600" * 900, "<b>", "a b", ""])
def test_any_name_is_kept_and_found_again(database: Database, name: str) -> None:
    with database.writing() as connection:
        model(connection, "a/a", name)
        key = ("model", key_of(name))
        assert [each.base.name for each in bases.built_on(connection, {key}, ROOT, 1)] == [name]
    assert len(key[1].encode()) <= 1000
    assert key_of("\u212aernel/x") != key_of("kernel/x")


def lineage(*edges: tuple[str, str, str], left_off: int = 0, tests: Mapping[str, str] | None = None) -> LineageV1:
    """What is said: name, relation, version."""
    nodes = [Node(THIS, "model", "this")]
    made = []
    for at, (name, relation, version) in enumerate(edges):
        kind = "dataset" if relation.endswith("ed-on") and relation != "based-on" else "model"
        nodes.append(Node(f"n{at}", kind, name, revision=version or None))
        made.append(Edge(THIS, f"n{at}", relation, "declared"))
    asked = [WeightTest(THIS, each, "derived", verdict, "t", "r") for each, verdict in (tests or {}).items()]
    return LineageV1(tool(), tuple(nodes), tuple(made), tuple(asked), (), left_off)


def test_what_is_said_of_one_name_is_one_base() -> None:
    said = lineage(
        ("org/Base", "loaded-from", ""), ("org/base", "finetune", "v1"), ("org/base", "adapter", "v2"), ("org/data", "trained-on", ""),
        ("org/test", "evaluated-on", ""), left_off=3, tests={"n0": "consistent"},
    )  # fmt: skip
    found, count = bases_of(said)
    assert found == (
        Base("model", "org/Base", "v1 v2", ("finetune", "adapter", "loaded-from"), "consistent"),
        Base("dataset", "org/data", "", ("trained-on",)),
    )
    assert count == 5


def test_so_many_are_kept_and_all_are_counted() -> None:
    found, count = bases_of(lineage(*((f"org/{at}", "merge", "") for at in range(500))))
    assert (len(found), count) == (200, 500)


def test_what_was_signed_before_is_read_when_the_database_is_brought_up_to_date(url: str, tmp_path: Any) -> None:
    """By the signed statements, by the report where nothing was signed; what nobody can read stays not known."""
    key = open_key(str(tmp_path))
    said = lineage(("org/base", "finetune", "v1"), ("org/data", "trained-on", ""), ("A/a", "loaded-from", ""))
    line = to_line(sign_statement(Statement(ResourceDescriptor("m", {"sha256": "0" * 64}), said), key))
    other = zlib.compress(b'{"models": [{"statements": [{"predicateType": "https://example.com/x", "predicate": 1}]}]}')
    report = zlib.compress(json.dumps({"models": [{"statements": [{"predicateType": said.predicate_type, "predicate": said.to_json()}]}]}).encode())  # fmt: skip
    nothing = zlib.compress(json.dumps({"models": [{"statements": [{"predicateType": said.predicate_type, "predicate": lineage().to_json()}]}]}).encode())  # fmt: skip
    kept = [
        (zlib.compress(line), other, 3), (None, report, 3), (zlib.compress(b""), nothing, 0), (None, other, None), (b"kept", b"kept", None),
        (None, None, None), (zlib.compress(b"{}"), report, None), (zlib.compress(b'{"dsseEnvelope": {"payload": "!!"}}'), None, None),
        (None, zlib.compress(b'"https://openvet/predicates/lineage/v1"'), None),
    ]  # fmt: skip
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        context = MigrationContext.configure(connection)
        for each in reversed(list(SCRIPTS.iterate_revisions("0006", None))):
            each.module.upgrade(Operations(context))
        context.stamp(SCRIPTS, "0006")
        connection.execute(insert(REPOSITORY).values(id=1, kind="model", name="a/a", upstream="up", first_seen=1))
        for at, (lines, text_, _) in enumerate(kept, 1):
            connection.execute(insert(REVISION).values(id=at, repository=1, commit_id=f"{at:040x}", upstream="up", about="{}", listed_at=1))  # fmt: skip
            connection.execute(insert(JOB).values(id=at, kind="vet", key=str(at), payload="{}", state="done", fence=1, attempts=1, not_before=0, lease_until=0, error="", added=1))  # fmt: skip
            connection.execute(insert(VETTING).values(id=at, revision=at, job=at, scope="all", stage="bytes", state="done", verdict="", reason="", bytes_total=1, bytes_done=1, started=1, lines=lines, report=text_))  # fmt: skip
            old = {each.name: "" for each in SUMMARY.c if each.name != "bases"}
            values = {**old, "revision": at, "vetting": at, "critical": 0, "high": 0, "medium": 0, "low": 0}
            names = ", ".join(f'"{each}"' for each in values)
            connection.execute(
                text(f"INSERT INTO summary ({names}) VALUES ({', '.join(f':{each}' for each in values)})"), values
            )
    engine.dispose()
    database = open_database(url)
    with database.reading() as connection:
        assert [summary.bases for at in range(1, len(kept) + 1) if (summary := summary_of(connection, at))] == [each[2] for each in kept]  # fmt: skip
        rows = connection.execute(select(BASE.c.revision, BASE.c.kind, BASE.c.name, BASE.c.version, BASE.c.relations).order_by(BASE.c.id)).all()  # fmt: skip
        assert [tuple(each) for each in rows] == [
            (number, *each)
            for number in (1, 2)
            for each in (("model", "org/base", "v1", "finetune"), ("dataset", "org/data", "", "trained-on"))
        ]
        assert bases.count_unknown(connection) == 6
        assert models.find_revision(connection, 1, ROOT, 1) is not None
        assert "base" in METADATA.tables
    with database.writing() as connection:  # and new ones go on from there
        note_bases(connection, 4, [Base("model", "org/base", "", ("merge",))])
    database.close()
