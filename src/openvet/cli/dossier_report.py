"""How ``openvet dossier`` says what it found, and what was not verified."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from openvet.evidence.dossier.reading import Claim
    from openvet.workflows.dossier import DossierDifference, VerifiedDossier

__all__ = ["differing_text", "print_report", "report", "shown_text", "verified_text"]

_NOT_VERIFIED = 1


_METHODS = {"certificate": "with a certificate", "keyless": "keyless"}


def report(
    form: str, path: str, go: Callable[[], tuple[dict[str, Any], str]], write: Callable[[str], None] | None = None
) -> None:
    """Print what ``go`` found, or why it is not verified."""
    from openvet.errors import VerifyError
    from openvet.workflows.dossier import refusal

    try:
        value, text = go()
    except VerifyError as error:
        print_report(form, refusal(path, error), f"NOT verified: {path}: {error.reason}: {error.message}\n")
        click.get_current_context().exit(_NOT_VERIFIED)
    if write is not None:
        write(text)
    else:
        print_report(form, value, text)


def print_report(form: str, value: dict[str, Any], text: str) -> None:
    """Print a report as ``form`` says."""
    from openvet.cli.output import StandardOutput, write_text
    from openvet.cli.signed import as_json
    from openvet.reports._text import visible

    if form == "json":
        StandardOutput(utf8=True).write(as_json(value))
    else:
        write_text("".join(f"{visible(line)}\n" for line in text.split("\n")[:-1]))


def _claim(claim: Claim) -> str:
    said = claim.statement
    about = ", ".join(f"{each.name or 'unnamed'} ({', '.join(sorted(each.digest))})" for each in said.subjects[:3])
    return f"{said.predicate_type.replace(chr(10), ' ')}  about {about.replace(chr(10), ' ')}"


def shown_text(found: VerifiedDossier) -> str:
    """A dossier, line by line."""
    from openvet.workflows.dossier import declared_in

    lines = [_head(found)]
    for number, each in enumerate(found.dossier.claims, 1):
        whose = "the owner" if each.key == found.dossier.owner else f"{each.key}, whom the owner vouches for"
        if each.method != "key":
            whose += f" ({_METHODS[each.method]}; whose that is was not looked at here)"
        lines += [f"  {number}  {_claim(each)}\n", f"     signed by {whose}\n"]
        if count := declared_in(each):
            lines.append(f"     {count} of its digests are declared: who signed it had not measured them\n")
    lines += [f"  document  {each}\n" for each in found.dossier.index.blobs]
    return "".join(lines)


def _head(found: VerifiedDossier) -> str:
    dossier = found.dossier
    lines = [f"verified: {found.path}: statements: {len(dossier.claims)}\n", f"  owner     {dossier.owner}\n"]
    lines += [
        f"  handover  line {each.line}: from {each.handover.before} to {each.handover.after}\n"
        for each in dossier.steps
    ]
    return "".join(lines)


def verified_text(found: VerifiedDossier) -> str:
    """What was verified, and what was not."""
    lines = [_head(found)]
    if found.compared is None:
        lines.append("  the model was not looked at (--model)\n")
    else:
        rest = len(found.dossier.claims) - found.compared
        lines.append(f"  model     is what {found.compared} statements are about; {rest} could not be compared\n")
    kept = found.dossier.kept
    if kept is None:
        lines.append("  a rollback cannot be excluded: no checkpoint was kept (--checkpoint)\n")
    else:
        lines.append(f"  continues the kept checkpoint of {kept.size} lines\n")
    believed = found.believed
    if believed is None:
        lines.append("  whose word the statements are was left to the owner, who vouches for all keys (--trust)\n")
        return "".join(lines)
    for accepted, numbers in believed.accepted:
        which = ", ".join(map(str, numbers))
        lines.append(f"  believed  line {which}: {accepted.predicate_type}\n")
        lines.append(
            f"            by {', '.join(accepted.by)}: {len(accepted.by)} of the {accepted.threshold} needed, by line {accepted.line} of the trust file\n"
        )
    lines += [f"  NOT believed  line {each.line}: {each.reason}: {each.message}\n" for each in believed.refused]
    return "".join(lines)


def differing_text(found: DossierDifference) -> str:
    """What two dossiers say differently."""
    lines = [f"  - {_claim(each)}\n    {each.sha256}\n" for each in found.only_first]
    lines += [f"  + {_claim(each)}\n    {each.sha256}\n" for each in found.only_second]
    order = "" if found.continues else "; the second does not continue the first"
    return f"statements in both: {found.both}{order}\n" + "".join(lines)
