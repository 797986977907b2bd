"""A configuration holds Python expressions that the loader evaluates.

What it finds:
    Texts that begin with ``$`` in a MONAI bundle configuration (a file with ``_target_``, ``imports`` or ``_meta_``
    keys). They are read as Python: one that starts processes, runs code, unpickles, uses the network or hides what it
    does is critical; expressions as such want a review, once for each file. Texts that other loaders evaluate are looked
    at in the same way and only told where they do such things: modules, arguments and activation of YOLO model descriptions,
    ``download`` of descriptions of data for Ultralytics, fields of ComfyUI workflows, and ``${eval:...}`` of OmegaConf, which projects
    register themselves. Interpolations that only look something up (``${lr}``) or compute with numbers (``${eval:'2**5'}``) are none; one that puts a secret of the environment
    into the path or the query of an address is told.

Why it matters:
    ``monai.bundle.ConfigParser`` evaluates such texts with Python's ``eval`` when the bundle is loaded; YOLOv5 and Ultralytics
    do with theirs when a model is built or data are fetched.

Example:
    ``"preprocessing": "$__import__('os').system('echo hello')"``.

Remedy:
    Read the expressions before you load the bundle; take bundles from MONAI's own model zoo where you can.

What it cannot see:
    What the objects do that an expression names.

References:
    https://docs.monai.io/en/stable/config_syntax.html ; CWE-95.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from openvet.checks._check import Context
from openvet.checks.hub._evaluated import evaluated
from openvet.checks.hub._sent import sent_variables
from openvet.checks.hub._targets import shown
from openvet.checks.hub._texts import as_command, as_python
from openvet.checks.hub._walk import documents
from openvet.core.finding import Finding
from openvet.core.location import Location, below
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity
from openvet.inventory.component import Component

RULE = Rule(
    id="hub/config-expression",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(95,),
    needs=("json", "yaml", "toml"),
)

#: An interpolation of OmegaConf, which looks something up and evaluates nothing; and a resolver that projects register to evaluate.
_LOOKS_UP = pattern(r"\$\{[^{}()'\"]{0,400}\}|\$\{[^{}()'\"]{0,200}\$\{")
#: Arithmetic with numbers and with what is looked up, by such a resolver.
_COMPUTES = pattern(
    r"\$\{[\w.]{1,60}:[ \t]{0,8}['\"]?(?:[\d\s.+*/%()<>=,-]|\$\{[\w.]{1,80}\}|\b(?:min|max|int|float|round|abs|len)\b){1,400}['\"]?[ \t]{0,8}\}"
)
_RESOLVER = pattern(r"\$\{[ \t]{0,8}([\w.]{1,60}):")
#: Words in the names of such resolvers.
_EVALUATES = ("eval", "exec", "python", "calc", "expr", "lambda", "code")
_MOST_RESOLVED = 20
_LONGEST_RESOLVED = 4_000
_QUOTES = "'\""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each dangerous expression, one for all others of a file."""
    for component in documents(ctx):
        document = component.document
        if not isinstance(document, dict):
            continue
        yield from _others(ctx, component)
        yield from _sent(ctx, component)
        texts = list(_expressions(document))
        imports = _imports(document)
        if not texts or not (
            _bundle(document) or any(_dangerous(text, imports) or _resolved(text) for _, text in texts)
        ):
            continue
        yield from _findings(ctx, component, texts, imports)


def _findings(ctx: Context, component: Component, texts: list[tuple[str, str]], imports: str) -> Iterator[Finding]:
    plain = []
    for pointer, text in texts:
        use = _dangerous(text, imports) or _resolved(text)
        if use is None:
            if not _LOOKS_UP.match(text) and not _COMPUTES.fullmatch(text):
                plain.append((pointer, text))
            continue
        yield ctx.finding(
            Location(component.place, pointer=pointer),
            f"holds an expression that a MONAI loader evaluates and that calls {use}",
            "Do not load it with a library that evaluates expressions.",
            severity=Severity.CRITICAL,
            evidence={"expression": shown(text), "calls": use},
        )
    if plain:
        yield ctx.finding(
            Location(component.place, pointer=plain[0][0]),
            f"holds {len(plain)} expression{'s' if len(plain) > 1 else ''} that a MONAI loader evaluates as Python",
            "Read the expressions before you load the bundle.",
            evidence={"expressions": [shown(text) for _, text in plain[:20]]},
        )


def _others(ctx: Context, component: Component) -> Iterator[Finding]:
    """One finding for each text of other kinds of configurations that reaches what is dangerous."""
    for each in evaluated(component.document):
        use = as_command(each.text) if each.script else _dangerous(f"${each.text}")
        if use is not None:
            what = "runs as a script and that" if each.script else "evaluates and that calls"
            yield ctx.finding(
                Location(component.place, pointer=each.pointer),
                f"holds a text that {each.who} {what} {use}",
                "Do not load it with a library that evaluates texts.",
                severity=Severity.CRITICAL,
                evidence={"expression": shown(each.text), "calls": use},
            )


def _sent(ctx: Context, component: Component) -> Iterator[Finding]:
    """One finding for the first address of a file into which a secret of the environment is put."""
    for pointer, text, name, host in sent_variables(component.document):
        yield ctx.finding(
            Location(component.place, pointer=pointer),
            f"puts the variable {name} of the environment into an address of {host}: whoever asks for it sends it there",
            "Take the variable out of the address before anything reads this file, and ask who put it there.",
            confidence=Confidence.MEDIUM,
            evidence={"text": shown(text), "variable": name},
        )
        return


def _bundle(document: dict[str, Any]) -> bool:
    if "imports" in document or "_meta_" in document or "bundle_root" in document:
        return True
    return any(isinstance(value, dict) and "_target_" in value for value in document.values())


def _imports(document: dict[str, Any]) -> str:
    """The import statements of the bundle, which its expressions take their names from."""
    given = document.get("imports")
    lines = [each[1:].strip() for each in given if isinstance(each, str)] if isinstance(given, list) else []
    return "".join(f"{line}\n" for line in lines[:200] if line.startswith(("import ", "from ")) and "\n" not in line)


def _dangerous(text: str, imports: str = "") -> str | None:
    """The dangerous callable that the expression reaches, if any. ``@name`` refers to another part of the file."""
    found = as_python(imports + text[1:].replace("@", "_at_").replace("::", ".").replace("#", "."))
    return None if found is None else found[0]


def _resolved(text: str) -> str | None:
    """The dangerous callable that ``${eval:...}`` reaches, where a project has registered ``eval`` under some such name."""
    for inner in _evaluated_parts(text):
        if (use := _dangerous(f"${inner}")) is not None:
            return use
    return None


def _evaluated_parts(text: str) -> Iterator[str]:
    """What resolvers with the name of an evaluation are given in ``text``, up to its last brace."""
    for found in islice(_RESOLVER.finditer(text), _MOST_RESOLVED) if "${" in text else ():
        name = found[1].lower()
        if name == "py" or any(word in name for word in _EVALUATES):
            inner = text[found.end() : found.end() + _LONGEST_RESOLVED]
            yield inner[: inner.rfind("}")].strip().strip(_QUOTES)


def _expressions(document: Any) -> Iterator[tuple[str, str]]:
    """(pointer, text) of every text that begins as an expression does."""
    stack: list[tuple[str, Any]] = [("", document)]
    while stack:
        pointer, value = stack.pop()
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        inner = []
        for key, child in parts:
            if isinstance(child, str):
                if (child.startswith("$") and len(child) > 1) or any(_evaluated_parts(child)):
                    yield below(pointer, key), child
            elif isinstance(child, dict | list):
                inner.append((below(pointer, key), child))
        stack.extend(reversed(inner))
