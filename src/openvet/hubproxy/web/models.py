"""Models: how everything stands, the list of them, and one revision with all that is known of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from markupsafe import Markup
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from openvet.errors import UsageError
from openvet.gate.caches import Caches
from openvet.gate.catalogue import Day, Shown, Week
from openvet.gate.identity import NotThereError
from openvet.gate.lineage import Lineage
from openvet.gate.roles import Right
from openvet.hubproxy.web.call import Call, NoPageError, number_of
from openvet.hubproxy.web.pages import HEADERS, day, report_page
from openvet.hubproxy.web.requests import SOON
from openvet.hubproxy.web.timeline import timeline_of
from openvet.store import people as people_rows
from openvet.store.models import ModelRow

__all__ = [
    "act_on_many",
    "cyclonedx",
    "dossier",
    "one_of",
    "overview",
    "progress",
    "projects_of",
    "report",
    "report_json",
    "revoke",
    "show",
    "show_list",
    "spdx",
    "vet",
]

PAGE: Final = 50
FILES: Final = 1000
_MOST: Final = 12
#: Lines of the lineage on the page of a revision, and revisions of which it is told what rests on them.
_LINES: Final = 20
_REVOKED: Final = 100
STANDINGS: Final = {
    "": "All",
    "admitted": "Admitted",
    "refused": "Refused",
    "open": "Not decided",
    "revoked": "Revoked",
}
_ORDERS: Final = {"name": "Name", "newest": "Newest first"}
_KINDS: Final = {"": "Models and data sets", "model": "Models", "dataset": "Data sets"}
_DONE: Final = {
    "vetting": "A vetting is asked for. Its progress stands below; load the page again to see it.",
    "vettings": "Vettings are asked for; their progress stands under Overview, Vettings.",
    "revocations": "Revoked: they may not be pulled any more in this project, and in those below it.",
    "revoked": "Revoked: it may not be pulled any more in this project, and in those below it.",
}
_DAY: Final = 24 * 3_600_000


def overview(call: Call) -> Response:
    """How everything stands, what is new since yesterday, and what waits for somebody."""
    who, desk = call.who, call.desk
    project = call.query.text("project")
    if not projects_of(call, Right.SEE):
        return call.go("requests")
    found = desk.catalogue.overview(who, desk.clock() - _DAY, project=project)
    portfolio = desk.catalogue.portfolio(who, project=found.project)
    waiting = desk.requests.listed(who, states=("asked",), limit=6)
    ending = desk.requests.listed(who, ending=SOON, limit=6)
    jobs = desk.catalogue.queue(who, ("ready", "running", "failed"), limit=6)
    return call.show(
        "overview.html", found=found, projects=projects_of(call, Right.SEE), standings=STANDINGS, waiting=waiting, ending=ending, jobs=jobs,
        plot=_plot(found.days), pulled=sum(each.files for each in found.days), portfolio=portfolio, weekly=_weekly(portfolio.weeks),
        decided=any(each.admitted or each.declined for each in portfolio.weeks), most=_MOST,
    )  # fmt: skip


def show_list(call: Call, problem: str = "", refused: Sequence[str] = ()) -> Response:
    """Models and data sets, each by its newest revision."""
    sent = call.query
    which = {
        "kind": one_of(sent.text("kind"), _KINDS), "search": sent.text("search").strip()[:200], "standing": one_of(sent.text("standing"), STANDINGS),
        "license": sent.text("license").strip()[:200], "rule": sent.text("rule").strip()[:200], "advisory": sent.text("advisory").strip()[:200],
        "order": one_of(sent.text("order"), _ORDERS) or "name", "project": sent.text("project"),
    }  # fmt: skip
    after, newest = sent.text("after")[:600], which["order"] == "newest"
    if newest and number_of(after) is None:
        after = ""
    where, found = call.desk.catalogue.models(
        call.who, project=which["project"], kind=which["kind"], search=which["search"], standing=[which["standing"]] if which["standing"] else (),
        license=which["license"], rule=which["rule"], advisory=which["advisory"], newest=newest, after=after, limit=PAGE + 1,
    )  # fmt: skip
    last = found[PAGE - 1] if len(found) > PAGE else None
    rights = call.who.rights_in(where)
    following = None if last is None else str(last.revision) if newest else f"{last.name} {last.kind}"
    machines = Caches(call.desk.database, call.desk.clock).counts(call.who, found[:PAGE])
    taken = [number for each in sent.all("revoked")[:_REVOKED] if (number := number_of(each)) is not None]
    lineage = Lineage(call.desk.database, call.desk.clock)
    resting = (
        lineage.resting(call.who, taken, project=where, limit=_LINES) if taken and Right.DECIDE in rights else None
    )
    return call.show(
        "models.html", found=found[:PAGE], machines=machines, where=where, which=which, after=after, following=following, standings=STANDINGS, orders=_ORDERS,
        kinds=_KINDS, projects=projects_of(call, Right.SEE), filtered=any(which[each] for each in which if each not in {"order", "project"}),
        problem=problem, refused=refused, done=_DONE.get(sent.text("done"), ""), chosen=set(call.sent.all("revision")),
        vets=Right.VET in rights, revokes=Right.DECIDE in rights, resting=resting,
    )  # fmt: skip


def act_on_many(call: Call) -> Response:
    """Have what was chosen vetted again, or revoke it, each for itself: one that is refused does not keep the others."""
    sent = call.sent
    numbers = list(dict.fromkeys(found for each in sent.all("revision") if (found := number_of(each)) is not None))
    project, act, catalogue = sent.text("project"), sent.text("do"), call.desk.catalogue
    if not numbers:
        raise UsageError("choose at least one model")
    if act not in {"vet", "revoke"}:
        raise UsageError("say whether to vet them again or to revoke them")
    refused = []
    for number in numbers:
        try:
            if act == "vet":
                catalogue.vet(call.who, number, project=project)
            else:
                catalogue.revoke(call.who, number, sent.text("reason"), project=project)
        except (NotThereError, UsageError) as error:
            refused.append(f"Revision {number}: {error}")
    if refused:
        told = "Nothing was done." if len(refused) == len(numbers) else "Not all of it was done."
        response = show_list(call, told, refused)
        response.status_code = 422
        return response
    kept = {name: value for name, value in call.query.pairs() if name not in {"done", "after", "revoked"}}
    done: dict[str, object] = {"done": "vettings"} if act == "vet" else {"done": "revocations", "revoked": numbers}
    return call.go("models", **{**kept, **done})


def show(call: Call, problem: str = "") -> Response:
    """One revision."""
    who, catalogue = call.who, call.desk.catalogue
    found = _shown(call)
    row = found.row
    files = catalogue.files(who, row.revision)
    _, others = catalogue.revisions(who, row.kind, row.name, project=found.project, limit=20)
    rights = who.rights_in(found.project)
    lineage = Lineage(call.desk.database, call.desk.clock)
    return call.show(
        "revision.html", problem=problem, found=found, row=row, files=files[:FILES], left_out=max(0, len(files) - FILES),
        others=[each for each in others if each.revision != row.revision], done=_DONE.get(call.sent.text("done"), ""),
        projects=projects_of(call, Right.SEE), asking=projects_of(call, Right.ASK), vets=Right.VET in rights, revokes=Right.DECIDE in rights,
        line=timeline_of(call, row.revision), today=day(call.desk.clock()), running=[each for each in found.vettings if each.state == "running"], facts=_facts(call, row),
        made=lineage.made_of(who, row.revision, project=found.project, limit=_LINES),
        built=lineage.built_on(who, row.name, row.kind, project=found.project, limit=_LINES),
    )  # fmt: skip


def _facts(call: Call, row: ModelRow) -> Markup:
    """Where it comes from, its licences and duties, and what it needs, by what the last check signed, as the report shows it; '' where it did not."""
    from openvet.reports.markup import Html, lines, tag
    from openvet.reports.page.evidence import statements
    from openvet.reports.page.needs import needs
    from openvet.reports.page.rights import licenses
    from openvet.reports.page.sheet import Spot
    from openvet.reports.page.supply import lineage
    from openvet.workflows.page import sheet_of_statements

    sheet = sheet_of_statements(f"hf:{row.name}@{row.commit}", call.desk.catalogue.statements(call.who, row.revision))
    if sheet is None:
        return Markup()
    spot = Spot("report", 1)
    parts = [tag("section", Html("\n"), lines(*each(sheet, spot)), Html("\n")) for each in (lineage, licenses, needs)]
    parts.append(tag("section", spot.head("What the last check signed"), lines(*statements(sheet))))
    return Markup("".join(parts))  # noqa: S704 - the markup of reports is built by functions that escape what is not theirs


def report(call: Call) -> Response:
    """The last report about a revision, as the page that ``openvet check --report`` makes."""
    from openvet.reports.page.compose import compose
    from openvet.workflows.knowledge import tool
    from openvet.workflows.page import sheet_of_json

    return report_page(compose([sheet_of_json(call.desk.catalogue.report(call.who, call.number))], tool()))


def report_json(call: Call) -> Response:
    """The same as JSON."""
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="report-{call.number}.json"'}
    return Response(call.desk.catalogue.report(call.who, call.number), 200, headers, "application/json")


def cyclonedx(call: Call) -> Response:
    """The bill of materials, in CycloneDX."""
    return _bill(call, "cyclonedx", "cdx")


def spdx(call: Call) -> Response:
    """The bill of materials, in SPDX."""
    return _bill(call, "spdx", "spdx")


def _bill(call: Call, form: str, ending: str) -> Response:
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="revision-{call.number}.{ending}.json"'}
    return Response(call.desk.catalogue.bill(call.who, call.number, form), 200, headers, "application/json")


def dossier(call: Call) -> Response:
    """Every signed statement about a revision, for ``openvet dossier verify``."""
    path = call.desk.catalogue.dossier(call.who, call.number)
    gone = BackgroundTask(os.unlink, path)
    name = f"dossier-{call.number}.zip"
    return FileResponse(path, media_type="application/zip", filename=name, headers=HEADERS, background=gone)


def vet(call: Call) -> Response:
    """Have it vetted, again where it was."""
    project = call.sent.text("project")
    call.desk.catalogue.vet(call.who, call.number, project=project)
    return call.go(f"revisions/{call.number}", project=project, done="vetting")


def revoke(call: Call) -> Response:
    """Let it not be had any more in a project."""
    project = call.sent.text("project")
    call.desk.catalogue.revoke(call.who, call.number, call.sent.text("reason"), project=project)
    return call.go(f"revisions/{call.number}", project=project, done="revoked")


def progress(call: Call) -> Response:
    """Vettings that wait, are under way or failed. The browser loads it again by itself."""
    before = number_of(call.query.text("before"))
    found = call.desk.catalogue.queue(call.who, ("ready", "running", "failed"), before=before, limit=PAGE + 1)
    headers = {"Refresh": "5"} if any(each.state != "failed" for each in found) and before is None else {}
    more = found[PAGE - 1].id if len(found) > PAGE else None
    return call.show("vettings.html", 200, headers, found=found[:PAGE], more=more, before=before, again=bool(headers))


def _shown(call: Call) -> Shown:
    project = call.sent.text("project") or call.query.text("project")
    return call.desk.catalogue.show(call.who, call.number, project=project)


def projects_of(call: Call, right: Right) -> list[str]:
    """The projects in which whoever asks has a right."""
    with call.desk.database.reading() as connection:
        return [each.path for each in people_rows.list_projects(connection) if right in call.who.rights_in(each.path)]


def one_of(text: str, known: dict[str, str]) -> str:
    """A choice, which has to be one (raises :class:`NoPageError`)."""
    if text not in known and text:
        raise NoPageError(f"There is no {text[:40]!r} to choose.")
    return text


_WIDE, _TALL, _GAP = 720, 120, 4


def _plot(days: tuple[Day, ...]) -> Markup:
    """Files pulled on each day, as bars; every number in it is ours."""
    most = max([1, *(each.files for each in days)])
    step = _WIDE / max(1, len(days))
    bars = [
        Markup('<rect class="bar" x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>').format(
            round(at * step, 1), round(20 + _TALL * (1 - each.files / most), 1), round(step - _GAP, 1), round(_TALL * each.files / most, 1),
            day(each.day), each.files,
        )
        for at, each in enumerate(days)
    ]  # fmt: skip
    told = f"Files pulled on each of the last {len(days)} days, at most {most} on one of them"
    ends = Markup('<text class="what" x="0" y="{}">{}</text><text class="what end" x="{}" y="{}">{}</text>').format(
        _TALL + 36, day(days[0].day), _WIDE, _TALL + 36, day(days[-1].day)
    )
    line = Markup('<path d="M0 {} H{}"/><text class="what" x="0" y="12">{}</text>').format(_TALL + 20, _WIDE, most)
    drawing = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}</svg>')
    return drawing.format(_WIDE, _TALL + 44, told, Markup("").join(bars), line, ends)


def _weekly(weeks: Sequence[Week]) -> Markup:
    """What was decided in each week, two bars side by side: the one behind is outlined, so that nobody needs colours."""
    most = max([1, *(each.admitted for each in weeks), *(each.declined for each in weeks)])
    step = _WIDE / max(1, len(weeks))
    bar = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>')
    bars = []
    for at, week in enumerate(weeks):
        for place, (count, word, style) in enumerate(
            ((week.admitted, "admitted", "bar"), (week.declined, "not admitted", "box"))
        ):
            tall = round(_TALL * count / most, 1)
            told = f"{day(week.begin)}: {count} {word}"
            bars.append(
                bar.format(
                    style,
                    round(at * step + place * step / 2, 1),
                    round(20 + _TALL - tall, 1),
                    round(step / 2 - _GAP, 1),
                    tall,
                    told,
                )
            )
    ends = Markup('<text class="what" x="0" y="{}">{}</text><text class="what end" x="{}" y="{}">{}</text>').format(
        _TALL + 36, f"week of {day(weeks[0].begin)}", _WIDE, _TALL + 36, f"week of {day(weeks[-1].begin)}"
    )
    line = Markup('<path d="M0 {} H{}"/><text class="what" x="0" y="12">{}</text>').format(_TALL + 20, _WIDE, most)
    told = f"Decisions in each of the last {len(weeks)} weeks, at most {most} of a kind in one of them"
    drawing = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}</svg>')
    return drawing.format(_WIDE, _TALL + 44, told, Markup("").join(bars), line, ends)
