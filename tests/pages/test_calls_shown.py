"""The calls that a page shows: pasted, each gives what the page was made of."""

import re
import shlex
from itertools import pairwise
from urllib.parse import urlsplit

from contract.signed_in import asked, person, session
from contract.world import World
from handbill.api import fronted
from handbill.kit.jsons import decode
from handbill.pages.app import PAGES
from pages.browsing import Browser
from pages.walking import walked

_TOLD = re.compile(r"(\d{3}) in [\d.]+ ms, ([\d,]+) bytes")


def _parts(command: str) -> tuple[str, str, dict[str, str], bytes]:
    """Verb, path with query, headers and body of a call as a command."""
    words = shlex.split(command.replace("\\\n", " "))
    assert words[0] == "curl"
    told = list(pairwise(words))
    verb = next((value for name, value in told if name == "-X"), "GET")
    headers = dict(value.split(": ", 1) for name, value in told if name == "-H")
    body = next((value for name, value in told if name == "-d"), "")
    url = urlsplit(next(word for word in words if word.startswith("http")))
    return verb, f"{url.path}?{url.query}" if url.query else url.path, headers, body.encode()


def test_each_call_gives_the_same_again(world: World) -> None:
    office = world.office
    owner = session(office, person(office, "OWNER"))
    browser = Browser(fronted(office.desk, office.app), owner)
    kinds = walked(lambda path: browser.get(path).text)
    known = {
        page.name
        for page in PAGES
        if "GET" in page.verbs
        and not (page.is_public or page.for_whom == "operators" or page.path.endswith(".csv"))
    }
    assert set(kinds) >= known, "a page that no link leads to"
    tried = 0
    for kind, path in kinds.items():
        tree = browser.get(path).tree
        for shown in tree.xpath("//details[@class='made']/pre"):
            verb, url, headers, body = _parts(shown.text_content())
            assert headers["x-api-key"] == "$KEY"
            assert headers["x-authorization-key"] == "$TOKEN"
            mine = {name: value for name, value in headers.items() if "$" not in value}
            reply = asked(office, owner | mine, verb, url, decode(body) if body else None)
            told = _TOLD.search(shown.getnext().text_content())
            assert told is not None, (kind, shown.text_content())
            status, size = int(told[1]), int(told[2].replace(",", ""))
            assert (reply.status, len(reply.raw)) == (status, size), (kind, verb, url)
            tried += 1
    assert tried >= len(kinds)
