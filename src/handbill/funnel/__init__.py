"""The funnel: what became of applications, stage by stage, and the hires among them.

It knows batches, their items, each client's stage map, and the first HIRED of an application.
It never books: the ledger takes over hires that are not booked yet.
"""
