"""Simulation of cellular vehicle-to-everything communication on mountain roads."""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("v2x")
