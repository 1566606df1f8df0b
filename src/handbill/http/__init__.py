"""HTTP: gates, errors, paging, idempotency and OpenAPI, all from one table of operations.

It knows the contract's manners.
It never imports a domain room.
"""
