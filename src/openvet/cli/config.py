"""``openvet config``: which configuration counts, what it says, and where each value comes from."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.options import form_option
from openvet.cli.terminal import look_of

if TYPE_CHECKING:
    from openvet.workflows.config import Config
    from openvet.workflows.find_config import Found

__all__ = ["config"]


@click.command(short_help="Show which openvet.toml counts, and what it says.")
@form_option("How to print it.")
@click.option("--config", "named", metavar="FILE", type=click.Path(readable=False), help="Use this openvet.toml.")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(readable=False))
def config(form: str, named: str | None, paths: tuple[str, ...]) -> None:
    """Show which openvet.toml counts, and where each value comes from; a file that makes no sense fails with its lines.

    Of what is examined no configuration is ever used. Name the PATHs that you are going to check to see what then counts.

    \b
    Examples:
      openvet config
      openvet config ./my-model
      openvet config --format json
    """  # noqa: D301
    from datetime import UTC, datetime

    from openvet.cli.output import StandardOutput, write_text
    from openvet.workflows.config import Config
    from openvet.workflows.find_config import find_config

    found = find_config(paths, named)
    value = _value(found, found.config or Config(), datetime.now(UTC).date().isoformat())
    if form == "json":
        import json

        from openvet.reports._wording import clean

        StandardOutput(utf8=True).write(json.dumps(clean(value), indent=2, ensure_ascii=False) + "\n")
        return
    write_text(look_of(sys.stdout).finish(_as_text(value)))


def _value(found: Found, used: Config, today: str) -> dict[str, Any]:
    from dataclasses import fields

    from openvet.core.limits import Limits

    def entry(value: Any, *path: str) -> dict[str, Any]:
        line = (used.lines or {}).get(path)
        return {"value": value, "from": f"{used.shown}:{line}" if line else "default"}

    return {
        "file": used.shown or None,
        "sha256": used.digest or None,
        "source": found.source or None,
        "looked": [{"how": each.how, "file": each.file, "result": each.result} for each in found.looked],
        "values": {
            "strict": entry(used.strict, "strict"),
            "defaults.format": entry(used.form or "text", "defaults", "format"),
            "defaults.fail-on": entry(used.fail_on or "review", "defaults", "fail-on"),
            "defaults.exclude": entry(list(used.exclude), "defaults", "exclude"),
            **{
                f"limits.{each.name}": entry(getattr(used.limits, each.name), "limits", each.name)
                for each in fields(Limits)
            },
        },
        "accept": [
            {
                "rule": each.rule,
                "digest": each.digest,
                "reason": each.reason,
                "owner": each.owner,
                "expires": each.expires.isoformat(),
                "expired": each.expires.isoformat() < today,
                "from": f"{used.shown}:{each.line}",
            }
            for each in used.acceptances
        ],
        "callable": [
            {
                "name": each.name,
                "reason": each.reason,
                "owner": each.owner,
                "expires": None if each.expires is None else each.expires.isoformat(),
                "expired": each.expires is not None and each.expires.isoformat() < today,
                "from": f"{used.shown}:{each.line}",
            }
            for each in used.callables
        ],
    }


def _as_text(value: dict[str, Any]) -> str:
    from openvet.reports._wording import visible
    from openvet.reports.text import table

    if value["file"] is None:
        lines = ["No configuration counts; every value is the default."]
    else:
        lines = [f"{value['file']} ({value['source']})", f"sha256 {value['sha256']}"]
    if value["looked"]:
        lines += ["", "Looked at, in this order"]
        lines += ["  " + each for each in table([[each["file"], each["result"]] for each in value["looked"]], 300)]
    lines += ["", "Values"]
    rows = [[name, _shown(each["value"]), each["from"]] for name, each in value["values"].items()]
    lines += ["  " + each for each in table(rows, 300)]
    for title, key, name in (("Accepted findings", "accept", "rule"), ("Accepted callables", "callable", "name")):
        if value[key]:
            lines += ["", f"{title} ({len(value[key])})"]
        for each in value[key]:
            day = f" until {each['expires']}" if each["expires"] else ""
            state = "EXPIRED" if each["expired"] else "holds"
            digest = f" in {each['digest'][:12]}…" if "digest" in each else ""
            lines.append(f"  {state}{day}  {each[name]}{digest}  {each['owner']}: {each['reason']}  ({each['from']})")
    return "\n".join(visible(line) for line in lines) + "\n"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "(none)"
    return f"{value:,}" if isinstance(value, int | float) else str(value)
