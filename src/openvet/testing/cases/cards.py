"""Documents about models and data sets: a harmless model with an imperfect card stays admitted, and front matter that is an attack does not."""

from __future__ import annotations

from openvet.testing.case import Case
from openvet.testing.forge_cards import CARDS, card

__all__ = ["CASES"]

_BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))]
)

CASES: tuple[Case, ...] = (
    *(
        Case(
            id=f"card/{name}",
            technique=each.technique,
            forge=each.data,
            decision="admit",
            formats=("markdown",) if "README.md" in each.files else ("json",),
        )
        for name, each in CARDS.items()
    ),
    Case(
        id="card/alias-bomb",
        technique="front matter in which aliases multiply",
        forge=lambda: {"README.md": card(_BOMB).encode()},
        decision="reject",
        rules=frozenset({"yaml/alias-bomb"}),
        formats=("markdown",),
    ),
    Case(
        id="card/object-in-front-matter",
        technique="front matter that asks a loader to run a command",
        forge=lambda: {"README.md": card('license: !!python/object/apply:os.system ["echo forged"]').encode()},
        decision="reject",
        rules=frozenset({"yaml/object-tag"}),
        formats=("markdown",),
    ),
    Case(
        id="card/object-in-citation",
        technique="a citation file that asks a loader to run a command",
        forge=lambda: {"CITATION.cff": b'title: !!python/object/apply:os.system ["echo forged"]\n'},
        decision="reject",
        rules=frozenset({"yaml/object-tag"}),
        formats=("citation",),
    ),
)
