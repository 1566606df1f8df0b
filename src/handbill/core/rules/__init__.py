"""Rules: what they see, whom they hold for, and what they would change, under which guards.

Promises the same decision for a preview and a run. Knows figures, nouns and what was done before.
Will never read a clock or a store.
"""
