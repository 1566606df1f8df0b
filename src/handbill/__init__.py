"""Handbill: programmatic job advertising, from an employer's feed to a judged, charged click."""
