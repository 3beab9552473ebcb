"""What did driving cost? Energy, CO2, halts and delay, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.statistics import Clusters, FloatArray, Interval, clusters, ratio_interval
from v2x.records.tables import RunRecords, Table

#: Classes of grades in the order of column ``grade_class``, by their middles [%].
GRADE_CLASS_NAMES = ("-6", "-3", "0", "3", "6")
#: Kinds of vehicles in the order of column ``kind``.
KIND_NAMES = ("car", "truck", "bus")
_M_PER_KM, _WH_PER_KWH = 1000.0, 1000.0


@dataclass(frozen=True, slots=True)
class EnergyFigures:
    """What the vehicles of a run needed after its warm-up; intervals are 95 %.

    Attributes
    ----------
    kwh_per_km
        Battery energy of electric vehicles per way, recuperation taken off and auxiliaries
        included [kWh/km].
    co2_g_per_km, fuel_g_per_km
        Of the others [g/km].
    regen_share
        Energy that went back into batteries over energy drawn for driving.
    stops_per_km, stops_per_vehicle
        Halts that began; a vehicle counts with the share of its time that is in question.
    delay_s_per_km, delay_s_per_vehicle
        Time lost against driving at the speed limit [s].
    jerk_rms_mps3
        Root of the mean squared jerk, small in comfortable driving [m/s³].
    vehicle_km, electric_km
        Way of all vehicles, and of electric ones [km].
    """

    kwh_per_km: Interval
    co2_g_per_km: Interval
    fuel_g_per_km: Interval
    regen_share: Interval
    stops_per_km: Interval
    stops_per_vehicle: Interval
    delay_s_per_km: Interval
    delay_s_per_vehicle: Interval
    jerk_rms_mps3: float
    vehicle_km: float
    electric_km: float


def energy_figures(records: RunRecords) -> EnergyFigures | None:
    """Return what driving cost; None in runs that did not record it.

    Parameters
    ----------
    records
        Uses table ``energy`` and the fact ``block_s``.
    """
    table = records.tables["energy"]
    if not len(table["duration_s"]):
        return None
    cluster = _clusters(records)
    electric = table["electric"]
    km = table["distance_m"] / _M_PER_KM

    def ratio(above: NDArray[np.generic], below: FloatArray) -> Interval:
        """Return a ratio that is never negative."""
        found = _ratio(cluster, above, below)
        return replace(found, low=float(np.maximum(found.low, 0.0)))

    presence = _presence(table)
    return EnergyFigures(
        kwh_per_km=_ratio(cluster, _net_kwh(table), np.where(electric, km, 0.0)),
        co2_g_per_km=ratio(table["co2_g"], np.where(electric, 0.0, km)),
        fuel_g_per_km=ratio(table["fuel_g"], np.where(electric, 0.0, km)),
        regen_share=ratio(table["regen_wh"], table["drive_wh"]),
        stops_per_km=ratio(table["n_stops"], km),
        stops_per_vehicle=ratio(table["n_stops"], presence),
        delay_s_per_km=ratio(table["delay_s"], km),
        delay_s_per_vehicle=ratio(table["delay_s"], presence),
        jerk_rms_mps3=float(np.sqrt(table["jerk2_m2ps5"].sum() / table["duration_s"].sum())),
        vehicle_km=float(km.sum()),
        electric_km=float(km[electric].sum()),
    )


def by_grade(records: RunRecords, *, electric: bool, kind: int) -> tuple[Interval, ...]:
    """Return what a kilometre costs on each class of grades, in their order.

    Parameters
    ----------
    records
        As for :func:`energy_figures`.
    electric
        True for battery energy [kWh/km], False for CO2 [g/km].
    kind
        Index into :data:`KIND_NAMES`.
    """
    table = records.tables["energy"]
    cluster = _clusters(records)
    chosen = (table["electric"] == electric) & (table["kind"] == kind)
    cost = _net_kwh(table) if electric else table["co2_g"]
    km = table["distance_m"] / _M_PER_KM
    found = []
    for grade in range(len(GRADE_CLASS_NAMES)):
        rows = chosen & (table["grade_class"] == grade)
        found.append(_ratio(cluster, np.where(rows, cost, 0.0), np.where(rows, km, 0.0)))
    return tuple(found)


def _clusters(records: RunRecords) -> Clusters:
    table = records.tables["energy"]
    return clusters(table["replication"], table["block_start_s"], float(records.facts["block_s"]))


def _ratio(cluster: Clusters, above: NDArray[np.generic], below: FloatArray) -> Interval:
    return ratio_interval(cluster.sums(above), cluster.sums(below), over=cluster.over)


def _net_kwh(table: Table) -> FloatArray:
    return np.asarray(table["drive_wh"] - table["regen_wh"] + table["aux_wh"]) / _WH_PER_KWH


def _presence(table: Table) -> FloatArray:
    """Return the share of the time of its vehicle that each row stands for."""
    vehicles = np.stack([table["replication"].astype(np.int64), table["vehicle_id"]])
    _, vehicle = np.unique(vehicles, axis=1, return_inverse=True)
    total_s = np.bincount(vehicle, weights=table["duration_s"])
    return np.asarray(table["duration_s"] / total_s[vehicle])
