"""``openvet keys``: make, list and show signing keys."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.options import form_option
from openvet.cli.signed import PASSPHRASE
from openvet.cli.terminal import is_terminal, say

if TYPE_CHECKING:
    from openvet.workflows.keys import KeyFile

__all__ = ["keys"]

_PATH = click.Path(readable=False)
_KINDS = ("p256", "p384", "p521", "ed25519")


@click.group(short_help="Make, list and show signing keys.")
def keys() -> None:
    """Make, list and show signing keys.

    A private key is a file that only you may read; the public key beside it, with .pub behind the name, is what you give away.

    \b
    Examples:
      openvet keys new --kind p384 signing.key
      openvet keys list
      openvet keys show release.key.pub
    """  # noqa: D301


@keys.command(short_help="Make a key pair.")
@click.argument("file", type=_PATH)
@click.option("--kind", type=click.Choice(_KINDS), default="p256", show_default=True, help="ed25519 cannot sign models: other verifiers do not take it.")  # fmt: skip
@click.option("--no-passphrase", is_flag=True, help="Protect the private key by nothing but its file mode.")
@form_option("How to print it.")
def new(file: str, kind: str, no_passphrase: bool, form: str) -> None:
    """Make a key pair: the private key FILE and the public key FILE.pub. What exists is never replaced.

    The passphrase is asked for, or taken from OPENVET_KEY_PASSPHRASE.

    \b
    Exit codes:
      0    made
      2    nothing was written
    """  # noqa: D301
    from openvet.workflows.keys import new_key

    made = new_key(file, kind, None if no_passphrase else _new_passphrase())
    _print([made], form)


@keys.command("list", short_help="List the keys in a folder.")
@click.argument("folder", type=_PATH, default=".")
@form_option("How to print it.")
def list_(folder: str, form: str) -> None:
    """List the keys right in FOLDER (here, if not given): kind, fingerprint, passphrase, and private ones that others can read.

    \b
    Exit codes:
      0    listed, be there any or none
      2    the command itself failed (a missing path, a wrong argument)
    """  # noqa: D301
    from openvet.workflows.keys import list_keys

    found = list_keys(folder)
    _print(found, form)
    if not found:
        say("openvet: there is no key here")


@keys.command(short_help="Show what a key file holds.")
@click.argument("file", type=_PATH)
@form_option("How to print it.")
def show(file: str, form: str) -> None:
    """Show what kind of key FILE holds, and its fingerprint: SHA-256 over the public key's PEM text, as signatures name it.

    No secret is shown and no passphrase is asked for.

    \b
    Exit codes:
      0    shown
      2    it is no key, or the command itself failed
    """  # noqa: D301
    from openvet.workflows.keys import show_key

    _print([show_key(file)], form)


def _new_passphrase() -> bytes:
    from openvet.errors import UsageError

    given = os.environ.get(PASSPHRASE)
    if given is None:
        if not is_terminal(sys.stdin):
            raise UsageError(
                f"there is no terminal to ask for a passphrase at; set {PASSPHRASE}, or say --no-passphrase"
            )
        given = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    if not given:
        raise UsageError("an empty passphrase protects nothing; say --no-passphrase if that is meant")
    return str(given).encode("utf-8", "surrogateescape")


def _print(found: list[KeyFile], form: str) -> None:
    from openvet.cli.output import write_text

    if form == "json":
        import json

        from openvet.reports._text import clean
        from openvet.workflows.keys import KEYS_TYPE

        value: dict[str, Any] = {"type": KEYS_TYPE, "keys": [each.to_json() for each in found]}
        write_text(json.dumps(clean(value), indent=2, ensure_ascii=False) + "\n")
        return
    from openvet.reports._text import visible

    for each in found:
        what = "private" if each.private else "public "
        facts = [each.kind or "unknown kind", each.key or "hidden by the passphrase, and no .pub is beside it"]
        if each.private:
            facts.append("with a passphrase" if each.encrypted else "no passphrase")
        if each.readable:
            facts.append("OTHERS CAN READ IT: chmod 600")
        write_text(visible(f"{each.path}  {what}  {'  '.join(facts)}") + "\n")
