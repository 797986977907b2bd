"""Writes src/openvet/data/publishers.json from publishers.toml: the table that people keep, in the form that a start can afford to read.

usage: tools/publishers.py [--check]

``--check`` writes nothing and fails when the file is not what the table says.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "src" / "openvet" / "data"


def compiled() -> str:
    """The table as JSON, by what one looks for."""
    import tomllib

    from openvet.publishers._spelling import letters, skeleton

    table = tomllib.loads((DATA / "publishers.toml").read_text(encoding="utf-8"))
    accounts = {name: each["id"] for each in table["publisher"] for name in each["accounts"]}
    table["byAccount"] = {name.casefold(): [name, owner] for name, owner in accounts.items()}
    table["forms"] = {skeleton(name): [name, letters(name)] for name in accounts}
    table["ordinary"] = sorted(name.casefold() for name in table["ordinary"])
    return json.dumps(table, ensure_ascii=False, separators=(",", ":")) + "\n"


def main() -> int:
    path = DATA / "publishers.json"
    if "--check" in sys.argv[1:]:
        return 0 if path.read_text(encoding="utf-8") == compiled() else 1
    path.write_text(compiled(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
