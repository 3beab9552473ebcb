"""Path loss laws as the kernels read them: small tables with a row for each link code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.channel.base import LinkState, LogDistanceLaw, PropagationModel, ShadowingStatistics
from v2x.channel.channel_params import ChannelParams

#: Link codes of the kernels, finer than :class:`LinkState`: two sorts of vehicle blockage, of
#: vehicles no higher than the higher antenna and of higher ones, on the road and in tunnels.
LINK_CODES = (
    LinkState.LOS,
    LinkState.NLOSV,
    LinkState.NLOSV,
    LinkState.NLOS,
    LinkState.TUNNEL,
    LinkState.TUNNEL,
    LinkState.TUNNEL,
    LinkState.DECK,
    LinkState.TERRAIN,
    LinkState.BLOCKED,
)
#: Vehicle blockage of each code: 0 none, 1 and 2 the cases 3 and 2 of TR 37.885 6.2.1.
_BLOCKAGE = (0, 1, 2, 0, 0, 1, 2, 0, 0, 0)
#: Laws of links that obstacles of the map impair: what is left is free space and their loss.
_LAW_OF = {
    LinkState.DECK: LinkState.LOS,
    LinkState.TERRAIN: LinkState.LOS,
    LinkState.BLOCKED: LinkState.LOS,
}
_N_PIECES = 4


@dataclass(frozen=True, slots=True)
class LawTables:
    """A propagation model as the kernel reads it; rows are link codes.

    Attributes
    ----------
    start, intercept, slope : (n_codes, 4) float32
        Pieces of the law: where each begins [log2 of metres], loss [dB], growth [dB/octave].
    min_log2, sigma, decay : (n_codes,) float32
        Shortest distance [log2 of metres], shadowing [dB] and log2(e) / decorrelation [1/m].
    block_mean, block_sigma : (n_codes,) float32
        Blockage by vehicles [dB].
    """

    start: NDArray[np.float32]
    intercept: NDArray[np.float32]
    slope: NDArray[np.float32]
    min_log2: NDArray[np.float32]
    sigma: NDArray[np.float32]
    decay: NDArray[np.float32]
    block_mean: NDArray[np.float32]
    block_sigma: NDArray[np.float32]


def law_tables(
    model: PropagationModel,
    params: ChannelParams,
    tunnel: tuple[LogDistanceLaw, ShadowingStatistics] | None = None,
    tunnel_relief_db: float = 0.0,
) -> LawTables:
    """Return the tables of a model.

    Parameters
    ----------
    model, params
        Propagation model, and the blockage of its links by vehicles.
    tunnel
        Law and shadowing inside tunnels; those of line of sight if None.
    tunnel_relief_db
        By how much vehicles block less in tunnels [dB].
    """
    n = len(LINK_CODES)
    start = np.full((n, _N_PIECES), np.float32(1e30), dtype=np.float32)
    intercept = np.zeros((n, _N_PIECES), dtype=np.float32)
    slope = np.zeros((n, _N_PIECES), dtype=np.float32)
    min_log2, sigma, decay = np.zeros((3, n), dtype=np.float32)
    laws, shadowing = model.laws(), model.shadowing()
    for code, state in enumerate(LINK_CODES):
        if state == LinkState.TUNNEL:
            law, statistics = tunnel or (laws[LinkState.LOS], shadowing[LinkState.LOS])
        else:
            like = _LAW_OF.get(state, state)
            law, statistics = laws[like], shadowing[like]
        pieces = len(law.start_m)
        if pieces > _N_PIECES:
            raise ValueError(f"a path loss law has {pieces} pieces, at most {_N_PIECES} fit")
        with np.errstate(divide="ignore"):
            start[code, :pieces] = np.log2(law.start_m)
        start[code, 0] = -1e30
        intercept[code, :pieces] = law.intercept_db
        slope[code, :pieces] = law.slope_db * np.log10(2.0)
        min_log2[code] = np.log2(law.min_distance_m)
        sigma[code] = statistics.sigma_db
        distance = statistics.decorrelation_m
        decay[code] = 1.0 / (np.log(2.0) * distance) if distance > 0 else 1e9
    # A mean far below zero leaves no blockage after the clamp at 0 dB.
    block_mean = np.full(n, -1e6, dtype=np.float32)
    block_sigma = np.zeros(n, dtype=np.float32)
    if model.vehicle_blockage:
        for code, case in enumerate(_BLOCKAGE):
            if case > 0:
                relief = tunnel_relief_db if LINK_CODES[code] == LinkState.TUNNEL else 0.0
                block_mean[code] = params.blockage_mean_db[case - 1] - relief
                block_sigma[code] = params.blockage_sigma_db[case - 1]
    return LawTables(start, intercept, slope, min_log2, sigma, decay, block_mean, block_sigma)
