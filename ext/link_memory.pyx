# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What nodes remember of each other, counted: ages, who knows of whom, states of links."""

from libc.stdint cimport int32_t, int64_t, uint8_t

from counting cimport COUNTED, ROADSIDE, distance_bin
from lengths cimport need

cdef enum:
    N_KNOWN = 5


def sample_ages(
        const int32_t[::1] row_start, const int32_t[::1] neighbour, const float[::1] distance,
        const uint8_t[::1] flags, double awareness_m, int64_t now_us, bint count,
        int32_t[::1] last_slot, const int64_t[::1] last_generated, int64_t[::1] ages):
    """Add the age of the newest information on every pair within `awareness_m` to `ages`.

    Ages are binned by millisecond. Pairs farther apart forget what they heard, except those
    with a roadside unit, which have no ages either.
    """
    cdef Py_ssize_t n = row_start.shape[0] - 1
    cdef Py_ssize_t i, e, begin
    cdef int64_t age
    cdef int ends, k, n_heard
    cdef int32_t[512] heard
    cdef float limit = <float>awareness_m
    if flags.shape[0] != n:
        raise ValueError("flags must have one value per row")
    for name, length in (("neighbour", neighbour.shape[0]), ("distance", distance.shape[0]),
                         ("last_slot", last_slot.shape[0]),
                         ("last_generated", last_generated.shape[0])):
        need(name, length, row_start[n])
    with nogil:
        for i in range(n):
            for begin in range(row_start[i], row_start[i + 1], 512):
                # those who were heard, found without branches that nobody could predict
                n_heard = 0
                for e in range(begin, min(begin + 512, <Py_ssize_t>row_start[i + 1])):
                    heard[n_heard] = <int32_t>e
                    n_heard += last_slot[e] >= 0
                for k in range(n_heard):
                    e = heard[k]
                    ends = flags[i] | flags[neighbour[e]]
                    if ends & ROADSIDE:
                        continue
                    if distance[e] > limit:
                        last_slot[e] = -1
                    elif count and flags[i] & flags[neighbour[e]]:
                        age = (now_us - last_generated[e]) // 1000
                        ages[min(age, <int64_t>(ages.shape[0] - 1))] += 1


def count_known(
        const int32_t[::1] row_start, const int32_t[::1] neighbour, const float[::1] distance,
        const uint8_t[::1] flags, const int32_t[::1] last_slot, const int32_t[:, ::1] road,
        const float[:, ::1] to_end, const int32_t[::1] route_start,
        const int32_t[::1] route_node, const float[::1] route_m, double awareness_m,
        double bin_width_m, int since_slot, bint relay, bint linked, int32_t[::1] told,
        uint8_t[::1] hears, int64_t[:, ::1] known):
    """Count who knows of whom, by distance: ordered pairs of counted road users.

    Row i holds what others heard of node i. `known` has a row for each bin and the columns
    pairs, known directly, known directly or through roadside units, pairs on other levels, and
    of these known directly. Known is what was heard in `since_slot` or later: from
    the node itself, or from a roadside unit that heard the node, or with `linked` from any
    while any heard the node. `road` holds deck level, tube and both end nodes (-1 none)
    of the edge of each node, `to_end` its distance to these, and the routes the lengths of ways
    between end nodes, in rows with ascending nodes, that are short enough to matter. A pair is
    on other levels if level or tube differ and the way along roads is longer than twice its
    distance plus 50 m. `told` and `hears` are scratch.
    """
    cdef Py_ssize_t n = row_start.shape[0] - 1
    cdef Py_ssize_t i, j, e, f, r
    cdef int k
    cdef int n_bins = <int>known.shape[0]
    cdef bint any_heard, direct, through
    cdef float limit = <float>awareness_m
    cdef float width = <float>bin_width_m
    for name, length in (("flags", flags.shape[0]), ("road", road.shape[0]),
                         ("told", told.shape[0]), ("hears", hears.shape[0])):
        if length != n:
            raise ValueError(f"{name} must have one value per row")
    if road.shape[1] != 4 or to_end.shape[0] != n or to_end.shape[1] != 2:
        raise ValueError("road needs four columns, to_end two")
    if route_start.shape[0] < 1:
        raise ValueError("route_start is empty")
    for name, length in (("route_node", route_node.shape[0]), ("route_m", route_m.shape[0])):
        need(name, length, route_start[route_start.shape[0] - 1])
    for i in range(n):
        if road[i, 2] >= route_start.shape[0] - 1 or road[i, 3] >= route_start.shape[0] - 1:
            raise ValueError("road has nodes without routes")
    if known.shape[1] != N_KNOWN:
        raise ValueError(f"known needs {N_KNOWN} columns")
    for name, length in (("neighbour", neighbour.shape[0]), ("distance", distance.shape[0]),
                         ("last_slot", last_slot.shape[0])):
        need(name, length, row_start[n])
    with nogil:
        for i in range(n):
            told[i] = -1
            hears[i] = 0
        if relay and linked:
            for r in range(n):
                if flags[r] & ROADSIDE:
                    for e in range(row_start[r], row_start[r + 1]):
                        if last_slot[e] >= since_slot and last_slot[e] >= 0:
                            hears[neighbour[e]] = 1
        for i in range(n):
            if flags[i] != COUNTED:
                continue
            any_heard = False
            if relay:
                for e in range(row_start[i], row_start[i + 1]):
                    r = neighbour[e]
                    if (not flags[r] & ROADSIDE or last_slot[e] < since_slot
                            or last_slot[e] < 0):
                        continue
                    any_heard = True
                    if linked:
                        break
                    for f in range(row_start[r], row_start[r + 1]):
                        if last_slot[f] >= since_slot and last_slot[f] >= 0:
                            told[neighbour[f]] = <int32_t>i
            for e in range(row_start[i], row_start[i + 1]):
                j = neighbour[e]
                if flags[j] != COUNTED or distance[e] > limit:
                    continue
                k = distance_bin(distance[e], width)
                if k >= n_bins:
                    continue
                direct = last_slot[e] >= since_slot and last_slot[e] >= 0
                through = (any_heard and hears[j]) if linked else told[j] == <int32_t>i
                known[k, 0] += 1
                known[k, 1] += direct
                known[k, 2] += direct or through
                if ((road[i, 0] != road[j, 0] or road[i, 1] != road[j, 1])
                        and not joined(&road[i, 2], &to_end[i, 0], &road[j, 2], &to_end[j, 0],
                                       2 * distance[e] + 50, route_start, route_node, route_m)):
                    known[k, 3] += 1
                    known[k, 4] += direct


cdef bint joined(const int32_t *one, const float *one_m, const int32_t *other,
                 const float *other_m, float limit, const int32_t[::1] route_start,
                 const int32_t[::1] route_node, const float[::1] route_m) noexcept nogil:
    """Whether a way of at most `limit` joins two places, given by the ends of their edges."""
    cdef int a, b, low, high, middle
    for a in range(2):
        if one[a] < 0:
            continue
        for b in range(2):
            if other[b] < 0:
                continue
            low = route_start[one[a]]
            high = route_start[one[a] + 1]
            while low < high:
                middle = (low + high) // 2
                if route_node[middle] < other[b]:
                    low = middle + 1
                else:
                    high = middle
            if (low < route_start[one[a] + 1] and route_node[low] == other[b]
                    and one_m[a] + route_m[low] + other_m[b] <= limit):
                return True
    return False


def count_states(
        const int32_t[::1] row_start, const uint8_t[::1] code, const float[::1] distance,
        double max_distance_m, int64_t[::1] states):
    """Count the links within `max_distance_m` by their code."""
    cdef Py_ssize_t e, n = row_start[row_start.shape[0] - 1]
    cdef float limit = <float>max_distance_m
    need("code", code.shape[0], n)
    need("distance", distance.shape[0], n)
    need("states", states.shape[0], 4)
    with nogil:
        for e in range(n):
            if distance[e] <= limit:
                states[code[e]] += 1
