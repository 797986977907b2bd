"""``--statement``, ``--sign`` and ``--dossier``: the result of a check as in-toto statements, in a file or in a dossier."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.terminal import say
from openvet.core.dataclass import dataclass

if TYPE_CHECKING:
    from openvet.evidence.keys import PrivateKey
    from openvet.reports.report import ModelReport, NotChecked

__all__ = ["EPOCH", "Statements", "now", "open_statements", "statement_options"]

#: The time of reproducible runs, in seconds since 1970 (https://reproducible-builds.org/specs/source-date-epoch/).
EPOCH = "SOURCE_DATE_EPOCH"
_PATH = click.Path(readable=False)
#: As in :data:`openvet.workflows.statements.KINDS`, which is not imported for a help text; a test holds the two together.
_KINDS = (
    "scan",
    "inventory",
    "profile",
    "card",
    "lineage",
    "licenses",
    "rights",
    "openness",
    "advisories",
    "test-result",
    "svr",
    "vsa",
    "vulns",
    "cyclonedx",
    "spdx",
)
#: Those that a check answers only for their statements: both read tables that nothing else of a check needs.
_ASKED = ("rights", "openness")
#: Those that are made of the scan and the decision alone.
_OF_THE_SCAN = frozenset({"scan", "test-result", "svr", "vsa"})


def statement_options() -> tuple[Callable[[Any], Any], ...]:
    """The options of ``check`` and ``scan``, in the order of the help."""
    return (
        click.option(
            "--statement",
            "statements",
            type=click.Choice(_KINDS),
            metavar="KIND",
            multiple=True,
            help=f"Give this in-toto statement in place of the report, one a line; with --dossier, put it there. KIND is {', '.join(_KINDS[:-1])} or {_KINDS[-1]}. May be repeated.",
        ),
        click.option(
            "--resource",
            metavar="URI",
            help="For vsa: the URI under which users know the model; PATH if it is one. For a bill: its package URL.",
        ),
        click.option(
            "--dossier",
            metavar="DIR",
            type=_PATH,
            help="Sign the evidence and put it into this dossier, which is made where there is none. With --sign.",
        ),
        click.option(
            "--sign",
            metavar="KEY",
            type=_PATH,
            help="The private key: of --dossier its owner's, of Ed25519; of a --statement any.",
        ),
    )


def now() -> datetime:
    """The time, or the one that ``SOURCE_DATE_EPOCH`` says, so that a run can be repeated byte for byte.

    Raises:
        UsageError: it says none.
    """
    given = os.environ.get(EPOCH)
    if given is None:
        return datetime.now(UTC)
    from openvet.errors import UsageError

    try:
        return datetime.fromtimestamp(int(given), UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"{EPOCH}={given[:40]!r} is no number of seconds since 1970") from None


@dataclass(slots=True)
class Statements:
    """Where the statements about each model go.

    Attributes:
        kinds: which; none takes all that is ours.
        key: signs them; ``None`` leaves them unsigned.
        folder: the dossier, or '' where they are printed.
        since: when the model that comes next was begun.
    """

    kinds: tuple[str, ...]
    key: PrivateKey | None
    folder: str
    resource: str
    quiet: bool
    since: datetime

    @property
    def fills_dossier(self) -> bool:
        return bool(self.folder)

    @property
    def beyond_scan(self) -> bool:
        """Whether one of them needs more of a model than its scan and the decision."""
        return not self.kinds or not _OF_THE_SCAN.issuperset(self.kinds)

    @property
    def also(self) -> tuple[str, ...]:
        """The questions that these statements rest on, and nothing else of a check does."""
        if not self.kinds:
            return _ASKED
        bills = {"cyclonedx", "spdx"} & set(self.kinds)
        return tuple(each for each in _ASKED if each in self.kinds or (each == "rights" and bills))

    def take(self, result: ModelReport | NotChecked) -> Iterator[str]:
        """What is to be printed of one model; what belongs into a dossier is put there.

        Raises:
            UsageError: no statement can be made of it.
            VerifyError, StorageError: the dossier cannot be added to.
        """
        from openvet.evidence.statement import Statement
        from openvet.reports.report import ModelReport
        from openvet.workflows.statements import Asked, own_kinds, statements_of

        begun, self.since = self.since, now()
        if not isinstance(result, ModelReport):
            return
        kinds = self.kinds or own_kinds(result)
        statements = statements_of(result, kinds, Asked(begun, self.since, self.resource))
        if self.folder:  # what packs made of it lies beside what they made it of
            statements += tuple(Statement(result.subject, each) for each in result.policies)
        if self.folder and self.key is not None:
            from openvet.workflows.dossier import fill

            lines = fill(self.folder, self.key, statements)
            if not self.quiet:
                from openvet.core.text import printable

                numbers = ", ".join(map(str, lines))
                what = "had these statements already"
                if lines:
                    what = f"line {numbers} is new" if len(lines) == 1 else f"lines {numbers} are new"
                say(f"openvet: the dossier {printable(self.folder)}: {what}")
            return
        from openvet.evidence.signing import sign_statement, statement_bytes, to_line

        for each in statements:
            data = statement_bytes(each) if self.key is None else to_line(sign_statement(each, self.key))
            yield f"{data.decode('utf-8')}\n"


def open_statements(
    asked: dict[str, Any], paths: list[str], *, with_inventory: bool, form_given: bool
) -> Statements | None:
    """What was asked for, or ``None``; raises before the long work for what cannot be done."""
    kinds, folder, key = asked["statements"], asked["dossier"], asked["sign"]
    if asked["resource"] is not None and not {"vsa", "cyclonedx", "spdx"} & set(kinds):
        raise click.UsageError("--resource belongs to --statement vsa, cyclonedx or spdx")
    if folder is not None and key is None:
        raise click.UsageError("--dossier and --sign belong together: where the evidence goes, and whose it is")
    if key is not None and folder is None and not kinds:
        raise click.UsageError("--sign belongs to --dossier or --statement: where the evidence goes, or what is signed")
    if not kinds and folder is None:
        return None
    if not with_inventory and (
        beyond := sorted({"inventory", "profile", "card", "lineage", "licenses", *_ASKED} & set(kinds))
    ):
        raise click.UsageError(f"openvet scan takes no inventory, and so makes no {beyond[0]}; openvet check does")
    if folder is None and form_given:
        raise click.UsageError("--format and --statement exclude each other: a statement takes the report's place")
    if folder is not None and len(paths) != 1:
        raise click.UsageError("a dossier is about one model; name one PATH")
    _keep_out(asked["output"] if folder is None else None, paths)
    private = None
    if key is not None:
        from openvet.cli.signed import ask_passphrase
        from openvet.workflows.keys import read_private

        private = read_private(key, ask_passphrase)
        if folder is not None:
            from openvet.workflows.dossier import spare

            spare(folder, paths[0], private)
    return Statements(tuple(kinds), private, folder or "", asked["resource"] or "", asked["quiet"], now())


def _keep_out(output: str | None, paths: list[str]) -> None:
    """A statement in the model that it is about would make another model of it."""
    if output in {None, "-"}:
        return
    real = os.path.realpath(str(output))
    for each in paths:
        if os.path.isdir(each) and real.startswith(os.path.join(os.path.realpath(each), "")):
            raise click.UsageError(f"--output {output} lies in the model, and would change it; choose another place")
