"""Which Python sources loaders, servers and other programs take by themselves: by their names, by their classes, and where settings name them."""

from __future__ import annotations

from openvet.checks.python._programs import named_by_settings
from openvet.checks.python._uses import sources, started
from openvet.core.pattern import pattern
from openvet.inventory.component import Inventory

__all__ = ["OF_A_CONFIGURATION", "OF_A_LOADER", "is_taken"]

_CONFIGURED = "modeling|modelling|configuration|tokenization|processing|image_processing|feature_extraction|video_processing|pipeline"
#: Places of sources that a configuration names, as everybody calls them.
OF_A_CONFIGURATION = pattern(rf"(?:^|/)(?:{_CONFIGURED})_\w{{1,100}}\.py$")
#: The same, and those that servers of models look for.
OF_A_LOADER = pattern(rf"(?:^|/)(?:{_CONFIGURED}|handler|model|inference)\w{{0,60}}\.py$")
#: Names without their endings, wherever the sources lie; of other programs as well.
_TAKEN = pattern(
    rf"(?:{_CONFIGURED}|tokenizer|handler|model|hubconf|nodes?|predict|predictor|inference|custom_generate|generate|sitecustomize|usercustomize|conftest)(?:_\w{{1,60}})?|"
    r"\w{1,60}_(?:handler|nodes?|pipeline|model|predictor)"
)
#: Classes by which they take others.
_CLASSES = pattern(
    r"(?:PreTrained|EndpointHandler|TritonPythonModel|Predictor)\w{0,60}|\w{1,60}(?:ForCausalLM|Config|Tokenizer|TokenizerFast|Processor|Pipeline|Handler|Predictor|Plugin)"
)


def is_taken(inventory: Inventory) -> bool:
    """Whether a loader, a server or another program may take a source of this repository by itself."""
    for component in inventory.walk():
        document = component.document
        if isinstance(document, dict) and ("auto_map" in document or "custom_pipelines" in document):
            return True
        if component.metadata.get("entry_points"):
            return True
    named = inventory.once(named_by_settings)
    by_name = inventory.once(started)
    for each in inventory.once(sources):
        place = each.location.place
        stem = place.rpartition("/")[2].removesuffix(".py")
        if _TAKEN.fullmatch(stem) is not None or any(_CLASSES.fullmatch(name) for name in each.classes):
            return True
        if place not in by_name and not named.isdisjoint((stem, "*")):
            return True
    return False
