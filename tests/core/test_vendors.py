"""Paths of delivered files: what a template may say, and that no value leads out of it."""

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.vendors import harmless, names_clients, path_of, template_fault

_VALUES = {"exportedName": "Acme Ltd.", "publisher": "P", "clientId": "c-1", "date": "2026-11-23"}


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("{exportedName}.xml", "Acme Ltd_.xml"),
        ("/jobs/{publisher}/{clientId}-{date}.xml", "/jobs/P/c-1-2026-11-23.xml"),
        ("in/{exportedName}/feed", "in/Acme Ltd_/feed"),
        ("Überblick.xml", "Überblick.xml"),
    ],
)
def test_a_template_gives_a_path(template: str, path: str) -> None:
    assert template_fault(template) is None
    assert path_of(template, _VALUES) == path


@pytest.mark.parametrize(
    "template",
    [
        "{name}.xml",
        "../x",
        "a/../b",
        "a//b",
        "a/",
        "/",
        "a/./b",
        "a\\b",
        "a\r\nDELE b",
        "a{",
        "}",
        "{}",
        "{{date}}",
        "a*",
        " a",
        "a /b",
        "a/ b",
        "...",
        "~",
        "a" * 201,
        "{date }",
    ],
)
def test_templates_that_are_none(template: str) -> None:
    assert template_fault(template) is not None


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("../../x", "______x"),
        ("..", "__"),
        (".hidden", "_hidden"),
        ("a/b\\c", "a_b_c"),
        ("a\r\nDELE x", "a__DELE x"),
        ("", "_"),
        ("  ", "_"),
        ("a" * 300, "a" * 100),
        ("Bäcker & Söhne", "Bäcker _ Söhne"),
        ("x.", "x_"),
        ("a..b", "a__b"),
    ],
)
def test_values_are_made_harmless(value: str, kept: str) -> None:
    assert harmless(value) == kept


@given(st.text(max_size=300))
def test_no_value_leads_out_of_its_step(value: str) -> None:
    path = path_of("in/{exportedName}/x.xml", _VALUES | {"exportedName": value})
    assert path.count("/") == 2
    assert posixpath.normpath(path) == path
    assert path.startswith("in/")
    assert path.isprintable()


def test_which_templates_tell_clients_apart() -> None:
    assert names_clients("{clientId}.xml")
    assert names_clients("a/{exportedName}")
    assert not names_clients("{publisher}-{date}.xml")
