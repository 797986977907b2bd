"""Whose address a text leads to: nobody's name, a place where things are dropped, a host that everybody knows, a service, or anybody's.

Who owns what lies on a host that everybody uses is another matter. A heuristic over constants.

Sources: RFC 5737, RFC 6890; https://lots-project.com/ (sites that are used to send things to); MITRE ATT&CK T1102, T1567.
"""

from __future__ import annotations

from typing import Final

from openvet.core.pattern import pattern

__all__ = [
    "ADDRESS",
    "BARE",
    "BARE_HOST",
    "IP",
    "KNOWN",
    "PLAIN",
    "SERVICES",
    "is_bad_place",
    "is_bare",
    "is_foreign",
    "is_known_place",
    "is_official",
]

#: An address without a name, or of a service to which things are dropped; an address without encryption as well.
BARE: Final = pattern(
    r"\b\w{2,6}://(?:[^/@\s]{1,80}@)?(?!127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|0\.0\.0\.0|169\.254\.)\d{1,3}(?:\.\d{1,3}){3}\b"
    r"|\b\w{2,6}://(?:0x[0-9a-fA-F]{6,8}|\d{8,10})\b"
    r"|discord(?:app)?\.com/api/webhooks|api\.telegram\.org/bot|hooks\.slack\.com/|webhook\.site|\bngrok(?:-free)?\.(?:io|app|dev)|requestbin|pipedream\.net"
    r"|burpcollaborator|\boast(?:ify)?\.\w{2,6}|interact\.sh|pastebin\.com|transfer\.sh|\b0x0\.st|file\.io\b|gofile\.io|beeceptor\.com|dnslog\.cn|serveo\.net"
    r"|trycloudflare\.com|duckdns\.org|\.onion\b|canarytokens|hookbin|paste\.ee|rentry\.co|ix\.io|termbin\.com|catbox\.moe|anonfiles"
)
IP: Final = pattern(
    r"(?!127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|0\.0\.0\.0|255\.|1\.[01]\.[01]\.1|8\.8\.|9\.9\.9\.|223\.5\.5|114\.114|224\.|239\.|169\.254)\d{1,3}(?:\.\d{1,3}){3}"
)
PLAIN: Final = pattern(
    r"\b(?:http|ftp|ws)://(?!localhost\b|127\.|\[::1|0\.0\.0\.0|10\.|192\.168\.|host\.docker|[\w-]{1,63}[:/])"
)
ADDRESS: Final = pattern(r"\b\w{2,6}://[\w.\[-]")
#: Hosts of code and weights that everybody uses: who owns what lies there is another matter, as with what a hub holds.
KNOWN: Final = pattern(
    r"https://(?:[\w-]{1,40}\.)?(?:github\.com|githubusercontent\.com|gitlab\.com|huggingface\.co|hf\.co|pytorch\.org|python\.org|pypi\.org|pythonhosted\.org|"
    r"googleapis\.com|modelscope\.cn|kaggle\.com|openaipublic\.azureedge\.net|fbaipublicfiles\.com|tensorflow\.org|nvidia\.com|microsoft\.com|zenodo\.org|"
    r"anaconda\.(?:com|org)|jsdelivr\.net|gitee\.com|googlesource\.com|bitbucket\.org|gradio\.app|readthedocs\.io|apache\.org|kernel\.org|debian\.org|ubuntu\.com)/"
)
#: An address without a name alone.
BARE_HOST: Final = pattern(BARE.pattern.split("|discord", 1)[0])
#: Hosts of models that are asked by way of the network, and of tools that people look at their runs with.
SERVICES: Final = pattern(
    r"\b(?:huggingface\.co|hf\.co|hf\.space|openai\.com|anthropic\.com|googleapis\.com|google\.com|azure\.com|azurewebsites\.net|microsoft\.com|amazonaws\.com|cohere\.(?:ai|com)|"
    r"mistral\.ai|replicate\.com|nvidia\.com|together\.(?:ai|xyz)|groq\.com|deepseek\.com|aliyuncs\.com|baidu\.com|baidubce\.com|modelscope\.cn|wandb\.ai|comet\.com|neptune\.ai|"
    r"openrouter\.ai|fireworks\.ai|deepinfra\.com|perplexity\.ai|x\.ai|runpod\.(?:io|ai)|gradio\.app|github\.com|ollama\.com|stability\.ai|elevenlabs\.io|deepl\.com|volces\.com|"
    r"bigmodel\.cn|moonshot\.cn|minimax\.chat|jina\.ai|voyageai\.com|cloudflare\.com|modal\.(?:com|run)|anyscale\.com|databricks\.com|writer\.com|ai21\.com|wolframalpha\.com)(?=[/:?#\"' ]|\Z)"
)
_HOST: Final = pattern(r"\b(?:https?|wss?)://([\w-]{1,63}(?:\.[\w-]{1,63}){1,6})")
_HAS_NAME: Final = pattern(r"[\w-]{1,63}(?:\.[\w-]{1,63}){0,6}\.[a-z]{2,24}")
#: What files are called, which look like names of hosts.
_ENDINGS: Final = (
    ".json",
    ".txt",
    ".py",
    ".safetensors",
    ".bin",
    ".pt",
    ".pth",
    ".tar",
    ".gz",
    ".model",
    ".yaml",
    ".yml",
    ".md",
    ".png",
    ".jpg",
    ".csv",
    ".npy",
    ".onnx",
    ".gguf",
    ".weight",
    ".bias",
)
#: Installers that their makers tell everybody to run so. Whole addresses, never a host on which anybody can put a file.
INSTALLERS: Final = pattern(
    r"https://(?:astral\.sh/(?:uv|ruff)(?:/\d[\w.]{0,20})?/install\.(?:sh|ps1)|sh\.rustup\.rs/?|(?:www\.)?ollama\.(?:com|ai)/install\.sh|get\.docker\.com/?|pyenv\.run/?|"
    r"install\.python-poetry\.org/?|deb\.nodesource\.com/setup_[\w.]{1,10}|get\.pnpm\.io/install\.sh|bun\.sh/install|pixi\.sh/install\.sh|"
    r"raw\.githubusercontent\.com/(?:Homebrew/install/HEAD/install\.sh|nvm-sh/nvm/v[\d.]{1,12}/install\.sh|pyenv/pyenv-installer/master/bin/pyenv-installer|helm/helm/[\w.-]{1,20}/scripts/get-helm-3)|"
    r"packagecloud\.io/install/repositories/github/git-lfs/script\.(?:deb|rpm)\.sh|(?:repo\.anaconda\.com|repo\.continuum\.io)/(?:miniconda|archive)/(?:Mini|Ana)conda[23]-[\w.-]{1,60}\.(?:sh|exe|pkg)|"
    r"github\.com/conda-forge/miniforge/releases/(?:latest/download|download/[\d.-]{1,20})/(?:Miniforge|Mambaforge)(?:3|-pypy3)?-[\w.${}()-]{1,80}\.(?:sh|exe)|"
    r"micro\.mamba\.pm/install\.sh|dot\.net/v1/dotnet-install\.(?:sh|ps1)|builds\.dotnet\.microsoft\.com/dotnet/scripts/v1/dotnet-install\.(?:sh|ps1)|bootstrap\.pypa\.io/(?:pip/\d\.\d/)?get-pip\.py|sdk\.cloud\.google\.com/?|install\.julialang\.org/?|deno\.land/install\.sh|"
    r"developer\.download\.nvidia\.com/compute/cuda/[\d.]{1,12}/local_installers/cuda_[\w.]{1,40}_linux\.run|"
    r"claude\.ai/install\.sh|fly\.io/install\.sh|get\.sdkman\.io/?|get\.k3s\.io/?|get\.volta\.sh/?|starship\.rs/install\.sh|rye(?:-up\.com|\.astral\.sh)/get|pdm-project\.org/install-pdm\.py|"
    r"get\.nextflow\.io/?|get\.rvm\.io/?|mise\.(?:run|jdx\.dev/install\.sh)/?|get\.nexte\.st/?|just\.systems/install\.sh|taskfile\.dev/install\.sh|nixos\.org/nix/install|install\.determinate\.systems/nix|"
    r"tailscale\.com/install\.sh|aka\.ms/InstallAzureCLIDeb|get\.helm\.sh/?|cli\.github\.com/[\w./-]{1,80}|apt\.llvm\.org/llvm\.sh|get-ghcup\.haskell\.org/?|cpanmin\.us/?|codecov\.io/bash|(?:uploader|cli)\.codecov\.io/(?:latest|v[\d.]{1,12})/(?:linux|alpine|macos|windows|linux-arm64)/codecov(?:\.exe)?|"
    r"get\.modular\.com/?|magic\.modular\.com/?|get\.pulumi\.com/?|dl\.yarnpkg\.com/[\w./-]{1,80}|yarnpkg\.com/install\.sh|rpm\.nodesource\.com/setup_[\w.]{1,10}|fnm\.vercel\.app/install|"
    r"lmstudio\.ai/install\.sh|opencode\.ai/install|cursor\.com/install|antigravity\.google/install\.sh|replicate\.github\.io/cog/install\.sh|install\.duckdb\.org/?|clickhouse\.com/?|foundry\.paradigm\.xyz/?|"
    r"install\.perlbrew\.pl/?|railway\.(?:app|com)/install\.sh|sdk\.operatorframework\.io/[\w./-]{1,80}|get\.haskellstack\.org/?|raw\.githubusercontent\.com/(?:Homebrew|nvm-sh|pyenv|conda-forge|mamba-org|replicate|huggingface|pytorch|ggml-org|ollama|NVIDIA|microsoft|google|astral-sh|oh-my-zsh|ohmyzsh)/[^\s\"']{1,200})"
)


def is_foreign(texts: list[str]) -> bool:
    """Whether texts lead to a host that nobody knows as a service, outside one's own network."""
    hosts = [found[1] for text in texts for found in _HOST.finditer(text)]
    hosts += [
        text for text in texts if text.count(".") > 1 and _HAS_NAME.fullmatch(text) and not text.endswith(_ENDINGS)
    ]
    return any(
        _HAS_NAME.fullmatch(host)
        and not SERVICES.search(host)
        and not host.endswith((".local", ".internal", ".lan", ".svc", "localhost"))
        for host in hosts
    )


def is_bare(texts: list[str]) -> bool:
    """Whether texts lead to an address without a name, or to a place where things are dropped."""
    return any(BARE.search(text) or IP.fullmatch(text) for text in texts)


def is_bad_place(text: str) -> bool:
    """Whether a text leads to an address without a name, to a place where things are dropped, or anywhere without encryption."""
    return is_bare([text]) or PLAIN.search(text) is not None


def is_known_place(text: str) -> bool:
    """Whether an address is of a host of code and weights that everybody uses, by https."""
    return KNOWN.match(text) is not None or is_official(text)


def is_nobodys(text: str) -> bool:
    """Whether an address is of somebody whom nobody knows, of no name at all, or not encrypted."""
    return not is_known_place(text) and (is_foreign([text]) or is_bad_place(text))


def is_official(text: str) -> bool:
    """Whether an address is that of an installer that everybody knows."""
    return INSTALLERS.fullmatch(text) is not None
