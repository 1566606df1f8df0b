"""The own account: name, password, second factor, and the ways out."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import Declined
from handbill.pages.forms import Form
from handbill.pages.frame import calls_of, leave, render, visit_of
from handbill.pages.qr_codes import qr_code
from handbill.pages.rows import PageRow
from handbill.pages.views.entering import left

_LEAVING = {"sign-out": "/sessions/current", "sign-out-everywhere": "/sessions"}
_FACTOR = "/people/me/second-factor"
_CHANGING = {
    "name": ("PUT", "/people/me"),
    "password": ("PUT", "/people/me"),
    "end": ("POST", f"{_FACTOR}/end"),
}
_FIELDS = {
    "name": {"name": "name"},
    "password": {"password": "password", "formerPassword": "formerPassword"},
    "begin": {"ownPassword": "password"},
    "confirm": {"code": "code"},
    "end": {"ownPassword": "password", "code": "code"},
}
"""By each form: its fields, and what the API calls them."""
_OFFER = ("secret", "uri")
_MOST_URI = 1_000
_IN_FORCE = (
    "The second factor is in force already. Its recovery codes were shown once: "
    "if you have not kept them, end it and begin it again."
)


async def account(request: Request) -> Response:
    """What one may change about oneself. ``act``: which form was sent."""
    calls, fields = calls_of(request), visit_of(request).fields
    act = fields.get("act", "")
    called = _FIELDS.get(act, {})
    typed = {name: fields.get(name, "") for name in called}
    body = {field: typed[name] for name, field in called.items()}
    shown: dict[str, Any] = {"form": Form(), "act": act, "offer": None, "codes": []}
    status = 200
    if act in _LEAVING:
        await calls.ask("DELETE", _LEAVING[act])
        return left(request)
    try:
        if act in _CHANGING:
            await calls.ask(*_CHANGING[act], body)
            return leave(request, "/app/account", "Your account was changed.")
        if act == "begin":
            made = (await calls.ask("POST", _FACTOR, body)).json
            shown["offer"] = _offered(made["result"], made["uri"])
        elif act == "confirm":
            made = (await calls.ask("PUT", _FACTOR, body)).json
            shown["codes"] = made["recoveryCodes"]
    except Declined as declined:
        if declined.status not in {400, 429}:
            raise
        names = {f"/{field}": name for name, field in called.items()}
        shown["form"], status = Form.declined(typed, declined, names), declined.status
        if act == "confirm":
            shown["offer"] = _offered(*(fields.get(name, "") for name in _OFFER))
    me = await calls.get("/people/me")
    if shown["form"].message and act == "confirm" and me.json["secondFactor"]:
        shown |= {"form": Form(message=_IN_FORCE), "offer": None}  # confirmed once before
    return render(request, "account.html", status, me=me, **shown)


def _offered(secret: str, uri: str) -> dict[str, Any] | None:
    """What the app needs, shown until a code was right: the page keeps it, and nothing else does.
    None: it is none of ours.
    """
    if not uri.startswith("otpauth://totp/") or len(uri) > _MOST_URI:
        return None
    return {"secret": secret, "uri": uri, "picture": qr_code(uri)}


PAGES = [
    PageRow("account", "/account", account, ("GET", "POST"), link="Account", for_whom="everybody")
]
