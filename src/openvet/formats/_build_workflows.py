"""Workflows of GitHub, Gitea and Forgejo that run what a stranger proposes, with what the project keeps secret.

``pull_request_target`` and ``workflow_run`` start with the secrets and the token of the project, which the code of a proposal is never given
otherwise. A job that checks out the head of the proposal and then runs something of the folder hands both to whoever opens one. A job that asks first who
that is, for a label or for the approval of an environment is left alone.

Sources: https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/ ; CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from openvet.core.location import below
from openvet.core.pattern import pattern
from openvet.formats._format import Facts

__all__ = ["tell_workflow"]

_PLACE: Final = pattern(r"/\.(?:github|gitea|forgejo)/workflows/[^/]{1,200}\.ya?ml$")
_WITH_SECRETS: Final = frozenset({"pull_request_target", "workflow_run", "issue_comment"})
#: The code of a proposal, by the names that an event gives it.
_HEAD: Final = pattern(
    r"github\.event\.pull_request\.head\.(?:sha|ref|repo)|github\.head_ref|github\.event\.workflow_run\.head_|\brefs/pull/|github\.event\.(?:issue|pull_request)?\.?number"
)
_CHECKS_OUT: Final = pattern(
    r"\bgh\s{1,4}pr\s{1,4}checkout\b|\bgit\s{1,4}(?:fetch|pull|clone|checkout)\s[^\n]{0,200}(?:pull/|head\.)"
)
#: What runs something of the folder: its scripts, its build, its tests, what its list of packages names.
_RUNS: Final = pattern(
    r"\b(?:pip3?|uv\s{1,4}pip)\s{1,4}install\s[^\n]{0,200}?(?:-r\b|-e\b|\.(?:\s|\[|$))|\b(?:python[\d.]{0,4}|bash|sh|node|ruby|perl|Rscript|julia)\s{1,4}(?!-c\b|--version\b)\S|(?:^|[\s;&|])\./\w|"
    r"\b(?:make|tox|nox|pytest|cargo|cmake|docker\s{1,4}build|poetry|uv\s{1,4}(?:run|sync)|npm|pnpm|yarn|npx|go\s{1,4}(?:run|test|build|generate))\b"
)
_ASKS_FIRST: Final = pattern(
    r"author_association|\blabels?\b|github\.actor|\bsender\b|user\.login|triggering_actor|head\.repo\.full_name\s{0,4}==|head_repository|\.fork\b"
)
_SECRETS: Final = pattern(r"\bsecrets\.(?!GITHUB_TOKEN\b)\w|\btoJSON\(\s{0,4}secrets\b")
_MOST: Final = 200


def tell_workflow(document: Any, facts: Facts) -> None:
    """Record the first step of each job that runs what a stranger proposed, where the job has secrets or may write."""
    if not isinstance(document, dict) or _PLACE.search(f"/{facts.place}") is None:
        return
    started = document.get("on", document.get("True"))  # YAML 1.1 takes the word for a truth value
    if not _WITH_SECRETS.intersection(_names(started)):
        return
    jobs = document.get("jobs")
    for name, job in islice(jobs.items(), _MOST) if isinstance(jobs, dict) else ():
        if not isinstance(job, dict) or "environment" in job or _ASKS_FIRST.search(str(job.get("if", ""))):
            continue
        at = _runs_proposal(job)
        if at is None:
            continue
        secret = _has_secrets(document, job)
        what = (
            "runs what anybody proposes, with the secrets or the rights of the project"
            if secret
            else "runs what anybody proposes, as if it were the project's own"
        )
        facts.anomaly(
            "hub/shell-command",
            what,
            pointer=below(below(below("/jobs", str(name)), "steps"), at),
            kind="hidden" if secret else "fetch-run",
        )


def _names(started: Any) -> Iterator[str]:
    if isinstance(started, str):
        yield started
    elif isinstance(started, dict | list):
        yield from (each for each in started if isinstance(each, str))


def _runs_proposal(job: dict[str, Any]) -> int | None:
    """The number of the first step that runs something of the folder, after the code of a proposal was put there."""
    steps = job.get("steps")
    taken = False
    for at, step in enumerate(steps[:_MOST] if isinstance(steps, list) else ()):
        if not isinstance(step, dict):
            continue
        if _ASKS_FIRST.search(str(step.get("if", ""))):
            return None
        uses, run, given = str(step.get("uses", "")), step.get("run"), step.get("with")
        if taken and (uses.startswith("./") or (isinstance(run, str) and _RUNS.search(run))):
            return at
        if "/checkout@" in uses and isinstance(given, dict):
            # a checkout into a folder of its own may be read and compared, and nothing of it has to be run
            taken = taken or (
                any(_HEAD.search(str(given.get(key, ""))) for key in ("ref", "repository")) and "path" not in given
            )
        elif isinstance(run, str) and _CHECKS_OUT.search(run):
            taken = True
            if (found := _CHECKS_OUT.search(run)) and _RUNS.search(run, found.end()):
                return at
    return None


def _has_secrets(document: dict[str, Any], job: dict[str, Any]) -> bool:
    """Whether a job names a secret of the project, or says that its token may write."""
    rights = job.get("permissions", document.get("permissions"))
    writes = rights == "write-all" or (isinstance(rights, dict) and "write" in rights.values())
    return writes or _SECRETS.search(str(job)) is not None or _SECRETS.search(str(document.get("env", ""))) is not None
