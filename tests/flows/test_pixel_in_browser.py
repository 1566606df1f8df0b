"""The pixel in a real Chromium: what a page with the script really sends, keeps and says."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from chromium import ARGUMENTS, PROGRAM, needed
from handbill.tracking.pixel import GIF, NOT_COUNTED

SCRIPT = Path(__file__).parents[2] / "src" / "handbill" / "tracking" / "px.js"
GOOD, STRANGE = "82sla77g7gbqtehxa5upanlw3e", "00000000000000000000000000"
# Each page ends by loading /done, after what it has to wait for: the script itself and its images.
PAGES = {
    "/view": '<script src="/px.js" data-c="{c}" data-a="1" data-r="REF 7"></script>',
    "/later": '<script src="/px.js" data-c="{c}" data-a="3" '
    'data-job-application-id="A-1"></script>',
    "/spa": '<script src="/px.js" data-c="{c}" data-a="1" data-spa="true"></script>'
    "<script>history.pushState(0, '', '/spa/two?x=1'); history.replaceState(0, '', '#only');"
    "handbill.report({{a: 3, jobApplicationId: 'A-2', r: 'REF 8'}});</script>",
    "/ask": '<script src="/px.js" data-c="{c}" data-a="1" data-consent="wait"></script>'
    "<script>new Image().src = '/before?kept=' + document.cookie + localStorage.length;"
    "handbill.consent(true);</script>",
    "/refuse": '<script src="/px.js" data-c="{c}" data-a="1" data-consent="wait"></script>'
    "<script>handbill.consent(false); handbill.report({{a: 3}});"
    "new Image().src = '/after?kept=' + document.cookie + localStorage.length;</script>",
    "/strange": "<script>console.warn = function (said) {{ new Image().src = '/said?t=' +"
    ' encodeURIComponent(said); }};</script><script src="/px.js" data-c="{s}" data-a="1"></script>',
}


@contextmanager
def careers_site() -> Iterator[tuple[str, list[str]]]:
    """Pages, script and picture at one address, and what was asked for."""
    asked: list[str] = []

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            asked.append(self.path)
            kind, body = "text/html", b""
            if path == "/px.js":
                kind, body = "text/javascript", SCRIPT.read_bytes()
            elif path == "/px.gif":
                picture = NOT_COUNTED if STRANGE in self.path else GIF
                assert isinstance(picture.body, bytes)
                kind, body = "image/gif", picture.body
            elif path in PAGES:
                page = PAGES[path].format(c=GOOD, s=STRANGE)
                body = f"<!doctype html><link rel=icon href='data:,'>{page}".encode()
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    site = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=site.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{site.server_port}", asked
    finally:
        site.shutdown()
        thread.join()
        site.server_close()


def visit(profile: Path, url: str) -> None:
    """One visit with a browser profile that is kept between visits."""
    assert PROGRAM is not None
    subprocess.run(
        [
            PROGRAM,
            "--headless=new",
            *ARGUMENTS,
            f"--user-data-dir={profile}",
            "--virtual-time-budget=3000",
            "--dump-dom",
            url,
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )


def reports(asked: list[str], path: str = "/px.gif") -> list[dict[str, str]]:
    found = [urlsplit(target) for target in asked]
    return [
        {name: values[0] for name, values in parse_qs(one.query, keep_blank_values=True).items()}
        for one in found
        if one.path == path
    ]


@needed
def test_pages_send_keep_and_say_what_they_should(tmp_path: Path) -> None:
    with careers_site() as (site, asked):
        visit(tmp_path / "a", f"{site}/view?jClickId=CLICK_1")
        visit(tmp_path / "a", f"{site}/later")
        first, later = reports(asked)
        assert first == {"c": GOOD, "a": "1", "r": "REF 7", "jClickId": "CLICK_1"}
        assert later == {"c": GOOD, "a": "3", "jClickId": "CLICK_1", "jobApplicationId": "A-1"}

        asked.clear()
        visit(tmp_path / "b", f"{site}/spa?jClickId=CLICK_2")
        # Pictures are asked for at once, in no order.
        shown, routed, applied = sorted(reports(asked), key=lambda one: one.get("n", "1"))
        assert shown == {"c": GOOD, "a": "1", "jClickId": "CLICK_2"}
        assert routed == shown | {"n": "2"}
        assert applied == shown | {"a": "3", "jobApplicationId": "A-2", "r": "REF 8", "n": "3"}

        asked.clear()
        visit(tmp_path / "c", f"{site}/ask?jClickId=CLICK_3")
        assert reports(asked, "/before") == [{"kept": "0"}]
        assert reports(asked) == [{"c": GOOD, "a": "1", "jClickId": "CLICK_3"}]

        asked.clear()
        visit(tmp_path / "d", f"{site}/refuse?jClickId=CLICK_4")
        assert reports(asked, "/after") == [{"kept": "0"}]
        assert reports(asked) == []

        asked.clear()
        visit(tmp_path / "e", f"{site}/strange")
        (said,) = reports(asked, "/said")
        assert f"no client has the pixel id {STRANGE}" in said["t"]
