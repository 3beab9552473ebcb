"""Quadratic energies with soft one-sided bounds, minimised."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.world.road_map import FloatArray

_log = logging.getLogger(__name__)
_MAX_STEPS = 200


@dataclass(frozen=True, slots=True)
class BoundedEnergy:
    r"""Energy :math:`z^T E z / 2 - f^T z` with penalties on missed bounds.

    The penalty of bound *k* is half its weight times the square of what
    :math:`(B z)_k` lacks to its least value. The whole is convex and piecewise quadratic, so
    Newton's method on the set of missed bounds, with steps halved until they descend, ends at
    the minimum.

    Attributes
    ----------
    energy : (n, n) sparse array
        *E*, positive definite.
    load : (n,) float64
        *f*.
    bound : (n_bounds, n) sparse array
        *B*.
    least : (n_bounds,) float64
        Least values.
    weight : (n_bounds,) float64
        Weights of the penalties.
    """

    energy: Any
    load: FloatArray
    bound: Any
    least: FloatArray
    weight: FloatArray

    def value(self, z: FloatArray) -> float:
        """Return the energy with its penalties."""
        lack = np.maximum(0.0, self.least - self.bound @ z)
        return float(0.5 * z @ (self.energy @ z) - self.load @ z + 0.5 * self.weight @ lack**2)

    def minimum(self) -> FloatArray:
        """Return the point of least energy, shape (n,)."""
        z = self._minimum_with(np.zeros(len(self.least), dtype=np.bool_))
        missed = self.bound @ z < self.least
        for _ in range(_MAX_STEPS):
            step = self._minimum_with(missed) - z
            share, before = 1.0, self.value(z)
            while share > 1e-6 and self.value(z + share * step) > before:
                share *= 0.5
            z = z + share * step
            now_missed = self.bound @ z < self.least
            if share == 1.0 and np.array_equal(now_missed, missed):
                return z
            missed = now_missed
        _log.warning("least energy not reached in %d steps; the last state is used", _MAX_STEPS)
        return z

    def _minimum_with(self, missed: NDArray[np.bool_]) -> FloatArray:
        """Return the minimum if exactly these bounds pull."""
        from scipy.sparse import diags_array
        from scipy.sparse.linalg import splu

        bound, weight = self.bound[missed], self.weight[missed]
        matrix = self.energy + bound.T @ diags_array(weight) @ bound
        load = self.load + bound.T @ (weight * self.least[missed])
        factors = splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
        return np.asarray(factors.solve(load))
