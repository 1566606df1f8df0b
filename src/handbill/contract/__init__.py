"""The contract: how nouns are said over HTTP, one folder per noun of the path.

It knows every spelling: what comes, what goes (models), and by which operation (routes).
It decides nothing, and no domain room imports it.
"""
