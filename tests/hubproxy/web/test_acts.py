"""What people did, on pages: all of it for auditors of everything, on the page of a person, and one's own under the account."""

from __future__ import annotations

from tests.hubproxy.web.conftest import Site


def test_what_was_done_on_pages_is_on_pages(site: Site) -> None:
    root = site.browser("root")
    number = site.person("viewer").id
    root.get(f"/openvet/people/{number}")
    root.submit("/roles", name="viewer", project="/text", role="reviewer")
    root.get(f"/openvet/people/{number}")
    root.submit(f"/people/{number}/disabling")
    root.get(f"/openvet/people/{number}")
    page = root.submit(f"/people/{number}/enabling")
    assert "let in no more" in page.text
    assert "given a role" in page.text
    page = root.get("/openvet/log")
    assert "/openvet/acts" in page.html
    page = root.get("/openvet/acts?person=viewer&what=role.given")
    assert page.status == 200
    assert "reviewer" in page.text
    assert "/text" in page.text
    page = root.get("/openvet/acts")
    assert page.text.rindex("let in again") < page.text.rindex("given a role")
    own = site.browser("viewer").get("/openvet/account")
    assert "let in again" in own.text
    assert "root" in own.text
    assert site.browser("auditor").get("/openvet/acts").status == 403
    assert "/openvet/acts" not in site.browser("viewer").get("/openvet/log").html
