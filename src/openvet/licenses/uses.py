"""The uses that somebody can ask about: words, how many users, how much revenue, and where."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import UsageError

__all__ = ["EU", "USES", "Asked", "take_uses"]

#: Word -> what is meant by it.
USES: Final[Mapping[str, str]] = {
    "commercial": "in something that earns money, or in a company's work for its customers",
    "research": "for science and tests, not for money",
    "internal": "inside an organisation only, nobody else gets it or its service",
    "redistribute": "give the model, or a product with the model in it, to others",
    "serve": "let others use it over a network, without giving them the files",
    "modify": "fine-tune, quantize, prune, convert or change it otherwise",
    "merge": "combine its weights with those of other models",
    "distil": "train another model to perform like it",
    "train-on-outputs": "train or improve a model that is no derivative of it on its outputs",
}
_OTHER_WORDS: Final[Mapping[str, str]] = {
    "business": "commercial", "product": "commercial", "sell": "commercial", "non-commercial": "research", "noncommercial": "research",
    "academic": "research", "in-house": "internal", "distribute": "redistribute", "redistribution": "redistribute", "ship": "redistribute",
    "publish": "redistribute", "share": "redistribute", "hosted": "serve", "host": "serve", "hosting": "serve", "api": "serve",
    "saas": "serve", "fine-tune": "modify", "finetune": "modify", "fine-tuning": "modify", "quantize": "modify", "adapt": "modify",
    "derive": "modify", "merging": "merge", "distill": "distil", "distillation": "distil", "outputs": "train-on-outputs",
    "synthetic-data": "train-on-outputs",
}  # fmt: skip
#: Members of the European Union, by ISO 3166-1.
EU: Final = frozenset(
    [
        "at",
        "be",
        "bg",
        "cy",
        "cz",
        "de",
        "dk",
        "ee",
        "es",
        "fi",
        "fr",
        "gr",
        "hr",
        "hu",
        "ie",
        "it",
        "lt",
        "lu",
        "lv",
        "mt",
        "nl",
        "pl",
        "pt",
        "ro",
        "se",
        "si",
        "sk",
    ]
)
_COUNTRIES: Final = frozenset(
    [
        "ad",
        "ae",
        "af",
        "ag",
        "ai",
        "al",
        "am",
        "ao",
        "aq",
        "ar",
        "as",
        "at",
        "au",
        "aw",
        "ax",
        "az",
        "ba",
        "bb",
        "bd",
        "be",
        "bf",
        "bg",
        "bh",
        "bi",
        "bj",
        "bl",
        "bm",
        "bn",
        "bo",
        "bq",
        "br",
        "bs",
        "bt",
        "bv",
        "bw",
        "by",
        "bz",
        "ca",
        "cc",
        "cd",
        "cf",
        "cg",
        "ch",
        "ci",
        "ck",
        "cl",
        "cm",
        "cn",
        "co",
        "cr",
        "cu",
        "cv",
        "cw",
        "cx",
        "cy",
        "cz",
        "de",
        "dj",
        "dk",
        "dm",
        "do",
        "dz",
        "ec",
        "ee",
        "eg",
        "eh",
        "er",
        "es",
        "et",
        "fi",
        "fj",
        "fk",
        "fm",
        "fo",
        "fr",
        "ga",
        "gb",
        "gd",
        "ge",
        "gf",
        "gg",
        "gh",
        "gi",
        "gl",
        "gm",
        "gn",
        "gp",
        "gq",
        "gr",
        "gs",
        "gt",
        "gu",
        "gw",
        "gy",
        "hk",
        "hm",
        "hn",
        "hr",
        "ht",
        "hu",
        "id",
        "ie",
        "il",
        "im",
        "in",
        "io",
        "iq",
        "ir",
        "is",
        "it",
        "je",
        "jm",
        "jo",
        "jp",
        "ke",
        "kg",
        "kh",
        "ki",
        "km",
        "kn",
        "kp",
        "kr",
        "kw",
        "ky",
        "kz",
        "la",
        "lb",
        "lc",
        "li",
        "lk",
        "lr",
        "ls",
        "lt",
        "lu",
        "lv",
        "ly",
        "ma",
        "mc",
        "md",
        "me",
        "mf",
        "mg",
        "mh",
        "mk",
        "ml",
        "mm",
        "mn",
        "mo",
        "mp",
        "mq",
        "mr",
        "ms",
        "mt",
        "mu",
        "mv",
        "mw",
        "mx",
        "my",
        "mz",
        "na",
        "nc",
        "ne",
        "nf",
        "ng",
        "ni",
        "nl",
        "no",
        "np",
        "nr",
        "nu",
        "nz",
        "om",
        "pa",
        "pe",
        "pf",
        "pg",
        "ph",
        "pk",
        "pl",
        "pm",
        "pn",
        "pr",
        "ps",
        "pt",
        "pw",
        "py",
        "qa",
        "re",
        "ro",
        "rs",
        "ru",
        "rw",
        "sa",
        "sb",
        "sc",
        "sd",
        "se",
        "sg",
        "sh",
        "si",
        "sj",
        "sk",
        "sl",
        "sm",
        "sn",
        "so",
        "sr",
        "ss",
        "st",
        "sv",
        "sx",
        "sy",
        "sz",
        "tc",
        "td",
        "tf",
        "tg",
        "th",
        "tj",
        "tk",
        "tl",
        "tm",
        "tn",
        "to",
        "tr",
        "tt",
        "tv",
        "tw",
        "tz",
        "ua",
        "ug",
        "um",
        "us",
        "uy",
        "uz",
        "va",
        "vc",
        "ve",
        "vg",
        "vi",
        "vn",
        "vu",
        "wf",
        "ws",
        "ye",
        "yt",
        "za",
        "zm",
        "zw",
    ]
)
_AMOUNT: Final = pattern(r"(\d{1,12}(?:\.\d{1,6})?)([kmb]?)-(mau|users|[a-z]{3})\Z", re.ASCII)
_TIMES: Final = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked.

    Attributes:
        words: every use as it is called in the answer, in order; ``100M-mau`` and ``eu`` as they are.
        users: monthly active users of the product.
        revenue: of a year, in whole units, and the currency in capital letters.
        territories: ``eu``, ``uk`` and country codes, lower case.
    """

    words: tuple[str, ...]
    users: int | None = None
    revenue: tuple[int, str] | None = None
    territories: tuple[str, ...] = ()

    @property
    def uses(self) -> frozenset[str]:
        """The words of :data:`USES` among them."""
        return frozenset(self.words) & USES.keys()


def take_uses(texts: Iterable[str]) -> Asked:
    """What ``commercial,eu,100M-mau`` asks; several texts are one question.

    Raises:
        UsageError: a word is none; the message names one like it.
    """
    words: dict[str, None] = {}
    users: int | None = None
    revenue: tuple[int, str] | None = None
    territories: dict[str, None] = {}
    for text in texts:
        for raw in text.split(","):
            given = raw.strip()
            if not given:
                continue
            low = given.lower().replace("_", "-").replace(" ", "-")
            word = _OTHER_WORDS.get(low, low)
            if word in USES:
                words[word] = None
            elif found := _AMOUNT.match(low):
                amount = _whole(found[1], found[2])
                if found[3] in ("mau", "users"):
                    _once(users, given)
                    users = amount
                elif found[3] in _CURRENCIES:
                    _once(revenue, given)
                    revenue = (amount, found[3].upper())
                else:
                    raise UsageError(f"--use {printable(given)[:60]}: {found[3]} is no currency; write 5M-usd")
                words[given.replace("_", "")] = None
            elif word in _COUNTRIES or word in ("eu", "uk"):
                word = "uk" if word == "gb" else word
                territories[word] = words[word] = None
            else:
                raise UsageError(f"--use {printable(given)[:60]}: no such use{_near(low)}; {_HELP}")
    if not words:
        raise UsageError(f"--use names nothing; {_HELP}")
    return Asked(tuple(words), users, revenue, tuple(territories))


_CURRENCIES: Final = frozenset(["usd", "eur", "gbp", "cny", "jpy", "krw", "inr", "chf", "cad", "aud", "sgd"])
_HELP: Final = f"it takes {', '.join(USES)}, places (eu, uk, us, kr ...), users (100M-mau) and revenue (5M-usd)"


def _once(before: object, given: str) -> None:
    if before is not None:
        raise UsageError(f"--use {printable(given)[:60]}: a number of that kind is named already")


def _whole(digits: str, times: str) -> int:
    whole, _, part = digits.partition(".")
    return int(whole) * _TIMES[times] + (int(part) * _TIMES[times] // 10 ** len(part) if part else 0)


def _near(word: str) -> str:
    near = difflib.get_close_matches(word[:40], sorted({*USES, *_OTHER_WORDS}), 1, 0.6)
    if near:
        return f"; did you mean {_OTHER_WORDS.get(near[0], near[0])}?"
    return "; did you mean 100M-mau?" if word.endswith("mau") else ""
