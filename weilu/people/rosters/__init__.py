"""Rosters: the Excel files that offices keep, read, checked, shown, and entered whole or not at all."""
