"""What one licence says to one use. Whatever it says has the clause beside it; what nobody can say names what has to be known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.license_ids import known_license
from openvet.evidence.predicates.rights_v1 import Cited, Reason
from openvet.licenses.terms import Clause, LicenseTerms, terms_of
from openvet.licenses.uses import EU, USES, Asked

__all__ = ["OF_DATA", "SAME_WEIGHTS", "Case", "cite", "counts", "judge", "judge_data", "title_of"]

#: Relations in which the weights themselves go on, only in another form.
SAME_WEIGHTS: Final = frozenset({"quantized", "converted", "loaded-from"})
#: What an answer about numbers and places rests on where no clause names any.
_NO_BOUND: Final = {
    "users": "no clause sets a number of users",
    "revenue": "no clause sets a revenue",
    "place": "no clause leaves it out",
}
#: Use -> what a grant says to it where its words name it, the words, and what is said where it only leaves nothing out.
_PURPOSE: Final = "grants use, and leaves no purpose out"
_OUTPUTS: Final = "grants use, and says nothing of outputs"
_GRANTED: Final[Mapping[str, tuple[str, tuple[str, ...], str]]] = {
    "commercial": ("grants commercial use", ("commerc", "sell", "any purpose", "any field", "without restriction", "all usage"), _PURPOSE),
    "research": ("grants research", ("research", "non-commercial", "noncommercial"), _PURPOSE),
    "internal": ("grants internal use", ("internal",), _PURPOSE),
    "redistribute": ("grants redistribution", ("distribut", "share", "publish", "convey", "available", "deal in"), _PURPOSE),
    "serve": ("grants use by others over a network", ("host", "service", "perform", "available", "communicat"), _PURPOSE),
    "modify": ("grants changes", ("modif", "deriv", "adapt", "alter", "prepare", "deal in"), _PURPOSE),
    "merge": ("grants merging", ("merge", "modif", "deriv", "adapt", "alter", "prepare"), _PURPOSE),
    "distil": ("grants distillation", ("distil", "output", "deriv"), _OUTPUTS),
    "train-on-outputs": ("grants training on outputs", ("output",), _OUTPUTS),
}  # fmt: skip
#: Kinds that would bind a model that is trained on the data, if data licences reach that far.
OF_DATA: Final = {
    "no-commerce": frozenset({"commercial"}),
    "research-only": frozenset({"commercial", "internal"}),
    "no-derivatives": frozenset({"redistribute", "modify"}),
    "no-sharing-changes": frozenset({"redistribute"}),
    "no-redistribution": frozenset({"redistribute"}),
    "share-alike": frozenset({"redistribute"}),
    "same-terms": frozenset({"redistribute"}),
}


@dataclass(frozen=True, slots=True)
class Case:
    """What was asked of which work.

    Attributes:
        work: its identifier.
        asked: the uses.
        relation: how the model comes from it; ``self`` for the model.
        derived: whether what is used is a changed version of it.
    """

    work: str
    asked: Asked
    relation: str = "self"
    derived: bool = False


def title_of(key: str) -> str:
    """The licence's full name, as far as we know it."""
    terms = terms_of(key)
    if terms is not None:
        return terms.title
    known = known_license(key)
    return key if known is None else known.name


def cite(terms: LicenseTerms, clause: Clause) -> Cited:
    return Cited(terms.key, clause.at, clause.quote, clause.document)


def counts(clause: Clause, case: Case) -> bool:
    """Whether a clause is about the work as it is used: changed or not, and for a model that only learned from outputs, about outputs."""
    if clause.copies and case.derived:
        return False
    return not ((clause.kind_derived or clause.words.get("derived")) and not case.derived)


def judge(key: str, use: str, case: Case) -> list[Reason]:
    """What the licence ``key`` says to ``use``, a word of ``case.asked``; at least one reason."""
    terms = terms_of(key)
    if terms is None or not terms.clauses:
        return [_unread(key, case)]
    if use in case.asked.territories:
        return _place(terms, use, case)
    if use not in USES:
        kind = (
            "user-threshold"
            if case.asked.users is not None and use.lower().endswith(("mau", "users"))
            else "revenue-threshold"
        )
        return _number(terms, kind, case)
    against = list(_against(terms, use, case))
    if any(each.verdict == "not-allowed" for each in against):
        return [each for each in against if each.verdict == "not-allowed"]
    limits = list(_limits(terms, use, case))
    granted = [
        Reason("allowed", case.work, _granted(clause, use), cite(terms, clause))
        for clause in terms.clauses
        if clause.role == "grant" and use in clause.uses
    ]
    if granted:
        return [*against, *limits, granted[0]]
    if against:
        return [*against, *limits]
    needs = f"whether {terms.title} allows it: no clause that we read speaks of it"
    first = next((each for each in terms.clauses if each.kind == "grant"), None)
    cited = None if first is None else cite(terms, first)
    return [*limits, Reason("depends", case.work, "no clause gives this right by name", cited, needs)]


def _granted(clause: Clause, use: str) -> str:
    """What a grant says to a use: that it names it, or no more than that it leaves nothing out."""
    if "says" in clause.words:
        return str(clause.words["says"])
    if clause.kind != "grant":
        return clause.says
    named, words, unnamed = _GRANTED[use]
    quote = clause.quote.lower()
    return named if any(word in quote for word in words) else unnamed


def _unread(key: str, case: Case) -> Reason:
    known, terms = known_license(key), terms_of(key)
    link = (
        terms.link
        if terms is not None and terms.link
        else f"https://{known.links[0]}"
        if known is not None and known.links
        else ""
    )
    where = f": {link}" if link else ""
    return Reason(
        "depends",
        case.work,
        f"the terms of {title_of(key)} are not in our data",
        None,
        f"what {title_of(key)} says{where}",
    )


def _against(terms: LicenseTerms, use: str, case: Case) -> Iterator[Reason]:
    for clause in terms.clauses:
        if (
            clause.role == "forbid"
            and clause.kind != "territory"
            and use in clause.uses
            and _forbids(clause, use, case)
        ):
            needs = str(clause.words.get("needs", ""))
            if not needs and clause.kind == "research-only" and use != "commercial":
                needs = "whether it is the research, or the use without commercial aim, that the licence means"
            if clause.kind == "no-sharing-changes" and case.relation in SAME_WEIGHTS:
                needs = "whether the same weights in another form are a changed version (4.0 lets formats be changed: 2(a)(4))"
            yield Reason("depends" if needs else "not-allowed", case.work, clause.says, cite(terms, clause), needs)
        elif clause.kind == "outputs-derive" and use in clause.uses:
            needs = "whether the model that is trained is made to perform alike; then it is a derivative, and the duties of one come with it"
            yield Reason("depends", case.work, clause.says, cite(terms, clause), needs)


def _forbids(clause: Clause, use: str, case: Case) -> bool:
    if clause.kind_derived:
        return case.derived
    return not (clause.kind == "no-derivatives" and use == "redistribute") or case.derived


def _limits(terms: LicenseTerms, use: str, case: Case) -> Iterator[Reason]:
    for clause in terms.of_kind("user-threshold", "revenue-threshold"):
        if use in clause.uses:
            yield _bound(terms, clause, case)


def _bound(terms: LicenseTerms, clause: Clause, case: Case) -> Reason:
    number = int(clause.words["number"])
    counted = str(clause.words.get("counted", ""))
    cited = cite(terms, clause)
    currency = str(clause.words.get("currency", "USD"))
    if clause.kind == "user-threshold":
        have, unit = case.asked.users, "monthly active users"
    else:
        unit = f"{currency} of {clause.words.get('period', 'annual')} revenue"
        have = case.asked.revenue[0] if case.asked.revenue is not None and case.asked.revenue[1] == currency else None
        if case.asked.revenue is not None and have is None:
            counted = f"in {currency}, {counted}"
    if have is None:
        return Reason("depends", case.work, clause.says, cited, f"how many {unit} there are, {counted}".rstrip(", "))
    if have <= number and not (have == number and clause.words.get("from")):
        says = f"{have:,} {unit} are no more than {number:,}"
        return Reason("allowed", case.work, f"{says}; what counts is the number {counted}" if counted else says, cited)
    if clause.kind == "revenue-threshold" and clause.words.get("period", "annual") != "annual":
        # people say what they earn in a year, and a year says nothing of the one month that counts
        says = f"{have:,} {currency} a year may be more than {number:,} {clause.words['period']}"
        return Reason("depends", case.work, says, cited, f"how much {unit} there is, {counted}")
    says = f"{have:,} {unit} are more than {number:,}: {clause.words.get('effect', 'a licence has to be asked for')}"
    if clause.words.get("fixed"):  # the number of another day counts, and nobody said that one
        return Reason("depends", case.work, says, cited, f"how many there were {counted}")
    return Reason("not-allowed", case.work, says, cited)


def _number(terms: LicenseTerms, kind: str, case: Case) -> list[Reason]:
    found = [_bound(terms, clause, case) for clause in terms.of_kind(kind)]
    displays = [
        Reason(
            "allowed",
            case.work,
            f"asks to show {clause.words['text']} {clause.words['condition']}",
            cite(terms, clause),
        )
        for clause in terms.of_kind("display")
        if "condition" in clause.words and "million" in clause.words["condition"]
    ]
    return found or displays or [_nothing(terms, "users" if kind == "user-threshold" else "revenue", case)]


def _place(terms: LicenseTerms, place: str, case: Case) -> list[Reason]:
    found: list[Reason] = []
    for clause in terms.of_kind("territory"):
        outside = clause.words["outside"]
        if place in outside or (place in EU and "eu" in outside):
            needs = str(clause.words.get("needs", ""))
            found.append(
                Reason("depends" if needs else "not-allowed", case.work, clause.says, cite(terms, clause), needs)
            )
        else:
            found.append(
                Reason(
                    "allowed",
                    case.work,
                    f"{place.upper()} is none of the places that are left out",
                    cite(terms, clause),
                )
            )
    return found or [_nothing(terms, "place", case)]


def _nothing(terms: LicenseTerms, bound: str, case: Case) -> Reason:
    grant = next((each for each in terms.clauses if each.role == "grant"), terms.clauses[0])
    return Reason("allowed", case.work, _NO_BOUND[bound], cite(terms, grant))


def judge_data(key: str, use: str, case: Case) -> list[Reason]:
    """What the licence of a data set says to a use of the model that was trained on it.

    Whether training on data makes a model something that the data's licence binds is not settled, so a clause that would bind it
    gives ``depends`` and never more, and one that leaves models alone is said.
    """
    terms = terms_of(key)
    if terms is None or not terms.clauses:
        return [_unread(key, case)]
    free = terms.of_kind("results-free")
    if free:
        return [Reason("allowed", case.work, free[0].says, cite(terms, free[0]))]
    bound = [each for each in terms.clauses if use in OF_DATA.get(each.kind, ())]
    needs = "whether the licence of the data binds a model that was trained on it, which is contested"
    return [Reason("depends", case.work, f"{each.says}, of the data", cite(terms, each), needs) for each in bound]
