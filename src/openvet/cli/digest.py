"""``openvet digest``: the digests that name a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from openvet.cli.options import form_option

if TYPE_CHECKING:
    from openvet.workflows.digest import ModelDigests

__all__ = ["digest"]

_LISTED = 10
_INCOMPLETE = 3


@click.command(short_help="Print the digests that name a model, whatever it is packed in.")
@click.argument("model", type=click.Path(readable=False))
@click.option("--tensors", is_flag=True, help="Also digest the tensors, which are the same in every packaging.")
@click.option("--declared", is_flag=True, help="Take digests that are named already (Git LFS, a hub, OCI) without reading the files; say which.")  # fmt: skip
@click.option("--jobs", "-j", type=click.IntRange(1), metavar="N", help="Hashing threads; all cores if not given.")
@form_option("How to report; json lists every file.")
@click.option("--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal.")
@click.pass_context
def digest(ctx: click.Context, /, **asked: Any) -> None:
    """Print the digests that name a model.

    MODEL is a folder or a file. The root is what `openvet sign` signs, the dirHash binds the names of the files as well.
    With --declared, files whose digests are named already by Git LFS, by a hub or its cache, or by an OCI manifest are not
    read, and MODEL may also be hf:ORG/NAME or oci:REGISTRY/REPO; what is printed says so. With --tensors, two more say whether two models have the same weights: the named one with the tensors' names, the
    nameless one without. They are the same for one file, shards, a PyTorch checkpoint, an archive or an OCI layout.

    \b
    Examples:
      openvet digest ./my-model
      openvet digest --tensors model.safetensors
      openvet digest --format json ./my-model
      openvet digest --declared hf:org/name

    \b
    Exit codes:
      0    everything was digested
      3    --tensors: some tensors were not read, so that there is no digest of them
      2    the command itself failed
      130  interrupted with Ctrl-C
    """  # noqa: D301
    from openvet.cli.check import progress_line
    from openvet.cli.output import write_text
    from openvet.cli.signed import as_json, hash_fast
    from openvet.workflows.digest import digest_model

    hash_fast()
    with progress_line(not asked["no_progress"]) as (progress, _):
        found = digest_model(
            asked["model"],
            tensors=asked["tensors"],
            declared=asked["declared"],
            jobs=asked["jobs"] or 0,
            progress=progress,
        )
    write_text(as_json(found.to_json()) if asked["form"] == "json" else _as_text(found))
    ctx.exit(_INCOMPLETE if found.tensors is not None and found.tensors.not_read else 0)


def _as_text(found: ModelDigests) -> str:
    from openvet.cli.signed import not_covered, not_read
    from openvet.reports._text import bytes_for_people, plural, visible

    size = bytes_for_people(sum(each.size for each in found.files))
    weak = "  (declared, not measured)" if found.basis == "declared" else ""
    lines = [f"{found.name}: {plural(len(found.files), 'file')}, {size}", f"  root      sha256 {found.root}{weak}"]
    if found.dir_hash is not None:
        lines.append(f"  dirHash   {found.dir_hash}{weak}")
    if found.revision is not None:
        lines.append(f"  revision  {found.revision} of {found.repository}, as the cache says (not verified)")
    tensors = found.tensors
    if tensors is not None and tensors.digests is not None:
        lines.append(f"  tensors   {tensors.digests.tensors:,}")
        lines += [f"  named     sha256 {tensors.digests.named}", f"  nameless  sha256 {tensors.digests.nameless}"]
    elif tensors is not None and not tensors.not_read:
        lines.append("  tensors   none")
    elif tensors is not None:
        lines.append("  tensors   NO DIGEST: not all of them were read")
        lines += [f"    {each.place}: {each.reason}" for each in tensors.not_read[:_LISTED]]
        if len(tensors.not_read) > _LISTED:
            lines.append(f"    and {len(tensors.not_read) - _LISTED} more (--format json lists them)")
    lines += not_read([(each.path, each.declared.by, each.declared.here) for each in found.files if each.declared])
    lines += not_covered([(each.path, each.why) for each in found.not_covered])
    return "".join(f"{visible(line)}\n" for line in lines)
