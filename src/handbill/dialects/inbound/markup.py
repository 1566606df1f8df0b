"""A description that is written as nodes of the feed, converted to HTML. Pure."""

import re
from dataclasses import dataclass, field
from html import escape, unescape

_TOKEN = re.compile(
    r"<!\[CDATA\[(?P<section>.*?)\]\]>|<!--.*?-->|<\?.*?\?>"
    r"|(?P<tag><[^<>\"']*+(?:\"[^\"]*+\"[^<>\"']*+|'[^']*+'[^<>\"']*+)*+>)",
    re.DOTALL,
)
_NAME = re.compile(r"</?(?:[\w.-]+:)?([\w.-]+)")
_PREFIX = re.compile(r"(</?)[\w.-]+:(?=[\w.-]+)")
_TAG = re.compile(r"</?[A-Za-z][\w-]*(?:\s[^<>]*)?/?>")
HTML = frozenset(
    re.findall(
        r"\w+",
        "a abbr address article aside b big blockquote br caption center cite code col colgroup dd "
        "del details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i "
        "img ins kbd li main mark nav ol p pre q s samp section small span strike strong sub "
        "summary sup table tbody td tfoot th thead time tr tt u ul var wbr",
    )
)
"""Names of nodes that are HTML of the text; all others are the feed's."""


def html_of(written: str) -> str:
    """The content of a node as HTML: nodes of the feed are removed and separate its sections, HTML
    of the text stays, CDATA and escaped text are decoded.
    """
    sections = [_Section()]
    at = 0
    for token in _TOKEN.finditer(written):
        sections[-1].parts.append((False, written[at : token.start()]))
        at = token.end()
        if token["section"] is not None:
            sections[-1].parts.append((True, token["section"]))
        elif token["tag"] is not None:
            _meet(sections, token["tag"])
    sections[-1].parts.append((False, written[at:]))
    texts = [text for text in map(_text_of, sections) if text]
    if len(texts) > 1 and any(map(_TAG.search, texts)):
        # Among sections of HTML a plain one becomes a paragraph.
        texts = [
            text if _TAG.search(text) else f"<p>{escape(text, quote=False)}</p>" for text in texts
        ]
    return "\n".join(texts)


@dataclass(slots=True)
class _Section:
    """The content between two nodes of the feed. ``parts``: whether it is literal, and the text."""

    parts: list[tuple[bool, str]] = field(default_factory=list)
    has_html: bool = False


def _meet(sections: list[_Section], tag: str) -> None:
    name = _NAME.match(tag)
    if name is not None and name[1].lower() in HTML:
        sections[-1].has_html = True
        sections[-1].parts.append((True, _PREFIX.sub(r"\1", tag)))
    else:
        sections.append(_Section())


def _text_of(section: _Section) -> str:
    """Beside nodes of HTML, text is HTML as it is; alone it is decoded."""
    return "".join(
        text if literal or section.has_html else unescape(text) for literal, text in section.parts
    ).strip()
