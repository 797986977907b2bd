"""``openvet cost``: running a model on stated hardware beside paying for an API."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from openvet.cli.device_options import CACHE_TYPES, device_option
from openvet.cli.options import form_option
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from openvet.profile.needs import Needs

__all__ = ["OPTIONS", "cost"]

_PATH = click.Path(readable=False)
#: The keys of :data:`openvet.profile.cost_inputs.KEYS`, which is not imported for a help text; a test holds the two together.
OPTIONS: Final = {
    "price_per_hour": "Price of an hour of one device, in USD.",
    "count": "Devices. Default: those of one copy.",
    "devices_per_copy": "Devices that hold one copy of the model together. Default: 1.",
    "hours": "Hours that are paid for: 24 for a day. Default: 730, a month.",
    "utilisation": "Share of its capacity that the hardware is busy with requests, such as 0.3.",
    "tokens_per_second": "Output of one copy, as measured; else it follows from the device's bounds.",
    "requests": "Requests in these hours.",
    "tokens_in": "Fresh input of a request.",
    "tokens_cached": "Input of a request that the cache has.",
    "tokens_out": "Output of a request.",
    "api_price_in": "The API's price for a million tokens of fresh input.",
    "api_price_cached": "The API's price for a million tokens of input from its cache. Default: that of fresh input.",
    "api_price_out": "The API's price for a million tokens of output.",
    "parameters": "In place of a MODEL: parameters that work on each token.",
    "bits": "With --parameters: bits of a weight. Default: 16.",
}


def _number_options(command: Any) -> Any:
    for name, text in reversed(OPTIONS.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, metavar="NUMBER", help=text)(command)
    return command


@click.command(short_help="Hold the cost of running a model against that of an API.")
@click.argument("path", metavar="[MODEL]", required=False, type=_PATH)
@_number_options
@device_option("What it runs on, a name of `openvet profile --devices` or a FILE.toml.", multiple=False)
@click.option("--batch", metavar="N", type=click.IntRange(1, 10**6), default=1, show_default=True, help="Requests that a copy works on at once.")  # fmt: skip
@click.option("--cache-type", type=click.Choice(CACHE_TYPES), default="f16", show_default=True, help="Type of the numbers in the cache.")  # fmt: skip
@click.option("--inputs", metavar="FILE", type=_PATH, help="State the same keys in a file, in TOML, YAML or JSON; options count above it.")  # fmt: skip
@form_option("How to print it; json has every digit.")
@click.option("--output", "-o", metavar="FILE", type=_PATH, help="Write it to FILE: whole or not at all.")
@click.pass_context
def cost(ctx: click.Context, /, path: str | None, **asked: Any) -> None:
    """Compare running a model on stated hardware with paying for an API: break-even volume and utilisation, cost of a request.

    Every number is an input that you state, as a number or as a band (2..3); what is not stated is not guessed. How much the
    hardware serves is what you measured (--tokens-per-second), or follows from the model and the device: then it is a wide band,
    and a bound. A MODEL (or --parameters) therefore needs --device or --tokens-per-second. Nothing is looked up, prices least of all.

    \b
    Examples:
      openvet cost --price-per-hour 2 --tokens-out 300 --api-price-out 0.28
      openvet cost --inputs ours.toml --parameters 8e9 --device l4 --batch 16
      openvet cost --inputs ours.toml --tokens-per-second 900..1100 --requests 2e6

    \b
    Exit codes:
      0    it was computed, whatever came out
      2    the command itself failed: an input makes no sense, and the lines that follow say which
    """  # noqa: D301
    from openvet.cli.output import open_output
    from openvet.workflows.cost import Asked, compute

    settings = {name: (f"--{name.replace('_', '-')}", asked[name]) for name in OPTIONS if asked[name] is not None}
    wanted = Asked(settings, asked["inputs"] or "", asked["device"] or "", asked["batch"], asked["cache_type"])
    model = None if path is None else _model(path)
    inputs = [each for each in (path, asked["inputs"]) if each is not None]
    with open_output(asked["output"], inputs, utf8=asked["form"] == "json") as output:
        found = compute(wanted, model)
        if asked["form"] == "json":
            from openvet.cli.signed import as_json

            output.write(as_json(found.to_json()))
        else:
            from openvet.reports.cost import compose
            from openvet.reports.look import PLAIN

            look = look_of(sys.stdout) if asked["output"] in {None, "-"} else PLAIN
            output.write(compose(found.cost, found.model or "the stated model", look))
        output.commit()
    if asked["output"] not in {None, "-"}:
        say(f"openvet: the report is in {asked['output']}")
    ctx.exit(0)


def _model(path: str) -> tuple[str, Needs]:
    from openvet.workflows.answer import ask
    from openvet.workflows.cost import one_model

    return one_model(ask(path, "profile"))
