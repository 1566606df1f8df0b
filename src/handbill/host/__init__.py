"""The outside world, handed in: the clock, the maker of ids, settings, and the one egress."""
