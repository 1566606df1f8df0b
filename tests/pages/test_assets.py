"""Files that pages load: small, whole, and none from elsewhere."""

import gzip
import re
from importlib.resources import files

MOST_SCRIPT = 100_000  # bytes of all scripts, zipped
MOST_STYLE = 20_000
_STATIC = files("handbill.pages") / "static"
_TEMPLATES = files("handbill.pages") / "templates"


def test_scripts_and_styles_are_small() -> None:
    sizes = {file.name: len(gzip.compress(file.read_bytes(), 9)) for file in _STATIC.iterdir()}
    assert sum(size for name, size in sizes.items() if name.endswith(".js")) <= MOST_SCRIPT
    assert 0 < sum(size for name, size in sizes.items() if name.endswith(".css")) <= MOST_STYLE


def test_nothing_comes_from_elsewhere_or_stands_inline() -> None:
    """No file names another site; no template has what the policy of content refuses."""
    for file in _STATIC.iterdir():
        text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|@import|url\(", text), file.name
    for file in _TEMPLATES.iterdir():
        text = file.read_text("utf-8")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\bsrc=)", text), file.name
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text), file.name


def test_classes_of_templates_are_known_to_the_sheet() -> None:
    """A class that the sheet does not know is a slip, or style that was forgotten."""
    sheet = "".join(
        file.read_text("utf-8") for file in _STATIC.iterdir() if file.name.endswith(".css")
    )
    known = set(re.findall(r"\.([a-z][a-z0-9-]*)", sheet))
    found = {
        name
        for file in _TEMPLATES.iterdir()
        for names in re.findall(r"class=\"([^\"{]*)\"", file.read_text("utf-8"))
        for name in names.split()
    }
    assert found - known == set()
