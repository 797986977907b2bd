"""origin: who published and signed a model, as far as that is declared, derived or attested, and what speaks against it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import OpenVetError, SubjectError, UsageError
from openvet.evidence.predicates.origin_v1 import PREDICATE_TYPE as ORIGIN
from openvet.evidence.predicates.origin_v1 import REMARKS, Copy, OriginV1, Place, Signer
from openvet.origins.find import SCHEMES
from openvet.publishers.copies import Held, compare_held, counting, remarks_on
from openvet.publishers.examine import HUB, examine_names, place_of
from openvet.publishers.metadata import Answer as HubAnswer
from openvet.publishers.metadata import compare_answers, facts_of, look_at_answer, stated_answer, take_answer
from openvet.publishers.names import find_names
from openvet.workflows.answer import Answer, not_read
from openvet.workflows.check import Options, begin, finish, make_pool, open_origin
from openvet.workflows.knowledge import tool
from openvet.workflows.model_files import read_small

if TYPE_CHECKING:
    from openvet.inventory.component import Inventory
    from openvet.workflows.dossier_trust import DossierTrust
    from openvet.workflows.known_models import KnownModel
    from openvet.workflows.trusted import TrustCheck

__all__ = ["Asked", "ask_origin", "origin_of"]

_ANSWER: Final = 64 * 1024 * 1024
#: How the cache of a hub keeps a commit of a repository: ``models--ORG--NAME/snapshots/COMMIT``.
_SNAPSHOT: Final = pattern(r"/models--([^/]+)/snapshots/([0-9a-f]{40})(?:/|\Z)")
_MOST: Final = 500
_SAID: Final = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What is at hand beside the model.

    Attributes:
        metadata: files with a hub's answers of today; of several about one repository the fields are put together.
        earlier: the same, from an earlier day.
        known: a folder of models and statements that are known.
        dossier, key: a dossier, and the file with its owner's public key.
        dossier_trust, signature_trust: whom the user trusts about lines, and about the signature beside the model.
    """

    metadata: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    known: str = ""
    dossier: str = ""
    key: str = ""
    dossier_trust: DossierTrust | None = None
    signature_trust: TrustCheck | None = None


@dataclass(frozen=True, slots=True)
class _Model:
    """The model as it was read."""

    path: str
    inventory: Inventory
    remote: bool
    answer: HubAnswer | None
    claimed: dict[str, str]


def ask_origin(path: str, asked: Asked, options: Options, progress: Progress, *, digests: bool = False) -> Answer:
    """Read a model once and say where it comes from.

    Args:
        digests: hash every byte too, so that the answer names what it is about.

    Raises:
        SubjectError: the model cannot be examined.
        UsageError: a file beside it makes no sense.
        VerifyError: the dossier is not verified, or is about another model.
    """
    from openvet.workflows.assemble import subject_of

    settled = options.settled()
    if not digests and not asked.known:
        settled = replace(settled, algorithms=())
    now, before = _answers(asked.metadata), _answers(asked.earlier)
    if before is not None and now is None and not path.startswith("hf:"):
        raise UsageError("an earlier answer of a hub is compared with a later one: name it with --metadata")
    pool = make_pool(settled, progress)
    origin = open_origin(path, settled)
    try:
        taken = finish(begin(origin, settled, pool), settled, progress)
        model = _Model(path, taken.inventory, bool(origin.remote), _hubs(origin, path), _claimed(origin))
    finally:
        pool.stop()
        origin.close()
    subject = subject_of(taken.snapshot, taken.inventory)
    said = _origin(model, asked, now, before, settled, progress)
    return Answer(printable(path), subject, said, not_read(taken))


def origin_of(path: str, inventory: Inventory, about: Any = None) -> OriginV1:
    """What a model that was read says of its origin, with nothing at hand beside it.

    Args:
        about: what the hub answered when the model was listed.
    """
    answer = None if about is None else take_answer(about, "the hub's answer", _named(path))
    remote = path.startswith(SCHEMES)
    model = _Model(path, inventory, remote, answer, {})
    return _origin(model, Asked(), None, None, Options().settled(), Progress())


def _origin(
    model: _Model, asked: Asked, now: HubAnswer | None, before: HubAnswer | None, options: Options, progress: Progress
) -> OriginV1:
    now = _together(model.answer, now)
    place = _place(model, now)
    names = examine_names(model.inventory, place)
    remarks = list(names.remarks)
    unknown: list[str] = []
    if now is not None:
        remarks += look_at_answer(now)
        if before is not None:
            remarks += compare_answers(before, now)
    copies: tuple[Copy, ...] = ()
    if asked.known:
        copies, left = _copies(model, place, asked.known, options, progress)
        unknown += left
        remarks += remarks_on(copies)
    signers: tuple[Signer, ...] = ()
    for signed in _signed(model, asked, progress):
        signers += signed.signers
        unknown += signed.not_known
    unknown += _not_known(model, place, now, before, asked)
    remarks.sort(key=lambda each: REMARKS.index(each.kind))
    left_out = max(0, len(names.names) - _MOST) + max(0, len(remarks) - _MOST) + max(0, len(copies) - _MOST)
    facts = () if now is None else tuple(facts_of(now))
    return OriginV1(
        tool(), place, names.publishers, names.names[:_MOST], signers, facts, copies[:_MOST], tuple(remarks[:_MOST]), tuple(unknown), left_out,
    )  # fmt: skip


# --- what a hub says ---


def _hubs(origin: Any, path: str) -> HubAnswer | None:
    """What the hub answered when the model was listed."""
    about = getattr(origin, "about", None)
    if about is None:
        return None
    return take_answer(about, "the hub's answer", _named(path))


def _named(path: str) -> str:
    """``organisation/name`` of ``hf:organisation/name@revision``."""
    return "/".join(path.removeprefix("hf:").removeprefix("datasets/").partition("@")[0].split("/")[:2])


def _answers(paths: Sequence[str]) -> HubAnswer | None:
    """The answers in files, put together.

    Raises:
        UsageError: one cannot be read, or is none.
    """
    out: HubAnswer | None = None
    for path in paths:
        shown = printable(path)
        try:
            value = json.loads(read_small(path, _ANSWER))
        except OSError as error:
            raise UsageError(f"{shown}: {error.strerror or error}") from error
        except (SubjectError, ValueError, RecursionError) as error:
            raise UsageError(f"{shown}: is no JSON of a hub: {error}") from error
        found = _answer(value, printable(os.path.basename(path)))
        if found is None:
            raise UsageError(
                f"{shown}: is no answer of a hub about a model (/api/models/ORG/NAME), no list of commits, and no origin statement that keeps one"
            )
        if out is not None and out.id and found.id and out.id.casefold() != found.id.casefold():
            raise UsageError(
                f"{shown}: is about {printable(found.id)}, and the file before it about {printable(out.id)}"
            )
        out = _together(out, found)
    return out


def _answer(value: Any, source: str) -> HubAnswer | None:
    """A hub's own answer, or the one that an origin statement has kept."""
    found = take_answer(value, source)
    if found is not None:
        return found
    from openvet.workflows.known_models import statements_in

    kept = (stated_answer(body, source) for _, body in statements_in(value, ORIGIN))
    return next((each for each in kept if each is not None), None)


def _together(one: HubAnswer | None, other: HubAnswer | None) -> HubAnswer | None:
    """Both; what the first does not say is taken from the second."""
    if one is None or other is None:
        return one or other
    filled = {
        name: getattr(other, name)
        for name in ("asked", "id", "author", "object_id", "sha", "created", "modified", "gated", "private", "disabled", "license", "files")
        if getattr(one, name) is None
    }  # fmt: skip
    return replace(one, commits=one.commits or other.commits, **filled)


def _place(model: _Model, now: HubAnswer | None) -> Place | None:
    """Where it was published: where it was fetched from, else what a cache or a file of metadata says."""
    found = place_of(model.inventory.name)
    if found is not None:
        return found
    if model.path.startswith("oci:") and model.remote:
        host, _, rest = model.path.removeprefix("oci:").partition("/")
        repository, _, digest = rest.partition("@")
        head, _, last = repository.rpartition("/")
        repository = "/".join(filter(None, (head, last.partition(":")[0])))
        return Place(printable(host), printable(repository.partition("/")[0] if "/" in repository else ""), printable(repository), printable(digest), "measured")  # fmt: skip
    cached = _SNAPSHOT.search(os.path.realpath(model.path))
    if cached is not None and "--" in cached[1] and not model.remote:
        account, _, name = printable(cached[1]).partition("--")
        commit = cached[2]
        return Place(HUB, account, f"{account}/{name}", commit, "declared")
    if now is not None and now.id:
        return Place(HUB, printable(now.account), printable(now.id), now.sha or "", "declared")
    return None


# --- copies ---


def _claimed(origin: Any) -> dict[str, str]:
    """Digests that a server names for files, by their places."""
    if not origin.remote:
        return {}
    from openvet.workflows.declared import declared_digests

    by_name = declared_digests(origin)
    return {each.place: by_name[each.name].sha256 for each in origin.snapshot.entries if each.name in by_name}


def _copies(
    model: _Model, place: Place | None, folder: str, options: Options, progress: Progress
) -> tuple[tuple[Copy, ...], list[str]]:
    from openvet.workflows.known_models import read_known, tensors_of

    left: list[str] = []
    mine: list[Held] = []
    if model.remote:
        left.append(
            "the tensors of a model on a server are not read: only files whose digests the server names are compared"
        )
    else:
        try:
            mine = counting(tensors_of(model.path, options.in_force, progress))
        except OpenVetError as error:
            left.append(f"its tensors were not read: {printable(str(error))}")
        if not mine:
            left.append("it has no tensor that could be compared with those of other models")
    out: list[Copy] = []
    drawn: list[Held] | None = None
    passed: dict[str, list[str]] = {}
    for each in read_known(folder, model.path, options.in_force, progress):
        if each.why:
            passed.setdefault(each.why, []).append(each.name)
            continue
        own, says = _is_called(model, place, each.name), _says(model, each.name)
        if each.sketch:
            if drawn is None:
                drawn, why = _sketched(model, options, progress)
                left += [why] if why else []
            seen = compare_held(drawn, counting(each.sketch), each.name, same_name=own, says_so=says)
            out += [replace(seen, basis="derived", sketched=True)] if seen is not None else []
            continue
        found = (
            _by_files(model, each, same_name=own, says_so=says)
            if each.files is not None
            else compare_held(mine, counting(each.tensors), each.name, same_name=own, says_so=says)
        )
        if found is not None:
            out.append(found)
    for why, names in passed.items():
        more = f" and {len(names) - _SAID} more" if len(names) > _SAID else ""
        left.append(f"not compared in the folder of known models: {', '.join(names[:_SAID])}{more}: {why}")
    return tuple(sorted(out, key=lambda each: (-each.equal_bytes, each.of))), left


def _sketched(model: _Model, options: Options, progress: Progress) -> tuple[list[Held], str]:
    """The matrices of the model as fingerprints have them, or none and why."""
    from openvet.workflows.fingerprints import fingerprint
    from openvet.workflows.known_models import sketched_tensors

    if model.remote:
        return [], "fingerprints of known models are not compared: the weights of a model on a server are not read"
    try:
        return counting(sketched_tensors(fingerprint(model.path, options, progress).predicate)), ""
    except OpenVetError as error:
        return [], f"fingerprints of known models are not compared: {printable(str(error))}"


def _by_files(model: _Model, other: KnownModel, *, same_name: bool, says_so: bool) -> Copy | None:
    """Files of the same digest that hold tensors."""
    equal = tensors = equal_bytes = total = 0
    for each in model.inventory.files:
        if not each.tensors:
            continue
        tensors += len(each.tensors)
        total += each.size
        digest = each.digests.get("sha256") or model.claimed.get(each.place)
        if digest is not None and digest in (other.files or {}):
            equal += len(each.tensors)
            equal_bytes += each.size
    return Copy(other.name, "derived", equal, tensors, equal_bytes, total, same_name, says_so) if equal else None


def _is_called(model: _Model, place: Place | None, name: str) -> bool:
    """Whether both have one name; a name without an account is that of any."""
    own = place.repository if place is not None else os.path.basename(os.path.normpath(model.path))
    return _same(own, name)


def _says(model: _Model, name: str) -> bool:
    return any(
        _same(each.repository or each.value, name)
        for each in model.inventory.once(find_names)
        if each.role in ("base", "model")
    )


def _same(one: str, other: str) -> bool:
    one, other = (each.split("@")[0].removeprefix("hf:").casefold() for each in (one, other))
    return one == other or (("/" not in one or "/" not in other) and one.rpartition("/")[2] == other.rpartition("/")[2])


# --- signatures ---


def _signed(model: _Model, asked: Asked, progress: Progress) -> Iterator[Any]:
    from openvet.workflows.signers import signed_beside, signed_in_dossier

    if not model.remote:
        yield signed_beside(model.path, asked.signature_trust, progress)
    if asked.dossier:
        here = None if model.remote else model.path
        yield signed_in_dossier(asked.dossier, asked.key, here, asked.dossier_trust, progress)


def _not_known(
    model: _Model, place: Place | None, now: HubAnswer | None, before: HubAnswer | None, asked: Asked
) -> Iterator[str]:
    if place is None:
        yield "nothing says where it was published: the account is not known"
    if now is None:
        yield "no answer of a hub is at hand: when it was made, by whom and whether it was renamed is not known"
    elif before is None:
        yield "no earlier answer of the hub is at hand: whether the name belonged to somebody else before is not known"
    if not asked.known:
        yield "no folder of known models was named: whether the same tensors are published under another name is not known"
    if model.remote and not asked.dossier:
        yield "signatures of a model on a server are not looked at"
