"""What a page rests on: statements with their digests, who looked, with what, and how anybody checks it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from openvet.core.text import shorten
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.reports._text import bytes_for_people, plural, short, visible
from openvet.reports.markup import Content, Html, details, join, listed, pairs, table, tag
from openvet.reports.page.sheet import ROWS, Evidence, Sheet, Spot, more
from openvet.reports.page.verdict import chip

__all__ = ["evidence", "statements"]

_COVERAGE = {"read": "good", "inert": "good"}
_PREFIX = f"{PREDICATE_BASE}/"


def evidence(sheet: Sheet, spot: Spot) -> Iterator[Html | None]:
    """Statements, files, the tool, and how to verify."""
    report = sheet.report
    yield spot.head("Evidence, and how to check it", anchor="evidence")
    yield listed(sheet.notes, class_="soft")
    yield from statements(sheet)
    tool = report.scan.tool
    yield pairs([
        ("looked with", f"{tool.name} {tool.version}"),
        ("its rules and readers", tag("code", f"sha256 {tool.knowledge}")),
        ("policy", tag("code", short(report.decision.policy))),
        ("reproducible", "yes: the same bytes give the same result" if report.scan.reproducible else "no: a guard in seconds cut it short"),
    ])  # fmt: skip
    files = report.scan.files
    rows: list[Sequence[Content]] = [
        (
            tag("code", short(each.path)),
            bytes_for_people(each.size),
            chip(str(each.coverage), _COVERAGE.get(str(each.coverage), "open")),
            tag("code", each.digest.get("sha256", "none: not read to its end")),
        )
        for each in files[:ROWS]
    ]
    yield details(f"Digests of {plural(len(files), 'file')}", table(("file", "size", "read", "SHA-256"), rows), more(len(files), ROWS, "files", sheet))  # fmt: skip
    yield from _verify(sheet, spot)


def statements(sheet: Sheet) -> Iterator[Html | None]:
    """The statements alone: their kinds, digests, and what they say."""
    signed = sheet.dossier is not None
    heads = ("statement", "SHA-256 of its bytes", "says") if not signed else ("line", "statement", "SHA-256 of its bytes", "says", "signed by")  # fmt: skip
    yield table(heads, [_row(each, signed) for each in sheet.evidence[:ROWS]])
    yield more(len(sheet.evidence), ROWS, "statements", sheet)


def _row(each: Evidence, signed: bool) -> Sequence[Content]:
    kind = join(tag("strong", visible(each.kind.removeprefix(_PREFIX))), None if each.used else tag("span", " (not shown here)", class_="soft"))  # fmt: skip
    says = [tag("span", short(line), tag("br")) for line in each.says[:5]]
    digest = tag("code", each.sha256) if each.sha256 else "none: it cannot be signed"
    if not signed:
        return kind, digest, says
    return str(each.line), kind, digest, says, tag("code", each.signed_by[:16])


def _verify(sheet: Sheet, spot: Spot) -> Iterator[Html | None]:
    yield spot.head("How to check it again", 2)
    path = _shell(sheet.report.path)
    if sheet.dossier is not None:
        folder = _shell(sheet.dossier.path)
        yield tag("p", "Every statement above is signed, and was verified when this page was made. The page itself is not signed: trust the dossier, and make the page again.")  # fmt: skip
        yield _commands(
            f"openvet dossier verify {folder} --key OWNER.pub --model MODEL",
            f"python3 openvet_verify.py {folder} --key OWNER.pub --model MODEL",
        )
        yield tag("p", "The second line needs nothing of OpenVet but its one file. The owner's key has the SHA-256 ", tag("code", sheet.dossier.owner), ".")  # fmt: skip
        return
    yield tag("p", "Nothing on this page is signed. Anybody who has the model gets the same statements, byte for byte, from the same version:")  # fmt: skip
    yield _commands(f"openvet check --format json {path}")
    yield tag(
        "p", "Kept as signed evidence, it can be verified by others, also without OpenVet, by its one-file verifier:"
    )
    yield _commands(
        "openvet keys new owner.key --kind ed25519",
        f"openvet check --dossier DOSSIER --sign owner.key {path}",
        f"openvet dossier verify DOSSIER --key owner.key.pub --model {path}",
        f"python3 openvet_verify.py DOSSIER --key owner.key.pub --model {path}",
    )
    yield tag("p", "What the model's maker signed is verified by ", tag("code", f"openvet verify {path}"), ".")


def _commands(*texts: str) -> Html:
    return tag("pre", [[Html("\n") if at else None, each] for at, each in enumerate(texts)])


def _shell(path: str) -> str:
    """A path that can be pasted; one with escapes names no file, and is not made into a command's word."""
    shown = visible(path)
    return "MODEL" if "\\" in shown or len(shown) > 300 else shlex.quote(shorten(shown, 300))
