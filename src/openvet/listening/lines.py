"""What rooms and libraries say to Python's logging, as lines of a server's log."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime

__all__ = ["LogLines"]


class LogLines(logging.Handler):
    """Hands each record on as a line, as ``text`` or ``json``."""

    def __init__(self, log: Callable[[str], None], form: str) -> None:
        super().__init__(logging.INFO)
        self._log, self._form = log, form

    def emit(self, record: logging.LogRecord) -> None:
        """One record."""
        try:
            text = record.getMessage()
            if record.exc_info:
                text += "\n" + logging.Formatter().formatException(record.exc_info)
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            value = {"time": now, "event": "log", "level": record.levelname.lower(), "from": record.name, "text": text}
            self._log(json.dumps(value) if self._form == "json" else f"{now} {record.levelname} {record.name}: {text}")
        except Exception:  # noqa: BLE001 - as logging asks of a handler
            self.handleError(record)
