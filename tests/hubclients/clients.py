"""Clients of a hub in environments of their own, each a process that is asked over a pipe. ``make clients`` makes the environments."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / ".cache" / "clients"
HUBS = {"hub-0": "0.36.2", "hub-1": "1.33.0", "hub-2": "2.4.0"}


def is_made(name: str) -> bool:
    """Whether the environment is there."""
    return (PLACE / name / ".made").exists()


def environment(url: str, home: Path, **more: str) -> dict[str, str]:
    """Variables of a client that knows of nothing but our server."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    settings = {
        "HOME": str(home),
        "HF_HOME": str(home / "hf"),
        "HF_ENDPOINT": url,
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_PROXY": "*",
        "PYTHONWARNINGS": "ignore",
        "OMP_NUM_THREADS": "1",
    }
    return {**kept, **settings, **more}


class Client:
    """One process of a client. Leaving the block ends it."""

    def __init__(self, name: str, url: str, home: Path, **more: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [str(PLACE / name / "bin" / "python"), str(Path(__file__).with_name("driver.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=home,
            env=environment(url, home, **more),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def ask(self, do: str, **asked: Any) -> dict[str, Any]:
        """What came of it: ``value``, or ``error``, ``said`` and ``shown``; and what was ``logged``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **asked}) + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told

    def value(self, do: str, **asked: Any) -> Any:
        """What came of it, which has to be no error."""
        told = self.ask(do, **asked)
        assert "value" in told, told["shown"]
        return told["value"]


def command(name: str, url: str, home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """``hf`` of an environment, and what a person sees of it."""
    return subprocess.run(
        [str(PLACE / name / "bin" / "hf"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        env=environment(url, home, **more),
        timeout=120,
    )
