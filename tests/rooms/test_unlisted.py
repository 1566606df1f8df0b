"""What feeds list is kept in a process, within a bound."""

import pytest

from handbill.listings import unlisted


def test_what_is_kept_has_a_bound_whatever_it_consists_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unlisted, "_MOST_HELD", 10)
    known, read = unlisted._Known(), list[int]()

    def asked(client_no: int, publishers: int, jobs: int) -> None:
        rosters = tuple((n, client_no, b"") for n in range(publishers))
        found = {bytes((n,)) for n in range(jobs)}

        def reading() -> set[bytes]:
            read.append(client_no)
            return found

        assert known.of(rosters, reading) == found

    for client_no in (1, 2, 1, 2):
        asked(client_no, 1, 3)
    assert read == [1, 2], "both are kept: each of size 5"
    asked(3, 9, 0)
    asked(3, 9, 0)
    assert read == [1, 2, 3], "rosters without jobs count too"
    asked(1, 1, 3)
    assert read == [1, 2, 3, 1], "so that it has taken the place of both"
    asked(4, 5, 5)
    asked(4, 5, 5)
    assert read == [1, 2, 3, 1, 4, 4], "what is larger than the bound is not kept"
    asked(1, 1, 3)
    assert len(read) == 6, "and takes no place"
