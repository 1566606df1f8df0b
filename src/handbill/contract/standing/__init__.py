"""How entities stand, as it is asked for: additions to the contract (section 1)."""
