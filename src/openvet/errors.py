"""One tree of errors.

Everything OpenVet raises on purpose is an :class:`OpenVetError`, so that a caller needs one ``except``.
Readers raise :class:`ReadError` or one of its children and nothing else; a fuzz test holds them to it.
"""

from __future__ import annotations

__all__ = [
    "BombError",
    "ChangedError",
    "ConfigError",
    "ConflictError",
    "LimitError",
    "MalformedError",
    "OpenVetError",
    "ReadError",
    "SandboxError",
    "SubjectError",
    "UnreachableError",
    "UnsupportedError",
    "UsageError",
    "VerifyError",
]


class OpenVetError(Exception):
    """The root of every error that OpenVet raises on purpose."""


class UsageError(OpenVetError):
    """The command or call itself was wrong (an unknown rule, two options that exclude each other)."""


class ConflictError(UsageError):
    """What was asked makes sense, and what is there by now stands against it (it is decided already, the name is taken)."""


class ConfigError(UsageError):
    """The team's configuration makes no sense, or may not be used. ``problems`` are lines, each with file and line number."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n  ".join(problems))
        self.problems = problems


class SubjectError(OpenVetError):
    """The subject as a whole cannot be examined (it does not exist, it may not be opened)."""


class SandboxError(OpenVetError):
    """What was asked for would have run in a confined child process, and that was not possible or did not end well."""


class VerifyError(OpenVetError):
    """Evidence does not say what it would have to say, so that nothing that depends on it may go on.

    ``reason`` is one word that a program can branch on: ``malformed`` (no such document), ``unsupported`` (a kind that this
    version does not know), ``wrong-key`` (made with another key than the one that is trusted), ``tampered`` (signed by that key, but
    not these bytes), ``mismatch`` (a good signature about something else than what is there), ``expired``, ``not-yet-valid``,
    ``revoked``, ``untrusted`` (nobody who is believed said so), ``threshold`` (too few
    of those said so), ``rollback`` (a log shows less than it has shown before),
    ``fork`` (a log shows something else than it has shown before), ``missing`` (what was announced is not there).
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class ReadError(OpenVetError):
    """A file or a member could not be read to its end.

    ``offset`` is the byte in the file being read at which reading stopped, where that is known.
    """

    def __init__(self, message: str, *, offset: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class MalformedError(ReadError):
    """The bytes break the rules of their own format."""


class UnsupportedError(ReadError):
    """The bytes may be well-formed, but this reader does not know this part of the format."""


class ChangedError(ReadError):
    """The file changed while it was being read, so that what was parsed may not be what was hashed."""


class UnreachableError(ReadError):
    """The server that has the file gave no usable answer, however often it was asked."""


class LimitError(ReadError):
    """A limit was reached. ``limit`` is the name of the field of :class:`openvet.core.limits.Limits`."""

    def __init__(self, limit: str, allowed: float, message: str, *, offset: int | None = None) -> None:
        super().__init__(f"{message} (limit {limit} = {allowed})", offset=offset)
        self.limit = limit
        self.allowed = allowed


class BombError(LimitError):
    """Compressed data gave so much for so little that it can only be meant to exhaust whoever unpacks it."""
