"""Path loss models a scenario may choose: highway and city of TR 37.885, WINNER+ B1.

Each resolves the formulas of :mod:`v2x.channel.pathloss_formulas` into
:class:`~v2x.channel.base.LogDistanceLaw` pieces, which a kernel evaluates with one logarithm.
Antenna gains, the draws of shadowing and the loss by blocking vehicles are added in the link
table, not here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from v2x.channel.base import LinkState, LogDistanceLaw, ShadowingStatistics
from v2x.channel.pathloss_formulas import (
    B1_FREE_SPACE,
    B1_NEAR,
    BLOCKAGE_SIGMA_DB,
    TR37885_HIGHWAY_LOS,
    TR37885_NLOS,
    TR37885_URBAN_LOS,
    BlockageCase,
    LogLaw,
    b1_far,
    b1_nlos,
    free_space_b1_db,
    tr37885_highway_los_db,
    tr37885_highway_p_los,
    tr37885_nlos_db,
    tr37885_urban_los_db,
    tr37885_urban_p_los,
    vehicle_blockage_mean_db,
    winner_b1_breakpoint_m,
    winner_b1_los_db,
    winner_b1_manhattan_db,
    winner_b1_nlos_db,
)

__all__ = [
    "BLOCKAGE_SIGMA_DB",
    "BlockageCase",
    "Tr37885Highway",
    "Tr37885Params",
    "Tr37885Urban",
    "WinnerB1",
    "WinnerB1Params",
    "free_space_b1_db",
    "tr37885_highway_los_db",
    "tr37885_highway_p_los",
    "tr37885_nlos_db",
    "tr37885_urban_los_db",
    "tr37885_urban_p_los",
    "vehicle_blockage_mean_db",
    "winner_b1_breakpoint_m",
    "winner_b1_los_db",
    "winner_b1_manhattan_db",
    "winner_b1_nlos_db",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tr37885Params:
    """What a scenario may change in the TR 37.885 models.

    Parameters
    ----------
    shadowing_sigma_db
        Standard deviation in LOS and NLOSv [dB]; None for the 3 dB of TR 37.885 Table 6.2.1-1.
        NLOS keeps its 4 dB, and 0 switches shadowing off in LOS and NLOSv.
    decorrelation_m
        Decorrelation distance in every state [m]; None for 25 m on the highway, and in the city
        10 m in LOS, 13 m otherwise.
    min_distance_m
        Shorter links are evaluated at this distance [m]; the far field has begun there.
    """

    shadowing_sigma_db: float | None = None
    decorrelation_m: float | None = None
    min_distance_m: float = 1.0

    def __post_init__(self) -> None:
        """Reject values the statistics are not defined for."""
        _check_common(self.shadowing_sigma_db, self.decorrelation_m, self.min_distance_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class WinnerB1Params:
    """What a scenario may change in the WINNER+ B1 model.

    Parameters
    ----------
    effective_antenna_height_m
        Effective height h' of both antennas in the line-of-sight law [m]. Public simulators
        disagree, because WINNER+ takes the height of the surroundings (1 m) off the real height
        of 1.5 m and others do not: 1.5 (no subtraction, breakpoint 177 m, 102.6 dB at 300 m),
        0.8 (TR 36.843, 112.1 dB) or 0.5 (h - 1 m, 119.1 dB). The 16.5 dB between them exceed
        every other effect on the range, so results are comparable only at equal height.
    shadowing_sigma_db
        Standard deviation in LOS and NLOSv [dB]; None for the 3 dB of TR 36.885 Annex A. NLOS
        keeps its 4 dB.
    decorrelation_m
        Decorrelation distance in every state [m]; None for 25 m, the freeway figure of
        TR 36.885 Annex A (urban: 10 m).
    min_distance_m
        Shorter links are evaluated at this distance [m] (TR 36.885 Annex A).
    nlos_antenna_height_m
        Real antenna height in the NLOS law [m].
    nlos_offset_db
        Added to the NLOS law [dB]; TR 36.843 uses -5.
    """

    effective_antenna_height_m: float = 0.5
    shadowing_sigma_db: float | None = None
    decorrelation_m: float | None = None
    min_distance_m: float = 3.0
    nlos_antenna_height_m: float = 1.5
    nlos_offset_db: float = 0.0

    def __post_init__(self) -> None:
        """Reject values the formulas are not defined for."""
        _check_common(self.shadowing_sigma_db, self.decorrelation_m, self.min_distance_m)
        for name in ("effective_antenna_height_m", "nlos_antenna_height_m"):
            if not 0.0 < getattr(self, name) <= 100.0:
                raise ValueError(
                    f"{name} must be above 0 and at most 100, got {getattr(self, name)}"
                )
        if not abs(self.nlos_offset_db) <= 50.0:
            raise ValueError(f"nlos_offset_db must be within -50 and 50, got {self.nlos_offset_db}")


class Tr37885Highway:
    """Highway of TR 37.885 6.2: free-space loss, blockage by vehicles besides the law.

    Parameters
    ----------
    params
        What the scenario set.
    carrier_ghz
        Carrier frequency [GHz].

    Examples
    --------
    >>> model = Tr37885Highway(Tr37885Params(), 5.9)
    >>> model.laws()[LinkState.LOS].loss_db(np.array([100.0])).round(3)
    array([87.817])
    """

    Params: ClassVar[type[Tr37885Params]] = Tr37885Params
    vehicle_blockage: bool = True
    #: Which error curves suit the model (`v2x.phy.error_model.pssch_curve`).
    environment: ClassVar[str] = "highway"

    def __init__(self, params: Tr37885Params, carrier_ghz: float) -> None:
        self.params = params
        self.carrier_ghz = _checked_carrier_ghz(carrier_ghz)

    def laws(self) -> Mapping[LinkState, LogDistanceLaw]:
        """Return the path loss law of each link state."""
        return _tr37885_laws(TR37885_HIGHWAY_LOS, self.carrier_ghz, self.params.min_distance_m)

    def shadowing(self) -> Mapping[LinkState, ShadowingStatistics]:
        """Return the shadowing of each link state."""
        return _shadowing(self.params.shadowing_sigma_db, self.params.decorrelation_m, 25.0, 25.0)

    def p_los(self, distance_m: FloatArray) -> FloatArray:
        """Return the probability that no vehicle blocks a link of `distance_m` [m]."""
        return tr37885_highway_p_los(distance_m)


class Tr37885Urban:
    """City streets of TR 37.885 6.2: street canyons, blockage by vehicles besides the law.

    Parameters
    ----------
    params
        What the scenario set.
    carrier_ghz
        Carrier frequency [GHz].

    Examples
    --------
    >>> model = Tr37885Urban(Tr37885Params(), 5.9)
    >>> model.laws()[LinkState.NLOS].loss_db(np.array([100.0])).round(3)
    array([111.419])
    """

    Params: ClassVar[type[Tr37885Params]] = Tr37885Params
    vehicle_blockage: bool = True
    #: Which error curves suit the model (`v2x.phy.error_model.pssch_curve`).
    environment: ClassVar[str] = "urban"

    def __init__(self, params: Tr37885Params, carrier_ghz: float) -> None:
        self.params = params
        self.carrier_ghz = _checked_carrier_ghz(carrier_ghz)

    def laws(self) -> Mapping[LinkState, LogDistanceLaw]:
        """Return the path loss law of each link state."""
        return _tr37885_laws(TR37885_URBAN_LOS, self.carrier_ghz, self.params.min_distance_m)

    def shadowing(self) -> Mapping[LinkState, ShadowingStatistics]:
        """Return the shadowing of each link state."""
        return _shadowing(self.params.shadowing_sigma_db, self.params.decorrelation_m, 10.0, 13.0)

    def p_los(self, distance_m: FloatArray) -> FloatArray:
        """Return the probability that no vehicle blocks a link of `distance_m` [m]."""
        return tr37885_urban_p_los(distance_m)


class WinnerB1:
    """WINNER+ B1 as TR 36.885 evaluates LTE-V2X: two slopes over a free-space floor.

    The evaluation of TR 36.885 adds no term for vehicles in the way, so NLOSv has the law of LOS.
    NLOS takes the form without a street grid; :func:`winner_b1_manhattan_db` is the form for one.

    Parameters
    ----------
    params
        What the scenario set.
    carrier_ghz
        Carrier frequency [GHz].

    Examples
    --------
    >>> model = WinnerB1(WinnerB1Params(effective_antenna_height_m=1.5), 5.9)
    >>> model.laws()[LinkState.LOS].loss_db(np.array([300.0])).round(3)
    array([102.633])
    """

    Params: ClassVar[type[WinnerB1Params]] = WinnerB1Params
    vehicle_blockage: bool = False
    #: Which error curves suit the model (`v2x.phy.error_model.pssch_curve`).
    environment: ClassVar[str] = "highway"

    def __init__(self, params: WinnerB1Params, carrier_ghz: float) -> None:
        self.params = params
        self.carrier_ghz = _checked_carrier_ghz(carrier_ghz)

    def laws(self) -> Mapping[LinkState, LogDistanceLaw]:
        """Return the path loss law of each link state."""
        p, fc = self.params, self.carrier_ghz
        breakpoint_m = winner_b1_breakpoint_m(fc, p.effective_antenna_height_m)
        far = b1_far(p.effective_antenna_height_m)
        los = _resolved(
            [
                *_larger(B1_NEAR, B1_FREE_SPACE, fc, 0.0, breakpoint_m),
                *_larger(far, B1_FREE_SPACE, fc, breakpoint_m, math.inf),
            ],
            fc,
            p.min_distance_m,
        )
        nlos_law = b1_nlos(p.nlos_antenna_height_m, p.nlos_offset_db)
        nlos = _resolved([(0.0, nlos_law)], fc, p.min_distance_m)
        return {LinkState.LOS: los, LinkState.NLOSV: los, LinkState.NLOS: nlos}

    def shadowing(self) -> Mapping[LinkState, ShadowingStatistics]:
        """Return the shadowing of each link state."""
        return _shadowing(self.params.shadowing_sigma_db, self.params.decorrelation_m, 25.0, 25.0)

    def p_los(self, distance_m: FloatArray) -> FloatArray:
        """Return one: the model does not know vehicles in the way."""
        return np.ones_like(np.asarray(distance_m, dtype=np.float64))


def _larger(
    law: LogLaw, floor: LogLaw, carrier_ghz: float, start_m: float, end_m: float
) -> list[tuple[float, LogLaw]]:
    """Resolve the larger of two laws between two distances into pieces with their starts.

    `law` is the steeper one: below the floor before they cross, above it after.
    """
    step_db = floor.intercept_db(carrier_ghz) - law.intercept_db(carrier_ghz)
    crossing_m = 10.0 ** (step_db / (law.slope_db - floor.slope_db))
    if crossing_m <= start_m:
        return [(start_m, law)]
    if crossing_m >= end_m:
        return [(start_m, floor)]
    return [(start_m, floor), (crossing_m, law)]


def _resolved(
    pieces: Sequence[tuple[float, LogLaw]], carrier_ghz: float, min_distance_m: float
) -> LogDistanceLaw:
    pieces = [p for k, p in enumerate(pieces) if k == 0 or p[1] != pieces[k - 1][1]]
    law = LogDistanceLaw(
        start_m=np.array([start_m for start_m, _ in pieces]),
        intercept_db=np.array([piece.intercept_db(carrier_ghz) for _, piece in pieces]),
        slope_db=np.array([piece.slope_db for _, piece in pieces]),
        min_distance_m=min_distance_m,
    )
    for array in (law.start_m, law.intercept_db, law.slope_db):
        array.flags.writeable = False
    return law


def _tr37885_laws(
    open_law: LogLaw, carrier_ghz: float, min_distance_m: float
) -> Mapping[LinkState, LogDistanceLaw]:
    """Return one law for LOS and NLOSv, and the NLOS law of both environments."""
    los = _resolved([(0.0, open_law)], carrier_ghz, min_distance_m)
    nlos = _resolved([(0.0, TR37885_NLOS)], carrier_ghz, min_distance_m)
    return {LinkState.LOS: los, LinkState.NLOSV: los, LinkState.NLOS: nlos}


def _shadowing(
    sigma_db: float | None,
    decorrelation_m: float | None,
    los_decorrelation_m: float,
    other_decorrelation_m: float,
) -> Mapping[LinkState, ShadowingStatistics]:
    """Return 3 dB (LOS, NLOSv) and 4 dB (NLOS) of both reports, with the scenario's changes."""
    open_sigma_db = 3.0 if sigma_db is None else sigma_db
    los_m = los_decorrelation_m if decorrelation_m is None else decorrelation_m
    other_m = other_decorrelation_m if decorrelation_m is None else decorrelation_m
    return {
        LinkState.LOS: ShadowingStatistics(open_sigma_db, los_m),
        LinkState.NLOSV: ShadowingStatistics(open_sigma_db, other_m),
        LinkState.NLOS: ShadowingStatistics(4.0, other_m),
    }


def _check_common(
    sigma_db: float | None, decorrelation_m: float | None, min_distance_m: float
) -> None:
    if sigma_db is not None and not 0.0 <= sigma_db <= 30.0:
        raise ValueError(f"shadowing_sigma_db must be within 0 and 30, got {sigma_db}")
    if decorrelation_m is not None and not 0.0 < decorrelation_m < math.inf:
        raise ValueError(f"decorrelation_m must be above 0 and finite, got {decorrelation_m}")
    if not 0.1 <= min_distance_m <= 100.0:
        raise ValueError(f"min_distance_m must be within 0.1 and 100, got {min_distance_m}")


def _checked_carrier_ghz(carrier_ghz: float) -> float:
    if not 0.5 <= carrier_ghz <= 100.0:
        raise ValueError(f"carrier_ghz must be within 0.5 and 100, got {carrier_ghz}")
    return carrier_ghz
