"""Clients: an agency's employers, with their zone, caps and exclusions.

It knows the client's row and body, and the places of its custom fields. It never looks below a
client: campaigns, groups and jobs belong to other rooms.
"""
