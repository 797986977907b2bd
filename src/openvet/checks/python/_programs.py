"""Which sources of a repository only a person starts, by their names: nothing here imports them, or names them to a loader.

That such a script starts processes, uses the network, writes files or loads a checkpoint is what scripts do; it happens when its user
asks for it, not when a model is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from openvet.checks.python._known_packages import known_packages
from openvet.core.pattern import pattern
from openvet.formats._addresses import BARE, KNOWN, SERVICES
from openvet.formats._python_told import BESIDE
from openvet.formats.python import PythonSource, PythonUse
from openvet.inventory.component import Inventory
from openvet.publishers.known import known

__all__ = ["OF_WEIGHTS", "RUN", "as_program", "is_users_choice", "named_by_settings", "programs"]

#: The moment at which an ordinary thing happens in a script: when it is started by its name.
RUN = "run"
_MOST_VALUES = 200_000
#: A text that names a source: itself, a class or function of it, or that of a repository (``owner/name--file.Class``).
_NAMES = pattern(r"(?:[\w./-]{1,200}(?:--|/|\.))?(\w{1,100})(?:\.py|\.[A-Za-z_]\w{0,100}|:[A-Za-z_]\w{0,100})")
_BARE = pattern(r"\w{1,100}")
#: Settings of tools whose commands a person starts; that they name a script is no more than that.
_STAGES = frozenset({"dvc.yaml", "dvc.lock"})
#: Keys whose values are the bare names of sources.
_MODULES = frozenset(
    {
        "handler",
        "module",
        "modules",
        "custom_pipeline",
        "_class_name",
        "code",
        "script",
        "entry_point",
        "entrypoint",
        "main",
        "loader_module",
        "plugins",
    }
)
#: Loaders of files of weights, which lie here and are read, or are what the user of the script gave.
OF_WEIGHTS = frozenset({
    "torch.load", "torch.jit.load", "joblib.load", "pickle.load", "numpy.load", "dill.load", "cloudpickle.load", "pandas.read_pickle",
    "keras.models.load_model", "tensorflow.keras.models.load_model", "yaml.load",
})  # fmt: skip
#: Clients of HTTP and of hubs, which are asked for an address: sockets, mail and the like are told as ever.
_CLIENTS = frozenset({
    "requests", "urllib", "urllib3", "httpx", "aiohttp", "http", "huggingface_hub", "modelscope", "gdown", "wget", "kagglehub", "torch", "pooch", "boto3",
    "websockets", "datasets", "nltk",
})  # fmt: skip
_FETCHES = pattern(
    r"(?:^|\.)(?:get|head|urlretrieve|urlopen|download|download_url|download_url_to_file|hf_hub_download|snapshot_download|load_state_dict_from_url|stream|Request)$"
)
_PLACE = pattern(r"^['\"](?P<place>[^'\"]*)['\"]")
_PROGRAM = pattern(r"\w\.(?:py|pyc|pyd|so|dll|dylib|exe|elf|sh|bat|ps1|whl)(?:['\"?#]|$)")
_OWN_MACHINE = pattern(r"^(?:(?:https?|wss?|tcp)://)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[?::1\]?)(?![\w.-])")
#: What deletes or overwrites something outside of the folder by a constant path.
_NOT_ITS_OWN = pattern(
    r"""^['"](?:/(?!tmp/|workspace/|data/|mnt/|content/|kaggle/|dev/shm)|~|\$|[A-Za-z]:)|\.(?:py|pyc|pth|sh|bat|ps1|so|dll|exe|desktop)['"]"""
)


def programs(inventory: Inventory, read: Iterable[PythonSource]) -> frozenset[str]:
    """The places of the sources among ``read`` that only a person starts."""
    read = list(read)
    started = [each.location.place for each in read if each.started and not each.location.pointer]
    if not started:
        return frozenset()
    named = set(inventory.once(named_by_settings))
    # an empty one beside the weights makes no package of them
    packages = {
        each.place.rpartition("/")[0]
        for each in inventory.walk()
        if each.basename == "__init__.py" and (each.size or "/" in each.place)
    }
    here = {part.removesuffix(".py") for each in read for part in each.location.place.replace("!", "/").split("/")}
    for each in read:
        if any(not module.strip(".") for module in each.modules):  # from . import x
            packages.add(each.location.place.rpartition("/")[0])
        if not each.started:  # what it runs by its text is loaded as it is
            named.update(use.detail.removeprefix(BESIDE) for use in each.uses if use.detail.startswith(BESIDE))
        near = (name.removeprefix("<near>.").lstrip("^.") for _, name in each.handed_on)
        for module in (*each.modules, *near):
            first = module.split(".", 1)[0]
            if first in here or first not in known_packages():
                named.update(module.split("."))
    return frozenset(
        place
        for place in started
        if place.rpartition("/")[0] not in packages and place.rpartition("/")[2].removesuffix(".py") not in named
    )


def named_by_settings(inventory: Inventory) -> set[str]:
    """The names of sources that settings name in a way in which loaders take them, and those that packaging names; ``*`` for too many."""
    found: set[str] = set()
    seen = 0
    for component in inventory.walk():
        for target in component.metadata.get("entry_points", ()):
            found.update(str(target).replace(":", ".").split("."))
        stack: list[tuple[str, Any]] = [("", component.document)] if component.document is not None else []
        if component.basename in _STAGES:
            continue
        while stack:
            key, value = stack.pop()
            seen += 1
            if seen > _MOST_VALUES:
                return found | {"*"}
            if isinstance(value, dict):
                stack.extend(
                    (str(name), child) for name, child in value.items() if isinstance(child, str | dict | list)
                )
            elif isinstance(value, list):
                stack.extend((key, child) for child in value if isinstance(child, str | dict | list))
            elif isinstance(value, str) and len(value) < 300 and key != "program":  # of a sweep, which a person starts
                if (match := _NAMES.fullmatch(value.strip())) is not None:
                    found.add(match[1])
                    found.update(value.strip().replace("/", ".").replace("--", ".").split("."))
                elif key in _MODULES and _BARE.fullmatch(value):
                    found.add(value)
    return found


def as_program(use: PythonUse) -> PythonUse:
    """``use`` of a script that only a person starts: at :data:`RUN`, where it is what scripts do; as it is otherwise."""
    return replace(use, when=RUN) if _is_ordinary(use) else use


def _is_ordinary(use: PythonUse) -> bool:
    """Whether a script may do this without that anybody would wonder."""
    if use.capability in ("process", "fetch", "handed"):
        return use.tool
    if use.capability == "trust":
        return is_users_choice(use.detail)
    if use.capability == "load":
        return use.name in OF_WEIGHTS
    if use.capability == "file":
        return _NOT_ITS_OWN.search(use.detail) is None
    return use.capability == "network" and _asks_ordinarily(use)


def is_users_choice(detail: str) -> bool:
    """Whether the repository whose code may run is what a user names or has, or one of a publisher that people know.

    Args:
        detail: the repository in quotes where a source writes it out, as :class:`PythonUse` has it.
    """
    text = detail.strip("'\"")
    chosen = text != detail and not text.startswith((".", "/", "~")) and (text.count("/") == 1 or "://" in text)
    return not chosen or known().of_account(text.partition("/")[0]) is not None


def _asks_ordinarily(use: PythonUse) -> bool:
    """Whether a script fetches data, or talks to a place that its user gives, that is its own machine, or that everybody uses."""
    if use.name.partition(".")[0] not in _CLIENTS or _PROGRAM.search(use.detail) or BARE.search(use.detail):
        return False
    found = _PLACE.match(use.detail)
    place = found["place"] if found else ""
    if not place or place.startswith(("/", "{")) or _OWN_MACHINE.match(place):
        return True
    if KNOWN.match(place) or (place.startswith("https://") and SERVICES.search(place.split("/", 3)[2])):
        return True
    return place.startswith("https://") and _FETCHES.search(use.name) is not None
