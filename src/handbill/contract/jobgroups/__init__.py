"""Job groups, as they are said and asked for. **Source**: contract 1 (26 to 33)."""
