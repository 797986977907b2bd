"""Runs in the environment with other people's readers of bills: says for each document what they find wrong, one line each.

``aibom`` is the folder of OWASP's generator, whose completeness score is asked where one is given; it is no package.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any


def cyclonedx(text: str) -> dict[str, Any]:
    from cyclonedx.model.bom import Bom
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    error = JsonStrictValidator(SchemaVersion.V1_7).validate_str(text)
    if error is not None:
        return {"error": str(error)[:500]}
    read: Any = Bom.from_json(json.loads(text))
    return {"components": len(read.components), "subject": read.metadata.component.name}


def spdx(text: str) -> dict[str, Any]:
    from spdx_python_model import v3_0_1 as model

    objects = model.SHACLObjectSet()
    model.JSONLDDeserializer().read(io.BytesIO(text.encode()), objects)
    return {"objects": len(list(objects.foreach())), "missing": sorted(objects.missing_ids)}


def ntia(text: str, standard: str) -> dict[str, Any]:
    from ntia_conformance_checker.sbom_checker import SbomChecker

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        path = Path(folder, "bom.json")
        path.write_text(text)
        checker: Any = SbomChecker(str(path), compliance=standard, sbom_spec="spdx3")
        return {
            "parsing": list(checker.parsing_error),
            "author": bool(checker.doc_author),
            "timestamp": bool(checker.doc_timestamp),
            "relationships": bool(checker.dependency_relationships),
            "messages": [str(each)[:200] for each in checker.validation_messages or ()],
        }


def score(text: str, folder: str) -> dict[str, Any]:
    logging.disable(logging.CRITICAL)
    package = types.ModuleType("aibom_models")
    package.__path__ = [f"{folder}/src/models"]
    sys.modules["aibom_models"] = package
    scoring = importlib.import_module("aibom_models.scoring")
    found = scoring.calculate_completeness_score(json.loads(text), validate=True)
    return {"score": found["total_score"], "missing": found["missing_fields"], "valid": found["validation"]}


_ASKED: dict[str, Callable[..., dict[str, Any]]] = {"cyclonedx": cyclonedx, "spdx": spdx, "ntia": ntia, "score": score}

for line in sys.stdin:
    case = json.loads(line)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            answer = _ASKED[case["ask"]](*case["with"])
    except Exception as error:  # noqa: BLE001 - whatever it raises is its answer
        answer = {"error": f"{type(error).__name__}: {error}"[:500]}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
