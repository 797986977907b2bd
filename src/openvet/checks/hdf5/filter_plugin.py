"""An HDF5 file needs a filter that the library loads from a shared library.

What it finds:
    Filters of datasets that HDF5 and h5py do not have themselves. Each number is named once.

Why it matters:
    HDF5 looks for a shared library with that filter in the folders of ``HDF5_PLUGIN_PATH`` and loads it into the process.
    Whoever can put a file there runs code when the dataset is read. The file itself carries no code.

Example:
    A dataset with the filter 61234, which nobody has registered.

Remedy:
    Ask for a file without that filter, or install the filter from a source that you trust (``hdf5plugin`` has the
    registered ones) before you load it.

What it cannot see:
    Which libraries are installed where the file is loaded.

References:
    https://support.hdfgroup.org/services/filters.html ; CWE-114.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="hdf5/filter-plugin",
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(114,),
    needs=("hdf5",),
    recorded=True,
)

#: The HDF Group registers filters from here on; below are numbers for testing, from which nobody publishes.
_REGISTERED = range(305, 32768)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each filter of each file; registered ones are a note."""
    for anomaly in ctx.inventory.anomalies(RULE.id):
        registered = anomaly.evidence.get("filter") in _REGISTERED
        yield ctx.finding(
            anomaly.location,
            anomaly.message,
            "Ask for a file without that filter, or install the filter from a source that you trust.",
            severity=Severity.NOTE if registered else None,
            evidence=anomaly.evidence,
        )
