"""The steps of a transmission over Uu for one packet, in plain Python and double precision."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .twin_math import hashed, normal_pair, uniform

PARTS = 13
(HANDOVER, GRANT, UP_QUEUE, UP_WAIT, UP_AIR, UP_HARQ, PROCESSING, TRANSPORT, COMPUTE) = range(9)
(DOWN_QUEUE, DOWN_WAIT, DOWN_AIR, DOWN_HARQ) = range(9, 13)
DELIVERED, OVERLOAD, LOST = 0, 3, 4


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The same arguments as the kernel's."""

    slot_us: int
    uplink_wait: list[int]
    downlink_wait: list[int]
    occasion: list[int]
    occasion_period_us: int
    dynamic: bool
    request_us: float
    control_us: float
    base_us: float
    prepare_us: float
    decode_us: float
    max_retransmissions: int
    key: int

    def aligned(self, t: float, wait: list[int]) -> float:
        slot = math.ceil((t - 1e-6) / self.slot_us)
        return float((slot + wait[slot % len(wait)]) * self.slot_us)

    def to_occasion(self, t: float, sender: int) -> float:
        at = self.occasion[hashed(self.key, sender) % len(self.occasion)] * self.slot_us
        while at < t - 1e-6:
            at += self.occasion_period_us
        return max(at - t, 0.0)

    def send(self, t: float, n_slots: int, wait: list[int]) -> float:
        for _ in range(n_slots):
            t = self.aligned(t, wait) + self.slot_us
        return t

    def uplink(self, packet: dict[str, Any]) -> tuple[np.ndarray, int]:
        part = np.zeros(PARTS)
        word = hashed(self.key, packet["sender"], packet["generated_us"] & 0xFFFFFFFF)
        t = float(packet["generated_us"] % self.occasion_period_us)
        part[HANDOVER] = max(packet["available_us"] - packet["generated_us"], 0)
        t += part[HANDOVER]
        if self.dynamic:
            asked = t + self.to_occasion(t, packet["sender"]) + self.request_us + self.base_us
            granted = self.aligned(asked, self.downlink_wait) + self.control_us
            part[GRANT], t = granted - t, granted
        t += self.prepare_us
        ready = t
        if not self.dynamic and self.occasion:
            t += self.to_occasion(t, packet["sender"])
        part[UP_QUEUE] = queue_us(word, packet)
        t += part[UP_QUEUE]
        t = self.send(t, packet["n_slots"], self.uplink_wait)
        part[UP_AIR] = packet["n_slots"] * self.slot_us
        part[UP_WAIT] = t - ready - part[UP_AIR] - part[UP_QUEUE]
        t += self.base_us
        part[PROCESSING] = self.prepare_us + self.base_us
        if uniform(hashed(word, 3)) < packet["overload"]:
            return part, OVERLOAD
        first = t
        for tries in range(self.max_retransmissions + 1):
            if uniform(hashed(word, 16 + tries)) >= packet["error"]:
                part[UP_HARQ] = t - first
                return part, DELIVERED
            t = self.aligned(t, self.downlink_wait) + self.control_us + self.prepare_us
            t = self.send(t, packet["n_slots"], self.uplink_wait) + self.base_us
        return part, LOST

    def downlink(
        self, packet: dict[str, Any], before: np.ndarray, to: dict[str, Any], way: dict[str, float]
    ) -> tuple[np.ndarray, int]:
        part = before.copy()
        word = hashed(self.key, packet["sender"], packet["generated_us"] & 0xFFFFFFFF)
        pair = hashed(word, 7, to["receiver"])
        base = packet["generated_us"] % self.occasion_period_us
        t = base + float(part.sum())
        part[TRANSPORT] = way["up_us"] + way["down_us"] + way["across_us"] * to["crosses"]
        for one in (word, pair):
            part[TRANSPORT] += log_normal(one, 5, way["internet_us"], way["internet_sigma"])
        part[COMPUTE] = log_normal(word, 4, way["compute_us"], way["compute_sigma"])
        t += part[TRANSPORT] + part[COMPUTE]
        gap = max(to["available_us"] - packet["generated_us"] + base - t, 0.0)
        part[HANDOVER] += gap
        part[DOWN_QUEUE] = queue_us(pair, to)
        ready = t + gap + self.base_us + part[DOWN_QUEUE]
        t = self.send(ready, to["n_slots"], self.downlink_wait)
        part[DOWN_AIR] = to["n_slots"] * self.slot_us
        part[DOWN_WAIT] = t - ready - part[DOWN_AIR]
        part[PROCESSING] += self.base_us + self.decode_us
        t += self.decode_us
        if uniform(hashed(pair, 3)) < to["overload"]:
            return part, OVERLOAD
        first = t
        for tries in range(self.max_retransmissions + 1):
            if uniform(hashed(pair, 16 + tries)) >= to["error"]:
                part[DOWN_HARQ] = t - first
                return part, DELIVERED
            t = self.aligned(t, self.uplink_wait) + self.request_us + self.base_us
            t = self.send(t, to["n_slots"], self.downlink_wait) + self.decode_us
        return part, LOST

    def relay(self, packet: dict[str, Any], unit: int, way: dict[str, float]) -> np.ndarray:
        part = np.zeros(PARTS)
        word = hashed(self.key, packet["sender"], packet["generated_us"] & 0xFFFFFFFF)
        part[UP_WAIT] = way["first_us"] + way["span_us"] * uniform(hashed(word, 6))
        part[DOWN_WAIT] = way["first_us"] + way["span_us"] * uniform(hashed(word, 6, unit))
        part[UP_AIR] = part[DOWN_AIR] = way["air_us"]
        part[PROCESSING], part[TRANSPORT] = way["processing_us"], way["transport_us"]
        part[COMPUTE] = log_normal(word, 4, way["compute_us"], way["compute_sigma"])
        return part


def queue_us(word: int, packet: dict[str, Any]) -> float:
    """Return the wait in a queue: none, or exponential."""
    if uniform(hashed(word, 1)) >= packet["busy"]:
        return 0.0
    return -packet["queue_mean_us"] * math.log(uniform(hashed(word, 2)))


def log_normal(word: int, draw: int, median: float, sigma: float) -> float:
    first, _ = normal_pair(hashed(word, draw), hashed(word, draw + 256))
    return median * math.exp(sigma * first) if median else 0.0
