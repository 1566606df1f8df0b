"""Conversions: reported server to server (operation 58), and what arrived lately (an addition)."""
