"""``--policy`` and ``--policy-trust``: policy packs by id or path, and who has to have signed those that do not ship. One way for every command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.terminal import say

if TYPE_CHECKING:
    from datetime import date

    from openvet.workflows.config import Config
    from openvet.workflows.signed_packs import Verify

__all__ = ["advisories_option", "config_options", "pack_options", "verifier_for", "verifier_of"]

_PATH = click.Path(readable=False)
_WHICH = "an id of `openvet policy list`, or the path of your own. May be repeated."


def pack_options(*, required: bool = False, text: str = "A policy pack") -> tuple[Callable[[Any], Any], ...]:
    """``--policy`` and ``--policy-trust``, in the order of the help. ``text`` says what the packs are for."""
    return (
        click.option("--policy", "packs", metavar="PACK", multiple=True, required=required, help=f"{text}: {_WHICH}"),
        click.option(
            "--policy-trust", metavar="FILE", type=_PATH,
            help="A trust.toml: packs by path have to be signed by somebody in it. That of [policy] in openvet.toml if not given.",
        ),
    )  # fmt: skip


def advisories_option(text: str) -> Callable[[Any], Any]:
    """``--advisories``. ``text`` says what they are for."""
    return click.option(
        "--advisories", metavar="PATH", type=_PATH, multiple=True,
        help=f"Newer advisories in OSV's form (a folder, a file, or a zip as osv.dev publishes it), {text}. May be repeated.",
    )  # fmt: skip


def config_options(text: str) -> tuple[Callable[[Any], Any], ...]:
    """``--config`` and ``--no-config``. ``text`` says what of the file counts beside whom it trusts."""
    return (
        click.option("--config", metavar="FILE", type=_PATH, help=text),
        click.option("--no-config", is_flag=True, help="Use no configuration at all."),
    )


def verifier_of(asked: dict[str, Any], config: Config | None, day: date) -> Verify | None:
    """What verifies packs on ``day``: by ``--policy-trust``, or else by the configuration; ``None`` where neither trusts anybody.

    Raises:
        ConfigError: the trust file makes no sense.
    """
    if asked["policy_trust"] is not None:
        from openvet.workflows.signed_packs import signed_by

        return signed_by(asked["policy_trust"], day)
    return None if config is None else config.policy.verifier(day)


def verifier_for(asked: dict[str, Any], paths: Sequence[str | None], day: date) -> Verify | None:
    """The same, where the configuration is still to be found: that which counts for ``paths``, what they examine. What is ignored is said.

    Raises:
        ConfigError: the configuration or the trust file makes no sense.
    """
    from openvet.cli.check import look_for_config
    from openvet.workflows.packs import list_packs

    if asked["config"] and asked["no_config"]:
        raise click.UsageError("--config and --no-config exclude each other")
    ships = all(each in list_packs() for each in asked["packs"]) and asked.get("before") in {None, *list_packs()}
    if ships and asked["policy_trust"] is None:
        return None  # what ships needs nobody's signature
    found = look_for_config(asked, [each for each in paths if each is not None])
    for each in found.ignored:
        say(f"openvet: {each.file} is ignored: {each.why}")
    return verifier_of(asked, found.config, day)
