"""Lists of a gate that holds 10,000 models with 100 findings each, on SQLite: the milliseconds of each page.

usage: ``python benchmarks/hub_lists.py [--models N] [--runs N]``

Every model has a commit, a report with 100 findings, a signed line of 2 kB for what policy decided, and a summary, and names another one and a name from
elsewhere as what it was made of; each tenth was approved by people for a project, each hundredth was revoked. A page is timed from asking the database to the last row, with the transaction around it.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from typing import Any

from sqlalchemy import Table, insert

from openvet.gate.identity import Identity
from openvet.gate.lineage import Lineage
from openvet.gate.roles import ROOT, Grant, Role
from openvet.store import bases, lists, models, uses
from openvet.store.database import Connection, Database, open_database
from openvet.store.people import Person
from openvet.store.tables import BASE, DECISION, JOB, PROJECT, PULL, REPOSITORY, REVISION, SUMMARY, VETTING

TARGET = 0.300
FINDINGS = 100
NOW = 1_795_867_200_000
SEVERITIES = ("critical", "high", "medium", "low")


def fill(database: Database, count: int) -> None:
    """The models, in one transaction."""
    seeded = random.Random(7)
    findings = [
        {"rule": f"pickle/rule-{at % 37}", "severity": SEVERITIES[at % 4], "message": "It runs a program when it is loaded. " * 3, "place": f"part-{at}.bin"}
        for at in range(FINDINGS)
    ]  # fmt: skip
    report = zlib.compress(json.dumps(findings).encode() + seeded.randbytes(4000))
    line = seeded.randbytes(2000)
    ids = range(1, count + 1)
    names = [f"org-{seeded.randrange(500)}/model-{at}" for at in ids]
    rows: dict[Table, list[dict[str, Any]]] = {
        REPOSITORY: [{"id": at, "kind": "model", "name": name, "upstream": "up", "first_seen": at} for at, name in zip(ids, names, strict=True)],
        REVISION: [{"id": at, "repository": at, "commit_id": f"{at:040x}", "upstream": "up", "about": "{}" * 500, "listed_at": at} for at in ids],
        JOB: [{"id": at, "kind": "vet", "key": f"vet:{at}:all", "payload": "{}", "state": "done", "fence": 1, "attempts": 1, "not_before": 0, "lease_until": 0, "error": "", "added": at, "finished": at} for at in ids],
        VETTING: [{"id": at, "revision": at, "job": at, "scope": "all", "stage": "bytes", "state": "done", "verdict": "admit", "reason": "", "bytes_total": 1, "bytes_done": 1, "started": at, "finished": at, "report": report, "lines": line} for at in ids],
        SUMMARY: [{"revision": at, "vetting": at, "verdict": "review", "license": ("MIT", "Apache-2.0")[at % 2], "critical": 25, "high": 25, "medium": 25, "low": 25, "rules": " " + " ".join(f"pickle/rule-{each}" for each in range(37)) + " ", "advisories": f" CVE-2026-{at % 1000} ", "bases": 2} for at in ids],
        BASE: [
            {"revision": at, "kind": "model", "name": name, "key": bases.key_of(name), "version": "", "relations": "finetune", "verdict": ""}
            for at in ids
            for name in (names[at // 3], f"far/away-{at % 700}")
        ],
        DECISION: [{"revision": at, "kind": "policy", "outcome": ("admit", "review", "reject")[at % 3], "project": "/", "until": None, **same(line)} for at in ids]
        + [{"revision": at, "kind": "approval", "outcome": "admit", "project": "/vision", "until": NOW + 1, **same(line)} for at in ids if at % 10 == 0]
        + [{"revision": at, "kind": "revocation", "outcome": "reject", "project": "/", "until": None, **same(line)} for at in ids if at % 100 == 0],
        PROJECT: [{"path": each, "title": each, "added": 1} for each in ("/", "/vision")],
        PULL: [{"revision": at, "path": "a", "sha256": "0" * 64, "person": None, "agent": f"torch/2.{at % 10}.0; hf_hub/2.4.0; session_id/{at}", "address": "", "bytes": 9, "at": NOW - at, "project": ("/vision", "/", None)[at % 3]} for at in ids],
    }  # fmt: skip
    with database.writing() as connection:
        for table, values in rows.items():
            for start in range(0, len(values), 1000):
                connection.execute(insert(table), values[start : start + 1000])
        connection.exec_driver_sql("ANALYZE")


def same(line: bytes) -> dict[str, object]:
    return {"scope": "all", "reason": "because", "by": "policy", "at": 1, "conditions": "", "vetting": None, "line": line, "published": True}  # fmt: skip


def everybody() -> Identity:
    """Somebody who may see everything."""
    person = Person(1, "root", "", service=False, subject=None, added=0, disabled=None)
    return Identity(person, (Grant(Role.ADMIN, ROOT),))


def main() -> int:
    """Fill, list, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=7)
    asked = parser.parse_args()
    where = ["/", "/vision"]
    missed = 0
    who = everybody()
    with tempfile.TemporaryDirectory(prefix="hub-lists-") as folder:
        database = open_database(f"sqlite:///{folder}/openvet.db")
        fill(database, asked.models)

        def page(**which: object) -> Callable[[Connection], object]:
            return lambda connection: models.list_models(connection, where, NOW, limit=100, **which)  # type: ignore[arg-type]

        pages: dict[str, Callable[[Connection], object]] = {
            "first page, by name": page(),
            "a page in the middle": page(after="org-250/model-9 model"),
            "the newest first": page(newest=True),
            "search": page(search="model-77"),
            "search that finds nothing": page(search="nothing-of-that-name"),
            "refused": page(standing=("refused",)),
            "revoked (one in a hundred)": page(standing=("revoked",)),
            "open (none)": page(standing=("open",)),
            "by licence": page(license="apache"),
            "by a rule": page(rule="pickle/rule-36"),
            "by an advisory": page(advisory="CVE-2026-7"),
            "how many stand how": lambda connection: models.count_standings(connection, where, NOW),
            "decisions of people": lambda connection: lists.list_decided(
                connection, projects=where, kinds=("approval", "revocation")
            ),
            "who had what": uses.list_uses,
            "what was pulled for which": lambda connection: uses.uses_by_project(connection, where),
            "what is used by clients": lambda connection: list(uses.agents_since(connection, 0)),
        }
        lineage = Lineage(database, lambda: NOW)
        built = f"org-{random.Random(7).randrange(500)}/model-1"  # all others, level by level
        pages |= {
            "bases, with what is built": lambda _: lineage.bases(who, project="/vision", limit=20, lines=8),
            "bases in trouble": lambda _: lineage.bases(who, project="/vision", troubled=True, limit=100),
            "what is built on what": lambda _: lineage.built_on(who, project="/vision", limit=100),
            "built on one, all levels": lambda _: lineage.built_on(who, built, project="/vision", limit=50),
            "built on one far away": lambda _: lineage.built_on(who, "far/away-7", project="/vision", limit=50),
            "what one was made of": lambda _: lineage.made_of(who, asked.models, project="/vision", limit=20),
        }
        for name, read in pages.items():
            took = []
            for _ in range(asked.runs):
                began = time.perf_counter()
                with database.reading() as connection:
                    read(connection)
                took.append(time.perf_counter() - began)
            median = statistics.median(took)
            missed += median > TARGET
            print(
                f"{name:28}  median {median * 1000:6.1f} ms  best {min(took) * 1000:6.1f} ms  target {TARGET * 1000:.0f} ms  {'missed' if median > TARGET else 'met'}"
            )
        database.close()
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
