"""``openvet statement``: signed statements in a file, verified and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from openvet.cli.options import form_option

if TYPE_CHECKING:
    from openvet.evidence.signing import SignedStatement
    from openvet.workflows.statement_file import ReadStatements

__all__ = ["statement"]

_PATH = click.Path(readable=False)
_NOT_VERIFIED = 1
_LISTED = 10
#: Of every version.
_BILLS = ("https://cyclonedx.org/bom", "https://spdx.dev/Document")


@click.command(short_help="Verify signed statements in a file, and read them.")
@click.argument("path", metavar="FILE", type=_PATH)
@click.option("--key", metavar="FILE", type=_PATH, required=True, help="The public key of who has to have signed them, in PEM.")  # fmt: skip
@click.option("--model", metavar="PATH", type=_PATH, help="The model, which is hashed and has to be what each is about.")  # fmt: skip
@form_option("How to print it; json has the whole statements.")
@click.pass_context
def statement(ctx: click.Context, /, path: str, key: str, model: str | None, form: str) -> None:
    """Verify the signed statements in FILE, all of them or none, and say what they say.

    FILE holds Sigstore bundles around in-toto statements, one a line, as `openvet check --statement NAME --sign KEY`,
    `openvet disarm --provenance` and other tools write them. Bodies of known kinds are read strictly: ours, and in-toto's and SLSA's
    test result, SVR, VSA, vulnerabilities and provenance. What a statement says is as true as who signed it.

    \b
    Examples:
      openvet check ./my-model --statement vsa --sign release.key --output vsa.json
      openvet statement vsa.json --key release.key.pub --model ./my-model

    \b
    Exit codes:
      0    verified, whatever it says
      1    not verified: the first line says why (tampered, wrong-key, mismatch, malformed and so on)
      2    the command itself failed
    """  # noqa: D301
    import json

    from openvet.cli.output import StandardOutput, write_text
    from openvet.errors import VerifyError
    from openvet.reports._text import clean, visible
    from openvet.workflows.keys import read_public
    from openvet.workflows.statement_file import read_statements, refusal

    code = 0
    try:
        found = read_statements(path, read_public(key), model)
        value, text = found.to_json(), _as_text(found)
    except VerifyError as error:
        code = _NOT_VERIFIED
        value, text = refusal(path, error), f"NOT verified: {path}: {error.reason}: {error.message}\n"
    if form == "json":
        StandardOutput(utf8=True).write(json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        write_text("".join(f"{visible(line)}\n" for line in text.split("\n")[:-1]))
    ctx.exit(code)


def _as_text(found: ReadStatements) -> str:
    from openvet.workflows.statement_file import not_interpreted

    lines = [f"verified: {found.path}: statements: {len(found.statements)}", f"  signed by {found.key}"]
    for number, each in enumerate(found.statements, 1):
        about = ", ".join(f"{one.name or 'unnamed'} ({', '.join(sorted(one.digest))})" for one in each.subjects[:3])
        more = f" and {len(each.subjects) - 3} more" if len(each.subjects) > 3 else ""
        lines.append(f"  {number}  {_line(each.predicate_type)}  about {_line(about)}{more}")
        lines += [f"     {_line(said)}" for said in _said(each)]
        unread = not_interpreted(each)
        if unread:
            lines.append(
                f"     not interpreted: {_line(', '.join(unread[:_LISTED]))}{' …' if unread[_LISTED:] else ''}"
            )
    lines.append(
        f"  {'the model is what they are about' if found.compared else 'the model was not looked at (--model)'}"
    )
    return "".join(f"{line}\n" for line in lines)


def _line(text: str) -> str:
    return text.replace("\n", " ")


def _said(each: SignedStatement) -> list[str]:
    """The gist of a known kind."""
    from openvet.reports.gist import gist
    from openvet.workflows.statement_file import OPENSSF

    if (known := gist(each.predicate)) is not None:
        return known
    if each.predicate_type in OPENSSF:
        return ["a signature of a model's files, which `openvet verify` holds against them"]
    if each.predicate_type.startswith(_BILLS):
        return [_bill(each.body)]
    return ["of a kind that this version does not know; nothing is concluded from it"]


def _bill(body: Any) -> str:
    from openvet.bom.foreign import read_bill
    from openvet.errors import MalformedError

    try:
        found = read_bill(body)
    except MalformedError as error:
        return f"a bill of materials that is not read: {error.message}"
    return f"a bill of materials: {found.form} {found.version}, components: {len(found.entries)}; nothing is concluded from it"
