"""Warnings and advice to drivers: the Day-1 applications, one module per family."""
