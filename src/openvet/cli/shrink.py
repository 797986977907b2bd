"""``openvet quantize``, ``prune``, ``distill``, ``convert`` and ``finetune``: make a model of another one, with a certificate of what that did."""

from __future__ import annotations

from typing import Any

import click

from openvet.cli.shrink_options import EXITS, run_step, shrink_options

__all__ = ["convert", "distill", "finetune", "prune", "quantize"]

_ABOUT = """
    The step runs in a child without network that may write in one folder alone. What it wrote is read again by OpenVet's own readers and checked
    before anything is said about it, and is put in its place whole or not at all. The report, or with --statement the certificate, says from
    which digest to which, with which settings, the types of numbers and real bits for each weight, what stayed as it was, how far both
    agree (--text, --task), and time and memory of both on this processor.
"""


def _with(command: Any) -> Any:
    """The part of the help that all have."""
    first, rest = command.__doc__.split("\n\n", 1)
    command.__doc__ = f"{first}\n{_ABOUT}\n    {rest.strip()}\n{EXITS}"
    return command


@click.command(short_help="Store a model's weights in fewer bits, with a certificate of what that did.")
@shrink_options(budget=True)
@click.pass_context
@_with
def quantize(ctx: click.Context, /, **asked: Any) -> None:
    """Store the weights of MODEL in fewer bits, at OUT.

    GGUF goes down llama.cpp's ladder, ONNX becomes int8 or int4 blocks, a folder of Transformers int8 with torchao. Of a folder
    of graphs that are one model together, each becomes smaller. With --budget the ladder is searched for the smallest rung that fits and was shown
    not to be inferior.

    \b
    Examples:
      openvet quantize --to q4_k_m --text sample.txt model.gguf small.gguf
      openvet quantize --to int8-per-channel --text lines.txt ./encoder ./encoder-int8
      openvet quantize --to int8 --task lines.json ./ocr ./ocr-int8
      openvet quantize --budget device=rpi5,loss=2% --text sample.txt model.gguf small.gguf
    """  # noqa: D301
    run_step(ctx, asked)


@click.command(short_help="Set a model's smallest weights to zero, with a certificate of what that did.")
@shrink_options()
@click.pass_context
@_with
def prune(ctx: click.Context, /, **asked: Any) -> None:
    """Set the smallest weights of MODEL to zero, at OUT.

    Numbers stay in place: neither the file nor the time becomes smaller unless a sparse format or kernel is used, which the certificate says.

    \b
    Examples:
      openvet prune --to magnitude --set amount=0.3 --text lines.txt ./encoder ./encoder-pruned
      openvet prune --to 2:4 ./model ./model-24
    """  # noqa: D301
    run_step(ctx, asked)


@click.command(short_help="Teach a smaller model to answer as a larger one, with a certificate of what that did.")
@shrink_options(train=True)
@click.pass_context
@_with
def distill(ctx: click.Context, /, **asked: Any) -> None:
    """Make a smaller model at OUT that answers as MODEL does.

    It has some of the parent's layers and learns from --train, or is a table with one vector for each token.

    \b
    Examples:
      openvet distill --to layers --set layers=0,2,5 --train texts.txt ./encoder ./encoder-3
      openvet distill --to static --set dimensions=256 --text lines.txt ./encoder ./table
    """  # noqa: D301
    run_step(ctx, asked)


@click.command(short_help="Write a model in another format or type, with a certificate of what that did.")
@shrink_options()
@click.pass_context
@_with
def convert(ctx: click.Context, /, **asked: Any) -> None:
    """Write MODEL in another format or type of numbers, at OUT.

    Casts of safetensors count what the new type cannot hold, and refuse it unless it is accepted.

    \b
    Examples:
      openvet convert --to bf16 model.safetensors model-bf16.safetensors
      openvet convert --to onnx --text lines.txt ./encoder ./encoder-onnx
      openvet convert --to f16 model-q4.gguf model-f16.gguf
    """  # noqa: D301
    run_step(ctx, asked)


@click.command(short_help="Let a model learn from texts by low-rank adapters, with a certificate and provenance.")
@shrink_options(train=True)
@click.pass_context
@_with
def finetune(ctx: click.Context, /, **asked: Any) -> None:
    """Let MODEL learn from --train, at OUT: corrections of low rank beside chosen layers (LoRA).

    Data, seed and losses step by step are written to --provenance.

    \b
    Examples:
      openvet finetune --to merged --train texts.txt --text held-out.txt ./model ./model-tuned
      openvet finetune --to adapter --set rank=4 --train texts.jsonl ./model ./adapter
    """  # noqa: D301
    run_step(ctx, asked)
