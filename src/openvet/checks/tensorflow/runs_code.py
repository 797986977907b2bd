"""A TensorFlow graph runs code that is not in it.

What it finds:
    ``PyFunc``, ``PyFuncStateless`` and ``EagerPyFunc``, which call a Python function by a token, and operations that hand a
    program to another runtime (``RemoteFusedGraphExecute``) or load a library.

Why it matters:
    The token names a function that another part of the program registered; a model that carries it brings that part along,
    or waits for it. Such a graph cannot be judged by its operations.

Example:
    A function of the library with an ``EagerPyFunc`` node.

Remedy:
    Do not load it. Ask the publisher for a graph without Python functions; every version of TensorFlow runs them.

What it cannot see:
    What the function does: it is not in the file.

References:
    https://www.tensorflow.org/api_docs/python/tf/py_function ; modelscan pull request 341; CWE-94.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.tensorflow._uses import NEEDS, found, uses
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="tensorflow/runs-code",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(94,),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each operation with another token."""
    remedy = "Do not load it; ask for a graph without Python functions."
    for program, use in uses(ctx, "code"):
        yield found(ctx, program, use, "the graph calls code that is not in it", remedy)
