"""JSON texts: configurations, tokenizers, indexes, notebooks' outer form, and files with one JSON value on each line.

A text is UTF-8 (a byte order mark is tolerated and said), holds one value (RFC 8259), or a value on every line. Short
texts go through the standard library's parser; long ones through :mod:`openvet.formats._json_stream`, which lets go of
vocabularies and merges. Where two readers could differ (a key twice, ``NaN``) it is recorded.

Chat templates that a JSON text carries under ``chat_template`` become programs.

Specification: https://www.rfc-editor.org/rfc/rfc8259
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from openvet.core.limits import MiB
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError
from openvet.formats._decode import decode
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="json",
    title="JSON text",
    extensions=(".json", ".jsonl", ".ndjson", ".webmanifest", ".geojson"),
    media_types=("application/json", "application/jsonl"),
    can_tell=(
        "every key and value, but for vocabularies and other long runs of plain items, which are only checked for form",
        "keys that an object has twice, and words that other readers of JSON refuse",
        "chat templates that the text carries",
    ),
    cannot_tell=("what the values mean to a program; the checks know those that loaders act on",),
    refines=("text",),
)

#: Up to here a text is parsed as a whole.
_SHORT = 1 * MiB
_FIRST = pattern(rb'\s*(?:\{\s*(?:"|\}|\Z)|\[\s*(?:[-\["{\]0-9tfnNI]|\Z))')
_TOKENS = pattern(
    rb'(?:[ \t\n\r\[\]{},:]++|"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+"|[-+.0-9eE]++|true|false|null|NaN|-?Infinity)*+',
    re.DOTALL,
)
_CUT_TOKEN = pattern(rb'"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+\\?|[a-zA-Z]{1,8}', re.DOTALL)
_NAMES = (".json", ".jsonl", ".ndjson", ".ipynb")
#: Rows of data: what a text there would be elsewhere, nobody takes it for.
_ROWS = (".jsonl", ".ndjson")
# a YAML reader reads JSON as well, and so does whatever loads a file of that name
_NOT_OURS = (".yaml", ".yml")


def probe(head: Head) -> Likeness:
    data = head.data.removeprefix(b"\xef\xbb\xbf")
    if _wide(head.data):
        return Likeness.WEAK if head.suffix in _NAMES else Likeness.NO
    named = head.suffix in _NAMES
    if head.suffix in _NOT_OURS:
        return Likeness.NO
    if _FIRST.match(data):
        end = _TOKENS.match(data)
        at = 0 if end is None else end.end()
        if at == len(data):
            return Likeness.STRONG
        cut = _CUT_TOKEN.match(data, at)
        if head.size > len(head.data) and cut is not None and cut.end() == len(data):
            return Likeness.STRONG
    return Likeness.WEAK if named and not data.startswith(b"\0") else Likeness.NO


def _wide(data: bytes) -> str:
    """UTF-16 or UTF-32, with a mark or without, as Python's parser tells it by the first four bytes; '' for UTF-8."""
    import json

    encoding = json.detect_encoding(data[:4]) if len(data) >= 4 else "utf-8"
    return "" if encoding.startswith("utf-8") else encoding


def read(source: Source, facts: Facts) -> None:
    if source.size <= _SHORT:
        _read_short(source.read(0, source.size), facts)
    else:
        _read_long(source, facts)
    if facts.document is not None:
        from openvet.formats._keras import look
        from openvet.formats._shards import look as look_for_shards
        from openvet.formats._templates import chat_templates, other_templates
        from openvet.formats._zarr import look as look_for_chunks

        look(facts)
        look_for_chunks(facts)
        look_for_shards(facts)
        if isinstance(facts.document, dict | list):
            rows = facts.metadata.get("kind") == "lines"
            facts.programs.extend(other_templates(facts.document, facts, rows=rows))
        for template in chat_templates(facts.document, facts):
            facts.programs.append(template)
            if template.error:
                facts.unknown(
                    "malformed",
                    f"the chat template cannot be parsed: {template.error}",
                    pointer=template.location.pointer,
                )


def _read_short(data: bytes, facts: Facts) -> None:
    import json

    from openvet.formats._encoded import EncodedPickles
    from openvet.formats._secrets import scan_text
    from openvet.formats._tool_settings import tell_parsed_tool, tell_tool

    if data.startswith(b"\xef\xbb\xbf"):
        facts.anomaly("json/not-standard", "begins with a byte order mark, which some readers refuse", 0)
    wide = _wide(data)
    if wide:
        facts.anomaly("json/not-standard", f"is in {wide.upper()}, which some readers refuse", 0)
    text = _from_wide(data, wide) if wide else decode(data)
    scan_text(text, facts)
    encoded = EncodedPickles(facts)
    rows = facts.place.endswith(_ROWS)
    encoded.look(text, prose=rows)
    if not rows:
        tell_tool(text, facts)
    hooks = _Hooks()
    lines = False
    try:
        try:
            value = hooks.loads(text)
        except json.JSONDecodeError as error:
            if _COMMENTED.search(f"/{facts.place}") and (plain := _without_comments(text)) is not None:
                value = _commented(plain, hooks)
                facts.anomaly("json/not-standard", "holds comments, which the tool that reads it allows")
            else:
                value = list(_lines(text, error, hooks, facts))
                lines = True
    except RecursionError:
        raise LimitError("nesting", facts.limits.nesting, "values are nested too deeply") from None
    _check_nesting(value, facts)
    _report(facts, hooks.odd, [(key, None) for key in hooks.duplicates])
    if lines:
        facts.note("kind", "lines")
        facts.note("values", len(value))
    facts.document = value
    spelled = "\\u00" in text
    encoded.walk(value, spelled=spelled, prose=rows)
    if not rows:
        tell_parsed_tool(value, facts)


#: Settings of tools that allow comments and a comma behind the last value.
_COMMENTED = pattern(
    r"/(?:\.devcontainer|\.vscode|\.zed|\.cursor)/[^\n]{0,200}\.json$|/\.?devcontainer\.json$|/[jt]sconfig[\w.-]{0,40}\.json$|\.(?:jsonc|code-workspace|sublime-project)$"
)
_LEXEME = pattern(r'"(?:[^"\\\n]|\\.)*+"?+|//[^\n]*+|/\*|,')
_CLOSES = pattern(r"\s*+[\]}]")


def _without_comments(text: str) -> str | None:
    """``text`` with blanks in the place of comments and of commas behind a last value; ``None`` where a comment does not end."""
    for dropped in ("/", ","):  # which comma is the last one shows only where no comment stands behind it any more
        out, at = [], 0
        while (match := _LEXEME.search(text, at)) is not None:
            start, end = match.span()
            blank = dropped == "," and match[0] == "," and _CLOSES.match(text, end) is not None
            if dropped == "/" and match[0][0] == "/":
                blank, end = True, text.find("*/", end) + 2 if match[0] == "/*" else end
                if end < 2:
                    return None
            out += [text[at:start], re.sub(r"[^\n]", " ", text[start:end]) if blank else text[start:end]]
            at = end
        text = "".join([*out, text[at:]])
    return text


def _commented(text: str, hooks: _Hooks) -> Any:
    import json

    try:
        return hooks.loads(text)
    except json.JSONDecodeError as error:
        raise _malformed(text, error) from None


def _from_wide(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise MalformedError(f"is not {encoding.upper()} text", offset=error.start) from None


def _lines(text: str, error: Any, hooks: _Hooks, facts: Facts) -> Iterator[Any]:
    """The values of a text with one on each line.

    Raises:
        MalformedError: it is not one of those; ``error`` says why it is not a single value either.
    """
    import json

    lines = text.split("\n")  # a text may hold the other characters that end a line in Unicode
    if error.msg != "Extra data" or len(lines) < 2:
        raise _malformed(text, error)
    for line in lines:
        if line.strip():
            facts.budget.check_time()
            try:
                yield hooks.loads(line)
            except json.JSONDecodeError:
                raise _malformed(text, error) from None


def _malformed(text: str, error: Any) -> MalformedError:
    return MalformedError(
        f"is not well-formed JSON: {error.msg} in line {error.lineno}",
        offset=len(text[: error.pos].encode("utf-8", "surrogatepass")),
    )


class _Hooks:
    """What the standard parser is told to look at."""

    def __init__(self) -> None:
        self.odd: list[str] = []
        self.duplicates: list[str] = []

    def loads(self, text: str) -> Any:
        import json

        try:
            return json.loads(text, object_pairs_hook=self.pairs, parse_constant=self.constant)
        except json.JSONDecodeError:
            raise
        except ValueError:  # an integer of thousands of digits
            return json.loads(text, object_pairs_hook=self.pairs, parse_constant=self.constant, parse_int=_integer)

    def constant(self, word: str) -> float:
        if len(self.odd) < 100:
            self.odd.append(word)
        return float(word.replace("Infinity", "inf"))

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs) and len(self.duplicates) < 100:
            seen: dict[str, Any] = {}
            for key, each in pairs:
                if key in seen and seen[key] != each:
                    self.duplicates.append(key)
                seen[key] = each
        return value


def _integer(text: str) -> Any:
    from openvet.formats._json_stream import number

    return number(text)


def _check_nesting(value: Any, facts: Facts) -> None:
    level = [value]
    depth = 0
    while level:
        depth += 1
        if depth > facts.limits.nesting:
            raise LimitError("nesting", facts.limits.nesting, "values are nested too deeply")
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list)
        ]


def _read_long(source: Source, facts: Facts) -> None:
    from openvet.formats._json_stream import JsonStream

    limit = 8 * facts.limits.text
    if source.size > limit:
        raise LimitError("text", limit, "the text is too long to be parsed; it was not read")
    start = 3 if source.read(0, 3) == b"\xef\xbb\xbf" else 0
    if start:
        facts.anomaly("json/not-standard", "begins with a byte order mark, which some readers refuse", 0)
    _scan_long(source, facts)
    stream = JsonStream(source, start, facts.limits, facts.budget.check_time)
    facts.document = stream.value()
    count = 1
    while not stream.at_end():
        if count == 1:
            _check_lines(source, stream)
        facts.document = None  # lines of data; each is checked for form and let go
        stream.forget()
        stream.value()
        count += 1
    if count > 1:
        facts.note("kind", "lines")
        facts.note("values", count)
    elif stream.dropped:
        facts.note("long-runs", stream.dropped)
    _report(facts, stream.odd, list(stream.duplicates))


def _check_lines(source: Source, stream: Any) -> None:
    """Several values are allowed only where each has a line of its own: what follows the first must follow a newline."""
    before = source.upto(max(stream.position - 64, 0), min(64, stream.position))
    if b"\n" not in before[len(before.rstrip()) :]:
        raise MalformedError("something follows the JSON value", offset=stream.position)


def _scan_long(source: Source, facts: Facts) -> None:
    from openvet.formats._encoded import EncodedPickles
    from openvet.formats._secrets import scan_text

    line = 1
    tail = b""
    encoded = EncodedPickles(facts)
    for block in source.chunks():
        facts.budget.check_time()
        # what is searched for is ASCII; Latin-1 keeps one byte for one character
        scan_text((tail + block).decode("latin-1"), facts, line - tail.count(b"\n"))
        encoded.look(block, line, goes_on=True, prose=facts.place.endswith(_ROWS))
        line += block.count(b"\n")
        tail = block[-512:]


def _report(facts: Facts, odd: list[str], duplicates: list[Any]) -> None:
    if odd:
        facts.anomaly("json/not-standard", f"holds {odd[0]}, which is no JSON and which some readers refuse")
    for key, pointer in duplicates:
        name = shorten(printable(key), 80)
        facts.anomaly(
            "json/duplicate-key",
            f"has the key {name!r} twice with different values; readers differ in which they take",
            pointer=pointer,
            key=name,
        )
