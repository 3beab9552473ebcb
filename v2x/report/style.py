"""One look for every figure: sizes for a paper, colours for colour-blind readers too."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from v2x.records.tables import Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

#: The palette of Okabe and Ito ("Color universal design") and two greys.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
LIGHT_GREY, MID_GREY, DARK_GREY = "#E9E9E9", "#A0A0A0", "#4D4D4D"

OUTCOME_COLOURS: Mapping[Outcome, str] = {
    Outcome.RECEIVED: LIGHT_GREY,
    Outcome.HALF_DUPLEX: YELLOW,
    Outcome.BELOW_SENSITIVITY: MID_GREY,
    Outcome.PROPAGATION: SKY,
    Outcome.COLLISION: VERMILLION,
    Outcome.CONTROL_LOST: PURPLE,
    Outcome.OUT_OF_BUDGET: DARK_GREY,
    Outcome.UNVERIFIED: GREEN,
}

#: Width of a figure across both columns of a paper [inch].
WIDTH_IN = 7.0
_PNG_DPI = 200
#: What formats say of themselves: no dates, no versions.
_METADATA: Mapping[str, dict[str, Any]] = {
    ".png": {"Software": "v2x"},
    ".svg": {"Creator": "v2x", "Date": None},
    ".pdf": {"Creator": "v2x", "Producer": "v2x", "CreationDate": None},
}


def _apply_settings() -> None:
    import matplotlib as mpl

    mpl.rcdefaults()
    mpl.rc("font", size=9.0)
    mpl.rc("axes", titlesize=9.0, labelsize=9.0, linewidth=0.8, axisbelow=True, grid=True)
    mpl.rc("axes.spines", top=False, right=False)
    mpl.rc("grid", color="#D0D0D0", linewidth=0.5)
    mpl.rc("legend", fontsize=8.0, frameon=False)
    mpl.rc("lines", linewidth=1.6)
    mpl.rc("xtick", labelsize=8.0)
    mpl.rc("ytick", labelsize=8.0)
    mpl.rc("savefig", facecolor="white")
    # Names inside an SVG are hashes salted with this; without it they differ at each run.
    mpl.rc("svg", hashsalt="v2x")


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Return `draw` made to work under this style, whatever the user's own settings are."""

    @functools.wraps(draw)
    def under_style(*args: P.args, **kwargs: P.kwargs) -> R:
        import matplotlib as mpl

        with mpl.rc_context():
            _apply_settings()
            return draw(*args, **kwargs)

    return under_style


@styled
def new_figure(height_in: float, width_in: float = WIDTH_IN) -> Figure:
    """Return an empty figure that belongs to no window and no global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width_in, height_in), layout="constrained")


@styled
def write(figure: Figure, file: Path, *, dpi: float = _PNG_DPI) -> None:
    """Write `figure` as its suffix says; the same figure gives the same bytes.

    Parameters
    ----------
    figure
        Any figure of this package.
    file
        Ending in ``.png``, ``.svg``, ``.pdf`` or another format of matplotlib.
    dpi
        Pixels per inch of formats that have pixels, and of the pixels inside the others.

    Raises
    ------
    ValueError
        If the format is unknown.
    """
    figure.savefig(file, dpi=dpi, metadata=_METADATA.get(file.suffix.lower()))


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write `figure` as ``NAME.png`` and ``NAME.svg`` and return these files."""
    files = [folder / f"{name}.png", folder / f"{name}.svg"]
    for file in files:
        write(figure, file)
    return files


def note(axes: Axes, text: str) -> None:
    """Say in the middle of empty axes why they are empty."""
    axes.text(
        0.5,
        0.5,
        text,
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=DARK_GREY,
        bbox={"facecolor": "white", "edgecolor": "none"},
    )
