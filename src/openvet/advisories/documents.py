"""Documents of others that are about a model: bills of materials (which packages), and VEX (what somebody says of a problem).

Both are read leniently and with limits: what has no use here is passed over, what is no such document is refused. A VEX statement is
somebody's word and is handed on as it stands.

Sources: CycloneDX 1.4 to 1.7 (JSON); SPDX 2.3 (JSON) and 3.0 (JSON-LD); OpenVEX 0.2.0, https://github.com/openvex/spec
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

from openvet.advisories.osv import package_name
from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.text import printable
from openvet.errors import MalformedError
from openvet.evidence.predicates.advisories_v1 import AdvisoryHit, NamedPackage, VexStatement

__all__ = ["Said", "beside", "is_bill", "packages_of_bill", "read_vex", "value_of"]

_MOST: Final = 100_000
_DEEPEST: Final = 50
_TEXT: Final = 500
#: Types of package URLs -> ecosystems of OSV.
_ECOSYSTEMS: Final = {"pypi": "PyPI", "golang": "Go", "npm": "npm", "cargo": "crates.io", "maven": "Maven", "nuget": "NuGet", "gem": "RubyGems",
                      "cran": "CRAN", "conda": "PyPI", "hex": "Hex", "pub": "Pub"}  # fmt: skip


def value_of(data: bytes, what: str) -> dict[str, Any]:
    """The object that a JSON document is.

    Raises:
        MalformedError: it is none.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"{what} is no JSON: {printable(str(error))[:200]}") from None
    if not isinstance(value, dict):
        raise MalformedError(f"{what} is no JSON object")
    return value


def is_bill(value: Mapping[str, Any]) -> bool:
    """Whether a document is a bill of materials."""
    return value.get("bomFormat") == "CycloneDX" or isinstance(value.get("spdxVersion"), str) or _is_spdx3(value)


def _is_spdx3(value: Mapping[str, Any]) -> bool:
    context = value.get("@context")
    return isinstance(context, str) and "spdx.org" in context and isinstance(value.get("@graph"), list)


def packages_of_bill(value: Mapping[str, Any], place: str) -> tuple[NamedPackage, ...]:
    """Every package with a package URL."""
    if value.get("bomFormat") == "CycloneDX":
        found = _of_cyclonedx(value)
    elif _is_spdx3(value):
        found = _of_spdx3(value)
    else:
        found = _of_spdx2(value)
    out: list[NamedPackage] = []
    for pointer, purl in found:
        if len(out) < _MOST and (named := _named(purl, Location(place, pointer=pointer))):
            out.append(named)
    return tuple(dict.fromkeys(out))


def _of_cyclonedx(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    waiting: list[tuple[str, Any, int]] = [("/components", value.get("components"), 0)]
    while waiting:
        pointer, found, depth = waiting.pop()
        for number, each in enumerate(found if isinstance(found, list) and depth < _DEEPEST else ()):
            if isinstance(each, dict):
                if isinstance(each.get("purl"), str):
                    yield f"{pointer}/{number}", each["purl"]
                waiting.append((f"{pointer}/{number}/components", each.get("components"), depth + 1))


def _of_spdx2(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    packages = value.get("packages")
    for number, each in enumerate(packages if isinstance(packages, list) else ()):
        refs = each.get("externalRefs") if isinstance(each, dict) else None
        for ref in refs if isinstance(refs, list) else ():
            if (
                isinstance(ref, dict)
                and ref.get("referenceType") == "purl"
                and isinstance(ref.get("referenceLocator"), str)
            ):
                yield f"/packages/{number}", ref["referenceLocator"]


def _of_spdx3(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for number, each in enumerate(value["@graph"]):
        if not isinstance(each, dict):
            continue
        for key in ("software_packageUrl", "packageUrl"):
            if isinstance(each.get(key), str):
                yield f"/@graph/{number}", each[key]
        ids = each.get("externalIdentifier")
        for one in ids if isinstance(ids, list) else ():
            if (
                isinstance(one, dict)
                and one.get("externalIdentifierType") == "packageUrl"
                and isinstance(one.get("identifier"), str)
            ):
                yield f"/@graph/{number}", one["identifier"]


def _named(purl: str, where: Location) -> NamedPackage | None:
    kind, name, version = _parts(purl)
    ecosystem = _ECOSYSTEMS.get(kind)
    if ecosystem is None or not name:
        return None
    specifier = f"=={version}" if version else ""
    return NamedPackage(
        ecosystem, package_name(ecosystem, printable(name)[:200]), printable(specifier)[:200], where, "bom"
    )


def _parts(purl: str) -> tuple[str, str, str]:
    """Type, name with its namespace, and version of a package URL; empty where it is none."""
    if not purl.startswith("pkg:") or len(purl) > 2_000:
        return "", "", ""
    rest = purl[4:].lstrip("/").split("#", 1)[0].split("?", 1)[0]
    kind, _, path = rest.partition("/")
    name, at, version = path.rpartition("@") if "@" in path.rsplit("/", 1)[-1] else (path, "", "")
    kind = kind.lower()
    decoded = "/".join(unquote(each) for each in name.strip("/").split("/"))
    if kind == "maven":
        decoded = decoded.replace("/", ":")
    return kind, decoded, unquote(version) if at else ""


# --- VEX ---


@dataclass(frozen=True, slots=True)
class Said:
    """One VEX statement: the ids that it is about, and what it says."""

    names: frozenset[str]
    statement: VexStatement


def read_vex(data: bytes, source: str) -> tuple[Said, ...]:
    """The statements of an OpenVEX document, or of a CycloneDX document with vulnerabilities.

    Raises:
        MalformedError: it is neither.
    """
    value = value_of(data, source)
    if isinstance(value.get("statements"), list) and "openvex" in str(value.get("@context", ""))[:200]:
        return tuple(_openvex(value, source))
    if value.get("bomFormat") == "CycloneDX":
        return tuple(_cyclonedx(value, source))
    raise MalformedError(f"{source} is neither OpenVEX nor CycloneDX")


def _openvex(value: Mapping[str, Any], source: str) -> Iterator[Said]:
    author = _text(value.get("author"))
    for each in value["statements"][:_MOST]:
        if not isinstance(each, dict):
            continue
        about = each.get("vulnerability")
        names = {_text(about)} if isinstance(about, str) else set()
        if isinstance(about, dict):
            aliases = about.get("aliases")
            names = {_text(about.get(key)) for key in ("name", "@id")}
            names |= {_text(one) for one in (aliases if isinstance(aliases, list) else ())[:100]}
        products = each.get("products")
        shown = ", ".join(filter(None, map(_product, products if isinstance(products, list) else ())))
        said = " ".join(filter(None, (_text(each.get("impact_statement")), _text(each.get("action_statement")))))
        yield Said(
            frozenset(names - {""}),
            VexStatement(
                source, author, _text(each.get("status")), _text(each.get("justification")), _about(shown, said)
            ),
        )


def _product(each: Any) -> str:
    if isinstance(each, str):
        return _text(each)
    if not isinstance(each, dict):
        return ""
    identifiers = each.get("identifiers")
    return _text(each.get("@id")) or (_text(identifiers.get("purl")) if isinstance(identifiers, dict) else "")


def _cyclonedx(value: Mapping[str, Any], source: str) -> Iterator[Said]:
    metadata = value.get("metadata")
    supplier = metadata.get("supplier") if isinstance(metadata, dict) else None
    author = _text(supplier.get("name")) if isinstance(supplier, dict) else ""
    found = value.get("vulnerabilities")
    for each in (found if isinstance(found, list) else ())[:_MOST]:
        analysis = each.get("analysis") if isinstance(each, dict) else None
        if not isinstance(analysis, dict):
            continue
        references = each.get("references")
        names = {_text(each.get("id"))}
        names |= {
            _text(one.get("id"))
            for one in (references if isinstance(references, list) else ())[:100]
            if isinstance(one, dict)
        }
        affects = each.get("affects")
        shown = ", ".join(
            _text(one.get("ref"))
            for one in (affects if isinstance(affects, list) else ())[:20]
            if isinstance(one, dict)
        )
        yield Said(
            frozenset(names - {""}),
            VexStatement(
                source, author, _text(analysis.get("state")), _text(analysis.get("justification")), _about(shown, _text(analysis.get("detail")))
            ),
        )  # fmt: skip


def _about(products: str, said: str) -> str:
    return ": ".join(filter(None, (f"of {products[:_TEXT]}" if products else "", said)))


def _text(value: Any) -> str:
    return printable(value[: 2 * _TEXT])[:_TEXT] if isinstance(value, str) else ""


def beside(hits: tuple[AdvisoryHit, ...], said: tuple[Said, ...]) -> tuple[AdvisoryHit, ...]:
    """``hits`` with what was said of each of them; nothing is taken away for it."""
    from dataclasses import replace

    by_name: dict[str, list[VexStatement]] = {}
    for each in said:
        for name in each.names:
            by_name.setdefault(name, []).append(each.statement)
    out = []
    for hit in hits:
        found = dict.fromkeys(each for name in sorted(hit.names) for each in by_name.get(name, ()))
        out.append(replace(hit, vex=(*hit.vex, *found)) if found else hit)
    return tuple(out)
