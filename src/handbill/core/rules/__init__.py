"""Rules: what they see, which entities they hold for, and what they would change, with guards.

Promises the same decision for a preview and a run. Knows figures, nouns and earlier acts. Will
never read a clock or a store.
"""
