"""Figures as pictures: pure functions from exact numbers and ready-made labels to SVG.

Promises that every text is escaped, that nothing carries meaning by its colour alone, and that a
missing value leaves a gap. Knows geometry and class names, which the style sheet colours.
Never reads, adds up money for a label, or writes a style or a script into a page.
"""
