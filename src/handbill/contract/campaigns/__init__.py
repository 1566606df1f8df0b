"""Campaigns, as they are said and asked for. **Source**: contract 1 (19 to 25)."""
