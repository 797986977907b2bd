"""Keys by which somebody logs in to an image or a machine: that of whoever starts it, from a variable, or one that comes with the script.

Images for rented machines write the public key of their user, who gives it as a variable of the environment, to ``authorized_keys``. That
is another matter than a key that is written out, or that comes from another place.
"""

from __future__ import annotations

from typing import Final

from openvet.core.pattern import pattern

__all__ = ["brings_key", "takes_own_key"]

_NAME: Final = r"(?:[A-Z]\w{0,30}_)?(?:PUBLIC_KEYS?|PUBKEYS?|PUB_KEYS?|SSH_KEYS?|SSH_PUBLIC_KEYS?|AUTHORIZED_KEYS?)"
#: One line that writes a variable as a whole to the keys of the home, and does nothing else.
_WRITES: Final = pattern(
    r"(?:RUN )?(?:(?:if )?\[{1,2} -n \"?\$\{?\w{1,60}\}?\"? \]{1,2}(?:; then| &&) )?(?:echo|printf ['\"]?%s(?:\\n)?['\"]?) [\"']?\$\{?("
    + _NAME
    + r")\}?[\"']? ?>>? ?[\"']?"
    r"(?:~|/root|\$\{?HOME\}?|/home/[\w-]{1,40})/\.ssh/authorized_keys[\"']?(?: ?; ?fi| && chmod (?:0?600|0?700|-R [\w=,-]{1,20}) [^;&|]{1,60})?;?"
)
#: A variable of such a name to which a script or an image gives a key that is written out.
_GIVEN: Final = pattern(
    r"(?:^|[\s;&])(?:ENV |ARG |export )?"
    + _NAME
    + r"[= ][\"']?(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-\w{1,20}|sk-ssh-\w{1,20}) {1,4}AAAA[\w+/]{16}"
)


#: Words by which a variable is given something.
_SETS: Final = pattern(r"\b(?:read|mapfile|readarray|for|printf -v|ENV|ARG|declare|local|source|eval)\b|[+:]=")


def takes_own_key(line: str, text: str) -> bool:
    """Whether ``line`` lets in whoever starts the script, by a variable to which ``text``, all of it, gives nothing itself."""
    found = _WRITES.fullmatch(line)
    if found is None:
        return False
    return not any(
        found[1] in line and (f"{found[1]}=" in line or _SETS.search(line) is not None) for line in text.splitlines()
    )


def brings_key(line: str) -> bool:
    """Whether ``line`` gives such a variable a key that comes with the script."""
    return "-" in line and "KEY" in line and _GIVEN.search(line) is not None
