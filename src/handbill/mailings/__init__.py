"""Mails that people have chosen: each is due by its own hour, and written once.

It knows what a person may see and what the mails tell. It never mails what nobody has chosen.
"""
