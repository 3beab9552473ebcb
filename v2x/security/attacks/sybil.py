"""Attack 16: a queue of vehicles that are not there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from v2x.security.attacks.base import CatalogueAttack, Claims, IndexArray, joined
from v2x.security.attacks.replay import ghost_identity


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSybilParams:
    """Shape of the grid (defaults of F2MD).

    Parameters
    ----------
    n_ghosts
        Vehicles that are not there.
    gap_along_m, gap_across_m
        Free space between them [m].
    abreast
        How many drive side by side (ours).
    """

    n_ghosts: int = 5
    gap_along_m: float = 5.0
    gap_across_m: float = 2.0
    abreast: int = 2

    def __post_init__(self) -> None:
        """Reject grids of nobody."""
        if self.n_ghosts < 1 or self.abreast < 1:
            raise ValueError(
                f"n_ghosts and abreast must be at least 1, got {self.n_ghosts} and {self.abreast}"
            )
        if not min(self.gap_along_m, self.gap_across_m) >= 0:
            raise ValueError("gap_along_m and gap_across_m must be >= 0")


class GridSybil(CatalogueAttack):
    """16: the truth, and ghosts in a grid behind, each under a name that it keeps."""

    Params = GridSybilParams
    number = 16
    invents_names = True

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        own = truth.chosen(attacker)
        grid = self._params
        along, left = np.cos(own.heading_rad), np.sin(own.heading_rad)
        said = [own]
        for ghost in range(grid.n_ghosts):
            line, column = divmod(ghost, grid.abreast)
            behind = (line + 1) * (own.length_m + grid.gap_along_m)
            beside = column * (own.width_m + grid.gap_across_m)
            name = ghost_identity(self._draw("name", own.identity, ghost))
            said.append(
                replace(
                    own,
                    identity=name,
                    x_m=own.x_m - behind * along - beside * left,
                    y_m=own.y_m - behind * left + beside * along,
                )
            )
        return joined(said)
