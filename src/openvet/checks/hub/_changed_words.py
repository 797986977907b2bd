"""The whole words that a replacement of a tokenizer takes away or changes.

Normalizers change letters, blanks, marks and signs: ``ﬁ`` to ``fi``, ``<br>`` to a blank, ``&amp;`` to ``&``. None of them has to take a
word out of what somebody says: without ``not`` a sentence says the opposite, and a model that judges texts judges another one.
What stands between ``<`` and ``>``, ``[`` and ``]``, ``&`` and ``;`` is a mark; classes and escapes of regular expressions are letters and no words.
Short names of atoms (``Cl``, ``Br``) and letters of sequences are rewritten by tokenizers of chemistry and biology, so that a word has three
letters and a small one among them, or denies.
"""

from __future__ import annotations

from typing import Final

from openvet.core.pattern import pattern

__all__ = ["changed_words"]

#: Classes, escapes, names of groups and counts of a regular expression.
_SIGNS: Final = pattern(
    r"\[\^?\]?(?:\\.|[^\[\]\\]){0,200}\]|\\[pP]\{[^}]{0,40}\}|\\[xuU][0-9A-Fa-f{}]{1,10}|\\.|\(\?(?:[a-zA-Z]{1,8}[:)]|P?<\w{0,40}>|[=!:]|<[=!])|\{\d{0,6},?\d{0,6}\}"
)
#: Marks of markup and special tokens, which are no words of anybody.
_MARKS: Final = pattern(r"<[^<>\s]{0,60}>|&#?\w{1,20};|\[[A-Z_]{2,20}\]|\{\{?\w{0,40}\}?\}|https?:[^\s|)]{0,200}")
_WORD: Final = pattern(r"[^\W\d_]{2,40}(?:['’][^\W\d_]{1,4})?")
#: Words that deny, in languages in which models are used most, and signs of Chinese and Japanese for the same.
_DENIES: Final = frozenset({
    "no", "not", "never", "none", "nor", "without", "don't", "dont", "can't", "cannot", "isn't", "won't", "n't", "ne", "pas", "non", "jamais", "nicht", "kein", "keine",
    "nie", "ohne", "nunca", "sin", "não", "nao", "sem", "mai", "не", "нет", "без", "никогда", "nein", "ไม่", "لا", "ليس", "לא", "नहीं", "아니", "안",
})  # fmt: skip
#: Parts of addresses, which are looked for to be hidden or marked.
_OF_ADDRESSES: Final = frozenset({"http", "https", "ftp", "www", "com", "org", "net", "html", "mailto"})
_DENYING_SIGNS: Final = "不没沒无無未非别別勿莫否"
_MOST: Final = 20


def changed_words(old: str, new: str, *, regex: bool) -> list[str]:
    """The words of ``old`` that are not in ``new``, at most some of them; none for what is signs, marks and letters.

    Args:
        old: the text that is looked for, or the regular expression.
        new: what is put in its place.
        regex: whether ``old`` is a regular expression.
    """
    plain = _MARKS.sub(" ", old[:4_000])
    plain = _SIGNS.sub(" ", plain) if regex else plain
    kept = {each.casefold() for each in _WORD.findall(new)}
    found = [each for each in _WORD.findall(plain) if each.casefold() not in kept and _is_word(each)]
    if plain.strip(" ()|?^$.+*") and all(each in _DENYING_SIGNS or each in " ()|?" for each in plain):
        found += [each for each in plain if each in _DENYING_SIGNS and each not in new]
    return list(dict.fromkeys(found))[:_MOST]


def _is_word(text: str) -> bool:
    # letters of one case alone may be a sequence or a name of a mark; signs of Chinese are rewritten one by one and in pairs
    if text.casefold() in _OF_ADDRESSES:
        return False
    return text.casefold() in _DENIES or (len(text) > 2 and text.isascii() and any(map(str.islower, text)))
