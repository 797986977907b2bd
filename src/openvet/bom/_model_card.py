"""The model card of CycloneDX, and the properties beside it, from what is said about a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from openvet.bom._made_of import NOTED
from openvet.bom._table import table
from openvet.bom.bill import Bill, Said

__all__ = ["CardWriter", "in_short"]

_MODALITIES: Final = frozenset({"text", "code", "image", "video", "audio", "sensor", "biometric", "genomic"})
_APPROACHES: Final = ("supervised", "unsupervised", "reinforcement-learning", "semi-supervised", "self-supervised")
_ENERGY: Final = {"fine-tuning": "fine-tuning", "pre-training": "training", "training": "training"}
_OURS: Final = ("parameters", "active parameters", "embedding parameters", "dtypes", "weight bytes", "bits per weight", "weights format",
                "kind", "declared dtype", "library", "relation", *NOTED.values(), "released", "tags", "hardware", "name")  # fmt: skip


def in_short(count: int) -> str:
    """A number of parameters with the letter that the taxonomy asks for: ``7B``, ``106.8M``; below a million as it is."""
    for letter, unit in (("T", 10**12), ("B", 10**9), ("M", 10**6)):
        if count >= unit:
            return f"{count / unit:.4g}{letter}"
    return str(count)


class CardWriter:
    """Writes the cards of one document; ``cite`` is told which field comes from which statement."""

    def __init__(self, bill: Bill, cite: Callable[[str, Said | None], None]) -> None:
        self._bill = bill
        self._cite = cite

    def model_card(self, at: str, said: Mapping[str, Said]) -> dict[str, Any]:
        """The card of the whole model."""
        out: dict[str, Any] = {
            "bom-ref": "model:card",
            "modelParameters": self._parameters(f"{at}/modelParameters", said),
        }
        trained = [each for each in self._bill.relations if each.kind == "trained-on" and each.one == "model"]
        if trained:
            out["modelParameters"]["datasets"] = [{"ref": each.other} for each in trained]
            for number, each in enumerate(trained):
                self._cite(f"{at}/modelParameters/datasets/{number}", each.said)
        metrics: list[dict[str, str]] = []
        for result in self._bill.metrics:
            self._cite(f"{at}/quantitativeAnalysis/performanceMetrics/{len(metrics)}", result)
            metrics.append(_metric(result.value))
        if metrics:
            out["quantitativeAnalysis"] = {"performanceMetrics": metrics}
        considerations = self._considerations(f"{at}/considerations", said)
        if considerations:
            out["considerations"] = considerations
        properties = self._hyperparameters(f"{at}/properties", said)
        if properties:
            out["properties"] = properties
        return {key: value for key, value in out.items() if value}

    def part_card(self, at: str, said: Mapping[str, Said]) -> dict[str, Any]:
        """The card of one of several models: what the profile says of it."""
        out = {
            "modelParameters": self._parameters(f"{at}/modelParameters", said),
            "properties": self._hyperparameters(f"{at}/properties", said),
        }
        return {key: value for key, value in out.items() if value}

    def _parameters(self, at: str, said: Mapping[str, Said]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        tags = said["tags"].value if "tags" in said and isinstance(said["tags"].value, list) else []
        approach = next((each for each in _APPROACHES if each in tags), None)
        if approach:
            out["approach"] = {"type": approach}
            self._cite(f"{at}/approach/type", said["tags"])
        for name, key in (("task", "task"), ("family", "architectureFamily"), ("class", "modelArchitecture")):
            if name in said and said[name].text:
                out[key] = said[name].text
                self._cite(f"{at}/{key}", said[name])
        if "modelArchitecture" not in out and "kind" in said:
            out["modelArchitecture"] = said["kind"].text
            self._cite(f"{at}/modelArchitecture", said["kind"])
        for name, key in (("input", "inputs"), ("output", "outputs")):
            if name in said and isinstance(said[name].value, list):
                out[key] = [{"format": str(each)} for each in said[name].value]
                self._cite(f"{at}/{key}", said[name])
        return out

    def _considerations(self, at: str, said: Mapping[str, Said]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        if "use" in said:
            out["useCases"] = [said["use"].text]
            self._cite(f"{at}/useCases/0", said["use"])
        if "limitation" in said:
            out["technicalLimitations"] = [said["limitation"].text]
            self._cite(f"{at}/technicalLimitations/0", said["limitation"])
        if "risks" in said:
            risk = {"name": said["risks"].text}
            self._cite(f"{at}/ethicalConsiderations/0/name", said["risks"])
            if "mitigation" in said:
                risk["mitigationStrategy"] = said["mitigation"].text
                self._cite(f"{at}/ethicalConsiderations/0/mitigationStrategy", said["mitigation"])
            out["ethicalConsiderations"] = [risk]
        impact = self._impact(f"{at}/environmentalConsiderations", said)
        if impact:
            out["environmentalConsiderations"] = impact
        return out

    def _impact(self, at: str, said: Mapping[str, Said]) -> dict[str, Any]:
        """Energy as the schema wants it only where the card gives kilowatt-hours; grams of CO2 alone are a property."""
        out: dict[str, Any] = {"properties": []}
        emitted = said.get("co2")
        value = emitted.value if emitted is not None else None
        values = value if isinstance(value, Mapping) else {"emissions": value} if value is not None else {}
        energy, grams = (
            _number(said["energyQuantity"].value) if "energyQuantity" in said else None,
            _number(values.get("emissions")),
        )
        if energy is not None:
            told: dict[str, Any] = {
                "activity": _ENERGY.get(str(values.get("training_type")), "other"),
                "energyProviders": [],
                "activityEnergyCost": {"value": energy, "unit": "kWh"},
            }
            if grams is not None:
                told["co2CostEquivalent"] = {"value": grams / 1e6, "unit": "tCO2eq"}
            out["energyConsumptions"] = [told]
            self._cite(f"{at}/energyConsumptions/0", said["energyQuantity"])
        for key, each in values.items():
            if isinstance(each, str | int | float) and not isinstance(each, bool):
                self._cite(f"{at}/properties/{len(out['properties'])}", emitted)
                out["properties"].append({"name": f"openvet:co2_eq_emissions:{key}", "value": str(each)})
        if "environment" in said:
            self._cite(f"{at}/properties/{len(out['properties'])}", said["environment"])
            out["properties"].append({"name": "openvet:environment", "value": said["environment"].text})
        return {key: each for key, each in out.items() if each}

    def _hyperparameters(self, at: str, said: Mapping[str, Said]) -> list[dict[str, str]]:
        out: list[dict[str, str]] = []

        def add(name: str, value: str, source: Said) -> None:
            self._cite(f"{at}/{len(out)}", source)
            out.append({"name": name, "value": value})

        known = table()
        for name, key in known["hyperparameters"].items():
            if name in said:
                add(f"cdx:ai-ml:model:hyperparameter:{key}", said[name].text, said[name])
        if "quantization" not in said and "declared dtype" in said:
            add("cdx:ai-ml:model:hyperparameter:quantization", said["declared dtype"].text, said["declared dtype"])
        for name, key in known["owasp"].items():
            if name in said:
                add(f"genai:aibom:modelcard:{key}", said[name].text, said[name])
        told = [f"{key}={said[name].text}" for name, key in known["hyperparameters"].items() if name in said]
        if told:
            sources = tuple(
                dict.fromkeys(
                    where for name in known["hyperparameters"] if name in said for where in said[name].sources
                )
            )
            add("genai:aibom:modelcard:hyperparameter", "; ".join(told), Said(None, "derived", sources))
        for word, value, source in (*_learned(said), *_languages(said), *_modalities(said)):
            add(f"cdx:ai-ml:model:{word}", value, source)
        return out

    def properties(self, at: str, said: Mapping[str, Said], start: int) -> list[dict[str, str]]:
        """Properties of the model's component: what SPDX's AI profile has a field for and CycloneDX has not, and what is ours."""
        out: list[dict[str, str]] = []

        def add(name: str, value: str, source: Said | None) -> None:
            self._cite(f"{at}/{start + len(out)}", source)
            out.append({"name": name, "value": value})

        for name in table()["says"]:
            if name in said and said[name].text:
                add(f"spdx:{name}", said[name].text, said[name])
        if "energyQuantity" in said:
            add("spdx:energyUnit", "kilowattHour", said["energyQuantity"])
        if "use" in said:
            add("spdx:intendedUse", said["use"].text, said["use"])
        if "supplier" in said:
            add("spdx:suppliedBy", said["supplier"].text, said["supplier"])
        if self._bill.metrics:
            first = self._bill.metrics[0]
            add("spdx:metric", "; ".join(_in_words(each.value) for each in self._bill.metrics[:50]), first)
        kind = said.get("kind") or said.get("weights format")
        if kind is not None:
            add("spdx:primaryPurpose", "model", kind)
        for name in _OURS:
            if name in said and said[name].text:
                add(f"openvet:{name}", said[name].text, said[name])
        return out


def _learned(said: Mapping[str, Said]) -> Iterator[tuple[str, str, Said]]:
    if "parameters" in said and str(said["parameters"].value).isdigit():
        yield "parameter:count", in_short(int(said["parameters"].value)), said["parameters"]
    if "relation" in said and said["relation"].text == "adapter":
        yield "parameter:tune_method", "adapter", said["relation"]


def _languages(said: Mapping[str, Said]) -> Iterator[tuple[str, str, Said]]:
    """Those with a code of two letters, which is what the taxonomy takes."""
    value = said["language"].value if "language" in said else []
    codes = [
        each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str) and len(each) == 2
    ]
    if codes:
        yield "language", ",".join(codes), said["language"]


def _modalities(said: Mapping[str, Said]) -> Iterator[tuple[str, str, Said]]:
    seen = set()
    for name in ("input", "output"):
        for each in said[name].value if name in said and isinstance(said[name].value, list) else ():
            if str(each) not in seen:
                seen.add(str(each))
                yield "modality", str(each) if str(each) in _MODALITIES else f"_undefined:{each}", said[name]


def _metric(value: Any) -> dict[str, str]:
    name = value.get("metric") or value.get("task") or "value"
    out = {"type": str(name), "value": str(value["value"])}
    data = value.get("dataset")
    if isinstance(data, str):
        out["slice"] = data
    return out


def _in_words(value: Any) -> str:
    return f"{value.get('metric') or value.get('task') or 'value'} {value['value']} on {value.get('dataset', 'unnamed data')}"


def _number(value: Any) -> float | None:
    """A number that is one and may be an amount; text that holds nothing else counts."""
    try:
        found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None
    return found if found is not None and 0 <= found < 1e18 else None
