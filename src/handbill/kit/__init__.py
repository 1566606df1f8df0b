"""The bottom floor: money, instants, calendar, signing, faults, strict JSON.

It knows no business word. It never reads the clock, draws an id, opens a file or logs.
"""
