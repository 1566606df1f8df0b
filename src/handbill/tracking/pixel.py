"""The pixel: what a page reports in the query of an image or a script; always answered."""

import re
from hashlib import blake2b
from importlib.resources import files
from urllib.parse import parse_qsl

import msgspec

from handbill.core.listing_tokens import SealedClick
from handbill.core.received import ReceivedConversion, conversion_of, id_said, organic_of
from handbill.http1.messages import Http1Answer, Request, head
from handbill.kit.etags import names
from handbill.kit.instants import Instant
from handbill.tracking.files import not_modified

_MOST_FIELDS = 32
_MOST_ID = 255
_ACTIONS = {"1": 1, "2": 2, "3": 3}
_NAMES = {
    name: name.lower() for name in ("c", "a", "r", "jobApplicationId", "candidateId", "jClickId")
}
"""The documented names of parameters, and how they are kept."""
_COOKIE = re.compile(rb"(?:^|[;,]\s*)jClickId=([^;,\s]*)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_OPEN = b"Cross-Origin-Resource-Policy: cross-origin\r\nX-Content-Type-Options: nosniff\r\n"

_GIF = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
_GIF_HEADERS = b"Content-Type: image/gif\r\nCache-Control: no-store\r\n" + _OPEN
GIF = Http1Answer(head(200, _GIF_HEADERS, len(_GIF)), _GIF)
_WIDE = bytes.fromhex(
    "47494638396102000100800000000000ffffff21f90401000000002c0000000002000100000202040a003b"
)
NOT_COUNTED = Http1Answer(head(200, _GIF_HEADERS, len(_WIDE)), _WIDE)
"""Transparent like the other, and two pixels wide: scripts see only a foreign image's size."""

_SCRIPT = files("handbill.tracking").joinpath("px.js").read_bytes()
_SCRIPT_TAG = f'"{blake2b(_SCRIPT, digest_size=12).hexdigest()}"'
_SCRIPT_HEADERS = (
    b"Content-Type: text/javascript; charset=utf-8\r\nCache-Control: public, max-age=3600\r\n"
    b"ETag: %b\r\n%b" % (_SCRIPT_TAG.encode(), _OPEN)
)
_SCRIPT_ANSWER = Http1Answer(head(200, _SCRIPT_HEADERS, len(_SCRIPT)), _SCRIPT)


class PixelReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a pixel says, with its form checked but nothing verified."""

    pixel_id: str
    action: int
    click_id: str  # empty: an organic visit
    application_id: str
    candidate_id: str
    job_reference: str


def script(request: Request) -> Http1Answer:
    """The script that stores the click id and loads the image."""
    if names((request.headers.if_none_match or b"").decode("latin-1"), _SCRIPT_TAG):
        return not_modified(_SCRIPT_HEADERS)
    return _SCRIPT_ANSWER


def report_of(query: bytes, cookies: bytes) -> PixelReport | None:
    """Read a pixel's query; None if it cannot be counted. Names are read in any case:
    one in its own case counts before others. **Source**: domain 7.2.
    """
    try:
        pairs = parse_qsl(_as_written(query), max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    fields = {name.lower(): text for name, text in reversed(pairs)}
    fields |= {_NAMES[name]: text for name, text in reversed(pairs) if name in _NAMES}
    pixel_id, action = fields.get("c", "").strip(), _ACTIONS.get(fields.get("a", "").strip())
    application_id, candidate_id = fields.get("jobapplicationid", ""), fields.get("candidateid", "")
    if (
        action is None
        or not pixel_id
        or any(map(_is_odd, (pixel_id, application_id, candidate_id)))
    ):
        return None
    click_id = id_said(fields.get("jclickid", ""))
    if not click_id and (cookie := _COOKIE.search(cookies)):
        click_id = cookie[1].decode("latin-1")
    reference = fields.get("r", "")
    return PixelReport(
        pixel_id=pixel_id,
        action=action,
        click_id=click_id,
        application_id=application_id,
        candidate_id=candidate_id,
        job_reference="" if _is_odd(reference) else reference,
    )


def _as_written(query: bytes) -> str:
    """The query as the page's author wrote it: an image's address may be escaped once too often."""
    return query.replace(b"&amp;", b"&").decode("utf-8", "replace")


def conversion(
    report: PixelReport, client_no: int, click: SealedClick | None, at: Instant, job_id: bytes
) -> ReceivedConversion:
    """The journal's form of a pixel's report; without a click it is organic."""
    if click is not None:
        return conversion_of(
            click,
            at,
            client_no,
            report.action,
            "pixel",
            report.candidate_id,
            report.application_id,
        )
    return organic_of(
        at, client_no, report.action, "pixel", report.candidate_id, report.application_id, job_id
    )


def _is_odd(text: str) -> bool:
    return len(text) > _MOST_ID or _CONTROL.search(text) is not None
