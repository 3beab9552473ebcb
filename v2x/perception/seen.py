"""What sensors see, in the form of the local dynamic map."""

from __future__ import annotations

import numpy as np

from v2x.mobility.fleet import FleetState
from v2x.perception.ldm import Known, Source
from v2x.perception.sensors import Sensors
from v2x.perception.states import States
from v2x.units import US_PER_S


class SensorView:
    """Turns detections of a tick into knowledge of others.

    A sensor measures from its host, so what it sees is shifted by the host's own error. That an
    object is on this road and in that lane is taken to be seen without error; the place along
    the road is as wrong as the measurement.

    Parameters
    ----------
    sensors
        What hosts carry.
    wrap_length_m
        Period of the map in x, 0 without [m].
    """

    def __init__(self, sensors: Sensors, wrap_length_m: float = 0.0) -> None:
        self._sensors, self._wrap_m = sensors, wrap_length_m

    def known(self, fleet: FleetState, own: States) -> Known:
        """Return what hosts see of others at the time of `fleet`; call it once per tick.

        Parameters
        ----------
        fleet
            Where everybody truly is.
        own
            Where everybody believes to be.
        """
        found = self._sensors.see(fleet)
        host, other = found.host, found.object
        shift_x = own.x_m[host] - fleet.x_m[host]
        shift_y = own.y_m[host] - fleet.y_m[host]
        x, y = found.x_m + shift_x, found.y_m + shift_y
        cos, sin = np.cos(fleet.heading_rad[other]), np.sin(fleet.heading_rad[other])
        # Older measurements are carried on below, so they are compared with where it was then.
        behind_m = found.age_s * found.speed_mps
        error_x = x - fleet.x_m[other]
        if self._wrap_m:
            error_x = error_x - self._wrap_m * np.round(error_x / self._wrap_m)
        error_m = error_x * cos + (y - fleet.y_m[other]) * sin + behind_m
        edge = fleet.edge[other]
        offset = fleet.offset_m[other] - behind_m + error_m
        states = States(
            x_m=x,
            y_m=y,
            z_m=found.z_m + own.z_m[host] - fleet.z_m[host],
            heading_rad=found.heading_rad,
            yaw_rate_radps=np.zeros(len(found)),
            speed_mps=found.speed_mps,
            acceleration_mps2=np.zeros(len(found)),
            offset_m=np.where(edge >= 0, offset, 0.0),
            edge=edge,
            lane=fleet.lane[other],
            level=fleet.level[other],
            turn=np.zeros(len(found), dtype=np.int32),
            flags=np.zeros(len(found), dtype=np.int32),
        )
        return Known(
            time_us=fleet.time_us,
            host=host,
            remote=other,
            generated_us=found.measured_us,
            source=np.full(len(found), Source.SENSOR, dtype=np.int8),
            states=states.after((fleet.time_us - found.measured_us) / US_PER_S),
        )


def nothing_seen(time_us: int) -> Known:
    """Return the knowledge of those who see nothing."""
    none = np.zeros(0)
    rows, whole = none.astype(np.intp), none.astype(np.int32)
    states = States(
        x_m=none,
        y_m=none,
        z_m=none,
        heading_rad=none,
        yaw_rate_radps=none,
        speed_mps=none,
        acceleration_mps2=none,
        offset_m=none,
        edge=whole,
        lane=whole,
        level=whole,
        turn=whole,
        flags=whole,
    )
    return Known(
        time_us=time_us,
        host=rows,
        remote=rows,
        generated_us=none.astype(np.int64),
        source=none.astype(np.int8),
        states=states,
    )
