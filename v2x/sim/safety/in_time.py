"""Until when a message would still have let somebody stop before a conflict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FloatArray
from v2x.mobility.surrogates import braking_on_grade_mps2
from v2x.ranges import check_ranges
from v2x.records.tables import ConflictKind, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class WarnedDriverParams:
    """A driver who has been warned and brakes.

    Parameters
    ----------
    hmi_s
        From the decoded message to the warning that is seen or heard [s]; 0.1 to 0.2 for unit and
        display (confidence C).
    reaction_s
        From the warning to the brakes [s]; mean of 0.9 to 1.1 after an early V2X warning
        (confidence D).
    deceleration_mps2
        How hard the driver brakes where tyres and grade allow it [m/s²]; 3.4 is what AASHTO takes
        for comfortable in stopping sight distances.
    """

    hmi_s: float = 0.15
    reaction_s: float = 1.0
    deceleration_mps2: float = 3.4

    def __post_init__(self) -> None:
        """Reject drivers that nobody is."""
        check_ranges(
            self,
            ("hmi_s", 0.0, 5.0),
            ("reaction_s", 0.0, 10.0),
            ("deceleration_mps2", 0.1, 12.0),
        )


def decision_s(conflicts: Table, params: WarnedDriverParams, *, of_other: bool) -> FloatArray:
    r"""Return the last moment at which a message must have been decoded [s].

    Parameters
    ----------
    conflicts
        Table ``conflicts``, (n,) rows.
    params
        Who is warned.
    of_other
        Who: the other one, or the vehicle that has to brake.

    Returns
    -------
    (n,) float64
        NaN where braking does not help: tyres do not hold on the grade, or the other one is ahead
        and goes the same way.

    Notes
    -----
    A warning is timely if the distance left is at least that of reaction and braking (timeliness
    margin M ≥ 0), :math:`s \ge v\,t_r + v^2/(2b)`. With the time of contact at constant speed,
    :math:`t_c = t_{worst} + TTC_{worst}`, this is

    .. math:: t \le t_c - \frac{v}{2b} - t_{reaction} - t_{HMI}

    *v* is the speed that must go: the closing speed behind somebody (following, merging), the own
    speed where paths cross or head on. :math:`b` is the deceleration of the driver, or what
    friction and grade at the place of the vehicle allow if that is less. Two who crossed one
    shortly after the other have no TTC; their time of contact is that of the second.

    Examples
    --------
    >>> row = {"kind": 1, "worst_s": 9.0, "min_ttc_s": 1.0, "speed_mps": 13.6, "friction": 0.7,
    ...        "other_speed_mps": 6.8, "closing_mps": 10.0, "grade": 0.0}
    >>> table = {name: np.array([value]) for name, value in row.items()}
    >>> decision_s(table, WarnedDriverParams(), of_other=False).round(2)
    array([6.85])
    """
    ahead = np.isin(conflicts["kind"], (ConflictKind.FOLLOWING, ConflictKind.MERGING))
    braking = np.minimum(
        braking_on_grade_mps2(conflicts["friction"], conflicts["grade"]), params.deceleration_mps2
    )
    own = conflicts["other_speed_mps"] if of_other else conflicts["speed_mps"]
    speed = np.where(ahead, np.maximum(conflicts["closing_mps"], 0.0), own)
    ttc_s = conflicts["min_ttc_s"]
    contact_s = conflicts["worst_s"] + np.where(np.isfinite(ttc_s), ttc_s, 0.0)
    helps: NDArray[np.bool_] = (braking > 0.0) & ~(ahead & of_other)
    lead_s = np.full(len(speed), np.nan)
    np.divide(speed, 2.0 * braking, out=lead_s, where=helps)
    return np.asarray(contact_s - lead_s - params.reaction_s - params.hmi_s)
