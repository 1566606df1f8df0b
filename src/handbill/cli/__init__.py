"""The command line: each command reads settings, opens the stores, asks a room, and prints.

It knows options and how results are shown, to people and as JSON.
It decides nothing itself, and a user's mistake never shows as a traceback.
"""
