"""The fast way to read an item: most are a flat sequence of nodes with text or one CDATA section.

A regular expression matches exactly such items, whole, and nothing that is not well-formed XML; so
a match is proof, and anything else is left to the parser. The result is what the parser would find,
in half its time. Every loop in the expressions is possessive: none ever backtracks.
"""

import re
from collections.abc import Callable

from handbill.dialects.inbound.items import MOST_ATTRIBUTES, MOST_ELEMENTS

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*+"
_SPACE = r"[ \t\r\n]*+"
_SECTION = r"<!\[CDATA\[[^\]]*+(?:\](?!\]>)[^\]]*+)*+\]\]>"
_NODE = (
    r"<{name}"
    + _SPACE
    + r"(?:/>|>"
    + _SPACE
    + r"{content}"
    + _SPACE
    + r"</{same}"
    + _SPACE
    + ">)"
    + _SPACE
)
_ATTRIBUTE = r'[ \t\r\n]++{name}="{content}"'
# A bracket outside of a section may begin "]]>", which XML forbids there: the parser decides.
_CONTENT, _VALUE = rf"{_SECTION}|[^<&\]]*+", r'[^"<&\t\r\n]*+'

# Groups inside of a loop keep only their last match: so the whole is proved first, then collected.
_COLLECT = re.compile(_NODE.format(name=f"({_NAME})", same=r"\1", content=f"({_CONTENT})")).findall
_COLLECT_ATTRIBUTES = re.compile(
    _ATTRIBUTE.format(name=f"({_NAME})", content=f"({_VALUE})")
).findall
_NODES = _NODE.format(name=f"(?P<name>{_NAME})", same="(?P=name)", content=f"(?:{_CONTENT})")
_ATTRIBUTES = _ATTRIBUTE.format(name=_NAME, content=_VALUE)
# Characters that XML 1.0 forbids, in text or anywhere (2.2).
_NO_CHARACTERS = bytes(byte for byte in range(32) if byte not in b"\t\n\r")

ReadPlain = Callable[[bytes], dict[str, str] | None]


def plain_reader(item: str) -> ReadPlain:
    """The function that reads a whole plain item of that name, and returns None for any other.

    **Shape**: as ``items.ReadItem.fields``.
    """
    name = re.escape(item)
    prove = re.compile(
        rf"<{name}((?:{_ATTRIBUTES})*+){_SPACE}"
        rf"(?:/>|>{_SPACE}((?:{_NODES})*+)</{name}{_SPACE}>)"
    ).fullmatch

    def read(raw: bytes) -> dict[str, str] | None:
        if len(raw.translate(None, _NO_CHARACTERS)) != len(raw) or b"\r" in raw:
            return None
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return None
        if "\ufffe" in text or "\uffff" in text:
            return None
        proof = prove(text)
        return None if proof is None else _collected(text, proof)

    return read


def _collected(text: str, proof: re.Match[str]) -> dict[str, str] | None:
    """The fields of a flat item; None if a name comes twice: the parser knows which one counts."""
    nodes = _COLLECT(text, *proof.span(2)) if proof[2] else []
    attributes = _COLLECT_ATTRIBUTES(proof[1]) if proof[1] else []
    fields = {f"@{name}": value.strip() for name, value in attributes}
    for name, content in nodes:
        fields[name] = (content[9:-3] if content[:1] == "<" else content).strip()
    few = len(nodes) <= MOST_ELEMENTS and len(attributes) <= MOST_ATTRIBUTES
    return fields if few and len(fields) == len(nodes) + len(attributes) else None
