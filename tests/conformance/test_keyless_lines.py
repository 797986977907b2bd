"""A keyless bundle that became a line of a dossier is still one that Sigstore's own library verifies, offline."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.conformance.test_model_signing import PYTHON, ROOT, pytestmark
from tests.evidence.test_bundle import RELEASED

__all__ = ["pytestmark"]

LINES = """
import json, sys
from openvet.errors import VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.keyless import load_trusted_root, verify_keyless
from openvet.evidence.signing import parse_line, to_line

root, out = load_trusted_root(None), {}
for name, text in json.load(sys.stdin).items():
    bundle = parse_line(to_line(Bundle.parse(text.encode())), name)
    for who in ("stefanb@us.ibm.com", "somebody@else.example"):
        try:
            out[f"{name} {who}"] = verify_keyless(bundle, who, "https://sigstore.verify.ibm.com/oauth2", root).signer.identity
        except VerifyError as error:
            out[f"{name} {who}"] = error.reason
print(json.dumps(out))
"""


def test_keyless_lines_offline(tmp_path: Path) -> None:
    texts = {name: each["signature"] for name, each in RELEASED["signatures"].items() if name.endswith("sigstore")}
    assert texts
    home = {"PYTHONPATH": str(ROOT / "src"), "HOME": str(tmp_path), "PATH": "/nowhere"}
    done = subprocess.run(
        [PYTHON, "-c", LINES], input=json.dumps(texts), capture_output=True, text=True, check=True, env=home
    )
    found = json.loads(done.stdout)
    for name in texts:
        assert found[f"{name} stefanb@us.ibm.com"] == "stefanb@us.ibm.com"
        assert found[f"{name} somebody@else.example"] == "untrusted"
