"""Rates of exchange by day: an agency's own, and those of the house.

It knows which rate applies on a day for an agency, and has listings that need it decided again. It
never changes what is booked: links and entries keep the rates of their time.
"""
