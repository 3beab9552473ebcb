"""What messages of others than vehicles must keep to: grants are made for those of vehicles."""

from __future__ import annotations

from v2x.applications.base import Application
from v2x.errors import V2XError
from v2x.scenario.model import Scenario


def check_fit(
    scenario: Scenario,
    section: str,
    application: Application,
    *,
    rate_hz: float,
    size_bytes: int,
    size_advice: str = "lower it",
) -> None:
    """Raise V2XError if messages of a section do not fit into grants made for an application.

    Parameters
    ----------
    scenario
        Whose file is named.
    section
        Section with the keys ``rate_hz`` and ``size_bytes``.
    application
        Of the road users whose period and largest message all grants have.
    rate_hz, size_bytes
        What the section asks for: messages per second [Hz], and the largest [byte].
    size_advice
        How to come to smaller messages.
    """
    file = None if scenario.source is None else str(scenario.source)
    fastest_hz = 1000.0 / application.period_ms
    if rate_hz > fastest_hz + 1e-9:
        raise V2XError(
            f"{rate_hz:g} Hz is more often than road users send ({fastest_hz:g} Hz), whose "
            "reservation period all have",
            file=file,
            key=f"{section}.rate_hz",
            remedy="lower it or raise messages.rate_hz",
        )
    largest = max(application.sizes_bytes)
    if size_bytes > largest:
        raise V2XError(
            f"{size_bytes} bytes are more than the largest message of road users "
            f"({largest} bytes), for which all grants are made",
            file=file,
            key=f"{section}.size_bytes",
            remedy=f"{size_advice} or raise messages.size_bytes",
        )
