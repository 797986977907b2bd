"""Which Python sources do nothing but define: what a person who vets model code wants to know first.

A source is *quiet* when it was read to its end, does nothing of note on import, on construction or in use, holds no
function that starts a process or runs text as code, and imports only the standard library, files beside it, and
packages that models are known to need. What it imports only in a function, in ``try`` or for type checkers is not asked
for, and neither is the package that these files are themselves. Of a script that a person starts, and of code that no loader
takes, neither is asked what functions do that somebody has to call, nor for packages: that is told, and wants no review.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from openvet.checks._check import Context
from openvet.checks.python._known_packages import known_packages
from openvet.checks.python._programs import OF_WEIGHTS, RUN, is_users_choice
from openvet.checks.python._taken import OF_A_LOADER, is_taken
from openvet.checks.python._uses import sources, started, uses
from openvet.core.pattern import pattern
from openvet.core.text import shorten
from openvet.formats._chosen_names import CHOSEN
from openvet.formats._python_told import CALLERS
from openvet.formats.python import PythonSource, PythonUse
from openvet.inventory.component import Inventory

__all__ = ["first_loud", "told_of_calls", "why_loud"]

#: What a function may do that nothing here calls: save a vocabulary, fetch an image, convert an older checkpoint.
_WHEN_CALLED = frozenset(
    {"fetch", "file", "handed", "import", "install", "load", "network", "secret", "telling", "trust", "watch"}
)
#: What else a function may do that only a person calls, who reads the code before.
_FOR_PEOPLE = _WHEN_CALLED | {"code", "native", "process"}
#: Of no weight at any time: an import by a name that the code computes names a package, and ``nvidia-smi`` tells.
_ALWAYS = frozenset({"import", "install", "telling"})
_DOES = {
    "process": "starts a process",
    "code": "runs computed text as code",
    "load": "unpickles or loads code",
    "native": "loads native code",
    "network": "uses the network",
    "file": "changes files",
    "startup": "changes a file from which programs are started",
    "hidden": "hides what it runs",
    "secret": "takes what is secret to the user",
    "trust": "runs code of another repository",
    "fetch": "installs or fetches something",
    "attack": "does what no honest code does",
    "watch": "watches what its user types or copies",
    "show": "takes pictures of the screen, or sound",
}
#: Hosts that do nothing but answer for models, by their makers' documentation; buckets and functions of the same makers have others.
_SERVICE = pattern(
    r"""^['"]https://(?:api\.(?:openai\.com|anthropic\.com|mistral\.ai|cohere\.(?:ai|com)|groq\.com|together\.(?:ai|xyz)|deepseek\.com|stability\.ai|elevenlabs\.io|moonshot\.cn|x\.ai|"""
    r"""perplexity\.ai|fireworks\.ai|deepl\.com|replicate\.com|minimax\.chat)|generativelanguage\.googleapis\.com|openrouter\.ai|(?:router|api-inference)\.huggingface\.co|"""
    r"""dashscope\.aliyuncs\.com|open\.bigmodel\.cn)/""",
    re.ASCII,
)
_GETS = frozenset({"get", "urlopen", "stream", "head"})
#: What brings files from elsewhere.
_FETCHING = frozenset({
    "huggingface_hub", "modelscope", "gdown", "wget", "kagglehub", "requests", "urllib", "httpx", "aiohttp", "boto3", "socket", "pooch",
})  # fmt: skip
#: A file that is not in the model's folder, or that somebody may run.
_NOT_ITS_OWN = pattern(r"""^['"](?:/|~|\$|\.\.|[A-Za-z]:)|\.(?:py|pyc|pth|sh|bat|ps1|so|dll|exe|desktop)\b""", re.ASCII)


def why_loud(ctx: Context) -> Mapping[str, str]:
    """For each place with Python source what keeps it from being quiet, in a few words; empty text where it is quiet."""
    return ctx.inventory.once(_why_loud)


def told_of_calls(ctx: Context) -> Mapping[str, str]:
    """For each place what a function of it does when somebody calls it, where no more than that is asked of a quiet source."""
    return ctx.inventory.once(_told_of_calls)


def _told_of_calls(inventory: Inventory) -> dict[str, str]:
    found: dict[str, str] = {}
    for program, use, _ in inventory.once(uses):
        if use.when == "call" and use.capability in _FOR_PEOPLE - _WHEN_CALLED:
            what = f"line {use.line} {_DOES[use.capability]} when somebody calls it ({shorten(use.name, 60)})"
            found.setdefault(program.location.place, what)
    return found


def first_loud(ctx: Context) -> str:
    """The first source that is not quiet, with the reason; empty text where all of them are."""
    return ctx.inventory.once(_first_loud)


def _first_loud(inventory: Inventory) -> str:
    by_name = inventory.once(started)  # nothing that a loader takes leads there
    loud = inventory.once(_why_loud)
    return next((f"in {place}, {why}" for place, why in loud.items() if why and place not in by_name), "")


def _why_loud(inventory: Inventory) -> dict[str, str]:
    found: dict[str, str] = {}
    by_name = inventory.once(started)
    untaken = not inventory.once(is_taken)
    here: set[str] = set()
    roots: set[str] = set()
    for program in inventory.once(sources):
        place = program.location.place
        parts = place.replace("!", "/").split("/")
        here.update([*parts[:-1], parts[-1].rpartition(".")[0]])
        roots.add(parts[0] if len(parts) > 1 else parts[0].rpartition(".")[0])
        found.setdefault(place, "")
    for program, use, _ in inventory.once(uses):
        place = program.location.place
        if not found[place]:
            found[place] = _of_use(use, program, _FOR_PEOPLE if untaken or place in by_name else _WHEN_CALLED)
    for program in inventory.once(sources):
        place = program.location.place
        if not found[place]:
            found[place] = _of_source(program, here, roots, for_people=untaken or place in by_name)
    return found


def _is_of_the_model(use: PythonUse, program: PythonSource) -> bool:
    """A model that is built loads its weights and keeps its own folder in order; what was fetched is nobody's weights."""
    if use.capability == "load":
        return use.name in OF_WEIGHTS and _FETCHING.isdisjoint(program.imports)
    return use.capability == "file" and not use.name.endswith("chmod") and not _NOT_ITS_OWN.search(use.detail)


def _of_use(use: PythonUse, program: PythonSource, when_called: Collection[str]) -> str:
    if use.detail == CHOSEN and use.when != "call":
        return f"line {use.line} imports a module {CHOSEN} ({shorten(use.name, 60)})"
    if use.capability in (when_called if use.when == "call" else _ALWAYS):
        return ""
    if use.when == RUN or (use.capability == "show" and use.when != "import"):
        return ""
    if use.when in ("construction", "inference") and _is_of_the_model(use, program):
        return ""
    if use.capability == "trust" and is_users_choice(use.detail) and not OF_A_LOADER.search(program.location.place):
        return ""
    if use.capability == "network" and use.when == "inference" and _asks_a_model(use, program):
        return ""
    if use.capability == "network" and use.detail == CALLERS and use.name.rpartition(".")[2] in _GETS:
        return ""
    # a function for people to call: what it does is what they ask for
    return f"line {use.line} {_DOES.get(use.capability, 'does something of note')} ({shorten(use.name, 60)})"


def _asks_a_model(use: PythonUse, program: PythonSource) -> bool:
    """A node or a script that hands its text to a service of models; the code of a model itself has no other to ask."""
    return _SERVICE.match(use.detail) is not None and OF_A_LOADER.search(program.location.place) is None


def _of_this_package(program: PythonSource, roots: set[str]) -> set[str]:
    """The name under which what lies here is installed: ``import x.layers`` where ``layers`` lies at the top."""
    named = (module.split(".") for module in program.modules)
    return {parts[0] for parts in named if len(parts) > 1 and parts[1] in roots}


def _of_source(program: PythonSource, here: set[str], roots: set[str], *, for_people: bool) -> str:
    if program.error:
        return "it could not be read to its end"
    if for_people or OF_A_LOADER.search(program.location.place) is None:
        return ""  # nothing but a loader would take it without that somebody looked what it needs
    ours = {*here, *program.spared, *_of_this_package(program, roots)}
    unknown = [name for name in program.imports if name not in known_packages() and name not in ours]
    return f"it imports {shorten(unknown[0], 60)}, a package that OpenVet does not know" if unknown else ""
