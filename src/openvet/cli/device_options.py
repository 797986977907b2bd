"""Options about devices, which ``openvet profile`` and ``openvet cost`` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["CACHE_TYPES", "device_option", "list_devices", "work_options"]

#: As in :data:`openvet.profile.needs.CACHE_TYPES`, which is not imported for a help text; a test holds the two together.
CACHE_TYPES: Final = ("f32", "f16", "bf16", "fp8", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl")
_MOST_TOKENS, _MOST_SEQUENCES = 10**9, 10**6


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    from click.shell_completion import CompletionItem

    from openvet.workflows.devices import device_ids

    return [CompletionItem(each) for each in device_ids() if each.startswith(incomplete)]


def device_option(text: str, *, multiple: bool) -> Callable[[Any], Any]:
    """``--device``."""
    return click.option("--device", metavar="NAME|FILE", multiple=multiple, shell_complete=_complete, help=text)


def work_options(command: Any) -> Any:
    """``--context``, ``--batch``, ``--cache-type``."""
    for option in reversed(
        (
            click.option(
                "--context",
                metavar="N",
                type=click.IntRange(1, _MOST_TOKENS),
                help="With --device: tokens of a sequence. Default: 4096, or what the model was made for where that is less.",
            ),
            click.option(
                "--batch",
                metavar="N",
                type=click.IntRange(1, _MOST_SEQUENCES),
                default=1,
                show_default=True,
                help="With --device: sequences at once.",
            ),
            click.option(
                "--cache-type",
                type=click.Choice(CACHE_TYPES),
                default="f16",
                show_default=True,
                help="With --device: type of the numbers in the cache.",
            ),
        )
    ):
        command = option(command)
    return command


def list_devices(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """``--devices``: print them and end."""
    if not wanted or ctx.resilient_parsing:
        return
    from openvet.cli.output import write_text
    from openvet.profile.devices import devices
    from openvet.reports.fit import gib, said_by

    out = []
    for each in devices().values():
        sizes = ", ".join(gib(size) for size in each.sizes)
        out.append(f"{each.id}: {each.name}, {sizes}\n" + "".join(f"  {line}\n" for line in said_by(each)))
    write_text("".join(out))
    ctx.exit()
