"""Makes what OpenVet knows of licences from ``src/openvet/data/licenses``: ids.json and texts.bin.

    python tools/licenses.py            write both
    python tools/licenses.py --check    end with 1 where one of them is not what it would be now

To add a licence: an entry in ids.toml, its text in texts/ if it may be kept there, and this command.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from license_texts import index

from openvet.core.license_ids import bare
from openvet.licenses.words import phrase

FOLDER = Path(__file__).resolve().parent.parent / "src" / "openvet" / "data" / "licenses"
KEPT = ("name", "category", "hub", "links", "texts", "ai", "policy")


def ids(table: dict[str, Any], spdx: list[str], notices: dict[str, list[str]]) -> dict[str, Any]:  # noqa: C901
    """The table as it is asked: licences, exact ids, names without what people leave out, and links, each with its keys."""
    exact: dict[str, set[str]] = {}
    names: dict[str, set[str]] = {}
    links: dict[str, set[str]] = {}
    known = {each.lower() for each in spdx}
    for key, entry in table["license"].items():
        if entry["category"] not in table["categories"]:
            raise ValueError(f"{key}: no category {entry['category']}")
        exact.setdefault(key.lower(), set()).add(key)
        for each in entry.get("hub", ()):
            if each not in table["hub"]:
                raise ValueError(f"{key}: the hub has no id {each}")
            # SPDX's deprecated GPL-3.0 and the hub's gpl-3.0 are one spelling, and say neither "only" nor "or later"
            if each not in known or each.upper() != key.upper():
                exact.setdefault(each, set()).add(key)
        for each in (key, entry["name"], *entry.get("hub", ()), *entry.get("aliases", ())):
            _add_name(names, each, key)
        for each in entry.get("hub", ()):
            _add_name(names, table["hub"][each], key)
        for each in entry.get("links", ()):
            links.setdefault(each, set()).add(key)
    for family, members in table["families"].items():
        if unknown := set(members) - table["license"].keys():
            raise ValueError(f"{family}: {', '.join(sorted(unknown))}: not in the table")
        exact[family] = set(members)
    for each in ("other", "unknown"):
        exact[each] = set()
    for key in table["license"]:  # an id is sure, whatever else is called so
        exact[key.lower()] = {key}
        if key.endswith("-or-later"):  # SPDX's deprecated spelling
            exact[f"{key.lower().removesuffix('-or-later')}+"] = {key}
    for each in [each for each in names if len(each) < 2]:
        del names[each]
    return {
        "of": table["of"],
        "licenses": {
            key: {name: entry[name] for name in KEPT if name in entry} for key, entry in table["license"].items()
        },
        "hub": table["hub"],
        "families": table["families"],
        "ids": _sorted(exact),
        "names": _sorted(names),
        "links": _sorted(links),
        "spdx": spdx,
        "notices": _notices(notices, table["license"]),
    }


def _notices(notices: dict[str, list[str]], known: dict[str, Any]) -> list[list[Any]]:
    """Each sentence as a line of words and its keys, the longest first."""
    for sentence, keys in notices.items():
        if unknown := set(keys) - known.keys():
            raise ValueError(f"{sentence}: {', '.join(sorted(unknown))}: not in the table")
    made = [[phrase(sentence), keys] for sentence, keys in notices.items()]
    return sorted(made, key=lambda each: (-len(each[0]), each[0]))


def _add_name(names: dict[str, set[str]], name: str, key: str) -> None:
    short = bare(name)
    for each in {short, short.removesuffix(".0")}:
        if each:
            names.setdefault(each, set()).add(key)


def _sorted(found: dict[str, set[str]]) -> dict[str, list[str]]:
    return {name: sorted(found[name]) for name in sorted(found)}


def main() -> int:
    table = tomllib.loads((FOLDER / "ids.toml").read_text("utf-8"))
    spdx = (FOLDER / "spdx.txt").read_text("utf-8").split("\n\n", 1)[1].split()
    notices = tomllib.loads((FOLDER / "notices.toml").read_text("utf-8"))["notices"]
    texts = tomllib.loads((FOLDER / "texts.toml").read_text("utf-8"))
    named = {name for entry in table["license"].values() for name in entry.get("texts", ())}
    if strange := named ^ {path.stem for path in (FOLDER / "texts").glob("*.txt")}:
        raise ValueError(f"{', '.join(sorted(strange))}: either no text, or of no licence")
    made = {
        FOLDER / "texts.bin": index(FOLDER / "texts", texts),
        FOLDER / "ids.json": json.dumps(ids(table, spdx, notices), ensure_ascii=False, separators=(",", ":")).encode()
        + b"\n",
    }
    stale = [path for path, data in made.items() if not path.exists() or path.read_bytes() != data]
    for path in stale:
        print(f"{path.name}: {'is not what it would be' if '--check' in sys.argv else 'written'}")
        if "--check" not in sys.argv:
            path.write_bytes(made[path])
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
