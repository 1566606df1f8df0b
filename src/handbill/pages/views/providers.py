"""Signing in by the agency's own provider, and how owners set it."""

import re
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import Declined, at
from handbill.pages.forms import Fields, Form
from handbill.pages.frame import calls_of, leave, render, visit_of
from handbill.pages.rows import PageRow
from handbill.pages.views.entering import entered
from handbill.pages.visitors import flow_in, forget_flow, keep_flow, return_path

_FIELDS = ("issuer", "clientId", "clientSecret", "scopes", "roleClaim", "mailDomains", "grants")
_LINES = re.compile(r"[\r\n]+")
_HOME = "/app/sign-in-provider"


async def begin(request: Request) -> Response:
    """Where the agency's people sign in: a link, so that the visitor sees whose page comes next."""
    agency_id = request.query_params.get("agencyId", "")
    back = return_path(request.query_params.get("back", ""))
    try:
        body = {"agencyId": agency_id}
        made = (await calls_of(request).ask("POST", "/sign-ins", body)).json
    except Declined as declined:
        return _failed(request, declined.status, agency_id)
    address = made["result"]
    host = urlsplit(address).netloc
    response = render(request, "sign_in_with.html", address=address, host=host)
    keep_flow(response, made["flow"], back, visit_of(request).address)
    return response


async def finish(request: Request) -> Response:
    """What the provider has sent back: a session, or the one page of all failures."""
    asked, agency_id = request.query_params, request.path_params["agency_id"]
    flow, back = flow_in(request, visit_of(request).address)
    names = ("state", "code", "iss", "error")
    body = {"flow": flow} | {name: asked.get(name, "") for name in names}
    doubled = any(len(asked.getlist(name)) > 1 for name in names)
    is_here = flow.partition(".")[0] == agency_id
    response: Response
    try:
        if doubled or not is_here:
            response = _failed(request, 401, agency_id)
        else:
            response = await entered(request, "/sign-ins/finish", body, return_path(back))
    except Declined as declined:
        response = _failed(request, declined.status, agency_id)
    forget_flow(response, visit_of(request).address)
    return response


def _failed(request: Request, status: int, agency_id: str) -> Response:
    """One page for all failures; the reason is in the log, under the request's id."""
    return render(request, "sign_in_failed.html", status, agency_id=agency_id)


async def provider(request: Request) -> Response:
    """How the agency's people sign in, as its owners set it."""
    calls, fields = calls_of(request), visit_of(request).fields
    me = (await calls.get("/people/me")).json
    path = at("agencies", me["agencyId"], "sign-in-provider")
    form, status = Form(), 200
    if request.method == "POST":
        typed = {name: fields.get(name, "") for name in _FIELDS}
        typed |= {name: fields.get(name, "") for name in ("createsPeople", "onlyByProvider")}
        try:
            if fields.get("act") == "remove":
                await calls.ask("DELETE", path)
                return leave(request, _HOME, "The sign-in provider was removed.")
            await calls.ask("PUT", path, _body_of(fields))
            return leave(request, _HOME, "The sign-in provider was set.")
        except Declined as declined:
            if declined.status not in {400, 404}:
                raise
            form, status = Form.declined(typed, declined), declined.status
    shown = None
    try:
        shown = await calls.get(path)
    except Declined as declined:
        if declined.status != 404:
            raise
    if request.method != "POST" and shown is not None:
        form = Form(_typed(shown.json))
    return render(request, "sign_in_provider.html", status, form=form, shown=shown)


def _body_of(fields: Fields) -> dict[str, Any]:
    """The body that the form says. A grant is a line: value, role, and clients or a family."""
    names = ("issuer", "clientId", "roleClaim")
    body: dict[str, Any] = {name: fields.get(name, "") for name in names}
    body |= {name: fields[name] for name in ("clientSecret", "scopes") if fields.get(name)}
    body["mailDomains"] = fields.get("mailDomains", "").replace(",", " ").split()
    body["createsPeople"] = bool(fields.get("createsPeople"))
    body["onlyByProvider"] = bool(fields.get("onlyByProvider"))
    lines = [one for one in _LINES.split(fields.get("grants", "")) if one.strip()]
    body["grants"] = [_grant_in(one) for one in lines]
    return body


def _grant_in(line: str) -> dict[str, Any]:
    value, _, rest = line.rpartition("=")
    role, *ids = rest.replace(",", " ").split() or [""]
    if role.upper() == "PUBLISHER":
        return {"value": value.strip(), "role": role, "publisherFamilyId": " ".join(ids)}
    return {"value": value.strip(), "role": role, "clients": ids}


def _typed(shown: dict[str, Any]) -> dict[str, str]:
    """What is set, as the form says it."""
    typed = {name: str(shown[name]) for name in ("issuer", "clientId", "scopes", "roleClaim")}
    typed["mailDomains"] = " ".join(shown["mailDomains"])
    for name in ("createsPeople", "onlyByProvider"):
        typed[name] = "on" if shown[name] else ""
    typed["grants"] = "\n".join(
        " ".join(
            (f"{one['value']} = {one['role']}", *one["clients"], one["publisherFamilyId"])
        ).strip()
        for one in shown["grants"]
    )
    return typed


_BOTH = ("GET", "POST")
PAGES = [
    PageRow("sign_in_with", "/sign-in/with", begin, is_public=True),
    PageRow("signed_in", "/signed-in/{agency_id}", finish, is_public=True),
    PageRow(
        "sign_in_provider",
        "/sign-in-provider",
        provider,
        _BOTH,
        link="Sign-in",
        for_whom="owners",
    ),
]
