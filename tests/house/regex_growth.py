"""Whether a regular expression can take more than linear time, told from its structure and not from a clock.

The expression becomes an automaton over its positions. A backtracking matcher tries every path through it, so its time is

* exponential where one word leads from a state back to itself on two paths (``(a+)+``), and
* quadratic or worse where one word leads from ``p`` to ``p``, from ``p`` to ``q`` and from ``q`` to ``q`` (``a*a*b``), which
  for ``search``, ``finditer`` and ``sub`` includes the loop that begins again at every place (``a*b``).

(Weideman, van der Merwe, Berglund and Watson, "Analyzing matching time behavior of backtracking regular expression
matchers by using ambiguity of NFA", CIAA 2016.) A path on which the expression matches whatever comes is never gone back on.
What stands in an atomic group or a possessive repetition is not tried again and is looked at by itself. A repetition of up to
:data:`BOUNDED` counts as bounded. Look-behinds of more than one character are taken for always true: that can only report too much.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

__all__ = ["BOUNDED", "growth"]

#: A repetition that may take more than this is looked at as if it had no end.
BOUNDED = 255

_CHARACTERS = [chr(number) for number in range(256)] + ["٣", "中", "\u2028", "\u3000", "\u017f", "\u212a"]
_BEGIN, _END = 1 << len(_CHARACTERS), 1 << (len(_CHARACTERS) + 1)
_REAL = _BEGIN - 1
_EVERY = _REAL | _BEGIN | _END
_BIT = {character: 1 << number for number, character in enumerate(_CHARACTERS)}
_NEWLINE = _BIT["\n"]

Condition = tuple[int, int]
"""What the character before and the one after have to be."""
_FREE: Condition = (_EVERY, _EVERY)


@dataclass
class _Piece:
    """What is needed of a part to put it in its place: how it begins and ends, and on what condition it is empty."""

    first: list[tuple[Condition, int]] = field(default_factory=list)
    last: list[tuple[int, Condition]] = field(default_factory=list)
    empty: list[Condition] = field(default_factory=list)


def _both(a: Condition, b: Condition) -> Condition:
    return a[0] & b[0], a[1] & b[1]


class _Automaton:
    """States are numbers; ``masks`` are the characters that lead into each, ``edges`` what follows, how many times over."""

    def __init__(self, pattern: re.Pattern[Any]) -> None:
        self.bytes = isinstance(pattern.pattern, bytes)
        self.flags = pattern.flags
        self.masks: list[int] = []
        self.atoms: list[tuple[int, ...]] = []
        self.edges: dict[tuple[int, int], list[Condition]] = defaultdict(list)
        self.inside: list[Any] = []
        self._around: tuple[int, ...] = ()
        self._groups = 0

    # --- from the tree of the parser to states -------------------------------------------------------------------

    def state(self, mask: int) -> int:
        self.masks.append(mask)
        self.atoms.append(self._around)
        return len(self.masks) - 1

    def sequence(self, items: Iterable[Any]) -> _Piece:
        whole = _Piece(empty=[_FREE])
        for operator, argument in items:
            whole = self._then(whole, self._item(operator, argument))
        return whole

    def _then(self, a: _Piece, b: _Piece) -> _Piece:
        self._join(a.last, b.first)
        return _Piece(
            a.first + [(_both(e, w), s) for e in a.empty for w, s in b.first],
            b.last + [(s, _both(w, e)) for e in b.empty for s, w in a.last],
            [_both(e, f) for e in a.empty for f in b.empty],
        )

    def _join(self, ends: list[tuple[int, Condition]], starts: list[tuple[Condition, int]]) -> None:
        for state, leaving in ends:
            for entering, following in starts:
                condition = _both(leaving, entering)
                if self.masks[state] & condition[0] and self.masks[following] & condition[1]:
                    self.edges[state, following].append(condition)

    def _item(self, operator: Any, argument: Any) -> _Piece:
        if operator in (c.LITERAL, c.NOT_LITERAL, c.ANY, c.IN):
            state = self.state(self._mask(operator, argument))
            return _Piece([(_FREE, state)], [(state, _FREE)])
        if operator is c.SUBPATTERN:
            _, add, drop, items = argument
            before, self.flags = self.flags, (self.flags | add) & ~drop
            piece = self.sequence(items)
            self.flags = before
            return piece
        if operator is c.BRANCH:
            pieces = [self.sequence(items) for items in argument[1]]
            return _Piece(
                [e for p in pieces for e in p.first],
                [e for p in pieces for e in p.last],
                [e for p in pieces for e in p.empty],
            )
        if operator in (c.MAX_REPEAT, c.MIN_REPEAT):
            return self._repeat(*argument)
        if operator in (c.POSSESSIVE_REPEAT, c.ATOMIC_GROUP):
            return self._atomic(operator, argument)
        if operator is c.AT:
            return _Piece(empty=self._conditions(argument))
        if operator in (c.ASSERT, c.ASSERT_NOT):
            return self._looking(operator, *argument)
        raise NotImplementedError(f"{operator} is not known here")

    def _repeat(self, least: int, most: int, items: Any) -> _Piece:
        if most > BOUNDED:
            piece = self.sequence(items)
            self._join(piece.last, piece.first)
            return _Piece(piece.first, piece.last, [_FREE] if least == 0 else piece.empty)
        whole = _Piece(empty=[_FREE])
        for number in reversed(
            range(min(most, 3))
        ):  # one inside the other, so that two of them can be read in one way only
            whole = self._then(self.sequence(items), whole)
            if number >= least:
                whole = _Piece(whole.first, whole.last, [_FREE])
        return whole

    def _atomic(self, operator: Any, argument: Any) -> _Piece:
        outer, self._groups = self._around, self._groups + 1
        self._around = (*outer, self._groups)
        if operator is c.ATOMIC_GROUP:
            piece = self.sequence(argument)
            self.inside.append((self.flags, list(argument)))
        else:
            piece = self._repeat(*argument)
            self.inside.append((self.flags, [(c.MAX_REPEAT, argument)]))
            one = len(argument[2]) == 1 and argument[2][0][0] in (c.LITERAL, c.NOT_LITERAL, c.ANY, c.IN)
            if one and argument[1] > BOUNDED:  # it ends only where nothing more of it follows
                mask = self._mask(*argument[2][0])
                piece.last = [(state, _both(w, (_EVERY, _EVERY & ~mask))) for state, w in piece.last]
                piece.empty = [_both(w, (_EVERY, _EVERY & ~mask)) for w in piece.empty]
        self._around = outer
        return piece

    def _looking(self, operator: Any, direction: int, items: Any) -> _Piece:
        one = len(items) == 1 and items[0][0] in (c.LITERAL, c.NOT_LITERAL, c.ANY, c.IN)
        if direction < 0:
            if not one:
                return _Piece(empty=[_FREE])
            mask = self._mask(*items[0])
            return _Piece(empty=[(mask if operator is c.ASSERT else _EVERY & ~mask, _EVERY)])
        if one:
            mask = self._mask(*items[0])
            return _Piece(empty=[(_EVERY, mask if operator is c.ASSERT else _EVERY & ~mask)])
        looked = self.sequence(items)  # tried as well, and then the rest from the same place
        return _Piece(looked.first, [], [_FREE])

    def _conditions(self, place: Any) -> list[Condition]:
        words = self._mask(c.IN, [(c.CATEGORY, c.CATEGORY_WORD)])
        others = _EVERY & ~words
        many = self.flags & re.MULTILINE
        return {
            c.AT_BEGINNING: [(_BEGIN | (_NEWLINE if many else 0), _EVERY)],
            c.AT_BEGINNING_STRING: [(_BEGIN, _EVERY)],
            c.AT_END: [(_EVERY, _END | _NEWLINE)],
            c.AT_END_STRING: [(_EVERY, _END)],
            c.AT_BOUNDARY: [(words, others), (others, words)],
            c.AT_NON_BOUNDARY: [(words, words), (others, others)],
        }[place]

    def _mask(self, operator: Any, argument: Any) -> int:
        every = (1 << 256) - 1 if self.bytes else _REAL
        if operator is c.ANY:
            return every if self.flags & re.DOTALL else every & ~_NEWLINE
        if operator in (c.LITERAL, c.NOT_LITERAL):
            found = self._folded(chr(argument))
            return every & ~found if operator is c.NOT_LITERAL else found
        found, negated = 0, False
        for kind, value in argument:
            if kind is c.NEGATE:
                negated = True
            elif kind is c.LITERAL:
                found |= self._folded(chr(value))
            elif kind is c.RANGE:
                for character, bit in _BIT.items():
                    if value[0] <= ord(character) <= value[1]:
                        found |= bit | self._folded(character)
            else:
                found |= self._category(str(value))
        return every & ~found if negated else found & every

    def _folded(self, character: str) -> int:
        forms = {character}
        if self.flags & re.IGNORECASE:
            forms |= {character.lower(), character.upper()}
        # a character for which nothing stands is one more like any other
        return sum(_BIT.get(each, _BIT["中"]) for each in forms)

    def _category(self, name: str) -> int:
        narrow = self.bytes or self.flags & re.ASCII
        letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[name.rsplit("_", 1)[1]]
        test = re.compile("\\" + (letter.upper() if "_NOT_" in name else letter), re.ASCII if narrow else 0)
        return sum(bit for character, bit in _BIT.items() if test.match(character))


def growth(pattern: re.Pattern[Any], way: str) -> str | None:
    """How the time of ``pattern`` can grow beyond its input's length: a sentence with the word that does it, or ``None``.

    ``way`` is how it is used: ``match``, ``fullmatch`` or ``search`` (which is also finditer, findall, split and sub).
    """
    items = list(parser.parse(pattern.pattern, pattern.flags))
    return next((found for each in _ways(items) if (found := _growth(pattern, pattern.flags, each, way))), None)


def _ways(items: list[Any]) -> Iterator[list[Any]]:
    """The expression once for each of alternatives that are not repeated, where that is less to look at: what they take is added up."""
    for at, (op, value) in enumerate(items):
        if op is c.SUBPATTERN and not value[1] and not value[2] and len(value[3]) == 1:
            op, value = value[3][0]
        if op is not c.BRANCH:
            continue
        beside = [*items[:at], *items[at + 1 :]]
        each_by_itself = sum((_states(beside) + _states(each)) ** 2 for each in value[1])
        if each_by_itself < _states(items) ** 2:
            for each in value[1]:
                yield from _ways([*items[:at], *each, *items[at + 1 :]])
            return
    yield items


def _states(items: Iterable[Any]) -> int:
    """About how many states a sequence has."""
    found = 0
    for op, value in items:
        if op is c.BRANCH:
            found += sum(map(_states, value[1]))
        elif op is c.SUBPATTERN:
            found += _states(value[3])
        elif op in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
            found += (value[1] if value[1] <= BOUNDED else 1) * _states(value[2])
        else:
            found += 1
    return found


def _growth(pattern: re.Pattern[Any], flags: int, items: list[Any], way: str) -> str | None:
    made = _Automaton(pattern)
    made.flags = flags
    piece = made.sequence(items)
    start = made.state(_BEGIN | (_REAL if way == "search" else 0))
    end = made.state(_END if way == "fullmatch" else _EVERY)
    if way == "search":
        made.edges[start, start].append(_FREE)
    made._join([(start, _FREE)], piece.first)
    made._join(piece.last, [(_FREE, end)])
    made._join([(start, e) for e in piece.empty], [(_FREE, end)])
    found = _Search(made, end).run()
    for inner_flags, inside in made.inside:
        found = found or _growth(pattern, inner_flags, inside, "match")
    return found


class _Search:
    """Looks for the two shapes of ambiguity in one automaton."""

    def __init__(self, made: _Automaton, end: int) -> None:
        # states are split by what the conditions ask of the character before
        cuts = sorted({w[0] for each in made.edges.values() for w in each})
        self.states: list[tuple[int, int]] = []
        of: dict[int, list[int]] = defaultdict(list)
        for state, mask in enumerate(made.masks):
            parts = [mask]
            for cut in cuts:
                parts = [half for part in parts for half in (part & cut, part & ~cut) if half]
            for part in parts:
                of[state].append(len(self.states))
                self.states.append((state, part))
        self.atoms = [made.atoms[state] for state, _ in self.states]
        ends = set(of[end])
        arcs: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for (state, following), conditions in made.edges.items():
            for a in of[state]:
                for before, after in conditions:
                    if self.states[a][1] & before != self.states[a][1]:
                        continue
                    for b in of[following]:
                        if label := self.states[b][1] & after:
                            arcs[a][b].append(label)
        self.done = _never_failing(arcs, ends)
        self.arcs: dict[int, list[tuple[int, int, bool]]] = {
            a: [
                (b, label & _REAL, sum(bool(label & other) for other in labels) > 1)
                for b, labels in following.items()
                if b not in ends
                for label in labels
                if label & _REAL
            ]
            for a, following in arcs.items()
        }

    def run(self) -> str | None:
        loops = [p for p in self.arcs if self._reaches(p, p)]
        for p in loops:
            if (word := self._twice(p)) is not None:
                return f"exponential: {word!r} again and again"
        for p in loops:
            for q in loops:
                skip = self.atoms[p] and (
                    self.atoms[p][0] not in self.atoms[q] or self.atoms[p][:1] == self.atoms[q][:1]
                )
                if (
                    p != q
                    and q not in self.done
                    and not skip
                    and self._reaches(p, q)
                    and (word := self._triple(p, q)) is not None
                ):
                    return f"quadratic: {word!r} again and again"
        return None

    def _reaches(self, p: int, q: int) -> bool:
        seen, todo = set(), [p]
        while todo:
            for b, _, _ in self.arcs.get(todo.pop(), ()):
                if b == q:
                    return True
                if b not in seen:
                    seen.add(b)
                    todo.append(b)
        return False

    def _twice(self, p: int) -> str | None:
        """A word on which two paths lead from ``p`` to ``p``."""
        if self.atoms[p] or p in self.done:
            return None
        start = (p, p, False)
        return self._walk(start, (p, p, True), lambda state: self._pairs(*state))

    def _pairs(self, a: int, b: int, parted: bool) -> Iterator[tuple[tuple[int, int, bool], int]]:
        for x, first, double in self.arcs.get(a, ()):
            for y, second, _ in self.arcs.get(b, ()):
                if first & second:
                    now = parted or x != y or (a == b and double)
                    # what can no longer fail is not gone back on, so that there is no second path
                    if not (now and (x in self.done or y in self.done)):
                        yield (x, y, now), first & second

    def _triple(self, p: int, q: int) -> str | None:
        """A word that leads from ``p`` to ``p``, from ``p`` to ``q`` and from ``q`` to ``q``."""

        def following(state: tuple[int, int, int]) -> Iterator[tuple[tuple[int, int, int], int]]:
            a, b, d = state
            for x, first, _ in self.arcs.get(a, ()):
                for z, third, _ in self.arcs.get(d, ()):
                    if (both := first & third) and z not in self.done:
                        for y, second, _ in self.arcs.get(b, ()):
                            if both & second and (y == x or y not in self.done):
                                yield (x, y, z), both & second

        return self._walk((p, p, q), (p, q, q), following)

    @staticmethod
    def _walk(start: Any, goal: Any, following: Any) -> str | None:
        seen = {start: ""}
        todo = deque([start])
        while todo:
            state = todo.popleft()
            for after, label in following(state):
                if after not in seen or after == goal:
                    word = seen[state] + _shown(label)
                    if after == goal:
                        return word
                    seen[after] = word
                    todo.append(after)
        return None


def _never_failing(arcs: dict[int, dict[int, list[int]]], ends: set[int]) -> set[int]:
    """The states from which the expression matches whatever comes: on every character it is at its end or in such a state."""
    out = set(arcs)
    while True:
        failing = set()
        for state in out:
            covered = 0
            for following, labels in arcs[state].items():
                if following in ends or following in out:
                    for label in labels:
                        covered |= label
            if covered != _EVERY:
                failing.add(state)
        if not failing:
            return out
        out -= failing


def _shown(label: int) -> str:
    """One character of a label, a readable one where there is one."""
    for character in "a0 _.-,/:\"'\\\n":
        if _BIT[character] & label:
            return character
    return next(character for character, bit in _BIT.items() if bit & label)
