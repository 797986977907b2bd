"""Where a model's own licence drops or contradicts what its base models ask for. Each drift has the clauses of both sides.

Somebody may have another agreement with the licensor of the base, which no file shows; so a drift is a question to the publisher and
no verdict about anybody. Only steps that hand weights on count, and only licences that are sure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from openvet.core.license_ids import known_license
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.evidence.predicates.lineage_v1 import THIS
from openvet.evidence.predicates.rights_v1 import Cited, Drift, Work
from openvet.licenses.shipping import Held, begins, look
from openvet.licenses.terms import KINDS, Clause, LicenseTerms, terms_of
from openvet.licenses.verdicts import SAME_WEIGHTS, cite, title_of
from openvet.licenses.works import OUTPUTS, WEIGHTS

__all__ = ["KINDS_OF_DRIFT", "drifts_of"]

#: Each is the name of a rule below ``license/``.
KINDS_OF_DRIFT: Final = ("restriction-dropped", "share-alike-broken", "terms-conflict", "output-training", "name-rule", "notice-missing", "copy-missing", "upstream-differs")  # fmt: skip
#: Kinds of which one stands for the other: whoever keeps one has not dropped it.
_ALIKE: Final = (
    frozenset({"no-commerce", "research-only"}),
    frozenset({"use-restrictions", "use-policy", "use-policy-amended", "flow-down"}),
    frozenset({"no-derivatives", "no-sharing-changes"}),
)
#: Kinds that a licence which forbids commerce makes pointless.
_COMMERCE: Final = frozenset({"user-threshold", "revenue-threshold", "no-hosting"})
_OWN_RULES: Final = frozenset({"share-alike", "same-terms", "no-derivatives", "no-sharing-changes"})
_CC: Final = pattern(r"CC-(BY(?:-[A-Z]{2})*)-(\d\.\d)\Z")
_FREE: Final = ("commercial", "redistribute", "modify")


def drifts_of(works: Sequence[Work], held: Held | None) -> tuple[Drift, ...]:
    """Everything that the model's own licence drops or contradicts, base by base."""
    own = next((each for each in works if each.id == THIS), None)
    if own is None:
        return ()
    bases = [each for each in works if each.relation in WEIGHTS and each.sure and each.taken and each.id != THIS]
    out: list[Drift] = []
    for base in bases:
        for key in base.taken:
            terms = terms_of(key)
            if terms is not None:
                out.extend(_of_base(own, base, terms, held))
    if len({key for base in bases for key in base.taken}) > 1:
        out.extend(_conflicts(own, bases))
    for teacher in works:
        if teacher.relation in OUTPUTS:
            out.extend(_of_teacher(own, teacher))
    return tuple(out)


def _where(own: Work) -> Location:
    return own.sources[0] if own.sources else Location("")


def _of_base(own: Work, base: Work, terms: LicenseTerms, held: Held | None) -> Iterator[Drift]:
    mine = _own_terms(own, held)
    if own.taken and terms.key not in mine:
        yield from _dropped(own, base, terms, list(mine.values()))
        yield from _share_alike(own, base, terms, list(mine))
        if base.relation in SAME_WEIGHTS and own.taken and not _restricting(terms) and held is not None:
            yield from _upstream(own, base, terms)
    if held is not None and held.seen:
        yield from _not_there(own, base, terms, held)


def _own_terms(own: Work, held: Held | None) -> dict[str, LicenseTerms | None]:
    """The model's own licences and those whose texts lie beside it: who ships the base's licence has not dropped it."""
    keys = [*own.taken, *(held.texts if held is not None else ())]
    return {key: terms_of(key) for key in keys}


def _restricting(terms: LicenseTerms) -> list[Clause]:
    return [each for each in terms.clauses if KINDS[each.kind].restricts and not each.copies]


def _dropped(own: Work, base: Work, terms: LicenseTerms, mine: list[LicenseTerms | None]) -> Iterator[Drift]:
    if any(each is None or not each.clauses for each in mine):
        return  # what a licence that we have not read drops is not known
    have = {clause.kind for each in mine if each is not None for clause in each.clauses}
    have |= {kind for alike in _ALIKE if alike & have for kind in alike}
    lost = [
        each
        for each in _restricting(terms)
        if each.kind not in have
        and each.kind not in ("share-alike", "same-terms")
        and not (each.kind in _COMMERCE and "no-commerce" in have)
        and not (each.kind == "no-sharing-changes" and base.relation in SAME_WEIGHTS)
        and not (each.kind == "no-circumvention" and not have & {"grant"})
    ]
    if not lost:
        return
    grant, theirs = _granting([each for each in mine if each is not None], lost)
    names = " and ".join(title_of(key) for key in own.taken)
    says = ", ".join(f"{each.kind.replace('-', ' ')} ({each.at})" for each in lost[:6])
    more = f" and {len(lost) - 6} more" if len(lost) > 6 else ""
    message = (
        f"is under {names}, which has nothing of what {base.name} asks for under {terms.title}{_as(base)}: {says}{more}"
    )
    own_cited = None if grant is None or theirs is None else cite(theirs, grant)
    yield Drift(
        "restriction-dropped", message, base.id, _where(own), tuple(cite(terms, each) for each in lost[:20]), own_cited
    )


def _granting(mine: list[LicenseTerms], lost: Sequence[Clause]) -> tuple[Clause | None, LicenseTerms | None]:
    """The clause of the own licence that gives what the base does not."""
    wanted = {use for each in lost for use in each.uses} or set(_FREE)
    for terms in mine:
        for clause in terms.clauses:
            if clause.role == "grant" and wanted & set(clause.uses):
                return clause, terms
    return None, None


def _as(base: Work) -> str:
    """How the licence of the base is known, where no file of the model says it."""
    return {"table": " (by our table of known models)", "given": " (as it was given)"}.get(base.known, "")


def _share_alike(own: Work, base: Work, terms: LicenseTerms, mine: list[str]) -> Iterator[Drift]:
    for clause in terms.of_kind("share-alike", "same-terms"):
        if any(_accepts(clause, terms.key, key) for key in mine):
            continue
        names = " and ".join(title_of(key) for key in own.taken)
        message = (
            f"is under {names}; {base.name} is under {terms.title}{_as(base)}, and asks: {clause.says} ({clause.at})"
        )
        yield Drift("share-alike-broken", message, base.id, _where(own), (cite(terms, clause),), _first_grant(own))


def _accepts(clause: Clause, key: str, other: str) -> bool:
    """Whether a changed version may be under ``other``."""
    if other == key or other in clause.words.get("accept", ()):
        return True
    first, second = _CC.match(key), _CC.match(other)
    if first is not None:
        if second is not None:
            return first[1] == second[1] and float(second[2]) >= float(first[2])
        return key == "CC-BY-SA-4.0" and other in ("GPL-3.0-only", "GPL-3.0-or-later", "LAL-1.3")
    if clause.kind == "share-alike" and key.startswith("LicenseRef-scancode-fair-ai"):
        known = known_license(other)
        return known is not None and known.category in ("permissive", "public-domain")
    return False


def _first_grant(work: Work) -> Cited | None:
    for key in work.taken:
        terms = terms_of(key)
        clause = next((each for each in terms.clauses if each.role == "grant"), None) if terms is not None else None
        if terms is not None and clause is not None:
            return cite(terms, clause)
    return None


def _upstream(own: Work, base: Work, terms: LicenseTerms) -> Iterator[Drift]:
    duty = next((each for each in terms.clauses if each.role == "duty"), None)
    if duty is None:
        return
    names = " and ".join(title_of(key) for key in own.taken)
    message = f"is under {names}, and its weights are those of {base.name}, which is under {terms.title}{_as(base)}: {duty.says} ({duty.at})"
    yield Drift("upstream-differs", message, base.id, _where(own), (cite(terms, duty),), _first_grant(own))


def _not_there(own: Work, base: Work, terms: LicenseTerms, held: Held) -> Iterator[Drift]:
    """What files alone show to be missing. Where the model names the base's own licence, and that restricts nothing, a missing text is no drift."""
    named = terms.key in own.taken and not _restricting(terms)
    for clause in terms.clauses:
        if clause.copies or clause.role != "duty":
            continue
        state, seen = look(terms, clause, held)
        if state != "missing" or (named and clause.kind == "licence-copy"):
            continue
        cited = (cite(terms, clause),)
        if clause.kind == "licence-copy":
            message = f"{base.name} is under {terms.title}{_as(base)}, which asks: {clause.says} ({clause.at}); its text is not here"
            yield Drift("copy-missing", message, base.id, Location(""), cited)
        elif clause.kind == "notice-line":
            message = f"{base.name} is under {terms.title}{_as(base)}, which asks to {clause.says} ({clause.at}); no file here has it"
            yield Drift("notice-missing", message, base.id, Location(""), cited)
        elif clause.kind == "name-prefix" and base.relation not in SAME_WEIGHTS:
            prefix = str(clause.words["text"])
            name = next((each.text for each in held.names if each.sure and not begins(each.text, prefix)), "")
            message = (
                f"is called {name}, and {terms.title} of {base.name}{_as(base)} asks to {clause.says} ({clause.at})"
            )
            yield Drift("name-rule", message, base.id, seen or Location(""), cited)


def _conflicts(own: Work, bases: Sequence[Work]) -> Iterator[Drift]:
    """Terms of two base models that cannot both be kept: one lets nothing be added, and the other adds."""
    told: set[tuple[str, str]] = set()
    for one in bases:
        for other in bases:
            for key in one.taken:
                for foreign in other.taken:
                    if key == foreign or (key, foreign) in told:
                        continue
                    told.add((key, foreign))
                    yield from _conflict(own, (one, key), (other, foreign))


def _conflict(own: Work, one: tuple[Work, str], other: tuple[Work, str]) -> Iterator[Drift]:
    strict, adding = terms_of(one[1]), terms_of(other[1])
    if strict is None or adding is None:
        return
    closed = next(iter(strict.of_kind("share-alike", "same-terms")), None)
    if closed is None or _accepts(closed, strict.key, adding.key):
        return
    have = {each.kind for each in strict.clauses}
    added = [each for each in _restricting(adding) if each.kind not in have]
    if not added:
        return
    message = (
        f"{one[0].name} ({strict.title}, {closed.at}) asks: {closed.says}; {other[0].name} ({adding.title}, {added[0].at}) asks for what that "
        f"does not let be added: {added[0].says}"
    )
    yield Drift(
        "terms-conflict",
        message,
        one[0].id,
        _where(own),
        (cite(strict, closed), cite(adding, added[0])),
        _first_grant(own),
    )


def _of_teacher(own: Work, teacher: Work) -> Iterator[Drift]:
    for key in teacher.taken:
        terms = terms_of(key)
        if terms is None:
            continue
        for clause in terms.of_kind("no-output-training"):
            message = f"learned from outputs of {teacher.name}, which under {terms.title}{_as(teacher)} {clause.says} ({clause.at})"
            yield Drift(
                "output-training",
                message,
                teacher.id,
                teacher.sources[0] if teacher.sources else _where(own),
                (cite(terms, clause),),
                _first_grant(own),
            )
