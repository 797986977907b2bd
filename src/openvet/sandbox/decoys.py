"""Secrets that are none, made anew for each run: a home in which a thief finds what thieves look for, and by which a theft is seen.

Every file and variable has a token that is nowhere else. What opens such a file reads what is not its own; where a token turns up in what is sent or
run, it was stolen.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from openvet.core.dataclass import dataclass

__all__ = ["Decoys", "make_decoys"]


@dataclass(frozen=True, slots=True)
class Decoys:
    """What lies out.

    Attributes:
        files: path below the home -> text.
        variables: name -> value.
        tokens: token -> the file (``~/…``) or variable (``$…``) that it is in.
    """

    files: Mapping[str, str]
    variables: Mapping[str, str]
    tokens: Mapping[str, str]


def make_decoys() -> Decoys:
    """A home of its own for one run."""
    tokens: dict[str, str] = {}

    def token(where: str) -> str:
        made = secrets.token_hex(20)
        tokens[made] = where
        return made

    def of(path: str, form: str) -> tuple[str, str]:
        return path, form.replace("TOKEN", token(f"~/{path}"))

    files = dict(
        (
            of(".ssh/id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\nTOKEN\n-----END OPENSSH PRIVATE KEY-----\n"),
            of(
                ".aws/credentials",
                "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = TOKEN\n",
            ),
            of(".netrc", "machine example.com login user password TOKEN\n"),
            of(".git-credentials", "https://user:TOKEN@example.com\n"),
            of(".kube/config", "apiVersion: v1\nkind: Config\nusers:\n- name: user\n  user:\n    token: TOKEN\n"),
            of(".docker/config.json", '{"auths": {"example.com": {"auth": "TOKEN"}}}\n'),
            of(
                ".config/gcloud/application_default_credentials.json",
                '{"type": "authorized_user", "refresh_token": "TOKEN"}\n',
            ),
            of(".pypirc", "[pypi]\nusername = __token__\npassword = TOKEN\n"),
            of(".bash_history", "curl -H 'Authorization: Bearer TOKEN' https://example.com\n"),
        )
    )
    variables = {name: token(f"${name}") for name in ("AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "GITHUB_TOKEN")}
    return Decoys(files, variables, tokens)
