r"""Texts without a reader of their own: which are read by a tool that runs commands, which are pages, which are data; and what in
settings of typesetters, converters, players and web servers makes these run something.

A name only says how closely a text is looked at. What counts in it are lines that a shell would run (see ``shell``) and constructs
that have no other use: ``%pipe%`` of PostScript, ``\write18`` of TeX with a command, a pipe inside of an address of ImageMagick, a
local file in a playlist, functions of PHP on what a visitor sends. A heuristic over constants.

Sources: https://ghostscript.readthedocs.io/ (``-dSAFER``); CVE-2016-3714 (ImageMagick); CVE-2016-1897 (FFmpeg);
https://www.tug.org/texinfohtml/web2c.html (shell escapes); https://httpd.apache.org/docs/current/mod/core.html ; MITRE ATT&CK T1505.003.
"""

from __future__ import annotations

import re
from typing import Final

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._format import Facts

__all__ = ["kind_of", "spoken_apart", "tell_tool_text"]

_REPORTS: Final = pattern(r"\.(?:[rjpq]md|rmarkdown|[rs]nw|rrst|rhtml|myst)$", re.IGNORECASE)
#: Samples, vocabularies, tables and records: a command in them is a sample of text.
_DATA: Final = pattern(
    r"\.(?:txt|text|[ct]sv|ssv|psv|jsonl?|ndjson|log|vocab|bpe|codes|model|dict|dic|aff|lst|list|lex|lexicon|phn|phones|tok|tokens|src|tgt|ref|hyp|arpa|lm|dat|data|conll\w{0,3}|vec|"
    r"out|err|ipa|srt|vtt|ass|pot?|xyz|pdb|cif|mol2?|sdf|smi(?:les)?|fast[aq]|fa|fna|faa|gff3?|vcf|bed|sam|obj|mtl|off|pcd|asc|md5|sha\d{0,3}\w{0,4}|sig|pem|crt|cer|csr|pub|patch|diff|"
    r"bib|ris|sub|ctm|stm|trn|words|chars|labels?|names|classes|idx|index|prototxt|pbtxt|param|symbols?|syms|scp|wav|rst|adoc|asciidoc|org|textile|rdoc|po|ftl|strings|license|licence|"
    r"en|de|fr|es|it|zh|ja|ko|ru|ar|hi|pt|nl|tr|vi|fi|sv|json5|geojson|wkt|tokenizer|merges|abc|kern|mid|lrc|trec|qrels|tfevents|pgn|fen|sgf|lab|lbl|hlab|ttl|nt|nq|rdf|owl|n3)$",
    re.IGNORECASE,
)
_PROSE: Final = pattern(r"\.(?:rst|adoc|asciidoc|org|textile|rdoc|mdx)$", re.IGNORECASE)
#: Names without a suffix that are texts for people, or lists of tokens.
_PLAIN: Final = pattern(
    r"/(?:LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|AUTHORS?|CONTRIBUTORS?|MAINTAINERS|CODEOWNERS|CHANGE(?:LOG|S)|HISTORY|NEWS|TO(?:DO)|VERSION|CITATION|THANKS|PATENTS|SECURITY|USE_POLICY|"
    r"RELEASE|METADATA|RECORD|WHEEL|PKG-INFO|INSTALLER|vocab\w{0,10}|merges|words|tokens|labels?|classes|names|dict\w{0,6}|spm\w{0,10}|checkpoint|DESCRIPTION|NAMESPACE|"
    r"MANIFEST(?:\.in|\.mf)?|\.git\w{0,20}|\.dockerignore|\.\w{1,12}ignore)(?:[._-][\w-]{1,20})?$",
    re.IGNORECASE,
)


def kind_of(place: str) -> str:
    """How a text is looked at, by its name: ``tool``, ``report``, ``document`` or ``data``; ``place`` begins with a slash."""
    from openvet.formats._advised import is_document
    from openvet.formats._instructed import is_prompt
    from openvet.formats._instructions import is_instruction

    if _REPORTS.search(place):
        return "report"
    if _PROSE.search(place) or is_document(place) or is_instruction(place[1:]):
        return "document"
    if is_prompt(place) and _MODELFILE.search(place) is None:  # of which only a part is words
        return "document"
    return "data" if _DATA.search(place) or _PLAIN.search(place) else "tool"


#: How PHP begins.
_PHP: Final = pattern(r"<\?(?:php\b|=)", re.IGNORECASE)
#: What is looked for, in which texts (by their beginning or their name, where that matters), what it does, and its kind.
_TOLD: Final = tuple(
    (_PHP if where is None else re.compile(where, re.IGNORECASE) if where else None, re.compile(what, re.IGNORECASE | re.MULTILINE), said, kind)
    for where, what, said, kind in (
        ("", r"\(\s{0,4}%pipe%", "starts a program from PostScript", "hidden"),
        (
            r"\.(?:tex|ltx|sty|cls|bst|bbx|cbx|def|dtx|ins)$",
            r"^[^%\n]{0,400}\\(?:immediate\s{0,4}\\)?write\s{0,4}18\s{0,4}\{(?!\s{0,4}(?:bibtex|biber|makeindex|makeglossaries|kpsewhich|pdfcrop|epstopdf|gnuplot|inkscape|mkdir -p|texcount|pygmentize)\b)",
            "starts a command from TeX, where that is allowed to",
            "shown",
        ),
        (
            r"\.(?:tex|ltx|sty|cls|def)$",
            r"^[^%\n]{0,400}(?:\\(?:input|openin\d{0,3}\s{0,4}=?|@@input)\s{0,4}\{?\"?\||\\directlua\s{0,4}\{[^}\n]{0,200}\b(?:os\.execute|io\.popen)\b)",
            "starts a command from TeX",
            "hidden",
        ),
        ("", r"^\s{0,8}(?:fill|image|push)\b[^\n]{0,400}\b(?:url|https?|ephemeral|msl|label:@)[^\n]{0,200}[\"'`]\s{0,4}\|", "makes ImageMagick start a command", "hidden"),
        ("", r"^\s{0,8}(?:fill|image)\b[^\n]{0,200}['\"( ](?:ephemeral|msl|mvg):/", "makes ImageMagick read or delete files", "hidden"),
        ("", r"\A\s{0,8}#EXTM3U[\s\S]{0,4000}?^(?:concat:|subfile,|file:///(?:etc|proc|home|root)/|(?:tcp|gopher|rtmp)://)", "makes a player read local files, or send what it reads", "hidden"),
        (None, r"\b(?:eval|assert|system|exec|shell_exec|passthru|popen|proc_open|create_function|include|require|call_user_func)\b\s{0,4}\(?[\s@]{0,4}(?:\w{1,30}\s{0,4}\(\s{0,4}){0,4}\$_(?:GET|POST|REQUEST|COOKIE|SERVER|FILES)\b",
         "runs what a visitor of a web page sends", "hidden"),
        (None, r"`[^`\n]{0,200}\$_(?:GET|POST|REQUEST|COOKIE)\b", "runs what a visitor of a web page sends", "hidden"),
        (None, r"\b(?:eval|assert|create_function)\s{0,4}\(\s{0,4}(?:\w{1,30}\s{0,4}\(\s{0,4}){0,4}(?:base64_decode|gzinflate|gzuncompress|str_rot13|hex2bin|convert_uudecode|pack)\s{0,4}\(",
         "decodes a hidden command and runs it", "hidden"),
        (r"\.(?:jsp|jspx)$", r"\bgetRuntime\(\)\s{0,4}\.\s{0,4}exec\s{0,4}\([^;\n]{0,200}\brequest\.getParameter|\bProcessBuilder\([^;\n]{0,200}\brequest\.getParameter", "runs what a visitor of a web page sends", "hidden"),
        (r"\.(?:asp|aspx|ashx|asmx|cer)$", r"\beval\s{0,4}\(?\s{0,4}request\b|\bProcess\.Start\([^;\n]{0,200}\bRequest\b|\bexecute(?:global)?\s{0,4}\(?\s{0,4}request\b", "runs what a visitor of a web page sends", "hidden"),
        (r"\.(?:cgi|pl|py|rb|fcgi)$", r"\b(?:system|exec|eval|popen|qx)\b[^;\n]{0,100}(?:\$ENV\{|\bENV\[|\benviron\b[^;\n]{0,10})[\"']?(?:QUERY_STRING|HTTP_\w{1,30}|PATH_INFO)", "runs what a visitor of a web page sends", "hidden"),
        (r"/(?:\.htaccess|\.user\.ini|php\.ini|httpd\.conf|apache2?\.conf|\.htconfig)$", r"^\s{0,8}(?:AddHandler|AddType|SetHandler|ForceType)\s[^\n]{0,100}(?:php|cgi-script|server-parsed)|^\s{0,8}(?:php_(?:admin_)?value\s{1,8})?auto_(?:prepend|append)_file\b",
         "makes a web server run files as programs", "hidden"),
        (r"/\.htaccess$", r"^\s{0,8}Options\s[^\n]{0,60}\bExecCGI\b", "makes a web server run files as programs", "shown"),
        (r"\.inf$", r"^\s{0,8}(?:RunPre|RunPost)SetupCommands\w{0,20}\s{0,4}=|^\s{0,8}UnregisterOCXs\s{0,4}=|^\s{0,8}(?:scrobj\.dll|%11%\\scrobj)", "makes Windows start something when it is installed", "hidden"),
        ("", r"\A\{\\rt[\s\S]{0,200000}?(?:\bDDE(?:AUTO)?\b\s|\\objupdate\b|\\\*\\template\s{0,4}(?:\\\\|https?:))", "makes a word processor start or fetch something when it is opened", "hidden"),
        ("", r"\A\{\\rt[\s\S]{0,200000}?\\obj(?:ocx|emb|autlink|link|data)\b", "is a text of a word processor with an object in it", "shown"),
        (r"\.(?:applescript|scpt|jxa)$", r"\bdo shell script\b[^\n]{0,400}\b(?:curl|nc)\b[^\n]{0,200}(?:-d\b|--data|-T\b|-sT\b|-F\b|Keychains|\.ssh)|\bwith hidden answer\b[^\n]{0,400}\n[^\n]{0,400}\bcurl\b", "sends what its user types or keeps, from AppleScript", "hidden"),
        (r"\.(?:applescript|scpt|jxa)$", r"\bdo shell script\b|\bdoShellScript\(", "starts a command from AppleScript", "shown"),
        (r"/(?:\.emacs|\.dir-locals\.el|\.emacs\.d/[^\n]{1,200}|init\.el|\.spacemacs)$", r"\(\s{0,4}(?:shell-command|call-process|start-process|async-shell-command|make-process|eval)\b", "makes Emacs start something", "shown"),
        (r"/(?:\.ssh/config|ssh_config)$", r"^\s{0,8}(?:ProxyCommand|LocalCommand|Match\s[^\n]{0,60}\bexec|KnownHostsCommand)\b(?![^\n]{0,20}\b(?:ssh|nc|ncat|aws|gcloud|cloudflared)\b)", "makes ssh start a command", "shown"),
        (r"/(?:etc/)?ld\.so\.preload$", r"^\s{0,8}/\S", "makes every program load a library", "hidden"),
        (r"/sudoers(?:\.d/[\w.-]{1,80})?$", r"\bNOPASSWD\b", "lets a user do everything without a password", "hidden"),
        (r"/\.ssh/authorized_keys2?$", r"^\s{0,8}\S", "lets somebody log in", "hidden"),
        ("", r"^[^\n]{0,200}\b(?:vim?|ex):[^\n]{0,200}(?:foldexpr|indentexpr|includeexpr|formatexpr|balloonexpr)\s{0,4}=[^\n]{0,60}(?:system|execute|assert_fails|feedkeys|source!)\b", "makes vi start a command", "hidden"),
        (r"/(?:\.npmrc|\.yarnrc(?:\.yml)?|\.bunfig\.toml|bunfig\.toml)$", r"^\s{0,8}(?:@[\w.-]{1,80}:)?(?:registry|npmRegistryServer)\s{0,8}[=:]?\s{0,8}[\"']?(?:http://(?!localhost|127\.|10\.|192\.168\.|[\w-]{1,63}[:/])|https://(?:\d{1,3}\.){3}\d)",
         "makes npm take packages from a place without encryption, or from a bare address", "hidden"),
        (r"/(?:\.npmrc|\.yarnrc(?:\.yml)?)$", r"^\s{0,8}(?:strict-ssl|strictSsl|enableStrictSsl)\s{0,8}[=:]\s{0,8}[\"']?false", "makes npm believe any server", "shown"),
        (r"/\.npmrc$", r"^\s{0,8}(?:node-options|script-shell|shell|git|onload-script)\s{0,8}=\s{0,8}(?!--max|[\"']?--max)\S", "makes npm start something", "shown"),
        (r"\.(?:p?sql|pgsql)$", r"\bCOPY\b[^;]{0,200}?\b(?:FROM|TO)\s{1,8}PROGRAM\b", "makes a data base start a program", "hidden"),
        (r"\.(?:p?sql|pgsql|tsql)$", r"\b(?:EXEC\w{0,4}\s{1,8}[\w.]{0,40}(?:xp_cmdshell|sp_OACreate)|sys_(?:exec|eval)\s{0,4}\()|\bINTO\s{1,8}(?:OUT|DUMP)FILE\s{1,8}['\"]/(?:etc|var/www|root|home|usr)/",
         "makes a data base start a program, or write where programs are started from", "hidden"),
        (r"\.(?:p?sql|pgsql)$", r"\bCREATE\s{1,8}(?:ROLE|USER)\b[^;]{0,200}?\bSUPERUSER\b[^;]{0,100}?\bPASSWORD\s{1,8}'[^']", "makes a user of a data base who may do everything, with a password that everybody knows", "shown"),
        (r"\.slk$", r"^C;[^\n]{0,400};E[^\n]{0,200}?(?:EXEC|CALL|REGISTER)\(", "makes a spreadsheet start a program", "hidden"),
        (r"\.(?:iqy|rqy|oqy)$", r"https?://", "makes a spreadsheet fetch something", "shown"),
        (r"\.rdp$", r"^\s{0,8}(?:full address|remoteapplicationprogram|alternate shell|drivestoredirect):s:\S", "opens the desktop of another machine, and may give it the disks", "shown"),
        (r"\.tf$", r"\bprovisioner\s{1,4}\"(?:local|remote)-exec\"|\bdata\s{1,4}\"external\"", "makes Terraform start a command", "shown"),
        (r"/(?:\.wgetrc|\.curlrc|_curlrc)$", r"^\s{0,8}(?:use_askpass|post_file|upload-file|proxy|output(?:_document)?|no-?check-?certificate|insecure)\b", "changes what wget or curl do", "shown"),
    )
    if said
)  # fmt: skip


#: Where Ollama takes weights and adapters from.
_TAKES: Final = pattern(r"^[ \t]{0,40}(FROM|ADAPTER)[ \t]{1,40}[\"']?([^\s\"']{1,400})", re.IGNORECASE | re.MULTILINE)
_SYSTEM: Final = pattern(r"/(?:etc|proc|root)/")
_MODELFILE: Final = pattern(r"/modelfile(?:[._-][\w.-]{1,60})?$|\.modelfile$", re.IGNORECASE)


def _tell_modelfile(text: str, facts: Facts) -> None:
    """Record the first place outside of the folder from which a Modelfile takes something."""
    from openvet.formats._private_places import PRIVATE
    from openvet.formats._tf_program import is_outside

    for found in _TAKES.finditer(text):
        path = found[2]
        if path.startswith("https://") or not is_outside(path):
            continue
        private = PRIVATE.search(path) is not None or _SYSTEM.match(path) is not None
        facts.anomaly(
            "hub/outside-path",
            f"makes Ollama take {'weights' if found[1].upper() == 'FROM' else 'an adapter'} from {printable(shorten(path, 200))}",
            line=text.count("\n", 0, found.start()) + 1,
            kind="private" if private else "climbs",
        )
        return


#: What a Modelfile says, and what of that is text for a model or for people.
_INSTRUCTIONS: Final = frozenset(
    ("ADAPTER", "FROM", "LICENSE", "MESSAGE", "PARAMETER", "PARSER", "RENDERER", "REQUIRES", "SYSTEM", "TEMPLATE")
)
_SPOKEN: Final = frozenset(("LICENSE", "MESSAGE", "SYSTEM"))
#: What a command may be given that reaches somewhere: an address, a machine, a variable.
_REACHES: Final = pattern(
    r"://|\$|/dev/|[\w-]\.[a-z]{2,12}[/:?]|\d\.\d{1,3}\.\d|\b(?:curl|wget|iwr|irm|fetch|nc|ncat|ssh)\s[^|\n]{0,200}?\w\.\w",
    re.IGNORECASE,
)


def spoken_apart(text: str, place: str) -> tuple[str, str]:
    """A text, and what of it is only said to a model or to people; each with the lines of the other left empty.

    A Modelfile has such text: Ollama runs nothing of it, and a word such as ``curl | sh`` in it fetches nothing. What names a place to
    reach stays in both, for it may be what a model is made to tell its user. A Modelfile with a line that Ollama would refuse is taken
    as it is: something else may be meant to read it.
    """
    if _MODELFILE.search(place) is None:
        return text, ""
    kept: list[str] = []
    spoken: list[str] = []
    word = closing = ""
    for line in text.split("\n"):
        bare = line.strip()
        if closing:
            closing = "" if closing in line else closing
        elif not bare or bare.startswith("#"):
            word = ""
        else:
            word, _, value = bare.partition(" ")
            word = word.upper()
            if word not in _INSTRUCTIONS:
                return text, ""
            value = value.strip().partition(" ")[2].strip() if word == "MESSAGE" else value.strip()
            quote = '"""' if value.startswith('"""') else '"' if value.startswith('"') else ""
            closing = quote if quote and quote not in value[len(quote) :] else ""
        kept.append("" if word in _SPOKEN else line)
        spoken.append(line if word in _SPOKEN else "")
    if closing:
        return text, ""
    said = "\n".join(spoken)
    return text if _REACHES.search(said) else "\n".join(kept), said


#: A web server that copies each request, and to where.
_MIRRORS: Final = pattern(r"(?:^|[{;])\s{0,40}mirror\s{1,8}/", re.MULTILINE)
_PASSES: Final = pattern(r"\bproxy_pass\s{1,8}(https?://[^\s;]{3,200})")


def _tell_mirror(text: str, facts: Facts) -> None:
    """Record it where a web server gives a copy of all that it is asked to somebody else."""
    from openvet.formats._addresses import is_bad_place, is_foreign

    found = _MIRRORS.search(text)
    if found is None:
        return
    for place in _PASSES.findall(text)[:100]:
        if is_bad_place(place) or is_foreign([place]):
            message = f"gives a copy of all that its server is asked to somebody else: {shorten(printable(place), 80)}"
            facts.anomaly("hub/shell-command", message, line=text.count("\n", 0, found.start()) + 1, kind="sends")
            return


def tell_tool_text(text: str, facts: Facts) -> None:
    """Record the first of each construct that starts something."""
    place = f"/{facts.place}"
    if "proxy_pass" in text:
        _tell_mirror(text, facts)
    if _MODELFILE.search(place):
        _tell_modelfile(text, facts)
    told = set[str]()
    for where, what, said, kind in _TOLD:
        if said in told or (where is not None and where is not _PHP and where.search(place) is None):
            continue
        if where is _PHP and _PHP.search(text) is None:
            continue
        found = what.search(text)
        if found is None:
            continue
        told.add(said)
        line = text[text.rfind("\n", 0, found.end()) + 1 :].partition("\n")[0]
        facts.anomaly(
            "hub/shell-command",
            f"{said}: {shorten(printable(line.strip()), 120)}",
            line=text.count("\n", 0, found.end()) + 1,
            kind=kind,
        )
