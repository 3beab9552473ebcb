"""NR-V2X mode 2."""
