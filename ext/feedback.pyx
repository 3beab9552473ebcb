# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Feedback on the PSFCH: who answers in an occasion, and what senders conclude."""

from libc.math cimport floor, sqrt
from libc.stdint cimport int32_t, uint8_t, uint32_t

from lengths cimport need
from link_rows cimport find
from transmission cimport Transmission

cdef extern from "v2x_math.h":
    uint32_t v2x_hash2(uint32_t key, uint32_t a) nogil
    uint32_t v2x_hash4(uint32_t key, uint32_t a, uint32_t b, uint32_t c) nogil
    float v2x_uniform(uint32_t h) nogil
    float v2x_sin_quarter(float b) nogil
    void v2x_normal_pair(uint32_t h1, uint32_t h2, float *first, float *second) nogil

#: Columns of the two queues, of a verdict and of the tallies of a packet; rows of node state.
ASKED_COLUMNS, ANSWER_COLUMNS, VERDICT_COLUMNS, TALLY_COLUMNS, N_STATE = 8, 7, 3, 7, 3

cdef enum:
    NONE = -1
    # a transmission that asked for feedback
    OCCASION = 0
    NODE = 1
    PACKET = 2
    PRIORITY = 3
    PLACE = 4
    FIRST = 5
    WIDTH = 6
    EXPECTED = 7
    # an answer to it
    ASKED = 0
    SENDER = 1
    MEMBER = 2
    VALUE = 3
    BLOCK = 4
    SHIFT = 5
    NEXT = 6
    # values of answers; silence is 0
    ACK = 1
    NACK = 2
    # tallies of a packet
    N_ASKED = 0
    N_NEEDED = 1
    N_SENT = 2
    N_UNSENT = 3
    N_SILENT = 4
    N_MISSED = 5
    N_FALSE = 6
    LOWEST = 9                  # no priority is below this
    SEQUENCE_LENGTH = 12        # TS 38.211 8.3.4.2
    ACK_SHIFT = 6               # TS 38.213 Table 16.3-2

cdef float INV_SQRT2 = <float>0.70710678


cdef class FeedbackChannel:
    """Queues what is to be answered and evaluates one feedback occasion at a time.

    All arrays are lent by :class:`v2x.sim.feedback.Feedback`. A queue row of `asked` is one
    transmission (occasion, node, packet, priority, place of its slot, first subchannel,
    subchannels, expected members as bits), one of `answers` is one receiver that has something
    to say (row of `asked`, node, member, ACK 1 or NACK 2, and three for its resource).

    Parameters
    ----------
    period, gap, blocks_each, shifts, all_subchannels
        The grid, see :class:`v2x.phy.nr.psfch.PsfchGrid`; `shifts` are the first cyclic shifts.
    nack_only
        Groupcast option 1: silence is ACK, and everybody who failed answers on one resource.
    ties_send
        Whether a node that has answers to send and to hear, of equal priority, sends.
    most_sent
        Most answers that a node sends in one occasion.
    power_mw, noise_mw
        Transmit power of a node, shared by its answers, and noise in a resource block [mW].
    threshold
        Energy above which a correlator notices a signal, over its mean in noise alone.
    shifts_per_m, shift_offset
        Cyclic shifts that an answer is late by: for each metre of its way, and in any case.
    fades : (n_codes,) uint8
        Whether links of a code fade (Rayleigh) in every occasion, or are steady.
    key
        Hash key of the draws.
    state : (N_STATE, n_nodes) int32
        Scratch.
    head : (n_blocks,) int32
        Scratch.
    """

    cdef int period, gap, blocks_each, n_blocks, most_sent, n_asked, n_answers
    cdef bint all_subchannels, nack_only, ties_send
    cdef float power_mw, noise_mw, threshold, shifts_per_m, shift_offset
    cdef uint32_t key
    cdef const int32_t[::1] shifts
    cdef const uint8_t[::1] fades
    cdef int32_t[::1] to_send
    cdef int32_t[::1] to_hear
    cdef int32_t[::1] n_sent
    cdef int32_t[::1] head
    cdef const uint32_t[::1] word
    cdef const int32_t[::1] expected
    cdef const int32_t[::1] row_start
    cdef const int32_t[::1] neighbour
    cdef const float[::1] gain
    cdef const float[::1] distance
    cdef const uint8_t[::1] code
    cdef int32_t[:, ::1] asked
    cdef int32_t[:, ::1] answers

    def __init__(self, *, int period, int gap, int blocks_each, const int32_t[::1] shifts,
                 bint all_subchannels, bint nack_only, bint ties_send, int most_sent,
                 double power_mw, double noise_mw, double threshold, double shifts_per_m,
                 double shift_offset, const uint8_t[::1] fades, uint32_t key, int32_t[:, ::1] state,
                 int32_t[::1] head):
        if period < 1 or gap < 1 or blocks_each < 1 or shifts.shape[0] < 1 or most_sent < 1:
            raise ValueError("a feedback channel needs a period, a gap and resources")
        if state.shape[0] != N_STATE:
            raise ValueError(f"state must have {N_STATE} rows")
        need("fades", fades.shape[0], 4)
        self.period = period
        self.gap = gap
        self.blocks_each = blocks_each
        self.n_blocks = <int>head.shape[0]
        self.shifts = shifts
        self.all_subchannels = all_subchannels
        self.nack_only = nack_only
        self.ties_send = ties_send
        self.most_sent = most_sent
        self.power_mw = <float>power_mw
        self.noise_mw = <float>noise_mw
        self.threshold = <float>threshold
        self.shifts_per_m = <float>shifts_per_m
        self.shift_offset = <float>shift_offset
        self.fades = fades
        self.key = key
        self.to_send, self.to_hear, self.n_sent = state
        self.to_send[:] = LOWEST
        self.to_hear[:] = LOWEST
        self.n_sent[:] = 0
        self.head = head
        head[:] = NONE
        self.n_asked = self.n_answers = 0

    def bind_nodes(self, const uint32_t[::1] word, const int32_t[::1] expected):
        """Take the hash words of the nodes, and whose answers each expects.

        `expected` has a bit for each member; with NACK only the lowest stands for all. Nodes
        with 0 ask for no feedback.
        """
        if word.shape[0] != self.to_send.shape[0] or expected.shape[0] != word.shape[0]:
            raise ValueError("word and expected must have one value per node")
        self.word = word
        self.expected = expected

    def bind_links(self, const int32_t[::1] row_start, const int32_t[::1] neighbour,
                   const float[::1] gain, const float[::1] distance, const uint8_t[::1] code):
        """Take the link table."""
        if row_start.shape[0] != self.to_send.shape[0] + 1:
            raise ValueError("row_start must have one element more than there are nodes")
        for name, length in (("neighbour", neighbour.shape[0]), ("gain", gain.shape[0]),
                             ("distance", distance.shape[0]), ("code", code.shape[0])):
            need(name, length, row_start[row_start.shape[0] - 1])
        self.row_start = row_start
        self.neighbour = neighbour
        self.gain = gain
        self.distance = distance
        self.code = code

    def bind_queues(self, int32_t[:, ::1] asked, int32_t[:, ::1] answers):
        """Take the queues, with what stood in the old ones."""
        if asked.shape[1] != ASKED_COLUMNS or answers.shape[1] != ANSWER_COLUMNS:
            raise ValueError("queues have the wrong number of columns")
        if asked.shape[0] < self.n_asked or answers.shape[0] < self.n_answers:
            raise ValueError("queues are too short")
        self.asked = asked
        self.answers = answers

    @property
    def lengths(self):
        """Rows in use of `asked` and of `answers`."""
        return self.n_asked, self.n_answers

    @property
    def next_occasion(self):
        """Slot of the next occasion in which something is answered, or -1."""
        return self.asked[0, OCCASION] if self.n_asked else NONE

    def ask(self, int slot, const Transmission[::1] transmissions,
            const int32_t[:, ::1] heard, int n_heard):
        """Queue the transmissions of `slot` that ask for feedback, and the answers to them.

        Parameters
        ----------
        slot, transmissions
            What was on air. A transmission asks if its packet recurs and may be repeated, and
            its sender expects answers.
        heard : (n, 4) int32
            Answers by transmission: its number, node, member, value.
        n_heard
            Rows that count.
        """
        cdef Py_ssize_t t, k = 0
        cdef int occasion = ((slot + self.gap + self.period - 1) // self.period) * self.period
        cdef int32_t *row
        if self.expected is None or self.neighbour is None or self.asked is None:
            raise ValueError("nodes, links and queues come first")
        if n_heard > heard.shape[0] or (heard.shape[0] and heard.shape[1] != 4):
            raise ValueError("heard has the wrong shape")
        if (self.asked.shape[0] < self.n_asked + transmissions.shape[0]
                or self.answers.shape[0] < self.n_answers + n_heard):
            raise ValueError("queues are too short")
        for t in range(transmissions.shape[0]):
            if (transmissions[t].n_attempts < 2 or transmissions[t].process != 0
                    or not self.expected[transmissions[t].node]):
                continue
            row = &self.asked[self.n_asked, 0]
            row[OCCASION] = occasion
            row[NODE] = transmissions[t].node
            row[PACKET] = transmissions[t].packet
            row[PRIORITY] = transmissions[t].priority
            row[PLACE] = slot - (occasion - self.gap - self.period + 1)
            row[FIRST] = transmissions[t].first_subchannel
            row[WIDTH] = transmissions[t].n_subchannels
            row[EXPECTED] = self.expected[transmissions[t].node]
            while k < n_heard and heard[k, 0] == t:
                row = &self.answers[self.n_answers, 0]
                row[ASKED] = self.n_asked
                row[SENDER] = heard[k, 1]
                row[MEMBER] = heard[k, 2]
                row[VALUE] = heard[k, 3]
                self.n_answers += 1
                k += 1
            self.n_asked += 1
        if k != n_heard:
            raise ValueError("answers to transmissions that did not ask")

    def forget(self, int node):
        """Take a node that left out of both queues; it neither hears nor answers."""
        cdef int k
        for k in range(self.n_asked):
            if self.asked[k, NODE] == node:
                self.asked[k, NODE] = NONE
        for k in range(self.n_answers):
            if self.answers[k, SENDER] == node:
                self.answers[k, SENDER] = NONE

    def conclude(self, int slot, int32_t[:, ::1] verdicts, int32_t[:, ::1] tallies):
        """Evaluate the occasion of `slot`.

        Parameters
        ----------
        slot
            The slot.
        verdicts : (n, VERDICT_COLUMNS) int32
            Gets node, packet and whether it counts as acknowledged.
        tallies : (n_packets, TALLY_COLUMNS) int32
            By packet, raised: transmissions that asked; of these, those whose packet somebody
            addressed still lacked; answers sent; answers not sent because the node had to listen
            or had too many; members of whom nothing was heard; packets taken as acknowledged
            though lacked; taken as lacked though acknowledged.

        Returns
        -------
        int
            Rows of `verdicts`.
        """
        cdef int n = 0, n_answers = 0, n_verdicts = 0
        while n < self.n_asked and self.asked[n, OCCASION] <= slot:
            if self.asked[n, PACKET] >= tallies.shape[0]:
                raise ValueError("tallies has too few packets")
            n += 1
        while n_answers < self.n_answers and self.answers[n_answers, ASKED] < n:
            n_answers += 1
        if verdicts.shape[0] < n or verdicts.shape[1] != VERDICT_COLUMNS:
            raise ValueError("verdicts has the wrong shape")
        if tallies.shape[1] != TALLY_COLUMNS:
            raise ValueError("tallies has the wrong number of columns")
        with nogil:
            self.choose(n, n_answers)
            n_verdicts = self.judge(slot, n, n_answers, verdicts, tallies)
            self.tidy(n, n_answers)
        return n_verdicts

    cdef bint sends(self, int node) noexcept nogil:
        """Whether a node sends its answers instead of listening (TS 38.213 16.2.4.2)."""
        if self.to_send[node] == self.to_hear[node]:
            return self.ties_send and self.to_send[node] < LOWEST
        return self.to_send[node] < self.to_hear[node]

    cdef void choose(self, int n, int n_answers) noexcept nogil:
        """Decide who sends which answers, and put them on their resource blocks."""
        cdef int k, node, priority
        cdef int32_t *row
        for k in range(n):
            node = self.asked[k, NODE]
            if node != NONE:
                self.to_hear[node] = min(self.to_hear[node], self.asked[k, PRIORITY])
        for k in range(n_answers):
            node = self.answers[k, SENDER]
            self.answers[k, BLOCK] = NONE
            if node != NONE:
                priority = self.asked[self.answers[k, ASKED], PRIORITY]
                self.to_send[node] = min(self.to_send[node], priority)
        for priority in range(1, LOWEST):
            for k in range(n_answers):
                row = &self.answers[k, 0]
                node = row[SENDER]
                if (node == NONE or self.asked[row[ASKED], PRIORITY] != priority
                        or not self.sends(node) or self.n_sent[node] == self.most_sent):
                    continue
                self.n_sent[node] += 1
                self.locate(&self.asked[row[ASKED], 0], row[MEMBER], &row[BLOCK], &row[SHIFT])
                if row[VALUE] == ACK:
                    row[SHIFT] += ACK_SHIFT
                row[NEXT] = self.head[row[BLOCK]]
                self.head[row[BLOCK]] = k

    cdef void locate(self, const int32_t *asked, int member, int32_t *block,
                     int32_t *shift) noexcept nogil:
        """Find the resource of a member's answer (TS 38.213 16.3)."""
        cdef int source = 0
        cdef int n_own = self.blocks_each * (asked[WIDTH] if self.all_subchannels else 1)
        cdef int index, number
        if asked[NODE] != NONE:
            source = self.word[asked[NODE]] & 255
        index = (source + member) % (n_own * <int>self.shifts.shape[0])
        number = index % n_own
        block[0] = ((asked[PLACE] + (asked[FIRST] + number // self.blocks_each) * self.period)
                    * self.blocks_each + number % self.blocks_each)
        shift[0] = self.shifts[index // n_own]

    cdef int judge(self, int slot, int n, int n_answers, int32_t[:, ::1] verdicts,
                   int32_t[:, ::1] tallies) noexcept nogil:
        """Let every sender that listens draw its conclusion."""
        cdef int k, m, node, value, acked, failed, silent, at = 0, n_verdicts = 0
        cdef bint deaf, good, lacked
        cdef const int32_t *asked
        cdef int32_t *tally
        for k in range(n):
            asked = &self.asked[k, 0]
            tally = &tallies[asked[PACKET], 0]
            acked = failed = silent = 0
            while at < n_answers and self.answers[at, ASKED] == k:
                if self.answers[at, VALUE] == ACK:
                    acked |= 1 << self.answers[at, MEMBER]
                else:
                    failed = 1
                tally[N_SENT] += self.answers[at, BLOCK] != NONE
                tally[N_UNSENT] += self.answers[at, BLOCK] == NONE
                at += 1
            node = asked[NODE]
            if node == NONE:
                continue
            deaf = self.sends(node)
            good = True
            if self.nack_only:
                lacked = failed
                if not deaf:
                    good = self.detect(slot, node, asked, 0) != NACK
            else:
                lacked = (acked & asked[EXPECTED]) != asked[EXPECTED]
                for m in range(32):
                    if asked[EXPECTED] >> m & 1:
                        value = 0 if deaf else self.detect(slot, node, asked, m)
                        silent += value == 0
                        good = good and value == ACK
            tally[N_ASKED] += 1
            tally[N_NEEDED] += lacked
            tally[N_SILENT] += silent
            tally[N_MISSED] += good and lacked
            tally[N_FALSE] += not good and not lacked
            verdicts[n_verdicts, 0] = node
            verdicts[n_verdicts, 1] = asked[PACKET]
            verdicts[n_verdicts, 2] = good
            n_verdicts += 1
        return n_verdicts

    cdef int detect(self, int slot, int node, const int32_t *asked, int member) noexcept nogil:
        """Compare the energies of the correlators for NACK and ACK with the threshold.

        Each sums 12 elements. What is on its cyclic shift adds in amplitude, whoever sent it;
        of what is on others of the block it gets the share that being late lets through.
        """
        cdef int32_t block = 0, shift = 0
        cdef int k, e, q, apart, sender
        cdef float p, late, share, c = 0, s = 0, scale
        cdef float[2] other
        cdef float[2] energy
        cdef float[2][2] total
        cdef uint32_t h
        other[0] = other[1] = energy[1] = 0
        total[0][0] = total[0][1] = total[1][0] = total[1][1] = 0
        self.locate(asked, member, &block, &shift)
        k = self.head[block]
        while k != NONE:
            sender = self.answers[k, SENDER]
            e = find(&self.row_start[0], &self.neighbour[0], node, sender)
            if e != NONE:
                p = self.power_mw / self.n_sent[sender] * self.gain[e]
                late = self.shift_offset + self.shifts_per_m * self.distance[e]
                for q in range(2):
                    apart = (self.answers[k, SHIFT] - shift - q * ACK_SHIFT) % SEQUENCE_LENGTH
                    if apart < 0:
                        apart += SEQUENCE_LENGTH
                    share = p * passed(apart + late)
                    if apart:
                        other[q] += share
                        continue
                    h = v2x_hash4(self.key, self.word[node], self.word[sender], <uint32_t>slot)
                    if self.fades[self.code[e]]:
                        v2x_normal_pair(h, v2x_hash2(h, 1), &c, &s)
                        share *= <float>0.5
                    else:
                        phasor(v2x_uniform(h), &c, &s)
                    total[q][0] += sqrt(share) * c
                    total[q][1] += sqrt(share) * s
            k = self.answers[k, NEXT]
        h = v2x_hash4(self.key, self.word[node], <uint32_t>slot, <uint32_t>(16 * block + shift))
        for q in range(1 if self.nack_only else 2):
            scale = sqrt(SEQUENCE_LENGTH / (self.noise_mw + other[q]))
            energy[q] = noisy_energy(total[q][0] * scale, total[q][1] * scale,
                                     v2x_hash2(h, 2 * q))
        if energy[0] <= self.threshold and energy[1] <= self.threshold:
            return 0
        return ACK if energy[1] > energy[0] else NACK

    cdef void tidy(self, int n, int n_answers) noexcept nogil:
        """Clear the scratch and move what is still to come to the front of the queues."""
        cdef int k, c, node
        for k in range(n):
            node = self.asked[k, NODE]
            if node != NONE:
                self.to_hear[node] = LOWEST
        for k in range(n_answers):
            node = self.answers[k, SENDER]
            if node != NONE:
                self.to_send[node] = LOWEST
                self.n_sent[node] = 0
            if self.answers[k, BLOCK] != NONE:
                self.head[self.answers[k, BLOCK]] = NONE
        self.n_asked -= n
        self.n_answers -= n_answers
        for k in range(self.n_asked):
            for c in range(8):
                self.asked[k, c] = self.asked[k + n, c]
        for k in range(self.n_answers):
            for c in range(7):
                self.answers[k, c] = self.answers[k + n_answers, c]
            self.answers[k, ASKED] -= n


cdef inline float noisy_energy(float real, float imaginary, uint32_t h) noexcept nogil:
    """Return the energy of a complex value in noise of mean energy 1."""
    cdef float a = 0, b = 0
    v2x_normal_pair(h, v2x_hash2(h, 1), &a, &b)
    a = real + a * INV_SQRT2
    b = imaginary + b * INV_SQRT2
    return a * a + b * b


cdef inline float passed(float apart) noexcept nogil:
    """Return the share of a power that a correlator `apart` cyclic shifts away lets through."""
    cdef float ratio
    if apart < <float>1e-3:
        return 1
    ratio = sine(apart * <float>0.5) / (SEQUENCE_LENGTH * sine(apart / (2 * SEQUENCE_LENGTH)))
    return ratio * ratio


cdef inline float sine(float turns) noexcept nogil:
    """Return the sine of an angle in turns."""
    cdef float t = turns - <float>floor(turns + 0.5)
    if t > <float>0.25:
        t = <float>0.5 - t
    elif t < <float>-0.25:
        t = <float>-0.5 - t
    return v2x_sin_quarter(t)


cdef inline void phasor(float turns, float *x, float *y) noexcept nogil:
    """Write the point of the unit circle at an angle in turns."""
    x[0] = sine(turns + <float>0.25)
    y[0] = sine(turns)
