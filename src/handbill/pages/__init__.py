"""What people see: pages at /app, made on the server.

Promises that a page uses only what an outside client could: the public operations, called in this
process with the visitor's own credential, each of which can be shown and repeated.
Knows templates, forms and how figures are written. Never reads records or decides anything.
"""
