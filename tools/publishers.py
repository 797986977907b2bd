"""Writes src/openvet/data/publishers.json from publishers.toml: what every check asks of the table, in a form that a start can afford to read.

usage: tools/publishers.py [--check]

``--check`` writes nothing and fails when the file is not what the table says.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "src" / "openvet" / "data"


def compiled() -> str:
    """Accounts and words as JSON, by what one looks for."""
    import tomllib

    from openvet.publishers._spelling import letters, skeleton

    table = tomllib.loads((DATA / "publishers.toml").read_text(encoding="utf-8"))
    accounts = {name: each["id"] for each in table["publisher"] for name in each["accounts"]}
    made = {
        "byAccount": {name.casefold(): [name, owner] for name, owner in accounts.items()},
        "forms": {skeleton(name): [name, letters(name)] for name in accounts},
        "ordinary": sorted(name.casefold() for name in table["ordinary"]),
        **{name: table[name] for name in ("affixes", "honest", "derived", "plain")},
    }
    return json.dumps(made, ensure_ascii=False, separators=(",", ":")) + "\n"


def main() -> int:
    path = DATA / "publishers.json"
    if "--check" in sys.argv[1:]:
        return 0 if path.read_text(encoding="utf-8") == compiled() else 1
    path.write_text(compiled(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
