"""Changes: one row for each, in the transaction of the change itself: who, what, before, after.

It knows who acts from the transaction, and the former state from the records. It never stores a
secret, and changes nothing itself except deleting what is too old.
"""
