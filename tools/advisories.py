"""Make ``src/openvet/data/advisories/records.jsonl`` again from OSV records: a folder, a zip as OSV publishes one for each
ecosystem, or the small SQLite copy of one that some scanners ship.

    python tools/advisories.py --from all.zip 2026-11-28 https://osv.dev "OSV, PyPI"

Of several sources the first is the one whose day counts; a later one adds what it knows of other packages.

What is taken: records of packages in ``packages.toml`` of that folder, neither withdrawn nor about malicious packages. One problem
is one record: where GitHub and PyPA both describe it, GitHub's is kept with the ids of both. What is left out: texts (``details``),
lists of versions where ranges say the same, packages of other ecosystems. Nothing is added: what OpenVet knows of triggers stands
in ``loaders.toml``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sqlite3
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[1] / "src" / "openvet" / "data" / "advisories"
_KEPT = ("id", "modified", "published", "aliases", "summary", "severity", "references")
_REFERENCES = 4


def name_of(text: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", text).lower()


def records(source: Path) -> Iterator[dict[str, Any]]:
    """Every OSV record in ``source``."""
    if source.is_dir():
        for each in sorted(source.rglob("*.json")):
            yield json.loads(each.read_bytes())
        for each in sorted(source.rglob("*.yaml")):  # as PyPA keeps them
            yield _plain(yaml.load(each.read_bytes(), yaml.CSafeLoader))
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".json"):
                    yield json.loads(archive.read(name))
    else:
        yield from _from_sqlite(source)


def _plain(value: Any) -> Any:
    """YAML's times as the texts that OSV has."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value


def _from_sqlite(source: Path) -> Iterator[dict[str, Any]]:
    """The tables ``advisories`` and ``affected`` of ml-guard (package ``mlsupplychain``)."""
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as base:
        affected: dict[str, list[dict[str, Any]]] = {}
        for one, package, ranges, versions in base.execute("SELECT * FROM affected ORDER BY 1, 2"):
            about = {"ecosystem": "PyPI", "name": package}
            spans, listed = json.loads(ranges or "[]"), json.loads(versions or "[]")
            affected.setdefault(one, []).append({"package": about, "ranges": spans, "versions": listed})
        query = "SELECT id, summary, severity, aliases, published, modified, is_withdrawn, is_malicious FROM advisories"
        for one, summary, severity, aliases, published, modified, withdrawn, malicious in base.execute(query):
            if malicious:
                continue
            out: dict[str, Any] = {
                "id": one, "summary": summary, "aliases": json.loads(aliases or "[]"), "published": published,
                "modified": modified, "affected": affected.get(one, []),
            }  # fmt: skip
            if severity:
                out["database_specific"] = {"severity": severity}
            if withdrawn:
                out["withdrawn"] = modified
            yield out


def shrunk(record: Mapping[str, Any], wanted: frozenset[str]) -> dict[str, Any] | None:
    """What the snapshot keeps of a record; ``None`` where it is about nothing that is wanted."""
    if record.get("withdrawn") or str(record["id"]).startswith("MAL-"):
        return None
    affected = []
    for each in record.get("affected", []):
        package = each.get("package", {})
        if package.get("ecosystem") != "PyPI" or name_of(package.get("name", "")) not in wanted:
            continue
        ranges = [one for one in each.get("ranges", []) if one.get("type") == "ECOSYSTEM"]
        kept: dict[str, Any] = {"package": {"ecosystem": "PyPI", "name": name_of(package["name"])}}
        if ranges:
            kept["ranges"] = [{"type": "ECOSYSTEM", "events": one["events"]} for one in ranges]
        elif each.get("versions"):
            kept["versions"] = each["versions"]
        else:
            continue
        affected.append(kept)
    if not affected:
        return None
    out = {key: record[key] for key in _KEPT if record.get(key)}
    for key in ("published", "modified"):
        if key in out:
            out[key] = re.sub(r"\.\d+Z$", "Z", out[key])
    if "references" in out:
        out["references"] = out["references"][:_REFERENCES]
    out["affected"] = sorted(affected, key=lambda each: each["package"]["name"])
    severity = record.get("database_specific", {}).get("severity")
    if isinstance(severity, str):
        word = severity.lower()
        out["database_specific"] = {"severity": "MODERATE" if word == "medium" else word.upper()}
    return out


def merged(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One record for each problem: those of PyPA go where GitHub describes the same, and leave their ids there."""
    best: dict[str, dict[str, Any]] = {}
    for each in sorted(found, key=lambda each: (not each["id"].startswith("GHSA-"), each["id"])):
        names = {each["id"], *each.get("aliases", [])}
        # records that share no more than a CVE are told apart where they are about other packages
        same = next((best[name] for name in sorted(names) if name in best), None)
        packages = {one["package"]["name"] for one in each["affected"]}
        if same is not None and packages <= {one["package"]["name"] for one in same["affected"]}:
            same["aliases"] = sorted((names | set(same.get("aliases", []))) - {same["id"]})
            for name in names:
                best.setdefault(name, same)
            continue
        if "aliases" in each:
            each["aliases"] = sorted(set(each["aliases"]) - {each["id"]})
        for name in names:
            best.setdefault(name, each)
        best[f"kept {each['id']}"] = each
    return sorted((each for name, each in best.items() if name.startswith("kept ")), key=lambda each: each["id"])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--from", dest="sources", action="append", required=True, nargs=4, metavar=("PATH", "DATE", "URI", "TEXT")
    )
    asked = parser.parse_args(arguments)
    table = tomllib.loads((FOLDER / "packages.toml").read_text(encoding="utf-8"))
    left = {name_of(each) for names in table.values() for each in names}
    found: list[dict[str, Any]] = []
    heads = []
    for path, retrieved, uri, text in asked.sources:
        taken = [kept for each in records(Path(path)) if (kept := shrunk(each, frozenset(left)))]
        covered = sorted({one["package"]["name"] for each in taken for one in each["affected"]})
        found += taken
        left -= set(covered)
        heads.append({"retrieved": retrieved, "uri": uri, "text": text, "packages": covered})
    out = merged(found)
    data = "".join(
        f"{json.dumps(each, ensure_ascii=False, sort_keys=True, separators=(',', ':'))}\n" for each in out
    ).encode()
    (FOLDER / "records.jsonl").write_bytes(data)
    lines = [
        "# Written by tools/advisories.py.",
        f"records = {len(out)}",
        f'sha256 = "{hashlib.sha256(data).hexdigest()}"',
    ]
    for head in heads:
        lines += [
            "",
            "[[source]]",
            *(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in head.items()),
        ]
    (FOLDER / "records.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(out)} records of {len(found)} that are about these packages, {len(data)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
