"""``openvet claims``: published figures about training and serving, held against each other."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from openvet.cli.options import form_option
from openvet.cli.signed import statement_line, written_key
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openvet.evidence.keys import PrivateKey
    from openvet.workflows.claims import Examined, Source

__all__ = ["OPTIONS", "claims"]

_PATH = click.Path(readable=False)
_INCONSISTENT, _CANNOT_TELL = 1, 3
#: Options of keys that have one; as in :data:`openvet.profile.claims.keys.KEYS`, which is not imported for a help text; a test holds
#: the two together.
OPTIONS: Final = {
    "parameters": ("model.parameters", "Parameters that work on each token."),
    "tokens": ("training.tokens", "Tokens that were trained on."),
    "chip": ("training.chip", "What it ran on; --chips lists those that are known."),
    "chip_hours": ("training.chip_hours", "Hours of one chip."),
    "utilisation": ("training.utilisation", "Model FLOP utilisation, such as 0.4."),
    "pue": ("training.pue", "Power usage effectiveness of the data centre, such as 1.1."),
    "grams_per_kwh": ("training.grams_per_kwh", "Carbon intensity of the electricity, in gCO2e/kWh."),
    "usd_per_chip_hour": ("training.usd_per_chip_hour", "Price of an hour of one chip, in USD."),
}


def _number_options(command: Any) -> Any:
    for name, (_, text) in reversed(OPTIONS.items()):
        metavar = "NAME" if name == "chip" else "NUMBER"
        command = click.option(f"--{name.replace('_', '-')}", name, metavar=metavar, help=text)(command)
    return command


def _complete_rows(_: click.Context, __: click.Parameter, incomplete: str) -> list[Any]:
    from click.shell_completion import CompletionItem

    from openvet.workflows.claims import published_names

    return [CompletionItem(each) for each in published_names() if each.startswith(incomplete)]


@click.command(short_help="Hold published figures about training and serving against each other.")
@click.argument("path", metavar="[FILE]", required=False, type=_PATH)
@click.option("--published", metavar="NAME", shell_complete=_complete_rows, help="Take a row that ships with OpenVet, such as bloom-176b; --list names them.")  # fmt: skip
@_number_options
@click.option("--set", "settings", metavar="KEY=VALUE", multiple=True, help="State any key of --keys; counts above FILE. 0.38..0.43 is a band, 180e9|300e9 can be read in two ways. May be repeated.")  # fmt: skip
@form_option("How to print it; json has every digit.")
@click.option("--output", "-o", metavar="FILE", type=_PATH, help="Write it to FILE: whole or not at all.")
@click.option("--statement", is_flag=True, help="Give an in-toto statement in place of the report.")
@click.option("--sign", metavar="KEY", type=_PATH, help="The private key that signs the --statement.")
@click.option("--model", metavar="PATH", type=_PATH, help="The model that the --statement is about, which is hashed; else it is about FILE.")  # fmt: skip
@click.option("--list", "show", flag_value="rows", help="Name the rows that ship, and end.")
@click.option("--keys", "show", flag_value="keys", help="Explain every key that can be stated, with its unit, and end.")
@click.option("--chips", "show", flag_value="chips", help="List the chips that are known, with sources, and end.")
@click.pass_context
def claims(ctx: click.Context, /, path: str | None, **asked: Any) -> None:
    """Compute training compute, utilisation, energy, carbon and cost from stated inputs, and judge published figures by them.

    FILE states what is known about a run, in TOML, YAML or JSON, each number with its source, and under [published] the figures to
    judge. Each is consistent, inconsistent, or nobody can tell; the reason and the formula stand beside it. What is not stated is a
    band and no guess, and is listed. Nothing is looked up: the answer is as good as what is stated.

    \b
    Examples:
      openvet claims --published bloom-176b
      openvet claims --parameters 70.6e9 --tokens 15e12 --chip h100-sxm --chip-hours 6.4e6
      openvet claims --published opt-175b --set training.tokens=300e9
      openvet claims --keys

    \b
    Exit codes:
      0    every published figure is consistent with the rest, or there is none
      1    one is inconsistent: not all of the figures can be true
      3    none is inconsistent, but of one nobody can tell
      2    the command itself failed: FILE makes no sense, and the lines that follow say where
    """  # noqa: D301
    from openvet.cli.output import open_output, write_text

    if asked["show"] is not None:
        if asked["form"] == "json":
            raise click.UsageError(f"what --{_LISTS[asked['show']]} lists is text; the files are in openvet/data")
        write_text("".join(f"{line}\n" for line in _SHOWN[asked["show"]]()))
        return
    source = _source(ctx, path, asked)
    if asked["sign"] is not None and not asked["statement"]:
        raise click.UsageError("--sign belongs to --statement: what is signed")
    if asked["model"] is not None and not asked["statement"]:
        raise click.UsageError("--model belongs to --statement: what it is about")
    if asked["statement"] and ctx.get_parameter_source("form") is not click.core.ParameterSource.DEFAULT:
        raise click.UsageError("--format and --statement exclude each other: a statement takes the report's place")
    key = written_key(asked["sign"])
    from openvet.workflows.claims import examine_claims

    machine = asked["statement"] or asked["form"] == "json"
    inputs = [each for each in (path, asked["model"]) if each is not None]
    with open_output(asked["output"], inputs, utf8=machine) as output:
        examined = examine_claims(source)
        output.write(_statement(examined, asked["model"], key) if asked["statement"] else _report(examined, asked))
        output.commit()
    if asked["output"] not in {None, "-"}:
        say(f"openvet: the {'statement' if asked['statement'] else 'report'} is in {asked['output']}")
    ctx.exit({"inconsistent": _INCONSISTENT, "cannot-tell": _CANNOT_TELL}.get(examined.claims.verdict or "", 0))


def _source(ctx: click.Context, path: str | None, asked: dict[str, Any]) -> Source:
    from openvet.workflows.claims import Source

    if path is not None and asked["published"] is not None:
        raise click.UsageError("FILE and --published exclude each other: one of them states the run")
    settings = {
        key: (f"--{name.replace('_', '-')}", asked[name])
        for name, (key, _) in OPTIONS.items()
        if asked[name] is not None
    }
    for each in asked["settings"]:
        key, equals, text = each.partition("=")
        if not equals:
            raise click.UsageError(f"--set {each!r}: write KEY=VALUE with a key of `openvet claims --keys`", ctx=ctx)
        settings[key.strip()] = (f"--set {key.strip()}", text.strip())
    return Source(path or "", asked["published"] or "", settings)


def _report(examined: Examined, asked: dict[str, Any]) -> str:
    if asked["form"] == "json":
        from openvet.cli.signed import as_json

        return as_json(examined.to_json())
    from openvet.reports.claims import compose
    from openvet.reports.look import PLAIN

    return compose(examined.claims, look_of(sys.stdout) if asked["output"] in {None, "-"} else PLAIN)


def _statement(examined: Examined, model: str | None, key: PrivateKey | None) -> str:
    from openvet.core.progress import Progress
    from openvet.workflows.claims import statement_about

    made = statement_about(examined, model, Progress())
    return statement_line(made, key)


def _rows() -> Iterator[str]:
    from openvet.workflows.claims import Source, published_names, read_inputs

    names = published_names()
    wide = max(map(len, names))
    for each in names:
        yield f"{each.ljust(wide)}  {read_inputs(Source(published=each))[0].name}"


def _keys() -> Iterator[str]:
    from textwrap import wrap

    from openvet.profile.claims.keys import KEYS

    yield "A FILE has the tables [model], [training], [serving] and [published], with these keys; and name, source and notes above them."
    yield 'A number is written as 366e9, as { value = 366e9, source = "..." }, as { low = 0.38, high = 0.43 }, or with or = 300e9.'
    section = ""
    for key in KEYS.values():
        if key.section != section:
            section = key.section
            yield f"\n[{section}]"
        kind = (
            key.unit
            or " | ".join(key.words)
            or {"share": "above 0, at most 1", "factor": "at least 1"}.get(key.kind, "word")
        )
        yield f"  {key.leaf} ({kind})"
        yield from wrap(key.text, 100, initial_indent="      ", subsequent_indent="      ")
    yield "\n[[serving.traffic]]\n  kind, tokens (token), usd_per_million (USD for a million tokens)"


def _chips() -> Iterator[str]:
    from openvet.core.quantity import brief
    from openvet.profile.claims.chips import chips

    for each in chips().values():
        peaks = ", ".join(f"{dtype} {brief(value / 10**12)}" for dtype, value in each.peak.items())
        power = "no thermal design power published" if each.watts is None else f"{brief(each.watts)} W"
        yield f"{each.id}: {each.name}\n  dense peak in TFLOP/s: {peaks}; {power}\n  {each.source}, {each.date}"


_LISTS: Final = {"rows": "list", "keys": "keys", "chips": "chips"}
_SHOWN: Final = {"rows": _rows, "keys": _keys, "chips": _chips}
