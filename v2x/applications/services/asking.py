"""Requests of vehicles (VIR) while they are under way, and what is still to be said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from v2x.applications.services.air_sizes import octets
from v2x.applications.services.dialogue_log import DialogueLog, DialogueOutcome, Entry
from v2x.messages.csae.day2.dialogues.requests import (
    Answer,
    Manoeuvre,
    Phase,
    Request,
    RequestParams,
    advance,
    begin,
)
from v2x.messages.csae.day2.vir import DriveRequest, RequestInfo

#: Numbers that a vehicle gives its requests before it begins again.
_REQUEST_IDS = 256


@dataclass(slots=True)
class _Open:
    """A request that is not over, and its entry in the log."""

    request: Request
    entry: Entry


class Asking:
    """One request at a time of each vehicle, by stable id.

    Parameters
    ----------
    params
        Timers of all requests.
    log
        Takes the dialogues.
    """

    def __init__(self, params: RequestParams, log: DialogueLog) -> None:
        self._params, self._log = params, log
        self._open: dict[int, _Open] = {}
        self._next: dict[int, int] = {}
        self._ended_us: dict[int, int] = {}

    def begin(
        self,
        now_us: int,
        identity: int,
        info: RequestInfo,
        *,
        target: int | None = None,
        unit: int | None = None,
    ) -> None:
        """Let a vehicle ask another one, `target`, or a roadside unit, `unit`."""
        number = self._next.get(identity, 0)
        self._next[identity] = (number + 1) % _REQUEST_IDS
        request = begin(
            self._params,
            now_us,
            number,
            info,
            target_vehicle=None if target is None else octets(target),
            target_rsu=None if unit is None else octets(unit),
        )
        partner = target if target is not None else unit
        entry = self._log.begin(now_us, identity, -1 if partner is None else partner)
        self._open[identity] = _Open(request, entry)

    def request(self, identity: int) -> Request | None:
        """Return the request of a vehicle that is not over; farewells count as over."""
        found = self._open.get(identity)
        return None if found is None or found.request.phase > Phase.ACTING else found.request

    def rests(self, now_us: int, identity: int, rest_us: int) -> bool:
        """Whether a vehicle is still busy with a request, or its last one ended just now."""
        if identity in self._open:
            return True
        ended_us = self._ended_us.get(identity)
        return ended_us is not None and now_us - ended_us < rest_us

    def advance(
        self,
        now_us: int,
        answers: Mapping[int, Sequence[Answer]],
        manoeuvres: Mapping[int, Manoeuvre],
    ) -> dict[int, DriveRequest]:
        """Let all requests go on, and return what is said of each that speaks now."""
        said: dict[int, DriveRequest] = {}
        for identity in sorted(self._open):
            item = self._open[identity]
            mine = [one for one in answers.get(identity, ()) if self._is_mine(item.request, one)]
            item.entry.n_messages += len(mine)
            manoeuvre = manoeuvres.get(identity, Manoeuvre.RUNNING)
            answer = mine[-1] if mine else None
            before = item.request.phase
            item.request, words = advance(item.request, now_us, answer, manoeuvre)
            if item.request.phase is not before:
                item.entry.note(now_us, item.request.phase)
            if words is not None:
                item.entry.n_messages += 1
                said[identity] = words
            if item.request.is_over:
                del self._open[identity]
                self._ended_us[identity] = now_us
        return said

    def forget(self, there: Mapping[int, int], now_us: int) -> None:
        """Drop the requests of vehicles that have left."""
        for identity in [identity for identity in self._open if identity not in there]:
            self._open.pop(identity).entry.end(now_us, DialogueOutcome.FAILED)

    @staticmethod
    def _is_mine(request: Request, answer: Answer) -> bool:
        return answer.request_id in (None, request.request_id)
