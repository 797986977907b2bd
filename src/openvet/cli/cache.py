"""``openvet cache``: what lies in the Hugging Face caches of this machine, whether it may be used still, and taking it out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.options import form_option
from openvet.cli.terminal import is_terminal, look_of, say

if TYPE_CHECKING:
    from openvet.reports.look import Look
    from openvet.workflows.caches_evict import Evicted, Target
    from openvet.workflows.caches_verify import Standing
    from openvet.workflows.gate_client import GateClient
    from openvet.workflows.revocations import HeldList

__all__ = ["cache"]

_NOT_DONE = 1

_CACHE = click.option(
    "--cache",
    "caches",
    metavar="DIR",
    multiple=True,
    type=click.Path(readable=False),
    help="A cache to look into, in place of those that HF_HUB_CACHE, HF_HOME and XDG_CACHE_HOME say. May be repeated.",
)
_SERVER = click.option("--server", metavar="URL", help="The gate; OPENVET_SERVER or HF_ENDPOINT if not given.")
_PROJECT = click.option("--project", metavar="PATH", default="", help="In which project; the token's, if not given.")
_PATH = click.Path(readable=False)
_LIST = click.option("--revocations", metavar="FILE", type=_PATH, help="Ask this list of revocations in place of a gate; openvet hub revocations fetches it.")  # fmt: skip
_KEY = click.option("--key", metavar="FILE", type=_PATH, help="With --revocations: the public key of the gate, which has to have signed it.")  # fmt: skip
_SEEN = click.option("--seen", metavar="FILE", type=_PATH, help="With --revocations: where the newest list is kept, so that an older one is refused. It is made, if it is not there.")  # fmt: skip
_QUIET = click.option("--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal.")


@click.group(short_help="See, check and clear the caches of clients of a hub.")
def cache() -> None:
    """See, check and clear the Hugging Face caches of this machine.

    What was pulled once lies in a cache, and a client that names its commit, or is offline, asks nobody again: a revocation does not reach it.
    These commands are run where the caches are. Which gate is asked, and as whom, is said as for `openvet hub`.

    \b
    Examples:
      openvet cache report
      openvet cache report --cache /srv/models --format json
      openvet cache report --send
      openvet cache verify
      openvet cache verify --no-gate
      openvet cache verify --revocations revocations.json --key gate.key.pub --seen seen.json
      openvet cache evict --dry-run
      openvet cache evict --yes
      openvet cache evict org/model@3f2a9c1d

    \b
    Exit codes:
      0    everything is as it should be, or was done
      1    verify: something is revoked, rejected or corrupt; evict: something is still there
      3    verify: something is not approved, not known to the gate, or was not read
      2    the command itself failed: no gate answers, a list is not believed, there is no cache
      130  interrupted with Ctrl-C
    """  # noqa: D301


@cache.command(short_help="List what lies in caches; with --send, tell a gate.")
@_CACHE
@click.option("--send", is_flag=True, help="Tell the gate: names, commits, sizes and dates, no path and no content.")
@click.option("--machine", metavar="NAME", help="With --send: what this machine is called there; its host name if not given.")  # fmt: skip
@_SERVER
@form_option("How to print it; json has every problem.")
@_QUIET
def report(
    caches: tuple[str, ...], send: bool, machine: str | None, server: str | None, form: str, no_progress: bool
) -> None:
    """List what lies in caches: each revision, how large it is, what it was pulled as, and when its files were read last.

    No content is read; openvet cache verify does that. With --send the gate keeps it, in place of what this machine told before.
    """
    from openvet.cli.cache_text import report_page
    from openvet.cli.check import progress_line
    from openvet.cli.hub_door import open_gate
    from openvet.workflows.caches import check_machine, find_caches, report_caches, send_report

    name = check_machine(machine if machine is not None else os.uname().nodename or "unnamed")
    gate = open_gate(server) if send else None
    with progress_line(not no_progress) as (progress, _):
        found = report_caches(find_caches(caches, os.environ), name, progress)
    sent = None
    if gate is not None:
        made = send_report(gate, found)
        sent = {"server": gate.server, "machine": name, "revisions": made["revisions"]}
    _print(form, {"report": found.to_json(), "sent": sent}, lambda look: report_page(found, sent, look))


@cache.command(short_help="Check what lies in caches: its bytes, and whether it may be used.")
@_CACHE
@_PROJECT
@click.option("--no-hash", is_flag=True, help="Do not read files: only ask the gate.")
@click.option("--no-gate", is_flag=True, help="Do not ask a gate: only compare files with what they are called.")
@_LIST
@_KEY
@_SEEN
@click.option("--jobs", "-j", type=click.IntRange(1, 1024), metavar="N", help="Hashing threads; all cores if not given.")  # fmt: skip
@_SERVER
@form_option("How to print it; json has every problem.")
@_QUIET
@click.pass_context
def verify(
    ctx: click.Context,
    /,
    caches: tuple[str, ...],
    project: str,
    no_hash: bool,
    no_gate: bool,
    revocations: str | None,
    key: str | None,
    seen: str | None,
    jobs: int | None,
    server: str | None,
    form: str,
    no_progress: bool,
) -> None:
    """Check what lies in caches: hash every file, and ask the gate about every revision.

    A file in a cache is called by its digest, so its bytes can be compared without a network. Whether a revision is approved, revoked,
    rejected or was never vetted, the gate says, for all of them at once. Where no gate is reached, --revocations asks a list that was carried
    there: it says what is revoked, and not what was ever approved.

    \b
    Exit codes:
      0    every file is what it is called, and every revision is admitted, or is not on the list
      1    something is revoked, rejected or corrupt
      3    something is not approved, not known to the gate, or was not read
      2    the command itself failed, the gate did not answer, or the list is not believed or has expired
    """  # noqa: D301
    from openvet.cli.cache_text import checked_page
    from openvet.cli.check import progress_line
    from openvet.cli.hub_door import open_gate
    from openvet.errors import UnreachableError
    from openvet.workflows.caches import find_caches
    from openvet.workflows.caches_verify import NOT_REVOKED, Checked, ask_gate, check_caches, list_names

    if no_hash and no_gate and revocations is None:
        raise click.UsageError("--no-hash and --no-gate leave nothing to check")
    _check_list_options(revocations, key, seen, server)
    gate = None if no_gate or revocations is not None else open_gate(server, anonymous=True)
    paths = find_caches(caches, os.environ)
    standings, away, others = None, "", "unknown"
    listed, refused = None, ("", "")
    if revocations is not None:
        listed, standings, refused = _listed(revocations, key, seen, project)
        others = "" if refused[0] else NOT_REVOKED
    if gate is not None:
        try:
            project, standings = ask_gate(gate, list_names(paths), project)
        except UnreachableError as error:
            away = error.message
    with progress_line(not no_progress) as (progress, _):
        looked = check_caches(paths, standings, others=others, hashing=not no_hash, jobs=jobs or 0, progress=progress)
    asked = project if standings and gate is not None else ""
    found = Checked(looked, "" if gate is None else gate.server, asked, away, not no_hash, listed, refused)
    _print(form, {"verified": found.to_json()}, lambda look: checked_page(found, look))
    if away:
        say(f"openvet: the gate was not asked: {away}")
    if refused[0]:
        say(f"openvet: {_not_believed(listed)}: {refused[0]}: {refused[1]}")
    ctx.exit(found.comes_to)


@cache.command(short_help="Take revisions out of caches: those that are revoked, or that you name.")
@click.argument("models", metavar="[MODEL[@REVISION]]...", nargs=-1)
@_CACHE
@_PROJECT
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@_LIST
@_KEY
@_SEEN
@_SERVER
@form_option("How to print it.")
@click.pass_context
def evict(
    ctx: click.Context,
    /,
    models: tuple[str, ...],
    caches: tuple[str, ...],
    project: str,
    yes: bool,
    dry_run: bool,
    revocations: str | None,
    key: str | None,
    seen: str | None,
    server: str | None,
    form: str,
) -> None:
    """Take revisions out of caches: without a MODEL those that the gate has revoked (or, with --revocations, that are on its list), else those of
    MODEL, and then no gate is asked.

    A snapshot goes at once, so that nothing loads a part of it; then the files that no other revision needs. What an earlier run left, since
    it was stopped, is finished. A program that has the model in memory already keeps it until it ends.

    \b
    Exit codes:
      0    it is gone, or there was nothing to remove
      1    something is still there, and it says why
      2    nothing was removed: the gate does not answer, or the command makes no sense
    """  # noqa: D301
    from openvet.cli.cache_text import evicted_page, targets_page
    from openvet.workflows.caches import find_caches
    from openvet.workflows.caches_evict import evict as take_out
    from openvet.workflows.caches_evict import find_targets
    from openvet.workflows.gate_client import ModelName

    named = [ModelName.parse(each) for each in models]
    revoked: Mapping[tuple[str, str, str], str] | None = None
    _check_list_options(revocations, key, seen, server)
    if named and revocations is not None:
        raise click.UsageError("name models, or a list of revocations, and not both")
    if revocations is not None:
        paths = find_caches(caches, os.environ)
        listed, standings, refused = _listed(revocations, key, seen, project)
        if listed is None:
            raise click.UsageError(f"{_not_believed(listed)}: {refused[0]}: {refused[1]}; nothing was removed")
        if refused[0]:
            say(f"openvet: {_not_believed(listed)}: {refused[0]}: {refused[1]}")
        revoked = _why_revoked(standings or {})
    elif not named:
        from openvet.cli.hub_door import open_gate

        gate = open_gate(server, anonymous=True)
        paths = find_caches(caches, os.environ)
        revoked = _revoked(gate, paths, project)
    else:
        paths = find_caches(caches, os.environ)
    targets = find_targets(paths, named, revoked)
    done: list[Evicted] = []
    if targets and not dry_run:
        _ask(targets, yes, lambda look: targets_page(targets, look))
        done = [take_out(each) for each in targets]
    value = {"targets": [each.to_json() for each in targets], "done": [each.to_json() for each in done], "dry_run": dry_run}  # fmt: skip
    _print(form, {"evicted": value}, lambda look: evicted_page(targets, done, dry_run, look))
    ctx.exit(_NOT_DONE if any(each.problem or not each.gone for each in done) else 0)


def _revoked(gate: GateClient, paths: Sequence[str], project: str) -> Mapping[tuple[str, str, str], str]:
    from openvet.workflows.caches_verify import ask_gate, list_names

    _, found = ask_gate(gate, list_names(paths), project)
    return _why_revoked(found)


def _why_revoked(found: Mapping[tuple[str, str, str], Standing]) -> dict[tuple[str, str, str], str]:
    return {
        name: f"was revoked by {each.by}: {each.reason}" for name, each in found.items() if each.standing == "revoked"
    }


def _check_list_options(revocations: str | None, key: str | None, seen: str | None, server: str | None) -> None:
    if revocations is None and (key is not None or seen is not None):
        raise click.UsageError(
            "--key and --seen belong to --revocations: whose list it is, and which one was seen last"
        )
    if revocations is not None and key is None:
        raise click.UsageError("--revocations needs --key: the public key of the gate, key.pem.pub in its folder")
    if revocations is not None and server is not None:
        raise click.UsageError("--revocations and --server exclude each other: a list is asked in place of a gate")


def _listed(
    revocations: str, key: str | None, seen: str | None, project: str
) -> tuple[HeldList | None, dict[tuple[str, str, str], Standing] | None, tuple[str, str]]:
    """A list of revocations, how those on it stand, and why nothing follows from it for others; without the first two where it is not believed at all."""
    from openvet.cli.statements import now
    from openvet.errors import VerifyError
    from openvet.workflows.caches_verify import ask_list
    from openvet.workflows.keys import read_public
    from openvet.workflows.revocations import read_list

    moment = now()
    try:
        found = read_list(revocations, read_public(str(key)), moment, project=project, seen=seen)
    except VerifyError as error:
        return None, None, (error.reason, error.message)
    why = ("", "")
    if found.expired:
        why = (
            "expired",
            f"it may be relied on until {found.said.until}: what is not on it may be revoked by now; get a newer one",
        )
    return found, ask_list(found, moment), why


def _not_believed(listed: HeldList | None) -> str:
    return "the list of revocations is not believed" if listed is None else "the list of revocations is too old"


def _ask(targets: Sequence[Target], yes: bool, text: Callable[[Look], str]) -> None:
    """Ask whoever sits there, unless they said yes already.

    Raises:
        UsageError: nobody can be asked.
        Abort: they do not want it.
    """
    if yes:
        return
    if not is_terminal(sys.stdin):
        raise click.UsageError("there is no terminal to ask at: say --yes, or look first with --dry-run")
    say(text(look_of(sys.stderr)).rstrip("\n"))
    if not click.confirm(f"Remove {len(targets)} of them for good?", err=True):
        raise click.UsageError("nothing was removed")


def _print(form: str, value: Mapping[str, Any], text: Callable[[Look], str]) -> None:
    from openvet.cli.output import open_output, write_text

    if form == "json":
        import json

        from openvet.reports._text import clean
        from openvet.workflows.caches import CACHE_TYPE

        with open_output(None) as output:
            said = clean({"type": CACHE_TYPE, **value})
            output.write(json.dumps(said, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
        return
    write_text(text(look_of(sys.stdout)))
