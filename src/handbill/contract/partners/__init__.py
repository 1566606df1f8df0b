"""What a publisher partner sees of its own family: an addition to the contract."""
