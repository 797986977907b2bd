"""Settings of Git and Git LFS that come with a model: those that run something wherever they stand and however they are written, and
those that an ordinary clone has.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final, Literal

from openvet.testing.case import Case
from openvet.testing.forge_tensors import safetensors

__all__ = ["CASES"]

_MODEL: Final[Mapping[str, bytes]] = {"model.safetensors": safetensors({"a": ("F32", (2,))})}
_TOOL = "hub/tool-command"


def _files(name: str, text: str) -> Mapping[str, bytes]:
    return {**_MODEL, name: text.encode()}


def _case(name: str, technique: str, file: str, text: str, decision: Literal["admit", "review", "reject"]) -> Case:
    rules = frozenset() if decision == "admit" else frozenset({_TOOL})
    return Case(f"git-settings/{name}", technique, partial(_files, file, text), decision, rules, ("git-config",))


#: What runs a command: its name, what it is, and the settings.
_RUNS = (
    ("lfs-agent", "an agent of Git LFS", '[lfs]\n\tstandalonetransferagent = x\n[lfs "customtransfer.x"]\n\tpath = sh\n\targs = -c "echo forged"\n'),
    ("lfs-agent-dotted", "an agent of Git LFS, in the old spelling", "[lfs.customtransfer.x]\n\tpath = ./x.sh\n"),
    ("lfs-extension", "an extension of Git LFS", '[lfs "extension.x"]\n\tclean = sh x.sh\n\tsmudge = sh x.sh\n\tpriority = 0\n'),
    ("filter", "a filter that does more than Git LFS", '[filter "lfs"]\n\tprocess = "git-lfs filter-process; echo forged"\n\trequired = true\n'),
    ("file-watcher", "a watcher of files, on the line of its section", "[core] fsmonitor = ./x.sh\n"),
    ("file-watcher-joined", "a watcher of files on a continued line", "[core]\n\tfsmonitor = \\\n./x.sh\n"),
    ("ssh", "a command in the place of ssh", '[core]\n\tsshCommand = "sh -c \\"echo forged\\""\n'),
    ("hooks", "another folder of hooks", "[core]\n\thooksPath = hooks\n"),
    ("hook", "a hook among the settings", '[hook "x"]\n\tcommand = ./x.sh\n\tevent = post-checkout\n'),
    ("include", "more settings from a file of the folder", "[include]\n\tpath = ../settings\n"),
    ("include-if", "more settings from a file, on a condition", '[includeIf "gitdir:/"]\n\tpath = ../settings\n'),
    ("alias", "an alias that is a command", "[alias]\n\tst = !echo forged\n"),
    ("alias-setting", "an alias that sets a command", "[alias]\n\tst = -c core.fsmonitor=./x.sh status\n"),
    ("diff", "a command that shows differences", '[diff "x"]\n\tcommand = sh x.sh\n'),
    ("textconv", "a command that makes a text of a file", '[diff "x"]\n\ttextconv = sh x.sh\n'),
    ("merge", "a command that merges", '[merge "x"]\n\tdriver = sh x.sh %O %A\n'),
    ("credentials", "a helper for passwords", "[credential]\n\thelper = !sh x.sh\n"),
    ("credentials-host", "a helper for passwords of one host", '[credential "https://huggingface.co"]\n\thelper = /tmp/x\n'),
    ("address", "another address that is a command", '[url "ext::sh -c echo "]\n\tinsteadOf = https://huggingface.co/\n'),
    ("signatures", "a program for signatures", '[gpg "ssh"]\n\tdefaultKeyCommand = ./x.sh\n'),
    ("archive", "a command that packs", '[tar "x"]\n\tcommand = ./x.sh\n'),
    ("template", "a folder from which hooks are copied", "[init]\n\ttemplateDir = ./hooks\n"),
    ("mail", "a command that sends mail", "[sendemail]\n\tsendmailCmd = ./x.sh\n"),
)  # fmt: skip
_FILES = {"git": ".git/config", "lfs": ".lfsconfig", "user": ".gitconfig", "module": ".git/modules/x/config"}
#: What changes where something comes from.
_LEADS = (
    ("instead-of", "another host in the place of the hub", '[url "https://forged.example/"]\n\tinsteadOf = https://huggingface.co/\n'),
    ("instead-of-plain", "the hub without encryption", '[url "http://huggingface.co/"]\n\tinsteadOf = https://huggingface.co/\n'),
    ("any-server", "no look at the certificates of servers", "[http]\n\tsslVerify = false\n"),
    ("proxy", "everything by way of another machine", "[http]\n\tproxy = http://203.0.113.1:8080\n"),
)  # fmt: skip
_CLONE = """[core]
	repositoryformatversion = 0
	filemode = true
	bare = false
	fsmonitor = true ; built in
	editor = "code --wait"
[remote "origin"]
	url = https://huggingface.co/a/b
	fetch = +refs/heads/*:refs/remotes/origin/*
[lfs "https://huggingface.co/a/b.git/info/lfs"]
	access = basic
[lfs "customtransfer.multipart"]
	path = huggingface-cli
	args = lfs-multipart-upload
[lfs "customtransfer.xet"]
	path = git-xet
	args = transfer
	concurrent = true
[filter "lfs"]
	clean = git-lfs clean -- %f
	smudge = git-lfs smudge -- %f
	process = git-lfs filter-process
	required = true
[credential "https://github.com"]
	helper = !/usr/bin/gh auth git-credential
[credential]
	helper = cache --timeout=3600
[url "git@github.com:"]
	insteadOf = https://github.com/
[alias]
	st = status -sb
[diff "jupyternotebook"]
	command = git-nbdiffdriver diff
"""

CASES = (
    *(_case(f"{name}-{where}", f"settings of Git: {what}", file, text, "reject")
      for at, (name, what, text) in enumerate(_RUNS) for number, (where, file) in enumerate(_FILES.items()) if not number or at % 3 == number - 1),
    *(_case(name, f"settings of Git: {what}", ".git/config", text, "review") for name, what, text in _LEADS),
    _case("bare", "a bare repository in a folder of its own whose settings run a command", "data/x/config", "[core]\n\tbare = true\n\tfsmonitor = ./x.sh\n", "reject"),
    _case("ordinary", "settings of a clone with Git LFS, Xet, uploads in parts and helpers of well-known tools", ".git/config", _CLONE, "admit"),
    _case("ordinary-lfs", "settings of Git LFS that lead to the hub", ".lfsconfig",
          '[lfs]\n\turl = https://huggingface.co/a/b.git/info/lfs\n\tfetchexclude = "*"\n\tlocksverify = true\n', "admit"),
)  # fmt: skip
