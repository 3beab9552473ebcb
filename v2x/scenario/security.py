"""Security of a run: put around what road users say, and asked by those who hear it."""

from __future__ import annotations

from v2x.applications.base import Application
from v2x.applications.signed import SignedMessages
from v2x.scenario.model import Scenario
from v2x.security.envelope import CadenceRule, CertificateCadence
from v2x.security.signing import Signing
from v2x.security.verified import VerifiedMessages


def signing_of(scenario: Scenario, n_rows: int) -> Signing | None:
    """Return what a scenario signs with; None if it takes every message as verified."""
    rule = scenario.security.params
    if not isinstance(rule, CadenceRule):
        return None
    return Signing(CertificateCadence(rule, n_rows), VerifiedMessages(n_rows))


def sizes_by_certificate(application: Application) -> tuple[int, int] | None:
    """Return the sizes of what vehicles say, by digest and certificate [byte].

    None for an application that decides itself what carries the certificate.
    """
    sizes: tuple[int, int] | None = getattr(application, "sizes_by_certificate", None)
    return sizes


def with_signatures(
    signing: Signing | None,
    application: Application,
    sizes_bytes: tuple[int, int] | None,
    seed: int,
) -> Application:
    """Return an application whose messages follow the certificate, where anybody asks for it.

    Parameters
    ----------
    signing
        From :func:`signing_of`.
    application
        Of everybody.
    sizes_bytes
        From :func:`sizes_by_certificate`.
    seed
        Seed of the run.
    """
    if signing is None:
        return application
    return SignedMessages(application, sizes_bytes, signing.cadence, signing.verified, seed)
