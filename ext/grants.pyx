# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Grants of semi-persistent scheduling: who may transmit in a slot, and what follows from it."""

from libc.stdint cimport int32_t, uint8_t, uint32_t

from transmission cimport Transmission

cdef extern from "v2x_math.h":
    uint32_t v2x_hash2(uint32_t key, uint32_t a) nogil
    uint32_t v2x_hash3(uint32_t key, uint32_t a, uint32_t b) nogil
    float v2x_uniform(uint32_t h) nogil

cdef str BYTE = "u1"

#: Rows of per-node state; entries of a node in the calendar; columns of a review before its
#: resources, each of which has three; planes of the places of attempts.
N_STATE, N_ENTRIES, REVIEW_COLUMNS, N_PLACES = 22, 3, 6, 4

cdef enum:
    NONE = -1
    # entries of a node in the calendar
    INITIAL = 0
    REPETITION = 1
    REVIEW = 2
    ENTRIES = 3
    # a period after everything that can be reserved
    ONCE = 1 << 20
    # farthest resource that an SCI announces (TS 38.214 8.1.5); in LTE none is that far
    REACH = 31


cdef class GrantBook:
    """The grants of all nodes, and a calendar of the slots in which they are due.

    A node holds at most one grant, at most one packet that waits for it, and at most one packet
    whose repetitions are still to come. The calendar is a ring of linked lists: one entry per
    node for the initial transmission, one for the next repetition and one for the next review,
    so a slot costs only what is due in it.

    Where nodes have several sidelink processes (TS 36.321 5.14.1.1), each is a node to the book,
    with a grant and packets of its own: process p of node i is node i * `n_processes` + p. The
    first recurs; the others go once. Only what goes on air names the node itself.

    Parameters
    ----------
    n_nodes
        Rows of the fleet.
    horizon
        Slots the calendar can look ahead; longer than any period or selection window.
    keep_probability
        probResourceKeep of TS 36.331, sl-ProbResourceKeep of TS 38.331.
    counter_low, counter_high
        Range of the reselection counter (TS 36.321 5.14.1.1); both 1 without persistence.
    reselect_after
        Consecutive unused opportunities after which a grant is given up (sl-ReselectAfter).
    key
        Hash key of the draws.
    max_attempts
        Most transmissions of a packet.
    max_reserve
        Transmissions that an SCI announces, its own included: 2 or 3.
    look_back
        Whether the SCI of a repetition points to the initial transmission (LTE) instead of to
        the repetitions after it (NR).
    review_slots
        Slots before a transmission in which its resource is reviewed (T3); 0 for never.
    n_processes
        Processes of a node.
    """

    cdef readonly int n_nodes, n_processes, horizon, max_attempts
    cdef double keep_probability
    cdef int counter_low, counter_high, reselect_after, max_reserve, review_slots
    cdef bint look_back
    cdef uint32_t key
    cdef int32_t[::1] head
    cdef int32_t[::1] after
    cdef int32_t[::1] stands
    cdef int32_t[::1] due
    cdef const uint32_t[::1] word
    cdef int32_t[::1] packet
    cdef int32_t[::1] deadline
    cdef int32_t[::1] priority
    # the grant: when it is due next, and slots after that and subchannels of its attempts
    cdef int32_t[::1] next_slot
    cdef int32_t[::1] length
    cdef int32_t[::1] period
    cdef int32_t[::1] n_resources
    cdef int32_t[::1] announced
    cdef int32_t[::1] serial
    cdef int32_t[:, ::1] gap
    cdef int32_t[:, ::1] first
    cdef int32_t[::1] counter
    cdef int32_t[::1] unused
    cdef int32_t[::1] draws
    # the packet that is being repeated
    cdef int32_t[::1] again_packet
    cdef int32_t[::1] again_reservation
    cdef int32_t[::1] again_length
    cdef int32_t[::1] again_priority
    cdef int32_t[::1] again_deadline
    cdef int32_t[::1] again_initial
    cdef int32_t[::1] again_attempt
    cdef int32_t[::1] again_count
    cdef int32_t[::1] again_announced
    cdef int32_t[::1] again_serial
    cdef int32_t[:, ::1] again_gap
    cdef int32_t[:, ::1] again_first
    cdef int slot_ms_numerator, slot_ms_denominator, slots_per_second, now

    def __init__(self, *, int n_nodes, int horizon, double keep_probability, int counter_low,
                 int counter_high, int reselect_after, uint32_t key, int slot_us,
                 int32_t[:, ::1] state, int32_t[:, :, ::1] places, int32_t[::1] head,
                 int32_t[:, ::1] calendar, int max_reserve=2, bint look_back=True,
                 int review_slots=0, int n_processes=1):
        cdef int n_rows = n_nodes * n_processes
        if n_processes < 1:
            raise ValueError("n_processes must be at least 1")
        if state.shape[0] != N_STATE or state.shape[1] != n_rows:
            raise ValueError(f"state must have shape ({N_STATE}, n_nodes * n_processes)")
        if places.shape[0] != N_PLACES or places.shape[1] != n_rows or places.shape[2] < 1:
            raise ValueError(
                f"places must have shape ({N_PLACES}, n_nodes * n_processes, max_attempts)")
        if (head.shape[0] != horizon or calendar.shape[0] != 3
                or calendar.shape[1] != ENTRIES * n_rows):
            raise ValueError("the calendar has the wrong size")
        if look_back and places.shape[2] > 2:
            raise ValueError("an SCI that looks back knows two attempts")
        self.n_nodes = n_nodes
        self.n_processes = n_processes
        self.horizon = horizon
        self.max_attempts = <int>places.shape[2]
        self.keep_probability = keep_probability
        self.counter_low = counter_low
        self.counter_high = counter_high
        self.reselect_after = reselect_after
        self.max_reserve = max_reserve
        self.look_back = look_back
        self.review_slots = review_slots
        self.key = key
        self.slot_ms_numerator = slot_us
        self.slot_ms_denominator = 1000
        self.slots_per_second = 1_000_000 // slot_us
        self.head = head
        self.after, self.stands, self.due = calendar
        (self.packet, self.deadline, self.priority, self.next_slot, self.length, self.period,
         self.n_resources, self.announced, self.serial, self.counter, self.unused, self.draws,
         self.again_packet, self.again_reservation, self.again_length, self.again_priority,
         self.again_deadline, self.again_initial, self.again_attempt, self.again_count,
         self.again_announced, self.again_serial) = state
        self.gap, self.first, self.again_gap, self.again_first = places
        state[:, :] = NONE
        places[:, :, :] = 0
        for i in range(n_rows):
            self.draws[i] = 0
            self.serial[i] = 0
        head[:] = NONE
        self.after[:] = -2
        self.now = NONE

    def bind_nodes(self, const uint32_t[::1] word):
        """Take the hash words of the nodes' identities."""
        if word.shape[0] != self.n_nodes:
            raise ValueError("word must have one value per node")
        self.word = word

    def forget(self, int node):
        """Clear everything about `node`; returns the packet that waited, or -1."""
        cdef int packet = self.packet[node]
        self.packet[node] = NONE
        self.next_slot[node] = NONE
        self.again_packet[node] = NONE
        self.counter[node] = NONE
        self.unused[node] = 0
        return packet

    def offer(self, int node, int packet, int slot, int deadline, int priority):
        """Take a packet that may be sent from `slot` to `deadline`.

        Returns
        -------
        (replaced, needs_grant)
            The older packet that it pushed out, or -1; whether the node must select a
            resource because it has no grant that comes in time.
        """
        cdef int replaced = self.packet[node]
        self.now = slot
        self.packet[node] = packet
        self.deadline[node] = deadline
        self.priority[node] = priority
        if self.next_slot[node] == NONE:
            return replaced, True
        if self.next_slot[node] > deadline:
            self.next_slot[node] = NONE
            return replaced, True
        return replaced, False

    def grant(self, int node, const int32_t[::1] resources, int n, int length, int period):
        """Give `node` the first `n` pairs of slot and first subchannel, ascending by slot.

        They recur every `period` slots; with a period of 0 they are for one packet.
        """
        cdef int k
        if not (1 <= n <= self.max_attempts and resources.shape[0] >= 2 * n):
            raise ValueError(f"1 to {self.max_attempts} resources are possible, got {n}")
        for k in range(n):
            self.set_place(node, k, resources[2 * k] - resources[0], resources[2 * k + 1])
        self.begin(node, resources[0], n, length, period)

    def busy_slot(self, int node):
        """Return the slot of the node's next pending repetition, or -1."""
        return self.repetition_slot(node) if self.again_packet[node] != NONE else NONE

    def busy_slots(self, int node, bint repeating, int32_t[::1] out, int until=NONE,
                   int period=0):
        """Fill `out` with the slots of a node that are taken, -1 for the rest.

        They are those of the pending repetitions; or, while one of these moves (`repeating`),
        those of the grant; and those up to `until` in which other processes of the same node
        transmit. What recurs after `period` slots must also keep out of those in which a
        recurrence would meet them.
        """
        cdef int k, n = 0
        if out.shape[0] < self.max_attempts:
            raise ValueError("out must have room for every attempt")
        if repeating:
            if self.next_slot[node] != NONE:
                for k in range(self.n_resources[node]):
                    out[n] = self.next_slot[node] + self.gap[node, k]
                    n += 1
        elif self.again_packet[node] != NONE:
            for k in range(self.again_attempt[node], self.again_count[node]):
                out[n] = self.again_initial[node] + self.again_gap[node, k]
                n += 1
        if until != NONE:
            n = self.add_other_processes(node, until, period, out, n)
        out[n:] = NONE

    cdef int add_other_processes(self, int node, int until, int period, int32_t[::1] out,
                                 int n) except -1:
        """Append to the `n` slots in `out` those of other processes; returns how many now."""
        cdef int own = node % self.n_processes
        cdef int other, k, slot
        for other in range(node - own, node - own + self.n_processes):
            if other == node:
                continue
            if self.again_packet[other] != NONE:
                for k in range(self.again_attempt[other], self.again_count[other]):
                    slot = self.again_initial[other] + self.again_gap[other, k]
                    n = self.add_busy(slot, until, period, out, n)
            if self.next_slot[other] == NONE:
                continue
            for k in range(self.n_resources[other]):
                slot = self.next_slot[other] + self.gap[other, k]
                n = self.add_busy(slot, until, period, out, n)
                while self.period[other] > 0 and slot + self.period[other] <= until:
                    slot += self.period[other]
                    n = self.add_busy(slot, until, period, out, n)
        return n

    cdef int add_busy(self, int slot, int until, int period, int32_t[::1] out,
                      int n) except -1:
        """Append `slot`, and what lies whole periods before it, as far as it is ahead."""
        while slot >= self.now:
            if slot <= until:
                if n == out.shape[0]:
                    raise ValueError("out is too short")
                out[n] = slot
                n += 1
            if period == 0:
                break
            slot -= period
        return n

    def transmissions(self, int slot, rows, int32_t[::1] dropped):
        """Fill `rows` with what is due in `slot`, in the order of nodes.

        They are an array of :data:`v2x.access.base.TRANSMISSION`.

        Packets whose deadline has passed go to `dropped` instead.

        Returns
        -------
        (n_transmissions, n_dropped)
        """
        cdef int n_due = self.pop(slot)
        cdef int n_out = 0, n_dropped = 0
        cdef int k, node, kind
        # as bytes, for asking for the layout of the rows takes longer than a short slot
        cdef uint8_t[::1] memory = rows.view(BYTE)
        cdef Transmission *out
        if memory.shape[0] != len(rows) * <Py_ssize_t>sizeof(Transmission):
            raise ValueError("rows are not of the layout of TRANSMISSION")
        if len(rows) < n_due or dropped.shape[0] < n_due:
            raise ValueError("buffers are too short")
        out = <Transmission *>&memory[0] if n_due > 0 else NULL
        self.now = slot
        with nogil:
            for k in range(n_due):
                node = self.due[k] // ENTRIES
                kind = self.due[k] % ENTRIES
                if kind == REPETITION:
                    if self.again_packet[node] != NONE and self.repetition_slot(node) == slot:
                        self.repeat(slot, node, &out[n_out])
                        n_out += 1
                        self.plan_review(node)
                elif kind == INITIAL:
                    if self.next_slot[node] != slot:
                        continue
                    if self.packet[node] != NONE and self.deadline[node] < slot:
                        dropped[n_dropped] = self.packet[node]
                        n_dropped += 1
                        self.packet[node] = NONE
                    if self.opportunity(slot, node, &out[n_out]):
                        n_out += 1
                    self.plan_review(node)
        return n_out, n_dropped

    def reviews(self, int slot, int reach, int32_t[:, ::1] out):
        """Fill `out` with the resources that are to be reviewed in `slot`.

        Parameters
        ----------
        slot
            The slot.
        reach
            How far a selection window of now would extend at most [slots].
        out : (n, REVIEW_COLUMNS + 3 * max_reserve) int32
            Gets the rows for :meth:`CandidateSelector.review`.

        Returns
        -------
        int
            How many rows. A node has up to two: repetitions of one packet, and the next packet.
        """
        cdef int k, node, n = 0
        cdef int at = slot % self.horizon
        if out.shape[1] < REVIEW_COLUMNS + 3 * self.max_reserve:
            raise ValueError("out has too few columns")
        self.now = slot
        k = self.head[at]
        while k != NONE:
            node = k // ENTRIES
            if k % ENTRIES == REVIEW:
                if n + 2 > out.shape[0]:
                    raise ValueError("out is too short")
                if (self.again_packet[node] != NONE
                        and self.repetition_slot(node) - self.review_slots == slot):
                    self.write_review(node, True, reach, &out[n, 0])
                    n += 1
                if (self.next_slot[node] != NONE and self.packet[node] != NONE
                        and self.next_slot[node] - self.review_slots == slot):
                    self.write_review(node, False, reach, &out[n, 0])
                    n += 1
            k = self.after[k]
        return n

    def plan_reviews(self, int slot):
        """Take the reviews of `slot` as done and plan those that follow."""
        cdef int at = slot % self.horizon
        cdef int k = self.head[at], follower
        self.now = slot
        while k != NONE:
            follower = self.after[k]
            if k % ENTRIES == REVIEW:
                self.unlink(k)
                self.plan_review(k // ENTRIES)
            k = follower

    def remaining(self, int node, bint repeating, int32_t[::1] resources):
        """Fill `resources` with slot and first subchannel of what is still to come of a packet.

        Returns
        -------
        int
            How many pairs: those of the pending repetitions, or of the grant.
        """
        cdef int k, n = 0
        if resources.shape[0] < 2 * self.max_attempts:
            raise ValueError("resources must have room for every attempt")
        if repeating:
            for k in range(self.again_attempt[node], self.again_count[node]):
                resources[2 * n] = self.again_initial[node] + self.again_gap[node, k]
                resources[2 * n + 1] = self.again_first[node, k]
                n += 1
        else:
            for k in range(self.n_resources[node]):
                resources[2 * n] = self.next_slot[node] + self.gap[node, k]
                resources[2 * n + 1] = self.first[node, k]
                n += 1
        return n

    def last_slot_of(self, int node, bint repeating):
        """Return the last slot to which what :meth:`remaining` gives may be moved."""
        if not repeating:
            return self.deadline[node]
        if self.period[node] == 0:
            return self.again_deadline[node]
        # the next packet of the grant begins a period after the initial transmission
        return min(self.again_deadline[node], self.again_initial[node] + self.period[node] - 1)

    def move(self, int node, bint repeating, const int32_t[::1] resources, int n):
        """Put what is still to come of a packet onto other resources, ascending by slot.

        The periods to come move with it.
        """
        cdef int k, initial, offset
        if n < 1 or resources.shape[0] < 2 * n:
            raise ValueError("resources is too short")
        if not repeating:
            if n != self.n_resources[node]:
                raise ValueError("a grant keeps the number of its resources")
            for k in range(n):
                self.set_place(node, k, resources[2 * k] - resources[0], resources[2 * k + 1])
            self.next_slot[node] = resources[0]
            self.announced[node] = 0
            self.push_entry(ENTRIES * node + INITIAL, resources[0])
            return
        offset = self.again_attempt[node]
        initial = self.again_initial[node]
        if offset + n != self.again_count[node]:
            raise ValueError("a packet keeps the number of its repetitions")
        for k in range(n):
            self.again_gap[node, offset + k] = resources[2 * k] - initial
            self.again_first[node, offset + k] = resources[2 * k + 1]
            if self.next_slot[node] != NONE and self.again_serial[node] == self.serial[node]:
                self.set_place(node, offset + k, resources[2 * k] - initial, resources[2 * k + 1])
        self.again_announced[node] = 0
        self.push_entry(ENTRIES * node + REPETITION, resources[0])

    def last_sent(self, int node):
        """Return the slot of the last transmission of the packet that is being repeated."""
        cdef int k = self.again_attempt[node] - 1
        return self.again_initial[node] + self.again_gap[node, k]

    def settle(self, const int32_t[:, ::1] verdicts, int32_t[::1] released):
        """Take feedback on packets: release what is reserved for them if that has no use.

        It has none after an ACK, nor if the next repetition would come after the deadline.

        Parameters
        ----------
        verdicts : (n, 3) int32
            Node, packet, and whether it is acknowledged.
        released : (n,) int32
            Gets the repetitions that are released, or -1 if the packet goes on or has none to
            come.
        """
        cdef Py_ssize_t k
        if verdicts.shape[1] != 3 or released.shape[0] < verdicts.shape[0]:
            raise ValueError("verdicts or released has the wrong shape")
        for k in range(verdicts.shape[0]):
            released[k] = self.settle_one(verdicts[k, 0] * self.n_processes, verdicts[k, 1],
                                          verdicts[k, 2] != 0)

    cdef int settle_one(self, int node, int packet, bint acknowledged) noexcept nogil:
        cdef int n
        if self.again_packet[node] != packet:
            return NONE
        if not acknowledged and self.repetition_slot(node) <= self.again_deadline[node]:
            return NONE
        n = self.again_count[node] - self.again_attempt[node]
        self.again_packet[node] = NONE
        if self.after[ENTRIES * node + REPETITION] != -2:
            self.unlink(ENTRIES * node + REPETITION)
        return n

    def next_due(self, int slot, int limit):
        """Return the first slot in [slot, limit) with an entry, or `limit`."""
        cdef int s = slot
        cdef int last = min(limit, slot + self.horizon)
        while s < last and self.head[s % self.horizon] == NONE:
            s += 1
        return s if s < last else limit

    cdef inline int repetition_slot(self, int node) noexcept nogil:
        return self.again_initial[node] + self.again_gap[node, self.again_attempt[node]]

    cdef void set_place(self, int node, int k, int gap, int first) noexcept nogil:
        self.gap[node, k] = gap
        self.first[node, k] = first

    cdef void begin(self, int node, int slot, int n, int length, int period) noexcept nogil:
        """Start the grant whose places are set."""
        self.counter[node] = self.new_counter(node) if period > 0 else 1
        self.next_slot[node] = slot
        self.length[node] = length
        self.period[node] = period
        self.n_resources[node] = n
        self.announced[node] = 0
        self.serial[node] += 1
        self.unused[node] = 0
        self.push_entry(ENTRIES * node + INITIAL, slot)
        self.plan_review(node)

    cdef float draw(self, int node) noexcept nogil:
        """Return the next uniform number of a node."""
        self.draws[node] += 1
        return v2x_uniform(v2x_hash3(self.key, self.word[node // self.n_processes],
                                     <uint32_t>self.draws[node]))

    cdef int new_counter(self, int node) noexcept nogil:
        """Draw SL_RESOURCE_RESELECTION_COUNTER."""
        cdef int span = self.counter_high - self.counter_low + 1
        return self.counter_low + min(<int>(self.draw(node) * span), span - 1)

    cdef void push_entry(self, int entry, int slot) noexcept nogil:
        """Put an entry into the calendar unless it stands there for this slot already."""
        cdef int at = slot % self.horizon
        if self.after[entry] != -2:
            if self.stands[entry] == at:
                return
            self.unlink(entry)
        self.stands[entry] = at
        self.after[entry] = self.head[at]
        self.head[at] = entry

    cdef void unlink(self, int entry) noexcept nogil:
        """Take an entry out of the slot it stands in (a grant given up early, or moved)."""
        cdef int at = self.stands[entry]
        cdef int k = self.head[at], before = NONE
        while k != entry:
            before = k
            k = self.after[k]
        if before == NONE:
            self.head[at] = self.after[entry]
        else:
            self.after[before] = self.after[entry]
        self.after[entry] = -2

    cdef int pop(self, int slot) noexcept nogil:
        """Move the entries of `slot` to `due`, sorted; returns how many."""
        cdef int at = slot % self.horizon
        cdef int n = 0, k = self.head[at], i, follower
        while k != NONE:
            follower = self.after[k]
            self.after[k] = -2
            i = n
            while i > 0 and self.due[i - 1] > k:
                self.due[i] = self.due[i - 1]
                i -= 1
            self.due[i] = k
            n += 1
            k = follower
        self.head[at] = NONE
        return n

    cdef void plan_review(self, int node) noexcept nogil:
        """Enter the next slot in which a resource of the node is to be reviewed."""
        cdef int when, soonest = NONE
        if self.review_slots <= 0:
            return
        if self.again_packet[node] != NONE:
            when = self.repetition_slot(node) - self.review_slots
            if when > self.now:
                soonest = when
        if self.next_slot[node] != NONE:
            when = self.next_slot[node] - self.review_slots
            if when > self.now and (soonest == NONE or when < soonest):
                soonest = when
        if soonest != NONE:
            self.push_entry(ENTRIES * node + REVIEW, soonest)

    cdef void write_review(self, int node, bint repeating, int reach, int32_t *out) noexcept nogil:
        """Write one row of :meth:`reviews`."""
        cdef int k, slot, ahead, n = 0
        cdef int low = self.again_attempt[node] if repeating else 0
        cdef int high = self.again_count[node] if repeating else self.n_resources[node]
        cdef int deadline = self.again_deadline[node] if repeating else self.deadline[node]
        cdef int last = min(deadline, self.now + reach)
        cdef bint known
        high = min(high, low + self.max_reserve)
        out[0] = node
        out[1] = self.again_length[node] if repeating else self.length[node]
        out[2] = self.period[node] if self.period[node] > 0 else ONCE
        out[3] = self.again_priority[node] if repeating else self.priority[node]
        for k in range(low, high):
            if repeating:
                slot = self.again_initial[node] + self.again_gap[node, k]
                # the last SCI of this packet, or the packet a period ago, announced it
                ahead = self.again_gap[node, k] - self.again_gap[node, low - 1]
                known = (self.again_announced[node]
                         or (ahead <= REACH and k - low + 1 < self.max_reserve))
            else:
                slot = self.next_slot[node] + self.gap[node, k]
                known = self.announced[node]
            last = max(last, slot)
            out[6 + 3 * n] = slot
            out[7 + 3 * n] = self.again_first[node, k] if repeating else self.first[node, k]
            out[8 + 3 * n] = known
            n += 1
        out[4] = last
        out[5] = n

    cdef bint opportunity(self, int slot, int node, Transmission *out) noexcept nogil:
        """One transmission opportunity of a grant (TS 36.321 5.14.1.1, 5.14.1.3.1)."""
        cdef bint last = False
        cdef bint sends = self.packet[node] != NONE
        cdef bint repeats
        cdef int reservation = 0
        cdef int k
        if self.period[node] == 0:
            last = True
        elif self.counter[node] <= 1:
            last = not self.draw(node) <= self.keep_probability
            if not last:
                self.counter[node] = self.new_counter(node)
        else:
            self.counter[node] -= 1
        if sends:
            self.unused[node] = 0
            reservation = (0 if last else
                           self.period[node] * self.slot_ms_numerator
                           // self.slot_ms_denominator)
            # a packet goes once while repetitions of the one before are still to come
            repeats = self.n_resources[node] > 1 and self.again_packet[node] == NONE
            self.name(node, out)
            out.packet = self.packet[node]
            out.n_subchannels = self.length[node]
            out.attempt = 0
            out.n_attempts = self.n_resources[node] if repeats else 1
            out.reservation_ms = reservation
            out.priority = self.priority[node]
            out.first_subchannel = self.first[node, 0]
            out.gap_slots = out.other_subchannel = out.gap2_slots = out.other2_subchannel = 0
            if repeats:
                self.again_packet[node] = self.packet[node]
                self.again_reservation[node] = reservation
                self.again_length[node] = self.length[node]
                self.again_priority[node] = self.priority[node]
                self.again_deadline[node] = self.deadline[node]
                self.again_initial[node] = slot
                self.again_attempt[node] = 1
                self.again_count[node] = self.n_resources[node]
                self.again_announced[node] = self.announced[node]
                self.again_serial[node] = self.serial[node]
                for k in range(self.n_resources[node]):
                    self.again_gap[node, k] = self.gap[node, k]
                    self.again_first[node, k] = self.first[node, k]
                self.announce(node, 0, out)
                self.push_entry(ENTRIES * node + REPETITION, slot + self.gap[node, 1])
            self.packet[node] = NONE
        else:
            self.unused[node] += 1
            # 5.14.1.1: sl-ReselectAfter, and a second without any transmission
            if (self.unused[node] >= self.reselect_after
                    or self.unused[node] * self.period[node] >= self.slots_per_second):
                last = True
        if last:
            self.next_slot[node] = NONE
        else:
            self.next_slot[node] = slot + self.period[node]
            self.announced[node] = reservation > 0
            self.push_entry(ENTRIES * node + INITIAL, slot + self.period[node])
        return sends

    cdef void name(self, int node, Transmission *out) noexcept nogil:
        """Say who transmits; power and MCS are those of the run until somebody changes them."""
        out.node = node // self.n_processes
        out.process = node % self.n_processes
        out.mcs_raise = 0
        out.power_offset_db = 0

    cdef void announce(self, int node, int k, Transmission *out) noexcept nogil:
        """Write into the SCI of attempt `k` where the others are."""
        cdef const int32_t *gap = &self.again_gap[node, 0]
        cdef const int32_t *first = &self.again_first[node, 0]
        cdef int n = self.again_count[node]
        out.gap_slots = out.other_subchannel = out.gap2_slots = out.other2_subchannel = 0
        if self.look_back:
            # 14.1.1.4C: each of two names the other
            out.gap_slots = gap[1] - 2 * k * gap[1]
            out.other_subchannel = first[1 - k]
            return
        if k + 1 < n and gap[k + 1] - gap[k] <= REACH:
            out.gap_slots = gap[k + 1] - gap[k]
            out.other_subchannel = first[k + 1]
            if self.max_reserve > 2 and k + 2 < n and gap[k + 2] - gap[k] <= REACH:
                out.gap2_slots = gap[k + 2] - gap[k]
                out.other2_subchannel = first[k + 2]

    cdef void repeat(self, int slot, int node, Transmission *out) noexcept nogil:
        """The next repetition of what was sent before (TS 36.213 14.1.1.7, TS 38.321 5.22.1.3)."""
        cdef int k = self.again_attempt[node]
        self.name(node, out)
        out.packet = self.again_packet[node]
        out.first_subchannel = self.again_first[node, k]
        out.n_subchannels = self.again_length[node]
        out.attempt = k
        out.n_attempts = self.again_count[node]
        out.reservation_ms = self.again_reservation[node]
        out.priority = self.again_priority[node]
        self.announce(node, k, out)
        self.again_attempt[node] = k + 1
        if k + 1 == self.again_count[node]:
            self.again_packet[node] = NONE
        else:
            self.push_entry(ENTRIES * node + REPETITION, self.repetition_slot(node))
