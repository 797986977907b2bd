"""Operations of a training run, and the share of the chips' peak that they are.

For each token a forward pass takes two operations for each parameter, and the way back twice as many: 6·N·D. Adapters on a base that
stays need no gradients of its weights: about 4·N·D. Attention's scores come on top: ``2·L·d·s`` forward for a causal mask that is made
use of, twice that for one that is not. Activations that are computed again are another forward pass, which some authors count
(hardware FLOP) and others do not (model FLOP).

Sources: Kaplan et al., arXiv 2001.08361, section 2.1; Chowdhery et al. (PaLM), arXiv 2204.02311, appendix B; guidelines of the European
Commission on general-purpose AI models (2025), annex: ``6·P·D``, or units x seconds x peak x utilisation.
"""

from __future__ import annotations

from openvet.profile.claims.sheet import FLOP_ROOM, PRODUCT_ROOM, Sheet
from openvet.profile.claims.span import Span, point

__all__ = ["OVER_HOURS", "compute_training"]

#: The utilisation that hours and operations give, where ``mfu`` is of a measured speed.
OVER_HOURS = "mfu_over_hours"
_SECONDS = 3600


def compute_training(sheet: Sheet) -> None:
    """Compute, utilisation, and operations for one token."""
    model_flop = _flop(sheet)
    peak = _peak(sheet)
    _by_hardware(sheet, peak)
    _utilisation(sheet, model_flop, peak)
    _per_token(sheet)


def _passes(sheet: Sheet) -> int:
    """How often each parameter is worked with for a token, two operations each: forward, and the ways back."""
    return 2 if sheet.word("training.passes") == "frozen-base" else 3


def _attention(sheet: Sheet, *, full: bool) -> Span | None:
    """Operations of attention's scores for one token, forward: the mean over a sequence."""
    layers, width, context = (sheet.get(f"model.{name}") for name in ("layers", "attention_width", "context"))
    if layers is None or width is None or context is None:
        return None
    return point(4 if full else 2) * layers * width * context


def _flop(sheet: Sheet) -> Span | None:
    """Puts down ``training_flop``; gives the same without activations computed again, or ``None``."""
    parameters, tokens = sheet.parameters(), sheet.get("training.tokens")
    if not sheet.needs("training_flop", model__parameters=parameters, training__tokens=tokens):
        return None
    if parameters is None or tokens is None:
        raise AssertionError("needs says that they are there")
    epochs = sheet.get("training.epochs")
    seen = tokens if epochs is None else tokens * epochs
    forward, passes = point(2) * parameters * seen, point(_passes(sheet))
    base = passes * forward
    # one forward pass with attention's scores, as expected and at most
    expected, possible = (forward if each is None else forward.plus(each * seen) for each in _counted_attention(sheet))
    model_flop = base.up_to(passes * expected, passes * possible)
    again = sheet.word("training.rematerialisation")
    if not again:
        sheet.assume(
            "training.rematerialisation is not stated: authors may count another forward pass, which is possible and not expected"
        )
    high = passes * expected if again != "counted" else passes * expected.plus(expected / passes)
    most = passes * possible if again == "none" else passes * possible.plus(possible / passes)
    numbers = (parameters, tokens) if epochs is None else (parameters, tokens, epochs)
    sheet.put("training_flop", "FLOP", base.up_to(high, most), _work(sheet), *numbers, room=FLOP_ROOM)
    return model_flop


def _work(sheet: Sheet) -> str:
    epochs = "" if sheet.get("training.epochs") is None else " x epochs"
    return f"{2 * _passes(sheet)} x parameters x tokens{epochs}"


def _counted_attention(sheet: Sheet) -> tuple[Span | None, Span | None]:
    """Operations of attention's scores for one token, forward, as expected and at most; ``None`` where they are not counted or known."""
    counted = sheet.word("training.attention")
    if counted == "not-counted":
        return None, None
    causal, full = _attention(sheet, full=False), _attention(sheet, full=True)
    if causal is None:
        sheet.assume(
            "layers, attention_width and context are not all stated: operations of attention's scores are within the room of the estimate"
        )
    return full if counted == "full" else causal, causal if counted == "causal" else full


def _peak(sheet: Sheet) -> Span | None:
    stated = sheet.get("training.peak_flop_per_second")
    if stated is not None:
        return stated
    chip = sheet.inputs.chip
    if chip is None:
        return None
    dtype = sheet.word("training.dtype")
    if not dtype:
        dtype = next((each for each in ("bf16", "fp16") if each in chip.peak), next(iter(chip.peak)))
        sheet.assume(f"training.dtype is not stated: the dense peak of {dtype} is taken")
    sheet.of_chip[f"chip.peak.{dtype}", "FLOP/s"] = chip.peak[dtype]
    return point(chip.peak[dtype])


def _by_hardware(sheet: Sheet, peak: Span | None) -> None:
    hours, share = sheet.get("training.chip_hours"), sheet.get("training.utilisation")
    if hours is None or share is None or peak is None:
        return
    work = hours * point(_SECONDS) * peak * share
    quantity = "training_flop_by_hardware" if "training_flop" in sheet.results else "training_flop"
    sheet.missing.pop(quantity, None)
    formula = "chip_hours x 3600 x peak x utilisation"
    sheet.put(quantity, "FLOP", work, formula, hours, peak, share, room=FLOP_ROOM)


def _utilisation(sheet: Sheet, model_flop: Span | None, peak: Span | None) -> None:
    hours, speed = sheet.get("training.chip_hours"), sheet.get("training.flop_per_second")
    if speed is not None and sheet.needs("mfu", training__chip=peak) and peak is not None:
        sheet.put("mfu", "", speed / peak, "flop_per_second / peak", speed, peak, room=PRODUCT_ROOM)
    work, of = model_flop, _work(sheet)
    if work is None:
        work, of = sheet.get("published.training_flop"), "the published FLOP"
    if work is None or hours is None or peak is None:
        if speed is None:
            sheet.needs("mfu", training__chip_hours=hours, training__chip=peak, training__tokens=work)
        return
    quantity = "mfu" if speed is None else OVER_HOURS
    formula = f"{of} / (chip_hours x 3600 x peak)"
    sheet.put(quantity, "", work / (hours * point(_SECONDS) * peak), formula, work, hours, peak, room=FLOP_ROOM)


def _per_token(sheet: Sheet) -> None:
    parameters = sheet.parameters()
    scores = _attention(sheet, full=sheet.word("training.attention") == "full")
    if not sheet.needs(
        "training_flop_per_token",
        model__parameters=parameters,
        model__layers=sheet.get("model.layers"),
        model__attention_width=sheet.get("model.attention_width"),
        model__context=sheet.get("model.context"),
    ):
        return
    if parameters is None or scores is None:
        raise AssertionError("needs says that they are there")
    passes = _passes(sheet)
    each = passes * (4 if sheet.word("training.attention") == "full" else 2)
    work = point(passes) * (point(2) * parameters).plus(scores)
    formula = f"{2 * passes} x parameters + {each} x layers x attention_width x context"
    sheet.put(
        "training_flop_per_token",
        "FLOP",
        work,
        formula,
        point(2 * passes) * parameters,
        point(passes) * scores,
        room=FLOP_ROOM,
    )
