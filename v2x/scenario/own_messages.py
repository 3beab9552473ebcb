"""What messages of others than vehicles must keep to: grants are made for those of vehicles."""

from __future__ import annotations

from dataclasses import dataclass

from v2x.applications.base import Application
from v2x.errors import V2XError
from v2x.scenario.model import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMessages:
    """What a section asks for.

    Attributes
    ----------
    section
        Section with the keys ``rate_hz`` and ``size_bytes``.
    rate_hz, size_bytes
        Messages per second [Hz], and the largest [byte].
    size_advice
        How to come to smaller messages.
    """

    section: str
    rate_hz: float
    size_bytes: int
    size_advice: str = "lower it"


def check_fit(scenario: Scenario, own: OwnMessages, application: Application) -> None:
    """Raise V2XError if messages of a section do not fit into grants made for an application.

    Parameters
    ----------
    scenario
        Whose file is named.
    own
        What the section asks for.
    application
        Of the road users whose period and largest message all grants have.
    """
    file = None if scenario.source is None else str(scenario.source)
    fastest_hz = 1000.0 / application.period_ms
    if own.rate_hz > fastest_hz + 1e-9:
        raise V2XError(
            f"{own.rate_hz:g} Hz is more often than road users send ({fastest_hz:g} Hz), whose "
            "reservation period all have",
            file=file,
            key=f"{own.section}.rate_hz",
            remedy="lower it or raise messages.rate_hz",
        )
    largest = max(application.sizes_bytes)
    if own.size_bytes > largest:
        raise V2XError(
            f"{own.size_bytes} bytes are more than the largest message of road users "
            f"({largest} bytes), for which all grants are made",
            file=file,
            key=f"{own.section}.size_bytes",
            remedy=f"{own.size_advice} or raise messages.size_bytes",
        )
