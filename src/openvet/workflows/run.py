"""run: a model is checked, and what is admitted is opened: the same bytes, which were read once.

What was checked is what is loaded: every file's identity (inode, size, times of its content and of its entry) is taken before the check reads it and compared
after the runtime has loaded it, and again each time it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import SubjectError, UsageError, VerifyError
from openvet.policy.decision import Verdict
from openvet.workflows.held_model import identities
from openvet.workflows.opening import Asked, Running, open_model

if TYPE_CHECKING:
    from openvet.reports.report import ModelReport, NotChecked

__all__ = ["Admitted", "admit"]

_DIGEST: Final = pattern(r"(?:(sha256|dirHash):)?([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Admitted:
    """A model that may be opened.

    Attributes:
        path: where it lies.
        report: what the check says, which is to admit it.
        before: the identities of its files before they were read.
    """

    path: str
    report: ModelReport
    before: tuple[Any, ...]

    @property
    def digest(self) -> str:
        """``sha256:...`` of a file, ``dirHash:...`` of a folder."""
        digests = self.report.subject.digest
        name = "sha256" if "sha256" in digests else "dirHash"
        return f"{name}:{digests[name]}"

    def open(self, asked: Asked) -> Running:
        """Open it, at any time: its files have to be those that were checked.

        Raises:
            SubjectError: they changed.
            UsageError, NoIsolationError, SandboxError: as :func:`openvet.workflows.opening.open_model`.
        """
        self._unchanged()
        running = open_model(self.path, asked, held=self.report.subject)
        try:
            self._unchanged()
        except SubjectError:
            running.model.kill()
            raise
        return running

    def _unchanged(self) -> None:
        if identities(self.path) != self.before:
            raise SubjectError(f"{printable(self.path)}: changed since it was checked, and is not loaded; run it again")

    def facts(self, running: Running) -> dict[str, Any]:
        """What clients may know of it."""
        model, level = running.model, running.proof.level
        policies = [{"pack": each.pack.name, "verdict": each.verdict} for each in self.report.policies]
        return {
            "digest": self.digest, "verdict": str(self.report.verdict), "policies": policies, "engine": model.engine, "version": model.version,
            "level": level.id, "walls": level.name, "can": sorted(model.can), "context": model.facts.get("context"),
        }  # fmt: skip


def admit(path: str, examine: Callable[[], ModelReport | NotChecked], expected: str = "") -> Admitted | ModelReport:
    """Check a model, and give it where it is admitted; its report where it is not.

    Args:
        path: a file or folder on this machine.
        examine: checks it.
        expected: the digest that it has to have, with or without ``sha256:`` or ``dirHash:`` before it; '' for any.

    Raises:
        SubjectError: it cannot be checked.
        UsageError: it is on a server, or ``expected`` is no digest.
        VerifyError: ``mismatch``: it has another digest.
    """
    from openvet.reports.report import NotChecked

    found = _DIGEST.fullmatch(expected.strip()) if expected else None
    if expected and found is None:
        raise UsageError("--digest: a SHA-256 in 64 small hexadecimal digits is needed, as `openvet digest` prints it")
    if path.startswith(("hf:", "oci:")):
        raise UsageError(f"{printable(path)}: a model is run from this machine; fetch it first, by `openvet serve` or by the hub's client, and give its folder")  # fmt: skip
    before = identities(path)
    report = examine()
    if isinstance(report, NotChecked):
        raise SubjectError(f"{report.path}: {report.message}")
    admitted = Admitted(path, report, before)
    if found is not None and found[2] not in report.subject.digest.values():
        raise VerifyError("mismatch", f"{printable(path)} has the digest {admitted.digest}, and not {found[0]}")
    return admitted if report.verdict is Verdict.ADMIT else report
