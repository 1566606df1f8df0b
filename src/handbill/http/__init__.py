"""HTTP: gates, errors, paging, idempotency and the OpenAPI document, all from one table of operations.

It knows the contract's manners.
It never imports a domain room.
"""
