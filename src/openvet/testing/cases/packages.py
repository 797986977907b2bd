"""Descriptions of environments and packages that take something from another place than the index that everybody uses."""

from __future__ import annotations

from collections.abc import Callable

from openvet.testing.case import Case

__all__ = ["CASES"]

_URL, _GIT, _INDEX = (
    "https://packages.example.org/x-1.whl",
    "git+https://git.example.org/x.git",
    "https://packages.example.org/simple",
)
_CONDA = (
    "name: x\nchannels: [conda-forge{channel}]\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n    - torch\n{pip}"
)
_PROJECT = (
    '[build-system]\nrequires = ["setuptools"]\n[project]\nname = "x"\nversion = "1"\ndependencies = ["torch>=2"{}]\n'
)
#: File, what it shows, its text.
_FOREIGN = (
    ("requirements.txt", "a file by its address", f"torch\n{_URL}\n"),
    ("requirements.txt", "a repository on an unusual host", f"torch\nx @ {_GIT}\n"),
    ("requirements.txt", "a file without encryption", "torch\nx @ http://packages.example.org/x.whl\n"),
    (
        "setup.cfg",
        "a requirement by its address",
        f"[metadata]\nname = x\n[options]\ninstall_requires =\n    torch\n    x @ {_URL}\n",
    ),
    ("setup.cfg", "links to dependencies", "[options]\ndependency_links = http://packages.example.org/\n"),
    ("setup.cfg", "an extra of a repository", f"[options.extras_require]\nall =\n    x @ {_GIT}\n"),
    ("setup.cfg", "another index for setuptools", f"[easy_install]\nindex_url = {_INDEX}\n"),
    (
        "pip.conf",
        "another index for pip",
        f"[global]\nextra-index-url =\n    {_INDEX}\ntrusted-host = packages.example.org\n",
    ),
    ("pyproject.toml", "a dependency by its address", _PROJECT.format(f', "x @ {_URL}"')),
    ("pyproject.toml", "what builds it, by its address", f'[build-system]\nrequires = ["setuptools", "x @ {_URL}"]\n'),
    (
        "pyproject.toml",
        "an optional dependency",
        _PROJECT.format("") + f'[project.optional-dependencies]\nall = ["x @ {_GIT}"]\n',
    ),
    ("pyproject.toml", "a group of dependencies", f'[dependency-groups]\ndev = ["x @ {_GIT}"]\n'),
    (
        "pyproject.toml",
        "a repository for Poetry",
        '[tool.poetry.dependencies]\nx = { git = "https://git.example.org/x.git" }\n',
    ),
    ("pyproject.toml", "a group of Poetry", f'[tool.poetry.group.dev.dependencies]\nx = {{ url = "{_URL}" }}\n'),
    ("pyproject.toml", "a source for Poetry", f'[[tool.poetry.source]]\nname = "p"\nurl = "{_INDEX}"\n'),
    ("pyproject.toml", "a source for uv", f'[tool.uv.sources]\nx = {{ url = "{_URL}" }}\n'),
    ("pyproject.toml", "an index for uv", f'[[tool.uv.index]]\nname = "p"\nurl = "{_INDEX}"\n'),
    ("pyproject.toml", "an old setting for uv", f'[tool.uv]\nextra-index-url = ["{_INDEX}"]\n'),
    ("pyproject.toml", "a source for PDM", f'[[tool.pdm.source]]\nname = "p"\nurl = "{_INDEX}"\n'),
    (
        "uv.lock",
        "a locked package of another index",
        f'[[package]]\nname = "x"\nsource = {{ registry = "{_INDEX}" }}\n',
    ),
    (
        "poetry.lock",
        "a locked repository",
        '[[package]]\nname = "x"\n[package.source]\ntype = "git"\nurl = "https://git.example.org/x.git"\n',
    ),
    ("Pipfile", "a source", f'[[source]]\nurl = "{_INDEX}"\nverify_ssl = false\nname = "p"\n'),
    ("Pipfile", "a repository", '[packages]\nx = { git = "https://git.example.org/x.git" }\n'),
    (
        "Pipfile.lock",
        "a locked source",
        f'{{"_meta": {{"sources": [{{"name": "p", "url": "{_INDEX}", "verify_ssl": true}}]}}}}',
    ),
    ("environment.yml", "a channel", _CONDA.format(channel=f', "{_INDEX}"', pip="")),
    ("environment.yml", "a list for pip", _CONDA.format(channel="", pip=f"    - x @ {_GIT}\n")),
    (".condarc", "a channel", "channels:\n  - https://packages.example.org/conda\n"),
    (".env", "an index in a variable", f"MODEL=small\nPIP_EXTRA_INDEX_URL={_INDEX}\n"),
    (".envrc", "an index in a variable of the folder", f"export UV_INDEX_URL={_INDEX}\n"),
    (
        "Dockerfile",
        "an index in a variable of an image",
        f"FROM python:3.12\nENV PIP_INDEX_URL={_INDEX}\nRUN pip install torch\n",
    ),
    (
        "install.sh",
        "an index that is set once for all",
        f"pip config set global.extra-index-url {_INDEX}\npip install torch\n",
    ),
    ("install.sh", "a file by its address", f"pip install {_URL}\n"),
    ("install.sh", "a repository", f"pip install -U '{_GIT}'\n"),
    (
        "setup.py",
        "a requirement by its address",
        f"from setuptools import setup\nsetup(name='x', install_requires=['torch', 'x @ {_URL}'])\n",
    ),
    (
        "requirements.txt",
        "a host that begins like a well-known one",
        "--index-url https://pypi.org.packages.example.org/simple\ntorch\n",
    ),
    (
        "requirements.txt",
        "a host behind a well-known name",
        "--index-url https://pypi.org@packages.example.org/simple\ntorch\n",
    ),
    ("environment.yaml", "an index for pip", _CONDA.format(channel="", pip=f"    - --extra-index-url {_INDEX}\n")),
)
#: Hosts of a network of one's own.
_INSIDE = (
    ("requirements.txt", "an index by a bare name", "--extra-index-url https://packages/simple\ntorch\n"),
    (
        "requirements.txt",
        "an index of a network of one's own",
        "--index-url https://pypi.example.internal/simple\ntorch\n",
    ),
    ("pip.conf", "an index at a private address", "[global]\nextra-index-url = https://10.0.0.7/simple\n"),
    ("requirements.txt", "an index in a variable", "--index-url https://${HOST}/simple\ntorch\n"),
)
_ORDINARY = (
    ("install.sh", "a mirror, and a repository on a host that everybody uses",
     ("pip install -i https://pypi.tuna.tsinghua.edu.cn/simple torch\npip install git+https://github.com/x/y\npip install modelscope -f "
     "https://modelscope.oss-cn-beijing.aliyuncs.com/releases/repo.html\n")),
    (".condarc", "ordinary channels", "channels:\n  - conda-forge\n  - https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/main\nssl_verify: true\n"),
    ("setup.py", "an ordinary package", "from setuptools import setup\nsetup(name='x', url='https://x.example.org', install_requires=['torch'])\n"),
    ("requirements.txt", "a repository on a host that everybody uses",
     ("git+https://github.com/x/y@main\nz @ git+ssh://git@github.com/x/z.git\n-e .\n./local\n"
     "--extra-index-url https://download.pytorch.org/whl/cu121\ntorch==2.1\n")),
    ("setup.cfg", "ordinary settings", ("[metadata]\nname = x\nurl = https://x.example.org\n[options]\ninstall_requires =\n    torch>=2\n"
     "    numpy; python_version > '3'\n[options.extras_require]\ndev = pytest\n[flake8]\nmax-line-length = 100\n")),
    ("pyproject.toml", "an ordinary project", _PROJECT.format(', "y @ git+https://github.com/x/y"') + '[project.urls]\n'
     'Homepage = "https://x.example.org"\nsource = "https://git.example.org/x"\n[tool.poetry]\nhomepage = "https://x.example.org"\n'
     'repository = "https://git.example.org/x"\n[tool.poetry.dependencies]\npython = "^3.10"\nz = { version = "1", extras = ["a"] }\n'
     '[tool.poetry.urls]\n"Bug Tracker" = "https://x.example.org/issues"\n[[tool.uv.index]]\nname = "torch"\n'
     'url = "https://download.pytorch.org/whl/cu121"\n[tool.uv.sources]\ntorch = { index = "torch" }\nlocal = { path = "../local" }\n'
     '[tool.coverage.run]\nsource = ["x"]\n'),
    ("Pipfile", "an ordinary list", '[[source]]\nurl = "https://pypi.org/simple"\nverify_ssl = true\nname = "pypi"\n[packages]\ntorch = "*"\n'),
    ("uv.lock", "an ordinary lock", ('[[package]]\nname = "x"\nsource = { registry = "https://pypi.org/simple" }\n'
     'wheels = [{ url = "https://files.pythonhosted.org/x.whl" }]\n')),
    ("environment.yml", "an ordinary environment", _CONDA.format(channel=', "https://conda.anaconda.org/nvidia"', pip="    - -r x.txt\n")),
    ("train.yaml", "settings that speak of dependencies", "dependencies: none\nsource: https://data.example.org/x\n"),
)  # fmt: skip


def _folder(name: str, text: str) -> Callable[[], dict[str, bytes]]:
    return lambda: {"config.json": b'{"model_type": "bert"}', name: text.encode()}


CASES: tuple[Case, ...] = (
    *(Case(f"packages/{name.lstrip('.').replace('.', '-').lower()}-{number}", f"{name} names {what}", _folder(name, text), "reject",
           frozenset({"hub/requirement-source"})) for number, (name, what, text) in enumerate(_FOREIGN, 1)),
    *(Case(f"packages/inside-{number}", f"{name} names {what}", _folder(name, text), "review", frozenset({"hub/requirement-source"}))
      for number, (name, what, text) in enumerate(_INSIDE, 1)),
    *(Case(f"packages/ordinary-{name.replace('.', '-').lower()}", f"{name}: {what}", _folder(name, text), "admit")
      for name, what, text in _ORDINARY),
)  # fmt: skip
