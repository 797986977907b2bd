"""How "no" is said, so that the person at the client reads why.

Clients of a hub show few refusals to a person, and answer most of them from their cache. Which form does what was measured with
``huggingface_hub`` 0.36.2, 1.33.0 and 2.4.0 and Transformers 5.23; ``tests/hubclients`` measures it again. One table says it all.

``X-HF-Warning`` carries the reason a second time: from 1.x on the client logs it, once for each topic, also where it answers from its cache or
where its command line has words of its own for an error (``hf download`` calls every ``GatedRepo`` "requires approval").
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.gate.answers import Refusal, RefusedError

__all__ = ["FORMS", "PLAIN", "Form", "Headers", "error_answer", "line", "refusal_answer"]

#: Headers of an answer as ASGI takes them.
Headers = list[tuple[bytes, bytes]]

_LONGEST: Final = 1000
#: What each answer of this door carries: nothing in it is run by a browser, and nothing keeps it.
PLAIN: Final[Headers] = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"cache-control", b"no-store"),
]


@dataclass(frozen=True, slots=True)
class Form:
    """A status, and the value of ``X-Error-Code`` if there is one."""

    status: int
    code: str = ""


#: ``GatedRepo`` is the one form that shows the reason in snapshots, single files and ``from_pretrained``; ``RevisionNotFound`` the one
#: that is not answered from the client's cache. 502 and 507 are answered from it, as they should be: what lies there was admitted.
FORMS: Final = {
    Refusal.NOT_APPROVED: Form(403, "GatedRepo"),
    Refusal.REVOKED: Form(404, "RevisionNotFound"),
    Refusal.NO_REPOSITORY: Form(404, "RepoNotFound"),
    Refusal.NO_REVISION: Form(404, "RevisionNotFound"),
    Refusal.NO_FILE: Form(404, "EntryNotFound"),
    Refusal.NOT_ALLOWED: Form(401),
    Refusal.UPSTREAM: Form(502),
    Refusal.STORAGE: Form(507),
}


def line(text: str) -> str:
    """``text`` as one line of printable ASCII, of at most 1,000 characters: what a header can carry, whatever a model is called."""
    plain = " ".join(printable(" ".join(text.split())).encode("ascii", "backslashreplace").decode("ascii").split())
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 3] + "..."


def refusal_answer(refused: RefusedError, base: str) -> tuple[int, Headers, bytes]:
    """Status, headers and body for a refusal.

    Args:
        refused: why.
        base: where our pages are, such as ``https://models.example``.
    """
    form = FORMS[refused.why]
    reason = f"{refused.reason.rstrip('.')}. See {base}{refused.link}" if refused.link else refused.reason
    return error_answer(form.status, reason, code=form.code, commit=refused.commit)


def error_answer(
    status: int, reason: str, *, code: str = "", commit: str = "", more: Headers | None = None
) -> tuple[int, Headers, bytes]:
    """Status, headers and body of an error in the hub's form. Header and body say the same, since clients show each once."""
    shown = line(reason)
    body = json.dumps({"error": shown}).encode()
    headers = [
        *PLAIN,
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-error-message", shown.encode("ascii")),
        (b"x-hf-warning", f"openvet-{_topic(shown)}; {shown}".encode("ascii")),
        *(more or []),
    ]
    if code:
        headers.append((b"x-error-code", code.encode("ascii")))
    if commit:
        headers.append((b"x-repo-commit", line(commit).encode("ascii")))
    return status, headers, body


def _topic(shown: str) -> str:
    """A topic for each reason: of one that it has shown, a client shows no second."""
    return hashlib.sha256(shown.encode("ascii")).hexdigest()[:12]
