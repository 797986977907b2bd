"""What everybody fills in to a licence, and what is often left out of it: no change of the licence.

Years, names of holders, and what stands in the holes of a text (``data/licenses/texts.toml``). A filling is short and has no word by
which a clause would say something; so a clause that hides in the line of a copyright is a change. This is a heuristic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from openvet.licenses.align import Gap
from openvet.licenses.index import Known
from openvet.licenses.words import Words

__all__ = ["is_filling", "speaks_of_rights"]

#: Words that a name of a holder or of a project may have, at most.
_LONGEST = 30
#: Words between a copyright sign and what follows it.
_NEAR = 6
_FEWEST_OF_RIGHTS = 3
_COPYRIGHT = frozenset({"copyright", "©", "copyrighted"})
_WORDS: Final = (
    """yyyy year years yy name names of the copyright owner owners holder holders author authors organization company program programs your
    project xxxx insert fullname and or date 19yy c foundation inc""",
    """commercial commercially noncommercial noncommercially only not no must may shall cannot prohibited permitted permission permissions
    restrict restricted restriction restrictions except unless without use uses used using license licensed licensee distribute
    redistribute distribution modify modified sell sublicense train training research purposes agree agreement require required fee
    royalty terminate territory users revenue written consent approval""",
)
#: What stands in published texts for something to be filled in.
_PLACEHOLDERS: Final = frozenset(_WORDS[0].split())
#: Words of clauses: with one of them, nothing is a mere name.
_CLAUSES: Final = frozenset(_WORDS[1].split())


def is_filling(gap: Gap, file: Words, text: Words, known: Known) -> bool:
    """Whether ``gap`` is what everybody fills in or what is often left out.

    Args:
        gap: a difference.
        file: the words of the file.
        text, known: the published text.
    """
    if not gap.added:
        return any(start <= gap.text and gap.text_end <= end for start, end in known.optional)
    if gap.added > _LONGEST:
        return False
    added = file.words[gap.file : gap.file_end]
    if not _CLAUSES.isdisjoint(added):
        return False
    if any(start <= gap.text and gap.text_end <= end for start, end in known.holes):
        return True
    removed = text.words[gap.text : gap.text_end]
    if removed and not _PLACEHOLDERS.issuperset(removed) and not all(each.isdigit() for each in removed):
        return False
    if removed and not all(each.isdigit() for each in removed):
        return True
    before = file.words[max(0, gap.file - _NEAR) : gap.file]
    return not _COPYRIGHT.isdisjoint(before) or not _COPYRIGHT.isdisjoint(added)


def speaks_of_rights(words: Sequence[str]) -> bool:
    """Whether some words look as if they gave, took or limited rights: three different words of clauses are in them."""
    return len(_CLAUSES.intersection(words)) >= _FEWEST_OF_RIGHTS
