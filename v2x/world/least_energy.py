"""Quadratic energies with soft and hard one-sided bounds, minimised."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.world.road_map import FloatArray

_log = logging.getLogger(__name__)
_MAX_STEPS = 200
_MAX_ROUNDS = 60
#: A round should leave no more than this share of what lacks; else weights grow so many times,
#: up to as many in all, beyond which the equations lose their digits.
_FAST = 0.25
_STIFFER = 10.0
_STIFFEST = 1e4
#: Steps shorter than this no longer show in the rounded value; heights are metres.
_SETTLED = 1e-4
#: A hard bound counts as kept if it lacks no more than this.
HARD_WITHIN = 2e-4


@dataclass(frozen=True, slots=True)
class BoundedEnergy:
    r"""Energy :math:`z^T E z / 2 - f^T z` with one-sided bounds on :math:`B z`.

    A soft bound costs half its weight times the square of what :math:`(B z)_k` lacks to its
    least value; the whole is then convex and piecewise quadratic, so Newton's method on the set
    of missed bounds, with steps halved until they descend, ends at the minimum. A hard bound is
    kept whatever the others cost: by the method of multipliers its least value is raised round
    by round until the force it then exerts is the one that keeps it, and its weight grows where
    that goes slowly.

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
        Weights of the penalties; those of hard bounds are where their growth begins.
    hard : (n_bounds,) bool
        Bounds that must be kept.
    """

    energy: Any
    load: FloatArray
    bound: Any
    least: FloatArray
    weight: FloatArray
    hard: NDArray[np.bool_]

    def value(self, z: FloatArray) -> float:
        """Return the energy with the penalties of all bounds."""
        return self._value(z, self.least, self.weight)

    def minimum(self) -> FloatArray:
        """Return the point of least energy that keeps the hard bounds, shape (n,).

        Hard bounds that contradict each other are logged, and what they lack is shared.
        """
        hard = np.flatnonzero(self.hard)
        least, weight = self.least.copy(), self.weight.copy()
        z = self._minimum_with(np.zeros(len(least), dtype=np.bool_), least, weight)
        worst = before = np.inf
        for _ in range(_MAX_ROUNDS):
            z = self._settled(z, least, weight)
            missing = (least - self.bound @ z)[hard]
            worst = float((self.least - self.bound @ z)[hard].max(initial=0.0))
            if worst <= HARD_WITHIN:
                return z
            # The force with which each bound pushes; never one that pulls.
            force = np.maximum(0.0, weight[hard] * missing)
            if worst > _FAST * before:
                weight[hard] = np.minimum(weight[hard] * _STIFFER, self.weight[hard] * _STIFFEST)
            least[hard] = self.least[hard] + force / weight[hard]
            before = worst
        _log.warning("hard bounds contradict each other by up to %.3g", worst)
        return z

    def _settled(self, z: FloatArray, least: FloatArray, weight: FloatArray) -> FloatArray:
        """Return the minimum with these values and weights, looked for from `z` on."""
        missed = self.bound @ z < least
        for _ in range(_MAX_STEPS):
            step = self._minimum_with(missed, least, weight) - z
            if np.abs(step).max(initial=0.0) < _SETTLED:
                return z + step
            share, before = 1.0, self._value(z, least, weight)
            while share > 1e-6 and self._value(z + share * step, least, weight) > before:
                share *= 0.5
            z = z + share * step
            now_missed = self.bound @ z < least
            if share == 1.0 and np.array_equal(now_missed, missed):
                return z
            missed = now_missed
        _log.warning("least energy not reached in %d steps; the last state is used", _MAX_STEPS)
        return z

    def _value(self, z: FloatArray, least: FloatArray, weight: FloatArray) -> float:
        lack = np.maximum(0.0, least - self.bound @ z)
        return float(0.5 * z @ (self.energy @ z) - self.load @ z + 0.5 * weight @ lack**2)

    def _minimum_with(
        self, missed: NDArray[np.bool_], least: FloatArray, weight: FloatArray
    ) -> FloatArray:
        """Return the minimum if exactly these bounds pull."""
        from scipy.sparse import diags_array
        from scipy.sparse.linalg import splu

        bound, pull = self.bound[missed], weight[missed]
        matrix = self.energy + bound.T @ diags_array(pull) @ bound
        load = self.load + bound.T @ (pull * least[missed])
        factors = splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
        return np.asarray(factors.solve(load))
