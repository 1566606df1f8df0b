"""Markets over virtual time: around the decisions of ``core`` alone, or around the whole system.

Promises the same figures, and the same bytes, for the same seed. Knows what the system does not:
true demand, chance, what visitors saw. Never decides anything that the system decides.
"""
