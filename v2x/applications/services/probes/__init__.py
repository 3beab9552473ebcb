"""Probe data: vehicles report where they are and how fast, a server draws its conclusions."""
