"""The table of publishers: what it may say, that each account is somebody's once, and that the start reads what people wrote."""

from __future__ import annotations

import re
import runpy
import sys
import time
from pathlib import Path

import pytest

from openvet.core.tables import read_table
from openvet.publishers.known import known

ROOT = Path(__file__).resolve().parents[2]
TABLE = read_table("publishers")
FIELDS = {
    "id",
    "name",
    "accounts",
    "seen_in",
    "families",
    "legal_name",
    "seat",
    "law",
    "says",
    "source",
    "date",
    "read_in",
}


def test_the_compiled_table_is_the_one_that_people_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["publishers.py", "--check"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "tools" / "publishers.py"), run_name="__main__")
    assert ended.value.code == 0, "run tools/publishers.py"


def test_every_publisher_is_whole() -> None:
    assert len(TABLE["publisher"]) >= 100
    for each in TABLE["publisher"]:
        assert {"id", "name", "accounts", "seen_in"} <= each.keys() <= FIELDS, each["id"]
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each["id"])
        assert each["accounts"]
        assert {"seat", "law", "says", "source", "date", "read_in"} & each.keys() == set() or "legal_name" in each, (
            each["id"]
        )
        if "legal_name" in each:  # whatever is said of a company has its text and its day
            assert re.match(r"https://", each["source"])
            assert re.fullmatch(r"20\d\d-\d\d(-\d\d)?", each["date"])
        assert re.fullmatch(r"[A-Z]{2}", each.get("seat", "XX"))
        assert all(family == family.lower() for family in each.get("families", ()))


def test_ids_and_accounts_are_somebodys_once() -> None:
    ids = [each["id"] for each in TABLE["publisher"]]
    accounts = [name.casefold() for each in TABLE["publisher"] for name in each["accounts"]]
    assert len(ids) == len(set(ids))
    assert len(accounts) == len(set(accounts))
    assert not set(accounts) & {each.casefold() for each in TABLE["ordinary"]}
    assert not set(TABLE["affixes"]) & set(TABLE["honest"])
    assert len(known().forms) == len(accounts), "two accounts look alike"


def test_texts_name_a_publisher_only_as_a_whole() -> None:
    for text, owner in (
        ("Meta Platforms, Inc.", "meta"),
        ("google", "google"),
        ("Mistral AI", "mistral"),
        ("me at Google", None),
        ("", None),
    ):
        found = known().of_text(text)
        assert (None if found is None else found.id) == owner, text


def test_it_is_read_in_a_moment() -> None:
    best = 1.0
    for _ in range(5):
        known.cache_clear()
        start = time.process_time()
        known()
        best = min(best, time.process_time() - start)
    assert best < 0.02
