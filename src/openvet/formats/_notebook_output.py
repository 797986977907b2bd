"""What the stored outputs and the Markdown of a notebook do in a browser.

Jupyter cleans the outputs of a notebook that its user has not trusted, and GitHub, Colab and editors show them in a frame of its own;
so a script as such is worth a note (tables of Colab, charts of Plotly and Bokeh and maps are full of them). Worse is what nothing
honest does: a literal command for the kernel, links that are scripts, handlers on pictures that fail to load, and short scripts that
take cookies or talk to the server of the notebook or to somebody else.

A long script is a library, of which nothing is said: a heuristic.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any, Final

from openvet.core.pattern import pattern
from openvet.formats._format import Facts

__all__ = ["scripts_in", "tell_active_output", "tell_markdown", "tell_page"]

_SHOWN_AS: Final = (
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "application/javascript",
    "text/javascript",
    "application/x-javascript",
)
_SCRIPT: Final = pattern(r"<script\b", re.IGNORECASE)
_SCRIPT_END: Final = pattern(r"</script", re.IGNORECASE)
_ACTIVE: Final = pattern(
    r"<(?:script|iframe|object|embed|form|meta\s+http-equiv)\b|\bon[a-z]{3,20}\s{0,8}=", re.IGNORECASE
)
#: What such a link is, and its kind; code within a line.
_LINKED: Final = ("has a link that is a script", "link")
_CODE: Final = pattern(r"`[^`\n]{1,400}`")
_LONGEST: Final = 4 * 1024 * 1024
_LONGEST_SCRIPT: Final = 20_000
_MOST: Final = 20
#: Cells that a browser is given as soon as they are run.
_MAGIC: Final = pattern(r"%%(html|svg|javascript|js|HTML|SVG)\b")
#: In markup.
_LINK: Final = pattern(
    r"\b(?:href|src|action|formaction|xlink:href)\s{0,8}=\s{0,8}[\"']?[\s\x00-\x20]{0,8}(?:java|vb)\s{0,8}script\s{0,8}:(?!\s{0,8}(?:void|;|[\"']))",
    re.IGNORECASE,
)
#: The same in Markdown: ``[x](javascript:…)``.
_MARKDOWN_LINK: Final = pattern(r"\]\([ \t]{0,8}<?[ \t]{0,8}(?:java|vb)script:(?!\s{0,8}(?:void|;|\)))", re.IGNORECASE)
#: Elements that load something or come to life by themselves, and the attributes that are run then.
_LOADED: Final = pattern(
    r"<(?:img|svg|body|video|audio|input|details|object|embed|marquee|style|link)\b", re.IGNORECASE
)
_HANDLER: Final = pattern(r"\bon(?:error|load|toggle|start|focus|loadstart|begin)\s{0,8}=", re.IGNORECASE)
_LONGEST_TAG: Final = 1_000
_TAGS: Final = 20_000
#: In a script.
_KERNEL: Final = pattern(
    r"\bkernel\s{0,4}\.\s{0,4}execute\s{0,4}\(\s{0,8}(?:[\"'`]|atob)|\brequestExecute\(\{\s{0,8}code\s{0,4}:\s{0,4}[\"'`]"
)
_SERVER: Final = pattern(
    r"[\"'`/]api/(?:terminals|contents|kernels|sessions)\b|\bdocument\.cookie\b|\bnavigator\.sendBeacon\("
)
#: A terminal of the machine that serves the notebook: opened, or written to.
_TERMINAL: Final = pattern(
    r"/terminals/websocket/|/api/terminals\b[^;\n]{0,40}?\bmethod[\"']?\s{0,4}:\s{0,4}[\"'`]POST", re.IGNORECASE
)
#: What a browser keeps for its user.
_TAKEN: Final = pattern(
    r"\bdocument\.cookie\b|\bnavigator\.credentials\b|\bJSON\.stringify\(\s{0,8}(?:window\.)?(?:local|session)Storage\b"
)
#: The same as a part of what is asked of a host: cookies anywhere in it, what an application stores only in the address.
_GIVEN: Final = pattern(
    r"[\"'`](?:(?:https?|wss?):)?//([\w.-]{1,200}+)[^;\n]{0,250}?\b(?:document\.cookie|navigator\.credentials)\b"
    r"|[\"'`](?:(?:https?|wss?):)?//([\w.-]{1,200}+)[^\"'`;\n]{0,200}(?:[\"'`]\s{0,8}\+|\$\{)[^;\n]{0,200}?\b(?:local|session)Storage\b"
)
_BARE: Final = pattern(r"[\"'`](?:http|ws)://(?!localhost|127\.)|//(?:\d{1,3}\.){3}\d")
_DECODED: Final = pattern(
    r"\b(?:eval|Function|setTimeout)\s{0,4}\(\s{0,4}(?:window\.)?(?:atob|unescape|String\.fromCharCode|decodeURIComponent)\b"
)
_SENDS: Final = pattern(
    r"\b(?:fetch|open|XMLHttpRequest|WebSocket|EventSource|sendBeacon)\b[^;\n]{0,200}?[\"'`](?:(?:https?|wss?):?)?//([\w.-]{1,200})"
    r"|\bnew\s+Image\b[^;\n]{0,200}?[\"'`]https?://([\w.-]{1,200})|\blocation(?:\.href)?\s{0,4}=\s{0,4}[\"'`]https?://([\w.-]{1,200})",
    re.IGNORECASE,
)
_FROM: Final = pattern(r"\bsrc\s{0,8}=\s{0,8}[\"']?(?:https?:)?//([\w.-]{1,200})", re.IGNORECASE)
#: Hosts that libraries of charts, tables and formulas are loaded from.
_LIBRARIES: Final = pattern(
    r"(?:.*\.)?(?:cdnjs\.cloudflare\.com|cloudflare\.com|jsdelivr\.net|unpkg\.com|plot\.ly|bokeh\.org|pydata\.org|d3js\.org|jquery\.com|"
    r"mathjax\.org|googleapis\.com|gstatic\.com|bootstrapcdn\.com|holoviz\.org|github\.com|github\.io|rawgit\.com|kaggle\.com|"
    r"kaggleusercontent\.com|highcharts\.com|datatables\.net|wandb\.ai|huggingface\.co|gradio\.live|gradio\.app|openstreetmap\.org|"
    r"leafletjs\.com|mapbox\.com|skypack\.dev|esm\.sh|vega\.github\.io|googletagmanager\.com|google-analytics\.com|platform\.twitter\.com|youtube\.com|google\.com|localhost|127\.0\.0\.1)",
    re.IGNORECASE,
)


def tell_active_output(document: Any, facts: Facts) -> None:
    """Record what is worse than a note, cell by cell, and one note where there are scripts at all."""
    first, told = "", 0
    for pointer, kind, text in _shown_texts(document):
        facts.budget.check_time()
        active = "javascript" in kind or _ACTIVE.search(text) is not None
        link = kind == "text/markdown" and _MARKDOWN_LINK.search(text) is not None
        if not active and not link and _LINK.search(text) is None:
            continue
        first = first or pointer
        found = _worst(kind, text)
        if found is not None and told < _MOST:
            told += 1
            facts.anomaly("hub/active-output", f"its stored output {found[0]}", pointer=pointer, kind=found[1])
    if first and not told:
        facts.anomaly("hub/active-output", "its stored output holds scripts or frames", pointer=first, kind="script")


def tell_markdown(text: str, facts: Facts) -> None:
    """Record the worst that a browser would run of a page in Markdown; what only charts and badges have is left alone.

    Hubs clean their pages; editors and documentation sites often do not. Code that the page shows is no part of it.
    """
    from openvet.formats._fences import fences_of

    if _ACTIVE.search(text) is None and _LINK.search(text) is None and _MARKDOWN_LINK.search(text) is None:
        return
    lines = text.split("\n")
    for fence in fences_of(text):
        end = min(fence.line + fence.text.count("\n"), len(lines))
        lines[fence.line - 1 : end] = [""] * (end - fence.line + 1)
    text = _CODE.sub("", "\n".join(lines)[:_LONGEST])
    found = _worst("text/markdown", text)
    if found is not None:
        facts.anomaly("hub/active-output", f"is a page that {found[0]}", kind=found[1])


def tell_page(text: str, facts: Facts) -> None:
    """Record it where a script of a page or a picture sends what a browser keeps to a bare address or without encryption, or puts it
    into what it asks of a host.
    """
    if _TAKEN.search(text) is None and "Storage" not in text:
        return
    scripts, markup = _apart(text[:_LONGEST])
    handler = _handler(markup)
    for script in (*(each for _, each in scripts), *((unescape(handler),) if handler else ())):
        if len(script) <= _LONGEST_SCRIPT:
            host = _given(script) or (_foreign(script) if _TAKEN.search(script) and _BARE.search(script) else "")
            if host:
                message = f"takes what a browser keeps for its user and sends it to {host}"
                facts.anomaly("hub/active-output", message, kind="takes")
                return


def _shown_texts(document: Any) -> Iterator[tuple[str, str, str]]:
    """Pointer, media type and text of what a browser shows of each cell."""
    cells = document.get("cells") if isinstance(document, dict) else None
    for index, cell in enumerate(cells if isinstance(cells, list) else ()):
        if not isinstance(cell, dict):
            continue
        if cell.get("cell_type") == "markdown":
            yield f"/cells/{index}", "text/markdown", _text(cell.get("source"))
        elif cell.get("cell_type") == "code":
            source = _text(cell.get("source"))
            first, _, rest = source.lstrip().partition("\n")
            if (magic := _MAGIC.match(first)) is not None:
                yield f"/cells/{index}", "text/html" if magic[1] in ("html", "svg") else "text/javascript", rest
        outputs = cell.get("outputs")
        for number, output in enumerate(outputs if isinstance(outputs, list) else ()):
            data = output.get("data") if isinstance(output, dict) else None
            for kind in _SHOWN_AS:
                if isinstance(data, dict) and kind in data:
                    yield f"/cells/{index}/outputs/{number}", kind, _text(data[kind])


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = "".join(each for each in value if isinstance(each, str))
    return value[:_LONGEST] if isinstance(value, str) else ""


def _worst(kind: str, text: str) -> tuple[str, str] | None:
    if "javascript" in kind:
        return _in_script(text) if len(text) <= _LONGEST_SCRIPT else None
    found = None
    scripts, markup = _apart(text)
    for attributes, script in scripts:
        seen = _in_script(script) if len(script) <= _LONGEST_SCRIPT else None
        if seen is not None and seen[1] == "kernel":
            return seen
        source = _FROM.search(attributes)
        if source is not None and _LIBRARIES.fullmatch(source[1]) is None:
            seen = seen or (f"loads a script from {source[1]}", "foreign-script")
        found = found or seen
    if found is not None:
        return found
    handler = _handler(markup)
    if handler is not None:
        seen = _in_script(handler.replace("&quot;", '"').replace("&#39;", "'").replace("&amp;", "&"))
        if seen is not None and seen[1] != "server":
            return f"has a picture or the like that {seen[0]}", "takes" if seen[1] == "sends" else seen[1]
    if (
        link := _LINK.search(markup) or (_MARKDOWN_LINK.search(markup) if kind == "text/markdown" else None)
    ) is not None:
        seen = _in_script(markup[link.end() : link.end() + _LONGEST_TAG])
        return (
            ("has a link that " + seen[0], "takes") if seen is not None and seen[1] in ("takes", "sends") else _LINKED
        )
    return None if handler is None else ("has a picture or the like that runs a script", "handler")


def _apart(text: str) -> tuple[list[tuple[str, str]], str]:
    """Attributes and text of each script, and the markup without them."""
    scripts, markup, done = [], [], 0
    for match in _SCRIPT.finditer(text):
        if match.start() < done:
            continue
        begin = text.find(">", match.end())
        ending = _SCRIPT_END.search(text, begin) if begin >= 0 else None
        end = len(text) if ending is None else ending.start()
        if begin >= 0:
            scripts.append((text[match.end() : begin], text[begin + 1 : end]))
        markup.append(text[done : match.start()])
        done = end
        if ending is None or len(scripts) >= _TAGS:
            break
    markup.append(text[done:])
    return scripts, "".join(markup)


def scripts_in(text: str) -> Iterator[tuple[str, int]]:
    """Each script of a page or a picture, and where it begins."""
    at = 0
    for _, script in _apart(text[:_LONGEST])[0]:
        at = text.find(script, at)
        if script.strip():
            yield script, max(at, 0)
        at = max(at, 0) + len(script)


def _handler(markup: str) -> str | None:
    """The tag of the first element that runs a script by itself, from its handler on."""
    for match, _ in zip(_LOADED.finditer(markup), range(_TAGS), strict=False):
        end = markup.find(">", match.end(), match.end() + _LONGEST_TAG)
        end = end if end >= 0 else match.end() + _LONGEST_TAG
        found = _HANDLER.search(markup, match.end(), end)
        if found is not None:
            quote = markup[found.end() : found.end() + 8].lstrip()[:1]
            if quote in ("'", '"'):  # up to which a bracket ends no tag
                begin = markup.index(quote, found.end()) + 1
                end = max(end, markup.find(quote, begin, begin + _LONGEST_TAG))
            return markup[found.start() : end]
    return None


def _in_script(script: str) -> tuple[str, str] | None:
    if _KERNEL.search(script):
        return "gives the kernel a command to run", "kernel"
    if _TERMINAL.search(script):
        return "opens a terminal of the machine that serves the notebook", "kernel"
    if _DECODED.search(script):
        return "decodes a script and runs it", "decoded"
    if _TAKEN.search(script) and (to := _foreign(script)):
        return f"takes what a browser keeps for its user and sends it to {to}", "takes"
    if _SERVER.search(script):
        return "takes cookies or talks to the server of the notebook", "server"
    host = _foreign(script)
    return (f"talks to {host}", "sends") if host else None


def _given(script: str) -> str:
    """The first host, of none that libraries come from, that a script gives what a browser keeps."""
    for match in _GIVEN.finditer(script):
        host = match[1] or match[2]
        if _LIBRARIES.fullmatch(host) is None:
            return host
    return ""


def _foreign(script: str) -> str:
    """The first host, of none that libraries come from, to which a script talks."""
    for match in _SENDS.finditer(script):
        host = match[1] or match[2] or match[3]
        if _LIBRARIES.fullmatch(host) is None:
            return host
    return ""
