"""Grants from a central scheduler: LTE mode 3 and NR mode 1."""
