"""Every setting, with its default and meaning. ``config`` fills it once; rooms are handed it."""

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is the variable ``HANDBILL_<NAME>`` and the key ``<name>`` of handbill.toml."""

    data: str = "data"
    host: str = "127.0.0.1"
    api_port: int = 8080
    edge_port: int = 8081
    api_url: str = ""  # public address of the API; empty: http://{host}:{api_port}
    edge_url: str = ""  # public address of links; empty: http://{host}:{edge_port}
    records_url: str = ""  # empty: sqlite:///{data}/records.db
    journal_url: str = ""  # empty: folder {data}/journal
    blobs_url: str = ""  # empty: folder {data}/blobs
    egress_allow: tuple[str, ...] = ()
    workers: int = 1
    edges: int = 1
    token_seconds: int = 86_400
    ip_mode: str = "truncated"  # full | truncated | hashed
    retention_days: int = 400
    duplicate_seconds: int = 30
    trusted_proxies: tuple[str, ...] = ()
    feed_most_bytes: int = 4 * 1024**3
    feed_seconds: int = 1800

    @property
    def public_api(self) -> str:
        return (self.api_url or f"http://{self.host}:{self.api_port}").rstrip("/")

    @property
    def public_edge(self) -> str:
        return (self.edge_url or f"http://{self.host}:{self.edge_port}").rstrip("/")
