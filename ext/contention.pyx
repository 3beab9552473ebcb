# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Stations that listen before they talk: contention, air and reception, event by event.

One call plays all events of a mobility tick. Time is integer microseconds. At one instant frames
(headers, then whole ones) end first, then packets arrive, then transmissions start, all of them
before anybody hears any of them.
"""

from libc.math cimport NAN
from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t

from counting cimport (
    BELOW_SENSITIVITY, COLLISION, CONTROL_LOST, COUNTED, HALF_DUPLEX, N_DIRECTIONS, N_OUTCOMES,
    OUT_OF_BUDGET, PROPAGATION, RECEIVED, ROADSIDE, distance_bin)
from lengths cimport need
from station cimport Station

cdef extern from "reception.h":
    float v2x_curve(const float *curves, int at, float sinr) nogil
    float v2x_exp2(float x) nogil
    float v2x_uniform(uint32_t h) nogil
    uint32_t v2x_hash2(uint32_t key, uint32_t a) nogil
    uint32_t v2x_hash3(uint32_t key, uint32_t a, uint32_t b) nogil

cdef enum:
    N_QUEUES = 4
    CURVE_POINTS = 29 * 128
    # in `fates`, beside outcomes (v2x.sim.link_memory.Fate)
    NOT_JUDGED = 14
    # fates that a link keeps
    N_FATES = 16

#: Never.
cdef int64_t NEVER = INT64_MAX


cdef class ContentionChannel:
    """One channel and everybody on it; arrays are lent by v2x.sim.contention.UnslottedMedium.

    Nothing is allocated after construction. `bind_*` methods take the arrays again whenever
    their owner has replaced them.
    """

    # rules
    cdef int64_t slot_us, sensing_us, memory_us
    cdef int64_t[4] interframe_us
    cdef int32_t[4] window
    cdef float preamble_busy_mw
    cdef double energy_busy_mw, above_mw
    # receiver
    cdef float noise_mw, sensitivity_mw, preamble_sinr, capture_ratio
    cdef int64_t preamble_us, header_us
    cdef const float[::1] header_curve
    cdef const float[::1] data_curve
    cdef uint32_t data_key, header_key, backoff_key
    # nodes
    cdef const uint32_t[::1] word
    cdef const uint8_t[::1] flags
    cdef const float[::1] power_mw
    cdef Station[::1] station
    cdef int32_t[:, :, ::1] queue
    cdef int32_t[::1] contending
    cdef int32_t[::1] on_air
    cdef int32_t[::1] starting
    cdef Py_ssize_t n_contending, n_on_air
    # links
    cdef const int32_t[::1] row_start
    cdef const int32_t[::1] neighbour
    cdef const float[::1] gain
    cdef const float[::1] distance
    cdef int32_t[::1] last_slot
    cdef int64_t[::1] last_generated
    cdef int64_t[::1] last_heard
    # packets
    cdef const int64_t[::1] generated_us
    cdef const int64_t[::1] deadline_us
    cdef const int64_t[::1] air_us
    cdef const float[::1] weight
    cdef int64_t[::1] first_us
    cdef int64_t[::1] last_us
    cdef int32_t[::1] n_attempts
    cdef int32_t[::1] n_subchannels
    cdef int32_t[::1] n_intended
    cdef int32_t[::1] n_received
    cdef int32_t[::1] n_received_first
    cdef uint8_t[::1] resolved
    # what is delivered one by one
    cdef const int32_t[::1] topic
    cdef int64_t[:, ::1] deliveries
    cdef readonly Py_ssize_t n_deliveries
    # what became of the last packets
    cdef uint64_t[::1] fates
    cdef int32_t[:, ::1] recent
    cdef int64_t[::1] n_finished
    # counts
    cdef int64_t[:, :, ::1] counts
    cdef int64_t[::1] gaps
    cdef float bin_width, awareness_m
    cdef Py_ssize_t n_bins
    cdef int64_t counted_from_us

    def __init__(self, *, int slot_us, int sensing_us, const int32_t[::1] interframe_us,
                 const int32_t[::1] window, double preamble_busy_mw, double energy_busy_mw,
                 double above_mw, double noise_mw, double sensitivity_mw, double preamble_sinr,
                 double capture_ratio, int preamble_us, int header_us,
                 const float[::1] header_curve, const float[::1] data_curve, uint32_t data_key,
                 uint32_t header_key, uint32_t backoff_key, double bin_width_m,
                 double awareness_m, int memory_us, int64_t counted_from_us):
        cdef int k
        if interframe_us.shape[0] != N_QUEUES or window.shape[0] != N_QUEUES:
            raise ValueError(f"interframe_us and window need {N_QUEUES} values")
        if header_curve.shape[0] != CURVE_POINTS or data_curve.shape[0] != CURVE_POINTS:
            raise ValueError(f"error curves need {CURVE_POINTS} points")
        if slot_us <= sensing_us or sensing_us < 0:
            raise ValueError("slot_us must be longer than sensing_us")
        self.slot_us = slot_us
        self.sensing_us = sensing_us
        for k in range(N_QUEUES):
            self.interframe_us[k] = interframe_us[k]
            self.window[k] = window[k]
        self.preamble_busy_mw = <float>preamble_busy_mw
        self.energy_busy_mw = energy_busy_mw
        self.above_mw = above_mw
        self.noise_mw = <float>noise_mw
        self.sensitivity_mw = <float>sensitivity_mw
        self.preamble_sinr = <float>preamble_sinr
        self.capture_ratio = <float>capture_ratio
        self.preamble_us = preamble_us
        self.header_us = header_us
        self.header_curve = header_curve
        self.data_curve = data_curve
        self.data_key = data_key
        self.header_key = header_key
        self.backoff_key = backoff_key
        self.bin_width = <float>bin_width_m
        self.awareness_m = <float>awareness_m
        self.memory_us = memory_us
        self.counted_from_us = counted_from_us
        self.topic = None
        self.deliveries = None
        self.n_deliveries = 0
        self.fates = None

    def bind_nodes(self, const uint32_t[::1] word, const uint8_t[::1] flags,
                   const float[::1] power_mw, Station[::1] station, int32_t[:, :, ::1] queue,
                   int32_t[::1] contending, int32_t[::1] on_air, int32_t[::1] starting):
        """Take the per-node arrays; the last three are scratch. Stations must be reset."""
        cdef Py_ssize_t n = station.shape[0]
        for name, length in (("word", word.shape[0]), ("flags", flags.shape[0]),
                             ("power_mw", power_mw.shape[0]), ("queue", queue.shape[0]),
                             ("contending", contending.shape[0]), ("on_air", on_air.shape[0]),
                             ("starting", starting.shape[0])):
            if length != n:
                raise ValueError(f"{name} has {length} rows, station {n}")
        if queue.shape[1] != N_QUEUES or queue.shape[2] < 1:
            raise ValueError(f"queue needs {N_QUEUES} queues of one packet or more")
        self.word = word
        self.flags = flags
        self.power_mw = power_mw
        self.station = station
        self.queue = queue
        self.contending = contending
        self.on_air = on_air
        self.starting = starting
        self.n_contending = 0
        self.n_on_air = 0

    def bind_links(self, const int32_t[::1] row_start, const int32_t[::1] neighbour,
                   const float[::1] gain, const float[::1] distance, int32_t[::1] last_slot,
                   int64_t[::1] last_generated, int64_t[::1] last_heard):
        """Take the link arrays."""
        if row_start.shape[0] != self.station.shape[0] + 1:
            raise ValueError("row_start must have one element more than there are nodes")
        for name, length in (("neighbour", neighbour.shape[0]), ("gain", gain.shape[0]),
                             ("distance", distance.shape[0]), ("last_slot", last_slot.shape[0]),
                             ("last_generated", last_generated.shape[0]),
                             ("last_heard", last_heard.shape[0])):
            need(name, length, row_start[row_start.shape[0] - 1])
        self.row_start = row_start
        self.neighbour = neighbour
        self.gain = gain
        self.distance = distance
        self.last_slot = last_slot
        self.last_generated = last_generated
        self.last_heard = last_heard

    def bind_packets(self, const int64_t[::1] generated_us, const int64_t[::1] deadline_us,
                     const int64_t[::1] air_us, const float[::1] weight, int64_t[::1] first_us,
                     int64_t[::1] last_us, int32_t[::1] n_attempts, int32_t[::1] n_subchannels,
                     int32_t[::1] n_intended, int32_t[::1] n_received,
                     int32_t[::1] n_received_first, uint8_t[::1] resolved):
        """Take the packet columns; `weight` is the number of units of data in a frame."""
        for length in (deadline_us.shape[0], air_us.shape[0], weight.shape[0], first_us.shape[0],
                       last_us.shape[0], n_attempts.shape[0], n_subchannels.shape[0],
                       n_intended.shape[0], n_received.shape[0], n_received_first.shape[0],
                       resolved.shape[0]):
            if length != generated_us.shape[0]:
                raise ValueError("packet columns have different lengths")
        self.generated_us = generated_us
        self.deadline_us = deadline_us
        self.air_us = air_us
        self.weight = weight
        self.first_us = first_us
        self.last_us = last_us
        self.n_attempts = n_attempts
        self.n_subchannels = n_subchannels
        self.n_intended = n_intended
        self.n_received = n_received
        self.n_received_first = n_received_first
        self.resolved = resolved

    def bind_topics(self, const int32_t[::1] topic, int64_t[:, ::1] deliveries):
        """Take the topic of each packet, and the place for deliveries of those that have one.

        A delivery is packet, receiver and the time at which it was decoded in units of
        `memory_us`. There must be room whenever a frame ends. Those noted before stay where they
        are; without this call all packets tell of states and nothing is noted.
        """
        need("topic", topic.shape[0], self.generated_us.shape[0])
        if deliveries.shape[1] != 3:
            raise ValueError("deliveries needs three columns")
        self.topic = topic
        self.deliveries = deliveries

    def clear_deliveries(self):
        """Begin to note deliveries again from the first row on."""
        self.n_deliveries = 0

    def bind_fates(self, uint64_t[::1] fates, int32_t[:, ::1] recent, int64_t[::1] n_finished):
        """Take for each link the fates of the last packets of its sender, four bits each.

        `recent` names these packets for each node, the k-th that was finished in column k modulo
        16; `n_finished` says how many there were.
        """
        need("fates", fates.shape[0], self.neighbour.shape[0])
        need("n_finished", n_finished.shape[0], self.station.shape[0])
        if recent.shape[0] != n_finished.shape[0] or recent.shape[1] != N_FATES:
            raise ValueError(f"recent needs {N_FATES} packets for each node")
        self.fates = fates
        self.recent = recent
        self.n_finished = n_finished

    def bind_counts(self, int64_t[:, :, ::1] counts, int64_t[::1] gaps):
        """Take the counters: packets by direction, distance bin and outcome; gaps by ms."""
        if counts.shape[0] != N_DIRECTIONS or counts.shape[2] != N_OUTCOMES:
            raise ValueError("counts needs a plane per direction and a column per outcome")
        self.counts = counts
        self.gaps = gaps
        self.n_bins = counts.shape[1]

    def settle(self, int64_t now_us):
        """Begin with new positions: powers of what is on air are those of the new links."""
        cdef Py_ssize_t a, e, j
        cdef int i
        cdef float p
        cdef Station *s
        with nogil:
            for j in range(self.station.shape[0]):
                s = &self.station[j]
                if s.lock >= 0:
                    self.close_segment(s, now_us)
                s.energy = 0
                s.n_arriving = 0
                s.lock_mw = 0
            for a in range(self.n_on_air):
                i = self.on_air[a]
                for e in range(self.row_start[i], self.row_start[i + 1]):
                    s = &self.station[self.neighbour[e]]
                    p = self.power_mw[i] * self.gain[e]
                    s.energy += p
                    s.n_arriving += 1
                    if s.lock == i:
                        s.lock_mw = p
            for j in range(self.station.shape[0]):
                s = &self.station[j]
                if s.lock >= 0 and s.lock_mw <= 0:
                    s.lock = -1
                self.refresh(<int>j, now_us)

    def run(self, const int64_t[::1] arrival_us, const int32_t[::1] node,
            const int32_t[::1] packet, const int32_t[::1] queue, int64_t until_us):
        """Play all events before `until_us`; packets arrive in ascending order of time."""
        cdef Py_ssize_t a, n = arrival_us.shape[0], next_arrival = 0
        cdef int64_t now, frames, starts
        if node.shape[0] != n or packet.shape[0] != n or queue.shape[0] != n:
            raise ValueError("arrivals have different lengths")
        for a in range(n):
            if not (0 <= node[a] < self.station.shape[0] and 0 <= queue[a] < N_QUEUES
                    and 0 <= packet[a] < self.generated_us.shape[0]):
                raise ValueError("an arrival has no such node, queue or packet")
            if a > 0 and arrival_us[a] < arrival_us[a - 1]:
                raise ValueError("arrivals must ascend")
        with nogil:
            while True:
                frames = self.next_frame_event()
                starts = self.next_start()
                now = frames if frames < starts else starts
                if next_arrival < n and arrival_us[next_arrival] < now:
                    now = arrival_us[next_arrival]
                if now >= until_us:
                    break
                if frames == now:
                    self.end_frames(now)
                while next_arrival < n and arrival_us[next_arrival] == now:
                    self.arrive(now, node[next_arrival], packet[next_arrival],
                                queue[next_arrival])
                    next_arrival += 1
                self.start_frames(now)

    def take_load(self, int64_t now_us, int64_t since_us, double[::1] ratio):
        """Fill `ratio` with the share of [since, now) in which the channel was above threshold.

        A node measures nothing while it transmits; NaN if it did nothing else. Counting starts
        again.
        """
        cdef Py_ssize_t j
        cdef int64_t heard
        cdef Station *s
        need("ratio", ratio.shape[0], self.station.shape[0])
        with nogil:
            for j in range(self.station.shape[0]):
                s = &self.station[j]
                if s.above:
                    s.above_us += now_us - s.above_since
                    s.above_since = now_us
                if s.transmitting:
                    s.own_us += now_us - s.own_since
                    s.own_since = now_us
                heard = now_us - since_us - s.own_us
                ratio[j] = <double>s.above_us / heard if heard > 0 else NAN
                s.above_us = 0
                s.own_us = 0

    def forget(self, int node, int64_t now_us):
        """End what a node does and clear what it knows; its waiting packets are dropped."""
        cdef Station *s = &self.station[node]
        cdef int k
        with nogil:
            if s.transmitting:
                self.finish(node, now_us)
            for k in range(N_QUEUES):
                while s.queue_length[k] > 0:
                    self.give_up(node, self.pop(node, k))
                s.backoff[k] = 0
            self.leave_contention(node)
            s.lock = -1
            s.draws = 0
            s.frame_start = s.frame_end = -1
            s.busy = 0
            s.idle_since = s.here_since = now_us
            s.above = 0
            s.above_us = s.own_us = 0

    def drop(self, int node, int packet):
        """Count a packet that is never transmitted at its intended receivers."""
        with nogil:
            self.give_up(node, packet)

    # frames

    cdef int64_t next_frame_event(self) noexcept nogil:
        cdef Py_ssize_t a
        cdef int64_t first = NEVER, when
        cdef Station *s
        for a in range(self.n_on_air):
            s = &self.station[self.on_air[a]]
            when = s.frame_end if s.header_done else self.header_end(s)
            if when < first:
                first = when
        return first

    cdef inline int64_t header_end(self, const Station *s) noexcept nogil:
        return s.frame_start + self.preamble_us + self.header_us

    cdef void end_frames(self, int64_t now) noexcept nogil:
        """End headers and frames whose time has come."""
        cdef Py_ssize_t a
        cdef int i
        for a in range(self.n_on_air):
            i = self.on_air[a]
            if not self.station[i].header_done and self.header_end(&self.station[i]) == now:
                self.end_header(i, now)
        a = self.n_on_air - 1
        while a >= 0:
            i = self.on_air[a]
            if self.station[i].frame_end == now:
                self.finish(i, now)
            a -= 1

    cdef void end_header(self, int i, int64_t now) noexcept nogil:
        """Release the receivers that cannot read the header."""
        cdef Py_ssize_t e
        cdef int j
        cdef uint32_t word = self.word_of(self.header_key, i)
        cdef Station *s
        self.station[i].header_done = 1
        for e in range(self.row_start[i], self.row_start[i + 1]):
            j = self.neighbour[e]
            s = &self.station[j]
            if s.lock == i:
                self.close_segment(s, now)
                if v2x_uniform(v2x_hash2(word, self.word[j])) >= v2x_exp2(s.header_log2):
                    s.lock = -1
                    self.refresh(j, now)

    cdef inline uint32_t word_of(self, uint32_t key, int i) noexcept nogil:
        """Return the word of what is drawn for the frame of a node."""
        cdef int packet = self.station[i].frame_packet
        return v2x_hash3(key, self.word[i], <uint32_t>self.generated_us[packet])

    cdef void finish(self, int i, int64_t now) noexcept nogil:
        """Take the frame of a node off the air and decide its fate at everybody in reach."""
        cdef Py_ssize_t a, e
        cdef int j, outcome
        cdef int n_intended = 0, n_received = 0
        cdef Station *f = &self.station[i]
        cdef Station *s
        cdef int packet = f.frame_packet
        cdef uint32_t data_word = self.word_of(self.data_key, i)
        cdef uint32_t header_word = self.word_of(self.header_key, i)
        cdef bint tells = self.tells(packet)
        cdef bint remembers = self.fates is not None and not tells
        cdef float farthest = <float>3e38 if tells else self.n_bins * self.bin_width
        cdef float p
        if remembers:
            self.note_finished(i, packet)
        for a in range(self.n_on_air):
            if self.on_air[a] == i:
                self.n_on_air -= 1
                self.on_air[a] = self.on_air[self.n_on_air]
                break
        for e in range(self.row_start[i], self.row_start[i + 1]):
            j = self.neighbour[e]
            s = &self.station[j]
            if s.lock >= 0:
                self.close_segment(s, now)
            p = self.power_mw[i] * self.gain[e]
            # who appeared after the start of the frame is no receiver of it
            if s.lock == i or (self.distance[e] <= farthest and s.here_since <= f.frame_start):
                outcome = self.outcome_of(f, s, i, p, data_word, header_word, self.word[j])
                self.account(f, i, e, j, outcome, &n_intended, &n_received)
                if remembers:
                    self.fates[e] ^= <uint64_t>(NOT_JUDGED ^ outcome)
                elif tells and outcome == RECEIVED:
                    self.deliver(packet, j, now)
            if s.lock == i:
                s.lock = -1
            s.n_arriving -= 1
            s.energy = s.energy - p if s.n_arriving > 0 else 0
            self.refresh(j, now)
        self.n_intended[packet] += n_intended
        self.n_received[packet] += n_received
        self.n_received_first[packet] += n_received
        self.resolved[packet] = 1
        f.transmitting = 0
        f.frame_end = now
        f.own_us += now - f.own_since
        # the backoff after each transmission, also with nothing more to send
        f.backoff[f.frame_queue] = self.draw(i, f.frame_queue)
        self.refresh(i, now)

    cdef inline bint tells(self, int packet) noexcept nogil:
        """Whether a packet is to be delivered, rather than telling of a state."""
        return self.topic is not None and self.topic[packet] > 0

    cdef void deliver(self, int packet, int receiver, int64_t now) noexcept nogil:
        """Note that a frame that ends now was decoded."""
        self.deliveries[self.n_deliveries, 0] = packet
        self.deliveries[self.n_deliveries, 1] = receiver
        self.deliveries[self.n_deliveries, 2] = now // self.memory_us
        self.n_deliveries += 1

    cdef void note_finished(self, int node, int packet) noexcept nogil:
        """Make room for the fates of a packet, which nobody has judged yet."""
        cdef Py_ssize_t e
        self.recent[node, self.n_finished[node] % N_FATES] = packet
        self.n_finished[node] += 1
        for e in range(self.row_start[node], self.row_start[node + 1]):
            self.fates[e] = (self.fates[e] << 4) | NOT_JUDGED

    cdef int outcome_of(self, const Station *f, const Station *s, int i, float p,
                        uint32_t data_word, uint32_t header_word, uint32_t word) noexcept nogil:
        """Return the fate of the frame `f` of node i at a receiver."""
        cdef float snr, data_draw
        if s.transmitting or s.frame_end > f.frame_start:
            return HALF_DUPLEX
        if p <= 0 or p < self.sensitivity_mw:
            return BELOW_SENSITIVITY
        data_draw = v2x_uniform(v2x_hash2(data_word, word))
        if s.lock == i and data_draw < v2x_exp2(s.data_log2):
            return RECEIVED
        snr = p / self.noise_mw
        if data_draw >= v2x_exp2(f.frame_weight * v2x_curve(&self.data_curve[0], 0, snr)):
            return PROPAGATION
        if (snr < self.preamble_sinr
                or v2x_uniform(v2x_hash2(header_word, word))
                >= v2x_exp2(v2x_curve(&self.header_curve[0], 0, snr))):
            return CONTROL_LOST
        return COLLISION

    cdef void account(self, const Station *f, int i, Py_ssize_t e, int j, int outcome,
                      int *n_intended, int *n_received) noexcept nogil:
        """Count an outcome, and note what the receiver now knows of the sender."""
        cdef int sender = self.flags[i]
        cdef int ends = self.flags[j]
        cdef int64_t generated = self.generated_us[f.frame_packet]
        cdef int k = distance_bin(self.distance[e], self.bin_width)
        cdef bint counts_here = (generated >= self.counted_from_us and sender & COUNTED
                                 and k < self.n_bins and ends & COUNTED)
        cdef int64_t gap
        cdef Py_ssize_t longest_gap = self.gaps.shape[0] - 1
        if counts_here:
            self.counts[(sender & ROADSIDE) + (ends >> 1), k, outcome] += 1
            if not ends & ROADSIDE:
                n_intended[0] += 1
                n_received[0] += outcome == RECEIVED
        # What is delivered by itself says nothing of the state of its sender.
        if outcome != RECEIVED or self.tells(f.frame_packet):
            return
        if self.distance[e] <= self.awareness_m or (ends | sender) & ROADSIDE:
            if counts_here and self.last_slot[e] >= 0 and not (ends | sender) & ROADSIDE:
                gap = (f.frame_start - self.last_heard[e]) // 1000
                self.gaps[min(gap, longest_gap)] += 1
            self.last_slot[e] = <int32_t>(f.frame_start // self.memory_us)
            self.last_heard[e] = f.frame_start
            self.last_generated[e] = generated

    cdef void give_up(self, int node, int packet) noexcept nogil:
        """Count a packet that is never transmitted."""
        cdef Py_ssize_t e
        cdef int j, k
        cdef int sender = self.flags[node]
        self.resolved[packet] = 1
        if self.fates is not None and not self.tells(packet):
            self.note_finished(node, packet)
            for e in range(self.row_start[node], self.row_start[node + 1]):
                self.fates[e] ^= <uint64_t>(NOT_JUDGED ^ OUT_OF_BUDGET)
        if self.generated_us[packet] < self.counted_from_us or not sender & COUNTED:
            return
        for e in range(self.row_start[node], self.row_start[node + 1]):
            j = self.neighbour[e]
            k = distance_bin(self.distance[e], self.bin_width)
            if k < self.n_bins and self.flags[j] & COUNTED:
                self.counts[(sender & ROADSIDE) + (self.flags[j] >> 1), k, OUT_OF_BUDGET] += 1
                self.n_intended[packet] += not self.flags[j] & ROADSIDE

    cdef void close_segment(self, Station *s, int64_t now) noexcept nogil:
        """Take what a receiver heard since its interference last changed."""
        cdef const Station *f = &self.station[s.lock]
        cdef int64_t header_end = self.header_end(f)
        cdef int64_t header_start = header_end - self.header_us
        cdef int64_t begin = s.segment_start, header, data
        cdef float other, sinr
        s.segment_start = now
        if now <= begin or now <= header_start:
            return
        other = <float>(s.energy - s.lock_mw)
        if other < 0 or s.n_arriving <= 1:
            other = 0
        sinr = s.lock_mw / (other + self.noise_mw)
        header = min(now, header_end) - max(begin, header_start)
        if header > 0:
            s.header_log2 += (v2x_curve(&self.header_curve[0], 0, sinr)
                              * (<float>header / <float>self.header_us))
        data = now - max(begin, header_end)
        if data > 0:
            s.data_log2 += (f.frame_weight * v2x_curve(&self.data_curve[0], 0, sinr)
                            * (<float>data / <float>(f.frame_end - header_end)))

    # contention

    cdef int64_t next_start(self) noexcept nogil:
        cdef Py_ssize_t c
        cdef int64_t first = NEVER
        for c in range(self.n_contending):
            first = min(first, self.station[self.contending[c]].next_ready)
        return first

    cdef void arrive(self, int64_t now, int node, int packet, int k) noexcept nogil:
        """Put a packet into queue k of a node."""
        cdef Station *s = &self.station[node]
        cdef Py_ssize_t length = self.queue.shape[2]
        cdef bint empty = s.queue_length[k] == 0
        cdef bint contends = s.n_waiting > 0
        if s.queue_length[k] == length:
            self.give_up(node, self.pop(node, k))
        self.queue[node, k, (s.queue_head[k] + s.queue_length[k]) % length] = packet
        s.queue_length[k] += 1
        s.n_waiting += 1
        if s.n_waiting == 1 and not contends:
            self.contending[self.n_contending] = node
            self.n_contending += 1
        if not empty:
            return
        s.ready[k] = NEVER
        if not s.busy:
            s.ready[k] = max(now, self.countdown_end(s, k))
        elif s.backoff[k] == 0:
            if (not s.transmitting and now - s.busy_since <= self.sensing_us
                    and now >= s.idle_since + self.interframe_us[k]):
                s.ready[k] = now  # it cannot know yet that somebody has begun
            else:
                s.backoff[k] = self.draw(node, k)
        self.choose_next(s)

    cdef inline int64_t countdown_end(self, const Station *s, int k) noexcept nogil:
        return s.idle_since + self.interframe_us[k] + s.backoff[k] * self.slot_us

    cdef inline void choose_next(self, Station *s) noexcept nogil:
        cdef int k
        s.next_ready = NEVER
        for k in range(N_QUEUES):
            if s.queue_length[k] > 0 and s.ready[k] < s.next_ready:
                s.next_ready = s.ready[k]

    cdef inline int draw(self, int node, int k) noexcept nogil:
        """Draw a backoff, uniform in [0, window]."""
        cdef Station *s = &self.station[node]
        cdef uint32_t h = v2x_hash3(self.backoff_key, self.word[node], <uint32_t>s.draws)
        s.draws += 1
        return <int>((<uint64_t>h * <uint64_t>(self.window[k] + 1)) >> 32)

    cdef int pop(self, int node, int k) noexcept nogil:
        """Take the oldest packet out of a queue."""
        cdef Station *s = &self.station[node]
        cdef int packet = self.queue[node, k, s.queue_head[k]]
        s.queue_head[k] = <int32_t>((s.queue_head[k] + 1) % self.queue.shape[2])
        s.queue_length[k] -= 1
        s.n_waiting -= 1
        return packet

    cdef void leave_contention(self, int node) noexcept nogil:
        cdef Py_ssize_t c
        self.station[node].next_ready = NEVER
        for c in range(self.n_contending):
            if self.contending[c] == node:
                self.n_contending -= 1
                self.contending[c] = self.contending[self.n_contending]
                return

    cdef void start_frames(self, int64_t now) noexcept nogil:
        """Put on air what is ready, then let everybody hear it."""
        cdef Py_ssize_t c, n = 0, at, e
        cdef int node, i
        for c in range(self.n_contending):
            node = self.contending[c]
            if self.station[node].next_ready <= now:
                at = n
                while at > 0 and self.starting[at - 1] > node:
                    self.starting[at] = self.starting[at - 1]
                    at -= 1
                self.starting[at] = node
                n += 1
        at = 0
        for c in range(n):
            node = self.starting[c]
            if self.transmit(node, now):
                self.starting[at] = node
                at += 1
        n = at
        if n == 1:
            i = self.starting[0]
            for e in range(self.row_start[i], self.row_start[i + 1]):
                self.reach(i, e, now)
                self.detect(i, e, now)
                self.refresh(self.neighbour[e], now)
            return
        for c in range(n):
            i = self.starting[c]
            for e in range(self.row_start[i], self.row_start[i + 1]):
                self.reach(i, e, now)
        for c in range(n):
            i = self.starting[c]
            for e in range(self.row_start[i], self.row_start[i + 1]):
                self.detect(i, e, now)
        for c in range(n):
            i = self.starting[c]
            for e in range(self.row_start[i], self.row_start[i + 1]):
                self.refresh(self.neighbour[e], now)

    cdef bint transmit(self, int node, int64_t now) noexcept nogil:
        """Send the packet of the first queue that is ready; whether there was one in time."""
        cdef Station *s = &self.station[node]
        cdef int k, packet, chosen = -1
        cdef bint[N_QUEUES] deferred
        for k in range(N_QUEUES):
            deferred[k] = False
            if s.queue_length[k] > 0 and s.ready[k] <= now:
                s.ready[k] = NEVER
                while (s.queue_length[k] > 0
                       and self.deadline_us[self.queue[node, k, s.queue_head[k]]] < now):
                    self.give_up(node, self.pop(node, k))
                if s.queue_length[k] > 0:
                    if chosen < 0:
                        chosen = k
                    else:
                        deferred[k] = True
        if chosen >= 0:
            packet = self.pop(node, chosen)
            self.first_us[packet] = self.last_us[packet] = now
            self.n_attempts[packet] = 1
            self.n_subchannels[packet] = 1
            s.frame_packet = packet
            s.frame_queue = chosen
            s.frame_weight = self.weight[packet]
            s.frame_start = now
            s.frame_end = now + self.air_us[packet]
            s.header_done = 0
            s.lock = -1
            s.own_since = now
            self.on_air[self.n_on_air] = node
            self.n_on_air += 1
            s.transmitting = 1
            self.refresh(node, now)
            for k in range(N_QUEUES):
                s.ready[k] = NEVER
                if deferred[k]:  # an internal collision
                    s.backoff[k] = self.draw(node, k)
        if s.n_waiting == 0:
            self.leave_contention(node)
        else:
            self.choose_next(s)
        return chosen >= 0

    cdef inline void reach(self, int i, Py_ssize_t e, int64_t now) noexcept nogil:
        """Add the power of a frame of node i that starts at the end of link e."""
        cdef Station *s = &self.station[self.neighbour[e]]
        if s.lock >= 0:
            self.close_segment(s, now)
        s.energy += self.power_mw[i] * self.gain[e]
        s.n_arriving += 1

    cdef inline void detect(self, int i, Py_ssize_t e, int64_t now) noexcept nogil:
        """Let a receiver turn to a frame that starts, if it is free or that is much stronger."""
        cdef Station *s = &self.station[self.neighbour[e]]
        cdef float p = self.power_mw[i] * self.gain[e]
        cdef float other
        if s.transmitting or p <= 0 or p < self.sensitivity_mw:
            return
        if s.lock >= 0:
            # of frames that start at once the strongest is found, later ones by capture
            if self.station[s.lock].frame_start == now:
                if p <= s.lock_mw:
                    return
            elif p < self.capture_ratio * s.lock_mw:
                return
        other = <float>(s.energy - p)
        if other < 0 or s.n_arriving <= 1:
            other = 0
        if p >= self.preamble_sinr * (other + self.noise_mw):
            s.lock = i
            s.lock_mw = p
            s.segment_start = now
            s.header_log2 = 0
            s.data_log2 = 0

    cdef inline void refresh(self, int j, int64_t now) noexcept nogil:
        """Let a node see whether the channel is busy."""
        cdef Station *s = &self.station[j]
        cdef bint above = not s.transmitting and s.n_arriving > 0 and s.energy > self.above_mw
        cdef bint busy = (s.transmitting
                          or (s.lock >= 0 and s.lock_mw >= self.preamble_busy_mw)
                          or (s.n_arriving > 0 and s.energy >= self.energy_busy_mw))
        if above != s.above:
            if above:
                s.above_since = now
            else:
                s.above_us += now - s.above_since
            s.above = above
        if busy != s.busy:
            s.busy = busy
            self.freeze_or_resume(s, busy, now)

    cdef void freeze_or_resume(self, Station *s, bint busy, int64_t now) noexcept nogil:
        """Stop the countdowns of a node when the channel becomes busy, go on when it is idle."""
        cdef int k
        cdef int64_t counted
        if busy:
            s.busy_since = now
            for k in range(N_QUEUES):
                # a slot begins at the end of the interframe space, and then each slot_us
                counted = now - s.idle_since - self.interframe_us[k]
                if s.backoff[k] > 0 and counted >= 0:
                    s.backoff[k] = <int32_t>max(s.backoff[k] - counted // self.slot_us - 1, 0)
                if s.ready[k] > now + self.sensing_us:
                    s.ready[k] = NEVER
        else:
            s.idle_since = now
            if s.n_waiting > 0:
                for k in range(N_QUEUES):
                    s.ready[k] = self.countdown_end(s, k)
        if s.n_waiting > 0:
            self.choose_next(s)
