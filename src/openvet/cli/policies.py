"""``--policy`` and ``--answers`` of a check: what policy packs make of each model."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.days import day_of
from openvet.cli.packs import advisories_option, pack_options, verifier_of
from openvet.cli.terminal import say

if TYPE_CHECKING:
    from openvet.policy.compiled import CompiledPack
    from openvet.reports.report import ModelReport, NotChecked
    from openvet.workflows.attest import By
    from openvet.workflows.check import Options
    from openvet.workflows.config import Config

__all__ = ["FAIL_ON", "Policies", "fails_on", "policy_options"]

#: What ``--fail-on`` takes: a decision, or an outcome of a requirement.
FAIL_ON = ("review", "reject", "never", "violated", "indeterminate")

_PATH = click.Path(readable=False)


def policy_options() -> tuple[Callable[[Any], Any], ...]:
    """The options of ``check``, in the order of the help."""
    return (
        *pack_options(text="Decide by this policy pack too"),
        click.option(
            "--answers",
            metavar="FILE",
            type=_PATH,
            help="What people say to the packs' questions, as `openvet attest --template` writes it.",
        ),
        click.option("--as-of", metavar="DATE", help="The day that packs are asked about; today if not given."),
        advisories_option("by which packs decide in place of those that ship alone"),
    )


def fails_on(asked: str, outcomes: Collection[str]) -> bool:
    """Whether a requirement that no waiver takes out came out as it may not, by ``--fail-on``."""
    failing = {"violated": ("violated",), "indeterminate": ("violated", "indeterminate")}
    return any(each in outcomes for each in failing.get(asked, ()))


class Policies:
    """The packs that were asked for, read before the long work; they are none where nobody asked.

    Raises:
        UsageError: a pack or the answers make no sense, a signature is missing, or the extra for CEL is.
    """

    def __init__(self, asked: dict[str, Any], config: Config | None) -> None:
        names = [(each, "") for each in asked.get("packs", ())]
        held = None if config is None else config.policy
        given = asked.get("answers") or ""
        if held is not None and not names:
            names = [(each, held.folder) for each in held.packs]
            given = given or held.answers
        self._packs: list[CompiledPack] = []
        self._answers: Any = None
        self._as_of = date.min
        self._advisories: tuple[str, ...] = asked.get("advisories", ())
        if not names:
            if any(asked.get(each) for each in ("answers", "as_of", "policy_trust", "advisories")):
                raise click.UsageError("--answers, --as-of, --policy-trust and --advisories belong to --policy")
            return
        from openvet.workflows.packs import load_held

        self._as_of = day_of(asked.get("as_of"))
        verify = verifier_of(asked, config, self._as_of)
        self._packs = [load_held(name, self._as_of, beside, verify) for name, beside in names]
        if given:
            self._read(given)

    def _read(self, path: str) -> None:
        from openvet.errors import UsageError
        from openvet.workflows.attest import read_answers
        from openvet.workflows.packs import catalogue

        every = {**catalogue().questions, **{each.id: each for pack in self._packs for each in pack.questions}}
        self._answers = read_answers(path, every, self._as_of)
        if self._answers.by is None:
            raise UsageError(f"{path}: does not say who answers: by: {{name: ...}}")

    def __bool__(self) -> bool:
        return bool(self._packs)

    def widen(self, options: Options) -> Options:
        """The options with what the packs need beside what every check asks."""
        if not self._packs:
            return options
        from openvet.policy.vocabulary import BESIDE

        needed = {kind for pack in self._packs for kind in pack.kinds}
        also = (*options.also, *(each for each in BESIDE if each in needed))
        uses = tuple(dict.fromkeys(use for pack in self._packs for use in pack.pack.uses))
        return replace(options, also=tuple(dict.fromkeys(also)), uses=uses, only_facts=False, with_inventory=True)

    def take(self, result: ModelReport | NotChecked) -> ModelReport | NotChecked:
        """The result with what the packs make of it."""
        from openvet.reports.report import ModelReport

        if not self._packs or not isinstance(result, ModelReport):
            return result
        from openvet.workflows.attest import answers_statement, hold
        from openvet.workflows.decide import decide_report

        answers = []
        if self._answers is not None and self._answers.answers:
            by: By = self._answers.by
            answers.append(hold(answers_statement(result.subject, by, self._answers.answers)))
        found = decide_report(result, self._packs, self._as_of, answers, self._advisories)
        for note in found.notes:
            say(f"openvet: {found.path}: {note}")
        return replace(result, policies=found.decisions)
