"""Everything that can be stated about a run: the key, its unit, what it means. ``openvet claims --keys`` prints this table.

The unit is part of the name wherever the number alone could be taken for another: hours of one chip, grams for a kilowatt hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openvet.core.dataclass import dataclass

__all__ = ["KEYS", "SECTIONS", "Key", "published_keys"]


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that can be stated.

    Attributes:
        name: ``section.key``.
        kind: ``number`` (above zero), ``count`` (a whole one), ``share`` (above 0, at most 1), ``factor`` (at least 1), ``word``.
        unit: of the number; '' for a word.
        text: what it means, for a person.
        words: of a word, those that it may be; none: any.
        option: whether the command has an option of its own for it.
    """

    name: str
    kind: str
    unit: str
    text: str
    words: tuple[str, ...] = ()
    option: bool = False

    @property
    def section(self) -> str:
        return self.name.partition(".")[0]

    @property
    def leaf(self) -> str:
        return self.name.partition(".")[2]


_ALL: Final = (
    Key("model.parameters", "number", "parameter", "those that work on each token: of a mixture-of-experts the active ones; without the lookup of embeddings", option=True),
    Key("model.total_parameters", "number", "parameter", "all of them; where parameters are not stated, the model is taken to be dense"),
    Key("model.embedding_parameters", "number", "parameter", "embeddings that are only looked up; taken off total_parameters where parameters are not stated"),
    Key("model.layers", "count", "layer", "layers with attention"),
    Key("model.attention_width", "count", "element", "heads times head size; of latent attention (MLA): heads times half of query-key size plus value size"),
    Key("model.context", "count", "token", "length of one sequence"),
    Key("model.kv_heads", "count", "head", "heads of keys and values"),
    Key("model.head_size", "count", "element", "size of one head"),
    Key("model.kv_rank", "count", "element", "of latent attention: rank of the compressed keys and values"),
    Key("model.rope_size", "count", "element", "of latent attention: size of the part with positions"),
    Key("model.cache_bytes", "number", "byte", "for one element of the cache; 2 where it is not stated"),
    Key("model.batch", "count", "sequence", "sequences that are served at once"),
    Key("training.tokens", "number", "token", "that the training data has; with epochs 1 those that were seen", option=True),
    Key("training.epochs", "number", "epoch", "how often each token was seen; 1 where it is not stated"),
    Key("training.passes", "word", "", "all: forward, and back to weights and activations; frozen-base: adapters on a base that stays", ("all", "frozen-base")),
    Key("training.attention", "word", "", "what the authors count of attention's scores", ("causal", "full", "not-counted")),
    Key("training.rematerialisation", "word", "", "whether the authors count activations that are computed again", ("none", "counted")),
    Key("training.chip", "word", "", "what it ran on; `openvet claims --chips` lists those that are known", option=True),
    Key("training.dtype", "word", "", "whose peak counts; bf16 where it is not stated, or fp16 where a chip has no bf16"),
    Key("training.peak_flop_per_second", "number", "FLOP/s", "dense peak of one chip, in place of the table's"),
    Key("training.chip_hours", "number", "chip-hour", "of the run that saw the tokens", option=True),
    Key("training.all_chip_hours", "number", "chip-hour", "of all that energy, carbon and cost are about, where that is more"),
    Key("training.utilisation", "share", "", "model FLOP utilisation as stated for the run", option=True),
    Key("training.flop_per_second", "number", "FLOP/s", "measured for one chip"),
    Key("training.chip_watts", "number", "W", "of one chip; else the table's thermal design power"),
    Key("training.load", "share", "", "mean power through chip_watts"),
    Key("training.pue", "factor", "", "power usage effectiveness of the data centre", option=True),
    Key("training.grams_per_kwh", "number", "gCO2e/kWh", "carbon intensity of the electricity", option=True),
    Key("training.carbon_basis", "word", "", "of the carbon intensity: of the grid there, or of what was bought", ("location", "market")),
    Key("training.usd_per_chip_hour", "number", "USD/chip-hour", "what an hour of one chip is taken to cost", option=True),
    Key("serving.nodes", "number", "node", "mean number of nodes that serve"),
    Key("serving.chips_per_node", "number", "chip", "chips of one node"),
    Key("serving.hours", "number", "h", "how long it is looked at"),
    Key("serving.usd_per_chip_hour", "number", "USD/chip-hour", "what an hour of one chip is taken to cost"),
    Key("published.training_flop", "number", "FLOP", "training compute"),
    Key("published.mfu", "share", "", "model FLOP utilisation"),
    Key("published.energy_mwh", "number", "MWh", "energy of the training"),
    Key("published.co2e_tonnes", "number", "tCO2e", "emissions of the training"),
    Key("published.cost_usd", "number", "USD", "cost of the training"),
    Key("published.training_flop_per_token", "number", "FLOP", "to train on one token, with attention"),
    Key("published.decode_flop_per_token", "number", "FLOP", "to generate the last token of the context"),
    Key("published.kv_bytes_per_token", "number", "byte", "that the cache holds for one token"),
    Key("published.serving_cost_usd", "number", "USD", "cost of serving"),
    Key("published.serving_income_usd", "number", "USD", "what the tokens would bring at list prices"),
)  # fmt: skip

KEYS: Final[Mapping[str, Key]] = {each.name: each for each in _ALL}
SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    section: tuple(each.leaf for each in _ALL if each.section == section)
    for section in ("model", "training", "serving", "published")
}


def published_keys() -> tuple[Key, ...]:
    """The figures that can be held against what follows from the rest."""
    return tuple(each for each in _ALL if each.section == "published")
