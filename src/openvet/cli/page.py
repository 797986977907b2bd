"""``--report``: the result of a check as a page for people, beside whatever else it prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.terminal import say

if TYPE_CHECKING:
    from openvet.cli.output import Output
    from openvet.reports.config_use import ConfigUse
    from openvet.reports.page.sheet import Sheet
    from openvet.reports.report import ModelReport, NotChecked

__all__ = ["Pages", "form_of", "report_option", "write_page"]

_FORMS = {".html": "html", ".htm": "html", ".md": "markdown"}


def report_option() -> Any:
    """``--report``, which may be repeated."""
    return click.option(
        "--report",
        "pages",
        metavar="FILE",
        type=click.Path(readable=False),
        multiple=True,
        help="Also write a page for people to FILE, whole or not at all: one .html that needs nothing else, or .md. May be repeated.",
    )


def form_of(path: str) -> str:
    """``html`` or ``markdown``, by the ending of a file's name.

    Raises:
        UsageError: it has another one.
    """
    ending = path[path.rfind(".") :].lower() if "." in path else ""
    if ending not in _FORMS:
        raise click.UsageError(f"a page ends in .html or .md, and {path} does not; --format has the forms for programs")
    return _FORMS[ending]


class Pages:
    """The pages that were asked for. They are opened before the long work, so that what cannot be written is said before it.

    Args:
        paths: of the files.
        spared: what is examined, and the configuration: no page replaces them.
        with_inventory: whether what is printed beside them says what a model is; they always do.
        also: questions that are asked for something else too.
    """

    def __init__(
        self, paths: Sequence[str], spared: Sequence[str], *, with_inventory: bool = True, also: Sequence[str] = ()
    ) -> None:
        from openvet.cli.output import open_output

        self._with_inventory, self._also = with_inventory, also
        self._outputs: list[tuple[str, str, Output]] = []
        self._sheets: list[Sheet] = []
        self._models: list[ModelReport] = []
        for path in dict.fromkeys(paths):
            form = form_of(path)
            self._outputs.append((path, form, open_output(path, spared)))

    @property
    def beside(self) -> tuple[str, ...]:
        """The questions that have to be asked beside those of every check; none where no page shows their answers."""
        if not any(form == "html" for _, form, _ in self._outputs):
            return ()
        from openvet.workflows.page import BESIDE

        return BESIDE

    def take(self, result: ModelReport | NotChecked) -> ModelReport | NotChecked:
        """Keep what the pages show of one model; gives the result as it is without them."""
        from openvet.reports.report import ModelReport

        if not self._outputs or not isinstance(result, ModelReport):
            return result
        from openvet.workflows.page import without

        self._models.append(without(result, with_inventory=self._with_inventory, also=self._also))
        if self.beside:
            from openvet.reports.page.sheet import FULL, Sheet
            from openvet.workflows.page import sheet_of

            # of what comes after those that are shown in full, a row is all
            self._sheets.append(
                sheet_of(result, result.policies) if len(self._sheets) < FULL else Sheet(self._models[-1])
            )
        return self._models[-1]

    def write(self, errors: Sequence[NotChecked], use: ConfigUse | None, *, quiet: bool) -> None:
        """Write all of them, each whole or not at all."""
        from openvet.core.text import printable

        for path, form, output in self._outputs:
            with output:
                output.write(write_page(self._sheets, form, self._models, errors, use))
                output.commit()
            if not quiet:
                say(f"the page is in {printable(path)}")


def write_page(
    sheets: Sequence[Sheet],
    form: str,
    models: Sequence[ModelReport] = (),
    errors: Sequence[NotChecked] = (),
    use: ConfigUse | None = None,
) -> str:
    """The text of a page, in ``form``.

    Args:
        models: for Markdown, which needs no more than these; those of ``sheets`` if not given.
    """
    from openvet.workflows.knowledge import tool

    if form == "html":
        from openvet.reports.page.compose import compose

        return compose(sheets, tool(), errors, use)
    from openvet.reports import markdown
    from openvet.reports.report import Report

    shown = tuple(models) or tuple(replace(each.report, policies=each.policies) for each in sheets)
    return markdown.compose(Report(tool(), shown, (), tuple(errors), use))
