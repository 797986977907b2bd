"""``openvet formats``: what can be read, and what a reading can and cannot tell."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.options import complete_formats, form_option
from openvet.cli.terminal import look_of

if TYPE_CHECKING:
    from openvet.formats._format import Format
    from openvet.reports.look import Look

__all__ = ["formats"]


@click.command(short_help="List the formats.")
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=complete_formats)
@form_option("How to print them.")
def formats(ids: tuple[str, ...], form: str) -> None:
    """List the formats, and for each what a reading can and cannot tell.

    Formats that are only recognised have no reader yet: their files are reported as not read.

    \b
    Examples:
      openvet formats
      openvet formats safetensors
      openvet formats --format json
    """  # noqa: D301
    from openvet.cli.output import StandardOutput, write_text

    chosen = _choose(ids)
    if form == "json":
        import json

        from openvet.reports._wording import clean

        StandardOutput(utf8=True).write(
            json.dumps(clean([_to_json(each) for each in chosen]), indent=2, ensure_ascii=False) + "\n"
        )
        return
    look = look_of(sys.stdout)
    if ids:
        write_text(look.finish("\n".join(_at_length(each, look) for each in chosen)))
    else:
        write_text(look.finish(_in_short(chosen, look)))


def _choose(ids: tuple[str, ...]) -> list[Format]:
    from openvet.core.text import printable
    from openvet.errors import UsageError
    from openvet.workflows.knowledge import all_formats

    known = {each.id: each for each in all_formats()}
    if not ids:
        return list(known.values())
    for name in ids:
        if name not in known:
            import difflib

            near = difflib.get_close_matches(name[:100].lower(), known, 3, 0.5)
            advice = f"did you mean {' or '.join(near)}?" if near else "`openvet formats` lists them"
            raise UsageError(f"there is no format {printable(name)[:100]}; {advice}")
    return [known[name] for name in ids]


def _in_short(chosen: list[Format], look: Look) -> str:
    from openvet.reports.text import table

    parts = []
    for title, reader in (("Read", True), ("Recognised, not read", False)):
        rows = [
            [f"  {each.id}", " ".join(each.extensions) or "any name", each.title]
            for each in chosen
            if each.reader is reader
        ]
        if rows:
            parts.append("\n".join([look.paint(title, "bold"), *table(rows, look.width)]) + "\n")
    return "\n".join(parts) + "\n`openvet formats ID` says what a reading can and cannot tell\n"


def _at_length(each: Format, look: Look) -> str:
    import textwrap

    state = "" if each.reader else "  (recognised, not read)"
    lines = [
        f"{look.paint(each.id, 'bold')}  {each.title}{look.paint(state, 'yellow')}",
        f"  names: {' '.join(each.extensions) or 'any'}",
    ]
    for title, sentences in (("can tell", each.can_tell), ("cannot tell", each.cannot_tell)):
        if sentences:
            lines.append(f"  {title}:")
        for sentence in sentences:
            lines += textwrap.wrap(sentence, look.width, initial_indent="    - ", subsequent_indent="      ")
    return "\n".join(lines) + "\n"


def _to_json(each: Format) -> dict[str, Any]:
    return {
        "id": each.id,
        "title": each.title,
        "extensions": list(each.extensions),
        "media_types": list(each.media_types),
        "can_tell": list(each.can_tell),
        "cannot_tell": list(each.cannot_tell),
        "refines": list(each.refines),
        "reader": each.reader,
    }
