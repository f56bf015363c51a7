"""Imports of places and records as jobs that survive whatever works on them, once."""
