"""Each kind of page once: found from the start page by its links, as a visitor finds them."""

import re
from collections.abc import Callable
from urllib.parse import urldefrag, urlsplit

from lxml import html

from handbill.pages.app import PAGES
from handbill.pages.visitors import HOME

_KINDS = [
    (page.name, re.compile(re.sub(r"{\w+}", "[^/]+", (HOME + page.path).rstrip("/"))))
    for page in PAGES
    if "GET" in page.verbs
]
_MOST = 400


def kind_of(path: str) -> str | None:
    """The name of the page that a path leads to."""
    fits = [
        (pattern.pattern.count("[^/]+"), name)
        for name, pattern in _KINDS
        if pattern.fullmatch(path)
    ]
    return min(fits)[1] if fits else None


def walked(read: Callable[[str], str], *begin: str) -> dict[str, str]:
    """Each kind of page that links lead to, with the first path of its kind. ``read``: a page's
    markup by its path. ``begin``: paths that come before the start page.
    """
    found: dict[str, str] = {}
    rest = [*begin, HOME]
    for path in rest:
        kind = kind_of(urlsplit(path).path)
        if kind is None or kind in found:
            continue
        found[kind] = path
        tree = html.document_fromstring(read(path))
        anchors = (one for one in tree.iter("a") if one.get("download") is None)
        links = (urldefrag(one.get("href", ""))[0] for one in anchors)
        rest += [link for link in dict.fromkeys(links) if link.startswith(HOME)]
        assert len(rest) < _MOST * 10, "pages lead to more and more pages"
    return found
