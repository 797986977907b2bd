"""``openvet statement``: signed statements in a file, verified and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from openvet.cli.options import form_option

if TYPE_CHECKING:
    from openvet.evidence.predicates.fingerprint_v1 import FingerprintV1
    from openvet.evidence.predicates.lineage_v1 import LineageV1
    from openvet.evidence.predicates.origin_v1 import OriginV1
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


def _where_from(found: LineageV1 | FingerprintV1 | OriginV1) -> list[str]:
    """Who published a model, what it was made of, or the sketch by which it is known again."""
    from openvet.evidence.predicates.fingerprint_v1 import FingerprintV1
    from openvet.evidence.predicates.origin_v1 import OriginV1

    if isinstance(found, OriginV1):
        place = "nowhere that is known" if found.published is None else found.published.repository
        return [f"published at {place}, signers: {len(found.signers)}, remarks: {', '.join(one.kind for one in found.remarks[:_LISTED]) or 'none'}"]  # fmt: skip
    if isinstance(found, FingerprintV1):
        return [f"sketches of {len(found.tensors)} matrices ({_line(found.recipe)})"]
    names = {node.id: node.name for node in found.nodes}
    tested = [_line(f"{one.claim} of {names[one.origin]}: {one.verdict}") for one in found.tests[:_LISTED]]
    return [f"origins: {len(found.origins())}, tests: {len(found.tests)}", *tested]


def _said(each: SignedStatement) -> list[str]:
    """The gist of a known kind."""
    from openvet.evidence.predicates.card_v1 import CardV1
    from openvet.evidence.predicates.claims_v1 import Claims
    from openvet.evidence.predicates.diff_v1 import DiffV1
    from openvet.evidence.predicates.fingerprint_v1 import FingerprintV1
    from openvet.evidence.predicates.inventory_v1 import InventoryV1
    from openvet.evidence.predicates.lineage_v1 import LineageV1
    from openvet.evidence.predicates.origin_v1 import OriginV1
    from openvet.evidence.predicates.provenance_v1 import Provenance
    from openvet.evidence.predicates.scan_v1 import Scan
    from openvet.evidence.predicates.svr_v0 import SimpleVerification
    from openvet.evidence.predicates.test_result_v0 import SuiteResult
    from openvet.evidence.predicates.verification_summary_v1 import VerificationSummary
    from openvet.evidence.predicates.vulns_v0 import Vulns
    from openvet.workflows.statement_file import OPENSSF

    found: Any = each.predicate
    if isinstance(found, Scan):
        findings, unknowns = len(list(found.all_findings())), len(list(found.all_unknowns()))
        return [f"findings: {findings}, unknowns: {unknowns}, files: {len(found.files)}"]
    if isinstance(found, InventoryV1):
        return [f"facts: {len(found.facts)}, files and members: {len(found.items)}"]
    if isinstance(found, Claims):
        return [f"claims about {found.name}: {found.verdict or 'nothing was published'}", *(f"{one.figure}: {one.verdict}" for one in found.judgements[:_LISTED])]  # fmt: skip
    if isinstance(found, CardV1):
        problems = sum(len(one.problems) for one in found.documents)
        return [
            f"documents: {', '.join(one.kind for one in found.documents[:_LISTED]) or 'none'}, problems: {problems}"
        ]
    if isinstance(found, DiffV1):
        tensors = sum(sum(one.counts().values()) - one.counts().get("equal", 0) for one in found.models)
        return [f"beside {found.name_a}: {found.verdict}", f"files: {len(found.files)}, values: {len(found.values)}, texts: {len(found.texts)}, tensors: {tensors}"]  # fmt: skip
    if isinstance(found, LineageV1 | FingerprintV1 | OriginV1):
        return _where_from(found)
    if isinstance(found, SuiteResult):
        failed = f": failed {', '.join(found.failed[:_LISTED])}" if found.failed else ""
        return [f"{found.result}{failed}", f"passed: {len(found.passed or ())}, warned: {len(found.warned or ())}"]
    if isinstance(found, VerificationSummary):
        return [f"{found.result} ({', '.join(found.levels)}) by {found.policy.uri}", f"resource {found.resource}", _by(found.verifier, found.time)]  # fmt: skip
    if isinstance(found, SimpleVerification):
        return [f"holds: {', '.join(found.properties) or 'nothing'}", _by(found.verifier, found.time)]
    if isinstance(found, Vulns):
        return [f"hits: {', '.join(hit.id for hit in found.hits[:_LISTED]) or 'none'}", _by(found.scanner, found.finished)]  # fmt: skip
    if isinstance(found, Provenance):
        made = ", ".join(one.name or one.uri or "unnamed" for one in (found.inputs or ())[:_LISTED])
        return [f"made of: {made or 'nothing that it names'}", f"by {found.builder.id} as {found.build_type}"]
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


def _by(who: str, when: str | None) -> str:
    return f"says {who}" + (f", {when}" if when else "")
