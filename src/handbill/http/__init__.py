"""HTTP: gates, errors, paging, idempotency and OpenAPI, all from one table of operations.

It knows the general rules of the contract, and is built on Starlette. It never imports a domain
room.
"""
