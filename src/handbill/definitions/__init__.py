"""Click definitions: what makes a click payable at a publisher, for all clients or for one.

It knows their rows and the lists of bots' addresses, which it reads from where they are published.
It never classes a click: the ledger does.
"""
