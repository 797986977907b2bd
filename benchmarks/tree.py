"""How long ``openvet check`` takes on a big folder that is no model, and what it says it did not read.

usage: ``python benchmarks/tree.py [FOLDER]`` (default ``.venv``). The target is one minute, no traceback, and every
unread kind named.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from measure import openvet


def main() -> int:
    folder = sys.argv[1] if len(sys.argv) > 1 else ".venv"
    with tempfile.TemporaryDirectory() as place:
        output = Path(place) / "report.json"
        start = time.perf_counter()
        command = openvet("check", folder, "--format", "json", "--output", output)
        done = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        taken = time.perf_counter() - start
        if done.returncode not in {0, 1, 3}:
            print(f"{folder}: exited with {done.returncode}\n{done.stderr}", file=sys.stderr)
            return 2
        report: dict[str, Any] = json.loads(output.read_text())
    model = report["models"][0]
    files = model["statements"][0]["predicate"]["files"]
    size = sum(file["size"] for file in files)
    print(
        f"{folder}: {len(files)} files, {size / 1e6:.0f} MB, {taken:.1f} s (target 60 s), {model['decision']['verdict']}"
    )
    print(f"traceback: {'yes' if 'Traceback' in done.stderr else 'no'}")
    print("coverage:", dict(Counter(file["coverage"] for file in files)))
    print("findings:", dict(Counter(each["rule"] for file in files for each in file["findings"]).most_common()))
    reasons = Counter(f"{each['reason']}: {file['format']}" for file in files for each in file["unknowns"])
    print("not read:", json.dumps(dict(reasons.most_common()), indent=2))
    silent = [file["path"] for file in files if file["coverage"] in {"partial", "unread"} and not file["unknowns"]]
    print("not read and not explained:", silent[:20] or "none")
    return 0


if __name__ == "__main__":
    sys.exit(main())
