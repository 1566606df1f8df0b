"""Signing in, and the first password: by an invitation, or as the installation is set up."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from handbill.pages.calls import Declined
from handbill.pages.forms import Form
from handbill.pages.frame import calls_of, render, visit_of
from handbill.pages.rows import PageRow
from handbill.pages.visitors import forget_session, keep_session, return_path

_WRONG = "The mail address, the password or the code is not right."
_USED = "This link is not valid any more. Ask for a new one."
_SET_UP_USED = (
    "Nothing was changed. Either there is another agency already: name its id. Or this link was "
    "used, or a newer one took its place. If Handbill is set up already, sign in, or ask an owner "
    "to invite you. Else start it again: it prints a new link while nobody can sign in."
)


async def sign_in(request: Request) -> Response:
    """The form, and what becomes of it."""
    if request.method != "POST":
        back = request.query_params.get("back", "")
        return render(request, "sign_in.html", form=Form(), back=return_path(back))
    fields = visit_of(request).fields
    typed = {name: fields.get(name, "") for name in ("mail", "password", "code", "agencyId")}
    back = return_path(fields.get("back", ""))
    try:
        response = await entered(request, "/sessions", typed, back)
    except Declined as declined:
        form = Form.declined(typed, declined)
        if declined.status == 401:
            form = Form(typed | {"code": ""}, {}, _WRONG, declined.request_id)
        return render(request, "sign_in.html", _shown(declined), form=form, back=back)
    return response


async def join(request: Request) -> Response:
    """An invited person sets a password."""
    link = request.path_params["link"]
    if request.method != "POST":
        return render(request, "join.html", form=Form())
    fields = visit_of(request).fields
    typed = {name: fields.get(name, "") for name in ("password", "code")}
    try:
        return await entered(request, "/invitations/accept", typed | {"link": link}, "/app")
    except Declined as declined:
        return render(request, "join.html", _shown(declined), form=_form_of(typed, declined))


async def set_up(request: Request) -> Response:
    """The first owner, and the agency if there is none."""
    link = request.path_params["link"]
    if request.method != "POST":
        return render(request, "set_up.html", form=Form())
    names = ("mail", "name", "password", "agencyId", "agencyName", "currency")
    typed = {name: visit_of(request).fields.get(name, "") for name in names}
    try:
        return await entered(request, "/set-up", typed | {"link": link}, "/app")
    except Declined as declined:
        form = _form_of(typed, declined)
        if declined.status == 404:
            form = Form(typed, {}, _SET_UP_USED, declined.request_id)
        return render(request, "set_up.html", _shown(declined), form=form)


def _form_of(typed: Mapping[str, str], declined: Declined) -> Form:
    if declined.status == 404:
        return Form(dict(typed), {}, _USED, declined.request_id)
    return Form.declined(typed, declined)


def _shown(declined: Declined) -> int:
    """The status of the page: failures count against the address as those of the API do."""
    return declined.status


async def entered(request: Request, path: str, body: dict[str, Any], back: str) -> Response:
    """A new session in place of the former one, and the next page."""
    calls = calls_of(request)
    made = await calls.ask("POST", path, body)
    if "authorization" in calls.credential:
        with suppress(Declined):  # the former one may have ended by itself
            await calls.ask("DELETE", "/sessions/current")
    response = RedirectResponse(back, 303)
    keep_session(response, made.json["result"], visit_of(request).address)
    return response


def left(request: Request) -> Response:
    """After the session has ended: the browser forgets it."""
    response = RedirectResponse("/app/sign-in", 303)
    forget_session(response, visit_of(request).address)
    return response


_BOTH = ("GET", "POST")
PAGES = [
    PageRow("sign_in", "/sign-in", sign_in, _BOTH, is_public=True),
    PageRow("join", "/join/{link}", join, _BOTH, is_public=True),
    PageRow("set_up", "/set-up/{link}", set_up, _BOTH, is_public=True),
]
