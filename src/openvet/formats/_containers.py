"""Settings of containers that hand the machine below them to what runs inside: Compose, Kubernetes, development containers, task
definitions of ECS, and command lines of ``docker run`` and its like.

A document is looked at where its shape says what it is, whatever its name. Told are mounts of the whole disk, of the socket by which
containers are started, of folders from which the system runs programs and of places for keys; the host's processes; raw devices; all
rights at once. What model servers ordinarily ask for is not: GPUs, the host's network and IPC, ``SYS_PTRACE``, ``seccomp:unconfined``,
caches and folders of models.

Sources: https://docs.docker.com/reference/compose-file/ ; https://kubernetes.io/docs/concepts/security/pod-security-standards/ ;
https://containers.dev/implementors/json_reference/ ; MITRE ATT&CK T1610, T1611.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any, Final

from openvet.core.location import below
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._format import Facts
from openvet.formats._private_places import PRIVATE

__all__ = ["tell_containers", "told_of_run"]

RULE: Final = "hub/host-access"
#: What is told: in words, and ``host`` (whoever is inside has the machine) or ``much`` (more than a model server needs).
Told = tuple[str, str]

_MOST: Final = 200_000
_MOST_TOLD: Final = 100
_VALUES: Final = pattern(
    r"(?:^|/)(?:[\w.-]{0,60}values|[\w.-]{0,60}compose[\w.-]{0,60}|[\w.-]{0,60}stack)\.(?:ya?ml|json)$"
)
_VARIABLE: Final = pattern(r"\$\{(?:localEnv:|env:)?(\w{1,80})(?::?[-?+=]([^{}]{0,400}))?\}|\$(\w{1,80})")
_HOMES: Final = frozenset({"HOME", "USERPROFILE"})
_SHORT: Final = pattern(r"((?:[A-Za-z]:[\\/])?[^:]*):([^:]+)(?::([\w,]+))?$")
_READ_ONLY: Final = pattern(r":(?:\w{1,20},){0,3}ro(?:,\w{1,20}){0,3}$")
_DRIVE: Final = pattern(r"(?:[A-Za-z]:|/?/[A-Za-z]|/mnt/[A-Za-z]|/host_mnt|/run/desktop/mnt/host(?:/[A-Za-z])?)/?")
_SOCKET: Final = pattern(
    r"(?:^|/)[\w-]{0,40}(?:docker|containerd|crio|cri-o|podman|dockershim|buildkitd?)[\w-]{0,40}\.sock$"
)
#: Who may write there runs programs as the system, or has the containers of others.
_SYSTEM: Final = frozenset(
    {"/etc", "/root", "/boot", "/usr", "/usr/bin", "/usr/local/bin", "/usr/sbin", "/bin", "/sbin", "/lib", "/lib64", "/usr/lib", "/usr/lib64",
     "/proc", "/run", "/var/run", "/var", "/var/lib", "/var/lib/docker", "/var/lib/containerd", "/var/lib/containers", "/var/lib/kubelet",
     "/var/spool/cron", "/opt/cni", "/lib/modules"}
)  # fmt: skip
_SYSTEM_BELOW: Final = ("/etc/cron", "/etc/systemd", "/etc/sudoers", "/etc/ssh/", "/etc/init", "/etc/kubernetes", "/etc/pam", "/etc/profile",
                        "/etc/ld.so", "/etc/docker", "/lib/systemd", "/usr/lib/systemd", "/var/lib/kubelet/", "/var/lib/docker/",
                        "/var/spool/cron/", "/proc/sys", "/sys/fs/cgroup", "/sys/kernel")  # fmt: skip
_WIDE: Final = frozenset({"/sys", "/dev", "/home", "/Users", "~", "/mnt", "/media"})
_ROOTS: Final = pattern(r"/proc/(?:1|self|thread-self)/(?:root|cwd)(?:/|$)")
#: Credentials that servers of models are ordinarily given, to fetch the weights.
_GIVEN: Final = pattern(
    r"\.aws\b|\.azure\b|gcloud|huggingface|/run/secrets|\.netrc|/etc/(?:passwd|group)$|\.kaggle|\.docker/config|\.kube/config$|\.wandb"
)
_RAW: Final = pattern(r"/dev/(?:k?mem|port|kmsg|sd[a-z]|nvme\d|vd[a-z]|xvd|hd[a-z]|dm-|mapper|disk|root|loop)")
_ALL_RIGHTS: Final = frozenset({"ALL", "SYS_MODULE", "SYS_RAWIO", "SYS_BOOT", "DAC_READ_SEARCH"})
_ENTERS: Final = pattern(
    r"\bnsenter\b[^|;&]{0,200}(?:-t|--target)[ =]?1\b|\bchroot\s+/(?:host|mnt|rootfs|hostfs|node)\b|/sys/fs/cgroup/\S{0,80}release_agent|\bcore_pattern\b"
)

#: Watchers of a machine, with the settings that their makers ask for: https://github.com/prometheus/node_exporter#docker,
#: https://github.com/google/cadvisor, https://github.com/NVIDIA/dcgm-exporter.
_WATCHERS: Final = pattern(
    r"(?:(?:docker\.io/|quay\.io/)?(?:prom|prometheus)/node-exporter|(?:gcr\.io|ghcr\.io)/(?:google/)?cadvisor(?:/cadvisor)?|nvcr\.io/nvidia/(?:k8s|cloud-native)/dcgm(?:-exporter)?|"
    r"nvidia/dcgm-exporter)(?::[\w.-]{1,128})?(?:@sha256:[0-9a-f]{64})?"
)


def tell_containers(document: Any, facts: Facts) -> None:
    """Record what the settings of containers in ``document`` take of the machine."""
    for at, each in enumerate(document if isinstance(document, list) else (document,)):
        if isinstance(each, dict) and _is_settings(each, facts.place):
            start = below("", at) if isinstance(document, list) else ""
            for number, (pointer, (what, kind)) in enumerate(_walk(each, start)):
                if number >= _MOST_TOLD:
                    return
                facts.anomaly(RULE, what, pointer=pointer, kind=kind)


def _is_settings(document: dict[str, Any], place: str) -> bool:
    services = document.get("services")
    if isinstance(services, dict) and any(isinstance(each, dict) for each in services.values()):
        return True
    kind = document.get("kind")
    if isinstance(kind, str) and any(key in document for key in ("spec", "apiVersion", "items", "template")):
        return True
    name = place.rsplit("/", 1)[-1]
    return "containerDefinitions" in document or "devcontainer" in name or _VALUES.search(place) is not None


def _walk(document: dict[str, Any], start: str) -> Iterator[tuple[str, Told]]:
    waiting: list[tuple[str, dict[str, Any] | list[Any]]] = [(start, document)]
    seen = 0
    while waiting:
        pointer, value = waiting.pop()
        seen += 1
        if seen > _MOST:
            return
        if isinstance(value, dict):
            yield from _entries(pointer, value)
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, child in items:
            if isinstance(child, dict | list):
                waiting.append((below(pointer, key), child))
            elif isinstance(child, str) and _ENTERS.search(child[:4_000]):
                yield below(pointer, key), (f"enters the machine from inside the container: {_shown(child)}", "host")


def _entries(pointer: str, table: dict[str, Any]) -> Iterator[tuple[str, Told]]:
    """What the keys of one table ask for."""
    for key, value in (_beside_watching(table) if _only_watches(table) else table).items():
        told: Iterator[Told] = iter(())
        if key == "privileged" and _is_true(value):
            told = iter([("gives a container all rights and devices of the machine", "much")])
        elif (key in ("pid", "pidMode", "pid_mode") and value == "host") or (key == "hostPID" and _is_true(value)):
            told = iter([("lets a container see and enter every process of the machine", "host")])
        elif key in ("volumes", "mounts", "binds"):
            told = _mounts(value)
        elif key == "hostPath":
            path = value.get("path") if isinstance(value, dict) else value
            told = _mount(path, read_only=False)
        elif key == "host" and isinstance(value, dict) and "sourcePath" in value:
            told = _mount(value["sourcePath"], read_only=False)
        elif key == "driver_opts" and isinstance(value, dict) and value.get("type") in (None, "none", "bind"):
            told = _mount(value.get("device"), read_only=False)
        elif key == "workspaceMount":
            told = _mounts([value])
        elif key == "devices":
            told = _devices(value)
        elif key in ("cap_add", "capAdd", "add"):
            told = _rights(value, fuse="/dev/fuse" in str(table.get("devices", ""))[:4_000])
        elif key == "runArgs" and isinstance(value, list):
            told = _options([each for each in value if isinstance(each, str)])
        elif key == "roleRef" and isinstance(value, dict) and value.get("name") == "cluster-admin":
            told = iter([("makes an account the administrator of the whole cluster", "much")])
        for each in told:
            yield below(pointer, key), each


def _only_watches(table: dict[str, Any]) -> bool:
    """Whether a service is a well-known watcher of machines, started as it is, with options and no command of its own."""
    image, command = table.get("image"), table.get("command", ())
    if not isinstance(image, str) or _WATCHERS.fullmatch(image) is None or "entrypoint" in table:
        return False
    words = command.split() if isinstance(command, str) else command
    return isinstance(words, list | tuple) and all(isinstance(each, str) and each.startswith("--") for each in words)


def _beside_watching(table: dict[str, Any]) -> dict[str, Any]:
    """What a watcher is given and does not need."""
    rest = {key: value for key, value in table.items() if key not in ("pid", "cap_add")}
    if isinstance(volumes := rest.get("volumes"), list):
        rest["volumes"] = [each for each in volumes if not (isinstance(each, str) and _READ_ONLY.search(each))]
    return rest


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() in ("true", "yes", "on", "1"))


def _mounts(value: Any) -> Iterator[Told]:
    for each in value if isinstance(value, list) else ():
        if isinstance(each, str):
            yield from _mount_text(each)
        elif isinstance(each, dict):
            source = each.get("source", each.get("src"))
            if each.get("type", "bind") == "bind" and isinstance(source, str):
                yield from _mount(source, read_only=_is_true(each.get("read_only", each.get("readonly"))))


def _mount_text(text: str) -> Iterator[Told]:
    """``SOURCE:TARGET[:MODE]``, or the pairs of ``--mount``."""
    text = _expanded(text)
    if "=" in text and ("source=" in text or "src=" in text):
        pairs = dict(part.strip().partition("=")[::2] for part in text.split(","))
        if pairs.get("type", "bind") == "bind":
            read_only = pairs.get("readonly", pairs.get("ro", "false")) in ("", "true", "1")
            yield from _mount(pairs.get("source", pairs.get("src")), read_only=read_only)
    elif (found := _SHORT.match(text[:4_000])) is not None:
        yield from _mount(found[1], read_only="ro" in (found[3] or "").split(","))


def _expanded(text: str) -> str:
    """``text`` with the home in the place of its variables, and defaults in the place of others."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[3]
        return "~" if name in _HOMES else found[2] or f"<{name}>"

    return _VARIABLE.sub(value, text)


def _mount(source: Any, *, read_only: bool) -> Iterator[Told]:
    """What it means that ``source`` is put into a container."""
    if not isinstance(source, str) or not source.strip():
        return
    path = _expanded(source.strip().strip("\"'")).replace("\\", "/").replace("~~", "~")
    shown = _shown(source)
    if _DRIVE.fullmatch(path):
        yield f"gives a container the whole disk: {shown}", "host"
        return
    if not path.startswith(("/", "~", "../../..")):
        return
    path = _ROOTS.sub("/", posixpath.normpath(path).replace("//", "/")) or "/"
    home = re.fullmatch(r"(?:/home/[^/]+|/Users/[^/]+)", path)
    if path == "/" or re.fullmatch(r"(?:\.\./){6,}\.\.", path):
        yield f"gives a container the whole disk: {shown}", "host"
    elif _SOCKET.search(path):
        yield f"gives a container the socket by which others are started, with all rights: {shown}", "host"
    elif path in _SYSTEM or path.startswith(_SYSTEM_BELOW) or path in ("/etc/shadow", "/etc/gshadow"):
        yield f"gives a container a place of the system: {shown}", "much" if read_only else "host"
    elif _RAW.match(path):
        yield f"gives a container a raw device of the machine: {shown}", "host"
    elif path in _WIDE or home:
        yield f"gives a container more of the machine than a model needs: {shown}", "much"
    elif PRIVATE.search(path + "/") and not _GIVEN.search(path):
        yield f"gives a container a place where keys are kept: {shown}", "much"


def _devices(value: Any) -> Iterator[Told]:
    for each in value if isinstance(value, list) else ():
        path = each.partition(":")[0] if isinstance(each, str) else ""
        if _RAW.match(path):
            yield f"gives a container a raw device of the machine: {_shown(path)}", "host"


def _rights(value: Any, *, fuse: bool = True) -> Iterator[Told]:
    """The rights that take over the machine; ``SYS_ADMIN`` is what a container needs that mounts a bucket by FUSE."""
    for each in value if isinstance(value, list) else ():
        name = each.upper().removeprefix("CAP_") if isinstance(each, str) else ""
        if name in _ALL_RIGHTS or (name == "SYS_ADMIN" and not fuse):
            yield f"gives a container the right {name}, with which it can take over the machine", "much"


def told_of_run(line: str) -> Told | None:
    """The worst that a line of a script with ``docker run`` or its like takes of the machine; a socket and all rights are no news there,
    since descriptions of accelerators and of agents ask for both.
    """
    words = [each.strip("\"'") for each in line.split()]
    told = [each for each in _options(words) if each[1] == "host" and "socket" not in each[0]]
    return told[0] if told else None


def _options(words: list[str]) -> Iterator[Told]:
    """What the options of ``docker run`` ask for."""
    waiting = ""
    for word in words:
        name, equals, value = word.partition("=")
        if waiting or (equals and name in _OPTIONS):
            kind = _OPTIONS[waiting or name]
            value = word if waiting else value
            waiting = ""
            if kind == "mount":
                yield from _mount_text(value)
            elif kind == "pid" and value == "host":
                yield "lets a container see and enter every process of the machine", "host"
            elif kind == "rights":
                yield from _rights([value])
            elif kind == "device":
                yield from _devices([value])
            elif kind == "privileged" and _is_true(value):
                yield "gives a container all rights and devices of the machine", "much"
        elif word == "--privileged":
            yield "gives a container all rights and devices of the machine", "much"
        elif word in _OPTIONS:
            waiting = word
        elif word.startswith("-v") and len(word) > 2:
            yield from _mount_text(word[2:])


_OPTIONS: Final = {
    "-v": "mount", "--volume": "mount", "--mount": "mount", "--pid": "pid", "--cap-add": "rights", "--device": "device",
    "--privileged": "privileged",
}  # fmt: skip


def _shown(text: str) -> str:
    return shorten(printable(text.strip()), 120)
