"""The stubs beside the kernels say what the binaries take."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import v2x

PACKAGE = Path(v2x.__file__).parent
SOURCES = Path(__file__).resolve().parents[2] / "ext"
ALLOWLIST = Path(__file__).with_name("stubtest_allowlist.txt")


def test_every_kernel_has_a_stub() -> None:
    stubs = {path.stem for path in (PACKAGE / "_kernels").glob("*.pyi")}
    assert stubs == {path.stem for path in SOURCES.glob("*.pyx")}


def test_stubs_agree_with_the_binaries(tmp_path: Path) -> None:
    """Names, order and defaults of arguments; compilers know nothing of array types.

    By hand: ``python -m mypy.stubtest --ignore-missing-stub --ignore-disjoint-bases
    --allowlist tests/kernels/stubtest_allowlist.txt v2x._kernels.links``.
    """
    environment = {**os.environ, "MYPY_CACHE_DIR": str(tmp_path)}
    if "site-packages" not in PACKAGE.parts:
        environment["MYPYPATH"] = str(PACKAGE.parent)
    names = sorted(path.stem for path in (PACKAGE / "_kernels").glob("*.pyi"))
    options = ["--concise", "--ignore-missing-stub", "--ignore-disjoint-bases"]
    result = subprocess.run(
        [
            *(sys.executable, "-m", "mypy.stubtest", *options, "--allowlist", str(ALLOWLIST)),
            *(f"v2x._kernels.{name}" for name in names),
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
