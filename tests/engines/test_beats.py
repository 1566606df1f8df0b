"""Signs of life between processes."""

import subprocess
import sys
from pathlib import Path

from handbill.host import beats
from handbill.host.beats import Beat, beating, silence_of

_BEATS = (
    "import sys; from pathlib import Path; from handbill.host.beats import Beat;"
    "Beat(Path(sys.argv[1]), 'other-0')"
)


def test_a_sign_is_seen_by_others(tmp_path: Path) -> None:
    assert silence_of(tmp_path, "other-0") is None
    subprocess.run([sys.executable, "-c", _BEATS, str(tmp_path)], check=True, timeout=60)
    first = silence_of(tmp_path, "other-0")
    second = silence_of(tmp_path, "other-0")
    assert first is not None
    assert second is not None
    assert 0 <= first <= second
    with beating(tmp_path, "other-0"):
        struck = silence_of(tmp_path, "other-0")
        assert struck is not None
        assert struck < second
    Beat(tmp_path, "mine-0").close()
    assert silence_of(tmp_path, "other-0") is not None


def test_what_no_living_process_wrote_is_no_sign(tmp_path: Path) -> None:
    (tmp_path / "torn-0").write_bytes(b"abc")
    (tmp_path / "earlier-0").write_bytes(beats._SIGN.pack(1e15))  # before the machine began anew
    assert silence_of(tmp_path, "torn-0") is silence_of(tmp_path, "earlier-0") is None
