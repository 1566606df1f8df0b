"""Clients, as they are said and asked for. **Source**: contract 1 (2 to 10)."""
