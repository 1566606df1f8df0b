"""A URL has one spelling, and nothing is changed that need not be."""

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.kit.urls import (
    MOST_URL,
    NotUrl,
    canonical_url,
    page_url,
    place_of,
    strip_params,
)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://jobs.example.com/a?b=c#d", "https://jobs.example.com/a?b=c#d"),
        ("https:domain.com/report/reportId", "https://domain.com/report/reportId"),
        ("https:/domain.com/x", "https://domain.com/x"),
        (" HTTP://Example.COM ", "http://example.com/"),
        ("http://example.com:80/", "http://example.com/"),
        ("http://example.com:443/", "http://example.com:443/"),
        ("https://example.com:/x", "https://example.com/x"),
        ("https://example.com./x", "https://example.com/x"),
        ("https://example.com?a=1", "https://example.com/?a=1"),
        ("https://example.com/a b?c d#e f", "https://example.com/a%20b?c%20d#e%20f"),
        ("https://example.com/100%/%7E/%zz", "https://example.com/100%/%7E/%zz"),
        ("https://example.com/ü?ß=1", "https://example.com/%C3%BC?%C3%9F=1"),
        ("https://example.com/a\\b<>\"'", "https://example.com/a%5Cb%3C%3E%22'"),
        ("https://München.de/", "https://xn--mnchen-3ya.de/"),
        ("https://straße.de/", "https://xn--strae-oqa.de/"),
        ("https://日本。jp/", "https://xn--wgv71a.jp/"),
        ("https://ab_c.example.com/", "https://ab_c.example.com/"),
        ("http://127.0.0.1:8000/feed", "http://127.0.0.1:8000/feed"),
        ("http://１２７.0.0.1/", "http://127.0.0.1/"),
        ("http://[2001:DB8:0:0::1]:8080/", "http://[2001:db8::1]:8080/"),
        ("http://localhost/", "http://localhost/"),
        ("\ufeffhttps://example.com/a\u200bb\u00a0", "https://example.com/ab"),
        ("https://example.com/?u=https://other.example/?x", None),
        ("https://example.com/?u=1&v=https://other.example/", None),
        ("https://example.com/web/2026/https://other.example/", None),
        ("https://example.com/go%2Fhttps://other.example/", None),
        ("https://example.com//double//slashes/../up", None),
    ],
)
def test_canonical_spelling(text: str, url: str | None) -> None:
    url = url or text
    assert canonical_url(text) == url
    assert canonical_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "string",
        "ftp://example.com/",
        "javascript:alert(1)",
        "//example.com/",
        "https://",
        "https:///x",
        "https://example.com/enhttps://example.com/en/1",
        "https://example.com/1%20https://other.example/",
        "file:///etc/passwd",
        "http://user@example.com/",
        "http://a:b@example.com/",
        "http://example.com\\@127.0.0.1/",
        "http://exa mple.com/",
        "http://exa\nmple.com/",
        "http://example.com/\x00",
        "http://example.com/\u0085",
        "http://example.com/\ud800",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0x7f000001/",
        "http://017700000001/",
        "http://127.1/",
        "http://127.0.0.1.1/",
        "http://0177.0.0.1/",
        "http://1.2.3.256/",
        "http://1.2.3.0x4/",
        "http://①②⑦.1/",
        "http://[::1/",
        "http://[fe80::1%eth0]/",
        "http://[::1]x/",
        "http://[1.2.3.4]/",
        "http://a..b/",
        "http://.a/",
        "http://-a.b/",
        "http://%31%32%37.0.0.1/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:8o/",
        "http://example.com:-1/",
        "http://a℀b.com/",
        "http://a\u200db/",
        "http://" + "a" * 64 + ".com/",
        "http://" + "a." * 127 + "com/",
        "http://☃.example/",
        "https://example.com/" + "x" * MOST_URL,
        "https://example.com/" + "ü" * (MOST_URL // 5),
    ],
)
def test_refuses_what_is_no_plain_url(text: str) -> None:
    with pytest.raises(NotUrl):
        canonical_url(text)


# Names as people and browsers write them, and their form in the DNS; "-": no host may be so.
_HOSTS = """
bücher.de                   xn--bcher-kva.de
BÜCHER.de                   xn--bcher-kva.de
faß.de                      xn--fa-hia.de
ß.com                       xn--zca.com
ΒΌΛΟΣ.com                   xn--nxasmq6b.com
βόλος.com                   xn--nxasmm1c.com
ς.com                       xn--3xa.com
日本語.jp                    xn--wgv71a119e.jp
日本語。ＪＰ                   xn--wgv71a119e.jp
ー.jp                        xn--wek.jp
点看.com                     xn--3pxu8k.com
例え.テスト                   xn--r8jz45g.xn--zckzah
क्\u200dष.in                xn--11b2ezcw70k.in
نامه\u200cای.com            xn--mgba3gch31f060k.com
مثال.إختبار                 xn--mgbh0fb.xn--kgbechtv
שלום.com                    xn--9dbne9b.com
a.שלום                      a.xn--9dbne9b
1שלום.com                   -
l·l.cat                     xn--ll-0ea.cat
·l·l.cat                    -
a\xadb.com                  ab.com
a\u200bb.com                ab.com
a\u200db.com                -
\u0345a.com                 xn--a-fmb.com
İstanbul.com                xn--istanbul-o0e.com
ı.com                       xn--cfa.com
ä̈.com                       xn--4ca01i.com
ﬁn.com                      fin.com
ﬀ.com                       ff.com
Ⅷ.com                       viii.com
²x.com                      2x.com
ｇｏ.com                     go.com
ａ.com                      a.com
ὀ.com                       xn--6og.com
☃.net                       -
i❤.ws                       -
👍.to                        -
a_b.bücher.de               a_b.xn--bcher-kva.de
ab--c.com                   ab--c.com
XN--BCHER-KVA.de            xn--bcher-kva.de
xn--fa-hia.de               xn--fa-hia.de
"""


@pytest.mark.parametrize(("name", "host"), [line.split() for line in _HOSTS.strip().splitlines()])
def test_a_host_is_told_as_the_dns_has_it(name: str, host: str) -> None:
    name = re.sub(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4})", lambda found: chr(int(found[1][1:], 16)), name)
    if host == "-":
        with pytest.raises(NotUrl):
            canonical_url(f"https://{name}/")
    else:
        assert canonical_url(f"https://{name}/") == f"https://{host}/"


def test_user_name_and_password_only_when_told() -> None:
    url = "https://user:p ss@example.com/feed"
    assert canonical_url(url, userinfo=True) == "https://user:p%20ss@example.com/feed"
    assert place_of(canonical_url(url, userinfo=True)) == ("https", "example.com", 443)


@given(st.text(max_size=60))
def test_canonical_is_a_fixed_point_or_refused(text: str) -> None:
    for candidate in (text, "https://" + text, "http://example.com/" + text):
        try:
            url = canonical_url(candidate)
        except NotUrl:
            continue
        assert canonical_url(url) == url
        assert url.isascii()
        assert urlsplit(url).hostname == place_of(url)[1]


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://example.com/a:1/b@c:2", ("https", "example.com", 443)),
        ("http://example.com:8080/?x", ("http", "example.com", 8080)),
        ("http://[::1]/", ("http", "::1", 80)),
        ("http://[::1]:81/", ("http", "::1", 81)),
    ],
)
def test_place(url: str, place: tuple[str, str, int]) -> None:
    assert place_of(url) == place


@pytest.mark.parametrize(
    ("url", "stripped"),
    [
        ("https://a.b/?utm_source=x&id=7&utm_medium=y#f", "https://a.b/?id=7#f"),
        ("https://a.b/?utm_source=x#f", "https://a.b/#f"),
        ("https://a.b/?utm%5Fsource=x&b=%20+&&c", "https://a.b/?b=%20+&&c"),
        ("https://a.b/?utm_source", "https://a.b/"),
        ("https://a.b/?id=utm_source", "https://a.b/?id=utm_source"),
        ("https://a.b/utm_source=x?id=1", "https://a.b/utm_source=x?id=1"),
        ("https://a.b/#?utm_source=x", "https://a.b/#?utm_source=x"),
        ("https://a.b/?UTM_SOURCE=x", "https://a.b/?UTM_SOURCE=x"),
    ],
)
def test_strip_params(url: str, stripped: str) -> None:
    assert strip_params(url, ("utm_source", "utm_medium")) == stripped
    assert strip_params(url, ()) == url


def test_a_star_strips_all_parameters_that_begin_so() -> None:
    url = "https://a.example/j?utm_source=x&id=7&utm%5Fcampaign=y&utm=z&*=1#utm_a=1"
    stripped = "https://a.example/j?id=7&utm=z&*=1#utm_a=1"
    assert strip_params(url, ("utm_*",)) == stripped
    assert strip_params(url, ("utm_*", "id")) == "https://a.example/j?utm=z&*=1#utm_a=1"
    assert strip_params(url, ("*",)) == "https://a.example/j#utm_a=1"
    assert strip_params(url, ("nothing_*",)) == url


@pytest.mark.parametrize(
    "text",
    [
        *("http://jobs/2", "https://localhost/x", "https://https://x.example/1", "http:https://x"),
        "https://x.examplehttps://x.example/1",
        "https://www.https://x.example/1",
        "https://x.example/1 https://x.example/2",
    ],
)
def test_no_page_for_people(text: str) -> None:
    with pytest.raises(NotUrl):
        page_url(text)


def test_a_page_for_people() -> None:
    assert page_url("https:Careers.example/1 2") == "https://careers.example/1%202"
    kept = "https://x.example/https://y.example/?to=https://z.example/"
    assert page_url(kept) == kept
    assert page_url("http://[2001:db8::1]/") == "http://[2001:db8::1]/"
