"""The memory cliff: tokens a second of one GGUF model under falling limits of memory, its file out of the page cache before each start.

    .venv/bin/python benchmarks/memory_cliff.py MODEL.gguf --python VENV/bin/python

A model that is mapped and does not fit is read from storage again for each token. Beside the limits stand those of processor time, under which the rate
falls in proportion. Published figures of the same model, one thread on another machine: 260 MB 41, 140 MB 3.7 tokens/s, 90 MB no result in 60 s;
25 % 13.6, 50 % 28.8, 100 % 60 tokens/s.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from openvet.workflows.bench import Asked, Opened, bench
from openvet.workflows.bench_open import to_measure
from openvet.workflows.opening import Asked as Running

_MB = 1_000_000
_LIMITS = (600, 400, 260, 200, 140, 110, 90)
_QUOTAS = (1.0, 0.5, 0.25)


def measured(opened: Opened, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """Print a row for each limit, and give all of them."""
    rows = []
    print(f"{'limit':>12}  {'token/s':>8}  {'95 %':>15}  {'first token':>11}  {'load':>7}  {'resident':>9}  outcome")
    cases = [(each * _MB, None) for each in asked.limits] + [(None, each) for each in asked.quotas]
    for memory, cpus in [(None, None), *cases]:
        wanted = Asked(
            kind="generate", words=asked.words, tokens=asked.tokens, queries=1024, seconds=asked.seconds, patience=asked.patience, starts=1,
            memory=memory, cpus=cpus,
        )  # fmt: skip
        body = bench(opened, wanted).body
        rows.append(body.to_json())
        named = {each.name: each for each in body.figures}
        rate, first, load, peak = (
            named.get(each) for each in ("decode-rate", "first-token-p50", "cold-load", "peak-resident")
        )
        kept = all(each.enforced for each in body.limits)
        limit = f"{memory // _MB} MB" if memory else f"{cpus:g} core" if cpus else "none"
        print(
            f"{limit:>12}  {float(rate.value) if rate else 0:8.1f}  "
            f"{f'{float(rate.low):.1f} to {float(rate.high):.1f}' if rate and rate.low and rate.high else '':>15}  "
            f"{f'{float(first.value):.2f} s' if first else '':>11}  {f'{float(load.value):.2f} s' if load else '':>7}  "
            f"{f'{int(peak.value) / _MB:.0f} MB' if peak else '':>9}  "
            f"{body.outcome}{'' if kept else ', LIMIT NOT KEPT'}{'' if body.certified else ', not certified'}{f': {body.detail[:90]}' if body.detail else ''}",
            flush=True,
        )
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--python", default="")
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--words", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=15.0, help="of requests, for each limit")
    parser.add_argument("--patience", type=float, default=60.0, help="for a start, and for one request")
    parser.add_argument("--limits", type=int, nargs="*", default=list(_LIMITS), metavar="MB")
    parser.add_argument("--quotas", type=float, nargs="*", default=list(_QUOTAS), metavar="CORES")
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--json", metavar="FILE", help="write every measurement")
    asked = parser.parse_args()
    with to_measure(asked.model, Running(python=asked.python, context=asked.context)) as opened:
        rows = measured(opened, asked)
    if asked.json:
        with open(asked.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
