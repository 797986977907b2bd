"""The words of a program in a language that has no parser here: names, texts and signs, without its comments.

One small lexer for all of them: what differs between the languages is how a comment begins, which quotes make a text, and how a text
is put together. Texts that stand side by side are joined, letters by their numbers are read, and the constant lists of texts that
obfuscators make are put in where one of their items is used. A heuristic: it knows no grammar, and a program that is spelled in yet
another way is read as other words.

Sources: the grammars of the languages; https://github.com/javascript-obfuscator/javascript-obfuscator (lists of texts).
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final, NamedTuple

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern

__all__ = ["LANGUAGES", "Language", "Word", "words_of"]


@dataclass(frozen=True, slots=True)
class Language:
    """How the words of a language are told apart.

    Attributes:
        id: what it is called here.
        comments: how a comment begins that ends with its line.
        blocks: how a comment begins and ends that has several lines.
        quotes: the signs that texts stand between.
        filled: those of them in which names are put in (``"${x}"``).
        joins: signs by which texts are joined.
        sigils: signs before the names of variables that belong to no name.
    """

    id: str
    comments: tuple[str, ...] = ("//",)
    blocks: tuple[tuple[str, str], ...] = (("/*", "*/"),)
    quotes: str = "\"'"
    filled: str = ""
    joins: str = "+"
    sigils: str = ""


_C: Final = Language("c")
_JVM: Final = Language("groovy", filled='"')
_SCRIPTED: Final = Language("javascript", quotes="\"'`", filled="`")
_GO: Final = Language("go", quotes='"`')
_RUST: Final = Language("rust", quotes='"')
_PERL: Final = Language("perl", ("#",), (), "\"'`", '"`', ".", "$@%")
_RUBY: Final = Language("ruby", ("#",), (("=begin", "=end"),), "\"'`", '"`', "+", "@")
_LUA: Final = Language("lua", ("--",), (("--[[", "]]"),), "\"'", "", "..")
_JULIA: Final = Language("julia", ("#",), (("#=", "=#"),), '"`', '"`', "*")
_R: Final = Language("r", ("#",), (), "\"'", "", "")
_PHP: Final = Language("php", ("//", "#"), (("/*", "*/"),), "\"'`", '"`', ".", "$")
#: The languages by the endings of their files.
LANGUAGES: Final = {
    **dict.fromkeys(("js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "svelte", "vue", "coffee"), _SCRIPTED),
    **dict.fromkeys(("java", "groovy", "gradle", "kt", "kts", "scala", "sc", "cs", "fs", "swift", "dart", "jenkinsfile"), _JVM),
    **dict.fromkeys(("c", "cc", "cpp", "cxx", "cu", "h", "hpp", "cuh", "hip", "m", "mm", "zig"), _C),
    "go": _GO, "rs": _RUST, "lua": _LUA, "luau": _LUA, "jl": _JULIA, "r": _R, "rb": _RUBY, "rake": _RUBY, "gemspec": _RUBY, "cr": _RUBY, "rakefile": _RUBY,
    "gemfile": _RUBY, "podfile": _RUBY, "vagrantfile": _RUBY, "fastfile": _RUBY, "dangerfile": _RUBY, "brewfile": _RUBY, "podspec": _RUBY, "php": _PHP, "phtml": _PHP, "ex": _RUBY, "exs": _RUBY,
    **dict.fromkeys(("pl", "pm", "perl", "t", "plx"), _PERL),
}  # fmt: skip
#: Words of one program; more is no longer read.
MOST_WORDS: Final = 400_000
_LONGEST_TEXT: Final = 100_000
_ROUNDS: Final = 3
_NAME: Final = pattern(r"[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*[!?]?")
#: Any word but a text: blanks have no kind.
_PLAIN_WORD: Final = pattern(
    r"[ \t\r\f\v]+|(?P<name>[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*[!?]?)|(?P<line>\n)|(?P<number>\d[\w.]*)|"
    r"(?P<sign>=>|->|==+|!=+|<=|>=|::|\+=|\.\.=?|\|\||&&|<<=?|>>|:=|\*=|\.=|~=|=~|\?\.|[^\w\s])"
)
_WITH_PATTERNS: Final = ("javascript", "ruby", "perl", "groovy")
#: A pattern between slashes, where a value may begin.
_REGEX: Final = pattern(r"/(?![*/\s])(?:[^\\/\[\n]|\\.|\[(?:[^\]\\\n]|\\.){0,400}\]){1,1000}/[a-z]{0,8}")
_BEFORE_VALUE: Final = frozenset("(,=:[!&|?{};+-*%~^<>\n")
_PUT_IN: Final = pattern(r"[$#@]\{?([A-Za-z_]\w{0,60})(?:\.(\w{1,60}))?")
_ESCAPE: Final = pattern(r"\\(?:x([0-9a-fA-F]{2})|u\{?([0-9a-fA-F]{1,6})\}?|([0-7]{3})|(\d{1,3})|(.))", re.DOTALL)
_PLAIN: Final = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\n": ""}
_LONG_LUA: Final = pattern(r"\[(=*)\[")
_RAW_RUST: Final = pattern(r'b?r(#*)"')
_CHAR_RUST: Final = pattern(r"'(?:\\[^\n]{1,10}?|[^'\\\n])'")


class Word(NamedTuple):
    """A word of a program.

    Attributes:
        kind: ``name``, ``text``, ``number``, ``sign`` or ``line`` (the end of one).
        text: of a text what it holds.
        start: where it begins.
        inner: names that are put into a text.
        quote: the sign between which a text stands.
    """

    kind: str
    text: str
    start: int
    inner: tuple[str, ...] = ()
    quote: str = ""


def words_of(text: str, language: Language) -> tuple[list[Word], bool]:
    """The words, and whether these are all of them."""
    words: list[Word] = []
    seen: dict[str, int] = {}
    add = words.append
    plain = _PLAIN_WORD.match
    at, size = 0, len(text)
    special = (
        {each[0] for each in language.comments} | {begin[0] for begin, _ in language.blocks} | set(language.quotes)
    )
    special |= {"lua": {"["}, "rust": {"'", "r", "b"}}.get(language.id, set())
    if language.id in _WITH_PATTERNS:
        special.add("/")
    if language.id == "perl":
        special.add("=")
        size = min(size, *(at_end if (at_end := text.find(end)) >= 0 else size for end in ("\n__END__", "\n__DATA__")))
    while at < size and len(words) < MOST_WORDS:
        if text[at] in special:
            if (after := _comment_end(text, at, language)) is not None:
                at = after
                continue
            if (taken := _text_at(text, at, language, words, seen)) is not None:
                add(taken[0])
                at = taken[1]
                continue
        found = plain(text, at)
        if found is None:
            at += 1
            continue
        kind = found.lastgroup
        if kind is not None and not (kind == "sign" and found.group() in language.sigils):
            add(Word(kind, found.group(), at))
        at = found.end()
    return _settled(words, language), at >= size


def _comment_end(text: str, at: int, language: Language) -> int | None:
    """Where a comment ends that begins here."""
    if language.id == "perl" and text[at] == "=":  # plain old documentation
        if (at and text[at - 1] != "\n") or not text[at + 1 : at + 2].isalpha():
            return None
        found = text.find("\n=cut", at)
        return len(text) if found < 0 else found + 5
    for begin, end in language.blocks:
        if text.startswith(begin, at):
            found = text.find(end, at + len(begin))
            return len(text) if found < 0 else found + len(end)
    for begin in language.comments:
        if text.startswith(begin, at) and not (begin == "#" and language.id == "php" and text.startswith("#[", at)):
            found = text.find("\n", at)
            return len(text) if found < 0 else found
    return None


def _text_at(
    text: str, at: int, language: Language, words: list[Word], seen: dict[str, int]
) -> tuple[Word, int] | None:
    """The text that begins here, and where it ends."""
    each = text[at]
    if language.id == "lua" and each == "[" and (found := _LONG_LUA.match(text, at)):
        return _raw(text, at, found.end(), f"]{found[1]}]")
    if language.id == "rust":
        if each in "rb":
            found = _RAW_RUST.match(text, at)
            return _raw(text, at, found.end(), '"' + found[1]) if found else None
        if each == "'" and (found := _CHAR_RUST.match(text, at)):
            return Word("text", found.group()[1:-1], at, (), "'"), found.end()
    if each == "/" and language.id in _WITH_PATTERNS:
        before = next((word for word in reversed(words[-3:]) if word.kind != "line"), None)
        value = (
            before is None
            or (before.kind == "sign" and before.text[-1] in _BEFORE_VALUE)
            or before.text in ("return", "split", "if")
        )
        if value and (found := _REGEX.match(text, at)):
            return Word("number", "/", at), found.end()
    if each not in language.quotes:
        return None
    if text.startswith(each * 3, at) and language.id in ("julia", "groovy"):
        end = text.find(each * 3, at + 3)
        end = len(text) if end < 0 else end
        return _made(text[at + 3 : end], at, each, language), min(end + 3, len(text))
    closed = _quote_end(text, at + 1, each, seen, lines=each == "`" or language.id in ("perl", "ruby", "php"))
    return None if closed is None else (_made(text[at + 1 : closed], at, each, language), closed + 1)


def _raw(text: str, at: int, begin: int, closing: str) -> tuple[Word, int]:
    """A text without escapes."""
    end = text.find(closing, begin)
    end = len(text) if end < 0 else end
    return Word("text", text[begin:end][:_LONGEST_TEXT], at, (), closing[0]), min(end + len(closing), len(text))


def _quote_end(text: str, at: int, quote: str, seen: dict[str, int], *, lines: bool) -> int | None:
    """Where the text ends that begins at ``at``; ``None`` where it has no end (in its line).

    Args:
        seen: for each quote, up to where none is that ends a text: nobody looks there again.
    """
    limit = min(len(text), at + _LONGEST_TEXT)
    if not lines:
        end = text.find("\n", at, limit)
        limit = limit if end < 0 else end
    at = max(at, seen.get(quote, 0))
    while True:
        end = text.find(quote, at, limit)
        if end < 0:
            seen[quote] = max(at, limit)
            return None
        back = end
        while back > at and text[back - 1] == "\\":
            back -= 1
        if (end - back) % 2 == 0:
            return end
        at = end + 1


def _made(raw: str, at: int, quote: str, language: Language) -> Word:
    inner = (
        tuple(name for found in _PUT_IN.finditer(raw) for name in (found[1], found[2]) if name)
        if quote in language.filled
        else ()
    )
    value = (
        raw
        if "\\" not in raw or (quote == "'" and language.id in ("perl", "ruby", "php"))
        else _unescaped(raw, language)
    )
    return Word("text", value[:_LONGEST_TEXT], at, inner[:40], quote)


def _unescaped(raw: str, language: Language) -> str:
    def put(found: re.Match[str]) -> str:
        if found[1] or found[2]:
            code = int(found[1] or found[2], 16)
            return chr(code) if code < 0x110000 else "?"
        if found[3] or found[4]:
            digits = found[3] or found[4]
            return chr(int(digits, 10 if language.id == "lua" or "8" in digits or "9" in digits else 8))
        return _PLAIN.get(found[5], found[5])

    return _ESCAPE.sub(put, raw)


def _settled(words: list[Word], language: Language) -> list[Word]:
    """The same with constant texts joined, lists of texts put in, and letters by their numbers read."""
    for _ in range(_ROUNDS):
        before = len(words)
        words = _joined(_of_codes(words), language)
        if len(words) == before:
            break
    lists = _lists(words)
    words = _put_together(words, lists) if language.id == "javascript" else words
    return _joined(_named(_picked(words, lists) if lists else words), language)


def _joined(words: list[Word], language: Language) -> list[Word]:
    """``'a' + 'b'`` is one text."""
    if not language.joins:
        return words
    out: list[Word] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word.kind == "text":
            parts, inner = [word.text], word.inner
            while (
                at + 2 < len(words)
                and words[at + 1].text == language.joins
                and words[at + 1].kind == "sign"
                and words[at + 2].kind == "text"
            ):
                parts.append(words[at + 2].text)
                inner += words[at + 2].inner
                at += 2
            if len(parts) > 1:
                word = Word("text", "".join(parts)[:_LONGEST_TEXT], word.start, inner[:40], word.quote)
        out.append(word)
        at += 1
    return out


#: What makes a text of the numbers of its letters, by the last part of its name.
_OF_CODES: Final = frozenset({"fromCharCode", "fromCodePoint", "char", "chr"})
_DECODERS: Final = frozenset({"atob", "b64decode", "decode64", "decode_base64", "base64decode", "base64_decode", "hex2bin", "b64", "strict_decode64", "urlsafe_decode64", "unbase64",
                              "decodeBase64", "DecodeString", "from_base64", "from"})  # fmt: skip
_BASE64: Final = pattern(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_HEX: Final = pattern(r"(?:[0-9a-fA-F]{2}){6,}")


def _of_codes(words: list[Word]) -> list[Word]:
    """``String.fromCharCode(104, 105)`` is a text, and behind ``atob("aGk=")`` stands what it makes of it."""
    out: list[Word] = []
    at = 0
    while at < len(words):
        word = words[at]
        called = word.kind == "name" and at + 1 < len(words) and words[at + 1].text == "("
        if called and word.text in _OF_CODES:
            end = at + 2
            codes: list[str] = []
            while (
                end < len(words)
                and (words[end].kind in ("number", "line") or words[end].text == ",")
                and len(codes) < 10_000
            ):
                if words[end].kind == "number":
                    codes.append(words[end].text)
                end += 1
            if codes and end < len(words) and words[end].text == ")":
                out.append(Word("text", "".join(map(_letter, codes)), word.start))
                at = end + 1
                continue
        out.append(word)
        if called and word.text in (*_DECODERS, "pack"):
            end = at + 2
            while end < min(at + 6, len(words)) and (words[end].kind == "text" or words[end].text == ","):
                if words[end].kind == "text" and (plain := _decoded(words[end].text)):
                    out.append(words[at + 1])
                    out.append(Word("text", plain, words[end].start, (), "decoded"))
                    out.append(Word("sign", ",", words[end].start))
                    at += 1
                    break
                end += 1
        at += 1
    return out


def _letter(number: str) -> str:
    try:
        code = int(number, 0)
    except ValueError:
        return "?"
    return chr(code) if 0 < code < 0x110000 else "?"


def _decoded(text: str) -> str:
    """What digits of base64 or of hexadecimal numbers stand for, where that is a text; empty otherwise."""
    try:
        if _HEX.fullmatch(text):
            raw = binascii.unhexlify(text)
        elif _BASE64.fullmatch(text):
            kept = text.rstrip("=").replace("-", "+").replace("_", "/")
            raw = base64.b64decode(kept + "=" * (-len(kept) % 4))
        else:
            return ""
        plain = raw.decode("ascii")
    except (ValueError, binascii.Error):
        return ""
    return plain if sum(each.isprintable() or each in "\n\t\r" for each in plain) == len(plain) else ""


def _lists(words: list[Word]) -> dict[str, list[str]]:
    """Names that are set to a list of texts."""
    found: dict[str, list[str]] = {}
    for at in range(len(words) - 3):
        if (
            words[at + 2].text != "["
            or words[at + 1].text != "="
            or words[at].kind != "name"
            or words[at + 2].kind != "sign"
        ):
            continue
        texts: list[str] = []
        end = at + 3
        while (
            end < len(words) and len(texts) < 5_000 and (words[end].kind in ("text", "line") or words[end].text == ",")
        ):
            if words[end].kind == "text":
                texts.append(words[end].text)
            end += 1
        if texts and end < len(words) and words[end].text == "]":
            found[words[at].text] = texts
    return found


def _put_together(words: list[Word], lists: dict[str, list[str]]) -> list[Word]:
    """``['a', 'b'].join('')`` and ``parts.join('')`` are one text."""
    out: list[Word] = []
    at = 0
    while at < len(words):
        word = words[at]
        if (
            word.text == "join"
            and word.kind == "name"
            and len(out) > 1
            and out[-1].text == "."
            and at + 2 < len(words)
            and words[at + 1].text == "("
        ):
            sign = words[at + 2].text if words[at + 2].kind == "text" else None if words[at + 2].text == ")" else "?"
            texts, begin = _texts_before(out, lists)
            if texts and sign != "?":
                made = ("," if sign is None else sign).join(texts)[:_LONGEST_TEXT]
                out[begin:] = [Word("text", made, out[begin].start)]
                at += 3 if sign is None else 4
                continue
        out.append(word)
        at += 1
    return out


def _texts_before(out: list[Word], lists: dict[str, list[str]]) -> tuple[list[str], int]:
    """The texts of the list before a dot at the end, and where that begins."""
    at = len(out) - 2
    if out[at].kind == "name":
        return ([], at) if at and out[at - 1].text == "." else (lists.get(out[at].text, []), at)
    if out[at].text != "]":
        return [], at
    texts: list[str] = []
    at -= 1
    while at >= 0 and (out[at].kind in ("text", "line") or out[at].text == ",") and len(texts) < 5_000:
        texts += [out[at].text] if out[at].kind == "text" else []
        at -= 1
    before = out[at - 1] if at > 0 else None
    return (
        (texts[::-1], at) if at >= 0 and out[at].text == "[" and (before is None or before.kind != "name") else ([], at)
    )


def _picked(words: list[Word], lists: dict[str, list[str]]) -> list[Word]:
    """``h[_0x[1]](…)`` is ``h.request(…)``, and ``_0x[0]`` the text that the list holds there."""
    out: list[Word] = []
    at = 0
    while at < len(words):
        word = words[at]
        texts = lists.get(word.text) if word.kind == "name" else None
        if (
            texts is not None
            and at + 3 < len(words)
            and words[at + 1].text == "["
            and words[at + 2].kind == "number"
            and words[at + 3].text == "]"
        ):
            number = _number(words[at + 2].text)
            if 0 <= number < len(texts):
                out.append(Word("text", texts[number], word.start))
                at += 4
                continue
        out.append(word)
        at += 1
    return out


def _named(words: list[Word]) -> list[Word]:
    """``h["request"]`` is ``h.request``."""
    out: list[Word] = []
    at = 0
    while at < len(words):
        word = words[at]
        if (
            word.text == "[" and out and (out[-1].kind == "name" or out[-1].text == ")") and at + 2 < len(words)
            and words[at + 1].kind == "text" and words[at + 2].text == "]" and _NAME.fullmatch(words[at + 1].text)
        ):  # fmt: skip
            out += [Word("sign", ".", word.start), Word("name", words[at + 1].text, word.start)]
            at += 3
            continue
        out.append(word)
        at += 1
    return out


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        return -1
