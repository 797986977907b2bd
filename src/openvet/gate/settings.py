"""What whoever runs a gate decides about it."""

from __future__ import annotations

import hashlib
from dataclasses import field
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.limits import Limits
from openvet.workflows.config import Config

__all__ = ["HOUR", "MIB", "SECOND", "Hook", "Settings"]

SECOND: Final = 1000
HOUR: Final = 3600 * SECOND
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Hook:
    """Whom to tell what happens, see :mod:`openvet.gate.hooks`.

    Attributes:
        url: where it listens.
        secret: by which it knows that we speak, 24 to 64 bytes.
        events: of which it is told, some of :data:`openvet.gate.hooks.EVENTS`.
    """

    url: str
    secret: bytes = field(repr=False)
    events: tuple[str, ...]

    @property
    def id(self) -> str:
        """What messages for it are kept under; they find it again after a restart."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a gate behaves; times in milliseconds, sizes in bytes.

    Attributes:
        packs: policy packs that decide beside the built-in policy, as ``openvet check --policy`` takes them.
        trust: the trust file by which a team's own packs have to be signed, '' takes them unsigned.
        config: what the team accepts (``openvet.toml``), see :class:`openvet.Config`.
        review_admits: whether what nobody rejects and somebody should look at is served all the same.
        main_is_admitted: whether a branch or tag means the last commit of it that a decision admits, and not the last commit.
        cooldown: how old a commit of a branch or tag has to be, since this gate saw it first, before it is served by that name.
        fresh: how long the upstream is not asked again what a branch or tag is.
        whole: revisions of up to so many bytes are fetched whole.
        small: files of a larger one that are fetched at once.
        patience: how long clients go on asking for a file that is being vetted, and how long others do.
        again: after how long a decision about bytes that were not those listed, or a failed vetting, is tried anew; what was refused by ranges alone
            after 24 times as long.
        revocations: how long a list of revocations may be relied on after it was made.
        limits: what one check may cost; ``None`` are the configuration's or the defaults.
        hooks: who is told what happens.
    """

    packs: tuple[str, ...] = ("baseline",)
    trust: str = ""
    config: Config | None = None
    review_admits: bool = False
    main_is_admitted: bool = False
    cooldown: int = 0
    fresh: int = 30 * SECOND
    whole: int = 8 * 1024 * MIB
    small: int = 32 * MIB
    patience: tuple[int, int] = (60 * SECOND, 8 * SECOND)
    again: int = HOUR
    revocations: int = 7 * 24 * HOUR
    limits: Limits | None = None
    hooks: tuple[Hook, ...] = ()
