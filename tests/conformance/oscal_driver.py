"""Runs in the environment with compliance-trestle: reads OSCAL from standard input, and says what it finds wrong, as one line of JSON."""

from __future__ import annotations

import importlib
import json
import sys


def main() -> dict[str, object]:
    module = importlib.import_module("trestle.oscal.assessment_results")
    try:
        found = module.Model.model_validate(json.load(sys.stdin))
    except ValueError as error:
        return {"error": str(error)[:2000]}
    results = found.assessment_results.results
    observations = sum(len(each.observations or ()) for each in results)
    findings = sum(len(each.findings or ()) for each in results)
    return {"observations": observations, "findings": findings}


sys.stdout.write(json.dumps(main()))
