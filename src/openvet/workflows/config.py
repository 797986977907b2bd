"""A team's configuration, ``openvet.toml``: what it accepts, how strict it is, and its defaults.

This module knows what such a file says; ``find_config`` knows which one counts. A file is taken whole or not at all: every
problem is named with its line, and nothing of a file with a problem is used.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from openvet.core.dataclass import dataclass
from openvet.core.limits import DEFAULT_LIMITS, Limits, parse_amount
from openvet.core.text import printable
from openvet.errors import ConfigError, UsageError
from openvet.policy.decision import Acceptance
from openvet.workflows.toml_lines import Path, nearest
from openvet.workflows.toml_reader import LARGEST, TomlReader, near_word

if TYPE_CHECKING:
    from openvet.workflows.signed_packs import Verify

__all__ = ["FORMATS", "AcceptedCallable", "Config", "PolicyConfig"]

#: Formats of a report, in the order of the help.
FORMATS = ("text", "json", "jsonl", "sarif", "junit", "markdown", "acceptances")
_FAIL_ON = ("review", "reject", "never", "violated", "indeterminate")


@dataclass(frozen=True, slots=True)
class AcceptedCallable:
    """A callable that pickles may use. ``expires`` is the last day on which it counts; ``None`` means for ever."""

    name: str
    reason: str
    owner: str = ""
    expires: date | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    """Which packs decide. Paths are relative to ``folder``, where the configuration lies.

    Attributes:
        packs: ids of packs that ship, and paths of others.
        trust: a trust file; where there is one, packs by path have to be signed by somebody in it.
        answers: a file of answers to the packs' questions.
    """

    packs: tuple[str, ...] = ()
    trust: str = ""
    answers: str = ""
    folder: str = ""

    def verifier(self, day: date) -> Verify | None:
        """Verifies packs by the trust file, where there is one.

        Raises:
            ConfigError: the trust file makes no sense.
        """
        if not self.trust:
            return None
        from openvet.workflows.signed_packs import signed_by

        return signed_by(self.trust, day)


@dataclass(frozen=True, slots=True)
class Config:
    """What a team has decided. Every attribute has a default, so that a program can make one by hand.

    Attributes:
        acceptances: findings that do not count, each for exact bytes until a day.
        callables: callables that the rules about pickles take as known.
        limits: what one subject may cost.
        strict: reject whatever is not proven to be data.
        exclude, form, fail_on: defaults of the options ``--exclude``, ``--format`` and ``--fail-on``; ``None`` is unset.
        policy: which packs decide beside the built-in policy.
        path: the file that it was read from; empty where a program made it.
        shown: how reports name it.
        digest: SHA-256 of the file's bytes.
        lines: (section, key) -> line, for ``openvet config``.
    """

    acceptances: tuple[Acceptance, ...] = ()
    callables: tuple[AcceptedCallable, ...] = ()
    limits: Limits = DEFAULT_LIMITS
    strict: bool = False
    exclude: tuple[str, ...] = ()
    form: str | None = None
    fail_on: str | None = None
    policy: PolicyConfig = PolicyConfig()
    path: str = ""
    shown: str = ""
    digest: str = ""
    lines: Mapping[Path, int] | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str], shown: str = "") -> Config:
        """The configuration in a file.

        Raises:
            ConfigError: it cannot be read, or says what makes no sense; every problem is named with its line.
        """
        path = os.fspath(path)
        shown = shown or printable(path)
        real = os.path.realpath(path)
        try:
            descriptor = os.open(real, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
            with os.fdopen(descriptor, "rb") as file:
                if not os.path.isfile(real):
                    raise ConfigError(f"{shown}: is no regular file")
                data = file.read(LARGEST + 1)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "no such name"
            raise ConfigError(f"{shown}: the configuration cannot be read: {why}") from error
        return cls.parse(data, shown, path=real)

    @classmethod
    def parse(cls, data: bytes, shown: str = "openvet.toml", *, path: str = "") -> Config:
        """The configuration that ``data`` says (raises like :meth:`load`)."""
        return _Reader(data, shown, path).config()

    def callables_on(self, today: date) -> dict[str, str]:
        """Name -> reason of the callables that are accepted today."""
        return {each.name: each.reason for each in self.callables if each.expires is None or each.expires >= today}

    def acceptances_on(self, today: date) -> tuple[Acceptance, ...]:
        """The acceptances that hold today."""
        return tuple(each for each in self.acceptances if each.expires >= today)


class _Reader(TomlReader):
    """One file; ``problems`` grow while it is read."""

    def __init__(self, data: bytes, shown: str, path: str) -> None:
        super().__init__(data, shown)
        self._path = path

    def config(self) -> Config:
        top = self.table(self.document(), (), {"strict", "accept", "callable", "limits", "defaults", "policy"})
        strict = top.get("strict", False)
        if not isinstance(strict, bool):
            self.problem(("strict",), "strict must be true or false")
        defaults = self.table(top.get("defaults", {}), ("defaults",), {"format", "fail-on", "exclude"})
        config = Config(
            acceptances=self._acceptances(top.get("accept", [])),
            callables=self._callables(top.get("callable", [])),
            limits=self._limits(top.get("limits", {})),
            strict=strict is True,
            exclude=self._exclude(defaults.get("exclude", [])),
            form=self._choice(defaults, "format", FORMATS),
            fail_on=self._choice(defaults, "fail-on", _FAIL_ON),
            policy=self._policy(top.get("policy", {})),
            path=self._path,
            shown=self._shown,
            digest=hashlib.sha256(self._data).hexdigest(),
            lines=self.lines,
        )
        self.finish()
        return config

    # --- sections ---

    def _acceptances(self, value: Any) -> tuple[Acceptance, ...]:
        out: list[Acceptance] = []
        seen: dict[tuple[str, str], int] = {}
        rules = self._rule_ids() if value else set()
        keys = {"rule", "digest", "reason", "owner", "expires"}
        for at, entry in self.entries(value, ("accept",), "[[accept]]"):
            found = self.table(entry, at, keys, required=keys)
            rule, digest = self.text(found, at, "rule"), self._digest(found, at)
            reason, owner, expires = (
                self.text(found, at, "reason"),
                self.text(found, at, "owner"),
                self._date(found, at),
            )
            if rule is not None and rule not in rules:
                unread = " (what was not read cannot be accepted)" if rule.startswith("unknown:") else ""
                self.problem((*at, "rule"), f"there is no rule {printable(rule)[:100]}{unread}{near_word(rule, rules)}")
            elif None not in (rule, digest, reason, owner, expires):
                line = nearest(self.lines, at)
                first = seen.setdefault((str(rule), str(digest)), line)
                if first != line:
                    self.problem(at, f"accepts the same rule and digest as line {first}")
                out.append(
                    Acceptance(
                        str(rule), str(digest), str(reason), str(owner), expires or date.min, nearest(self.lines, at)
                    )
                )
        return tuple(out)

    def _callables(self, value: Any) -> tuple[AcceptedCallable, ...]:
        out: list[AcceptedCallable] = []
        seen: dict[str, int] = {}
        for at, entry in self.entries(value, ("callable",), "[[callable]]"):
            found = self.table(entry, at, {"name", "reason", "owner", "expires"}, required={"name", "reason"})
            name, reason = self.text(found, at, "name"), self.text(found, at, "reason")
            owner = self.text(found, at, "owner") if "owner" in found else ""
            expires = self._date(found, at) if "expires" in found else None
            if name is None:
                continue
            danger = _danger(name)
            line = nearest(self.lines, at)
            if danger:
                self.problem((*at, "name"), danger)
            elif seen.setdefault(name, line) != line:
                self.problem((*at, "name"), f"{name} is accepted in line {seen[name]} already")
            elif reason is not None and owner is not None:
                out.append(AcceptedCallable(name, reason, owner, expires, line))
        return tuple(out)

    def _limits(self, value: Any) -> Limits:
        known = {field.name: getattr(DEFAULT_LIMITS, field.name) for field in fields(Limits)}
        values = dict(known)
        for name, amount in self.table(value, ("limits",), set(known)).items():
            try:
                if isinstance(amount, bool) or not isinstance(amount, int | float | str):
                    raise UsageError("must be a number, or a text such as '200G'")
                values[name] = parse_amount(str(amount), whole=isinstance(known[name], int))
            except UsageError as error:
                self.problem(("limits", name), f"limit {name}: {error}")
        return Limits(**values)

    def _policy(self, value: Any) -> PolicyConfig:
        table = self.table(value, ("policy",), {"packs", "trust", "answers"})
        packs = table.get("packs", [])
        if not isinstance(packs, list) or any(not isinstance(each, str) or not each for each in packs):
            self.problem(("policy", "packs"), "packs must be a list of packs such as ['baseline', 'policy/acme']")
            packs = []
        folder = os.path.dirname(self._path)
        paths = {}
        for name in ("trust", "answers"):
            text = self.text(table, ("policy",), name) if name in table else ""
            paths[name] = os.path.join(folder, text) if text else ""
        return PolicyConfig(tuple(packs), paths["trust"], paths["answers"], folder)

    def _exclude(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or any(not isinstance(each, str) or not each for each in value):
            self.problem(("defaults", "exclude"), "exclude must be a list of patterns such as ['*.md']")
            return ()
        return tuple(value)

    def _choice(self, table: Mapping[str, Any], key: str, known: Collection[str]) -> str | None:
        value = table.get(key)
        if value is None or (isinstance(value, str) and value in known):
            return value
        hint = near_word(value, known) if isinstance(value, str) else ""
        self.problem(("defaults", key), f"{key} must be one of {', '.join(known)}{hint}")
        return None

    # --- values ---

    def _digest(self, table: Mapping[str, Any], at: Path) -> str | None:
        value = table.get("digest")
        if value is None and "digest" not in table:
            return None
        text = value.lower().removeprefix("sha256:") if isinstance(value, str) else ""
        if not re.fullmatch(r"[0-9a-f]{64}", text):
            self.problem((*at, "digest"), "digest must be a SHA-256: 64 hexadecimal digits")
            return None
        return text

    def _date(self, table: Mapping[str, Any], at: Path) -> date | None:
        if "expires" not in table:
            return None
        value = table["expires"]
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                value = None
        if not isinstance(value, date) or isinstance(value, datetime):
            self.problem((*at, "expires"), "expires must be a day, such as 2027-06-30")
            return None
        return value

    @staticmethod
    def _rule_ids() -> set[str]:
        from openvet.checks._run import checks

        return {entry.facts.id for entry in checks().entries}


def _danger(name: str) -> str:
    """Why a callable cannot be accepted by its name; empty where it can be."""
    from openvet.checks.pickle._callables import Kind, classify

    parts = name.split(".")
    if len(parts) < 2 or not all(part.removesuffix("()").isidentifier() for part in parts):
        return f"{name[:100]!r} is no callable's name; write module.name, one entry for each"
    # a pickle says where the module ends and this name does not: at the last dot, or in front of the first class. A reading
    # that is not tried here is still judged when a pickle is read: there a dangerous name is never taken as accepted
    first = next((at for at, part in enumerate(parts[1:], 1) if part[:1].isupper()), len(parts) - 1)
    for at in sorted({len(parts) - 1, first}):
        for called in (True, False):
            known = classify(".".join(parts[:at]), ".".join(parts[at:]), called=called)
            if known.kind is Kind.DANGEROUS:
                return (
                    f"{name[:100]} {known.what}, and cannot be accepted by its name; "
                    "accept the finding in one file with [[accept]], by the file's digest"
                )
    return ""
