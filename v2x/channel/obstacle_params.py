"""What a scenario may say about the obstacles of the map: section ``obstacles``."""

from __future__ import annotations

from dataclasses import dataclass

from v2x.channel.slab import MATERIALS
from v2x.ranges import check_ranges

#: How a terrain profile becomes a loss.
TERRAIN_METHODS = ("bullington", "deygout", "none")

#: Numbers that must lie within two bounds, both included.
_BOUNDS: dict[str, tuple[float, float]] = {
    "obstacle_cell_m": (1.0, 100.0),
    "deygout_c_db": (0.0, 30.0),
    "deck_thickness_m": (0.01, 5.0),
    "deck_cap_db": (0.0, 100.0),
    "tunnel_exponent": (1.0, 4.0),
    "tunnel_sigma_db": (0.0, 30.0),
    "tunnel_relief_db": (0.0, 30.0),
    "tunnel_bend_db_per_100m": (0.0, 100.0),
    "portal_mouth_m": (0.0, 10.0),
    "portal_on_axis_db": (0.0, 60.0),
    "water_roughness_m": (0.0, 10.0),
    "water_conductivity_s_per_m": (0.0, 10.0),
    "water_temperature_c": (0.0, 40.0),
    "water_limit_db": (0.0, 60.0),
    "fog_temperature_c": (-10.0, 40.0),
    "rsu_beamwidth_deg": (1.0, 360.0),
    "rsu_downtilt_deg": (-90.0, 90.0),
    "rsu_side_lobe_db": (0.0, 60.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObstacleParams:
    """What ground, decks, tunnels, buildings, water and weather do to a link.

    Values marked low confidence stand for a range found in the literature, not for a measured
    figure; a study that rests on one should vary it.

    Parameters
    ----------
    decks
        Whether decks of bridges stand in the way.
    tunnels
        Whether tubes have their own law and rock blocks.
    buildings
        Whether outlines of buildings stand in the way.
    water
        Whether water under a link reflects.
    terrain_method
        How the ground between two antennas becomes a loss: "bullington" by one equivalent edge,
        flat ground taken off (ITU-R P.526 4.5.1 and 4.5.2), "deygout" by three edges (P.526-11
        and earlier), "none" not at all.
    obstacle_cell_m
        Losses of a link are found anew when an end enters another cell of this size [m].
    deygout_c_db
        Empirical constant of the Deygout method for sampled ground [dB]: 10 in P.526 plus
        0.04 per km; 0 suits surveyed edges. It overstates single ridges on short paths.
    deck_material
        Material of decks, a row of ITU-R P.2040: "concrete" (P.2040-2 and -3), "concrete_old"
        (P.2040-1, some 9 dB less at 0.25 m), "brick", "glass" or "wood". Reinforcement is not
        in P.2040.
    deck_thickness_m
        Thickness of the slab of a deck [m]; box girders have two slabs.
    deck_cap_db
        Most that all decks together cost a link [dB], because columns and buildings nearby
        reflect. Low confidence: 30 to 40.
    tunnel_exponent
        Growth of loss with distance inside a tube, as the exponent of a power law above free
        space at 1 m. Low to medium confidence: 1.6 to 2.0 below 500 m.
    tunnel_sigma_db
        Standard deviation of shadowing inside a tube [dB]. Medium confidence.
    tunnel_relief_db
        Vehicles in the way cost so much less inside a tube than outside, because its walls
        reflect [dB]. Low confidence: 3 to 6.
    tunnel_bend_db_per_100m
        Loss behind a bend of a tube, beyond the longest line of sight [dB per 100 m]. Low
        confidence: 2 to 10.
    portal_mouth_m
        Height above the road at which waves pass the mouth of a tube [m].
    portal_on_axis_db
        Loss between inside and outside if the line passes through the mouth [dB]. Low
        confidence: 0 to 5.
    portal_off_axis_db
        Loss between inside and outside otherwise [dB]: straight ahead of the mouth and at right
        angles to it, linear in the angle between. Low confidence: 10 to 30.
    water_roughness_m
        Standard deviation of the height of the water surface [m]. Low confidence: 0.05 for a
        river in light wind.
    water_conductivity_s_per_m
        Ionic conductivity of the water [S/m]. Low confidence: 0.02 to 0.05 for rivers. At
        5.9 GHz it is of no consequence beside the relaxation of the water itself.
    water_temperature_c
        Temperature of the water [degree Celsius], for its permittivity (ITU-R P.527 4.1, pure
        water).
    water_limit_db
        Most that a reflection costs [dB]: no real surface cancels more completely.
    fog_temperature_c
        Temperature of the droplets of fog [degree Celsius] (ITU-R P.840), as in winter in
        Chongqing.
    rsu_beamwidth_deg
        Vertical half-power beamwidth of roadside antennas [degree] (TR 38.901 Table 7.3-1).
    rsu_downtilt_deg
        Angle of their beam below the horizon [degree].
    rsu_side_lobe_db
        Most that their vertical pattern takes off [dB] (TR 38.901 Table 7.3-1).
    """

    decks: bool = True
    tunnels: bool = True
    buildings: bool = True
    water: bool = True
    terrain_method: str = "bullington"
    obstacle_cell_m: float = 20.0
    deygout_c_db: float = 10.0
    deck_material: str = "concrete"
    deck_thickness_m: float = 0.25
    deck_cap_db: float = 35.0
    tunnel_exponent: float = 1.8
    tunnel_sigma_db: float = 3.0
    tunnel_relief_db: float = 4.5
    tunnel_bend_db_per_100m: float = 6.0
    portal_mouth_m: float = 2.0
    portal_on_axis_db: float = 3.0
    portal_off_axis_db: tuple[float, float] = (10.0, 30.0)
    water_roughness_m: float = 0.05
    water_conductivity_s_per_m: float = 0.03
    water_temperature_c: float = 18.0
    water_limit_db: float = 20.0
    fog_temperature_c: float = 10.0
    rsu_beamwidth_deg: float = 65.0
    rsu_downtilt_deg: float = 0.0
    rsu_side_lobe_db: float = 30.0

    def __post_init__(self) -> None:
        """Reject unknown words and ranges."""
        if self.terrain_method not in TERRAIN_METHODS:
            raise ValueError(
                f"terrain_method must be one of {', '.join(TERRAIN_METHODS)}, "
                f"got {self.terrain_method!r}"
            )
        if self.deck_material not in MATERIALS:
            raise ValueError(
                f"deck_material must be one of {', '.join(MATERIALS)}, got {self.deck_material!r}"
            )
        check_ranges(self, *((name, low, high) for name, (low, high) in _BOUNDS.items()))
        off_axis = self.portal_off_axis_db
        if len(off_axis) != 2 or not 0.0 <= off_axis[0] <= off_axis[1] <= 60.0:
            raise ValueError(
                f"portal_off_axis_db must be two ascending values within 0 and 60, got {off_axis}"
            )
