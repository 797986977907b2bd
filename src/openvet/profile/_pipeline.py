"""A pipeline of diffusion as a whole: which class each part is loaded as, what all of them have together, what is not there.

``model_index.json`` names for each folder a library and a class: ``"unet": ["diffusers", "UNet2DConditionModel"]``, and
``[null, null]`` for a part that the pipeline does without.

Reference: ``DiffusionPipeline.from_pretrained`` of diffusers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.text import printable, shorten
from openvet.evidence.predicates.inventory_v1 import Fact
from openvet.evidence.predicates.profile_v1 import Comparison, ModelPart, Problem
from openvet.inventory.component import Component, Inventory
from openvet.profile._say import Facts

__all__ = ["Pipeline", "Role", "find_pipelines", "pipeline_part", "roles"]

_INDEX = "model_index.json"
#: Parts of one pipeline; published ones have ten.
_MOST = 200
#: First words of classes that load the same weights with another library.
_OTHERS = ("Flax", "TF", "Onnx", "ORT", "OV")


@dataclass(frozen=True, slots=True)
class Role:
    """What a pipeline says of one of its parts.

    Attributes:
        library, cls: what it is loaded with.
        location: where that stands.
    """

    library: str
    cls: str
    location: Location

    @property
    def shown(self) -> str:
        return f"{printable(shorten(self.cls, 100))} ({printable(shorten(self.library, 100))})"

    def compare(self, declared: Fact | None) -> Comparison | None:
        """The class that the configuration of the part names against this one."""
        value = declared.value if declared is not None else None
        named = value[0] if isinstance(value, list) and value else value
        if declared is None or not isinstance(named, str) or named == self.cls or self.cls.startswith(_OTHERS):
            return None
        note = f"the pipeline loads it as {self.shown}, and its own configuration names {named}"
        other = Fact("class", self.cls, "declared", (self.location,))
        return Comparison("class", declared, other, agree=False, note=note)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One ``model_index.json`` and the parts that it names, by their folders below the subject."""

    component: Component
    parts: Mapping[str, Role]


def find_pipelines(inventory: Inventory) -> list[Pipeline]:
    """Every pipeline, in order of their places."""
    out = []
    for component in inventory.walk():
        document = component.document
        if not isinstance(document, dict) or component.basename.lower() != _INDEX or "_class_name" not in document:
            continue
        folder = component.place[: -len(_INDEX)]
        parts = {}
        for name, value in list(document.items())[:_MOST]:
            if isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value):
                where = Location(component.place, pointer=f"/{printable(shorten(name, 100))}")
                parts[f"{folder}{name}"] = Role(value[0], value[1], where)
        out.append(Pipeline(component, parts))
    return out


def roles(inventory: Inventory) -> dict[str, Role]:
    """Folder -> what its pipeline says of it; to be asked for with :meth:`Inventory.once`."""
    return {name: role for each in inventory.once(find_pipelines) for name, role in each.parts.items()}


def pipeline_part(inventory: Inventory, pipeline: Pipeline, models: Sequence[ModelPart]) -> ModelPart:
    """The pipeline as a model of its own.

    Args:
        models: the profiles of everything in the subject.
    """
    component = pipeline.component
    folder = component.place[: -len(_INDEX)]
    facts = Facts()
    facts.declared("family", component.document.get("_class_name"), component, "/_class_name")
    facts.add("kind", "pipeline", "derived", [Location(component.place, pointer="/_class_name")])
    named = {name[len(folder) :]: role.shown for name, role in pipeline.parts.items()}
    facts.declared("parts", named, component, "")
    scheduler = pipeline.parts.get(f"{folder}scheduler")
    if scheduler is not None:
        facts.add("scheduler", scheduler.cls, "declared", [scheduler.location])
    mine = [each for each in models if each.name in pipeline.parts]
    _totals(facts, mine)
    missing = [f"the parameters of {each.name} are not known" for each in mine if each.count("parameters") is None]
    return ModelPart(
        component.place, facts.in_order(), problems=tuple(_absent(inventory, pipeline)), missing=tuple(missing)
    )


def _absent(inventory: Inventory, pipeline: Pipeline) -> Iterator[Problem]:
    there = set()
    for component in inventory.walk():
        folder = component.place.rpartition("/")[0]
        while folder and folder not in there:
            there.add(folder)
            folder = folder.rpartition("/")[0]
    for name, role in pipeline.parts.items():
        # a class of a module beside the index is code, and may need no folder
        if name not in there:
            text = f"the pipeline names the part {printable(shorten(name, 100))}, {role.shown}, and there is none"
            yield Problem(text, role.location)


def _totals(facts: Facts, models: Sequence[ModelPart]) -> None:
    """What all parts have together: parameters, bytes, types."""
    counted = [(each, each.fact("parameters")) for each in models]
    known = [(each, fact) for each, fact in counted if fact is not None]
    if known:
        total = sum(each.count("parameters") or 0 for each, _ in known)
        basis = "derived" if all(fact.basis == "derived" for _, fact in known) else "declared"
        facts.add("parameters", total, basis, [place for _, fact in known for place in fact.sources])
    sized = [(each.count("weight bytes"), each.fact("weight bytes")) for each in models]
    sources = [place for _, fact in sized if fact is not None for place in fact.sources]
    facts.add("weight bytes", sum(size or 0 for size, _ in sized) or None, "derived", sources)
    dtypes: dict[str, dict[str, int]] = {}
    for each in models:
        fact = each.fact("dtypes")
        if fact is None or not isinstance(fact.value, Mapping):
            continue
        for dtype, counts in fact.value.items():
            held = dtypes.setdefault(dtype, dict.fromkeys(counts, 0))
            for key, value in counts.items():
                held[key] = held.get(key, 0) + int(value)
    facts.add("dtypes", dtypes, "derived", sources)
