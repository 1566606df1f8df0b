"""Standing: what is in force: who is stopped, and which bids are lowered by how much.

It knows states, factors and the ceilings of days, as they were decided last. It never decides one:
control does, at its own pace.
"""
