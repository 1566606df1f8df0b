"""An inbound feed, and how its items are read."""

from typing import Any

import msgspec

from handbill.kit.instants import Instant
from handbill.kit.urls import place_of


class FeedBody(msgspec.Struct, omit_defaults=True):
    url: str
    mappings: dict[str, Any] = {}
    """As the contract spells them (domain 5.2): schemaMappingsTitle → node name or None."""
    url_params_to_strip: list[str] = []
    value_overrides: dict[str, str] = {}
    value_defaults: dict[str, str] = {}
    mandatory_fields: list[str] = []
    config: dict[str, Any] = {}

    @property
    def login(self) -> str:
        """The key of its stored password: another place or user has another password. Empty if
        there is no login.
        """
        user = (self.config.get("auth") or {}).get("username")
        if user is None:
            return ""
        scheme, host, port = place_of(self.url)
        return f"{scheme}://{user}@{host}:{port}"


class Feed(msgspec.Struct, kw_only=True):
    no: int
    id: str
    client_no: int
    status: str
    body: FeedBody
    created_at: Instant
    updated_at: Instant
    next_run_at: Instant | None = None
