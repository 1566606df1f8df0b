"""Who is a person: agents of people and of programs, each judged as it should be."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.agents import PEOPLE, PROGRAMS, is_program, without_people
from handbill.ledger.agents import bot_reason

HERE = Path(__file__).parent / "agents"


def lines(name: str) -> list[str]:
    return (HERE / name).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("agent", lines("people.txt"))
def test_a_person_is_no_program(agent: str) -> None:
    assert bot_reason(agent) == ""


@pytest.mark.parametrize("agent", lines("programs.txt"))
def test_a_program_is_no_person(agent: str) -> None:
    assert bot_reason(agent) in {"agent_list", "agent_added"}


@pytest.mark.parametrize("agent", ["", " ", "\t"])
def test_who_names_no_agent_is_a_program(agent: str) -> None:
    assert bot_reason(agent) == "no_agent"


def test_an_exception_does_not_shield_a_crawler() -> None:
    agent = "Mozilla/5.0 (Linux; Android 13; CUBOT P80) Chrome/1 Mobile Safari/1 (Googlebot/2.1)"
    assert "CUBOT" not in without_people(agent)
    assert bot_reason(agent) == "agent_list"
    assert without_people("WhatsApp/2.23.20.0") == "WhatsApp/2.23.20.0"  # no browser


def test_each_sign_says_why_and_is_needed_by_an_exemplar() -> None:
    import re

    for signs, agents in ((PEOPLE, lines("people.txt")), (PROGRAMS, lines("programs.txt"))):
        for sign in signs:
            assert sign.why
            assert any(re.search(sign.pattern, agent) for agent in agents), sign.pattern


@given(st.text(max_size=600))
def test_any_text_is_judged(agent: str) -> None:
    assert is_program(without_people(agent)) in {True, False}
