"""Changes: one row for each, in the transaction of the change itself: who, what, before, after.

It knows who acts from the transaction, and what was so before from the records.
It never tells a secret, and changes nothing itself but for forgetting what is too old.
"""
