"""Pickles that reach a service by a package that exists for it, and by no name that says so: what is sent is the name that is asked for."""

from __future__ import annotations

from functools import partial

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump

__all__ = ["CASES"]

_NETWORK, _PROCESS, _CODE, _NESTED, _FILES = (
    "pickle/opens-network", "pickle/runs-process", "pickle/runs-code", "pickle/loads-nested", "pickle/touches-files",
)  # fmt: skip
_CALLED = (
    (_NETWORK, "dns.resolver:resolve dns.query:udp dns.zone:from_xfr aiodns:DNSResolver pycares:Channel whois:whois"),
    (_NETWORK, "httplib2:Http pycurl:Curl treq:get niquests:get curl_cffi.requests:post mechanize:Browser pooch:retrieve"),
    (_NETWORK, "pysftp:Connection ldap3:Connection smbprotocol.connection:Connection scapy.sendrecv:send"),
    (_NETWORK, "slack_sdk:WebClient telegram:Bot discord:SyncWebhook.from_url tweepy:Client twilio.rest:Client"),
    (_NETWORK, "tqdm.contrib.telegram:tqdm tqdm.contrib.discord:tqdm tqdm.contrib.slack:tqdm"),
    (_NETWORK, "elasticsearch:Elasticsearch motor.motor_asyncio:AsyncIOMotorClient cassandra.cluster:Cluster asyncpg:connect"),
    (_NETWORK, "nats:connect stomp:Connection paho.mqtt.client:Client confluent_kafka:Producer"),
    (_NETWORK, "rpyc:connect Pyro4:Proxy Pyro5.api:Proxy jsonrpclib:Server zeep:Client celery:Celery"),
    (_NETWORK, "neptune:init_run clearml:Task.init comet_ml:Experiment"),
    (_PROCESS, "keyboard:add_hotkey pynput.keyboard:Listener sounddevice:rec bpython:embed"),
    (_CODE, "Cheetah:Template bottle:template pyopencl:Program"),
    (_NESTED, "klepto.archives:file_archive ZODB.FileStorage:FileStorage"),
    (_FILES, "dulwich.porcelain:clone pygit2:clone_repository send2trash:send2trash"),
)  # fmt: skip


def _case(rule: str, written: str) -> Case:
    module, _, name = written.partition(":")
    word = written.replace(":", "-").replace(".", "-").replace("_", "-").lower()
    made = Call(Name(module, name), ("secret.collect.example",))
    return Case(
        f"clients/{word}",
        f"{module}.{name} is called",
        partial(dump, made, 4),
        "reject",
        frozenset({rule}),
        ("pickle",),
        (),
        "model.pkl",
    )


CASES: tuple[Case, ...] = (
    *(_case(rule, written) for rule, names in _CALLED for written in names.split()),
    Case(
        "clients/of-its-parts",
        "a client of a service that is rebuilt without its constructor",
        lambda: dump(Call(Name("elasticsearch", "Elasticsearch"), (), state={"a": 1}, how="NEWOBJ"), 4),
        "review",
        frozenset({"pickle/project-class"}),
        ("pickle",),
        (),
        "model.pkl",
    ),
)  # fmt: skip
