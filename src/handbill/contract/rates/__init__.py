"""Rates of exchange, as they are said and asked for: an addition to the contract (section 1)."""
