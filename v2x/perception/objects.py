"""Road users that somebody perceived and tells of: the content of RSM, CPM and SSM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.perception.states import RowArray, States


@dataclass(frozen=True, slots=True, kw_only=True)
class PerceivedObjects:
    """Objects of one message.

    Receivers are assumed to recognise an object that also says something of itself: it carries
    its row, as if the association were perfect.

    Attributes
    ----------
    row : (n,) intp
        Rows of the objects.
    identity : (n,) int64
        Their stable ids.
    measured_us : (n,) int64
        When each was measured [µs].
    states
        As measured.
    """

    row: RowArray
    identity: NDArray[np.int64]
    measured_us: NDArray[np.int64]
    states: States
