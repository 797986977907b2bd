"""What a hub says about a repository (the JSON of its API), and what changed from one such answer to a later one.

An answer is declared: it says what the hub says. What changed between two is derived from them. A name on a hub can be taken by somebody
else once its account is deleted or renamed, and whoever fetches by name gets the new one's model; four things show it: another internal id
(``_id``) under the same name; a repository that was made after it was seen; a commit that is not in the history any more; an
answer about another name than was asked for, which is a redirect that ends when somebody takes the old name.

Sources: ``/api/models/{id}``, ``/api/models/{id}/commits/{revision}``; Unit 42, "Model Namespace Reuse" (2025-09-03). ``_id`` is a MongoDB
ObjectId, whose first four bytes are the second in which it was made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.evidence.predicates.origin_v1 import OriginFact, Remark

__all__ = ["Answer", "compare_answers", "facts_of", "look_at_answer", "stated_answer", "take_answer"]

_ID: Final = pattern(r"[^\s/]{1,96}/[^\s/]{1,96}")
_COMMIT: Final = pattern(r"[0-9a-f]{40}", re.ASCII)
_OBJECT: Final = pattern(r"[0-9a-f]{24}", re.ASCII)
_SHA256: Final = pattern(r"[0-9a-f]{64}", re.ASCII)
_SHOWN: Final = 200
_FILES: Final = 100_000
#: Repositories that were there before have this time; an ObjectId of one of them is not older either.
_FIRST: Final = "2022-03-02T23:29:04.000Z"
_SLACK: Final = 86_400
_WEIGHTS: Final = (".safetensors", ".bin", ".gguf", ".pt", ".pth", ".onnx", ".h5", ".msgpack", ".ckpt", ".pkl", ".npz")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a hub, or several about one repository put together. What it does not say is ``None``.

    Attributes:
        source: the file that it stands in, printable, or ``the hub's answer``.
        asked: the name that was asked for, where it is known.
        id, author, object_id, sha: of the repository and its newest commit.
        created, modified: as they are written.
        gated, private, disabled, license: as the hub has them.
        files: name -> SHA-256, of those whose digest it lists.
        commits: the newest first, where the history was asked for.
    """

    source: str
    asked: str | None = None
    id: str | None = None
    author: str | None = None
    object_id: str | None = None
    sha: str | None = None
    created: str | None = None
    modified: str | None = None
    gated: str | None = None
    private: bool | None = None
    disabled: bool | None = None
    license: str | None = None
    files: Mapping[str, str] | None = None
    commits: tuple[str, ...] = ()

    @property
    def account(self) -> str:
        """The first part of the repository's name."""
        return (self.id or "").partition("/")[0]


def take_answer(value: Any, source: str, asked: str | None = None) -> Answer | None:
    """An answer from parsed JSON: the object about a model, or the list of its commits; ``None`` where it is neither."""
    if isinstance(value, list):
        commits = tuple(
            each["id"] for each in value[:_FILES] if isinstance(each, dict) and _is(_COMMIT, each.get("id"))
        )
        return Answer(source, asked, commits=commits) if commits else None
    if not isinstance(value, dict):
        return None
    name = value.get("id", value.get("modelId"))
    if not _is(_ID, name):
        return None
    card = value.get("cardData")
    license_ = card.get("license") if isinstance(card, dict) else None
    return Answer(
        source,
        asked,
        name,
        _text(value.get("author")),
        value["_id"] if _is(_OBJECT, value.get("_id")) else None,
        value["sha"] if _is(_COMMIT, value.get("sha")) else None,
        _time_text(value.get("createdAt")),
        _time_text(value.get("lastModified")),
        _gated(value.get("gated")),
        _flag(value.get("private")),
        _flag(value.get("disabled")),
        _text(license_) or _tag(value.get("tags")),
        _files(value.get("siblings")),
        tuple(each["id"] for each in value["commits"][:_FILES] if isinstance(each, dict) and _is(_COMMIT, each.get("id"))) if isinstance(value.get("commits"), list) else (),
    )  # fmt: skip


def stated_answer(body: Mapping[str, Any], source: str) -> Answer | None:
    """The answer that an origin statement keeps in its ``metadata``; ``None`` where it keeps none."""
    facts = body.get("metadata")
    kept = {each["name"]: each.get("value") for each in facts if isinstance(each, dict) and isinstance(each.get("name"), str)} if isinstance(facts, list) else {}  # fmt: skip
    return take_answer({**kept, "cardData": {"license": kept.get("license")}}, source)


def _is(form: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _text(value: Any) -> str | None:
    return value[:_SHOWN] if isinstance(value, str) and value else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _gated(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _text(value)


def _tag(tags: Any) -> str | None:
    found = next((each for each in tags if isinstance(each, str) and each.startswith("license:")), None) if isinstance(tags, list) else None  # fmt: skip
    return None if found is None else found.removeprefix("license:")[:_SHOWN]


def _files(siblings: Any) -> Mapping[str, str] | None:
    if not isinstance(siblings, list):
        return None
    out = {}
    for each in siblings[:_FILES]:
        lfs = each.get("lfs") if isinstance(each, dict) else None
        digest = (lfs.get("sha256") or lfs.get("oid")) if isinstance(lfs, dict) else None
        if isinstance(each, dict) and isinstance(each.get("rfilename"), str) and _is(_SHA256, digest):
            out[each["rfilename"]] = str(digest)
    return out or None


def _time_text(value: Any) -> str | None:
    return value if isinstance(value, str) and _time(value) is not None else None


def _time(text: str | None) -> float | None:
    """Seconds since 1970; ``None`` for what is no time of RFC 3339."""
    if text is None or len(text) > 40:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if when.tzinfo is None else when.timestamp()


def facts_of(answer: Answer) -> Iterator[OriginFact]:
    """What the answer declares, under the hub's own keys."""
    where = Location(answer.source)
    for name, value in (
        ("id", answer.id), ("author", answer.author), ("_id", answer.object_id), ("sha", answer.sha), ("createdAt", answer.created),
        ("lastModified", answer.modified), ("gated", answer.gated), ("private", answer.private), ("disabled", answer.disabled),
        ("license", answer.license), ("files with digests", None if answer.files is None else len(answer.files)),
        ("commits", len(answer.commits) or None),
    ):  # fmt: skip
        if value is not None:
            yield OriginFact(name, printable(value) if isinstance(value, str) else value, "declared", where)


def look_at_answer(answer: Answer) -> Iterator[Remark]:
    """What one answer says that does not go together, or that a person should know."""
    where = Location(answer.source)
    if answer.asked and answer.id and answer.asked.casefold() != answer.id.casefold():
        yield _remark("renamed", f"{_show(answer.asked)} was asked for, and the hub answers about {_show(answer.id)}: it was renamed or moved, and whoever takes the old name gets what is fetched by it", where, asked=answer.asked, now=answer.id)  # fmt: skip
    if answer.author and answer.id and answer.author.casefold() != answer.account.casefold():
        yield _remark("contradiction", f"the author is {_show(answer.author)}, and the repository is {_show(answer.id)}", where, author=answer.author)  # fmt: skip
    if answer.disabled:
        yield _remark("disabled", "the hub has disabled the repository", where)
    created, modified = _time(answer.created), _time(answer.modified)
    if created is not None and modified is not None and created > modified + _SLACK:
        yield _remark(
            "contradiction", f"it was made {answer.created}, and last changed {answer.modified}, before that", where
        )
    born = None if answer.object_id is None else int(answer.object_id[:8], 16)
    if created is not None and born is not None and abs(born - created) > _SLACK and answer.created != _FIRST:
        yield _remark("contradiction", "the time in its internal id is not the one at which the hub says that it was made", where, id=answer.object_id, created=answer.created)  # fmt: skip


def compare_answers(earlier: Answer, later: Answer) -> Iterator[Remark]:
    """What changed from one answer to a later one."""
    where = Location(later.source)
    same_name = earlier.id is not None and later.id is not None and earlier.id.casefold() == later.id.casefold()
    same_object = earlier.object_id is not None and earlier.object_id == later.object_id
    reused = same_name and _is_reused(earlier, later)
    if reused:
        yield _remark("namespace-reused", f"{_show(later.id)} is another repository than before: it was made again, or somebody else took the name", where, **_pair("_id", earlier.object_id, later.object_id), **_pair("createdAt", earlier.created, later.created))  # fmt: skip
    elif earlier.id and later.id and not same_name:
        what = "it is the same repository" if same_object else "nothing says whether it is the same repository"
        yield _remark("renamed", f"{_show(earlier.id)} is {_show(later.id)} now; {what}; whoever takes the old name gets what is fetched by it", where, **_pair("id", earlier.id, later.id))  # fmt: skip
    if earlier.author and later.author and earlier.author.casefold() != later.author.casefold():
        yield _remark("author-changed", f"the author was {_show(earlier.author)} and is {_show(later.author)}", where, **_pair("author", earlier.author, later.author))  # fmt: skip
    if not reused and (same_name or same_object):
        yield from _history(earlier, later, where)
    for kind, name, before, after in (
        ("license-changed", "license", earlier.license, later.license),
        ("access-changed", "gated", earlier.gated, later.gated),
        ("access-changed", "private", earlier.private, later.private),
        ("disabled", "disabled", earlier.disabled, later.disabled),
    ):
        if before is not None and after is not None and before != after and (kind != "disabled" or after is False):
            yield _remark(kind if kind != "disabled" else "access-changed", f"{name} was {_show(before)} and is {_show(after)}", where, **_pair(name, before, after))  # fmt: skip
    yield from _weights(earlier, later, where)


def _is_reused(earlier: Answer, later: Answer) -> bool:
    if earlier.object_id is not None and later.object_id is not None:
        return earlier.object_id != later.object_id
    made, seen = _time(later.created), _time(earlier.modified) or _time(earlier.created)
    return made is not None and seen is not None and made > seen


def _history(earlier: Answer, later: Answer, where: Location) -> Iterator[Remark]:
    """Whether the later state continues the earlier one."""
    before, after = _time(earlier.modified), _time(later.modified)
    if before is not None and after is not None and after < before:
        yield _remark("contradiction", f"it was last changed {earlier.modified}, and later {later.modified}, before that: the answers are in the wrong order, or the history was rewritten", where)  # fmt: skip
    if earlier.sha is None or later.sha is None or earlier.sha == later.sha:
        return
    if later.commits and earlier.sha not in later.commits:
        yield _remark("history-rewritten", f"the commit {earlier.sha} is not in the history that the hub lists now ({len(later.commits)} commits)", where, **_pair("sha", earlier.sha, later.sha))  # fmt: skip
        return
    known = "" if later.commits else "; whether that continues it is not known without the list of commits"
    yield _remark("moved-on", f"the newest commit was {earlier.sha[:12]} and is {later.sha[:12]}{known}", where, **_pair("sha", earlier.sha, later.sha))  # fmt: skip


def _weights(earlier: Answer, later: Answer, where: Location) -> Iterator[Remark]:
    if earlier.files is None or later.files is None:
        return
    changed = sorted(name for name, digest in earlier.files.items() if later.files.get(name, digest) != digest)
    weights = [name for name in changed if name.lower().endswith(_WEIGHTS)]
    if changed and earlier.sha is not None and earlier.sha == later.sha:
        yield _remark("contradiction", f"the commit is the same, and {len(changed)} of its files have other digests", where, files=changed[:20])  # fmt: skip
    elif weights:
        more = f" and {len(weights) - 3} more" if len(weights) > 3 else ""
        yield _remark("weights-changed", f"files of weights have other digests: {', '.join(map(_show, weights[:3]))}{more}", where, files=weights[:20])  # fmt: skip


def _pair(name: str, before: Any, after: Any) -> dict[str, Any]:
    return {f"{name} before": before, f"{name} after": after}


def _show(value: Any) -> str:
    return shorten(printable(str(value)), 80)


def _remark(kind: str, message: str, where: Location, **evidence: Any) -> Remark:
    kept = {
        name: printable(value) if isinstance(value, str) else value
        for name, value in evidence.items()
        if value is not None
    }
    return Remark(kind, message, "derived", False, where, {name: list(map(printable, value)) if isinstance(value, Sequence) and not isinstance(value, str) else value for name, value in kept.items()})  # fmt: skip
