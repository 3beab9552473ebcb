"""Guidance in a parking garage."""
