# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Sensing-based resource selection of LTE-V2X mode 4 and the channel busy ratio."""

from libc.math cimport NAN, ceil
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

cdef extern from "v2x_math.h":
    uint32_t v2x_hash2(uint32_t key, uint32_t a) nogil
    uint32_t v2x_hash3(uint32_t key, uint32_t a, uint32_t b) nogil
    float v2x_uniform(uint32_t h) nogil
    float v2x_log2(float x) nogil

cdef enum:
    MAX_SUBCHANNELS = 32
    MAX_GAP = 16

cdef float EXCLUDED = <float>1e30


cdef class CandidateSelector:
    """Selects resources by TS 36.213 14.1.1.6 from the sensing history of a node.

    Parameters
    ----------
    history, history_power : (n_nodes, window, 1 + 3 * n_subchannels) int32 and float32
        The ring that :class:`SlotReceiver` writes; both views share their memory.
    noise_mw
        S-RSSI of a slot in which nothing was received [mW].
    thresholds_dbm : (8, 8) float32
        RSRP thresholds by own and received priority, 1 to 8 [dBm per resource element].
    periods_slots : (n,) int32
        Reservation periods that the pool allows, for unmonitored subframes.
    step_slots
        P_step: slots of the pool in 100 ms.
    keep_ratio
        Least share of the candidates that must remain (0.2).
    key
        Hash key of the random choices.
    sensing_slots
        Length of the sensing window; 0 takes the whole ring.

    Attributes
    ----------
    n_candidates, n_remaining, n_selected, n_raises
        Of the last selection: M_total, |S_A|, |S_B| and the 3 dB steps taken.
    """

    cdef const int32_t[:, :, ::1] history
    cdef const float[:, :, ::1] history_power
    cdef const float[:, ::1] thresholds_dbm
    cdef const int32_t[::1] periods
    cdef int n_subchannels, ring, window, step, capacity
    cdef float noise_mw
    cdef double keep_ratio
    cdef uint32_t key
    cdef float[::1] excess
    cdef float[::1] energy
    cdef uint32_t[::1] tie
    cdef int32_t[::1] order
    cdef readonly int n_candidates, n_remaining, n_selected, n_raises

    def __init__(self, const int32_t[:, :, ::1] history,
                 const float[:, :, ::1] history_power, *, double noise_mw,
                 const float[:, ::1] thresholds_dbm, const int32_t[::1] periods_slots,
                 int step_slots, double keep_ratio, uint32_t key, int sensing_slots=0,
                 float[::1] excess,
                 float[::1] energy, uint32_t[::1] tie, int32_t[::1] order):
        if (history_power.shape[0] != history.shape[0]
                or history_power.shape[1] != history.shape[1]
                or history_power.shape[2] != history.shape[2]):
            raise ValueError("history and history_power have different shapes")
        self.history = history
        self.history_power = history_power
        self.ring = <int>history.shape[1]
        self.window = sensing_slots if sensing_slots > 0 else self.ring
        if self.window > self.ring:
            raise ValueError("the history is shorter than the sensing window")
        self.n_subchannels = <int>(history.shape[2] - 1) // 3
        if self.n_subchannels > MAX_SUBCHANNELS:
            raise ValueError(f"at most {MAX_SUBCHANNELS} subchannels")
        if thresholds_dbm.shape[0] != 8 or thresholds_dbm.shape[1] != 8:
            raise ValueError("thresholds_dbm must have shape (8, 8)")
        self.noise_mw = <float>noise_mw
        self.thresholds_dbm = thresholds_dbm
        self.periods = periods_slots
        self.step = step_slots
        self.keep_ratio = keep_ratio
        self.key = key
        self.capacity = <int>min(excess.shape[0], energy.shape[0],
                                 tie.shape[0], order.shape[0])
        self.excess = excess
        self.energy = energy
        self.tie = tie
        self.order = order

    def select(self, int node, uint32_t identity, int slot, int t1, int t2, int length,
               int period, int n_periods, int priority, int retransmission_reach,
               int busy_slot, int32_t[::1] chosen, uint8_t[::1] candidates):
        """Choose a resource of `length` subchannels in [slot + t1, slot + t2].

        Parameters
        ----------
        node, identity
            Row of the node, and the hash word of its identity.
        period, n_periods
            Own reservation period [slots], and how many periods ahead overlap is tested
            (C_resel); n_periods 1 for a single transmission.
        priority
            Own PPPP, 1 to 8.
        retransmission_reach
            Farthest distance of a blind retransmission [slots], 0 for none (14.1.1.7).
        busy_slot
            Slot in which the node transmits something else, -1 for none.
        chosen : (4,) int32
            Gets slot and first subchannel of the resource and of its retransmission; the
            latter -1 if there is none.
        candidates : (n_slots * n_positions,) uint8 or empty
            Gets 1 for each member of S_B, for inspection.
        """
        cdef int n_slots = t2 - t1 + 1
        cdef int n_positions = self.n_subchannels - length + 1
        cdef int total = n_slots * n_positions
        cdef Py_ssize_t c
        if n_slots < 1 or n_positions < 1 or not 1 <= priority <= 8 or chosen.shape[0] < 4:
            raise ValueError("empty selection window or pool")
        if total > self.capacity or (candidates.shape[0] and candidates.shape[0] < total):
            raise ValueError("scratch is too short for the selection window")
        with nogil:
            for c in range(total):
                self.excess[c] = <float>-EXCLUDED
            self.exclude(node, slot, t1, n_slots, n_positions, length, period, n_periods,
                         priority)
            if slot + t1 <= busy_slot <= slot + t2:
                for c in range((busy_slot - slot - t1) * n_positions,
                               (busy_slot - slot - t1 + 1) * n_positions):
                    self.excess[c] = EXCLUDED
            self.raise_threshold(total)
            self.rank(node, slot, t1, n_slots, n_positions, length, period, identity)
            self.draw(identity, slot, t1, n_positions, retransmission_reach, chosen)
        if candidates.shape[0]:
            for c in range(total):
                candidates[c] = 0
            for c in range(self.n_selected):
                candidates[self.order[c]] = 1

    cdef void mark(self, int slot, int first, int n, int start, int n_slots, int n_positions,
                   int length, int period, int n_periods, float excess) noexcept nogil:
        """Raise the excess of every candidate whose j-th repetition meets the resource."""
        cdef int y = slot - start
        cdef int j = 0
        cdef int x, low, high
        cdef Py_ssize_t at
        if y >= n_slots:
            j = (y - n_slots) // period + 1
            y -= j * period
        low = max(first - length + 1, 0)
        high = min(first + n - 1, n_positions - 1)
        while y >= 0 and j < n_periods:
            at = <Py_ssize_t>y * n_positions
            for x in range(low, high + 1):
                if excess > self.excess[at + x]:
                    self.excess[at + x] = excess
            y -= period
            j += 1

    cdef void mark_reserved(self, int slot, int heard, int now, int ahead, int first, int n,
                            int start, int n_slots, int n_positions, int length, int period,
                            int n_periods, float excess) noexcept nogil:
        """Mark the repetitions after `ahead` slots of a resource (steps 5 and 6).

        How many there are follows from the slot in which the reservation was heard.
        """
        cdef int q, last = 1
        if ahead < self.step and now - heard <= ahead:
            last = self.step // ahead
        for q in range(1, last + 1):
            self.mark(slot + q * ahead, first, n, start, n_slots, n_positions, length, period,
                      n_periods, excess)

    cdef void exclude(self, int node, int now, int t1, int n_slots, int n_positions,
                      int length, int period, int n_periods, int priority) noexcept nogil:
        cdef int n = self.n_subchannels
        cdef int start = now + t1
        cdef int m, at, s, k, ahead, size, gap, other, received_priority
        cdef int32_t pack
        cdef float rsrp, excess
        cdef const int32_t *record
        cdef const float *power
        for m in range(now - self.window, now):
            if m < 0:
                continue
            at = m % self.ring
            record = &self.history[node, at, 0]
            if record[0] != m:
                continue
            power = &self.history_power[node, at, 0]
            if power[1] < 0:
                # step 5: what others announced while this node transmitted is unknown
                for k in range(self.periods.shape[0]):
                    self.mark_reserved(m, m, now, self.periods[k], 0, n, start, n_slots,
                                       n_positions, length, period, n_periods, EXCLUDED)
                continue
            for s in range(n):
                pack = record[1 + 2 * n + s]
                ahead = (pack & 1023) * self.step // 100
                # what it announced ends before the selection window begins
                if pack == 0 or m + max(ahead, self.step) + MAX_GAP < start:
                    continue
                rsrp = power[1 + n + s]
                received_priority = (pack >> 15) & 15
                excess = (<float>3.01029996 * v2x_log2(rsrp)
                          - self.thresholds_dbm[priority - 1, received_priority - 1])
                if excess <= 0:
                    excess = 0
                size = (pack >> 10) & 31
                gap = ((pack >> 19) & 31) - 16
                other = (pack >> 24) & 31
                if gap > 0:
                    self.mark(m + gap, other, size, start, n_slots, n_positions, length,
                              period, n_periods, excess)
                if ahead > 0:
                    self.mark_reserved(m, m, now, ahead, s, size, start, n_slots, n_positions,
                                       length, period, n_periods, excess)
                    if gap != 0:
                        self.mark_reserved(m + gap, m, now, ahead, other, size, start, n_slots,
                                           n_positions, length, period, n_periods, excess)

    cdef void raise_threshold(self, int total) noexcept nogil:
        """Steps 4 to 7: the least number of 3 dB steps that leaves enough candidates."""
        cdef int needed = <int>ceil(self.keep_ratio * total - 1e-9)
        cdef int raises = 0
        cdef int remaining, c
        cdef float limit, next_limit
        while True:
            limit = <float>3.0 * raises
            remaining = 0
            next_limit = EXCLUDED
            for c in range(total):
                if self.excess[c] <= limit:
                    remaining += 1
                elif self.excess[c] < next_limit:
                    next_limit = self.excess[c]
            if remaining >= needed or next_limit >= EXCLUDED:
                break
            raises = max(raises + 1, <int>ceil(next_limit / 3))
        self.n_candidates = total
        self.n_remaining = remaining
        self.n_raises = raises
        self.n_selected = min(needed, remaining)
        remaining = 0
        for c in range(total):
            if self.excess[c] <= limit:
                self.order[remaining] = c
                remaining += 1

    cdef void rank(self, int node, int now, int t1, int n_slots, int n_positions, int length,
                   int period, uint32_t identity) noexcept nogil:
        """Steps 8 and 9: move the quietest candidates to the front of `order`."""
        cdef float[MAX_SUBCHANNELS] sums
        cdef int n = self.n_subchannels
        cdef int stride = min(period, self.step)
        cdef int y, m, at, s, x, i, count
        cdef float e
        cdef const int32_t *record
        cdef const float *power
        cdef uint32_t word = v2x_hash3(self.key, identity, <uint32_t>now)
        if self.n_selected == 0:
            return
        for y in range(n_slots):
            for s in range(n):
                sums[s] = 0
            count = 0
            m = now + t1 + y - stride
            while m >= now:
                m -= stride
            while m >= now - self.window and m >= 0:
                at = m % self.ring
                record = &self.history[node, at, 0]
                if record[0] != m:
                    count += 1
                    for s in range(n):
                        sums[s] += self.noise_mw
                else:
                    power = &self.history_power[node, at, 0]
                    if power[1] >= 0:
                        count += 1
                        for s in range(n):
                            sums[s] += power[1 + s]
                m -= stride
            for x in range(n_positions):
                e = 0
                for s in range(x, x + length):
                    e += sums[s]
                self.energy[y * n_positions + x] = e / count if count else self.noise_mw * length
        for i in range(self.n_remaining):
            x = self.order[i]
            self.tie[x] = v2x_hash2(word, <uint32_t>x)
        self.partition(self.n_remaining, self.n_selected)

    cdef bint quieter(self, int a, int b) noexcept nogil:
        if self.energy[a] != self.energy[b]:
            return self.energy[a] < self.energy[b]
        return self.tie[a] < self.tie[b]

    cdef void partition(self, int n, int k) noexcept nogil:
        """Bring the k quietest of the first n candidates to the front."""
        cdef int low = 0, high = n - 1
        cdef int i, j, pivot, swap
        while low < high:
            pivot = self.order[(low + high) // 2]
            i = low
            j = high
            while i <= j:
                while self.quieter(self.order[i], pivot):
                    i += 1
                while self.quieter(pivot, self.order[j]):
                    j -= 1
                if i <= j:
                    swap = self.order[i]
                    self.order[i] = self.order[j]
                    self.order[j] = swap
                    i += 1
                    j -= 1
            if k - 1 <= j:
                high = j
            elif k - 1 >= i:
                low = i
            else:
                return

    cdef void draw(self, uint32_t identity, int now, int t1, int n_positions, int reach,
                   int32_t[::1] chosen) noexcept nogil:
        """Pick uniformly from S_B, and a retransmission from what is within reach."""
        cdef uint32_t word = v2x_hash3(self.key ^ <uint32_t>0x5bd1e995, identity, <uint32_t>now)
        cdef int c, i, y, other, found = 0
        chosen[0] = chosen[1] = chosen[2] = chosen[3] = -1
        if self.n_selected == 0:
            return
        i = min(<int>(v2x_uniform(word) * self.n_selected), self.n_selected - 1)
        c = self.order[i]
        y = c // n_positions
        chosen[0] = now + t1 + y
        chosen[1] = c % n_positions
        if reach <= 0:
            return
        # reservoir of one over the remaining members of S_B
        for i in range(self.n_selected):
            other = self.order[i] // n_positions - y
            if other != 0 and -reach <= other <= reach:
                found += 1
                if v2x_uniform(v2x_hash2(word, <uint32_t>(i + 1))) * found < 1:
                    c = self.order[i]
                    chosen[2] = now + t1 + c // n_positions
                    chosen[3] = c % n_positions
        if chosen[2] >= 0 and chosen[2] < chosen[0]:
            i = chosen[0]
            chosen[0] = chosen[2]
            chosen[2] = i
            i = chosen[1]
            chosen[1] = chosen[3]
            chosen[3] = i


def busy_ratio(
        const int32_t[:, :, ::1] history, const float[:, :, ::1] history_power, int slot,
        int n_slots, double threshold_mw, const uint8_t[::1] active, double[::1] ratio):
    """Fill `ratio` with the CBR of every active node over [slot - n_slots, slot - 1].

    Slots in which the node itself transmitted are left out (TS 36.214 5.1.30 measures
    received power); NaN for nodes that monitored nothing.
    """
    cdef Py_ssize_t node, n = history.shape[0]
    cdef int n_sub = <int>(history.shape[2] - 1) // 3
    cdef int window = <int>history.shape[1]
    cdef int m, at, s
    cdef int64_t busy, seen
    cdef float limit = <float>threshold_mw
    if (active.shape[0] != n or ratio.shape[0] != n or history_power.shape[0] != n
            or history_power.shape[1] != window or not 0 < n_slots <= window):
        raise ValueError("arrays have different lengths, or the window is too long")
    with nogil:
        for node in range(n):
            ratio[node] = NAN
            if not active[node]:
                continue
            busy = 0
            seen = 0
            for m in range(max(slot - n_slots, 0), slot):
                at = m % window
                if history[node, at, 0] != m:
                    seen += n_sub
                elif history_power[node, at, 1] >= 0:
                    seen += n_sub
                    for s in range(n_sub):
                        busy += history_power[node, at, 1 + s] > limit
            if seen > 0:
                ratio[node] = <double>busy / <double>seen
