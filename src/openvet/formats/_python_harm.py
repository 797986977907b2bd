"""What a call in a Python source does to more than the process that it runs in: to what its user keeps with a service, to other processes, to disks,
and to other repositories.

Each judgement joins two ends: something is removed, ended or written over, and what that is was looked for (all buckets, all models of the user, every
process of a name, the parent), or nothing ends it. A single removal that somebody names is nobody's harm.

Sources: MITRE ATT&CK T1485, T1489, T1490, T1498, T1499, T1562.001, T1080 (taint shared content).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from openvet.core.pattern import pattern
from openvet.formats._python_calls import DECODES, FINDS, arguments_of, last_name, receiver
from openvet.formats._python_ends import ends
from openvet.formats._python_given_away import logs_away
from openvet.formats._python_nodes import walk
from openvet.formats._python_secrets import SECRET_NAME, variable_of

if TYPE_CHECKING:
    from openvet.formats._python_record import Record

__all__ = ["WORDS_OF_HARM", "Harm"]

#: Words by which one of these is done, for whoever asks whether a source can do it at all.
WORDS_OF_HARM: Final = (
    "delete_", "drop_database", "drop_collection", "flushall", "flushdb", "terminate_instances", "getppid", "process_iter", "Process(", ".delete()", "resolve_trust_remote_code", "wipe_", "schedule_key_deletion",
    "while True", "while 1", "remove_repository", "HTTPHandler", "Html(", "upload_file", "upload_folder", "create_commit", "copy(__file__", "copyfile(__file__",
)  # fmt: skip
#: What removes something that is kept with a service; and what says which of them there are.
_REMOVES: Final = pattern(
    r"delete_(?:bucket|object|objects|repo|file|folder|files|branch|tag|model|dataset|space|collection|index|table|stream|cluster|namespace\w{0,20}|namespaced_\w{1,40}|collection_namespaced_\w{1,40}|stack|secret|db_\w{1,20}|snapshot|volume|image|function|user|role|"
    r"blob|blobs|container|project|experiment|run|registered_model|model_version|artifact\w{0,10}|all|many|repository|instance\w{0,10}|endpoint\w{0,20}|inference_endpoint|deployment)|drop_(?:database|collection|all|table|index)|flush(?:all|db)|terminate_instances|schedule_key_deletion|"
    r"remove_repository|delete_objects|empty_bucket|batch_delete_image|super_squash_history"
)
_LISTS: Final = pattern(
    r"list_(?:buckets|objects(?:_v2)?|object_versions|models|datasets|spaces|repo_files|repo_tree|files|blobs|containers|namespaced_\w{1,40}|\w{1,30}_for_all_namespaces|database_names|collection_names|tables|clusters|functions|instances|secrets|users|repos|registered_models|runs|experiments|images)|"
    r"search_(?:experiments|runs|registered_models|model_versions)|get_paginator|paginate|describe_\w{1,40}|whoami|get_repos|get_user|scan_iter|keys|all|walk_\w{1,20}|projects|artifacts|runs|api_runs"
)
_SERVICES: Final = frozenset(
    {"boto3", "botocore", "aiobotocore", "google", "azure", "huggingface_hub", "kubernetes", "pymongo", "redis", "sqlalchemy", "docker", "github", "gitlab", "wandb", "mlflow", "minio", "elasticsearch", "qdrant_client", "pinecone", "weaviate", "modelscope", "gcsfs", "s3fs", "oci", "motor", "dvc", "comet_ml", "neptune", "clearml"}
)  # fmt: skip
_ENDS: Final = frozenset({"kill", "terminate", "suspend", "send_signal"})
_OWN: Final = frozenset({"__file__"})
#: Where people keep what they work on, with everything below; and what is tidied away by everybody.
_KEPT: Final = pattern(
    r"^(?:~|/root|/home|/Users|/mnt|/media|/srv|/data|/datasets|/checkpoints|/models|/workspace|/content/drive|/kaggle|/scratch|/nfs|/shared)(?:/|$)"
)
_TIDIED: Final = pattern(
    r"\.(?:pyc|pyo|tmp|log|lock|bak|swp|part|incomplete)\b|cache|tmp|temp\b|__pycache__|checkpoint-\*|\.ipynb_checkpoints",
    re.IGNORECASE,
)
_MODELS_OF_OTHERS: Final = pattern(
    r"(?:~|/root|/home/[^/]{1,40})/(?:\.cache/(?:huggingface|torch|modelscope)|\.ollama/models|\.lmstudio|\.cache/lm-studio)/"
)
#: What puts numbers into a model, or a model into a file.
_KEEPS_NUMBERS: Final = frozenset(
    {
        "register_buffer",
        "register_parameter",
        "Parameter",
        "tensor",
        "as_tensor",
        "from_numpy",
        "frombuffer",
        "array",
        "asarray",
        "save_file",
        "copy_",
    }
)
_GIVES: Final = (
    frozenset(
        {
            "json",
            "get_json",
            "form",
            "body",
            "read",
            "text",
            "get",
            "receive_text",
            "receive_json",
            "receive_bytes",
            "loads",
            "dict",
            "model_dump",
            "decode",
            "strip",
            "get_data",
            "str",
            "pop",
            "values",
            "items",
            "recv",
        }
    )
    | DECODES
)
_LOGS: Final = frozenset(
    {
        "log",
        "Html",
        "log_param",
        "log_params",
        "log_text",
        "log_dict",
        "set_tag",
        "set_tags",
        "capture_message",
        "set_context",
        "set_extra",
        "log_other",
        "log_others",
        "log_parameters",
    }
)
_LOGGERS: Final = frozenset({"wandb", "mlflow", "comet_ml", "neptune", "sentry_sdk", "clearml", "swanlab", "aim"})
_WRITES_TO_OTHERS: Final = frozenset({"warning", "info", "error", "critical", "debug", "log", "exception"})
_SERVICE_NAMES: Final = pattern(r"^[ \t]{0,80}(?:from|import)[ \t]{1,8}(?:" + "|".join(sorted(_SERVICES)) + r")\b", 8)
_EARLY: Final = frozenset({"import", "construction", "inference"})
_MOST: Final = 60_000


class Harm:
    """The judgements of one source, call by call and at its end."""

    __slots__ = ("_logs_away", "_of", "_possible", "_serviced", "_text")

    def __init__(self, uses: Record, text: str) -> None:
        self._of = uses
        self._text = text
        self._possible = any(word in text for word in WORDS_OF_HARM) or "environ" in text
        self._serviced = _SERVICE_NAMES.search(text) is not None
        self._logs_away = logs_away(text)

    def call(self, node: ast.Call, full: str, last: str, when: str) -> str:
        """What a call does, in a few words; empty for an ordinary one."""
        if last in ("remove", "unlink", "rmtree") and when in _EARLY:
            return self._swept(node)
        if said := self._served(node, full) or self._hidden_in_weights(node, last):
            return said
        if last in ("save_file", "save") and when in _EARLY:
            return self._altered(node)
        if not self._possible:
            return ""
        if self._serviced and (_REMOVES.fullmatch(last) or last == "delete") and isinstance(node.func, ast.Attribute):
            return self._removed(node, last, when)
        if last in _ENDS or full in ("os.kill", "os.killpg"):
            return self._ended(node, full, when)
        if last in ends().uploads or last in ("copy", "copy2", "copyfile"):
            return self._spread(node, last, when)
        return self._logged(node, full, last)

    def _removed(self, node: ast.Call, last: str, when: str) -> str:
        """All of something that is kept with a service, as soon as the source is imported or one of its classes is made."""
        parts = (
            list(islice(self._parts([node.func.value, *node.args, *(each.value for each in node.keywords)]), 400))
            if isinstance(node.func, ast.Attribute)
            else []
        )
        listed = any(
            isinstance(each, ast.Call)
            and _LISTS.fullmatch(last_name(each.func))
            and isinstance(each.func, ast.Attribute)
            for each in parts
        )
        whole = last in ("flushall", "flushdb", "drop_database", "drop_all", "delete_all", "empty_bucket")
        if last == "delete" and not any(
            isinstance(each, ast.Call) and last_name(each.func).startswith(("all", "list_", "scan_")) for each in parts
        ):
            return ""
        if (listed or whole) and (when in _EARLY or self._of.is_model(self._of.owner.rpartition(".")[0])):
            return "removes what its user keeps with a service, without being asked"
        return ""

    def _served(self, node: ast.Call, full: str) -> str:
        """A function that a server calls for whoever asks it runs what it is given."""
        shell = any(each.arg == "shell" and self._of.fold(each.value) is True for each in node.keywords)
        if (
            full not in ends().runs.code
            and full not in ends().runs.shells
            and not (shell and full.startswith("subprocess."))
        ):
            return ""
        scope = next(iter(self._of.scopes), None)
        if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef) or not any(
            isinstance(each, ast.Call)
            and isinstance(each.func, ast.Attribute)
            and each.func.attr in ends().serves.routes
            for each in scope.decorator_list
        ):
            return ""
        first = node.args[:1] or [each.value for each in node.keywords if each.arg in ("args", "cmd", "source")]
        for part, scopes in islice(self._of.flows.into(first, self._of.scopes, _is_made), 100):
            if (
                isinstance(part, ast.Name)
                and scope in scopes
                and any(each.arg == part.id for each in (*scope.args.args, *scope.args.kwonlyargs))
            ):
                return "runs what somebody who asks its server gives it"
        return ""

    def _hidden_in_weights(self, node: ast.Call, last: str) -> str:
        """A token or a key becomes numbers of a model."""
        if last not in _KEEPS_NUMBERS or not self._of.takes_secrets:
            return ""
        for part in islice(self._parts(arguments_of(node)), 200):
            if isinstance(part, ast.Call) and (self._of.resolve(part.func) or "") in ends().secrets.tokens:
                return "hides the user's token in the numbers of a model"
            secret = variable_of(self._of, part)
            if secret and SECRET_NAME.search(secret):
                return f"hides {secret} of the environment in the numbers of a model"
        return ""

    def _altered(self, node: ast.Call) -> str:
        """Weights of other models, that it looks for in the home, are written over."""
        for part in islice(self._parts(node.args[1:2]), 100):
            if isinstance(part, ast.Call) and last_name(part.func) in FINDS:
                texts = [
                    text for each in (*part.args, *receiver(part)) if isinstance(text := self._of.place_of(each), str)
                ]
                if any(_MODELS_OF_OTHERS.search(f"{each}/") or _KEPT.search(each) for each in texts):
                    return "changes other models that it finds"
        return ""

    def _ended(self, node: ast.Call, full: str, when: str) -> str:
        """The parent, or every process of a name, as soon as the source is imported or one of its classes is made."""
        if when not in _EARLY:
            return ""
        given = [*node.args, *receiver(node)]
        for part in islice(self._parts(given), 200):
            if isinstance(part, ast.Call):
                name = self._of.resolve(part.func) or last_name(part.func)
                if name in ("os.getppid", "getppid"):
                    return "ends the process that started it"
                if last_name(part.func) == "process_iter" and full != "os.kill":
                    return "ends other processes that it looks for"
        return ""

    def _spread(self, node: ast.Call, last: str, when: str) -> str:
        """Its own text goes into repositories or folders that it looks for."""
        sources = [
            *node.args[:1],
            *(
                each.value
                for each in node.keywords
                if each.arg in ("path_or_fileobj", "folder_path", "operations", "content", "Body", "src")
            ),
        ]
        places = [
            *node.args[1:],
            *(each.value for each in node.keywords if each.arg in ("repo_id", "dst", "path", "Bucket")),
        ]
        uploads = ends().uploads
        own = any(isinstance(each, ast.Name) and each.id in _OWN for each in islice(self._parts(sources), 100))
        if not own:
            return ""
        found = any(
            isinstance(each, ast.Call)
            and (
                last_name(each.func) in FINDS
                or (last in uploads and _LISTS.fullmatch(last_name(each.func)) is not None)
            )
            for each in islice(self._parts(places), 300)
        )
        if found and when != "call":
            return "copies itself into other repositories"
        return "copies itself into other repositories" if found and last in uploads else ""

    def _logged(self, node: ast.Call, full: str, last: str) -> str:
        """The whole environment, in what somebody else is told of a run."""
        away = (
            (last in _WRITES_TO_OTHERS and self._logs_away)
            or (last in _LOGS and full.split(".", 1)[0] in _LOGGERS)
            or (last == "log" and any(each in self._text for each in ("wandb.init", "start_run")))
        )
        if not away:
            return ""
        for part in islice(self._parts(arguments_of(node)), 300):
            whole = isinstance(part, ast.Name | ast.Attribute) and self._of.resolve(part) == "os.environ"
            if whole and not _is_one(node, part):
                return "tells the whole environment to where its runs are logged"
        return ""

    def _swept(self, node: ast.Call) -> str:
        """Files of all who use the machine, that it looks for by their endings, as soon as it is imported."""
        given = node.args[:1] or receiver(node)
        for part in islice(self._parts(given), 200):
            if isinstance(part, ast.Call) and last_name(part.func) in ("glob", "iglob", "rglob", "walk"):
                texts = [
                    text for each in (*part.args, *receiver(part)) if isinstance(text := self._of.place_of(each), str)
                ]
                joined = " ".join(texts)
                if last_name(node.func) == "rmtree" and any(_MODELS_OF_OTHERS.search(each) for each in texts):
                    return "removes other models of whoever runs it"
                if (
                    any(_KEPT.search(each) for each in texts)
                    and ("**" in joined or last_name(part.func) in ("rglob", "walk"))
                    and not _TIDIED.search(joined)
                ):
                    return "removes files that it looks for on the machine of whoever runs it"
        return ""

    def finish(self, nodes: list[ast.AST]) -> Iterator[tuple[int, str, str]]:
        """Line, what stands there, and what it does: loops that nothing ends, and questions that nobody is asked any more."""
        if not self._possible:
            return
        defined: dict[str, ast.AST] = {}
        nodes = nodes[:_MOST]
        for node in nodes:
            if isinstance(node, ast.FunctionDef):
                defined[node.name] = node
        for node in nodes:
            if isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and node.test.value:
                if self._writes_on(node):
                    yield node.lineno, "a loop", "fills the disk until nothing else can be written"
                elif started := _starts(node.body):
                    function = defined.get(started)
                    if function is not None and any(each is node for each in walk(function)):
                        yield node.lineno, started, "starts itself until nothing else can run"
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    if (
                        isinstance(target, ast.Attribute)
                        and target.attr == "resolve_trust_remote_code"
                        and not isinstance(node.value, ast.Attribute)
                    ):
                        yield node.lineno, target.attr, "takes away the question whether code of a repository may run"

    def _writes_on(self, loop: ast.While) -> bool:
        """Whether a loop does nothing but write constants, and nothing ends it."""
        parts = [each for statement in loop.body for each in walk(statement)]
        if any(
            isinstance(each, ast.Break | ast.Return | ast.Raise | ast.Yield | ast.Await | ast.If | ast.Try)
            for each in parts
        ):
            return False
        calls = [each for each in parts if isinstance(each, ast.Call)]
        writes = [
            each for each in calls if last_name(each.func) in ("write", "write_bytes", "writelines") and each.args
        ]
        return (
            bool(writes)
            and len(calls) - len(writes) <= 1
            and all(
                last_name(each.func) in ("write", "write_bytes", "writelines", "flush", "urandom", "bytes")
                for each in calls
            )
        )

    def _parts(self, nodes: list[ast.expr]) -> Iterator[ast.expr]:
        return (part for part, _ in self._of.flows.into(nodes, self._of.scopes))


def _is_made(part: ast.expr) -> bool:
    """What is put together around what flows in, or computed of it, is no command as a whole."""
    return isinstance(part, ast.JoinedStr | ast.BinOp | ast.List) or (
        isinstance(part, ast.Call) and last_name(part.func) not in _GIVES
    )


def _is_one(call: ast.Call, environment: ast.expr) -> bool:
    """Whether one variable of the environment is asked for by its name in a call."""
    return any(
        isinstance(each, ast.Subscript) and each.value is environment and isinstance(each.slice, ast.Constant)
        for each in walk(call)
    ) or any(
        isinstance(each, ast.Attribute) and each.value is environment and each.attr == "get" for each in walk(call)
    )


def _starts(body: list[ast.stmt]) -> str:
    """The function of which a process is made in a loop."""
    for statement in body:
        for each in walk(statement):
            if isinstance(each, ast.Call) and last_name(each.func) in ("Process", "Thread"):
                for word in each.keywords:
                    if word.arg == "target" and isinstance(word.value, ast.Name):
                        return word.value.id
    return ""
