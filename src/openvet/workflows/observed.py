"""Judging what a child of the sandbox did: expected of this loader, unusual, or what only malicious code does.

Nothing here is a wall. An event that is not known to belong to a load is unusual, and not expected (design law 3); the few kinds that a load has no
honest use for are malicious: processes, connections, secrets, writing outside, ways to come back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from openvet.checks.pickle._callables import Kind, classify
from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.evidence.predicates.observation_v1 import JUDGED, Seen
from openvet.sandbox.supervisor import Event

__all__ = ["Places", "judge"]

EXPECTED, UNUSUAL, MALICIOUS = JUDGED
_Judged = tuple[str, str]
_SECRETS: Final = pattern(
    r"(?:^|/)(?:\.ssh/|\.aws/|\.netrc\Z|\.git-credentials\Z|\.kube/|\.docker/config|\.config/gcloud/|\.azure/|\.gnupg/|\.pypirc\Z|\.npmrc\Z"
    r"|\.[a-z]{2,6}_history\Z|\.mozilla/|\.config/google-chrome|\.password-store/|shadow\Z|id_rsa|id_ed25519|\.cache/huggingface/token)"
)
_COMES_BACK: Final = pattern(
    r"(?:^|/)(?:\.bashrc|\.bash_profile|\.profile|\.zshrc|\.zprofile|\.xinitrc|\.config/autostart/|\.config/systemd/|authorized_keys"
    r"|cron|sitecustomize\.py|usercustomize\.py|[^/]+\.pth\Z|ld\.so\.preload|\.gitconfig)"
)
#: What the C library and ours look at by themselves.
_SYSTEM_READS: Final = (
    "/etc/nsswitch.conf", "/etc/host.conf", "/etc/resolv.conf", "/etc/hosts", "/etc/gai.conf", "/etc/localtime", "/etc/ld.so", "/etc/ssl/",
    "/etc/mime.types", "/etc/apache2/mime.types", "/etc/httpd/", "/etc/os-release", "/usr/", "/lib", "/sys/devices/system/", "/sys/fs/cgroup/",
    "/proc/self/", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/sys/", "/dev/null", "/dev/urandom", "/dev/zero",
)  # fmt: skip
_ASKED_BY_C: Final = ("/etc/passwd", "/etc/group")
_PROCESSES: Final = (
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn", "os.startfile", "webbrowser.open",
)  # fmt: skip
#: Programs by which libraries ask what machine they are on, with everything that is asked.
_ABOUT_THE_MACHINE: Final = pattern(
    r"(?:/s?bin/|/usr/s?bin/)?(?:ldconfig, \[[^\]]*ldconfig, -p\]|lscpu, |uname, |nvidia-smi, )"
)
_NETWORK: Final = (
    "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg", "urllib.Request", "http.client.connect",
    "http.client.send", "ftplib.", "smtplib.", "poplib.", "imaplib.", "telnetlib.", "nntplib.",
)  # fmt: skip
_CHANGES: Final = (
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate", "os.utime", "shutil.", "tempfile.",
)  # fmt: skip
_LOOKS: Final = (
    "os.listdir",
    "os.scandir",
    "os.walk",
    "os.fwalk",
    "glob.glob",
    "pathlib.Path.glob",
    "pathlib.Path.rglob",
)
#: Calls that are refused and that libraries make now and then for harmless reasons.
_HARMLESS_CALLS: Final = frozenset(
    {
        "memfd_create",
        "inotify_init",
        "inotify_init1",
        "personality",
        "shmget",
        "semget",
        "msgget",
        "mq_open",
        "setpgid",
        "setsid",
        "seccomp",
        "setgroups",
    }
)
#: Code that hands a model's code on: whatever it calls, the model called.
_UNPICKLERS: Final = pattern(
    r"(?:openvet/sandbox/loaders\.py|PYTHON/.*(?:/pickle\.py|torch/serialization\.py|_weights_only_unpickler\.py|torch/jit/_serialization\.py"
    r"|torch/_utils\.py|numpy_pickle(?:_utils|_compat)?\.py|numpy/lib/[\w/]{1,80}\.py|/copyreg\.py|dill/[\w/]{1,80}\.py|cloudpickle/[\w/]{1,80}\.py"
    r"|/functools\.py|/operator\.py))"
)
_DLOPEN: Final = "ctypes.dlopen"
#: What may stand in front of a path, and what behind it, for it to be that path, and not a part of another one.
_BEGINS: Final = "(?<![^\\s'\"=:,(\\[])"
_ENDS: Final = "(?![^/:,;)\\]'\"\\s])"


def _place(path: str, *, folder: bool) -> re.Pattern[str]:
    """That path, with the ``/`` behind it where it is a folder's."""
    behind = f"(?:/|{_ENDS})" if folder else _ENDS
    return re.compile(f"{_BEGINS}{re.escape(path)}{behind}")


@dataclass(frozen=True, slots=True)
class Places:
    """What paths and tokens are called in a record, so that it says nothing about whoever made it.

    Attributes:
        model: the folder or file that was loaded, as the child saw it.
        home, scratch: the child's.
        libraries: folders of the interpreter and its packages, each with ``/`` at the end.
        ours: the folder of our own package, with ``/``.
        tokens: of decoys, each with the place that it is in.
        own_code: whether the model comes with code that its loader has to run.
    """

    model: str
    home: str
    scratch: str
    libraries: tuple[str, ...]
    ours: str
    tokens: Mapping[str, str]
    own_code: bool

    def named(self, text: str) -> str:
        """``text`` with places and tokens by their names, printable."""
        for token, where in self.tokens.items():
            if token in text:
                text = text.replace(token, f"<decoy of {where}>")
        for path, name in self._names():
            bare = path.rstrip("/")
            if bare in text:
                text = _place(bare, folder=path != bare).sub(name, text)
        return "\n".join(map(printable, text.split("\n")))

    def _names(self) -> list[tuple[str, str]]:
        """The longest first: one may lie in another."""
        libraries = [(each, "PYTHON/") for each in self.libraries]
        names = [
            (self.model, "MODEL"),
            (self.ours, "openvet/"),
            (self.home, "~"),
            (self.scratch, "$TMPDIR"),
            *libraries,
        ]
        return sorted(names, key=lambda each: -len(each[0]))


def judge(event: Event, places: Places) -> Seen:
    """One event, named and judged."""
    about, detail, by = places.named(event.about), places.named(event.detail), places.named(event.by)
    plain = Event(event.phase, event.recorder, event.kind, about, detail, event.answer, by, event.count)
    word, why = _stolen(event, places) or _JUDGES[event.recorder](plain, places)
    return Seen(
        event.phase, event.recorder, printable(event.kind), about, detail, event.answer, by, event.count, word, why
    )


def _stolen(event: Event, places: Places) -> _Judged | None:
    where = sorted({where for token, where in places.tokens.items() if token in event.about or token in event.detail})
    return (MALICIOUS, f"a decoy secret is in it: {', '.join(where)}") if where else None


# --- what Python says ---


def _audit(event: Event, places: Places) -> _Judged:
    kind, about = event.kind, event.about
    library = event.by.startswith(("PYTHON/", "openvet/")) and not _UNPICKLERS.match(event.by)
    if kind == "pickle.find_class":
        return _resolved(about, event, places)
    if kind.startswith(_PROCESSES):
        if _ABOUT_THE_MACHINE.match(about):
            return UNUSUAL, "a program is started that tells about the machine"
        return MALICIOUS, "a program or process is started"
    if kind.startswith(_NETWORK):
        return MALICIOUS, "it wants to talk to somebody"
    if kind == "open":
        return _opened(event, places, library=library)
    if kind.startswith(_CHANGES):
        # a copy and a link leave what they begin with as it is
        first = 1 if kind.startswith(("shutil.copy", "os.link", "os.symlink")) else 0
        named = [
            each for each in about.split(", ")[first:2] if each.startswith(("/", "~", "MODEL", "$TMPDIR", "PYTHON"))
        ]
        found = [_changed(each, places, library=library) for each in named or [about.partition(", ")[0]]]
        return max(found, key=lambda each: JUDGED.index(each[0]))
    if kind.startswith(_LOOKS):
        return _looked(about, library=library)
    if kind == "import":
        return EXPECTED, "a module is imported"
    if kind in ("compile", "exec"):
        return _compiled(event, places, library=library)
    if kind == _DLOPEN:
        return _native(about)
    if kind.startswith(
        (
            "socket.",
            "ctypes.",
            "marshal.",
            "code.__new__",
            "os.kill",
            "sys.addaudithook",
            "sys.set",
            "time.sleep",
            "builtins.input",
        )
    ):
        return (
            (EXPECTED, "by a library") if library else (UNUSUAL, _SPECIAL.get(kind, "seldom part of loading a model"))
        )
    return (
        (EXPECTED, "by a library")
        if library or kind in _HARMLESS_EVENTS
        else (UNUSUAL, "seldom part of loading a model")
    )


_HARMLESS_EVENTS: Final = frozenset({"_thread.start_new_thread", "os.putenv", "gc.get_objects", "tempfile.mkstemp"})
_SPECIAL: Final = {
    "marshal.loads": "code is unmarshalled",
    "code.__new__": "code is made of its parts",
    "ctypes.dlsym": "a native function is looked up",
    "time.sleep": "it waits",
    "os.kill": "a process is signalled",
    "sys.addaudithook": "it wants to see what is watched",
    "socket.gethostname": "it asks for the machine's name",
}


def _resolved(about: str, event: Event, places: Places) -> _Judged:
    module, _, name = about.partition(".")
    # a dotted module cannot be told from a dotted name: every way to cut is looked up, and the worst counts
    parts = about.split(".")
    found = [classify(".".join(parts[:at]), ".".join(parts[at:])) for at in range(1, len(parts))] or [
        classify(module, name)
    ]
    dangerous = next((each for each in found if each.kind is Kind.DANGEROUS), None)
    if dangerous is not None:
        return MALICIOUS, f"a callable that {dangerous.what or 'is dangerous'} is resolved"
    if any(each.kind in (Kind.DATA, Kind.FRAMEWORK, Kind.LINKER) for each in found):
        return EXPECTED, "a class of data, or of a framework, is resolved"
    if places.own_code:
        return EXPECTED, "a class of the model's own code is resolved"
    return UNUSUAL, f"what {printable(event.about)[:100]} does when it is made is not known"


def _opened(event: Event, places: Places, *, library: bool) -> _Judged:
    writes = event.detail == "to write" or event.kind.endswith("to write")
    return (
        _changed(event.about, places, library=library)
        if writes
        else _read(event.about, event.recorder, library=library)
    )


def _read(path: str, recorder: str, *, library: bool) -> _Judged:
    if _SECRETS.search(path):
        return MALICIOUS, "a secret of the user's is opened"
    if (
        path == ""
        or path.startswith(("MODEL", "PYTHON", "openvet/", "$TMPDIR", *_SYSTEM_READS))
        or not path.startswith(("/", "~"))
    ):
        return EXPECTED, "the model, the interpreter, or what the system tells everybody"
    if path.startswith(("~/.cache/", "~/.config/matplotlib")) or (
        path.startswith("~/.") and library and "/" not in path[3:]
    ):
        return EXPECTED, "settings and caches that a library looks for"
    if path in _ASKED_BY_C:
        return (
            (EXPECTED, "the C library looks up a name")
            if recorder == "kernel"
            else (UNUSUAL, "the users of the machine are read")
        )
    if path.startswith("~") and library:
        return EXPECTED, "settings and caches that a library looks for"
    return UNUSUAL, "a file that is none of the model's is opened"


def _changed(path: str, places: Places, *, library: bool) -> _Judged:
    if _COMES_BACK.search(path):
        return MALICIOUS, "what is written there is run again later"
    if _SECRETS.search(path):
        return MALICIOUS, "a secret of the user's is changed"
    if path.startswith("MODEL"):
        return MALICIOUS, "it changes the model"
    if path.startswith("$TMPDIR"):
        return (EXPECTED, "a temporary file of a library") if library else (UNUSUAL, "a temporary file is written")
    if f"{path}/".startswith("~/.cache/") or (path.startswith(("~/.config/", "~/.triton")) and library):
        own = path.startswith("~/.cache/huggingface/modules") and places.own_code
        return (EXPECTED, "the cache of a library") if library or own else (UNUSUAL, "a file in the caches is written")
    if path.startswith(("/dev/null", "/dev/shm/")):  # noqa: S108 - a name to compare with
        return EXPECTED, "what is written there is gone"
    if not path.startswith(("/", "~", "PYTHON")):
        return UNUSUAL, "a file is changed"
    return MALICIOUS, "a file outside its own folder is changed"


def _looked(path: str, *, library: bool) -> _Judged:
    if path.startswith(("MODEL", "PYTHON", "$TMPDIR", "~/.cache")):
        return EXPECTED, "it lists the model, the interpreter or caches"
    return (EXPECTED, "by a library") if library else (UNUSUAL, "it looks around among files")


def _compiled(event: Event, places: Places, *, library: bool) -> _Judged:
    own = event.about.startswith(("MODEL", "~/.cache/huggingface/modules"))
    if own and places.own_code:
        return EXPECTED, "the model's own code, which its loader runs"
    if library:
        return EXPECTED, "a library writes code of its own"
    return UNUSUAL, "text is made into code and run as the model is loaded"


def _native(path: str) -> _Judged:
    if path.startswith("PYTHON/") or (not path.startswith(("/", "~", "MODEL", "$TMPDIR")) and "/" not in path):
        return EXPECTED, "a library of the system's or of a package"
    return MALICIOUS, "native code is loaded that came with the model or was written by it"


# --- what the kernel says ---


def _kernel(event: Event, places: Places) -> _Judged:
    call = event.kind.partition(" ")[0]
    if call in ("open", "openat", "openat2", "creat"):
        if event.kind.endswith("to write") or call == "creat":
            return _changed(event.about, places, library=True)
        return _read(event.about, "kernel", library=True)
    if call in ("connect", "bind", "sendto", "sendmsg", "sendmmsg"):
        if event.about.startswith("unix ") and event.about.endswith("/nscd/socket"):
            return EXPECTED, "the C library looks up a name"
        return MALICIOUS, "it wants to talk to somebody"
    if call == "socket":
        return (
            (EXPECTED, "leads nowhere before it is connected")
            if event.about.startswith("unix")
            else (UNUSUAL, "a socket is opened")
        )
    if event.answer in ("let on", "feigned"):  # names a file to change
        return _changed(event.about.rpartition(" -> ")[2], places, library=True)
    if call in _HARMLESS_CALLS:
        return UNUSUAL, "a call that libraries make seldom"
    if call in ("fork", "vfork", "clone", "execve", "execveat"):
        return MALICIOUS, "a program or process is started"
    if call in (
        "kill",
        "tkill",
        "tgkill",
        "ptrace",
        "process_vm_readv",
        "process_vm_writev",
        "pidfd_open",
        "pidfd_getfd",
        "pidfd_send_signal",
    ):
        return MALICIOUS, "it reaches for another process"
    return MALICIOUS, "it asks for rights, or for doors of the kernel, that no load needs"


def _network(event: Event, _: Places) -> _Judged:
    return MALICIOUS, "a name is looked up on a network" if event.kind == "looked up" else "data is sent to somebody"


_JUDGES: Final[Mapping[str, Callable[[Event, Places], _Judged]]] = {
    "audit": _audit,
    "kernel": _kernel,
    "network": _network,
}
