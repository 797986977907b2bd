"""Runs in the environment with compliance-trestle: reads OSCAL from standard input, and says what it finds wrong, as one line of JSON."""

from __future__ import annotations

import json
import sys


def main() -> None:
    from trestle.oscal.assessment_results import Model

    try:
        found = Model.model_validate(json.load(sys.stdin))
    except ValueError as error:
        print(json.dumps({"error": str(error)[:2000]}))
        return
    results = found.assessment_results.results
    observations = sum(len(each.observations or ()) for each in results)
    findings = sum(len(each.findings or ()) for each in results)
    print(json.dumps({"observations": observations, "findings": findings}))


main()
