"""Markets over virtual time, played around the decisions of ``core`` alone: no store, no clock.

Promises the same figures for the same seed. Knows what the decisions do not: true demand, true
elasticity, chance. Will never decide anything itself that ``core`` decides.
"""
