"""Plain text, recognised to its last byte.

What counts as text:

* UTF-8 without a NUL, where control characters other than tab, line ends and escape are at most one byte in a hundred
  or two in all (vocabularies list a few of them as entries);
* UTF-16 or UTF-32 with a byte order mark, under the same rule;
* any other 8-bit encoding (ISO 8859, Windows, GBK) without a single such control character and with at most three
  bytes in ten beyond ASCII, wherever the first of them stands. Compressed or encrypted bytes never look like that over more than some dozens of bytes;
* GB 18030 without a single such control character, where four in five of the bytes beyond ASCII are of the common
  characters and signs of GB 2312.

The whole file is decoded block by block. Text that turns into something else is not text: the rest is unread. Formats
that give text a meaning (JSON, Python, templates ...) refine this one.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from openvet.core.coverage import Coverage
from openvet.core.limits import MiB
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._decode import MARKS
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._templates import MAX_TEMPLATE
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="text",
    title="plain text",
    extensions=(".txt", ".text"),
    media_types=("text/plain",),
    can_tell=(
        "that every byte is text, and in which encoding",
        "credentials of known issuers that were left in it",
    ),
    cannot_tell=("what the text says or asks for",),
)

_ALLOWED = {0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1B}
_CONTROLS = bytes(code for code in (*range(1, 0x20), 0x7F) if code not in _ALLOWED)
_CONTROLS_AS_TEXT = dict.fromkeys(_CONTROLS)
_ASCII = bytes(range(0x80))
#: As many control characters are nothing, however short the text.
_FEW = 2
# characters of the first level of GB 2312, and its signs and full-width forms: two bytes each
_COMMON = pattern(rb"[\xb0-\xd7\xa1-\xa3][\xa1-\xfe]")
_FEWEST_BEYOND = 16
#: Texts that are called so are looked at as templates, and so are settings in languages without a reader of their own.
_TEMPLATES = pattern(
    r"template|prompt|jinja|(?:^|[^a-z])chat|\.(?:ini|cfg|conf|config|properties|env|tmpl|tpl|j2)$|^modelfile|^\.env"
)
#: Files that a tool runs when it starts in the folder where they are.
_STARTED = {
    ".Rprofile": "R", ".octaverc": "Octave", "startup.m": "MATLAB", ".gdbinit": "gdb", ".lldbinit": "lldb", ".exrc": "vi",
    ".nvimrc": "Neovim", ".nvim.lua": "Neovim", ".vimrc": "vi", ".pdbrc": "pdb", ".irbrc": "irb", ".pryrc": "pry",
}  # fmt: skip
#: Files that set variables for what is started in the folder, and who reads them.
_VARIABLES = {".Renviron": "R", ".env": "an editor or a container", ".flaskenv": "Flask", ".env.local": "a server"}
#: Files that Windows reads when it shows the folder, and what in them lies on another machine.
_SHOWN = pattern(
    r"\.(?:url|scf|library-ms|searchconnector-ms|theme|website)$|(?:^|/)(?:desktop|autorun)\.ini?$|(?:^|/)autorun\.inf$"
)
_ELSEWHERE = pattern(r"[=>][ \t\"]{0,8}(?:\\\\|file:[/\\]{2,5}(?=[\w.-]{1,200}\.))([\w.-]{1,200})", re.IGNORECASE)
#: A link that is a script, one that leads to a program, and what a disk starts by itself.
_SCRIPTED = pattern(
    r"^[ \t]{0,80}(?:(?:Base)?URL[ \t]{0,80}=[ \t]{0,80}(?:(?:java|vb)script:|ms-\w{1,40}:|search-ms:|[^\r\n]{1,400}\.(?:exe|scr|hta|vbs|jse?|wsf|lnk|msi|cmd|bat|ps1)[ \t\r]{0,80}$)|"
    r"(?:open|shellexecute|shell\\\w{1,40}\\command)[ \t]{0,80}=[ \t]{0,80}\S[^\r\n]{0,400})",
    re.IGNORECASE | re.MULTILINE,
)
_LINE_HELD = 64 * 1024
_ENVIRONMENT = pattern(
    rb"[\"']EXECUTION_ENV_PATH[\"']\s{0,99},?\s{0,99}value\s{0,99}:?\s{0,99}\{\s{0,99}string_value\s{0,99}:\s{0,99}[\"']([^\"'\n]{1,4000})[\"']"
)
#: Files that say where something lies which their readers take: what says it, and what is done with it.
_LEADING = {
    "checkpoint": (
        pattern(rb"^\s*(?:all_)?model_checkpoint_paths?\s*:\s*[\"']([^\"'\n]{1,4000})[\"']", re.MULTILINE),
        "makes TensorFlow take the newest checkpoint from",
    ),
    "config.pbtxt": (
        _ENVIRONMENT,
        "makes Triton unpack and start the Python environment",
    ),
}
#: Where every user of a machine writes.
_SHARED = pattern(r"/(?:private/)?(?:var/)?(?:tmp|dev/shm)/")
_ESCAPE = pattern(rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|(.))")

#: Kinds of documents that people write and read, beside Markdown, which has a reader of its own.
_PROSE = (".rst", ".adoc", ".asciidoc", ".org", ".tex", ".textile", ".rdoc")


def probe(head: Head) -> Likeness:
    """WEAK where the first bytes are text; whether the rest is, shows on reading."""
    if not head.size:
        return Likeness.NO
    encoding = _encoding(head.data, whole=len(head.data) == head.size)
    return Likeness.NO if encoding is None else Likeness.WEAK


def _encoding(data: bytes, *, whole: bool) -> str | None:
    """The encoding of ``data``, the beginning of a file (or all of it); ``None`` where it is not text."""
    encoding = next((name for mark, name in MARKS if data.startswith(mark)), "utf-8")
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data, whole)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            return None
        return "8-bit" if _is_8_bit(data) else "gb18030" if _is_chinese(data, whole=whole) else None
    hidden = _controls(data, text, encoding)
    return None if "\0" in text or _too_many(hidden, len(text)) else encoding


def _controls(data: bytes, text: str, encoding: str) -> int:
    """How many control characters there are: among bytes where one is one character, which is much faster."""
    if encoding in {"utf-16", "utf-32"}:
        return len(text) - len(text.translate(_CONTROLS_AS_TEXT))
    return len(data) - len(data.translate(None, _CONTROLS))


def _too_many(controls: int, characters: int) -> bool:
    return controls > _FEW and controls * 100 > characters


def _is_chinese(data: bytes, *, whole: bool) -> bool:
    """GB 18030 that is mostly made of the common characters: random bytes are not, over a dozen of them."""
    if b"\0" in data or len(data.translate(None, _CONTROLS)) != len(data):
        return False
    beyond = len(data.translate(None, _ASCII))
    try:
        codecs.getincrementaldecoder("gb18030")().decode(data, whole)
    except UnicodeDecodeError:
        return False
    return beyond >= _FEWEST_BEYOND and len(_COMMON.findall(data)) * 10 >= beyond * 4


def _is_8_bit(data: bytes) -> bool:
    if b"\0" in data or len(data.translate(None, _CONTROLS)) != len(data):
        return False
    return len(data.translate(None, _ASCII)) * 10 <= len(data) * 3


def read(source: Source, facts: Facts) -> None:
    """Decode everything; what cannot be decoded, or holds too many control characters, becomes an unknown."""
    encoding = _encoding(source.upto(0, 64 * 1024), whole=source.size <= 64 * 1024)
    if encoding is None:
        facts.unknown("unsupported", "is not text", 0, coverage=Coverage.UNREAD)
        return
    facts.note("encoding", encoding.removesuffix("-sig"))
    facts.coverage = Coverage.INERT
    if _TEMPLATES.search(facts.name.rsplit("/", 1)[-1].lower()) and source.size <= MAX_TEMPLATE:
        _as_template(source, facts, encoding)
    if facts.name.rsplit("/", 1)[-1] in _STARTED:
        _tell_started(source, facts)
    if (who := _VARIABLES.get(facts.name.rsplit("/", 1)[-1])) is not None:
        from openvet.formats._shell_installs import tell_indexes
        from openvet.formats._started import tell_loading_variables

        variables = source.upto(0, _LINE_HELD).decode("utf-8", "replace")
        tell_loading_variables(variables, facts, who)
        tell_indexes(variables, facts)
    if facts.name.rsplit("/", 1)[-1] in ("entry_points.txt", "setup.cfg"):
        from openvet.formats._entry_points import note_entry_points

        note_entry_points(source.upto(0, 16 * _LINE_HELD).decode("utf-8", "replace"), facts)
    _tell_commands(source, facts)
    if facts.name.lower().endswith((".csv", ".tsv")):
        from openvet.formats._foreign_shells import tell_spreadsheet_commands

        tell_spreadsheet_commands(source.upto(0, 16 * _LINE_HELD).decode("utf-8", "replace"), facts)
    if facts.name.rsplit("/", 1)[-1] in _LEADING:
        _tell_leading(source, facts)
    if facts.name.lower().endswith(".cfg"):
        from openvet.formats._spacy_config import tell_registered

        tell_registered(source.upto(0, _LINE_HELD).decode("utf-8", "replace"), facts)
    if _SHOWN.search(facts.name.lower()):
        _tell_shown(source, facts)
    stopped = _decode(source, facts, encoding)
    if stopped is not None:
        message = f"is text up to byte {stopped} and something else after that, which was not read"
        facts.anomaly("file/trailing-data", message, stopped, end=stopped, size=source.size)
        facts.unknown("unsupported", message, stopped)


def _as_template(source: Source, facts: Facts, encoding: str) -> None:
    """A text that is called a template (``template_chatml.txt``): servers take one by its path, whatever its suffix.

    Other languages have templates too: one that is no Jinja, or does nothing of note, stays text.
    """
    from openvet.formats._templates import format_string, template_in_text
    from openvet.formats.jinja import read_template

    text = source.read(0, source.size).decode("latin-1" if encoding == "8-bit" else encoding, "replace")
    template = None
    if "template" in facts.name.rsplit("/", 1)[-1].lower() and len(text) <= MAX_TEMPLATE:
        template = read_template(text, facts.at(), "", facts.limits)
    if template is None or not template.uses:
        template = format_string(text, facts, "") or template_in_text(text, facts)
    if template is not None and template.uses:
        facts.programs.append(template)


def _tell_commands(source: Source, facts: Facts) -> None:
    """What is run by tools that have no reader of their own, what chunks of a report run, and what a page tells people to run."""
    from openvet.formats import _tool_texts

    place = f"/{facts.place}"
    kind = _tool_texts.kind_of(place)
    if kind == "data":
        return
    text = source.upto(0, _LINE_HELD if kind == "tool" else 4 * _LINE_HELD).decode("utf-8", "replace")
    if kind == "report":
        from openvet.formats._advised import tell_chunks

        tell_chunks(text, facts)
    elif kind == "tool":
        from openvet.formats._foreign_shells import tell_foreign_shell
        from openvet.formats._shell_script import tell_commands

        text, spoken = _tool_texts.spoken_apart(text, place)
        if spoken:
            _tell_page(spoken, facts)
        if place.lower().endswith((".r", ".jl", ".m", ".lua")):
            from openvet.formats._started import tell_started_commands

            tell_started_commands(text, facts)
        else:
            tell_commands(text, facts)
        tell_foreign_shell(text, facts)
        _tool_texts.tell_tool_text(text, facts)
        _tell_program(source, facts)
    else:
        _tell_page(text, facts)


def _tell_page(text: str, facts: Facts) -> None:
    """What a page tells people to run, and models to do."""
    from openvet.formats._advised import tell_advised
    from openvet.formats._instructions import is_instruction, tell_instructions

    instruction = is_instruction(facts.place)
    tell_advised(text, facts, every=instruction)
    tell_instructions(text, facts, addressed=instruction)


def _tell_program(source: Source, facts: Facts) -> None:
    """What a program does in a language without a parser of its own."""
    from openvet.formats._program_flows import language_of, tell_program

    if (language := language_of(facts.name)) is not None:
        tell_program(source.upto(0, 4 * MiB).decode("utf-8", "replace"), language, facts)


def _tell_started(source: Source, facts: Facts) -> None:
    """A file that a tool runs when it starts in this folder; the one line by which renv puts itself in place is no news."""
    lines = {line.split(b"#", 1)[0].strip() for line in source.upto(0, _LINE_HELD).splitlines()} - {b""}
    if lines - {b'source("renv/activate.R")', b"source('renv/activate.R')"}:
        from openvet.formats._started import tell_started_commands

        tool = _STARTED[facts.name.rsplit("/", 1)[-1]]
        facts.anomaly("hub/tool-command", f"is run by {tool} when it starts in this folder", line=1, kind="start")
        tell_started_commands(source.upto(0, _LINE_HELD).decode("utf-8", "replace"), facts)


def _tell_leading(source: Source, facts: Facts) -> None:
    """The worst place to which such a file leads; both tools write absolute paths themselves."""
    from openvet.formats._tf_program import is_outside

    leading, what = _LEADING[facts.name.rsplit("/", 1)[-1]]
    data = source.upto(0, _LINE_HELD)
    told: dict[str, tuple[str, int]] = {}
    for found in leading.finditer(data):
        path = _ESCAPE.sub(_unescaped, found[1]).decode("utf-8", "replace").removeprefix("$$TRITON_MODEL_DIRECTORY/")
        if is_outside(path):
            shared = leading is _ENVIRONMENT and _SHARED.match(path) is not None
            climbs = (
                shared or ".." in path.replace("\\", "/").split("/") or "://" in path or path.startswith(("\\\\", "//"))
            )
            told.setdefault("climbs" if climbs else "absolute", (path, data.count(b"\n", 0, found.start(1)) + 1))
    for kind in sorted(told, reverse=True)[:1]:
        path, line = told[kind]
        facts.anomaly("hub/outside-path", f"{what} {printable(shorten(path, 200))}", line=line, kind=kind)


def _unescaped(found: re.Match[bytes]) -> bytes:
    """The text form of protocol buffers escapes as C does."""
    octal, hexadecimal, plain = found.groups()
    return plain if plain is not None else bytes([int(octal or hexadecimal, 8 if octal else 16) & 0xFF])


def _tell_shown(source: Source, facts: Facts) -> None:
    """A file that Windows reads to show the folder, and that names something on another machine: asking for it logs in there."""
    data = source.upto(0, _LINE_HELD)
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    if started := _SCRIPTED.search(text):
        message = (
            f"runs a script or a program once somebody opens it: {printable(shorten(started.group().strip(), 120))}"
        )
        facts.anomaly("hub/tool-command", message, line=text.count("\n", 0, started.start()) + 1, kind="start")
    found = _ELSEWHERE.search(text)
    if found:
        message = f"makes Windows ask {found[1]} for something as soon as the folder is shown"
        facts.anomaly("hub/tool-command", message, line=text.count("\n", 0, found.start()) + 1, kind="shown")


def _decode(source: Source, facts: Facts, encoding: str) -> int | None:
    """Decode block by block, look for secrets in whole lines; gives the offset where it stops being text, or None."""
    from openvet.formats._encoded import EncodedPickles
    from openvet.formats._secrets import scan_text

    # latin-1 decodes every byte, which is all that is wanted of an encoding that does not say its name
    decoder = codecs.getincrementaldecoder("latin-1" if encoding == "8-bit" else encoding)()
    offset, lines, characters, controls = 0, 0, 0, 0
    carried = ""
    encoded = EncodedPickles(facts)
    prose = facts.place.lower().endswith(_PROSE)
    for block in _with_end(source):
        if encoding == "8-bit" and not _is_8_bit(block) and block:
            return offset
        pending = decoder.getstate()[0]
        try:
            text = decoder.decode(block, not block)
        except UnicodeDecodeError as error:
            if encoding != "utf-8" or not all(_is_8_bit(each) for each in source.chunks()):
                return offset + error.start - len(pending)
            # of a short text the first look would have said so
            encoding = "8-bit"
            facts.note("encoding", encoding)
            decoder = codecs.getincrementaldecoder("latin-1")()
            text = decoder.decode(pending + block, not block)
        nul = text.find("\0")
        if nul >= 0:
            return offset + (len(text[:nul].encode("utf-8")) if encoding == "utf-8" else 0)
        characters += len(text)
        controls += _controls(block, text, encoding)
        if _too_many(controls, characters) or (controls and encoding == "gb18030"):
            return offset
        offset += len(block)
        carried += text
        cut = len(carried) if not block or len(carried) > _LINE_HELD + len(text) else carried.rfind("\n") + 1
        scan_text(carried[:cut], facts, lines + 1)
        encoded.look(carried[:cut], lines + 1, goes_on=True, prose=prose)
        lines += carried.count("\n", 0, cut)
        carried = carried[cut:]
        facts.budget.check_time()
    facts.note("lines", lines)
    if controls:
        facts.note("control_characters", controls)
    return None


def _with_end(source: Source) -> Iterator[bytes]:
    """The blocks of ``source``, then an empty one, on which a decoder says whether it stopped inside a character."""
    yield from source.chunks()
    yield b""
