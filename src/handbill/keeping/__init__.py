"""Keeping: backups of a whole installation, made while it runs, and verified when restored.

It knows the stores as a whole: every table, the journal's folder, every blob. It never overwrites
anything, and never leaves an incomplete result that looks complete.
"""
