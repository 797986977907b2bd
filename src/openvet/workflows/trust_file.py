"""``trust.toml``: who is believed about which models, as :mod:`openvet.evidence.trust` takes it.

A file is taken whole or not at all: every problem is named with its line, unknown keys are problems. Key files are named relative
to the folder of ``trust.toml``. docs/guide/trust.md describes it for people.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import ConfigError, SubjectError, UsageError
from openvet.evidence.certificates import load_roots
from openvet.evidence.keys import PublicKey, load_public
from openvet.evidence.trust import (
    WORDS,
    Grant,
    Period,
    Revocation,
    Trust,
    TrustedCertificate,
    TrustedIdentity,
    TrustedKey,
)
from openvet.workflows.keys import read_pem, read_public
from openvet.workflows.model_files import read_small
from openvet.workflows.toml_lines import Path, nearest
from openvet.workflows.toml_reader import LARGEST, TomlReader, near_word

__all__ = ["load_trust", "parse_trust"]

_SHA256 = pattern(r"[0-9a-f]{64}", re.ASCII)
_SECTIONS = {"key", "identity", "certificate", "grant", "revoked"}


def load_trust(path: str) -> Trust:
    """The trust in a file.

    Raises:
        ConfigError: it cannot be read, or says what makes no sense; every problem is named with its line.
    """
    shown, folder = printable(path), os.path.dirname(os.path.abspath(path))
    try:
        data = read_small(path, LARGEST)
    except OSError as error:
        raise ConfigError(f"{shown}: cannot be read: {error.strerror}") from error
    except SubjectError as error:
        raise ConfigError(str(error)) from error
    return parse_trust(
        data,
        shown,
        lambda name: read_public(os.path.join(folder, name)),
        lambda name: read_pem(os.path.join(folder, name)),
    )


def parse_trust(
    data: bytes, shown: str, read: Callable[[str], PublicKey], read_roots: Callable[[str], bytes] | None = None
) -> Trust:
    """The trust that ``data`` says (raises like :func:`load_trust`).

    Args:
        shown: how problems name the file.
        read: reads the public key in a file that ``data`` names, or raises :class:`openvet.errors.UsageError`.
        read_roots: the same for the PEM text of certificates; without it none can be named.
    """
    return _Trust(data, shown, read, read_roots).trust()


class _Trust(TomlReader):
    """One trust file."""

    def __init__(
        self,
        data: bytes,
        shown: str,
        read: Callable[[str], PublicKey],
        read_roots: Callable[[str], bytes] | None,
    ) -> None:
        super().__init__(data, shown)
        self._read, self._read_roots = read, read_roots
        self._principals: dict[str, str] = {}
        self._first: dict[tuple[str, str], int] = {}

    def trust(self) -> Trust:
        top = self.table(self.document(), (), _SECTIONS)
        lists = {name: self.entries(top.get(name, []), (name,), f"[[{name}]]") for name in _SECTIONS}
        keys = [self._key(at, each) for at, each in lists["key"]]
        identities = [self._identity(at, each) for at, each in lists["identity"]]
        certificates = [self._certificate(at, each) for at, each in lists["certificate"]]
        grants = [self._grant(at, each) for at, each in lists["grant"]]
        revoked = [self._revoked(at, each) for at, each in lists["revoked"]]
        if not grants and self.faultless:
            self.problem((), "trusts nobody: there is no [[grant]]")
        self.finish()
        return Trust(
            tuple(each for each in keys if each),
            tuple(each for each in identities if each),
            tuple(each for each in grants if each),
            tuple(each for each in revoked if each),
            tuple(each for each in certificates if each),
        )

    # --- sections ---

    def _key(self, at: Path, value: Any) -> TrustedKey | None:
        found = self.table(value, at, {"name", "file", "pem", "sha256", "from", "until"}, required={"name"})
        name, period = self.text(found, at, "name"), self._period(found, at)
        given = [each for each in ("file", "pem", "sha256") if each in found]
        if len(given) != 1:
            self.problem(at, "a key is given by one of file, pem and sha256")
            return None
        how = given[0]
        hint, key = "", None
        if how == "sha256":
            hint = self._sha256(found[how], (*at, how)) or ""
        elif isinstance(text := found[how], str):
            try:
                key = load_public(text.encode()) if how == "pem" else self._read(text)
                hint = key.hint
            except (UsageError, ValueError) as error:
                self.problem((*at, how), f"{how}: {error}")
        else:
            self.problem((*at, how), f"{how} must be a text")
        made = TrustedKey(name or "", hint, key, period)
        return made if name and hint and self._is_new(name, made.principal, at) else None

    def _identity(self, at: Path, value: Any) -> TrustedIdentity | None:
        needed = {"name", "identity", "issuer"}
        found = self.table(value, at, {*needed, "from", "until"}, required=needed)
        name, period = self.text(found, at, "name"), self._period(found, at)
        identity, issuer = self.text(found, at, "identity"), self.text(found, at, "issuer")
        if name is None or identity is None or issuer is None:
            return None
        made = TrustedIdentity(name, identity, issuer, period)
        return made if self._is_new(name, made.principal, at) else None

    def _certificate(self, at: Path, value: Any) -> TrustedCertificate | None:
        needed = {"name", "subject"}
        found = self.table(value, at, {*needed, "file", "pem", "from", "until"}, required=needed)
        name, subject, period = self.text(found, at, "name"), self.text(found, at, "subject"), self._period(found, at)
        given = [each for each in ("file", "pem") if each in found]
        if len(given) != 1:
            self.problem(at, "the root of a certificate is given by one of file and pem")
            return None
        text = found[given[0]]
        try:
            if not isinstance(text, str) or self._read_roots is None:
                raise UsageError("must be a text")
            roots = load_roots(text.encode() if given[0] == "pem" else self._read_roots(text))
            if not roots.fingerprint:
                raise UsageError("holds several certificates that sign themselves; one root belongs to each entry")
        except (UsageError, ValueError) as error:
            self.problem((*at, given[0]), f"{given[0]}: {error}")
            return None
        if name is None or subject is None:
            return None
        made = TrustedCertificate(name, subject, roots, period)
        return made if self._is_new(name, made.principal, at) else None

    def _grant(self, at: Path, value: Any) -> Grant | None:
        known = {"says", "by", "models", "digests", "threshold", "from", "until"}
        found = self.table(value, at, known, required={"says", "by"})
        says, by = self._texts(found, at, "says"), self._texts(found, at, "by")
        models = self._texts(found, at, "models")
        digests = tuple(self._sha256(each, (*at, "digests")) or "" for each in self._texts(found, at, "digests"))
        if "models" not in found and "digests" not in found:
            self.problem(at, 'grant needs models or digests; models = ["*"] is every model')
        for each in says:
            if each not in WORDS and "://" not in each:
                self.problem((*at, "says"), f"{each[:100]!r} is no kind of statement: {', '.join(WORDS)}, or the URI of a predicate type{near_word(each, WORDS)}")  # fmt: skip
        unknown = [each for each in by if each not in self._principals]
        for each in unknown:
            self.problem(
                (*at, "by"),
                f"there is no key, identity or certificate {each[:100]!r}{near_word(each, self._principals)}",
            )
        threshold, most = found.get("threshold", 1), len(set(by))
        if isinstance(threshold, bool) or not isinstance(threshold, int) or threshold < 1:
            self.problem((*at, "threshold"), "threshold must be a whole number from 1 on")
        elif threshold > most and by and not unknown:
            self.problem((*at, "threshold"), f"threshold is {threshold}, and by names {most}")
        else:
            return Grant(says, by, models, digests, threshold, self._period(found, at), nearest(self.lines, at))
        return None

    def _revoked(self, at: Path, value: Any) -> Revocation | None:
        found = self.table(value, at, {"name", "sha256", "since", "reason"}, required={"since", "reason"})
        since, reason = self._day(found, at, "since"), self.text(found, at, "reason")
        if ("name" in found) == ("sha256" in found):
            self.problem(at, "who is revoked is given by one of name and sha256")
            return None
        if "name" in found:
            name = self.text(found, at, "name")
            principal = self._principals.get(name or "", "")
            if name is not None and not principal:
                self.problem(
                    (*at, "name"),
                    f"there is no key, identity or certificate {name[:100]!r}{near_word(name, self._principals)}",
                )
        else:
            hint = self._sha256(found["sha256"], (*at, "sha256"))
            principal = TrustedKey("", hint).principal if hint else ""
        return Revocation(principal, since, reason) if principal and since is not None and reason is not None else None

    # --- values ---

    def _is_new(self, name: str, principal: str, at: Path) -> bool:
        """A name stands for one signer, and a signer has one name: two would look like two people in a threshold."""
        line = nearest(self.lines, at)
        for kind, what in (("name", name), ("signer", principal)):
            if (kind, what) in self._first:
                same = "the name" if kind == "name" else "the same signer"
                self.problem(at, f"{name[:100]!r} has {same} of line {self._first[kind, what]}")
                return False
        self._first[("name", name)] = self._first[("signer", principal)] = line
        self._principals[name] = principal
        return True

    def _texts(self, table: Mapping[str, Any], at: Path, key: str) -> tuple[str, ...]:
        value = table.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not value or not all(isinstance(each, str) and each for each in value):
            self.problem((*at, key), f"{key} must be a list of texts, and not empty")
            return ()
        return tuple(value)

    def _sha256(self, value: Any, at: Path) -> str | None:
        text = value.lower().removeprefix("sha256:") if isinstance(value, str) else ""
        if not _SHA256.fullmatch(text):
            self.problem(at, "must be a SHA-256: 64 hexadecimal digits")
            return None
        return text

    def _day(self, table: Mapping[str, Any], at: Path, key: str) -> date | None:
        value = table.get(key)
        if key in table and (not isinstance(value, date) or isinstance(value, datetime)):
            self.problem((*at, key), f"{key} must be a day, such as 2027-06-30, without quotes")
            return None
        return value

    def _period(self, table: Mapping[str, Any], at: Path) -> Period:
        first, last = self._day(table, at, "from"), self._day(table, at, "until")
        if first is not None and last is not None and last < first:
            self.problem((*at, "until"), "until is before from")
        return Period(first, last)
