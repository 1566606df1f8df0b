"""Headers that name versions of a thing. **Source**: RFC 9110, 8.8.3 and 13.1."""


def names(header: str, tag: str) -> bool:
    """Whether If-None-Match or If-Match names a tag, weak or not; ``*`` names each."""
    given = {one.strip().removeprefix("W/") for one in header.split(",")}
    return given == {"*"} or tag.removeprefix("W/") in given
