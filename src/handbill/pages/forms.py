"""Forms: who has sent them, what they say, and what the API found wrong with it."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request

from handbill.host.ids import Ids, new_name
from handbill.kit.signing import same
from handbill.pages.calls import Declined
from handbill.pages.faults import in_a_form
from handbill.pages.visitors import is_by_cookie, secret_of
from handbill.pages.wording import sentence

TOKEN = "form_token"  # noqa: S105 - the name of a field
_NOT_TYPED = frozenset(
    f"{TOKEN} act back campaign cause do entity id jobgroup kind known of person uri".split()
)
"""Hidden fields; ``uri`` has the secret of a second factor in it."""
_SECRET = re.compile("(?i)password|secret|code|token|link")
_CAPITAL = re.compile("[A-Z]")
_MOST_BYTES = 262_144
_MOST_FIELDS = 2_000
_BODY_SECONDS = 10  # as for a body of the API
_TYPE = "application/x-www-form-urlencoded"
_UNCHANGED = "Nothing was changed."
_MARKED = "Correct the marked fields."
_STALE = (
    "Somebody has changed this since the page was opened. Look at what it says now, and save once "
    "more if yours shall replace it."
)
FIELDS_WRONG = f"{_UNCHANGED} {_MARKED}"
_LOST = f"{_UNCHANGED} Something that this names does not exist, or was deleted."
Fields = ImmutableMultiDict[str, str]


class Untrusted(Exception):
    """A form that another site may have sent, or that is older than the visitor's session."""


class FormTooLarge(Exception):
    """A form that is larger than any of ours."""


class FormTooSlow(Exception):
    """A form that did not arrive in time."""


class Unreadable(Exception):
    """A body that is no form, or not in UTF-8."""


@dataclass(frozen=True)
class Form:
    """A form as it is shown: what was typed, what is wrong by field, and what is wrong at all."""

    typed: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    message: str = ""
    request_id: str = ""

    @classmethod
    def declined(
        cls, typed: Mapping[str, str], declined: Declined, names: Mapping[str, str] | None = None
    ) -> "Form":
        """What the API found wrong, told at the fields. ``names``: by the pointer of a body's
        field, the name of the form's; by default they are the same. A fault of a part is told at
        the field that has it, and one of no field at the top.
        """
        if declined.status == 404:
            return cls(dict(typed), {}, _LOST, declined.request_id)
        if "/If-Match" in declined.faults:
            return cls({**typed, "known": ""}, {}, f"{_UNCHANGED} {_STALE}", declined.request_id)
        at_fields: dict[str, str] = {}
        others: list[str] = []
        for pointer, said in declined.faults.items():
            message = in_a_form(said)
            name = _name_of(pointer, typed, names or {})
            if name:
                at_fields[name] = message
            else:
                others.append(f"{pointer.lstrip('/')} {message}".strip())
        if not declined.faults:
            others.append(declined.message)
        sentences = [_UNCHANGED, *map(sentence, others), *([_MARKED] if at_fields else [])]
        return cls(dict(typed), at_fields, " ".join(sentences), declined.request_id)


def _name_of(pointer: str, typed: Mapping[str, str], names: Mapping[str, str]) -> str:
    while pointer:
        if pointer in names:
            return names[pointer]
        if pointer[1:] in typed:
            return pointer[1:]
        pointer = pointer.rpartition("/")[0]
    return ""


def form_token(credential: Mapping[str, str], ids: Ids) -> str:
    """A text that only a page of this visitor can contain; another one each time, so that a
    compressed page does not give it away.
    """
    nonce = new_name(ids, 16)
    return f"{nonce}.{_mark(credential, nonce)}"


def seal(credential: Mapping[str, str], text: str) -> str:
    """A mark by which a text is known to be one that we gave this visitor."""
    return _mark(credential, text)


def _mark(credential: Mapping[str, str], text: str) -> str:
    return hmac.new(secret_of(credential), text.encode(), hashlib.sha256).hexdigest()


def check_sender(request: Request, public_address: str) -> None:
    """**Refuses** (Untrusted) a request that may come from a page of somebody else."""
    if is_by_cookie(request) and not _is_ours(request, public_address):
        raise Untrusted


def _is_ours(request: Request, public_address: str) -> bool:
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") == "same-origin"
    here = {request.headers.get("host", ""), urlsplit(public_address).netloc}
    return origin.partition("://")[2] in here - {""}


def typed_in(request: Request, public_address: str, fields: Fields) -> list[tuple[str, str]]:
    """What somebody typed into one of our forms, by the words of its field's name, for a page that
    cannot show the form again. Nothing of another site's form, and nothing secret.
    """
    if not _is_ours(request, public_address):
        return []
    return [
        (_CAPITAL.sub(lambda found: f" {found[0].lower()}", name), value)
        for name, value in fields.multi_items()
        if value and name not in _NOT_TYPED and not _SECRET.search(name)
    ]


def check_token(request: Request, credential: Mapping[str, str], fields: Fields) -> None:
    """**Refuses** (Untrusted) a form that no page of this session contained."""
    if not credential or not is_by_cookie(request):
        return
    nonce, _, mark = fields.get(TOKEN, "").partition(".")
    if not nonce or not same(mark.encode(), _mark(credential, nonce).encode()):
        raise Untrusted


async def read_fields(request: Request) -> Fields:
    """The fields of a form, stripped of blanks around them. **Refuses** (FormTooLarge, FormTooSlow,
    Unreadable) others.
    """
    if request.headers.get("content-type", _TYPE).partition(";")[0].strip().lower() != _TYPE:
        raise Unreadable
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS), aclosing(request.stream()) as stream:
            async for chunk in stream:
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise FormTooLarge
    except TimeoutError:
        raise FormTooSlow from None
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable from None
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise FormTooLarge from None
    return ImmutableMultiDict([(name, value.strip()) for name, value in pairs])
