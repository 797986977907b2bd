"""Two bills of materials in files, read and compared."""

from __future__ import annotations

import json
from typing import Any, Final

from openvet.bom.compare import Difference, compare
from openvet.bom.foreign import Foreign, read_bill
from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import MalformedError, UsageError

__all__ = ["Compared", "compare_bills"]

_MOST: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Compared:
    """Two bills and what differs; ``paths`` are printable."""

    paths: tuple[str, str]
    bills: tuple[Foreign, Foreign]
    difference: Difference

    def to_json(self) -> dict[str, Any]:
        return {
            "bills": [
                {
                    "path": path,
                    "form": bill.form,
                    "version": bill.version,
                    "components": len(bill.entries),
                    "leftOut": bill.left_out,
                }
                for path, bill in zip(self.paths, self.bills, strict=True)
            ],
            **self.difference.to_json(),
        }


def compare_bills(one: str, other: str) -> Compared:
    """Read both files and compare them.

    Raises:
        UsageError: a file cannot be read, or is no bill in a form that is read.
    """
    bills = (_read(one), _read(other))
    return Compared((printable(one), printable(other)), bills, compare(*bills))


def _read(path: str) -> Foreign:
    shown = printable(path)
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST + 1)
    except OSError as error:
        raise UsageError(f"{shown}: {error.strerror}") from None
    if len(data) > _MOST:
        raise UsageError(f"{shown} has more than {_MOST} bytes")
    try:
        return read_bill(json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object))
    except MalformedError as error:
        raise UsageError(f"{shown}: {error.message}") from None
    except RecursionError:
        raise UsageError(f"{shown} is nested too deeply") from None
    except ValueError as error:
        raise UsageError(f"{shown} is no JSON: {printable(str(error))[:200]}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a key is there twice, so that two readers could take it for two things")
    return out
