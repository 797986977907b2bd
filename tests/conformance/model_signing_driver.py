"""Runs in model-signing's own environment: does what is asked on standard input, case by case, with the package's own code.

It is one process, since importing the package takes longer than all cases.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def do(case: dict[str, Any]) -> str:
    import model_signing

    hashing = model_signing.hashing.Config()
    hashing.set_ignored_paths(paths=case.get("ignore", []), ignore_git_paths=True)
    hashing.set_allow_symlinks(case.get("links", False))
    if case.get("shard_size"):
        hashing.use_shard_serialization(hashing_algorithm=case.get("hash", "sha256"), shard_size=case["shard_size"])
    else:
        hashing.use_file_serialization(hashing_algorithm=case.get("hash", "sha256"))
    if case["do"] == "sign":
        signing = model_signing.signing.Config().set_hashing_config(hashing)
        if case.get("certificate"):
            signing.use_certificate_signer(
                private_key=case["key"], signing_certificate=case["certificate"], certificate_chain=case["chain"]
            )
        else:
            signing.use_elliptic_key_signer(private_key=case["key"])
        signing.sign(Path(case["model"]), Path(case["signature"]))
    else:
        verifying = model_signing.verifying.Config()
        if case.get("links"):  # what it guesses from the signature forgets that links are allowed
            verifying.set_hashing_config(hashing)
        if case.get("chain"):
            verifying.use_certificate_verifier(certificate_chain=case["chain"])
        else:
            verifying.use_elliptic_key_verifier(public_key=case["key"])
        verifying.verify(Path(case["model"]), Path(case["signature"]))
    return "ok"


def main() -> None:
    for line in sys.stdin:
        case = json.loads(line)
        try:
            answer = do(case)
        except Exception as error:  # noqa: BLE001 - whatever it says is the answer
            answer = f"{type(error).__name__}: {error}"
        sys.stdout.write("\n" + json.dumps(answer) + "\n")  # the package prints too
        sys.stdout.flush()


if __name__ == "__main__":
    main()
