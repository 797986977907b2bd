"""OpenVet vets open AI models before anybody loads them.

>>> import openvet
>>> report = openvet.check("path/to/model")            # doctest: +SKIP
>>> report.models[0].decision.verdict                  # doctest: +SKIP
<Verdict.ADMIT: 'admit'>
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from openvet.version import VERSION as __version__  # noqa: N811

if TYPE_CHECKING:
    from openvet.core.limits import Limits
    from openvet.disarm.rewrite import DisarmOptions
    from openvet.errors import OpenVetError
    from openvet.policy.decision import Verdict
    from openvet.reports.report import ModelReport, Report
    from openvet.workflows.check import Options
    from openvet.workflows.config import Config
    from openvet.workflows.disarm import DisarmReport

__all__ = ["Config", "DisarmOptions", "DisarmReport", "Limits", "ModelReport", "OpenVetError", "Options", "Report", "Verdict",
           "__version__", "check", "disarm_model"]  # fmt: skip

_HOMES = {
    "Config": "openvet.workflows.config",
    "DisarmOptions": "openvet.disarm.rewrite",
    "DisarmReport": "openvet.workflows.disarm",
    "Limits": "openvet.core.limits",
    "ModelReport": "openvet.reports.report",
    "OpenVetError": "openvet.errors",
    "Options": "openvet.workflows.check",
    "Report": "openvet.reports.report",
    "Verdict": "openvet.policy.decision",
}


def check(*paths: str | os.PathLike[str], options: Options | None = None) -> Report:
    """Vet one model or several: what is it, is it safe to load, and what to do with it.

    Args:
        paths: folders or files.
        options: how to check; see :class:`openvet.Options`.

    Raises:
        openvet.errors.SubjectError: none of the paths could be checked (some: they stand in ``errors``, the others in ``models``).
        openvet.errors.UsageError: an option makes no sense.
    """
    from openvet.errors import UsageError
    from openvet.workflows.check import check as run

    if not paths:  # an empty list is not a list in which nothing was found
        raise UsageError("nothing to check: give at least one path")
    return run(paths, options)


def disarm_model(
    source: str | os.PathLike[str], target: str | os.PathLike[str], options: DisarmOptions | None = None
) -> DisarmReport:
    """Rewrite a checkpoint, or every one in a folder, to safetensors, without executing anything of it.

    Args:
        source: a file or a folder.
        target: the file or folder to make; it is there whole or not at all.
        options: what to do with what safetensors cannot carry; see :class:`openvet.DisarmOptions`.

    Raises:
        openvet.errors.OpenVetError: nothing was written, and why.
    """
    from openvet.workflows.disarm import disarm

    return disarm(source, target, options)


def __getattr__(name: str) -> Any:  # PEP 562: hand names on without importing their rooms at start-up
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'openvet' has no attribute {name!r}")
