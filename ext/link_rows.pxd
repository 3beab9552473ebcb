"""Looking up one link in compressed sparse rows."""

from libc.stdint cimport int32_t


cdef inline int find(const int32_t *row_start, const int32_t *neighbour, int node,
                     int other) noexcept nogil:
    """Return the link from `node` to `other`, or -1 if they are out of range."""
    cdef int low = row_start[node]
    cdef int end = row_start[node + 1]
    cdef int high = end, middle
    while low < high:
        middle = (low + high) // 2
        if neighbour[middle] < other:
            low = middle + 1
        else:
            high = middle
    return low if low < end and neighbour[low] == other else -1
