"""Options about running a model: by what, where, with how much. Every command that runs one has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from openvet.workflows.opening import Asked

__all__ = ["asked_of", "running_options"]

_PATH = click.Path(readable=False)
#: As in :data:`openvet.engines.model.ENGINES` and :data:`openvet.sandbox.levels.LADDER`, which are not imported for a help text; a test holds them together.
ENGINES: Final = ("gguf", "onnx", "static", "transformers", "whisper")
LEVELS: Final = ("4", "3", "2", "2n", "1n", "1s", "1")


def running_options(level: str = "--level") -> Callable[[Any], Any]:
    """``--python`` ``--engine`` ``--file`` ``--threads`` ``--context`` ``--level`` ``--memory`` ``--seconds`` and what accepts a risk.

    Args:
        level: what the option of the sandbox's level is called, where ``--level`` is something else.
    """
    from openvet.cli.options import with_options

    return with_options(
        (
            click.option("--python", metavar="FILE", type=_PATH, help="The interpreter that runs the model, of the environment that has the frameworks. Default: OpenVet's own."),
            click.option("--engine", type=click.Choice(ENGINES), help="What runs it. Default: what takes its bytes."),
            click.option("--file", "file", metavar="NAME", help="Which file of a folder. Default: the only one."),
            click.option("--threads", type=click.IntRange(1, 1024), default=1, show_default=True, metavar="N", help="Threads that compute."),
            click.option("--context", type=click.IntRange(0, 2**24), default=0, metavar="N", help="Tokens that it can hold; 4096, or what it was made for where that is less, if not given."),
            click.option(level, "sandbox", type=click.Choice(LEVELS), help="The level of the sandbox; `openvet doctor` explains them. Default: the strongest that is proven, from 3 downwards."),
            click.option("--i-accept-no-isolation", "accepted", is_flag=True, help="Run the model even where nothing keeps it away from this machine. It is written into the evidence."),
            click.option("--trust-remote-code", is_flag=True, help="Run code of the model's own, and load pickles; in the sandbox."),
            click.option("--memory", metavar="BYTES", help="Address space of its process; 8G and three times the model, if not given."),
            click.option("--seconds", type=click.FloatRange(min=1, max=86400), default=600, show_default=True, metavar="N", help="Until it is loaded, and for each request."),
        )
    )  # fmt: skip


def asked_of(given: Mapping[str, Any], **options: Any) -> Asked:
    """How a model is to be run, as the options say it; ``options`` are of the engine.

    Raises:
        click.UsageError: no such number.
    """
    from openvet.cli.options import amount_of
    from openvet.workflows.opening import Asked

    return Asked(
        python=given["python"] or "",
        engine=given["engine"] or "",
        file=given["file"] or "",
        threads=given["threads"],
        context=given["context"],
        level=given["sandbox"] or "",
        accepted=given["accepted"],
        memory=0 if given["memory"] is None else amount_of(given["memory"], "--memory"),
        seconds=given["seconds"],
        trust_remote_code=given["trust_remote_code"],
        options=options,
    )
