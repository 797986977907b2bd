"""How ``openvet eval`` asks a model: it runs here, an endpoint answers, or answers were recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from openvet.cli.options import with_options
from openvet.cli.running_options import asked_of, running_options

if TYPE_CHECKING:
    from openvet.core.progress import Progress
    from openvet.evals.backends._backend import Backend
    from openvet.workflows.opening import Running

__all__ = ["asked_model", "asking_options", "one_way"]

_PATH = click.Path(readable=False)
#: Options of a model that runs here, which mean nothing of one that answers elsewhere.
_HERE: Final = ("python", "engine", "file", "sandbox", "memory", "trust_remote_code")


def asking_options(command: Any) -> Any:
    """How a model is asked."""
    return with_options(
        (
            click.option("--endpoint", metavar="URL", help="Ask an endpoint of OpenAI's shape, such as http://127.0.0.1:8000/v1."),
            click.option("--recorded", metavar="FILE", type=_PATH, help="Take recorded answers: JSON lines with id and output, logprobs or embeddings."),
            click.option("--name", metavar="NAME", default="", help="The model's name at the endpoint; its folder's, if not given."),
            click.option("--api", type=click.Choice(["chat", "completions"]), default="chat", show_default=True, help="How texts are written: as answers in a chat, or on; at an endpoint completions gives likelihoods too."),
            click.option("--key-env", metavar="VARIABLE", help="The environment variable that holds the endpoint's key. Without it no key is sent."),
            click.option("--timeout", type=click.FloatRange(min=1, max=3600), default=120, show_default=True, metavar="SECONDS", help="Without a byte for so long, a request counts as lost."),
            click.option("--tries", type=click.IntRange(min=1, max=20), default=5, show_default=True, metavar="N", help="Attempts of one request, each after a longer wait."),
            click.option("--parallel", type=click.IntRange(min=1, max=64), default=1, show_default=True, metavar="N", help="Requests at a time."),
            click.option("--rate", type=click.FloatRange(min=0), default=0, metavar="N", help="Requests a minute at most; 0, the default, is no limit."),
            click.option("--unsafe-plain-http", is_flag=True, help="Let prompts, answers and the key travel without TLS to another machine."),
            running_options("--sandbox"),
        )
    )(command)  # fmt: skip


def _backend(asked: Mapping[str, Any], model: str | None) -> Backend:
    if asked["recorded"] is not None:
        from openvet.core.text import printable
        from openvet.evals.backends.recorded import Recorded
        from openvet.evals.limits import DEFAULT
        from openvet.workflows.model_files import read_small

        return Recorded(read_small(asked["recorded"], DEFAULT.outputs_bytes), printable(asked["recorded"]))
    from openvet.evals.backends.openai import Endpoint, RateLimit

    key = ""
    if asked["key_env"] is not None:
        key = os.environ.get(asked["key_env"], "").strip()
        if not key or not key.isascii() or not key.isprintable():
            raise click.UsageError(f"the environment variable {asked['key_env']} holds no key")
    name = asked["name"] or os.path.basename(os.path.normpath(model or ""))
    return Endpoint(
        asked["endpoint"], name, asked["api"], key=key, timeout=asked["timeout"], tries=asked["tries"], parallel=asked["parallel"],
        rate=RateLimit(asked["rate"]), plain=asked["unsafe_plain_http"],
    )  # fmt: skip


def one_way(asked: Mapping[str, Any], model: str | None) -> None:
    """See that exactly one way to ask is named.

    Raises:
        click.UsageError: none is, or more.
    """
    elsewhere = [f"--{name}" for name in ("endpoint", "recorded") if asked[name] is not None]
    if len(elsewhere) > 1:
        raise click.UsageError("--endpoint and --recorded exclude each other: how the model is asked")
    if not elsewhere and model is None:
        raise click.UsageError(
            "say how the model is asked: its path runs it here; or --endpoint URL, or --recorded FILE"
        )
    here = [each for each in _HERE if asked[each]]
    if elsewhere and here:
        name = here[0].replace("_", "-")
        raise click.UsageError(f"--{name} is about a model that runs here, and {elsewhere[0]} asks one elsewhere")


@contextmanager
def asked_model(
    asked: Mapping[str, Any], model: str | None, progress: Progress
) -> Iterator[tuple[Backend, Running | None]]:
    """What answers, and the model where it runs here; closed behind it.

    Raises:
        NoIsolationError: nothing here is enough to run it in.
        OpenVetError: it cannot be asked, or opened, so.
    """
    if asked["endpoint"] is not None or asked["recorded"] is not None:
        backend = _backend(asked, model)
        try:
            yield backend, None
        finally:
            backend.close()
        return
    from openvet.evals.backends.local import Local
    from openvet.workflows.eval_files import beside
    from openvet.workflows.opening import opened

    with opened(str(model), asked_of(asked), progress) as running:
        yield Local(running.model, running.settings(), chat=asked["api"] == "chat", read=beside(asked["task"])), running
