"""A row of the table of pages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response


@dataclass(frozen=True)
class Page:
    """A page. ``path``: beneath /app. ``name``: as logs and metrics name it.

    ``link``: its title in the navigation, if it is there. ``tab``: its title among the pages of a
    client, whose path begins with /clients/{client_id}. ``is_public``: shown to who is not signed
    in. ``is_for_owners``, ``is_for_operators``: its link is shown to nobody else; the API refuses
    others the page.
    """

    name: str
    path: str
    view: Callable[[Request], Awaitable[Response]]
    verbs: tuple[str, ...] = ("GET",)
    link: str = ""
    tab: str = ""
    is_public: bool = False
    is_for_owners: bool = False
    is_for_operators: bool = False
