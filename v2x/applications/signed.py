"""Messages whose size follows the certificate: with it, or with a digest."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from v2x import rng
from v2x.applications.base import Application, ApplicationFilter, PacketBatch
from v2x.messages.topics import Topic
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.security.envelope import CertificateCadence
from v2x.security.verified import VerifiedMessages

#: Flags that make a message one of a key event; those above do not go on the air.
_KEY_EVENTS = (1 << 13) - 1


class ByCertificate(Protocol):
    """An application whose messages are signed by somebody else's rule."""

    @property
    def sizes_by_certificate(self) -> tuple[int, int]:
        """Sizes with a digest and with the certificate [byte]."""


class SignedMessages(ApplicationFilter):
    """Decides for state messages of vehicles whether they carry the certificate.

    What walkers and roadside units say keeps the cycle of its sizes, and applications with a rule
    of their own keep that. Messages of events always carry the certificate, and so do those of
    services.

    Parameters
    ----------
    application
        Says it.
    sizes_bytes
        Sizes of the state messages of vehicles with a digest and with the certificate [byte]; None
        where their application decides itself.
    cadence
        When a certificate travels again.
    verified
        Is told what was signed how.
    seed
        Seed of the run: vehicles that are there at the start sent their last certificate at a
        random time before.
    """

    def __init__(
        self,
        application: Application,
        sizes_bytes: tuple[int, int] | None,
        cadence: CertificateCadence,
        verified: VerifiedMessages,
        seed: int,
    ) -> None:
        super().__init__(application)
        self._sizes_bytes = sizes_bytes
        self._cadence, self._verified = cadence, verified
        self._start_key = rng.key32(seed, "security", "start")

    def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
        """Return the packets generated in [start_us, end_us), asked for without gaps."""
        batch = self._application.packets(start_us, end_us, fleet)
        self._verified.bind(fleet.id)
        if start_us == 0:
            self._cadence.resume(fleet.id, rng.uniform_by_id(self._start_key, fleet.id, 0))
        if self._sizes_bytes is not None:
            batch = self._signed(batch, fleet, self._sizes_bytes)
        state = batch.topic == Topic.STATE
        self._verified.tell(batch.tx_row[state], batch.generated_us[state], batch.digest[state])
        return batch

    def _signed(
        self, batch: PacketBatch, fleet: FleetState, sizes_bytes: tuple[int, int]
    ) -> PacketBatch:
        """Return packets with the sizes and signatures that the cadence asks for."""
        row = batch.tx_row
        own = np.flatnonzero((batch.topic == Topic.STATE) & (fleet.kind[row] <= NodeKind.BUS))
        key_event = batch.event[own] | ((fleet.flags[row[own]] & _KEY_EVENTS) != 0)
        certificate = self._cadence.take(
            row[own], fleet.id[row[own]], batch.generated_us[own], key_event
        )
        digest, size = batch.digest.copy(), batch.size_bytes.copy()
        digest[own] = ~certificate
        periodic = ~batch.event[own]
        sizes = np.array(sizes_bytes, dtype=np.int32)
        size[own[periodic]] = sizes[certificate[periodic].astype(np.intp)]
        return replace(batch, digest=digest, size_bytes=size)
