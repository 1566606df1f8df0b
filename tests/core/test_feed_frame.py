"""What a feed says outside of its items of its next page."""

import pytest

from handbill.dialects.inbound.items import ItemReader
from handbill.dialects.inbound.scanner import scan

_LONG = "https://x.example/feed?" + "&".join(f"name{n}={n}" for n in range(40))


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("written", "address"),
    [
        (_LONG.replace("&", "&amp;"), _LONG),
        (f"<![CDATA[ {_LONG} ]]>", _LONG),
        (f"\n<![CDATA[{_LONG}]]>\n", _LONG),
        ("<![CDATA[/feed?page=2&n=<job>]]>", ""),
        (" " * 5_000 + "/2" + "&amp;" * 5, "/2&&&&&"),
        ("/" + "&amp;" * 2_000, ""),
        ("/" + "&amp;" * 1_999, "/" + "&" * 1_999),
        (f"<![CDATA[/{'a' * 2_001}]]>", ""),
        ("<!-- the next one --><![CDATA[/2]]>", "/2"),
        ("<?page 2?> <![CDATA[/2]]>", "/2"),
        ("<![CDATA[]]><!-- --><![CDATA[/2]]>", "/2"),
        ("2", ""),
    ],
)
def test_an_address_is_taken_whole_or_not_at_all(written: str, address: str, size: int) -> None:
    feed = f"<jobs><job/><nextPage>{written}</nextPage></jobs>".encode()
    chunks = (feed[at : at + size] for at in range(0, len(feed), size))
    following: list[str] = []
    list(scan(chunks, "job", ItemReader(), collection="jobs", following=following))
    assert following == ([address] if address else [])
