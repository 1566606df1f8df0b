"""Words of a command that are no text."""

import subprocess
import sys
from pathlib import Path


def test_a_word_that_is_not_utf8_is_told_unless_it_names_a_file(tmp_path: Path) -> None:
    def said(*words: bytes | str) -> tuple[int, bytes]:
        done = subprocess.run(
            [sys.executable, "-m", "handbill", *words], capture_output=True, check=False
        )
        return done.returncode, done.stderr

    assert said("client", "list", "--agency", b"caf\xe9") == (2, b"'caf\\udce9' is not UTF-8\n")
    folder = bytes(tmp_path) + b"/caf\xe9"
    status, told = said("agency", "list", "--data", folder)
    assert b"UTF-8" not in told
    assert status in {0, 1}
