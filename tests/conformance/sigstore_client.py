"""What sigstore-conformance asks a client for, answered by OpenVet: one command after its protocol, or all cases of a folder.

::

    sigstore_client.py verify-bundle --bundle FILE (--key FILE | --certificate-identity ID --certificate-oidc-issuer URL)
                                     [--trusted-root FILE] FILE_OR_DIGEST
    sigstore_client.py cases FOLDER  the suite's test/assets/bundle-verify; each case twice, by file and by digest, a line of JSON each

It runs where the library ``sigstore`` is installed, with our sources in PYTHONPATH. In one process all cases take two seconds.

Source: sigstore/sigstore-conformance ``docs/cli_protocol.md``, ``test/client.py`` and ``test/assets/bundle-verify/README.md``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from functools import cache
from pathlib import Path

from openvet.errors import UsageError, VerifyError
from openvet.evidence.file_bundle import FileBundle
from openvet.evidence.file_signature import verify_file_keyless, verify_file_with_key
from openvet.evidence.keys import load_public
from openvet.evidence.trusted_root import SigstoreRoot, load_trusted_root

BEACON = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows"
IDENTITY = f"{BEACON}/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
ISSUER = "https://token.actions.githubusercontent.com"


@cache
def root_of(path: str | None) -> SigstoreRoot:
    return load_trusted_root(None if path is None else Path(path).read_bytes())


def digest_of(text: str) -> bytes:
    """The protocol: a digest where it looks like one and no such file is there, else a file."""
    found = re.fullmatch(r"sha256:([0-9a-f]{64})", text)
    if found and not Path(text).exists():
        return bytes.fromhex(found[1])
    return hashlib.sha256(Path(text).read_bytes()).digest()


def answer(arguments: list[str]) -> str:
    """``ok``, or the reason and what is wrong."""
    asked = argparse.ArgumentParser()
    asked.add_argument("verb", choices=["verify-bundle"])
    for name in ("bundle", "key", "certificate-identity", "certificate-oidc-issuer", "trusted-root"):
        asked.add_argument(f"--{name}")
    asked.add_argument("subject")
    found = asked.parse_args(arguments)
    try:
        bundle, digest = FileBundle.parse(Path(found.bundle).read_bytes()), digest_of(found.subject)
        root = root_of(found.trusted_root)
        if found.key is not None:
            verify_file_with_key(bundle, digest, load_public(Path(found.key).read_bytes()), root)
        else:
            verify_file_keyless(bundle, digest, found.certificate_identity, found.certificate_oidc_issuer, root)
    except (UsageError, VerifyError) as error:
        return f"{getattr(error, 'reason', 'usage')}: {error}"
    return "ok"


def arguments_of(case: Path) -> tuple[list[str], Path]:
    """What the suite gives a client for a folder, and the file that was signed."""

    def said(name: str, otherwise: str) -> str:
        return (case / name).read_text().strip() if (case / name).exists() else otherwise

    out = ["verify-bundle", "--bundle", str(case / "bundle.sigstore.json")]
    if (case / "key.pub").exists():
        out += ["--key", str(case / "key.pub")]
    else:
        out += [
            "--certificate-identity",
            said("identity", IDENTITY),
            "--certificate-oidc-issuer",
            said("issuer", ISSUER),
        ]
    if (case / "trusted_root.json").exists():
        out += ["--trusted-root", str(case / "trusted_root.json")]
    own = case / "artifact"
    return out, own if own.exists() else case.parent / "a.txt"


def main() -> int:
    if sys.argv[1] != "cases":
        found = answer(sys.argv[1:])
        if found != "ok":
            sys.stderr.write(found + "\n")
        return found != "ok"
    for case in sorted(each for each in Path(sys.argv[2]).iterdir() if each.is_dir()):
        arguments, artifact = arguments_of(case)
        digest = hashlib.sha256(artifact.read_bytes()).hexdigest()
        for how, subject in (("file", str(artifact)), ("digest", f"sha256:{digest}")):
            sys.stdout.write(json.dumps([case.name, how, answer([*arguments, subject])]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
