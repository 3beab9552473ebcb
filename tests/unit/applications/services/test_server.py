"""Mail to a server, and services that need a network."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.applications.services.short_runs import short_run
from v2x.applications.services.server import Mail
from v2x.errors import V2XError


def test_mail_comes_in_the_order_of_its_arrival_and_what_is_lost_never() -> None:
    mail: Mail[str] = Mail()
    mail.send(np.array([300, -1, 100], dtype=np.int64), ["late", "lost", "early"])
    mail.send(np.array([100], dtype=np.int64), ["second"])
    assert mail.arrived(99) == []
    assert mail.arrived(299) == [(100, "early"), (100, "second")]
    assert mail.arrived(10**9) == [(300, "late")]
    assert mail.arrived(10**9) == []


@pytest.mark.parametrize("service", ["probe-data", "remote-driving", "tracking"])
def test_a_service_over_the_network_says_that_there_is_none(service: str) -> None:
    with pytest.raises(V2XError, match="mobile network"):
        short_run(service, duration_s="0.2")
