"""What a user meets who may not do what they ask for: one sentence, and what is right."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from forked import handbill_forked
from serving import LONG, environment

NOBODY = 65_534
IS_ROOT = os.geteuid() == 0
Outcomes = Callable[..., list[tuple[int, str]]]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that belongs to the user who runs the commands: nobody, where tests are root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if IS_ROOT:
            os.chown(folder, NOBODY, NOBODY)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


@pytest.fixture
def outcomes(place: Path, monkeypatch: pytest.MonkeyPatch) -> Outcomes:
    """Exit status and standard error of each command, run in the folder by its owner."""
    monkeypatch.chdir(place)

    def told(*commands: list[str]) -> list[tuple[int, str]]:
        user = NOBODY if IS_ROOT else None
        done = [handbill_forked(tuple(one), environment(), LONG, user) for one in commands]
        return [(one.returncode, one.stderr) for one in done]

    return told


def made(path: Path, mode: int) -> Path:
    path.mkdir()
    if IS_ROOT:
        os.chown(path, NOBODY, NOBODY)
    path.chmod(mode)
    return path


def test_what_may_not_be_used_is_told_in_a_sentence(place: Path, outcomes: Outcomes) -> None:
    closed = made(place / "closed", 0o500)
    half = made(place / "half", 0o700)
    made(half / "journal", 0o500)
    (config := place / "handbill.toml").write_text("workers = 1\n")
    config.chmod(0o000)
    create = ["agency", "create", "acme", "--data"]
    found = outcomes(
        [*create, str(place / "mine")],
        ["--version"],
    )
    assert found[0][0] == 2
    assert "handbill.toml cannot be read: Permission denied" in found[0][1]
    assert found[1] == (0, "")
    config.unlink()
    below, within, lost, unwritable, unreadable, foreign, *alone = outcomes(
        [*create, str(closed / "data")],
        [*create, str(closed)],
        [*create, str(half)],
        ["openapi", "--write", str(closed / "openapi.json")],
        ["ledger", "check", "--data", str(closed)],
        ["serve", "--data", "/proc/1/handbill"],
        *([kind, "--data", str(place / "none")] for kind in ("api", "judge", "fetcher", "worker")),
    )
    mine = f"{closed} belongs to this user, but cannot be accessed"
    assert (below[0], within[0], lost[0], unwritable[0]) == (1, 1, 1, 1)
    assert f"{closed / 'data'} cannot be made" in below[1]
    assert all(mine in told for told in (below[1], within[1], unwritable[1]))
    assert f"{half / 'journal'} cannot be read and written" in lost[1]
    assert unreadable[0] == 1
    assert "there are no records at" in unreadable[1]
    assert [status for status, _ in alone] == [1] * 4
    assert all("there are no records at" in told for _, told in alone)
    assert not (place / "none").exists()
    assert foreign[0] == 1
    assert "cannot be made" in foreign[1]
    for _, told in (below, within, lost, unwritable, unreadable, foreign, *alone):
        assert "Traceback" not in told
        assert told.count("\n") == 1


@pytest.mark.skipif(not IS_ROOT, reason="only root can make a folder of another user")
def test_a_folder_of_another_user_names_both(place: Path, outcomes: Outcomes) -> None:
    other = place / "other"
    other.mkdir(mode=0o755)
    itself, below = outcomes(
        ["agency", "create", "acme", "--data", str(other)],
        ["agency", "create", "acme", "--data", str(other / "data")],
    )
    assert (itself[0], below[0]) == (1, 1)
    for _, told in (itself, below):
        assert f"{other} belongs to root and this runs as nobody" in told
    assert f"chown -R nobody {other}" in itself[1]
    assert "chown" not in below[1]  # a folder above what was named may be the system's


def test_a_folder_that_stood_open_is_closed_with_all_in_it(place: Path, outcomes: Outcomes) -> None:
    data = made(place / "data", 0o755)
    (left := data / "left-over").write_text("x")
    if IS_ROOT:
        os.chown(left, NOBODY, NOBODY)
    left.chmod(0o644)
    first, again = outcomes(
        ["agency", "create", "acme", "--data", str(data)],
        ["agency", "create", "other", "--data", str(data)],
    )
    assert (first[0], again) == (0, (0, ""))
    assert f"{data} was open to other users; now only its owner" in first[1]
    for path in (data, *data.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
