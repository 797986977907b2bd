"""An OpenID provider: what it says of itself, of its keys, and of somebody who logged in there. Nothing of it is believed unchecked.

OpenID Connect Core 1.0 (sections 3.1.3.3, 3.1.3.7, 5.3.2), Discovery 1.0 (4.3), RFC 7636 (PKCE), RFC 7515 and 7517 (signatures and keys). What is
fetched has bounds of time and size, and no redirect is followed. The signature is computed by PyJWT; which algorithm, which key and which claims
count is decided here, by the server's own clock.
"""

from __future__ import annotations

import base64
import hmac
import json
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final, TypeVar
from urllib.parse import quote_plus, urlencode, urlsplit

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import OpenVetError, UnreachableError, UsageError
from openvet.gate.roles import ROOT, Role
from openvet.io.http import Client, Reply, is_this_machine, origin_of

__all__ = ["ALGORITHMS", "GroupRole", "Provider", "ProviderError", "ProviderSettings", "Told", "check_address"]

#: What an ID token may be signed by: never ``none``, and nothing whose key we share.
ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
_DOCUMENT, _KEYS, _TOKENS = 64 * 1024, 256 * 1024, 128 * 1024
_LONGEST_TOKEN, _MOST_KEYS, _MOST_GROUPS = 64 * 1024, 100, 5000
#: Seconds of one wait, and of one whole conversation with the provider.
_WAIT, _WHOLE = 5.0, 10.0
#: Conversations at once: a provider that does not answer must not hold the threads that answer everybody else.
_AT_ONCE: Final = 8
#: Milliseconds: how long what was fetched counts, how long a failure does, and how rarely an unknown key has the keys fetched anew.
_FRESH, _FAILED, _ANEW = 3_600_000, 5_000, 30_000
#: Seconds by which two clocks may differ, and how old a token may be that was made for this very login.
_LEEWAY, _OLDEST = 60, 600

_T = TypeVar("_T")


class ProviderError(OpenVetError):
    """The provider cannot be reached, or what it says does not count.

    Attributes:
        why: in a word, such as ``nonce``; for the log.
    """

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True, slots=True)
class GroupRole:
    """Whoever is in ``group`` at the provider has ``role`` in ``project`` and below."""

    group: str
    role: Role
    project: str = ROOT


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Where the people of a company log in.

    Attributes:
        issuer: the provider's identifier, a URL; compared letter by letter.
        client_id, client_secret: as who this server is known there; without a secret it is a public client.
        scopes: what is asked for; ``openid`` is always among it.
        name: how people call it.
        username_claim: which claim becomes the name here; '' takes ``preferred_username``, and ``email`` where there is none.
        groups_claim: which claim lists the groups of somebody; '' asks for none.
        roles: which group gives which role.
        create: whether somebody who was never here becomes a person here.
        only: whether passwords of this server count no more.
    """

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    name: str = "the company login"
    username_claim: str = ""
    groups_claim: str = ""
    roles: tuple[GroupRole, ...] = ()
    create: bool = True
    only: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """Who somebody is, as the provider says.

    Attributes:
        subject: what identifies them there, for ever; nothing else does.
        name, title: what they are called.
        groups: that they are in.
    """

    subject: str
    name: str
    title: str
    groups: frozenset[str]


def check_address(url: str) -> None:
    """Hold an address to https; http is for this machine alone.

    Raises:
        UsageError: it is none, holds a name and password, or leads over an open line.
    """
    try:
        scheme, host, _ = origin_of(url)
    except UnreachableError as error:
        raise UsageError(f"{printable(url)[:200]} is no address: {error}") from error
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise UsageError(f"{printable(url)[:200]} holds more than an address")
    if not url.isascii() or not url.isprintable() or any(each in url for each in " '\"<>\\"):
        raise UsageError(f"{printable(url)[:200]} holds characters that no address may hold")
    if scheme != "https" and not is_this_machine(host):
        raise UsageError(
            f"{printable(url)[:200]} has to start with https://, or what is sent there would travel in the open"
        )


class Provider:
    """One provider, asked when somebody logs in. May be used by several threads.

    Args:
        settings: which one.
        clock: milliseconds UTC.
    """

    def __init__(self, settings: ProviderSettings, clock: Callable[[], int]) -> None:
        self.settings = settings
        self._clock = clock
        self._host = origin_of(settings.issuer)[1]
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._lock = threading.Lock()
        self._document: tuple[int, dict[str, str]] | None = None
        self._failed: tuple[int, ProviderError] | None = None
        self._keys: tuple[int, list[dict[str, Any]]] | None = None

    # --- what it says of itself ---

    def document(self) -> Mapping[str, str]:
        """Its addresses: ``authorization_endpoint``, ``token_endpoint``, ``jwks_uri``; where it has them ``userinfo_endpoint`` and
        ``end_session_endpoint``; ``basic`` and ``names_issuer`` are 'yes' where the client's secret goes into a header, and where answers say who gives them.

        Raises:
            ProviderError: it cannot be had, or is another's.
        """
        now = self._clock()
        with self._lock:
            if self._document is not None and 0 <= now - self._document[0] < _FRESH:
                return self._document[1]
            if self._failed is not None and 0 <= now - self._failed[0] < _FAILED:
                raise self._failed[1]
        try:
            url = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
            found = self._checked(
                self._json("its description", lambda client: client.send("GET", url, limit=_DOCUMENT))
            )
        except ProviderError as error:
            with self._lock:
                self._failed = now, error
            raise
        with self._lock:
            self._document, self._failed = (now, found), None
        return found

    def _checked(self, said: dict[str, Any]) -> dict[str, str]:
        if said.get("issuer") != self.settings.issuer:
            raise ProviderError("issuer", f"its description is one of {printable(str(said.get('issuer')))[:200]}; the issuer in serve.toml has to be the same, letter by letter")  # fmt: skip
        methods = said.get("code_challenge_methods_supported")
        if isinstance(methods, list) and "S256" not in methods:
            raise ProviderError("pkce", "it does not take PKCE with S256")
        found = {}
        for name in (
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "userinfo_endpoint",
            "end_session_endpoint",
        ):
            url = said.get(name)
            if url is None and name in {"userinfo_endpoint", "end_session_endpoint"}:
                continue
            if not isinstance(url, str):
                raise ProviderError("description", f"its description names no {name}")
            try:
                check_address(url)
            except UsageError as error:
                raise ProviderError("address", f"{name}: {error}") from error
            if is_this_machine(origin_of(url)[1]) and not is_this_machine(self._host):
                raise ProviderError("address", f"{name} is on this machine, and the provider is not")
            found[name] = url
        ways = said.get("token_endpoint_auth_methods_supported")
        found["basic"] = "yes" if not isinstance(ways, list) or "client_secret_basic" in ways else ""
        found["names_issuer"] = "yes" if said.get("authorization_response_iss_parameter_supported") is True else ""
        return found

    # --- a login ---

    def redeem(self, code: str, verifier: str, redirect: str, nonce: str) -> Told:
        """Who somebody is that came back with ``code``.

        Args:
            verifier: of PKCE.
            redirect: the address that they came back to.
            nonce: what the token has to hold, so that it is one for this login.

        Raises:
            ProviderError: the provider cannot be reached or refuses, or its token does not count.
        """
        settings, document = self.settings, self.document()
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        header = None
        if settings.client_secret and document["basic"]:
            pair = f"{quote_plus(settings.client_id)}:{quote_plus(settings.client_secret)}"  # RFC 6749 section 2.3.1
            header = f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"
        else:
            fields["client_id"] = settings.client_id
            if settings.client_secret:
                fields["client_secret"] = settings.client_secret
        body, url = urlencode(fields).encode("ascii"), document["token_endpoint"]
        sent = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        said = self._json("a token", lambda client: client.send("POST", url, body, limit=_TOKENS, headers=sent), header)
        token = said.get("id_token")
        if not isinstance(token, str) or not token.isascii() or len(token) > _LONGEST_TOKEN:
            raise ProviderError("token", "it gave no ID token")
        claims = self.claims(token, nonce)
        return self._told(claims, said.get("access_token"))

    def claims(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token, after every check of OpenID Connect Core 3.1.3.7.

        Raises:
            ProviderError: it fails one.
        """
        claims = self._verified(token)
        settings, now = self.settings, self._clock() / 1000
        if claims.get("iss") != settings.issuer:
            raise ProviderError("iss", "its token is one of another issuer")
        audience = claims.get("aud")
        several = audience if isinstance(audience, list) else [audience]
        if settings.client_id not in several or not all(isinstance(each, str) for each in several):
            raise ProviderError("aud", "its token is for another application")
        if claims.get("azp", settings.client_id) != settings.client_id or (len(several) > 1 and "azp" not in claims):
            raise ProviderError("azp", "its token was given to another application")
        if not _number(claims.get("exp")) or now >= claims["exp"] + _LEEWAY:
            raise ProviderError(
                "exp", "its token has expired; the clocks of both machines may differ by a minute at most"
            )
        if not _number(claims.get("iat")) or not claims["iat"] - _LEEWAY <= now <= claims["iat"] + _OLDEST:
            raise ProviderError(
                "iat", "its token was not made just now; the clocks of both machines may differ by a minute at most"
            )
        if _number(claims.get("nbf")) and now < claims["nbf"] - _LEEWAY:
            raise ProviderError("nbf", "its token does not count yet")
        if not isinstance(claims.get("nonce"), str) or not hmac.compare_digest(
            claims["nonce"].encode(), nonce.encode()
        ):
            raise ProviderError("nonce", "its token is one for another login")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
            raise ProviderError("sub", "its token says nobody's identity")
        return claims

    def _verified(self, token: str) -> dict[str, Any]:
        import jwt

        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise ProviderError("token", "what it gave is no signed token") from error
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS:
            raise ProviderError(
                "alg", f"its token is signed by {printable(str(algorithm))[:40]}; {', '.join(ALGORITHMS)} count here"
            )
        if "crit" in header or not isinstance(kid, str | None):
            raise ProviderError("header", "its token asks for what is not known here")
        key = self._key(algorithm, kid)
        try:
            payload = jwt.PyJWS(algorithms=[algorithm]).decode(token, jwt.PyJWK(key, algorithm), [algorithm])
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise ProviderError("signature", "the signature of its token is not by its key") from error
        return _object("token", payload)

    def _key(self, algorithm: str, kid: str | None) -> dict[str, Any]:
        """The one key that may have signed; the keys are fetched once more where none is, since providers change them."""
        for anew in (False, True):
            fits = [
                each for each in self._all_keys(anew=anew) if _fits(each, algorithm) and kid in {None, each.get("kid")}
            ]
            if len(fits) == 1:
                return fits[0]
            if fits:
                raise ProviderError("kid", "its token does not say which of several keys it is signed by")
        raise ProviderError("kid", "its token is signed by a key that it does not publish")

    def _all_keys(self, *, anew: bool) -> list[dict[str, Any]]:
        now = self._clock()
        with self._lock:
            known = self._keys
        if known is not None and 0 <= now - known[0] < (_ANEW if anew else _FRESH):
            return known[1]
        url = self.document()["jwks_uri"]
        said = self._json("its keys", lambda client: client.send("GET", url, limit=_KEYS)).get("keys")
        if not isinstance(said, list) or len(said) > _MOST_KEYS:
            raise ProviderError("keys", "what it publishes as its keys is no list of keys")
        found = [each for each in said if isinstance(each, dict)]
        with self._lock:
            self._keys = now, found
        return found

    def _told(self, claims: dict[str, Any], access: object) -> Told:
        settings = self.settings
        named = [settings.username_claim] if settings.username_claim else ["preferred_username", "email"]
        lacks = not any(each in claims for each in named) or (
            settings.groups_claim and settings.groups_claim not in claims
        )
        url = self.document().get("userinfo_endpoint")
        if lacks and url and isinstance(access, str) and access.isascii() and access.isprintable():
            more = self._json(
                "what it knows of somebody", lambda client: client.send("GET", url, limit=_TOKENS), f"Bearer {access}"
            )
            if more.get("sub") != claims["sub"]:  # Core 5.3.2: else it is about somebody else
                raise ProviderError("userinfo", "it told of somebody else than it let in")
            claims = {**more, **claims}
        groups: object = claims.get(settings.groups_claim, []) if settings.groups_claim else []
        elsewhere = claims.get("_claim_names")
        if (
            settings.groups_claim
            and settings.groups_claim not in claims
            and isinstance(elsewhere, dict)
            and settings.groups_claim in elsewhere
        ):
            raise ProviderError("groups", "they are in more groups than fit into a token; have it send only the groups that are assigned to this application")  # fmt: skip
        listed = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        if len(listed) > _MOST_GROUPS:
            raise ProviderError("groups", f"they are in more than {_MOST_GROUPS} groups")
        name = next((claims[each] for each in named if isinstance(claims.get(each), str) and claims[each]), "")
        title = claims.get("name")
        return Told(
            claims["sub"],
            printable(name)[:200],
            printable(title)[:200] if isinstance(title, str) else "",
            frozenset(each for each in listed if isinstance(each, str)),
        )

    # --- talking ---

    def _json(
        self, what: str, ask: Callable[[Client], tuple[bytes, Reply]], authorization: str | None = None
    ) -> dict[str, Any]:
        client = Client(lambda _: authorization, timeout=_WAIT, tries=1, home=self._host)
        try:
            data, reply = self._within(lambda: ask(client))
        except UnreachableError as error:
            raise ProviderError("unreachable", f"it does not give {what}: {error}") from error
        finally:
            client.close()
        if reply.status != 200:
            code = _object_or_nothing(data).get("error")
            told = f" ({printable(code)[:60]})" if isinstance(code, str) else ""
            raise ProviderError("refused", f"it does not give {what}: it answers with status {reply.status}{told}")
        return _object(what, data)

    def _within(self, do: Callable[[], _T]) -> _T:
        """What ``do`` gives, waited for so long and no longer: a server that gives a byte now and then ends no wait of a socket."""
        if not self._places.acquire(timeout=1.0):
            raise UnreachableError("too many logins wait for its answer")
        box: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        made: list[_T] = []

        def run() -> None:
            try:
                made.append(do())
                box.put(None)
            except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                box.put(error)
            finally:
                self._places.release()

        threading.Thread(target=run, name="provider", daemon=True).start()
        try:
            error = box.get(timeout=_WHOLE)
        except queue.Empty:
            raise UnreachableError(f"no answer in {_WHOLE:g} s") from None
        if error is not None:
            raise error
        return made[0]


def _fits(key: dict[str, Any], algorithm: str) -> bool:
    """Whether a published key may sign by that algorithm: of its kind, for signatures, and of 2048 bits at least where it is RSA."""
    if key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm:
        return False
    if algorithm == "RS256":
        modulus = key.get("n")
        return key.get("kty") == "RSA" and isinstance(modulus, str) and 340 <= len(modulus) <= 2800
    kind = ("EC", "P-256") if algorithm == "ES256" else ("OKP", "Ed25519")
    return (key.get("kty"), key.get("crv")) == kind


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; one that names a thing twice says two things."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _object(what: str, data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise ProviderError("json", f"what it gave as {what} cannot be read") from error
    if not isinstance(found, dict):
        raise ProviderError("json", f"what it gave as {what} cannot be read")
    return found


def _object_or_nothing(data: bytes) -> dict[str, Any]:
    try:
        return _object("", data)
    except ProviderError:
        return {}
