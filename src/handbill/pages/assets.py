"""Files that pages load: named by their digest, so that browsers may keep them for good."""

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_YEAR = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}


class Asset(NamedTuple):
    name: str
    media_type: str
    raw: bytes
    zipped: bytes


@cache
def _assets() -> dict[str, Asset]:
    """Each file of the folder by its name."""
    by_name = {}
    for file in files("handbill.pages").joinpath("static").iterdir():
        stem, _, kind = file.name.rpartition(".")
        if kind in _TYPES:
            raw = file.read_bytes()
            named = f"{stem}.{hashlib.sha256(raw).hexdigest()[:12]}.{kind}"
            by_name[file.name] = Asset(named, _TYPES[kind], raw, gzip.compress(raw, 9, mtime=0))
    return by_name


def asset_url(name: str) -> str:
    """Where a browser finds a file. **Refuses** (KeyError) one that is not there."""
    return f"/app/static/{_assets()[name].name}"


@cache
def _by_digest() -> dict[str, Asset]:
    return {asset.name: asset for asset in _assets().values()}


def sent(request: Request) -> Response | None:
    """A file, or None: no file has this name, or its content is another one."""
    asset = _by_digest().get(request.path_params["name"])
    if asset is None:
        return None
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers = {**_YEAR, "content-encoding": "gzip"}
        return Response(asset.zipped, media_type=asset.media_type, headers=headers)
    return Response(asset.raw, media_type=asset.media_type, headers=_YEAR)
