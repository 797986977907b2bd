"""Commands in Python sources that start an ordinary program: one that a constant names, against which nothing speaks.

``subprocess.run(["ffmpeg", "-i", path, out])`` or ``os.system(f"torchrun train.py --lr {lr}")``. What is computed in such a command is
left open, as long as the words by which a program is chosen are constant. That is no leave to run it while a model is loaded: it only
tells a command that people write into their own scripts from one of which nobody can say what it starts.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from openvet.core.pattern import pattern
from openvet.formats._python_resolve import NEAR

if TYPE_CHECKING:
    from openvet.formats._python_processes import Processes

__all__ = ["is_tool", "only_converts"]

_OPEN = "\u2026"
#: A word that names a program: by its name alone, in the folder itself, or in one of the system's folders.
_NAMED = pattern(
    r"(?:\.{0,2}/)?(?:usr/(?:local/)?bin/|bin/|opt/\w{1,20}/bin/|[\w-][\w.-]{0,30}/){0,4}[A-Za-z][\w.+-]{0,60}",
    re.ASCII,
)
_ASSIGNED = pattern(r"[A-Z][A-Z0-9_]{0,60}=[^\s]{0,200}")
#: A word that is quoted as a whole, in which no shell puts anything.
_QUOTED = pattern(r"""(?<=[\s=])(?:"[^"$`\\]{0,400}"|'[^'$`\\]{0,400}')(?=\s|$)""")
_SPLIT = pattern(r"&&|\|\||[;|&\n]")
#: Before the program itself.
_BEFORE = frozenset({"sudo", "time", "nice", "nohup", "exec", "env", "stdbuf", "srun", "mpirun", "timeout"})
#: Programs that run what they are given as text, talk to other machines, change who may do what, or destroy: what they do is asked for
#: one by one. ``eval``, ``source`` and their like are of the shell.
_NOT_ORDINARY = frozenset({
    "nc", "ncat", "netcat", "socat", "telnet", "ssh", "sshpass", "scp", "sftp", "ftp", "tftp", "crontab", "at", "batch", "systemctl", "service", "launchctl",
    "useradd", "usermod", "adduser", "chpasswd", "passwd", "visudo", "dd", "mkfs", "shred", "shutdown", "reboot", "halt", "iptables", "ufw", "setenforce",
    "insmod", "modprobe", "mount", "umount", "powershell", "pwsh", "cmd", "cmd.exe", "mshta", "osascript", "wscript", "cscript", "rundll32", "regsvr32",
    "certutil", "bitsadmin", "reg", "schtasks", "eval", "source", "base64", "openssl", "gpg", "xxd", "awk", "xargs",
    "find", "chmod", "chown", "chattr", "setcap", "setsid", "nsenter", "unshare", "chroot", "gdb", "strace", "tcpdump", "ngrok", "cloudflared", "frpc", "chisel",
    "xmrig", "kubectl", "aws", "gcloud", "az", "security", "xclip", "echo", "printf", "touch", "true", "tee", "id", "whoami", "xsel", "pbpaste", "curl", "wget", "fetch", "git-remote-ext", "printenv", "set", "history",
})  # fmt: skip
#: They run a file that is named, which lies in the repository and is read there, or a module; and text by an option.
_INTERPRETERS = frozenset(
    {
        "python",
        "python2",
        "python3",
        "ruby",
        "perl",
        "php",
        "lua",
        "bash",
        "sh",
        "zsh",
        "node",
        "deno",
        "bun",
        "Rscript",
        "julia",
    }
)
_TEXT = frozenset({"-c", "-e", "--eval", "-", "-lc", "-ic", "-s", "-p", "--print", "eval"})
#: What a package manager is told to do when it brings something from elsewhere, and what says from where.
_MANAGERS = frozenset(
    {
        "pip",
        "pip3",
        "uv",
        "conda",
        "mamba",
        "npm",
        "npx",
        "pnpm",
        "yarn",
        "gem",
        "cargo",
        "go",
        "poetry",
        "pipx",
        "uvx",
        "docker",
        "podman",
        "brew",
    }
)
_FROM_ELSEWHERE = pattern(
    r"://|\bgit\+|(?:^|\s)(?:-[ifv]|--(?:index|extra|find|trusted|privileged|pid|volume)[\w-]{0,20})\b"
)
_BRINGS = frozenset({"install", "add", "download", "get", "run", "exec", "x", "dlx", "pull"})
#: Programs that turn sound, pictures and texts into others, count and show: no option of theirs runs a text, where no shell reads it.
_CONVERTERS = frozenset({
    "ffmpeg", "ffprobe", "sox", "soxi", "espeak", "espeak-ng", "soffice", "libreoffice", "pdftoppm", "pdftotext", "pdfinfo", "mediainfo", "exiftool",
    "lame", "flac", "opusenc", "fluidsynth", "timidity", "pandoc", "tesseract", "nvcc", "hipcc", "gcc", "g++", "clang", "cmake", "ninja",
    "protoc", "scontrol", "squeue", "sinfo", "nvidia-smi", "rocm-smi", "lscpu", "lspci", "lsb_release", "uname", "nproc", "hostname", "which", "whereis",
})  # fmt: skip
_COMPILES = frozenset({"gcc", "g++", "clang", "cmake", "ninja", "nvcc", "hipcc"})
_VERSIONS = frozenset({"--version", "-V", "-v", "--help", "-dumpversion"})
_MOST_HELD = 6


def is_tool(uses: Processes, node: ast.Call) -> bool:
    """Whether a call starts ordinary programs, each of which a constant word names; with the names bound as they are now."""
    from openvet.formats._shell_script import dangerous_line, judged_script

    if any(each.arg in ("executable", "preexec_fn", "startupinfo", None) for each in node.keywords):
        return False
    command = uses.command_of(node)
    if command.startswith(_OPEN):
        command = _named_last(uses, node) + command.removeprefix(_OPEN)
    words = command.split(None, 1)
    if not words or _OPEN in words[0]:
        return False
    if judged_script(command) is not None or dangerous_line(command) is not None:
        return False
    return all(_is_ordinary(part.split()) for part in _SPLIT.split(_QUOTED.sub("x", command)) if part.strip())


def _named_last(uses: Processes, node: ast.Call) -> str:
    """The program of a list of words whose folder is computed: ``[os.path.join(llama, "build/bin/llama-quantize"), src, out]``."""
    first = node.args[0] if node.args else None
    if isinstance(first, ast.Name):
        first = uses.held(first.id)
    if (
        not isinstance(first, ast.List | ast.Tuple)
        or not first.elts
        or any(each.arg == "shell" for each in node.keywords)
    ):
        return _OPEN
    _, mark, name = (uses.place_of(first.elts[0]) or "").rpartition("/")
    return name if mark and _NAMED.fullmatch(name) else _OPEN


def _is_ordinary(words: list[str]) -> bool:
    """Whether the words of one command start a program in an ordinary way."""
    while words and (words[0] in _BEFORE or _ASSIGNED.fullmatch(words[0])):
        words = words[1:]
    if not words or not _NAMED.fullmatch(words[0]) or any(mark in word for word in words for mark in ("$(", "`", "<(")):
        return False
    name, rest = words[0].rpartition("/")[2].removesuffix(".exe"), words[1:]
    if name in _NOT_ORDINARY:
        return False
    if name in _INTERPRETERS or name.startswith("python3."):
        if rest[:1] == ["-m"]:
            return len(rest) > 1 and _NAMED.fullmatch(rest[1]) is not None and _brings_nothing(rest[1], rest[2:])
        given = next((word for word in rest if not word.startswith("-") or word in _TEXT), "")
        return _NAMED.fullmatch(given) is not None and _TEXT.isdisjoint(rest[: rest.index(given) + 1])
    return _brings_nothing(name, rest)


def _brings_nothing(name: str, rest: list[str]) -> bool:
    """Whether a package manager is asked for nothing that it would bring; other programs are asked for what they are for."""
    if name not in _MANAGERS:
        return True
    if _BRINGS.isdisjoint(rest):
        return name not in ("npx", "uvx", "pipx", "docker", "podman")
    if rest[-1] == _OPEN or _FROM_ELSEWHERE.search(" ".join(rest)) is not None:
        return False
    return rest[-2:-1] in (["-r"], ["-e"])


def only_converts(uses: Processes, node: ast.Call, first: ast.expr) -> bool:
    """Whether ``first``, the arguments of a call, starts a converter, or a program that tells something, however that was found; no shell
    reads the rest.
    """
    if not isinstance(first, ast.List) or not first.elts or any(each.arg == "shell" for each in node.keywords):
        return False
    named = _programs(uses, first.elts[0], _MOST_HELD)
    if not named or not named <= _CONVERTERS:
        return False
    if _COMPILES.isdisjoint(named):
        return True
    return len(first.elts) == 2 and uses.fold(first.elts[1]) in _VERSIONS


def _programs(uses: Processes, node: ast.expr, hops: int) -> frozenset[str]:
    """The names of the programs that an expression may stand for; none where one of them is not known."""
    text = uses.fold(node)
    if isinstance(text, str):  # a path of the folder may be of any program that was put there
        known = "/" not in text or text.startswith(("/usr/", "/bin/", "/opt/"))
        return (
            frozenset({text.rpartition("/")[2]}) if known and _NAMED.fullmatch(text.removeprefix("/")) else frozenset()
        )
    if not hops or any(isinstance(part, ast.Name) and part.id == "__file__" for part in uses.all_of(node)):
        return frozenset()
    parts: list[ast.expr] = []
    if isinstance(node, ast.Call):
        name = (uses.resolve(node.func) or "").removeprefix(NEAR)
        if name == "imageio_ffmpeg.get_ffmpeg_exe":
            return frozenset({"ffmpeg"})
        if name in ("shutil.which", "distutils.spawn.find_executable") and node.args:
            parts = node.args[:1]
        elif name == "os.path.join" and len(node.args) > 1:  # os.path.join(CUDA_HOME, "bin", "nvcc")
            end = "/".join(str(uses.fold(each)) for each in node.args[1:])
            return frozenset({end.rpartition("/")[2]}) if end.startswith("bin/") else frozenset()
    elif isinstance(node, ast.BoolOp):
        parts = node.values
    elif isinstance(node, ast.IfExp):
        parts = [node.body, node.orelse]
    elif isinstance(node, ast.BinOp):  # CUDA_HOME + "/bin/nvcc"
        end = uses.fold(node.right)
        return frozenset({end.rpartition("/")[2]}) if isinstance(end, str) and "/bin/" in f"{end[:20]}" else frozenset()
    elif isinstance(node, ast.Name):
        parts = uses.led_from(node.id)
    found = [
        _programs(uses, each, hops - 1) for each in parts if not (isinstance(each, ast.Constant) and each.value is None)
    ]
    return frozenset().union(*found) if found and all(found) else frozenset()
