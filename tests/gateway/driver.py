"""A server of the stand-in in a process of its own: ``python -m tests.gateway.driver JSON``. Prints its address, and at its end what ended it."""

# ruff: noqa: T201 - a process that speaks to the test that started it
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from openvet.engines.model import Model
from openvet.gateway.desk import Limits
from openvet.gateway.ending import TerminatedError, ends_on_term
from openvet.gateway.serve import Serving, serve
from tests.gateway.stand_in import opener


def main() -> None:
    asked: dict[str, Any] = json.loads(sys.argv[1])
    limits = Limits(**asked.pop("limits", {}))
    model = opener(asked.pop("python"), Path(asked.pop("folder")), **asked.pop("options", {}))
    origins = tuple(asked.pop("origins", ()))
    serving = Serving(port=0, limits=limits, origins=origins, **asked)

    def say(address: str, _: Model) -> None:
        print(address, flush=True)

    def log(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        with ends_on_term():
            served = serve(model, "stand-in", lambda _: {"digest": "sha256:00"}, serving, say, log)
    except TerminatedError:
        print("terminated early", flush=True)
        return
    print(json.dumps([served.signal, served.failed]), flush=True)


if __name__ == "__main__":
    main()
