"""A client's caps, how they stand and where they go: an addition to the contract (section 1)."""
