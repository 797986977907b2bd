"""The same JSON, YAML or Python in other words.

Each function takes the text of a file and gives another one that its parser reads as the same; :func:`respelled` picks by the file's name.
"""

from __future__ import annotations

import ast
import json
from random import Random
from typing import Any

__all__ = ["respell_json", "respell_members", "respell_python", "respell_yaml", "respelled"]


def respell_json(data: bytes, random: Random) -> bytes | None:
    """Escapes, the order of keys, blanks, keys that come twice, numbers; ``None`` where it is no JSON."""
    try:
        value = json.loads(data)
    except ValueError:
        return None
    return _json(value, random, random.choice((0.0, 0.3, 1.0))).encode("utf-8", "surrogatepass")


def _json(value: Any, random: Random, escapes: float) -> str:
    blank = random.choice(("", " ", "\n", "\t", "\r\n  "))
    if isinstance(value, str):
        return _json_text(value, random, escapes)
    if isinstance(value, dict):
        pairs = list(value.items())
        if random.random() < 0.5:
            random.shuffle(pairs)
        parts = [
            f"{_json_text(key, random, escapes)}{blank}:{blank}{_json(item, random, escapes)}" for key, item in pairs
        ]
        return "{" + blank + f"{blank},{blank}".join(parts) + blank + "}"
    if isinstance(value, list):
        return "[" + blank + f"{blank},{blank}".join(_json(item, random, escapes) for item in value) + blank + "]"
    return json.dumps(value)


def _json_text(text: str, random: Random, escapes: float) -> str:
    out = []
    for letter in text:
        plain = json.dumps(letter, ensure_ascii=False)[1:-1]
        if random.random() < escapes and ord(letter) < 0x10000:
            plain = f"\\u{ord(letter):04x}" if random.random() < 0.5 else f"\\u{ord(letter):04X}"
        elif letter == "/" and random.random() < 0.5:
            plain = "\\/"
        out.append(plain)
    return '"' + "".join(out) + '"'


def respell_yaml(data: bytes, random: Random) -> bytes | None:
    """As flow or block, quoted or not, with anchors, tags of the core schema and a document's head; JSON where it is simple."""
    import yaml

    try:
        value = yaml.safe_load(data)
    except (yaml.YAMLError, ValueError):
        return None
    if not isinstance(value, dict | list):
        return None
    style = random.choice((None, '"', "'"))
    out = yaml.safe_dump(value, default_flow_style=random.choice((True, False, None)), default_style=style, sort_keys=random.random() < 0.5,
                         width=random.choice((40, 10_000)), allow_unicode=random.random() < 0.5, explicit_start=random.random() < 0.5)  # fmt: skip
    return str(out).encode() if yaml.safe_load(out) == value else None


class _Renamed(ast.NodeTransformer):
    """Imports under other names, and module-level calls through ``getattr`` or a name of their own."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.modules: dict[str, str] = {}

    def visit_Import(self, node: ast.Import) -> ast.AST:
        for alias in node.names:
            if alias.asname is None and "." not in alias.name:
                alias.asname = self.modules.setdefault(alias.name, f"_m{len(self.modules)}_{self.random.randrange(99)}")
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and node.id in self.modules:
            node.id = self.modules[node.id]
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        through = (
            isinstance(node.ctx, ast.Load)
            and isinstance(node.value, ast.Name)
            and node.value.id in self.modules.values()
        )
        if through and self.random.random() < 0.3:
            return ast.Call(ast.Name("getattr", ast.Load()), [node.value, self.text(node.attr)], [])
        return node

    def text(self, text: str) -> ast.expr:
        if self.random.random() < 0.5 or len(text) < 2:
            return ast.Constant(text)
        cut = self.random.randrange(1, len(text))
        return ast.BinOp(ast.Constant(text[:cut]), ast.Add(), ast.Constant(text[cut:]))


def respell_python(data: bytes, random: Random) -> bytes | None:
    """Imports renamed, attributes by ``getattr``, module code inside a function, class or block that runs at once."""
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError):
        return None
    if any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body):
        return None
    said = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    if any(alias.name in said for node in tree.body if isinstance(node, ast.Import) for alias in node.names):
        return None  # it is looked up among the globals by its name
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    form = _Renamed(random)
    text = ast.unparse(ast.fix_missing_locations(form.visit(tree))) if not names & {"getattr"} else ast.unparse(tree)
    inside = text.replace("\n", "\n    ")
    whole = all(not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) for node in tree.body)
    multiline = any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" in node.value for node in ast.walk(tree)
    )
    runs = any(isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) for node in tree.body)
    if whole and not multiline:
        form_of = random.randrange(6) if runs else random.randrange(2, 6)  # what others import stays in the module
        if form_of == 0:
            text = f"def _run():\n    {inside}\n\n_run()\n"
        elif form_of == 1:
            text = f"class _Settings:\n    {inside}\n"
        elif form_of == 2:
            text = f"if True:\n    {inside}\n"
        elif form_of == 3:
            text = f"try:\n    {inside}\nfinally:\n    pass\n"
        elif form_of == 4:
            text = f"for _ in (1,):\n    {inside}\n"
    return (random.choice(("", "# -*- coding: utf-8 -*-\n", "\ufeff")) + text + "\n").encode()


def respelled(name: str, data: bytes, random: Random) -> bytes | None:
    """The file in other words by the ending of its name, or ``None`` where there is no way here."""
    low = name.lower()
    if low.endswith((".json", ".ipynb")):
        return respell_json(data, random)
    if low.endswith((".yaml", ".yml")):
        return respell_yaml(data, random)
    return respell_python(data, random) if low.endswith(".py") else None


def respell_members(data: bytes, random: Random) -> bytes | None:
    """The JSON and YAML members of a zip in other words, all other members as they are; ``None`` where it is none or tampered with."""
    import io
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            members = [(info, archive.read(info)) for info in infos]
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError, ValueError):
        return None
    if data[:4] != b"PK\3\4" or len({info.filename for info in infos}) != len(infos):
        return None
    changed = False
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for info, content in members:
            other = (
                respelled(info.filename, content, random)
                if len(content) < 100_000 and not info.filename.endswith(".py")
                else None
            )
            changed |= other is not None
            fresh = zipfile.ZipInfo(info.filename)
            fresh.compress_type = info.compress_type if info.compress_type in (0, 8) else 0
            made.writestr(fresh, content if other is None else other)
    return out.getvalue() if changed else None
