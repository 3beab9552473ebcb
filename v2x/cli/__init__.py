"""The command line: ``v2x run``, ``show``, ``map`` and the rest.

Modules here import nothing heavy at their top, so that ``v2x --help`` answers at once; each
command imports what it needs when it runs.
"""

from __future__ import annotations

from v2x.cli.app import main

__all__ = ["main"]
