# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Sensing-based resource selection of LTE-V2X mode 4 and NR-V2X mode 2, and the channel busy ratio.

Both modes exclude what others reserved; they differ in what follows. Mode 4 ranks the rest by
energy and draws from the quietest fifth (:meth:`CandidateSelector.select`), mode 2 draws from all
of it (:meth:`CandidateSelector.select_any`) and later asks whether what it drew is still free
(:meth:`CandidateSelector.review`).
"""

from libc.math cimport NAN, ceil
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

cdef extern from "v2x_math.h":
    uint32_t v2x_hash2(uint32_t key, uint32_t a) nogil
    uint32_t v2x_hash3(uint32_t key, uint32_t a, uint32_t b) nogil
    float v2x_uniform(uint32_t h) nogil
    float v2x_log2(float x) nogil
    void V2X_PREFETCH(const void *p) nogil

cdef enum:
    MAX_SUBCHANNELS = 32
    MAX_GAP = 32
    # records that are asked for ahead of their use, as they lie far apart
    AHEAD = 24
    # columns of a review
    REVIEW_NODE = 0
    REVIEW_LENGTH = 1
    REVIEW_PERIOD = 2
    REVIEW_PRIORITY = 3
    REVIEW_LAST = 4
    REVIEW_COUNT = 5
    REVIEW_RESOURCES = 6

cdef float EXCLUDED = <float>1e30


cdef class CandidateSelector:
    """Selects resources from the sensing history of a node.

    TS 36.213 14.1.1.6 and TS 38.214 8.1.4; the parameters that have a default are those of LTE.

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
        Least share of the candidates that must remain (LTE 0.2, NR X).
    key
        Hash key of the random choices.
    sensing_slots
        Length of the sensing window; 0 takes the whole ring.
    lag_slots
        Newest slots that are not evaluated yet (T_proc,0).
    scale_by_window
        Whether a reservation is taken to be repeated until the end of the selection window
        (NR: T_scal is T2), instead of for 100 ms (LTE).
    waive_unheard
        Whether the exclusion for slots that were not monitored is given up if it leaves too
        little by itself (NR, step 5a).
    longest_slots
        Longest reservation that anybody in the pool announces; older records cannot matter and
        are not looked at. 0 for the whole sensing window.
    further : (n_nodes, window, n_subchannels) uint16, or without nodes
        Second further transmissions in the history, where there are such.
    urgency : (window,) int32
        Highest priority on air in each slot of the history, so that a review need not look at
        slots without anybody above; if it is missing, it looks at all.
    monitored : (n_nodes, window) int32, or None
        For nodes that sense in part: the slot, at its place in the ring, if it was monitored.
        The slots between are unknown, neither free nor reserved. None if all sense everything.
    in_part : (n_nodes,) uint8
        1 for nodes to which `monitored` applies; needed with it.
    least_gap
        Least slots between two resources of one packet, so that feedback comes in between.

    Attributes
    ----------
    n_candidates, n_remaining, n_selected, n_raises
        Of the last selection: M_total, |S_A|, |S_B| and the 3 dB steps taken.
    """

    cdef const int32_t[:, :, :] history
    cdef const float[:, :, :] history_power
    cdef const uint16_t[:, :, ::1] further
    cdef const int32_t[::1] urgency
    cdef const int32_t[:, ::1] monitored
    cdef const uint8_t[::1] in_part
    cdef const float[:, ::1] thresholds_dbm
    cdef const int32_t[::1] periods
    cdef int n_subchannels, ring, window, step, capacity, lag, longest, least_gap
    cdef bint scale_by_window, waive_unheard
    cdef float noise_mw
    cdef double keep_ratio
    cdef uint32_t key
    cdef float[::1] excess
    cdef float[::1] energy
    cdef uint32_t[::1] tie
    cdef int32_t[::1] order
    cdef readonly int n_candidates, n_remaining, n_selected, n_raises
    # the selection under way
    cdef int node, now, start, n_slots, n_positions, length, period, n_periods, priority, scale
    cdef bint partial
    cdef float limit

    def __init__(self, const int32_t[:, :, :] history,
                 const float[:, :, :] history_power, *, double noise_mw,
                 const float[:, ::1] thresholds_dbm, const int32_t[::1] periods_slots,
                 int step_slots, double keep_ratio, uint32_t key, int sensing_slots=0,
                 int lag_slots=0, bint scale_by_window=False, bint waive_unheard=False,
                 int longest_slots=0, const uint16_t[:, :, ::1] further=None,
                 const int32_t[::1] urgency=None,
                 const int32_t[:, ::1] monitored=None, const uint8_t[::1] in_part=None,
                 int least_gap=1, float[::1] excess,
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
        if further is not None and further.shape[0] == 0:
            further = None
        if further is not None and (further.shape[0] != history.shape[0]
                                    or further.shape[1] != history.shape[1]
                                    or further.shape[2] != self.n_subchannels):
            raise ValueError("further has the wrong shape")
        self.further = further
        if urgency is not None and urgency.shape[0] != self.ring:
            raise ValueError("urgency must have one value per slot of the history")
        self.urgency = urgency
        if monitored is not None and (
                in_part is None or in_part.shape[0] != history.shape[0]
                or monitored.shape[0] != history.shape[0] or monitored.shape[1] != self.ring):
            raise ValueError("monitored and in_part must fit the history")
        self.monitored = monitored
        self.in_part = in_part
        self.noise_mw = <float>noise_mw
        self.thresholds_dbm = thresholds_dbm
        self.periods = periods_slots
        self.step = step_slots
        self.keep_ratio = keep_ratio
        self.key = key
        self.lag = lag_slots
        self.scale_by_window = scale_by_window
        self.waive_unheard = waive_unheard
        self.longest = longest_slots
        self.least_gap = max(least_gap, 1)
        self.capacity = <int>min(excess.shape[0], energy.shape[0],
                                 tie.shape[0], order.shape[0])
        self.excess = excess
        self.energy = energy
        self.tie = tie
        self.order = order

    def select(self, int node, uint32_t identity, int slot, int t1, int t2, int length,
               int period, int n_periods, int priority, int retransmission_reach,
               const int32_t[::1] busy, int32_t[::1] chosen, uint8_t[::1] candidates):
        """Choose a resource of `length` subchannels in [slot + t1, slot + t2] as mode 4 does.

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
        busy : (n,) int32
            Slots in which the node transmits something else; negative ones are ignored.
        chosen : (4,) int32
            Gets slot and first subchannel of the resource and of its retransmission; the
            latter -1 if there is none.
        candidates : (n_slots * n_positions,) uint8 or empty
            Gets 1 for each member of S_B, for inspection.
        """
        cdef int total = self.open(node, slot, t1, t2, length, period, n_periods, priority)
        cdef Py_ssize_t i, c
        if chosen.shape[0] < 4:
            raise ValueError("chosen needs four places")
        if candidates.shape[0] and candidates.shape[0] < total:
            raise ValueError("scratch is too short for the selection window")
        with nogil:
            self.exclude(total)
            for i in range(busy.shape[0]):
                if self.start <= busy[i] < self.start + self.n_slots:
                    for c in range((busy[i] - self.start) * self.n_positions,
                                   (busy[i] - self.start + 1) * self.n_positions):
                        self.excess[c] = EXCLUDED
            self.raise_threshold(total)
            self.rank(identity)
            self.draw(identity, retransmission_reach, chosen)
        if candidates.shape[0]:
            self.show(total, candidates)

    def select_any(self, int node, uint32_t identity, int slot, int t1, int t2, int length,
                   int period, int n_periods, int priority, int reach, int span,
                   const int32_t[::1] busy, int32_t[::1] chosen, int n_fixed, int n_wanted,
                   uint8_t[::1] candidates, const uint8_t[::1] barred=None, int n_least=1):
        """Choose resources in [slot + t1, slot + t2] as mode 2 does, for one packet.

        Parameters
        ----------
        node, identity, slot, t1, t2, length, period, n_periods, priority
            As for :meth:`select`.
        reach, span
            Farthest distance between successive resources, and between the first and the last
            [slots].
        busy : (n,) int32
            Slots in which the node transmits something else; negative ones are ignored.
        chosen : (2 * n_wanted,) int32
            Slots and first subchannels. The first `n_fixed` pairs are given and kept; the
            others are drawn. Ascending by slot afterwards, -1 where nothing was left.
        candidates : (n_slots * n_positions,) uint8 or empty
            Gets 1 for each member of S_A, for inspection.
        barred : (n_slots * n_positions,) uint8, or None
            1 for members of S_A that others advised against (TS 38.214 8.1.4C).
        n_least
            The advice is ignored if it leaves fewer members.

        Returns
        -------
        int
            How many pairs `chosen` holds.
        """
        cdef int total = self.open(node, slot, t1, t2, length, period, n_periods, priority)
        cdef int n = n_fixed
        if not 0 <= n_fixed <= n_wanted or chosen.shape[0] < 2 * n_wanted:
            raise ValueError("chosen is too short")
        if candidates.shape[0] and candidates.shape[0] < total:
            raise ValueError("scratch is too short for the selection window")
        if barred is not None and barred.shape[0] != total:
            raise ValueError("barred needs a value for each candidate")
        with nogil:
            self.exclude(total)
            self.raise_threshold(total)
            if barred is not None:
                self.follow(barred, n_least)
            self.n_selected = self.n_remaining
            while n < n_wanted and self.draw_any(identity, reach, span, busy, chosen, n):
                n += 1
            self.sort(chosen, n, n_wanted)
        if candidates.shape[0]:
            self.show(total, candidates)
        return n

    def review(self, int slot, int t1, int n_periods, int preemption_level,
               const int32_t[:, ::1] requests, int n_requests, int32_t[::1] lost):
        """Ask in `slot` which resources of nodes are no longer theirs (TS 38.214 8.1.4).

        One that was not announced yet is lost if it is no candidate any more (re-evaluation);
        one that was, if somebody of higher priority, and above the level, reserved it
        (pre-emption).

        Parameters
        ----------
        slot, t1, n_periods
            Slot of the question, first slot of its window, and C_resel.
        preemption_level
            Only priorities below this pre-empt; 0 if announced resources are never given up.
        requests : (n, 6 + 3 * n_resources) int32
            Node, subchannels, own period, own priority, last slot of the window, number of
            resources; then slot, first subchannel and whether it was announced, of each.
        n_requests
            Rows that count.
        lost : (n,) int32
            Gets for each row a bit for every resource that is lost.

        Returns
        -------
        int
            Rows with a loss.
        """
        cdef int i, total, n_lost = 0
        cdef int most = <int>(requests.shape[1] - REVIEW_RESOURCES) // 3
        if n_requests > requests.shape[0] or n_requests > lost.shape[0]:
            raise ValueError("requests and lost are too short")
        for i in range(n_requests):
            if requests[i, REVIEW_COUNT] > min(most, 31):
                raise ValueError("more resources than columns")
            total = self.open(requests[i, REVIEW_NODE], slot, t1,
                              requests[i, REVIEW_LAST] - slot, requests[i, REVIEW_LENGTH],
                              requests[i, REVIEW_PERIOD], n_periods, requests[i, REVIEW_PRIORITY])
            with nogil:
                lost[i] = 0
                if self.doubtful(&requests[i, 0], preemption_level):
                    self.exclude(total)
                    self.raise_threshold(total)
                    lost[i] = self.losses(&requests[i, 0], preemption_level)
            n_lost += lost[i] != 0
        return n_lost

    cdef int open(self, int node, int slot, int t1, int t2, int length, int period,
                  int n_periods, int priority) except -1:
        """Begin a selection; returns the number of its candidates."""
        self.node = node
        self.now = slot
        self.start = slot + t1
        self.n_slots = t2 - t1 + 1
        self.n_positions = self.n_subchannels - length + 1
        self.length = length
        self.period = period
        self.n_periods = n_periods
        self.priority = priority
        self.scale = t2 if self.scale_by_window else self.step
        if not 0 <= node < self.history.shape[0]:
            raise ValueError(f"there is no node {node}")
        self.partial = self.monitored is not None and self.in_part[node] != 0
        if (self.n_slots < 1 or self.n_positions < 1 or length < 1 or period < 1
                or not 1 <= priority <= 8):
            raise ValueError("empty selection window or pool")
        if self.n_slots * self.n_positions > self.capacity:
            raise ValueError("scratch is too short for the selection window")
        return self.n_slots * self.n_positions

    cdef void show(self, int total, uint8_t[::1] candidates) noexcept:
        cdef int c
        for c in range(total):
            candidates[c] = 0
        for c in range(self.n_selected):
            candidates[self.order[c]] = 1

    cdef void mark(self, int slot, int first, int n, float excess,
                   float *target) noexcept nogil:
        """Raise the excess of every candidate whose j-th repetition meets the resource."""
        cdef int y = slot - self.start
        cdef int j = 0
        cdef int x, low, high
        cdef Py_ssize_t at
        if y >= self.n_slots:
            j = (y - self.n_slots) // self.period + 1
            y -= j * self.period
        low = max(first - self.length + 1, 0)
        high = min(first + n - 1, self.n_positions - 1)
        while y >= 0 and j < self.n_periods:
            at = <Py_ssize_t>y * self.n_positions
            for x in range(low, high + 1):
                if excess > target[at + x]:
                    target[at + x] = excess
            y -= self.period
            j += 1

    cdef void mark_reserved(self, int slot, int heard, int ahead, int first, int n, float excess,
                            float *target) noexcept nogil:
        """Mark the repetitions after `ahead` slots of a resource (steps 5 and 6).

        How many there are, Q, follows from the slot in which the reservation was heard.
        """
        cdef int q, last = 1
        if ahead < self.scale and self.now - heard <= ahead:
            last = (self.scale + ahead - 1) // ahead
        for q in range(1, last + 1):
            self.mark(slot + q * ahead, first, n, excess, target)

    cdef void exclude(self, int total) noexcept nogil:
        """Steps 5 and 6 at all thresholds at once: by how much each candidate exceeds its own."""
        cdef int c, left = 0
        for c in range(total):
            self.excess[c] = <float>-EXCLUDED
        if not self.waive_unheard:
            self.collect(9, &self.excess[0], &self.excess[0])
            return
        for c in range(total):
            self.energy[c] = <float>-EXCLUDED
        self.collect(9, &self.excess[0], &self.energy[0])
        for c in range(total):
            left += self.energy[c] < 0
        if left >= self.keep_ratio * total - 1e-9:
            for c in range(total):
                if self.energy[c] > 0:
                    self.excess[c] = EXCLUDED

    cdef void collect(self, int below, float *target, float *unheard) noexcept nogil:
        """Mark what was reserved with a priority `below` this, and what may have been, unheard.

        `unheard` may be missing: then only what was heard counts.
        """
        cdef int n = self.n_subchannels
        cdef int now = self.now
        cdef int m, at, s, k, ahead, size, gap, other, received_priority, gap2, reach
        cdef int32_t pack
        cdef float excess
        cdef const int32_t *record
        cdef const float *power
        for m in range(self.oldest_slot(), now - self.lag):
            self.fetch(m + AHEAD)
            at = m % self.ring
            record = &self.history[self.node, at, 0]
            if record[0] != m or not self.senses(m, at):
                continue
            power = &self.history_power[self.node, at, 0]
            if power[1] < 0:
                # step 5: what others announced while this node transmitted is unknown
                if unheard != NULL:
                    for k in range(self.periods.shape[0]):
                        self.mark_reserved(m, m, self.periods[k], 0, n, EXCLUDED, unheard)
                continue
            for s in range(n):
                pack = record[1 + 2 * n + s]
                if pack == 0:
                    continue
                ahead = (pack & 1023) * self.step // 100
                # what it announced ends before the selection window begins
                reach = ahead
                if ahead < self.scale and now - m <= ahead:
                    reach += self.scale
                if m + reach + MAX_GAP < self.start:
                    continue
                received_priority = (pack >> 15) & 15
                if received_priority >= below:
                    continue
                excess = (<float>3.01029996 * v2x_log2(power[1 + n + s])
                          - self.thresholds_dbm[self.priority - 1, received_priority - 1])
                if excess <= 0:
                    continue
                size = (pack >> 10) & 31
                gap = ((pack >> 19) & 63) - 32
                other = (pack >> 25) & 31
                if gap > 0:
                    self.mark(m + gap, other, size, excess, target)
                if ahead > 0:
                    self.mark_reserved(m, m, ahead, s, size, excess, target)
                    if gap != 0:
                        self.mark_reserved(m + gap, m, ahead, other, size, excess, target)
                if self.further is None:
                    continue
                gap2 = self.further[self.node, at, s] & 31
                other = self.further[self.node, at, s] >> 5
                if gap2 > 0:
                    self.mark(m + gap2, other, size, excess, target)
                    if ahead > 0:
                        self.mark_reserved(m + gap2, m, ahead, other, size, excess, target)

    cdef inline void fetch(self, int slot) noexcept nogil:
        """Ask for the record of a slot."""
        cdef const int32_t *record = &self.history[self.node, slot % self.ring, 0]
        V2X_PREFETCH(record)
        V2X_PREFETCH(record + 3 * self.n_subchannels)

    cdef inline bint senses(self, int m, int at) noexcept nogil:
        """Whether the node listened in slot `m`, which lies `at` in the ring."""
        return not self.partial or self.monitored[self.node, at] == m

    cdef int oldest_slot(self) noexcept nogil:
        """Return the oldest slot of the sensing window whose record can still matter."""
        cdef int oldest = max(self.now - self.window, 0)
        if self.longest > 0:
            oldest = max(oldest, self.now - self.longest - MAX_GAP)
        return oldest

    cdef bint doubtful(self, const int32_t *request, int preemption_level) noexcept nogil:
        """Whether a review can find anything; mostly nobody is above and all was announced."""
        cdef int i, m, s, at
        cdef int n = self.n_subchannels
        cdef int below = min(self.priority, preemption_level)
        cdef const int32_t *record
        for i in range(request[REVIEW_COUNT]):
            if not request[REVIEW_RESOURCES + 3 * i + 2]:
                return True
        if below <= 1:
            return False
        for m in range(self.oldest_slot(), self.now - self.lag):
            at = m % self.ring
            if self.urgency is not None and self.urgency[at] >= below:
                continue
            record = &self.history[self.node, at, 0]
            if record[0] == m and self.senses(m, at):
                for s in range(1 + 2 * n, 1 + 3 * n):
                    if record[s] and (record[s] >> 15) & 15 < below:
                        return True
        return False

    cdef int losses(self, const int32_t *request, int preemption_level) noexcept nogil:
        """Return a bit for each resource of a review that is lost."""
        cdef int i, c, slot, first, found = 0, announced = 0
        cdef const int32_t *resource
        for i in range(request[REVIEW_COUNT]):
            resource = &request[REVIEW_RESOURCES + 3 * i]
            slot = resource[0]
            first = resource[1]
            if not (self.start <= slot < self.start + self.n_slots
                    and 0 <= first < self.n_positions):
                continue
            c = (slot - self.start) * self.n_positions + first
            if self.excess[c] > self.limit:
                if resource[2]:
                    announced |= 1 << i
                else:
                    found |= 1 << i
        if announced and preemption_level > 0:
            # step 6 alone, of those with the right to take it, with the final threshold
            for c in range(self.n_candidates):
                self.energy[c] = <float>-EXCLUDED
            self.collect(min(self.priority, preemption_level), &self.energy[0], NULL)
            for i in range(request[REVIEW_COUNT]):
                if announced & (1 << i):
                    resource = &request[REVIEW_RESOURCES + 3 * i]
                    c = (resource[0] - self.start) * self.n_positions + resource[1]
                    if self.energy[c] > self.limit:
                        found |= 1 << i
        return found

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
        self.limit = limit
        self.n_selected = min(needed, remaining)
        remaining = 0
        for c in range(total):
            if self.excess[c] <= limit:
                self.order[remaining] = c
                remaining += 1

    cdef void follow(self, const uint8_t[::1] barred, int n_least) noexcept nogil:
        """Drop barred members of S_A from `order`, if enough others are left."""
        cdef int i, left = 0
        for i in range(self.n_remaining):
            left += not barred[self.order[i]]
        if left < n_least:
            return
        left = 0
        for i in range(self.n_remaining):
            if not barred[self.order[i]]:
                self.order[left] = self.order[i]
                left += 1
        self.n_remaining = left

    cdef void rank(self, uint32_t identity) noexcept nogil:
        """Steps 8 and 9: move the quietest candidates to the front of `order`."""
        cdef float[MAX_SUBCHANNELS] sums
        cdef int n = self.n_subchannels
        cdef int stride = min(self.period, self.step)
        cdef int now = self.now
        cdef int y, m, at, s, x, i, count
        cdef float e
        cdef const int32_t *record
        cdef const float *power
        cdef uint32_t word = v2x_hash3(self.key, identity, <uint32_t>now)
        if self.n_selected == 0:
            return
        for y in range(self.n_slots):
            for s in range(n):
                sums[s] = 0
            count = 0
            m = self.start + y - stride
            while m >= now:
                m -= stride
            while m >= now - self.window and m >= 0:
                at = m % self.ring
                record = &self.history[self.node, at, 0]
                if record[0] != m:
                    count += 1
                    for s in range(n):
                        sums[s] += self.noise_mw
                else:
                    power = &self.history_power[self.node, at, 0]
                    if power[1] >= 0:
                        count += 1
                        for s in range(n):
                            sums[s] += power[1 + s]
                m -= stride
            for x in range(self.n_positions):
                e = 0
                for s in range(x, x + self.length):
                    e += sums[s]
                self.energy[y * self.n_positions + x] = (
                    e / count if count else self.noise_mw * self.length)
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

    cdef void draw(self, uint32_t identity, int reach, int32_t[::1] chosen) noexcept nogil:
        """Pick uniformly from S_B, and a retransmission from what is within reach."""
        cdef uint32_t word = v2x_hash3(self.key ^ <uint32_t>0x5bd1e995, identity,
                                       <uint32_t>self.now)
        cdef int c, i, y, other, found = 0
        chosen[0] = chosen[1] = chosen[2] = chosen[3] = -1
        if self.n_selected == 0:
            return
        i = min(<int>(v2x_uniform(word) * self.n_selected), self.n_selected - 1)
        c = self.order[i]
        y = c // self.n_positions
        chosen[0] = self.start + y
        chosen[1] = c % self.n_positions
        if reach <= 0:
            return
        # reservoir of one over the remaining members of S_B
        for i in range(self.n_selected):
            other = self.order[i] // self.n_positions - y
            if other != 0 and -reach <= other <= reach:
                found += 1
                if v2x_uniform(v2x_hash2(word, <uint32_t>(i + 1))) * found < 1:
                    c = self.order[i]
                    chosen[2] = self.start + c // self.n_positions
                    chosen[3] = c % self.n_positions
        if chosen[2] >= 0 and chosen[2] < chosen[0]:
            i = chosen[0]
            chosen[0] = chosen[2]
            chosen[2] = i
            i = chosen[1]
            chosen[1] = chosen[3]
            chosen[3] = i

    cdef bint draw_any(self, uint32_t identity, int reach, int span,
                       const int32_t[::1] busy, int32_t[::1] chosen, int n) noexcept nogil:
        """Draw another resource from S_A that suits the `n` chosen ones, uniformly."""
        cdef uint32_t word = v2x_hash3(self.key, identity, <uint32_t>self.now)
        cdef int i, c, wanted, found = 0
        for i in range(self.n_remaining):
            c = self.order[i]
            found += self.suits(self.start + c // self.n_positions, reach, span, busy, chosen, n)
        if found == 0:
            chosen[2 * n] = chosen[2 * n + 1] = -1
            return False
        wanted = min(<int>(v2x_uniform(v2x_hash2(word, <uint32_t>n)) * found), found - 1)
        for i in range(self.n_remaining):
            c = self.order[i]
            if self.suits(self.start + c // self.n_positions, reach, span, busy, chosen, n):
                if wanted == 0:
                    break
                wanted -= 1
        chosen[2 * n] = self.start + c // self.n_positions
        chosen[2 * n + 1] = c % self.n_positions
        return True

    cdef bint suits(self, int slot, int reach, int span,
                    const int32_t[::1] busy, int32_t[::1] chosen, int n) noexcept nogil:
        """Whether a slot is free, and near enough to the chosen ones."""
        cdef int i, distance
        cdef bint linked = n == 0
        for i in range(busy.shape[0]):
            if busy[i] == slot:
                return False
        for i in range(n):
            distance = slot - chosen[2 * i]
            if distance < 0:
                distance = -distance
            if distance < self.least_gap or distance > span:
                return False
            linked = linked or distance <= reach
        return linked

    cdef void sort(self, int32_t[::1] chosen, int n, int n_wanted) noexcept nogil:
        """Bring the pairs into the order of slots and clear the rest."""
        cdef int i, j, slot, first
        for i in range(1, n):
            slot = chosen[2 * i]
            first = chosen[2 * i + 1]
            j = i - 1
            while j >= 0 and chosen[2 * j] > slot:
                chosen[2 * j + 2] = chosen[2 * j]
                chosen[2 * j + 3] = chosen[2 * j + 1]
                j -= 1
            chosen[2 * j + 2] = slot
            chosen[2 * j + 3] = first
        for i in range(2 * n, 2 * n_wanted):
            chosen[i] = -1


def busy_ratio(
        const int32_t[:, :, :] history, const float[:, :, :] history_power, int slot,
        int n_slots, double threshold_mw, const uint8_t[::1] active, double[::1] ratio):
    """Fill `ratio` with the CBR of every active node over [slot - n_slots, slot - 1].

    Slots in which the node itself transmitted are left out (TS 36.214 5.1.30 measures
    received power); NaN for nodes that monitored nothing.
    """
    cdef Py_ssize_t node, n = history.shape[0]
    cdef int n_sub = <int>(history.shape[2] - 1) // 3
    cdef int window = <int>history.shape[1]
    cdef int m, s
    cdef int64_t busy, seen
    cdef float limit = <float>threshold_mw
    cdef const int32_t *record
    cdef const float *power
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
                V2X_PREFETCH(&history[node, (m + AHEAD) % window, 0])
                record = &history[node, m % window, 0]
                power = &history_power[node, m % window, 0]
                if record[0] != m:
                    seen += n_sub
                elif power[1] >= 0:
                    seen += n_sub
                    for s in range(n_sub):
                        busy += power[1 + s] > limit
            if seen > 0:
                ratio[node] = <double>busy / <double>seen
