"""The people of an agency."""

import re
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import Declined, at
from handbill.pages.forms import FIELDS_WRONG, Form
from handbill.pages.frame import calls_of, leave, render, visit_of
from handbill.pages.queries import page_in
from handbill.pages.rows import PageRow
from handbill.pages.views.changing import every_client

_ON_A_PAGE = 50
_PERSON = re.compile("[0-9a-f]{24}")


async def people(request: Request) -> Response:
    """Who may do what; invitations."""
    calls, fields = calls_of(request), visit_of(request).fields
    typed = {name: fields.get(name, "") for name in ("mail", "name", "role")}
    chosen = [one for one in fields.getlist("clients") if one]
    form, status, link = Form(), 200, ""
    if request.method == "POST":
        try:
            link, message = await _done(request, typed, chosen)
        except Declined as declined:
            if declined.status not in {400, 404}:
                raise
            form = _form_of(typed | {"clients": " ".join(chosen)}, declined)
            status = declined.status
        else:
            if not link:
                return leave(request, "/app/people", message)
    page = page_in(request)
    listed = await calls.get("/people", {"page": page, "limit": _ON_A_PAGE})
    clients = await every_client(calls, "OWNER")
    return render(
        request,
        "people.html",
        status,
        people=listed,
        form=form,
        link=link,
        page=page,
        chosen=chosen if status != 200 else [],
        clients=clients,
    )


def _form_of(typed: dict[str, str], declined: Declined) -> Form:
    """What is wrong. The API does not tell which client it does not know."""
    form = Form.declined(typed, declined)
    if declined.status == 404 and typed["clients"]:
        wrong = {"clients": "one of these is no client of the agency any more"}
        return replace(form, faults=wrong, message=FIELDS_WRONG)
    return form


async def _done(request: Request, typed: dict[str, str], chosen: list[str]) -> tuple[str, str]:
    """A new link, if one was made, and what was done."""
    calls, fields = calls_of(request), visit_of(request).fields
    act, person_id = fields.get("act", ""), fields.get("person", "")
    path = f"/people{at(person_id)}"
    if act == "invite":
        made = await calls.ask("POST", "/people", typed | {"clients": chosen})
        return made.json["link"], ""
    if not _PERSON.fullmatch(person_id):
        return "", "Nothing was changed."  # another word names an operation of its own, such as me
    if act == "again":
        made = await calls.ask("POST", f"{path}/invitation")
        return made.json["link"], ""
    if act == "role":
        await calls.ask("PUT", path, {"role": typed["role"]})
        return "", "The role was changed."
    if act == "sign-out":
        await calls.ask("POST", f"{path}/sign-out")
        return "", "The person was signed out everywhere."
    if act == "second-factor":
        await calls.ask("DELETE", f"{path}/second-factor")
        return "", "The person signs in by password alone, and was signed out everywhere."
    if act == "remove":
        await calls.ask("DELETE", path)
        return "", "The person was removed."
    return "", "Nothing was changed."


_BOTH = ("GET", "POST")
PAGES = [
    PageRow("people", "/people", people, _BOTH, link="People", for_whom="owners"),
]
