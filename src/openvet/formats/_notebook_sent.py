"""What the cells of a notebook send that is secret to whoever runs them, read as one text: one cell imports, another sends.

People use their own tokens in notebooks, and hand the environment on to programs that they start. So only this counts: a network
call that is itself given a private file or the whole environment, or a single secret variable by an address that is bare or not
encrypted; and a private file that is read where something is sent as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from openvet.core.pattern import pattern
from openvet.formats._format import Facts

if TYPE_CHECKING:
    from openvet.formats.python import PythonSource

__all__ = ["cell_of", "tell_sent"]

#: Last parts of calls that send a body.
_BODIES = frozenset({"post", "put", "patch", "urlopen", "sendall", "send", "sendto", "upload_file", "upload_fileobj", "put_object", "storbinary", "Request",
                     "create_connection", "connect", "socket"})  # fmt: skip
_WHOLE = "takes the whole environment"
_VARIABLE = pattern(r"takes \w+ of the environment")
_PLAIN = pattern(r"http://(?!localhost|127\.)|https?://(?!127\.)(?:\d{1,3}\.){3}\d")
#: Private files that notebooks read in earnest: the keys of a service that is asked for data.
_OWN = pattern(r"kaggle\.json|\.netrc|huggingface/token|/etc/passwd|\.config/gcloud")


def tell_sent(cells: Sequence[tuple[int, str]], program: PythonSource, facts: Facts) -> None:
    """Record each network call of ``cells`` (index in the notebook, Python), which were read as ``program``, that sends secrets."""
    from openvet.formats._python_ends import ends

    text = "\n".join(source for _, source in cells)
    network = [use for use in program.uses if use.capability == "network"]
    sent = {(use.line, use.name) for use in network}
    bodies = any(use.name.rpartition(".")[2] in _BODIES for use in network)
    lines, told = text.split("\n"), set[int]()
    for use in program.uses:
        if use.capability != "secret" or use.line in told:
            continue
        inside = (use.line, use.name) in sent or use.name.rpartition(".")[2] in ends().senders
        if _VARIABLE.search(use.detail):
            counts = inside and _PLAIN.search(lines[use.line - 1]) is not None
        else:
            counts = inside or (
                bodies and use.detail != _WHOLE and "token" not in use.detail and not _OWN.search(use.detail)
            )
        if counts:
            told.add(use.line)
            index = cell_of(cells, use.line)
            message = f"{use.detail} and sends it or uses the network when its cells are run"
            facts.anomaly("python/sends-secrets", message, pointer=f"/cells/{index}", callable=use.name)


def cell_of(cells: Sequence[tuple[int, str]], line: int) -> int:
    """The index of the cell in which a line of all of them stands."""
    for index, source in cells:
        lines = source.count("\n") + 1
        if line <= lines:
            return index
        line -= lines
    return cells[-1][0]
