# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Where the time of packets goes on their way through the network, many packets at a time."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from lengths cimport need

cdef extern from "v2x_math.h":
    uint32_t v2x_hash2(uint32_t key, uint32_t a) nogil
    uint32_t v2x_hash3(uint32_t key, uint32_t a, uint32_t b) nogil
    float v2x_uniform(uint32_t h) nogil
    float v2x_log2(float x) nogil
    float v2x_exp2(float x) nogil
    void v2x_normal_pair(uint32_t h1, uint32_t h2, float *first, float *second) nogil

cdef enum:
    # columns of parts, NETWORK_PARTS of v2x.records.tables
    HANDOVER = 0
    GRANT = 1
    UPLINK_QUEUE = 2
    UPLINK_WAIT = 3
    UPLINK_AIR = 4
    UPLINK_HARQ = 5
    PROCESSING = 6
    TRANSPORT = 7
    COMPUTE = 8
    DOWNLINK_QUEUE = 9
    DOWNLINK_WAIT = 10
    DOWNLINK_AIR = 11
    DOWNLINK_HARQ = 12
    N_PARTS = 13
    # NetworkOutcome of v2x.records.tables
    DELIVERED = 0
    OVERLOAD = 3
    LOST = 4
    # what a draw is for
    DRAW_BUSY = 1
    DRAW_QUEUE = 2
    DRAW_OVERLOAD = 3
    DRAW_COMPUTE = 4
    DRAW_INTERNET = 5
    DRAW_SIDELINK = 6
    DRAW_RELAY = 7
    DRAW_HARQ = 16
    # the second word of a normal draw lies this far behind the first
    SECOND = 256

cdef double LN_2 = 0.6931471805599453
cdef double LOG2_E = 1.4426950408889634
# A time is a slot's start if it is later by no more than this: sums of parts are not exact.
cdef double TOLERANCE_US = 1e-6


cdef inline double queue_us(uint32_t word, double busy, double mean_us) noexcept nogil:
    """Wait in a queue that is busy with probability `busy`, then exponential."""
    if v2x_uniform(v2x_hash2(word, DRAW_BUSY)) >= busy:
        return 0.0
    return -mean_us * LN_2 * v2x_log2(v2x_uniform(v2x_hash2(word, DRAW_QUEUE)))


cdef inline double log_normal(uint32_t word, uint32_t draw, double median,
                              double sigma) noexcept nogil:
    cdef float first, second
    if sigma == 0.0 or median == 0.0:
        return median
    v2x_normal_pair(v2x_hash2(word, draw), v2x_hash2(word, draw + SECOND), &first, &second)
    return median * v2x_exp2(<float>(sigma * LOG2_E * first))


cdef class UuClock:
    """Goes through the steps of a transmission over Uu, slot by slot of a duplex pattern.

    Times are microseconds in double precision, counted from the last multiple of the occasion
    period before the packet was generated. Nothing is allocated after construction. A draw is a
    hash of key, sender, generation time, purpose, and for the downlink the receiver, so it
    depends neither on the order of rows nor on which others are there.

    Parameters
    ----------
    slot_us
        Length of a slot.
    uplink_wait, downlink_wait : (n_slots,) int32
        Slots from each slot of the pattern to the next that carries the direction.
    occasion : (n_occasions,) int32
        Slots of the occasion period in which a sender may have its scheduling request (dynamic
        grant) or its configured grant; a hash of the sender picks one. Configured grants
        without an occasion follow the packets: the next uplink slot is always one's own.
    occasion_period_us
        A whole number of patterns.
    dynamic
        Whether packets ask for a grant.
    request_us, control_us
        Length of a scheduling request or an acknowledgement, and of a grant.
    base_us, prepare_us, decode_us
        Processing: base station at each step, UE from grant to transmission, UE decoding.
    max_retransmissions
        HARQ retransmissions before a packet is lost.
    key
        Hash key of the draws.
    """

    cdef readonly int slot_us, occasion_period_us, max_retransmissions
    cdef readonly bint dynamic
    cdef const int32_t[::1] uplink_wait
    cdef const int32_t[::1] downlink_wait
    cdef const int32_t[::1] occasion
    cdef double request_us, control_us, base_us, prepare_us, decode_us
    cdef uint32_t key

    def __init__(self, *, int slot_us, const int32_t[::1] uplink_wait,
                 const int32_t[::1] downlink_wait, const int32_t[::1] occasion,
                 int occasion_period_us, bint dynamic, double request_us, double control_us,
                 double base_us, double prepare_us, double decode_us, int max_retransmissions,
                 uint32_t key):
        cdef Py_ssize_t n = uplink_wait.shape[0]
        need("uplink_wait", n, 1)
        need("downlink_wait", downlink_wait.shape[0], n)
        need("occasion", occasion.shape[0], 1 if dynamic else 0)
        if slot_us < 1 or occasion_period_us < 1 or occasion_period_us % (slot_us * n) != 0:
            raise ValueError("occasion_period_us must be a whole number of patterns")
        self.slot_us, self.occasion_period_us = slot_us, occasion_period_us
        self.uplink_wait, self.downlink_wait = uplink_wait, downlink_wait
        self.occasion, self.dynamic = occasion, dynamic
        self.request_us, self.control_us, self.base_us = request_us, control_us, base_us
        self.prepare_us, self.decode_us = prepare_us, decode_us
        self.max_retransmissions, self.key = max_retransmissions, key

    cdef inline double aligned(self, double t, const int32_t[::1] wait) noexcept nogil:
        """Start of the first slot of the direction that begins at `t` or later."""
        cdef int64_t slot = <int64_t>(t / self.slot_us)
        if <double>(slot * self.slot_us) < t - TOLERANCE_US:
            slot += 1
        return <double>((slot + wait[slot % wait.shape[0]]) * self.slot_us)

    cdef inline double to_occasion(self, double t, uint32_t sender) noexcept nogil:
        """Time from `t` to the next occasion of `sender`."""
        cdef uint32_t which = v2x_hash2(self.key, sender) % <uint32_t>self.occasion.shape[0]
        cdef int64_t period = <int64_t>(t / self.occasion_period_us)
        cdef double at = <double>(period * self.occasion_period_us
                                  + <int64_t>self.occasion[which] * self.slot_us)
        if at < t - TOLERANCE_US:
            at += self.occasion_period_us
        return at - t if at > t else 0.0

    def uplink(self, const int64_t[::1] generated_us, const uint32_t[::1] sender,
               const int64_t[::1] available_us, const int32_t[::1] n_slots,
               const double[::1] busy, const double[::1] queue_mean_us,
               const double[::1] overload, const double[::1] error, double[:, ::1] parts,
               uint8_t[::1] outcome):
        """Carry packets from their senders to the base station.

        Parameters
        ----------
        generated_us : (n,) int64
            Generation times, not negative.
        sender : (n,) uint32
            Identity words.
        available_us : (n,) int64
            Until when a handover keeps the sender from sending; any past time without one.
        n_slots : (n,) int32
            Slots that the packet needs.
        busy, queue_mean_us : (n,) float64
            Probability that a packet queues, and its mean wait then.
        overload : (n,) float64
            Probability that the cell turns the packet away.
        error : (n,) float64
            Block error probability of each transmission.
        parts : (n, 13) float64
            Filled with the parts of the delay.
        outcome : (n,) uint8
            Filled with 0 (at the base station), 3 (overload) or 4 (lost).
        """
        cdef Py_ssize_t i, n = generated_us.shape[0]
        need("sender", sender.shape[0], n)
        need("available_us", available_us.shape[0], n)
        need("n_slots", n_slots.shape[0], n)
        need("busy", busy.shape[0], n)
        need("queue_mean_us", queue_mean_us.shape[0], n)
        need("overload", overload.shape[0], n)
        need("error", error.shape[0], n)
        need("parts", parts.shape[0], n)
        need("rows of parts", parts.shape[1], N_PARTS)
        need("outcome", outcome.shape[0], n)
        with nogil:
            for i in range(n):
                outcome[i] = self.go_up(generated_us[i], sender[i], available_us[i], n_slots[i],
                                        busy[i], queue_mean_us[i], overload[i], error[i],
                                        &parts[i, 0])

    cdef uint8_t go_up(self, int64_t generated_us, uint32_t sender, int64_t available_us,
                       int n_slots, double busy, double queue_mean_us, double overload,
                       double error, double *part) noexcept nogil:
        cdef uint32_t word = v2x_hash3(self.key, sender, <uint32_t>generated_us)
        cdef double t = <double>(generated_us % self.occasion_period_us)
        cdef double before, start
        cdef int k, _slot
        for k in range(N_PARTS):
            part[k] = 0.0
        if available_us > generated_us:
            part[HANDOVER] = <double>(available_us - generated_us)
            t += part[HANDOVER]
        if self.dynamic:
            before = t
            t += self.to_occasion(t, sender) + self.request_us + self.base_us
            t = self.aligned(t, self.downlink_wait) + self.control_us
            part[GRANT] = t - before
        part[PROCESSING] = self.prepare_us
        t += self.prepare_us
        if not self.dynamic and self.occasion.shape[0] > 0:
            part[UPLINK_WAIT] = self.to_occasion(t, sender)
            t += part[UPLINK_WAIT]
        part[UPLINK_QUEUE] = queue_us(word, busy, queue_mean_us)
        t += part[UPLINK_QUEUE]
        for _slot in range(n_slots):
            start = self.aligned(t, self.uplink_wait)
            part[UPLINK_WAIT] += start - t
            t = start + self.slot_us
        part[UPLINK_AIR] = <double>(n_slots * self.slot_us)
        part[PROCESSING] += self.base_us
        t += self.base_us
        if v2x_uniform(v2x_hash2(word, DRAW_OVERLOAD)) < overload:
            return OVERLOAD
        before = t
        k = 0
        while v2x_uniform(v2x_hash2(word, <uint32_t>(DRAW_HARQ + k))) < error:
            k += 1
            if k > self.max_retransmissions:
                return LOST
            t = self.aligned(t, self.downlink_wait) + self.control_us + self.prepare_us
            t = self.later(t, n_slots, self.uplink_wait) + self.base_us
        part[UPLINK_HARQ] = t - before
        return DELIVERED

    cdef inline double later(self, double t, int n_slots,
                             const int32_t[::1] wait) noexcept nogil:
        """End of the last of `n_slots` slots of a direction, the first not before `t`."""
        cdef int _slot
        for _slot in range(n_slots):
            t = self.aligned(t, wait) + self.slot_us
        return t

    def downlink(self, const int64_t[::1] generated_us, const uint32_t[::1] sender,
                 const double[:, ::1] before, const int32_t[::1] packet,
                 const uint32_t[::1] receiver, const int64_t[::1] available_us,
                 const uint8_t[::1] crosses, const int32_t[::1] n_slots,
                 const double[::1] busy, const double[::1] queue_mean_us,
                 const double[::1] overload, const double[::1] error, *, double up_us,
                 double down_us, double across_us, double internet_us, double internet_sigma,
                 double compute_us, double compute_sigma, double[:, ::1] parts,
                 uint8_t[::1] outcome):
        """Carry packets from the base station over a server to receivers.

        Parameters
        ----------
        generated_us, sender, before : (n,) int64, (n,) uint32, (n, 13) float64
            The packets and the parts of their uplink.
        packet : (m,) int32
            Row of the packet, for each delivery.
        receiver : (m,) uint32
            Identity words.
        available_us : (m,) int64
            Until when a handover keeps the receiver from listening.
        crosses : (m,) uint8
            Whether the receiver is in another cell than the sender.
        n_slots, busy, queue_mean_us, overload, error : (m,)
            As for :meth:`uplink`.
        up_us, down_us, across_us
            Transport to the server, back, and what another cell costs besides.
        internet_us, internet_sigma
            Median of the Internet one way, in each direction, and deviation of its logarithm.
        compute_us, compute_sigma
            The same of the server.
        parts, outcome : (m, 13) float64, (m,) uint8
            Filled.
        """
        cdef Py_ssize_t i, n = packet.shape[0], n_packets = generated_us.shape[0]
        cdef int k, row, tries, _slot
        cdef uint32_t word, pair
        cdef double t, start, arrived, reached
        cdef double *part
        need("sender", sender.shape[0], n_packets)
        need("before", before.shape[0], n_packets)
        need("rows of before", before.shape[1], N_PARTS)
        need("receiver", receiver.shape[0], n)
        need("available_us", available_us.shape[0], n)
        need("crosses", crosses.shape[0], n)
        need("n_slots", n_slots.shape[0], n)
        need("busy", busy.shape[0], n)
        need("queue_mean_us", queue_mean_us.shape[0], n)
        need("overload", overload.shape[0], n)
        need("error", error.shape[0], n)
        need("parts", parts.shape[0], n)
        need("rows of parts", parts.shape[1], N_PARTS)
        need("outcome", outcome.shape[0], n)
        for i in range(n):
            if packet[i] < 0 or packet[i] >= n_packets:
                raise ValueError(f"there is no packet {packet[i]}")
        with nogil:
            for i in range(n):
                row = packet[i]
                part = &parts[i, 0]
                t = <double>(generated_us[row] % self.occasion_period_us)
                for k in range(N_PARTS):
                    part[k] = before[row, k]
                    t += part[k]
                word = v2x_hash3(self.key, sender[row], <uint32_t>generated_us[row])
                pair = v2x_hash3(word, DRAW_RELAY, receiver[i])
                part[TRANSPORT] = up_us + down_us + (across_us if crosses[i] else 0.0)
                if internet_us > 0.0:
                    part[TRANSPORT] += (
                        log_normal(word, DRAW_INTERNET, internet_us, internet_sigma)
                        + log_normal(pair, DRAW_INTERNET, internet_us, internet_sigma))
                part[COMPUTE] = log_normal(word, DRAW_COMPUTE, compute_us, compute_sigma)
                t += part[TRANSPORT] + part[COMPUTE]
                reached = <double>(available_us[i] - generated_us[row]
                                   + generated_us[row] % self.occasion_period_us)
                if reached > t:
                    part[HANDOVER] += reached - t
                    t = reached
                part[PROCESSING] += self.base_us
                t += self.base_us
                part[DOWNLINK_QUEUE] = queue_us(pair, busy[i], queue_mean_us[i])
                t += part[DOWNLINK_QUEUE]
                for _slot in range(n_slots[i]):
                    start = self.aligned(t, self.downlink_wait)
                    part[DOWNLINK_WAIT] += start - t
                    t = start + self.slot_us
                part[DOWNLINK_AIR] = <double>(n_slots[i] * self.slot_us)
                part[PROCESSING] += self.decode_us
                t += self.decode_us
                outcome[i] = DELIVERED
                if v2x_uniform(v2x_hash2(pair, DRAW_OVERLOAD)) < overload[i]:
                    outcome[i] = OVERLOAD
                    continue
                arrived = t
                tries = 0
                while v2x_uniform(v2x_hash2(pair, <uint32_t>(DRAW_HARQ + tries))) < error[i]:
                    tries += 1
                    if tries > self.max_retransmissions:
                        outcome[i] = LOST
                        break
                    t = self.aligned(t, self.uplink_wait) + self.request_us + self.base_us
                    t = self.later(t, n_slots[i], self.downlink_wait) + self.decode_us
                if outcome[i] == DELIVERED:
                    part[DOWNLINK_HARQ] = t - arrived

    def relay(self, const int64_t[::1] generated_us, const uint32_t[::1] sender,
              const int32_t[::1] packet, const uint32_t[::1] relay_word, *, double first_us,
              double span_us, double air_us, double processing_us, double transport_us,
              double compute_us, double compute_sigma, double[:, ::1] parts):
        """Carry packets over the sidelink to a roadside unit, over fibre, and out again.

        Parameters
        ----------
        generated_us, sender : (n,) int64, (n,) uint32
            The packets.
        packet, relay_word : (m,) int32, (m,) uint32
            Row of the packet, and identity of the roadside unit that sends it out.
        first_us, span_us
            Sidelink resources lie uniformly in [first, first + span).
        air_us, processing_us, transport_us, compute_us, compute_sigma
            Length of a sidelink transmission, both processings, fibre and nodes, server.
        parts : (m, 13) float64
            Filled.
        """
        cdef Py_ssize_t i, n = packet.shape[0], n_packets = generated_us.shape[0]
        cdef int k
        cdef uint32_t word
        need("sender", sender.shape[0], n_packets)
        need("relay_word", relay_word.shape[0], n)
        need("parts", parts.shape[0], n)
        need("rows of parts", parts.shape[1], N_PARTS)
        for i in range(n):
            if packet[i] < 0 or packet[i] >= n_packets:
                raise ValueError(f"there is no packet {packet[i]}")
        with nogil:
            for i in range(n):
                for k in range(N_PARTS):
                    parts[i, k] = 0.0
                word = v2x_hash3(self.key, sender[packet[i]], <uint32_t>generated_us[packet[i]])
                parts[i, UPLINK_WAIT] = (
                    first_us + span_us * v2x_uniform(v2x_hash2(word, DRAW_SIDELINK)))
                parts[i, DOWNLINK_WAIT] = (
                    first_us + span_us * v2x_uniform(v2x_hash3(word, DRAW_SIDELINK, relay_word[i])))
                parts[i, UPLINK_AIR] = air_us
                parts[i, DOWNLINK_AIR] = air_us
                parts[i, PROCESSING] = processing_us
                parts[i, TRANSPORT] = transport_us
                parts[i, COMPUTE] = log_normal(word, DRAW_COMPUTE, compute_us, compute_sigma)
