"""``openvet serve``: the gate in front of a hub."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from openvet.hubproxy.config import ServeConfig

__all__ = ["configured", "serve", "whoever_types"]


@click.command(short_help="Serve models through a gate that vets them.")
@click.option("--config", "file", metavar="FILE", type=click.Path(readable=False), help="Read this serve.toml; options override it.")  # fmt: skip
@click.option("--data", metavar="DIR", type=click.Path(readable=False), help="Keep everything in this folder. Default: openvet/serve in XDG_DATA_HOME.")  # fmt: skip
@click.option("--host", metavar="ADDRESS", help="Listen there. Default: 127.0.0.1, for this machine alone.")
@click.option("--port", metavar="N", type=click.IntRange(0, 65535), help="Listen on this port; 0 takes a free one. Default: 8470.")  # fmt: skip
@click.option("--upstream", "upstreams", multiple=True, metavar="URL|DIR", help="Where models come from: a hub, or a folder of ORG/NAME folders. May be repeated; the first that has one counts. Default: https://huggingface.co.")  # fmt: skip
@click.option("--log", type=click.Choice(["text", "json"]), help="How each request is written to standard error. Default: text.")  # fmt: skip
@click.option("--recover", metavar="NAME", help="Serve nothing: print a link by which this admin gets in and chooses a password anew.")  # fmt: skip
def serve(
    file: str | None,
    data: str | None,
    host: str | None,
    port: int | None,
    upstreams: tuple[str, ...],
    log: str | None,
    recover: str | None,
) -> None:
    """Serve the models of a hub through a gate: nothing passes that was not hashed, vetted and decided.

    Whoever sets HF_ENDPOINT to this server pulls through it, without any change to their code: from_pretrained,
    hf download, snapshot_download, vLLM, JavaScript. Who is refused reads why.

    It needs the extra openvet[server]. Only this machine reaches it until --host says otherwise; then whoever pulls
    needs a token. The first start prints one link, by which the first admin chooses a password.

    \b
    Examples:
      openvet serve                                    this machine, huggingface.co
      openvet serve --upstream ./models                a folder of ORG/NAME folders
      openvet serve --config serve.toml --log json
    """  # noqa: D301
    from dataclasses import replace

    config = configured(file, data)
    from openvet.hubproxy.config import place_of
    from openvet.hubproxy.serve import recovery_link
    from openvet.hubproxy.serve import serve as run

    config = replace(
        config,
        host=config.host if host is None else host,
        port=config.port if port is None else port,
        log=log or config.log,
        upstreams=tuple(place_of(each) for each in upstreams) or config.upstreams,
    )
    if recover is not None:
        _say(f"{recover} gets in once, within three days, at\n\n{recovery_link(config, recover, whoever_types())}")
        return
    run(config, _say, _log)


def configured(file: str | None, data: str | None) -> ServeConfig:
    """The configuration of the server that is meant: of a file, of a folder, or the usual one.

    Raises:
        UsageError: the extra of servers is not installed.
        ConfigError: the file cannot be read, or makes no sense.
    """
    from dataclasses import replace
    from importlib.util import find_spec

    from openvet.errors import UsageError

    missing = [each for each in ("fastapi", "jwt", "sqlalchemy", "uvicorn") if find_spec(each) is None]
    if missing:
        raise UsageError(f"the server needs libraries that are not installed ({', '.join(missing)}): pip install 'openvet[server]'")  # fmt: skip
    from openvet.hubproxy.config import ServeConfig, load_serve_config

    config = load_serve_config(file) if file is not None else ServeConfig()
    return replace(config, data=os.path.abspath(data or config.data or _default_folder()))


def whoever_types() -> str:
    """Who is at this command line, for what is written down: no name of a person here, which holds no space."""
    import pwd

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return f"command line of {name[:100]}"


def _default_folder() -> str:
    home = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return os.path.join(home, "openvet", "serve")


def _say(text: str) -> None:
    click.echo(text)
    sys.stdout.flush()


def _log(line: str) -> None:
    click.echo(line, err=True)
