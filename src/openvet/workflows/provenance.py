"""What disarm made, and of what, as SLSA provenance: other people's tools can follow a weight back to the file that it came from.

The same input, options and version give the same statement: it has no time, since its signature is what says when it was vouched for.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict
from typing import Final

from openvet.core.text import printable
from openvet.evidence.predicates import NAMES
from openvet.evidence.predicates.fields import Descriptor
from openvet.evidence.predicates.provenance_v1 import Builder, Provenance
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.workflows.disarm import DisarmReport
from openvet.workflows.statements import rules_of

__all__ = ["BUILDER", "BUILD_TYPE", "provenance_of"]

BUILD_TYPE: Final = f"{NAMES}/builds/disarm/v1"
#: This program, run by whoever signed, wherever that was: no SLSA level is claimed.
BUILDER: Final = f"{NAMES}/builder/v1"


def provenance_of(report: DisarmReport, *, printed: bytes | None = None) -> Statement:
    """The unsigned statement about every file that was made.

    Args:
        printed: the report as it is in a file beside it, which then is a by-product.
    """
    made: list[ResourceDescriptor] = []
    inputs: list[Descriptor] = []
    single = (
        not report.copied and not report.indexes and len(report.files) == 1 and report.files[0].target == report.target
    )

    def output(name: str, digest: str) -> None:
        made.append(ResourceDescriptor(printable(os.path.basename(name) if single else name), {"sha256": digest}))

    for file in report.files:
        output(file.target, file.target_digest)
        inputs.append(Descriptor(name=printable(file.source), digest={"sha256": file.source_digest}))
        if file.saved is not None and file.saved_digest is not None:
            output(file.saved, file.saved_digest)
    for each in report.copied:
        output(each.name, each.digest)
        inputs.append(Descriptor(name=printable(each.name), digest={"sha256": each.digest}))
    for each in report.indexes:
        output(each.name, each.digest)
    known = report.checked.scan.tool
    by = () if printed is None else (Descriptor(name="report", digest={"sha256": hashlib.sha256(printed).hexdigest()}, media_type="application/json"),)  # fmt: skip
    predicate = Provenance(
        build_type=BUILD_TYPE,
        external={
            "source": os.path.basename(os.path.normpath(report.source)),
            "dropTheRest": report.options.drop_the_rest,
            "saveRest": report.options.save_rest,
            "copyOthers": report.options.copy_others,
        },
        internal={"limits": asdict(report.options.limits)},
        inputs=tuple(inputs),
        builder=Builder(BUILDER, {known.name: known.version}, (rules_of(known),)),
        byproducts=(Descriptor(name="outcome", uri=f"{BUILD_TYPE}#{report.outcome}"), *by),
    )
    return Statement(made[0], predicate, tuple(made[1:]))
