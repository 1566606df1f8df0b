"""Every bench can be begun: what it takes from the house is there."""

from importlib import import_module

import pytest
from bench.__main__ import LONG, ORDER


@pytest.mark.parametrize("name", [*ORDER, *LONG])
def test_its_names_are_there(name: str) -> None:
    assert callable(import_module(f"bench.{name.removesuffix('_postgresql')}").run)
