"""What decides here: the policy packs in force, each with its lines, its sources, and whose word it is."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from openvet.hubproxy.web.call import Call, NoPageError

__all__ = ["show", "show_list"]

#: Whose word a pack is.
ORIGINS: Final = {
    "ships": ("Ships with this version", "calm"),
    "signed": ("Signed by somebody this server believes", "good"),
    "unsigned": ("Not signed: whoever can write the file decides", "open"),
}
_LATELY: Final = 10


def show_list(call: Call) -> Response:
    """The packs, and what policy decided last."""
    catalogue = call.desk.catalogue
    found = catalogue.packs(call.who)
    lately = catalogue.decisions(call.who, kinds=["policy"], limit=_LATELY)
    rules = call.desk.requests.rules
    return call.show("policies.html", found=found, origins=ORIGINS, lately=lately, rules=rules)


def show(call: Call) -> Response:
    """One pack."""
    name = str(call.path["name"])
    found = next((each for each in call.desk.catalogue.packs(call.who) if each.pack.id == name), None)
    if found is None:
        raise NoPageError("No pack of that name decides here.")
    return call.show("policy.html", found=found, pack=found.pack, origin=ORIGINS[found.origin])
