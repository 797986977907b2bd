"""Packs of a team that have to be signed: by somebody whom a trust file believes about the pack of that id (``says = ["pack"]``).

The folder of a pack is signed as a whole (``openvet sign --key KEY acme`` writes ``acme/model.sig``), or each of its files by itself
(``acme/pack.yaml.sig``), which counts first. Which pack it is says the signed file, and no name of a folder.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, date, datetime

from openvet.core.text import printable
from openvet.errors import VerifyError
from openvet.evidence.model_signature import SINGLE
from openvet.evidence.trust import PACK
from openvet.policy.yaml_reader import PackError

__all__ = ["Verify", "signed_by"]

#: Verifies one file of a pack: the pack's folder, the file's path and how messages name it, the pack's id, the file's bytes. Raises
#: :class:`openvet.policy.yaml_reader.PackError`.
Verify = Callable[[str, str, str, str, bytes], None]


def signed_by(trust: str, day: date) -> Verify:
    """Verifies files of packs by a trust file, as of the end of ``day``.

    Raises:
        ConfigError: the trust file makes no sense.
    """
    from openvet.evidence.keyless import load_trusted_root
    from openvet.workflows.model_files import default_signature
    from openvet.workflows.trust_file import load_trust
    from openvet.workflows.trusted import TrustCheck
    from openvet.workflows.verify import verify

    found = load_trust(trust)
    at = datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)

    def check(folder: str, path: str, pack: str, data: bytes) -> None:
        alone = os.path.lexists(default_signature(path))
        if not alone and not os.path.lexists(default_signature(folder)):
            raise VerifyError("missing", "neither it nor its folder has a signature")
        asked = TrustCheck(found, at, pack, root=lambda: load_trusted_root(None), kind=PACK)
        signed = verify(path if alone else folder, asked).statement
        name = SINGLE if alone else os.path.relpath(path, folder).replace(os.sep, "/")
        pieces = signed.resources if alone else signed.files.get(name, ())
        if hashlib.sha256(data).hexdigest() not in {each.digest for each in pieces if each.algorithm == "sha256"}:
            raise VerifyError("mismatch", "the signature does not hold the SHA-256 of the file that was read")

    def told(folder: str, path: str, shown: str, pack: str, data: bytes) -> None:
        try:
            check(folder, path, pack, data)
        except VerifyError as error:
            raise PackError(
                f"{shown}:1: is not signed as it has to be: {error.reason}: {error.message}; sign the pack's folder (openvet sign --key KEY "
                f'{printable(folder)}), and let {printable(trust)} have a [[grant]] with says = ["pack"] and models = ["{pack}"]'
            ) from None

    return told
