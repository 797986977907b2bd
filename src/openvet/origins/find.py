"""Which origin a name belongs to. A path that exists wins over any scheme."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from openvet.core.limits import DEFAULT_LIMITS, Limits
from openvet.core.text import printable
from openvet.errors import SubjectError
from openvet.origins.local import LocalOrigin

if TYPE_CHECKING:
    from openvet.origins.remote import RemoteOrigin

__all__ = ["SCHEMES", "find_origin"]

SCHEMES = ("hf:", "oci:")


def find_origin(
    path: str, *, exclude: Sequence[str] = (), limits: Limits = DEFAULT_LIMITS, whole: bool = False
) -> LocalOrigin | RemoteOrigin:
    """The subject that ``path`` names, listed.

    Args:
        path: a local path, ``hf:ORG/NAME...`` or ``oci:REGISTRY/REPO...``.
        exclude: shell patterns of names that are not read.
        limits: how many files at most.
        whole: fetch every byte of what is on a server.

    Raises:
        SubjectError: nothing is there, or it may not be read.
    """
    if not path.startswith(SCHEMES) or os.path.lexists(path):
        return LocalOrigin(path, exclude=exclude, limits=limits)
    scheme, _, name = path.partition(":")
    try:
        if scheme == "hf":
            from openvet.origins.hub import open_hub, parse_hub

            return open_hub(parse_hub(name), os.environ, exclude=exclude, limits=limits, whole=whole)
        from openvet.origins.oci import open_oci, parse_oci

        return open_oci(parse_oci(name), os.environ, exclude=exclude, limits=limits, whole=whole)
    except SubjectError as error:
        raise SubjectError(f"{printable(path)}: {error}") from error
