"""Flows of Node-RED: lists of nodes that start as soon as the server does, among them such as start commands and such as are programs.

Format: https://nodered.org/docs/user-guide/nodes ; a flow is a list of objects, each with ``type`` and, where it leads on, ``wires``.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from openvet.core.text import printable, shorten
from openvet.formats._format import Facts

__all__ = ["tell_nodes"]

#: Nodes by which somebody else gives a flow something.
_ASKED: Final = frozenset(
    {
        "http in",
        "tcp in",
        "udp in",
        "mqtt in",
        "websocket in",
        "http request",
        "tcp request",
        "amqp in",
        "e-mail in",
        "telegram receiver",
    }
)
_MOST: Final = 5_000
_LONGEST: Final = 20_000


def tell_nodes(document: Any, facts: Facts) -> None:
    """Record the first command or program of a flow that nobody should run unread; any other document is left alone."""
    nodes = document.get("flows") if isinstance(document, dict) else document
    if not isinstance(nodes, list) or not any(
        isinstance(each, dict) and isinstance(each.get("wires"), list) and isinstance(each.get("type"), str)
        for each in nodes[:200]
    ):
        return
    kinds = {
        each["type"] for each in islice(nodes, _MOST) if isinstance(each, dict) and isinstance(each.get("type"), str)
    }
    for at, node in enumerate(islice(nodes, _MOST)):
        if isinstance(node, dict):
            _tell_node(node, f"/{at}", facts, asked=not kinds.isdisjoint(_ASKED))


def _tell_node(node: dict[str, Any], pointer: str, facts: Facts, *, asked: bool) -> None:
    from openvet.formats._program_flows import tell_program
    from openvet.formats._program_words import LANGUAGES
    from openvet.formats._shell_script import judged_script

    command, code = node.get("command"), node.get("func")
    if node.get("type") == "exec" and isinstance(command, str) and len(command) < _LONGEST:
        told = judged_script(command)
        given = node.get("addpay") not in (False, "", None)
        if told is not None:
            message = f"a node starts a command that {told[0]}: {shorten(printable(command), 120)}"
            facts.anomaly("hub/shell-command", message, pointer=f"{pointer}/command", kind=told[1])
        elif asked and given and len(command.split()) <= (2 if " -c" in command else 0):
            facts.anomaly(
                "hub/shell-command", "a node runs what somebody else gives the flow", pointer=pointer, kind="hidden"
            )
        elif command.strip():
            facts.anomaly(
                "hub/shell-command",
                f"a node starts a command: {shorten(printable(command), 120)}",
                pointer=pointer,
                kind="fetch-run",
            )
    elif node.get("type") == "function" and isinstance(code, str) and len(code) < _LONGEST:
        tell_program(code, LANGUAGES["js"], facts)
