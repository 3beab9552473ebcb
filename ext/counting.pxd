"""What becomes of a packet at a receiver, and under which numbers it is counted."""

cdef enum:
    # records/tables.py Outcome
    RECEIVED = 0
    HALF_DUPLEX = 1
    BELOW_SENSITIVITY = 2
    PROPAGATION = 3
    COLLISION = 4
    CONTROL_LOST = 5
    OUT_OF_BUDGET = 6
    N_OUTCOMES = 8
    # records/tables.py Direction: + 1 if the receiver is a roadside unit, + 2 if the sender is
    N_DIRECTIONS = 4
    # flags of a node
    COUNTED = 1
    ROADSIDE = 2


cdef inline int distance_bin(float distance, float width) noexcept nogil:
    """Return the bin (lower, upper] of a distance; 0 belongs to the first."""
    cdef float scaled = distance / width
    cdef int k = <int>scaled
    if <float>k == scaled and k > 0:
        k -= 1
    return k
