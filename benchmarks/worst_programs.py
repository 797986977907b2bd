"""Programs that cost more to follow than to write: pickles, templates, Python source and code objects."""

from __future__ import annotations

import base64
import marshal
import struct
from collections.abc import Callable

__all__ = ["INPUTS"]

HOSTILE = b"cos\nsystem\n(S'echo forged'\ntR."
_CALL = b"cfoo\nbar\n)R"


def _text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _doubled(opcode: bytes) -> bytes:
    """One object out of the memo, twice, in the next one: 2**n leaves."""
    return b"\x80\x04]\x94" + b"h\x00h\x00" + opcode + b"\x94" + b"".join(
        b"j" + struct.pack("<I", n) + b"j" + struct.pack("<I", n) + opcode + b"r" + struct.pack("<I", n + 1)
        for n in range(1, 200_000)
    ) + b"."  # fmt: skip


def _joined() -> bytes:
    """A text that is doubled by a call, a thousand times."""
    step = b"coperator\nadd\n(g0\ng0\ntRp0\n0"
    return b"S'os'\np0\n0" + step * 100_000 + b"."


def _named_by_doubling() -> bytes:
    out = b"\x80\x04" + _text("a.") + b"\x940"
    for _ in range(60):
        out += b"cbuiltins\nstr.join\n" + _text("") + b"h\x00h\x00\x86\x86Rq\x000"
    return out + b"\x8c\x02osh\x00\x93)R."


def _nested(levels: int, width: int) -> bytes:
    data = HOSTILE
    for _ in range(levels):
        data = b"(" + b"".join(b"B" + struct.pack("<I", len(data)) + data for _ in range(width)) + b"t."
    return data


def _base64(levels: int) -> bytes:
    data = HOSTILE
    for _ in range(levels):
        data = b"\x80\x02(" + _text(base64.b64encode(data).decode()) * 2 + b"t."
    return data


def _state() -> bytes:
    """BUILD, again and again, of one object with a dictionary that grows."""
    steps = b"".join(b"h\x01" + _text(f"k{n}") + b"K\x01sb" for n in range(100_000))
    return b"\x80\x04cfoo\nBar\n)\x81q\x00}q\x010h\x00" + steps + b"."


_TUPLE_OF_SYMPY = b"\x80\x04csympy.core.containers\nTuple\n\x940"


def _expressions(rows: int) -> bytes:
    """Calls of what evaluates text, all over the same lists of lists."""
    row = b"](" + b"K\x01" * 512 + b"e"
    return _TUPLE_OF_SYMPY + b"](" + row * rows + b"e\x85\x940" + b"h\x00h\x01R0" * 400_000 + b"N."


def _expressions_grow() -> bytes:
    """The same over a list that grows between the calls."""
    return _TUPLE_OF_SYMPY + b"]\x940" + b"h\x01K\x01a0h\x00h\x01\x85R0" * 300_000 + b"N."


def _chained() -> bytes:
    return b"\x80\x04cfoo\nbar\n" + b"".join(b"cbuiltins\ngetattr\n" for _ in range(100_000)) + b"".join(
        b"X\x01\x00\x00\x00a\x86R" for _ in range(100_000)
    ) + b"."  # fmt: skip


def _attributes() -> bytes:
    """``getattr`` of ``getattr`` of ``getattr``, the result of one under the next."""
    step = b"cbuiltins\ngetattr\nh\x00X\x01\x00\x00\x00a\x86Rq\x000"
    return b"\x80\x04cfoo\nbar\nq\x000" + step * 100_000 + b"h\x00)R."


def _partials() -> bytes:
    step = b"cfunctools\npartial\nh\x00K\x01\x86Rq\x000"
    return b"\x80\x04cos\nsystem\nq\x000" + step * 100_000 + b"h\x00)R."


def _literals() -> bytes:
    token = base64.b64encode(HOSTILE * 2)
    return b"\x80\x02(" + b"".join(_text(token.decode()) for _ in range(200_000)) + b"t."


def _binary_tree(depth: int) -> str:
    return "(" * depth + "a" + ")" * depth


def _code() -> bytes:
    inner = compile("1", "x", "exec")
    for _ in range(200):
        inner = inner.replace(co_consts=(inner, None))
    return b"\xa7\x0d\x0d\x0a" + bytes(12) + marshal.dumps(inner)


def _codes() -> dict[str, bytes]:
    inner = compile("import os\nos.system('echo forged')\n" * 200, "x", "exec")
    several = tuple(inner.replace(co_name=str(number)) for number in range(3_000))
    outer = compile("0", "x", "exec").replace(co_consts=several)
    return {"m.pyc": b"\xa7\x0d\x0d\x0a" + bytes(12) + marshal.dumps(outer)}


def _folds() -> str:
    lines = ["x0 = 'os.system'"] + [f"x{n + 1} = x{n} + x{n}" for n in range(3_000)]
    return "\n".join([*lines, "getattr(__import__(x3000), x3000)('echo forged')"])


#: Without a word that matters a source is not parsed at all.
_HOT = "import os\nos.system('echo forged')\n"
_PYTHON: dict[str, Callable[[], str]] = {
    "powers": lambda: "\n".join(f"x{n} = {n + 9}**{n + 9}**{n + 9}**9" for n in range(20_000)),
    "shifts": lambda: "\n".join("x = 1 << (1 << 40)" for _ in range(100_000)),
    "repetition": lambda: "\n".join("x = 'a' * 10**9 * 10**9" for _ in range(100_000)),
    "doubling": _folds,
    "sum of 300 000": lambda: "x = " + " + ".join(["'a'"] * 300_000),
    "chr of 100 000": lambda: "exec(''.join([" + ",".join(["chr(97)"] * 300_000) + "]))",
    "chain of 3 000 attributes": lambda: "x = a" + ".b" * 3_000 + "\n" + "\n".join(["y = x.c.d"] * 100_000),
    "parentheses": lambda: f"x = {_binary_tree(100_000)}",
    "brackets below the parser's bound": lambda: "\n".join(["x = " + "[" * 90 + "]" * 90] * 30_000),
    "calls of calls": lambda: "x = f" + "()" * 50_000,
    "100 000 functions": lambda: "".join(f"def f{n}():\n    return f{n + 1}()\n" for n in range(100_000)) + "f0()\n",
    "functions that call all": lambda: "".join(
        f"def f{n}():\n    " + ";".join(f"f{m}()" for m in range(300)) + "\n" for n in range(300)) + "f0()\n",
    "100 000 findings": lambda: "import os\n" + "os.system('echo forged')\n" * 100_000,
    "aliases": lambda: "import os\na0 = os.system\n" + "".join(f"a{n + 1} = a{n}\n" for n in range(50_000)),
    "assigned again": lambda: "x = 'a'\n" + "x = x + 'a'\n" * 100_000,
    "lambda in lambda": lambda: "x = " + "lambda: " * 500 + "0",
    "else if": lambda: "if a: pass\n" + "elif a: pass\n" * 50_000,
    "30 MB of a string": lambda: "x = '" + "QUJD" * 7_000_000 + "'",
    "30 MB of a comment": lambda: "#" + " a" * 15_000_000,
    "3 000 000 names": lambda: "import a\n" + "a\n" * 3_000_000,
    "imports": lambda: "".join(f"from m{n} import n{n}\n" for n in range(200_000)),
    "unfinished triple quotes": lambda: "'''\"\"\"" * 1_000_000,
    "f-strings": lambda: "x = " + "f'{a}{b}'" * 200_000,
    "a dot and blanks": lambda: "import os\n" + ("os" + " " * 5_000 + ".\n") * 3_000,
    "grows by replace": lambda: "x = 'a'\n" + "x = x.replace('a', 'aaaaaaaaaa')\n" * 5_000 + "exec(x)\n",
    "grows by join": lambda: "x = 'a'\n" + "x = x.join([x, x, x])\n" * 5_000 + "exec(x)\n",
    "grows by format": lambda: "x = 'a'\n" + "x = '{0}{0}{0}'.format(x)\n" * 5_000 + "exec(x)\n",
    "grows by percent": lambda: "x = 'a'\n" + "x = '%s%s%s' % (x, x, x)\n" * 5_000 + "exec(x)\n",
    "grows by f-string": lambda: "x = 'a'\n" + "x = f'{x}{x}{x}'\n" * 5_000 + "exec(x)\n",
    "grows by powers": lambda: "x = 9\n" + "x = x ** x\n" * 5_000 + "y = 1\n" + "y = y << y\n" * 1_000 + "exec(x, y)\n",
    "grows by star": lambda: "a = [os.system]\n" + "a = [*a, *a]\n" * 5_000 + "a[0]('x')\n",
    "a long text turned": lambda: "x = '" + "a" * 1_000_000 + "'\n" + "x = x[::-1]\nexec(x)\n" * 10_000,
    "a long text decoded": lambda: "import base64\nx = '" + "QUJD" * 500_000 + "'\n" + "exec(base64.b64decode(x))\n" * 10_000,
    "functions that return twice": lambda: "".join(
        f"def f{n}(a):\n    return f{n + 1}(a) + f{n + 1}(a)\n" for n in range(6_000)) + "exec(f0('a'))\n",
    "methods that call twice": lambda: "class A:\n    def __init__(self):\n        self.f0()\n" + "".join(
        f"    def f{n}(self):\n        self.f{n + 1}(); self.f{n + 1}(); self.f{n + 2}()\n" for n in range(6_000)),
    "lambdas of lambdas": lambda: "f0 = lambda a: os.system(a)\n" + "".join(
        f"f{n + 1} = lambda a: f{n}(f{n}(a))\n" for n in range(8_000)) + "f8000('a')\n",
    "partial of partial": lambda: "from functools import partial\nf = os.system\n" + "f = partial(f, 'a')\n" * 10_000 + "f()\n",
    "walrus": lambda: "".join(f"(x{n + 1} := x{n} + x{n})\n" for n in range(10_000)),
}  # fmt: skip

_JINJA: dict[str, Callable[[], str]] = {
    "repetition": lambda: "{{ 'a' * 10 ** 9 }}" * 20_000,
    "powers": lambda: "{{ 9 ** 9 ** 9 ** 9 }}" * 20_000,
    "concatenation": lambda: "{{ " + "~".join(["'a'"] * 100_000) + " }}",
    "sum": lambda: "{{ " + "+".join(["'a'"] * 100_000) + " }}",
    "doubling": lambda: "{% set x = '_' %}" + "{% set x = x ~ x %}" * 20_000 + "{{ ''[x] }}",
    "join": lambda: "{{ [" + ",".join(["'_'"] * 200_000) + "]|join }}",
    "filters": lambda: "{{ 'a'" + "|upper" * 20_000 + " }}",
    "attributes": lambda: "{{ a" + ".b" * 20_000 + " }}",
    "parentheses": lambda: "{{ " + _binary_tree(50_000) + " }}",
    "loops in loops": lambda: "{% for a in range(99) %}" * 5_000 + "{% endfor %}" * 5_000,
    "100 000 findings": lambda: "{{ ''.__class__ }}" * 100_000,
    "open braces": lambda: "{{" * 5_000_000,
    "blocks that never close": lambda: "{% if a %}" * 100_000,
    "comment that never closes": lambda: "{# " * 3_000_000,
    "format": lambda: "{{ '" + "%s" * 20_000 + "' % (" + "'_'," * 20_000 + ") }}",
    "replace": lambda: "{{ 'aaaa'" + "|replace('a','aa')" * 100 + " }}",
}

INPUTS: dict[str, Callable[[], bytes | dict[str, bytes]]] = {
    "pickle: doubled tuples": lambda: _doubled(b"\x86"),
    "pickle: doubled texts": _joined,
    "pickle: a name by doubling": _named_by_doubling,
    "pickle: a name of 15 000 000 parts": lambda: b"\x80\x04\x8c\x01a" + _text("a." * 15_000_000 + "b") + b"\x93.",
    "pickle: 30 000 names of 500 parts": lambda: (b"cos\n" + b"a." * 500 + b"b\n0") * 30_000 + b"N.",
    "pickle: 1 000 000 calls": lambda: (_CALL + b"0") * 1_000_000 + b"N.",
    "pickle: 1 000 000 hostile calls": lambda: (HOSTILE[:-1] + b"0") * 1_000_000 + b"N.",
    "pickle: 1 000 000 hostile pickles": lambda: HOSTILE * 1_000_000,
    "pickle: calls of calls": lambda: b"cfoo\nbar\n" + b")R" * 5_000_000 + b".",
    "pickle: 300 000 names": lambda: b"".join(b"cm%d\nn%d\n0" % (n, n) for n in range(300_000)) + b"N.",
    "pickle: 400 000 expressions over shared lists": lambda: _expressions(512),
    "pickle: 400 000 expressions of a long tuple": lambda: _TUPLE_OF_SYMPY + b"(" + b"K\x01" * 60_000 + b"t\x940" + b"h\x00h\x01R0" * 400_000 + b"N.",
    "pickle: 300 000 expressions of a list that grows": _expressions_grow,
    "pickle: getattr of getattr": _attributes,
    "pickle: getattr over getattr": _chained,
    "pickle: partial of partial": _partials,
    "pickle: 30 MB of marks": lambda: b"(" * 30_000_000 + b".",
    "pickle: 15 MB of marks taken back": lambda: b"(1" * 15_000_000 + b"N.",
    "pickle: 30 MB of copies": lambda: b"N" + b"2" * 30_000_000 + b".",
    "pickle: 30 MB of stops": lambda: b"N." * 15_000_000,
    "pickle: protocol, none, stop": lambda: b"\x80\x02N." * 7_500_000,
    "pickle: tuples in tuples": lambda: b"N" + b"\x85" * 30_000_000 + b".",
    "pickle: memo with gaps": lambda: b"N" + b"".join(b"r" + struct.pack("<I", n * 4001) for n in range(1_000_000)) + b".",
    "pickle: state that grows": _state,
    "pickle: 200 000 literals in base64": _literals,
    "pickle: pickles in literals": lambda: _nested(8, 5),
    "pickle: base64 in base64": lambda: _base64(14),
    "pickle: one text of 30 MB": lambda: b"\x80\x04" + _text("QUJD" * 7_500_000) + b".",
    "pickle: quotes": lambda: b"S'" + b"\\x41" * 7_000_000 + b"'\n.",
    "pickle: unicode escapes": lambda: b"V" + b"\\u0041" * 5_000_000 + b"\n.",
    "pickle: long numbers": lambda: b"".join(b"I" + b"9" * 4_000 + b"\n0" for _ in range(7_000)) + b"N.",
    "pickle: one long number": lambda: b"L" + b"9" * 8_000_000 + b"L\n.",
    "pickle: frames": lambda: b"\x80\x04" + b"\x95\x0a\0\0\0\0\0\0\0" * 3_000_000 + b"N.",
    "pickle: a list with itself": lambda: b"\x80\x04]q\x00" + b"h\x00a" * 10_000_000 + b".",
    "marshal: code in code": _code,
    "marshal: 30 MB of tuples": lambda: b"\xa7\x0d\x0d\x0a" + bytes(12) + b")\x01" * 15_000_000 + b"N",
    "marshal: references": lambda: b"\xa7\x0d\x0d\x0a" + bytes(12) + b"(" + struct.pack("<I", 3_000_000) + b"\xa9\0" + b"r\0\0\0\0" * 3_000_000,
    "marshal: 3 000 codes": _codes,
    **{f"python: {name}": lambda make=make: {"m.py": (_HOT + make()).encode()} for name, make in _PYTHON.items()},  # type: ignore[misc]
    **{f"jinja: {name}": lambda make=make: {"chat_template.jinja": make().encode()} for name, make in _JINJA.items()},  # type: ignore[misc]
}  # fmt: skip
