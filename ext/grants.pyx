# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Grants of semi-persistent scheduling: who may transmit in a slot, and what follows from it."""

from libc.stdint cimport int32_t, uint32_t

from transmission cimport Transmission

cdef extern from "v2x_math.h":
    uint32_t v2x_hash2(uint32_t key, uint32_t a) nogil
    uint32_t v2x_hash3(uint32_t key, uint32_t a, uint32_t b) nogil
    float v2x_uniform(uint32_t h) nogil

cdef enum:
    NONE = -1


cdef class GrantBook:
    """The grants of all nodes, and a calendar of the slots in which they are due.

    A node holds at most one grant and at most one packet that waits for it. The calendar is a
    ring of linked lists: one entry per node for the initial transmission and one for the
    retransmission, so a slot costs only what is due in it.

    Parameters
    ----------
    n_nodes
        Rows of the fleet.
    horizon
        Slots the calendar can look ahead; longer than any period or selection window.
    keep_probability
        probResourceKeep of TS 36.331.
    counter_low, counter_high
        Range of the reselection counter (TS 36.321 5.14.1.1); both 1 without persistence.
    reselect_after
        Consecutive unused opportunities after which a grant is given up (sl-ReselectAfter).
    key
        Hash key of the draws.
    """

    cdef readonly int n_nodes, horizon
    cdef double keep_probability
    cdef int counter_low, counter_high, reselect_after
    cdef uint32_t key
    cdef int32_t[::1] head
    cdef int32_t[::1] after
    cdef int32_t[::1] due
    cdef const uint32_t[::1] word
    cdef int32_t[::1] packet
    cdef int32_t[::1] deadline
    cdef int32_t[::1] priority
    cdef int32_t[::1] next_slot
    cdef int32_t[::1] first
    cdef int32_t[::1] length
    cdef int32_t[::1] period
    cdef int32_t[::1] gap
    cdef int32_t[::1] other
    cdef int32_t[::1] counter
    cdef int32_t[::1] unused
    cdef int32_t[::1] draws
    cdef int32_t[::1] again_packet
    cdef int32_t[::1] again_reservation
    cdef int32_t[::1] again_first
    cdef int32_t[::1] again_length
    cdef int32_t[::1] again_gap
    cdef int32_t[::1] again_initial
    cdef int32_t[::1] again_priority
    cdef int32_t[::1] again_slot
    cdef int slot_ms_numerator, slot_ms_denominator, slots_per_second

    def __init__(self, *, int n_nodes, int horizon, double keep_probability, int counter_low,
                 int counter_high, int reselect_after, uint32_t key, int slot_us,
                 int32_t[:, ::1] state, int32_t[::1] head, int32_t[::1] after,
                 int32_t[::1] due):
        if state.shape[0] != 20 or state.shape[1] != n_nodes:
            raise ValueError("state must have shape (20, n_nodes)")
        if head.shape[0] != horizon or after.shape[0] != 2 * n_nodes:
            raise ValueError("the calendar has the wrong size")
        if due.shape[0] < 2 * n_nodes:
            raise ValueError("due must have room for two entries per node")
        self.n_nodes = n_nodes
        self.horizon = horizon
        self.keep_probability = keep_probability
        self.counter_low = counter_low
        self.counter_high = counter_high
        self.reselect_after = reselect_after
        self.key = key
        self.slot_ms_numerator = slot_us
        self.slot_ms_denominator = 1000
        self.slots_per_second = 1_000_000 // slot_us
        self.head = head
        self.after = after
        self.due = due
        (self.packet, self.deadline, self.priority, self.next_slot, self.first, self.length,
         self.period, self.gap, self.other, self.counter, self.unused, self.draws,
         self.again_packet, self.again_reservation, self.again_first, self.again_length,
         self.again_gap, self.again_initial, self.again_priority, self.again_slot) = state
        state[:, :] = NONE
        for i in range(n_nodes):
            self.draws[i] = 0
        head[:] = NONE
        after[:] = -2

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
        self.packet[node] = packet
        self.deadline[node] = deadline
        self.priority[node] = priority
        if self.next_slot[node] == NONE:
            return replaced, True
        if self.next_slot[node] > deadline:
            self.next_slot[node] = NONE
            return replaced, True
        return replaced, False

    def grant(self, int node, int slot, int first, int length, int period, int other_slot,
              int other_first):
        """Give `node` a resource; `other_slot` is -1 without a blind retransmission."""
        cdef int span = self.counter_high - self.counter_low + 1
        cdef float u = v2x_uniform(v2x_hash3(self.key, self.word[node], self.next_draw(node)))
        self.counter[node] = self.counter_low + min(<int>(u * span), span - 1)
        self.next_slot[node] = slot
        self.first[node] = first
        self.length[node] = length
        self.period[node] = period
        self.gap[node] = other_slot - slot if other_slot >= 0 else 0
        self.other[node] = other_first if other_slot >= 0 else 0
        self.unused[node] = 0
        self.push(node, slot)

    def busy_slot(self, int node):
        """Return the slot of the node's pending retransmission, or -1."""
        return self.again_slot[node] if self.again_packet[node] != NONE else NONE

    def transmissions(self, int slot, Transmission[::1] out, int32_t[::1] dropped):
        """Fill `out` with what is due in `slot`, in the order of nodes.

        Packets whose deadline has passed go to `dropped` instead.

        Returns
        -------
        (n_transmissions, n_dropped)
        """
        cdef int n_due = self.pop(slot)
        cdef int n_out = 0, n_dropped = 0
        cdef int k, node
        if out.shape[0] < n_due or dropped.shape[0] < n_due:
            raise ValueError("buffers are too short")
        with nogil:
            for k in range(n_due):
                if self.due[k] % 2:
                    node = self.due[k] // 2
                    if self.again_packet[node] != NONE and self.again_slot[node] == slot:
                        self.repeat(slot, node, &out[n_out])
                        n_out += 1
                else:
                    node = self.due[k] // 2
                    if self.next_slot[node] != slot:
                        continue
                    if self.packet[node] != NONE and self.deadline[node] < slot:
                        dropped[n_dropped] = self.packet[node]
                        n_dropped += 1
                        self.packet[node] = NONE
                    if self.opportunity(slot, node, &out[n_out]):
                        n_out += 1
        return n_out, n_dropped

    def next_due(self, int slot, int limit):
        """Return the first slot in [slot, limit) with an entry, or `limit`."""
        cdef int s = slot
        cdef int last = min(limit, slot + self.horizon)
        while s < last and self.head[s % self.horizon] == NONE:
            s += 1
        return s if s < last else limit

    cdef uint32_t next_draw(self, int node) noexcept nogil:
        self.draws[node] += 1
        return <uint32_t>self.draws[node]

    cdef void push(self, int entry_node, int slot) noexcept nogil:
        self.push_entry(2 * entry_node, slot)

    cdef void push_entry(self, int entry, int slot) noexcept nogil:
        """Put an entry into the calendar unless it stands there for this slot already."""
        cdef int at = slot % self.horizon
        cdef int k = self.head[at]
        while k != NONE:
            if k == entry:
                return
            k = self.after[k]
        if self.after[entry] != -2:
            self.unlink(entry)
        self.after[entry] = self.head[at]
        self.head[at] = entry

    cdef void unlink(self, int entry) noexcept nogil:
        """Take an entry out of whatever slot it stands in (a grant given up early)."""
        cdef int at, k, before
        for at in range(self.horizon):
            before = NONE
            k = self.head[at]
            while k != NONE:
                if k == entry:
                    if before == NONE:
                        self.head[at] = self.after[k]
                    else:
                        self.after[before] = self.after[k]
                    self.after[entry] = -2
                    return
                before = k
                k = self.after[k]

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

    cdef bint opportunity(self, int slot, int node, Transmission *out) noexcept nogil:
        """One transmission opportunity of a grant (TS 36.321 5.14.1.1, 5.14.1.3.1)."""
        cdef bint last = False
        cdef bint sends = self.packet[node] != NONE
        cdef bint repeats
        cdef int span = self.counter_high - self.counter_low + 1
        cdef int reservation
        cdef float u
        if self.counter[node] <= 1:
            u = v2x_uniform(v2x_hash3(self.key, self.word[node], self.next_draw(node)))
            last = not u <= self.keep_probability
            if not last:
                u = v2x_uniform(v2x_hash3(self.key, self.word[node], self.next_draw(node)))
                self.counter[node] = self.counter_low + min(<int>(u * span), span - 1)
        else:
            self.counter[node] -= 1
        if sends:
            self.unused[node] = 0
            reservation = (0 if last else
                           self.period[node] * self.slot_ms_numerator
                           // self.slot_ms_denominator)
            out.node = node
            out.packet = self.packet[node]
            out.first_subchannel = self.first[node]
            out.n_subchannels = self.length[node]
            out.attempt = 0
            # a packet goes once while the repetition of the one before is still to come
            repeats = self.gap[node] != 0 and self.again_packet[node] == NONE
            out.n_attempts = 2 if repeats else 1
            out.reservation_ms = reservation
            out.priority = self.priority[node]
            out.gap_slots = self.gap[node] if repeats else 0
            out.other_subchannel = self.other[node] if repeats else 0
            if repeats:
                self.again_packet[node] = self.packet[node]
                self.again_reservation[node] = reservation
                self.again_first[node] = self.other[node]
                self.again_length[node] = self.length[node]
                self.again_gap[node] = self.gap[node]
                self.again_initial[node] = self.first[node]
                self.again_priority[node] = self.priority[node]
                self.again_slot[node] = slot + self.gap[node]
                self.push_entry(2 * node + 1, slot + self.gap[node])
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
            self.push(node, slot + self.period[node])
        return sends

    cdef void repeat(self, int slot, int node, Transmission *out) noexcept nogil:
        """The blind retransmission of what was sent `gap` slots ago (14.1.1.7)."""
        out.node = node
        out.packet = self.again_packet[node]
        out.first_subchannel = self.again_first[node]
        out.n_subchannels = self.again_length[node]
        out.attempt = 1
        out.n_attempts = 2
        out.reservation_ms = self.again_reservation[node]
        out.priority = self.again_priority[node]
        out.gap_slots = -self.again_gap[node]
        out.other_subchannel = self.again_initial[node]
        self.again_packet[node] = NONE
        self.again_slot[node] = NONE
