"""Files in which tools keep a password, a key or a token that has no form of its own: known by their names.

``.netrc``, ``kubeconfig``, ``.pgpass``, Terraform's state, logins of registries and so on. A value that looks like a placeholder, refers
to a variable, or has little entropy does not count.

Sources: the documentation of the tools; MITRE ATT&CK T1552.001.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from openvet.core.pattern import pattern

__all__ = ["kept_in"]

_SAID = r"(?:password|passwd|pwd|passphrase|secret|token|authtoken|oauth_token|api_?key|secret_?key|access_?key|private_?key|client_?secret|refresh_?token|access_?token|secret_access_key|storage_key)"
#: ``name = value``, and ``"name": "value"``.
_SETTING = rf"^[ \t]{{0,80}}(?:export[ \t]{{1,4}}|set[ \t]{{1,4}})?[\"']?[\w.:/-]{{0,80}}?{_SAID}[\"']?[ \t]{{0,20}}[:=][ \t]{{0,20}}[\"']?([^\s\"'#,;]{{8,400}})"
_MEMBER = rf"\"[\w-]{{0,60}}?{_SAID}\"\s{{0,20}}:\s{{0,20}}\"([^\"\s]{{8,4000}})\""
#: Names of files (in lower case, behind a slash), what they are, and how the secret stands in them.
_FILES: Final = tuple(
    (re.compile(name), title, re.compile(what, re.IGNORECASE | re.MULTILINE))
    for name, title, what in (
        (r"/[._]netrc$", "password of a .netrc", r"\bpassword\s{1,20}(\S{4,200})"),
        (r"/(?:kube_?config[\w.-]{0,20}|[\w.-]{0,60}\.kubeconfig|\.kube/config)$", "key or token of a cluster", r"^[ \t-]{0,40}(?:client-key-data|token|password|client-secret|refresh-token|id-token):[ \t]{0,8}[\"']?([^\s\"']{12,20000})"),
        (r"/\.?pgpass(?:\.conf)?$", "password of a database", r"^[^:#\n]{1,200}:[^:\n]{0,40}:[^:\n]{0,100}:[^:\n]{1,100}:([^\s:]{4,200})"),
        (r"/(?:\.?my(?:login)?\.cnf|\.mylogin\.cnf)$", "password of a database", r"^[ \t]{0,20}password[ \t]{0,8}=[ \t]{0,8}[\"']?([^\s\"']{4,200})"),
        ((r"/(?:\.boto|boto\.cfg|\.s3cfg|\.?rclone\.conf|\.pypirc|\.databrickscfg|credentials|\.aws/config|secrets?\.(?:toml|ya?ml|ini|env|properties)|\.env(?:\.(?:local|prod|production|dev|development|staging))?|[\w-]{1,40}\.env|"
         r"credentials\.(?:toml|ya?ml|ini)|\.?terraformrc|terraform\.tfvars|[\w.-]{1,40}\.auto\.tfvars|gradle\.properties|database\.ya?ml|ngrok\.ya?ml|\.yarnrc\.yml|\.?ossutilconfig|\.?oci/config|\.dbt/profiles\.yml|profiles\.yml|hosts\.yml|\.vault_pass(?:\.txt)?|\.?smbcredentials|\.cloudflared/[\w.-]{1,80}|\.?snowsql/config|\.edgerc|\.tugboat|\.gem/credentials|\.hex/hex\.config)$"),
         "password, key or token", _SETTING),
        (r"/(?:[\w.-]{1,60}\.tfstate(?:\.backup)?|application_default_credentials\.json|accesstokens\.json|msal_token_cache[\w.]{0,10}|credentials\.(?:json|tfrc\.json|db)|token\.json|secrets?\.json|sftp(?:-config)?\.json|\.ftpconfig|auth\.json|client_secret[\w.-]{0,90}\.json|service[_-]?account[\w.-]{0,60}\.json|oauth\.json|\.credentials\.json)$",
         "password, key or token", _MEMBER),
        (r"/\.npmrc$", "login of npm", r"(?:_auth(?:Token)?|_password)[ \t]{0,8}=[ \t]{0,8}[\"']?([^\s\"']{8,400})"),
        (r"/\.?git-credentials$", "login of Git", r"^https?://[^:/\s]{1,100}:([^@\s]{4,400})@"),
        (r"/(?:\.?htpasswd|shadow|\.htdigest)$", "hash of a password", r"^[^:\s]{1,80}:(?:[^:\n]{0,80}:)?\$(\w{1,6}\$[^\s:]{8,200}|\{SHA\}\S{20,60})"),
        (r"/(?:settings(?:-security)?\.xml|nuget\.config|filezilla\.xml|recentservers\.xml|sitemanager\.xml|connections\.xml)$", "password in settings", r"(?:<(?:password|Pass)(?:\s[^>]{0,60})?>([^<\s]{4,200})<|\"(?:ClearText)?Password\"\s{1,8}value=\"([^\"\s]{4,200})\")"),
        (r"/\.vault-token$", "token of Vault", r"\A([\w.-]{20,200})\s{0,4}\Z"),
        (r"/wp-config\.php$", "password of a database", r"define\(\s{0,8}['\"](?:DB_PASSWORD|AUTH_KEY|SECURE_AUTH_KEY)['\"]\s{0,8},\s{0,8}['\"]([^'\"\n]{4,200})['\"]"),
    )
)  # fmt: skip
#: One of these stands in the name of every such file.
_MAY: Final = pattern(
    r"netrc|kube|pgpass|my(?:login)?\.cnf|boto|s3cfg|rclone|pypirc|databrickscfg|credentials|secret|\.env|terraform|tfvars|tfstate|gradle\.prop|database\.y|ngrok|yarnrc|oss|oci/|profiles\.yml|hosts\.yml|"
    r"vault|smbcred|cloudflared|snowsql|edgerc|tugboat|hex\.config|tokens?[._]|sftp|ftpconfig|auth\.json|service|oauth|npmrc|htpasswd|htdigest|/shadow|settings|nuget|filezilla|recentservers|sitemanager|connections|wp-config|\.aws/"
)
_PLACEHOLDER: Final = pattern(
    r"(?:[<$%{\[*]|your|my[_-]?|change|example|sample|dummy|placeholder|password|passwd|secret|token|test|none|null|true|false|undefined|env[.(:]|os\.|process\.|file:|vault:|insert|replace|fill|todo|xxx|\.\.\.|redacted|encrypted|null|required|optional|string|default|https?://|/)",
    re.IGNORECASE,
)
_REST: Final = pattern(r"x{4,}|\*{3,}|\.\.\.|example|placeholder|<|\$\{|1234567|abcdefg", re.IGNORECASE)
_MOST: Final = 20


def kept_in(place: str, text: str) -> Iterator[tuple[str, str, int]]:
    """What each secret is, the secret, and where it stands in ``text``, of the file at ``place``."""
    name = f"/{place.lower()}"
    if _MAY.search(name) is None:
        return
    for file, title, what in _FILES:
        if file.search(name) is None:
            continue
        for found in islice(what.finditer(text), _MOST):
            secret = found[found.lastindex or 1]
            if _PLACEHOLDER.match(secret) is None and _REST.search(secret) is None:
                yield title, secret, found.start(found.lastindex or 1)
