"""``openvet check`` and ``openvet scan``: read models, run the rules, decide."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from openvet.cli.failures import EXIT_CODES, FAILED, fault
from openvet.cli.options import complete_rules, make_limits, reading_options, with_options
from openvet.cli.page import Pages, report_option
from openvet.cli.policies import FAIL_ON, Policies, fails_on, policy_options
from openvet.cli.statements import open_statements, statement_options
from openvet.cli.terminal import is_terminal, look_of, say
from openvet.core.dataclass import dataclass

T = TypeVar("T")

if TYPE_CHECKING:
    from openvet.cli.output import Output
    from openvet.core.progress import Progress
    from openvet.policy.decision import Verdict
    from openvet.reports.config_use import ConfigUse
    from openvet.reports.report import ModelReport, NotChecked
    from openvet.workflows.check import Options
    from openvet.workflows.config import Config
    from openvet.workflows.find_config import Found

__all__ = [
    "Reading",
    "check",
    "look_for_config",
    "make_options",
    "progress_line",
    "read_each",
    "read_models",
    "reading",
    "scan",
]

_FORMATS = ("text", "json", "jsonl", "sarif", "junit", "markdown", "acceptances")
_STREAMED = {"text", "jsonl", "statements"}
_WITH_STATEMENTS = {"json", "jsonl"}
_IDLE = 5


def _check_options(*more: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The options of both commands, and ``more``."""
    return with_options(
        (
            click.option(
                "--format",
                "-f",
                "form",
                type=click.Choice(_FORMATS),
                default="text",
                show_default=True,
                help="How to report: json, jsonl, sarif and junit are for programs, markdown is for a comment, acceptances is what to paste "
                "into openvet.toml.",
            ),
            report_option(),
            click.option("--quiet", "-q", is_flag=True, help="Only one line a model, and no progress."),
            click.option(
                "--fail-on",
                type=click.Choice(FAIL_ON),
                default="review",
                show_default=True,
                help="The mildest decision that fails: with reject, a review exits 0; with never, a reject too. With violated, also every "
                "requirement of a pack that is violated, whatever it leads to; with indeterminate, also those that nobody can say.",
            ),
            click.option("--strict", is_flag=True, help="Reject whatever is not proven to be data."),
            click.option(
                "--rule",
                "rules",
                multiple=True,
                metavar="ID",
                shell_complete=complete_rules,
                help="Run only this rule. May be repeated.",
            ),
            *statement_options(),
            *more,
        )
    )


@click.command(epilog=EXIT_CODES, short_help="Say what a model is, and whether it is safe to load.")
@_check_options(*policy_options())
@reading_options
@click.pass_context
def check(ctx: click.Context, /, **asked: Any) -> None:
    """Say what a model is and whether it is safe to load, and decide.

    PATH is a folder, a file, an archive, a snapshot in a Hugging Face cache, hf:[datasets/][ORG/]NAME[@REVISION] or oci:REGISTRY/REPO[:TAG];
    several are checked one after another.
    With - paths are read from standard input, one a line or each ended by a NUL byte. Nothing of a model is ever executed.

    \b
    Examples:
      openvet check ./my-model
      openvet check hf:org/name
      openvet check --policy baseline ./my-model
      openvet check --report page.html ./my-model
      openvet check --format sarif --output openvet.sarif ./my-model
      openvet check --statement vsa --sign release.key --output vsa.json ./my-model
      find models -name '*.pt' -print0 | openvet check --quiet -
    """  # noqa: D301
    ctx.exit(_run(ctx, asked, with_inventory=True))


@click.command(epilog=EXIT_CODES, short_help="Say only whether a model is safe to load.")
@_check_options()
@reading_options
@click.pass_context
def scan(ctx: click.Context, /, **asked: Any) -> None:
    """Say whether a model is safe to load, and nothing else.

    The same reading, rules and decision as `openvet check`, without the inventory of what the model consists of: the report
    is smaller.

    \b
    Examples:
      openvet scan model.pt
      openvet scan --fail-on reject --quiet downloads/*
    """  # noqa: D301
    ctx.exit(_run(ctx, asked, with_inventory=False))


# --- reading ---


@dataclass(slots=True)
class Reading:
    """What came of the paths so far."""

    models: list[ModelReport] = field(default_factory=list)
    errors: list[NotChecked] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    outcomes: set[str] = field(default_factory=set)
    used: set[tuple[str, str]] = field(default_factory=set)
    options: Options | None = None
    found: Found | None = None


def make_options(asked: dict[str, Any], config: Config | None = None, *, with_inventory: bool) -> Options:
    """The options of the command line, which win over those of ``config``; raises for those that make no sense."""
    from openvet.errors import UsageError
    from openvet.io.hashing import digest_chunks
    from openvet.workflows.check import Options

    rules = tuple(asked.get("rules", ()))
    if rules:
        from openvet.cli.rules import find_rule

        rules = tuple(find_rule(each).id for each in rules)
    algorithms = ("sha256", "blake3") if asked["blake3"] else ("sha256",)
    digest_chunks([], algorithms)  # raises where the extra is missing: now, and not after the first model
    if any(not each for each in asked["exclude"]):
        raise UsageError("--exclude '' matches nothing; give a pattern such as '*.md'")
    return Options(
        jobs=asked["jobs"] or 0,
        exclude=tuple(asked["exclude"]) or (() if config is None else config.exclude),
        algorithms=algorithms,
        digest_members=asked["digest_members"],
        limits=make_limits(asked["limits"], None if config is None else config.limits),
        with_inventory=with_inventory,
        rules=rules,
        download=asked["download"],
        config=config,
        strict=asked.get("strict", False),
    ).settled()


@contextlib.contextmanager
def progress_line(wanted: bool) -> Iterator[tuple[Any, Callable[[], None]]]:
    """The counters, and how to take the line away before something else is written."""
    from openvet.core.progress import Progress

    progress = Progress()
    if not wanted or not is_terminal(sys.stderr) or os.environ.get("TERM") == "dumb":
        yield progress, lambda: None
        return
    from openvet.cli.progress import ProgressLine

    with ProgressLine(progress) as line:
        yield progress, line.hide


def read_models(paths: list[str], options: Options, *, show_progress: bool) -> Iterator[ModelReport | NotChecked]:
    """Check path after path; see :func:`read_each`."""
    from openvet.workflows.check import check_each

    return read_each(
        paths, lambda path, progress: next(check_each([path], options, progress)), show_progress=show_progress
    )


def read_each(
    paths: list[str], examine: Callable[[str, Progress], T], *, show_progress: bool
) -> Iterator[T | NotChecked]:
    """Examine path after path. One that cannot be examined does not stop the others; it is said on standard error."""
    from openvet.core.text import printable
    from openvet.errors import SubjectError, UsageError

    with progress_line(show_progress) as (progress, hide):
        for path in paths:
            shown = printable(path)
            result: T | NotChecked
            try:
                result = examine(path, progress)
            except UsageError:
                raise
            except SubjectError as error:
                why = str(error).removeprefix(f"{shown}: ")
                result = _not_checked(shown, why)
                hide()
                say(f"openvet: cannot read {shown or repr(shown)}: {why}{_next(path)}")
            except Exception as error:  # noqa: BLE001 - a fault of ours with one model must not hide the others
                result = _not_checked(shown, f"{type(error).__name__}: {printable(str(error))[:300]}")
                hide()
                say(f"{fault(error)} (while checking {shown})")
            hide()
            yield result


@contextlib.contextmanager
def reading(*paths: str) -> Iterator[None]:
    """Around a command about these paths: one that cannot be read is told as :func:`read_each` tells it, and ends the command."""
    from openvet.core.text import printable
    from openvet.errors import SubjectError

    try:
        yield
    except SubjectError as error:
        for path in paths:
            shown = printable(path)
            if str(error).startswith(f"{shown}: ") and not os.path.lexists(path) and _next(path):
                why = str(error).removeprefix(f"{shown}: ")
                raise SubjectError(f"cannot read {shown or repr(shown)}: {why}{_next(path)}") from None
        raise


def _next(path: str) -> str:
    """What to do about a path that cannot be checked; a server's answer says that already."""
    if path.startswith(("hf:", "oci:")):
        return ""
    import re  # only after a failure

    address = re.fullmatch(r"(?:https://huggingface\.co/)?([\w.-]+/[\w.-]+)/?", path, re.ASCII)
    if address and not os.path.lexists(path) and not path.startswith("."):
        return f"; check the path, or write hf:{address[1]} for a model of the hub"
    return "; check the path and that you may read it"


def _not_checked(shown: str, why: str) -> NotChecked:
    from openvet.reports.report import NotChecked  # not before hashing has begun

    return NotChecked(shown, why)


def look_for_config(asked: dict[str, Any], paths: list[str]) -> Found:
    """The configuration that counts for ``paths``, and what was ignored."""
    from openvet.errors import UsageError
    from openvet.workflows.find_config import Found, find_config

    if not asked["no_config"]:
        return find_config(paths, asked["config"])
    if asked["config"]:
        raise UsageError("--config and --no-config exclude each other")
    return Found()


def _run(ctx: click.Context, asked: dict[str, Any], *, with_inventory: bool) -> int:
    from click.core import ParameterSource

    from openvet.cli.output import open_output
    from openvet.cli.paths import expand

    # hashing threads ask for the interpreter once a block; the usual 5 ms would cost them as much as the block itself
    sys.setswitchinterval(0.0002)
    paths = expand(asked["paths"])
    found = look_for_config(asked, paths)
    config = found.config
    if config is not None:
        given = {"form": config.form, "fail_on": config.fail_on}
        unset = {name for name in given if ctx.get_parameter_source(name) is ParameterSource.DEFAULT}
        asked.update({name: value for name, value in given.items() if value is not None and name in unset})
    form_given = ctx.get_parameter_source("form") is not ParameterSource.DEFAULT
    statements = open_statements(asked, paths, with_inventory=with_inventory, form_given=form_given)
    if statements is not None and not statements.fills_dossier:
        asked["form"] = "statements"
    form, quiet = asked["form"], asked["quiet"]
    options = make_options(asked, config, with_inventory=with_inventory)
    if form not in _WITH_STATEMENTS and (statements is None or not statements.beyond_scan):
        # nobody would see more of the inventory
        seen = with_inventory and form != "statements" and not (quiet and form == "text")
        options = replace(options, only_facts=True, with_inventory=seen)
    policies = Policies(asked, config if with_inventory else None)
    spared = paths if config is None else [*paths, config.path]
    also = () if statements is None else statements.also
    pages = Pages(asked["pages"], spared, with_inventory=with_inventory, also=also)
    if pages.beside:
        options = replace(options, only_facts=False, with_inventory=True)
    options = policies.widen(replace(options, also=tuple(dict.fromkeys((*also, *pages.beside)))))
    reading = Reading(options=options, found=found)
    with open_output(asked["output"], spared, utf8=form != "text") as output:
        for result in read_models(paths, options, show_progress=not quiet and not asked["no_progress"]):
            result = policies.take(result)
            whole, result = result, pages.take(result)
            if statements is not None:
                for line in statements.take(whole if with_inventory else result):
                    output.write(line)
            _keep(result, reading, form)
            if form in _STREAMED:
                _write_one(result, reading, asked, output)
        _write_rest(reading, asked, output)
        output.commit()
    pages.write(reading.errors, _use(reading), quiet=quiet)
    if asked["output"] not in {None, "-"} and not quiet:
        _tell(reading, asked["output"], "the statement is in" if form == "statements" else "the report is in")
    return _exit_code(reading, asked["fail_on"])


def _keep(result: ModelReport | NotChecked, reading: Reading, form: str) -> None:
    from openvet.reports.report import ModelReport

    if isinstance(result, ModelReport):
        reading.verdicts.append(result.verdict)
        reading.outcomes.update(line.outcome for each in result.policies for line in each.lines if line.waived is None)
        if result.config is not None:
            from openvet.workflows.use import matched

            reading.used |= matched(result)
        if form != "jsonl":  # a line that is written is forgotten, so that a long list needs no memory
            reading.models.append(result)
    else:
        reading.errors.append(result)


def _write_one(result: ModelReport | NotChecked, reading: Reading, asked: dict[str, Any], output: Output) -> None:
    """Write what is known of one path as soon as it is known."""
    from openvet.reports.report import ModelReport

    if asked["form"] == "statements":
        return
    if asked["form"] == "jsonl":
        from openvet.reports import jsonl

        for piece in jsonl.line(result):
            output.write(piece)
    elif isinstance(result, ModelReport):
        from openvet.reports import text

        look = _look(asked)
        if asked["quiet"]:
            output.write(text.decision_line(result, look, whole_path=True))
        else:
            output.write(("\n" if len(reading.models) > 1 else "") + text.model(result, look))
        _write_policies(result, asked, look, output)


def _write_policies(result: ModelReport, asked: dict[str, Any], look: Any, output: Output) -> None:
    """What packs make of one model; nothing where none were asked."""
    if not result.policies:
        return
    from openvet.reports.policy import compose_decision, decision_line

    for each in result.policies:
        if asked["quiet"]:
            output.write(decision_line(result.subject.name, each, look))
        else:
            output.write("\n" + look.finish(compose_decision(result.subject.name, each, look)))


def _write_rest(reading: Reading, asked: dict[str, Any], output: Output) -> None:
    """Write what needs all of them."""
    import importlib

    from openvet.reports.report import Report
    from openvet.workflows.knowledge import rule_texts, tool

    form, use = asked["form"], _use(reading)
    if form == "text" and use is not None:
        for line in use.lines()[:_IDLE]:
            say(f"openvet: {line}")
        if len(use.idle) > _IDLE:
            say(f"openvet: and {len(use.idle) - _IDLE} more entries that do nothing; --format json lists all")
    if form == "statements":
        return
    if form == "jsonl":
        from openvet.reports import jsonl

        if use is not None:
            output.write(jsonl.config_line(use))
        return
    if form == "text" and asked["quiet"]:
        return
    # a report for people does not print them, and to take all of them apart takes as long as some of the rules
    texts = () if form == "text" else rule_texts()
    report = Report(tool(), tuple(reading.models), texts, tuple(reading.errors), use)
    if form == "text":
        from openvet.reports import text

        look = _look(asked)
        ends = [text.summary(report, look), "" if use is None else text.configuration(use, look)]
        for end in filter(None, ends):
            output.write(("\n" if reading.models else "") + end)
    else:
        module = importlib.import_module(f"openvet.reports.{form}")
        for piece in module.pieces(report) if hasattr(module, "pieces") else [module.compose(report)]:
            output.write(piece)


def _use(reading: Reading) -> ConfigUse | None:
    """What came of the team's configuration, where there is one."""
    from openvet.workflows.find_config import Found
    from openvet.workflows.use import use_of

    if reading.options is None or reading.found is None or reading.found == Found():
        return None
    return use_of(reading.options, used=reading.used, found=reading.found)


def _look(asked: dict[str, Any]) -> Any:
    from openvet.reports.look import PLAIN

    return look_of(sys.stdout) if asked["output"] in {None, "-"} else PLAIN


def _tell(reading: Reading, path: str, where: str) -> None:
    """One line a model on standard error, since the report went to a file."""
    from openvet.core.text import printable
    from openvet.reports import text

    for model in reading.models:
        say(text.decision_line(model, look_of(sys.stderr), whole_path=True).rstrip("\n"))
    say(f"{where} {printable(path)}")


def _exit_code(reading: Reading, fail_on: str) -> int:
    from openvet.policy.decision import Verdict

    if Verdict.REJECT in reading.verdicts and fail_on != "never":
        return 1
    if reading.errors:
        return FAILED
    if fails_on(fail_on, reading.outcomes):
        return 1
    return 3 if Verdict.REVIEW in reading.verdicts and fail_on not in ("reject", "never") else 0
