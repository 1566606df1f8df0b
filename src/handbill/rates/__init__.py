"""Rates of exchange by day: an agency's own, and those of the house.

It knows which rate holds on a day for an agency, and has the listings that need it decided again.
It never touches what is booked: links and entries keep the rates that they were made at.
"""
