"""``openvet run``: a model behind a decision, served to OpenAI's clients."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from openvet.cli.failures import INTERRUPTED
from openvet.cli.options import with_options
from openvet.cli.packs import config_options
from openvet.cli.policies import Policies, policy_options
from openvet.cli.running_options import asked_of, running_options
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from openvet.cli.run_answer import Question
    from openvet.engines.model import Model
    from openvet.gateway.serve import Serving
    from openvet.reports.report import ModelReport
    from openvet.workflows.opening import Asked, Running
    from openvet.workflows.run import Admitted

__all__ = ["run"]

_PATH = click.Path(readable=False)
_REJECTED, _REVIEW, _NO_ISOLATION, _FAILED = 1, 3, 3, 2
_LIBRARIES: Final = ("httptools", "python_multipart", "starlette", "uvicorn")


def _serving_options(command: Any) -> Any:
    """Where it listens, to whom, and how much of it there is."""
    return with_options(
        (
            click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Listen there; other machines reach it by another address, which needs --key-env."),
            click.option("--port", metavar="N", type=click.IntRange(0, 65535), default=8471, show_default=True, help="Listen on this port; 0 takes a free one."),
            click.option("--key-env", metavar="VARIABLE", help="The environment variable that holds the key that clients have to send."),
            click.option("--allow-origin", "origins", metavar="ORIGIN", multiple=True, help="Answer pages of this site too, such as https://app.example. May be repeated."),
            click.option("--name", metavar="NAME", help="What clients ask for it by. Default: its file's or folder's name."),
            click.option("--max-tokens", type=click.IntRange(min=1), default=4096, show_default=True, metavar="N", help="Tokens that one answer has at most."),
            click.option("--prompt-tokens", type=click.IntRange(min=1), metavar="N", help="Tokens that one prompt has at most. Default: as many as --context."),
            click.option("--body", metavar="BYTES", default="32M", show_default=True, help="Bytes that one request has at most."),
            click.option("--audio-seconds", type=click.FloatRange(min=1), default=600, show_default=True, metavar="N", help="Audio that one request has at most."),
            click.option("--queue", type=click.IntRange(min=0, max=10_000), default=16, show_default=True, metavar="N", help="Requests that may wait while one is answered; more get 429."),
            click.option("--restarts", type=click.IntRange(min=0, max=1000), default=3, show_default=True, metavar="N", help="How often its process is started again within ten minutes."),
            click.option("--grace", type=click.FloatRange(min=0, max=3600), default=10, show_default=True, metavar="SECONDS", help="For answers that run when it is to end."),
            click.option("--log", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How each request is written to standard error; never with its text."),
        )
    )(command)  # fmt: skip


@click.command(short_help="Serve a model that is admitted, as OpenAI's interface.")
@click.argument("model", metavar="MODEL", type=_PATH)
@click.option("--ask", metavar="TEXT", multiple=True, help="Serve nothing: print the answer to this, and end; of what makes vectors, the vector. With - it is read from standard input.")  # fmt: skip
@click.option("--with", "shown", metavar="FILE", type=_PATH, help="Serve nothing: print what is said in this WAV, or the lines in this PNG; with several --ask, which of those texts fits the image.")  # fmt: skip
@click.option("--digest", metavar="DIGEST", default="", help="The digest that it has to have, as `openvet digest` prints it.")  # fmt: skip
@click.option("--key", metavar="FILE", type=_PATH, help="The public key that has to have signed it, as `openvet verify --key` verifies it.")  # fmt: skip
@_serving_options
@with_options(policy_options())
@click.option("--strict", is_flag=True, help="Reject whatever is not proven to be data.")
@with_options(config_options("Use this openvet.toml: its acceptances, limits and packs; `openvet config` shows which one counts otherwise."))  # fmt: skip
@running_options()
@click.option("--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal.")
@click.pass_context
def run(ctx: click.Context, /, model: str, **asked: Any) -> None:
    """Check MODEL, and where it is admitted, run it in a sandbox and serve it to clients of OpenAI's interface.

    What `openvet check` rejects, or leaves to a person, does not start; what your team accepts stands in openvet.toml, and packs of
    --policy decide too. The bytes that were checked are the bytes that are loaded. The model's process has no network, sees no other
    files, and is started again when it crashes.

    Chats, completions, embeddings and transcriptions are served as far as the model can do them, streamed or not. What is not supported is
    refused by name. Serving needs the extra openvet[server]; the runtime may lie in another environment, which --python names.

    \b
    Examples:
      openvet run model.gguf --python ~/llm/bin/python
      openvet run model.gguf --ask "What is a confusion matrix?"
      openvet run ./whisper --with said.wav
      openvet run ./clip --with seven.png --ask "a six" --ask "a seven"
      openvet run ./minilm --policy baseline --port 9000
      KEY=... openvet run ./whisper --host 0.0.0.0 --key-env KEY

    \b
    Exit codes:
      0    ended by SIGTERM, or --ask or --with was answered
      1    rejected: it was not started; or not signed by --key, or not of --digest
      3    left to a person, or nothing here is enough to run it in: it was not started
      2    the command itself failed, or the model's process ended too often
      130  interrupted with Ctrl-C; its process is gone
    """  # noqa: D301
    from openvet.cli.run_answer import question_of
    from openvet.errors import VerifyError
    from openvet.gateway.ending import TerminatedError, ends_on_term
    from openvet.sandbox.levels import NoIsolationError
    from openvet.workflows.run import Admitted

    question = question_of(asked)
    serving = None if question is not None else _serving(asked)
    wanted = asked_of(asked)
    try:
        with ends_on_term():
            found = _admitted(model, asked, wanted)
            if not isinstance(found, Admitted):
                ctx.exit(_not_admitted(found))
            if question is not None:
                _answer(found, wanted, question)
            elif serving is not None:
                ctx.exit(_serve(found, wanted, serving, asked["name"] or found.report.subject.name))
    except TerminatedError:
        ctx.exit(0)
    except NoIsolationError as error:
        say(f"openvet: {error}")
        ctx.exit(_NO_ISOLATION)
    except VerifyError as error:
        say(f"openvet: not started: {error}")
        ctx.exit(_REJECTED)


def _serving(asked: dict[str, Any]) -> Serving:
    from importlib.util import find_spec

    from openvet.cli.options import amount_of
    from openvet.errors import UsageError

    missing = [each for each in _LIBRARIES if find_spec(each) is None]
    if missing:
        raise UsageError(f"serving needs libraries that are not installed ({', '.join(missing)}): pip install 'openvet[server]'; --ask needs none")  # fmt: skip
    from openvet.gateway.desk import Limits
    from openvet.gateway.serve import Serving

    body = amount_of(asked["body"], "--body")
    key = ""
    if asked["key_env"] is not None:
        key = os.environ.get(asked["key_env"], "")
        if len(key) < 16 or not key.isascii() or not key.isprintable() or " " in key:
            raise UsageError(f"--key-env: the variable {asked['key_env']} has to hold a key of at least 16 printable characters without spaces")  # fmt: skip
    limits = Limits(body, asked["prompt_tokens"] or 0, asked["max_tokens"], asked["seconds"], asked["audio_seconds"])
    serving = Serving(
        asked["host"], asked["port"], key, tuple(asked["origins"]), limits, asked["queue"], asked["restarts"], asked["grace"], asked["log"]
    )  # fmt: skip
    serving.check()
    return serving


def _admitted(model: str, asked: dict[str, Any], wanted: Asked) -> Admitted | ModelReport:
    """Check it, by what the team accepts and the packs that are asked; and verify its signature where one has to be there."""
    from openvet.cli.check import look_for_config, read_models, reading
    from openvet.reports.report import NotChecked
    from openvet.sandbox.interpreter import interpreter_at
    from openvet.workflows.check import Options
    from openvet.workflows.run import admit

    found = look_for_config(asked, [model])
    for each in found.ignored:
        say(f"openvet: {each.file} is ignored: {each.why}")
    policies = Policies(asked, found.config)
    options = policies.widen(Options(config=found.config, strict=asked["strict"], only_facts=True).settled())

    def examine() -> ModelReport | NotChecked:
        if asked["key"] is not None:
            _verify(model, asked["key"])  # here: what changes from now on is seen
        for result in read_models([model], options, show_progress=not asked["no_progress"]):
            return policies.take(result)
        raise AssertionError(model)

    with reading(model):
        if wanted.python:
            interpreter_at(wanted.python)  # one that is none is told before the model is read
        return admit(model, examine, asked["digest"])


def _verify(model: str, key: str) -> None:
    from openvet.core.progress import Progress
    from openvet.evidence.file_signature import verify_file_with_key
    from openvet.evidence.verifier import verify_with_key
    from openvet.workflows.keys import read_public
    from openvet.workflows.verify import VerifyOptions, verify_either

    public = read_public(key)
    verify_either(
        model,
        lambda bundle: verify_with_key(bundle, public),
        lambda bundle, digest: verify_file_with_key(bundle, digest, public),
        VerifyOptions(),
        Progress(),
    )


def _not_admitted(report: ModelReport) -> int:
    """Say why, and what to do next; the exit code."""
    from openvet.policy.decision import Verdict
    from openvet.reports import text
    from openvet.reports.policy import compose_decision

    look = look_of(sys.stderr)
    say(text.model(report, look).rstrip("\n"))
    for each in report.policies:
        say("\n" + look.finish(compose_decision(report.subject.name, each, look)).rstrip("\n"))
    rejected = report.verdict is Verdict.REJECT
    what = "it is rejected" if rejected else "a person has to look at it first"
    say(
        f"\nopenvet: not started: {what}. What your team accepts of it goes into openvet.toml: `openvet check --format acceptances "
        f"{report.path}` writes the lines; `openvet explain` says what a reason means"
    )
    return _REJECTED if rejected else _REVIEW


# --- one answer ---


def _answer(found: Admitted, wanted: Asked, question: Question) -> None:
    from openvet.cli.run_answer import answer

    running = found.open(wanted)
    model = running.model
    try:
        answer(model, question, lambda: say(_banner(found, running).rstrip("\n")))
    except BaseException:
        model.kill()
        raise
    model.close()


# --- a server ---


def _serve(found: Admitted, wanted: Asked, serving: Serving, name: str) -> int:
    import signal

    from openvet.core.text import printable
    from openvet.gateway.serve import serve

    name = printable(name)
    now: list[Running] = []

    def opener() -> Model:
        now[:] = [found.open(wanted)]
        return now[0].model

    def tell(address: str, model: Model) -> None:
        click.echo(_banner(found, now[0]) + _how_to_ask(address, name, model, with_key=bool(serving.key)))
        sys.stdout.flush()

    def log(line: str) -> None:
        click.echo(line, err=True)

    served = serve(opener, name, lambda _: found.facts(now[0]), serving, tell, log)
    if served.failed:
        say(f"openvet: {served.failed}")
        return _FAILED
    return INTERRUPTED if served.signal == signal.SIGINT else 0


def _banner(found: Admitted, running: Running) -> str:
    """What runs, and why it may."""
    from openvet.core.text import printable

    model, level = running.model, running.proof.level
    packs = "".join(f", by {each.pack.name} as of {each.as_of}" for each in found.report.policies)
    context = f", context {model.facts['context']}" if "context" in model.facts else ""
    kept = "not enough, which was accepted" if running.accepted else f"{level.name}, no network; proven now"
    lines = (
        ("model", printable(found.report.path)),
        ("digest", found.digest),
        ("decision", f"{str(found.report.verdict).upper()}{packs}"),
        ("runtime", f"{model.version} ({model.engine}){context}"),
        ("sandbox", f"level {level.id}: {kept}"),
        ("can", ", ".join(sorted(model.can))),
    )
    return "".join(f"{name:<10}{text}\n" for name, text in lines)


_EXAMPLES: Final = (
    ("generate", "/chat/completions", '{{"model": {name}, "messages": [{{"role": "user", "content": "Hello"}}]}}'),
    ("embed", "/embeddings", '{{"model": {name}, "input": "Hello"}}'),
)  # fmt: skip


def _how_to_ask(address: str, name: str, model: Model, *, with_key: bool) -> str:
    """The address, and a line for a shell that asks."""
    import json
    import shlex

    key = ' -H "Authorization: Bearer $KEY"' if with_key else ""
    quoted = json.dumps(name)
    example = ""
    if "transcribe" in model.can:
        example = f"curl {address}/v1/audio/transcriptions{key} -F {shlex.quote(f'model={name}')} -F file=@audio.wav"
    for kind, path, body in _EXAMPLES:
        if kind in model.can and not example:
            if kind == "generate" and not model.facts.get("template", True):
                path, body = "/completions", '{{"model": {name}, "prompt": "Hello"}}'
            data = shlex.quote(body.format(name=quoted))
            example = f"curl {address}/v1{path}{key} -H 'Content-Type: application/json' -d {data}"
    return f"{'address':<10}{address}/v1\n{'name':<10}{name}\n\n{example}\n\nCtrl-C ends it.\n"
