"""A restore looks for the master key where it was, and only where it is needed."""

import os
from pathlib import Path

from handbill.host.settings import Settings
from handbill.keeping.manifest import Manifest
from handbill.keeping.restore import key_left


def _manifest(key_file: Path, *master_keys: str) -> Manifest:
    return Manifest(
        version="1",
        revision="1",
        engine="sqlite",
        installation="i",
        master_keys=master_keys,
        key_file=str(key_file),
        taken_at="2026-11-27T00:00:00.000Z",
        tables=(),
        files=(),
    )


def test_the_file_is_named_if_it_is_needed_and_no_setting_names_another(tmp_path: Path) -> None:
    file = tmp_path / "secrets.key"
    manifest = _manifest(file, "ab")
    assert key_left(manifest, Settings()) is None
    file.touch()
    assert key_left(manifest, Settings()) == file
    assert key_left(manifest, Settings(secrets_key_file="other")) is None
    assert key_left(_manifest(file), Settings()) is None


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert key_left(_manifest(pipe, "ab"), Settings()) is None
    assert key_left(_manifest(tmp_path, "ab"), Settings()) is None
