"""Clients can be made from openapi.json: no operation is left out, and each type has a name."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from handbill.api import operations

BIN = Path(sys.prefix) / "generators" / "bin"
DOCUMENT = Path(__file__).parents[2] / "docs" / "api" / "openapi.json"
MOST_FILES_EACH = 3.6
"""For each operation: one is its own, the rest are the types that it needs."""
_CONFIG = """package_name_override: made
post_hooks: []
content_type_overrides:
  application/x-ndjson: text/plain
"""
"""Lines of JSON are a stream, which this generator can only take as text."""

pytestmark = pytest.mark.skipif(
    not BIN.is_dir(), reason="`make dev` installs the generators of clients"
)


def _run(name: str, *words: str | Path) -> str:
    """All that a generator says."""
    done = subprocess.run([BIN / name, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_a_client_is_made_of_every_operation(tmp_path: Path) -> None:
    config, made = tmp_path / "config.yml", tmp_path / "made"
    config.write_text(_CONFIG)
    said = _run(
        "openapi-python-client",
        "generate",
        "--path",
        DOCUMENT,
        "--output-path",
        made,
        "--config",
        config,
        "--meta",
        "none",
    )
    assert "WARNING" not in said.upper(), said
    assert {row.name for row in operations()} <= {path.stem for path in made.glob("api/*/*.py")}
    assert len(list(made.rglob("*.py"))) <= MOST_FILES_EACH * len(operations())


def test_no_model_is_numbered(tmp_path: Path) -> None:
    made = tmp_path / "models.py"
    said = _run(
        "datamodel-codegen",
        "--input",
        DOCUMENT,
        "--input-file-type",
        "openapi",
        "--output",
        made,
        "--output-model-type",
        "pydantic_v2.BaseModel",
        "--formatters",
        "builtin",
    )
    assert said.strip() == ""
    names = re.findall(r"^class (\w+)", made.read_text(), re.MULTILINE)
    assert len(names) > 200
    assert [name for name in names if name[-1].isdigit()] == []
