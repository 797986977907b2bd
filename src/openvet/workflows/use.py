"""What came of a team's configuration: the file in use, what it accepts in vain, and what was ignored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openvet.reports.config_use import ConfigName, ConfigUse, Idle, IgnoredFile
from openvet.reports.report import ModelReport

if TYPE_CHECKING:
    from openvet.workflows.check import Options
    from openvet.workflows.find_config import Found

__all__ = ["matched", "name_of", "use_of"]


def name_of(options: Options) -> ConfigName | None:
    """The configuration as one model's report names it."""
    config = options.config
    if config is None:
        return None
    dated = bool(config.acceptances) or any(each.expires for each in config.callables)
    day = options.today.isoformat() if dated and options.today is not None else None
    return ConfigName(config.shown or "(made by the calling program)", config.digest or None, day)


def matched(model: ModelReport) -> set[tuple[str, str]]:
    """The entries that were of use for ``model``: (rule, digest) of acceptances, ("", name) of callables."""
    out = {(each.acceptance.rule, each.acceptance.digest) for each in model.decision.accepted}
    for finding in model.scan.all_findings():
        if finding.rule == "pickle/accepted-callable":
            out.add(("", str(finding.evidence.get("callable", ""))))
    return out


def use_of(
    options: Options,
    models: Iterable[ModelReport] = (),
    *,
    used: Iterable[tuple[str, str]] = (),
    found: Found | None = None,
) -> ConfigUse | None:
    """What the report says of the configuration; ``None`` where there is none and none was ignored.

    Args:
        options: those that were in force.
        models: what was checked.
        used: entries of use for models that are forgotten already.
        found: how the configuration was found, where it was looked for.
    """
    ignored = tuple(IgnoredFile(each.file, each.why) for each in found.ignored) if found is not None else ()
    name, config, today = name_of(options), options.config, options.today
    if config is None or name is None:
        return ConfigUse(None, "", False, (), ignored) if ignored else None
    seen = set(used).union(*(matched(model) for model in models))
    idle: list[Idle] = []
    for acceptance in config.acceptances:
        what = f"the acceptance of {acceptance.rule} in {acceptance.digest[:12]}…"
        if today is not None and acceptance.expires < today:
            idle.append(Idle(acceptance.line, "expired", f"{what} expired on {acceptance.expires}"))
        elif (acceptance.rule, acceptance.digest) not in seen and (
            not options.rules or acceptance.rule in options.rules
        ):
            idle.append(Idle(acceptance.line, "unused", f"{what} matches nothing here"))
    for each in config.callables:
        if today is not None and each.expires is not None and each.expires < today:
            idle.append(Idle(each.line, "expired", f"the callable {each.name} was accepted until {each.expires}"))
        elif ("", each.name) not in seen and not options.rules:
            idle.append(Idle(each.line, "unused", f"the callable {each.name} is used nowhere here"))
    source = found.source if found is not None else "the calling program"
    return ConfigUse(name, source, options.strict, tuple(sorted(idle, key=lambda each: each.line)), ignored)
