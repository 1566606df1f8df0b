"""How the installation runs, for its operator: an addition to the contract (section 1)."""
