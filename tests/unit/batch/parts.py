"""A batch of ten tiny runs, and what is compared of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

SCENARIO = """\
duration_s: 1
warmup_s: 0.2
seed: 7
world: {synthetic: highway, length_m: 400, lanes_per_direction: 2, wrap: true}
traffic: {type: constant-speed, density_per_km: 40}
channel: {line_of_sight: always}
access: {type: lte-mode4, keep_probability: 0.4}
"""
PLAN = """\
scenario: tiny.yaml
factors:
  grid:
    access.keep_probability: [0, 0.8]
replications: 5
pairs:
  - {factor: access.keep_probability, reference: 0, value: 0.8}
"""


def write_plan(folder: Path, text: str) -> Path:
    """Write a plan and its scenario into a folder, and return the plan."""
    folder.mkdir(exist_ok=True)
    (folder / "tiny.yaml").write_text(SCENARIO, encoding="utf-8")
    plan = folder / "plan.yaml"
    plan.write_text(text, encoding="utf-8")
    return plan


def digests(batch: Path) -> dict[str, str]:
    """Return the digest of every table of a batch."""
    files = [*batch.glob("runs/*/*.parquet"), *batch.glob("*.csv")]
    return {
        file.relative_to(batch).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(files)
    }
