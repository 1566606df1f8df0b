"""HTTP: gates, errors, paging, idempotency and OpenAPI, all from one table of operations.

It knows the contract's manners, and stands on Starlette.
It never imports a domain room.
"""
