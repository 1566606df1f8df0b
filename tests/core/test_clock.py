"""The clock: never back within a process, and moved by a file where a test names one."""

from pathlib import Path

import pytest

from handbill.config import BadSettings, configure
from handbill.host.clock import MovedClock, SystemClock, clock_of, offset_in
from handbill.kit.instants import DAY, HOUR, SECOND


def _reaches(clock: MovedClock, offset: int) -> None:
    """Whoever has moved the clock is told the new time by the next who asks."""
    least = SystemClock().now() + offset
    assert clock.now() >= least


def test_a_moved_clock_follows_its_file_and_never_goes_back(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    clock = MovedClock(file)
    assert abs(clock.now() - SystemClock().now()) < HOUR, "a file not made yet moves nothing"
    file.write_text("86400\n")
    _reaches(clock, DAY)
    file.write_text("864000.5")
    _reaches(clock, 10 * DAY + SECOND // 2)
    latest = clock.now()
    for text in ("0", "-3600", "", "ten days"):
        file.write_text(text)
        assert clock.now() >= latest
    file.unlink()
    assert clock.now() >= latest
    file.write_text("950400")
    _reaches(clock, 11 * DAY)


@pytest.mark.parametrize(
    ("text", "offset"),
    [("0", 0), (" -1.5 \n", -1_500_000), ("+3600", HOUR), ("", 7), ("86400", DAY)],
)
def test_the_offset_of_a_file(tmp_path: Path, text: str, offset: int) -> None:
    (tmp_path / "offset").write_text(text)
    assert offset_in(tmp_path / "offset", 7) == offset


@pytest.mark.parametrize("text", ["x", "1e3", "12345678901", "1 2", "nan", "٣", "1\x00"])
def test_what_is_no_offset_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "offset").write_text(text)
    with pytest.raises(ValueError, match="number of seconds"):
        offset_in(tmp_path / "offset")


def test_nobody_else_may_come_in_while_the_clock_can_be_moved(tmp_path: Path) -> None:
    assert isinstance(clock_of(""), SystemClock)
    file = tmp_path / "offset"
    environ = {"HANDBILL_CLOCK_FILE": str(file)}
    for near in ("127.0.0.1", "127.0.0.2", "::1", "localhost"):
        assert configure(environ, tmp_path, {"host": near}).settings.clock_file == str(file)
    for far in ("0.0.0.0", "::", "192.0.2.1", "example.test"):
        with pytest.raises(BadSettings, match=r"clock_file is for tests only.*127\.0\.0\.1"):
            configure(environ, tmp_path, {"host": far})
    file.write_text("soon")
    with pytest.raises(BadSettings, match=r"clock_file: .*number of seconds"):
        configure(environ, tmp_path)
    with pytest.raises(BadSettings, match=r"clock_file: .*cannot be read"):
        configure({"HANDBILL_CLOCK_FILE": str(tmp_path)}, tmp_path)


class _Machine:
    """A machine's two clocks, in seconds."""

    def __init__(self) -> None:
        self.wall, self.ticks = 1_800_000_000, 50

    def clock(self) -> SystemClock:
        return SystemClock(lambda: self.wall * 10**9, lambda: self.ticks * 10**9)

    def goes(self, seconds: int, *, off: int = 0) -> None:
        self.ticks += seconds
        self.wall += seconds + off


@pytest.mark.parametrize("step", [366 * 86_400, 601, -601, -50 * 365 * 86_400])
def test_a_far_step_of_the_machine_is_not_followed(
    step: int, caplog: pytest.LogCaptureFixture
) -> None:
    machine = _Machine()
    clock = machine.clock()
    first = clock.now()
    machine.goes(5, off=step)
    assert clock.now() - first == 5 * SECOND
    machine.goes(3_600)
    assert clock.now() - first == 3_605 * SECOND
    assert caplog.text.count("was set by") == 1, "one alarm"
    machine.goes(1, off=-step)
    assert clock.now() - first == 3_606 * SECOND
    assert caplog.text.count("is correct again") == 1
    assert machine.clock().now() == clock.now()


def test_small_steps_and_drift_are_followed(caplog: pytest.LogCaptureFixture) -> None:
    machine = _Machine()
    clock = machine.clock()
    first = clock.now()
    machine.goes(10, off=600)
    assert clock.now() - first == 610 * SECOND
    machine.goes(10, off=-600)
    assert clock.now() - first == 610 * SECOND, "it stands still, and never goes back"
    for _ in range(1_000):  # hours, a bit at a time
        machine.goes(60, off=20)
        clock.now()
    assert clock.now() == machine.wall * SECOND
    machine.goes(30 * 86_400)  # asleep
    assert clock.now() == machine.wall * SECOND
    assert caplog.text == ""
