"""What a model is and needs: its profile, and its parts held against some devices, with drawings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from openvet.evidence.predicates.profile_v1 import ProfileV1
from openvet.profile.fit import Fit
from openvet.reports._text import plural, short, visible
from openvet.reports.fit import BOUNDS, gib
from openvet.reports.fit_page import of_model, on_device, overview
from openvet.reports.markup import Html, details, tag
from openvet.reports.page.roofline import roofline
from openvet.reports.page.sheet import Sheet, Spot

__all__ = ["needs"]

#: Parts that are shown; a pipeline has a handful, and a folder of checkpoints may have thousands.
_PARTS: Final = 8


def needs(sheet: Sheet, spot: Spot) -> Iterator[Html | None]:
    """Memory and speed, part by part."""
    profile = sheet.report.answers.get("profile")
    yield spot.head("What it needs", anchor="needs")
    if not isinstance(profile, ProfileV1):
        yield tag("p", "No profile was made.", class_="soft")
        return
    if not profile.parts:
        yield tag("p", "There is no model in it: neither a configuration nor weights that are known.", class_="soft")
        return
    bounds = False
    for at, row in enumerate(sheet.fits[:_PARTS]):
        name, part, fits, _ = row
        if part.name and (len(profile.parts) > 1 or part.name != name):
            yield spot.head(short(part.name), 2)
        yield from of_model(row)
        for each in part.comparisons:
            if not each.agree:
                yield tag("p", f"differs: {visible(each.what)}: {short(each.note)}", class_="open")
        if fits:
            bounds = True
            yield overview(fits)
            yield _drawn(spot.id(f"p{at}"), fits)
    left = len(sheet.fits) - _PARTS + profile.left_off
    if left > 0:
        yield tag("p", f"and {plural(left, 'more model')} that are not shown", class_="soft left-out")
    if bounds:
        yield tag("p", BOUNDS, class_="soft small")


def _drawn(id_: str, fits: Sequence[Fit]) -> Html:
    """The curves of one device: the smallest in which it has room, else the largest."""
    roomy = [each for each in fits if each.fits != "no"] or fits
    fit = min(roomy, key=lambda each: each.available_bytes) if roomy is not fits else max(fits, key=lambda each: each.available_bytes)  # fmt: skip
    title = f"In full on {visible(fit.device.name)}, {gib(fit.device.memory)}"
    return details(title, roofline(f"{id_}-roof", fit), *on_device(id_, fit), open=True)
