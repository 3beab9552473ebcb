# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Whom messages are for, link by link: chosen members, or everybody within a range."""

from libc.math cimport floor
from libc.stdint cimport int32_t, uint8_t

from lengths cimport need
from link_rows cimport find

cdef enum:
    NONE = -1
    # in place of the only node that may be addressed: anybody
    ANYBODY = -2
    ZONES = 64                  # TS 38.331 5.8.11


def keep_members(const int32_t[::1] row_start, const int32_t[::1] neighbour,
                 const float[::1] distance, const uint8_t[::1] road_user,
                 const uint8_t[::1] changed, const int32_t[::1] ahead, double range_m,
                 int32_t[:, ::1] members):
    """Bring the addressees of every node up to date.

    A member stays until it leaves or is farther than `range_m`; an empty place goes to the
    nearest road user that is no member yet, or, where `ahead` has rows, to the node in it.

    Parameters
    ----------
    row_start, neighbour, distance
        Link table.
    road_user, changed : (n_nodes,) uint8
        Who may be a member or have some; rows that hold somebody else than before.
    ahead : (n_nodes,) or (0,) int32
        The only node that may be addressed, -1 for none.
    range_m
        Longest distance of a member [m].
    members : (n_nodes, n_places) int32
        Rows of the fleet, -1 for empty places.
    """
    cdef Py_ssize_t n = members.shape[0]
    cdef int n_places = <int>members.shape[1]
    cdef int i, p, e
    check_links(row_start, neighbour, n)
    need("distance", distance.shape[0], row_start[n])
    for name, length in (("road_user", road_user.shape[0]), ("changed", changed.shape[0]),
                         ("ahead", ahead.shape[0] or n)):
        if length != n:
            raise ValueError(f"{name} must have one value per node")
    cdef float limit = <float>range_m
    with nogil:
        for i in range(n):
            for p in range(n_places):
                if members[i, p] == NONE:
                    continue
                e = find(&row_start[0], &neighbour[0], i, members[i, p])
                if (changed[i] or changed[members[i, p]] or e == NONE
                        or distance[e] > limit):
                    members[i, p] = NONE
            if not road_user[i]:
                continue
            for p in range(n_places):
                if members[i, p] != NONE:
                    continue
                e = nearest(row_start, neighbour, distance, road_user, i, limit,
                            &members[i, 0], n_places,
                            ahead[i] if ahead.shape[0] else ANYBODY)
                if e == NONE:
                    break
                members[i, p] = neighbour[e]


cdef int nearest(const int32_t[::1] row_start, const int32_t[::1] neighbour,
                 const float[::1] distance, const uint8_t[::1] road_user, int node, float limit,
                 const int32_t *members, int n_places, int only) noexcept nogil:
    """Return the link to the nearest road user that is no member yet, or to `only`, or -1."""
    cdef int e, p, best = NONE
    for e in range(row_start[node], row_start[node + 1]):
        if not road_user[neighbour[e]] or distance[e] > limit:
            continue
        if best != NONE and distance[e] >= distance[best]:
            continue
        if only != ANYBODY and neighbour[e] != only:
            continue
        for p in range(n_places):
            if members[p] == neighbour[e]:
                break
        else:
            best = e
    return best


def address_members(const int32_t[::1] row_start, const int32_t[::1] neighbour,
                    const uint8_t[::1] road_user, const int32_t[:, ::1] members,
                    uint8_t[::1] intended, uint8_t[::1] responds, int32_t[::1] expected):
    """Mark the links to members; all others of a road user carry nothing intended.

    Parameters
    ----------
    row_start, neighbour, road_user, members
        As for :func:`keep_members`. Whoever is no road user speaks to all and asks nobody.
    intended, responds : (n_links,) uint8
        Get 1 where the receiver is meant, and one more than its number where it answers.
    expected : (n_nodes,) int32
        Gets a bit for each member.
    """
    cdef Py_ssize_t n = expected.shape[0]
    cdef int i, p, e
    check_links(row_start, neighbour, n)
    check_addressed(intended, responds, row_start[n])
    if road_user.shape[0] != n or members.shape[0] != n or members.shape[1] > 31:
        raise ValueError("road_user and members must have one row per node")
    with nogil:
        for i in range(n):
            expected[i] = 0
            for e in range(row_start[i], row_start[i + 1]):
                intended[e] = not road_user[i]
                responds[e] = 0
            for p in range(members.shape[1]):
                if members[i, p] == NONE:
                    continue
                e = find(&row_start[0], &neighbour[0], i, members[i, p])
                if e != NONE:
                    intended[e] = 1
                    responds[e] = <uint8_t>(p + 1)
                    expected[i] |= 1 << p


def address_range(const int32_t[::1] row_start, const int32_t[::1] neighbour,
                  const float[::1] distance, const uint8_t[::1] road_user,
                  const double[::1] x_m, const double[::1] y_m, double wrap_m, double zone_m,
                  double range_m, uint8_t[::1] intended, uint8_t[::1] responds,
                  int32_t[::1] expected):
    """Mark the links within a range, as it is and as receivers know it from the sender's zone.

    Parameters
    ----------
    row_start, neighbour, distance, road_user
        As for :func:`keep_members`.
    x_m, y_m : (n_nodes,) float64
        Positions [m].
    wrap_m
        Period of the map in x [m], 0 without; the zone is that of the sender's nearest copy.
    zone_m, range_m
        Side of a zone, and the communication range [m].
    intended, responds, expected
        As for :func:`address_members`; everybody in range is member 0.
    """
    cdef Py_ssize_t n = expected.shape[0]
    cdef int i, j, e
    cdef double dx, dy, square, period = ZONES * zone_m
    cdef float limit = <float>range_m
    cdef double surely_out = (range_m + zone_m) ** 2
    cdef double repeated = max(period - range_m - zone_m, 0.0) ** 2
    check_links(row_start, neighbour, n)
    check_addressed(intended, responds, row_start[n])
    need("distance", distance.shape[0], row_start[n])
    if road_user.shape[0] != n or x_m.shape[0] != n or y_m.shape[0] != n:
        raise ValueError("road_user, x_m and y_m must have one value per node")
    if not (zone_m > 0 and range_m > 0):
        raise ValueError("zone and range must be positive")
    with nogil:
        for i in range(n):
            expected[i] = road_user[i]
            for e in range(row_start[i], row_start[i + 1]):
                if not road_user[i]:
                    intended[e] = 1
                    responds[e] = 0
                    continue
                intended[e] = distance[e] <= limit
                j = neighbour[e]
                dx = x_m[i] - x_m[j]
                dy = y_m[i] - y_m[j]
                if wrap_m > 0:
                    if dx > 0.5 * wrap_m:
                        dx -= wrap_m
                    elif dx < -0.5 * wrap_m:
                        dx += wrap_m
                square = dx * dx + dy * dy
                # no zone brings those far outside near, unless its number repeats there
                if surely_out < square < repeated:
                    responds[e] = 0
                    continue
                dx = (floor((x_m[j] + dx) / zone_m) + 0.5) * zone_m - x_m[j]
                dy = (floor(y_m[i] / zone_m) + 0.5) * zone_m - y_m[j]
                dx -= period * floor(dx / period + 0.5)
                dy -= period * floor(dy / period + 0.5)
                responds[e] = dx * dx + dy * dy <= range_m * range_m


cdef void check_addressed(uint8_t[::1] intended, uint8_t[::1] responds, int n_links) except *:
    need("intended", intended.shape[0], n_links)
    need("responds", responds.shape[0], n_links)


cdef void check_links(const int32_t[::1] row_start, const int32_t[::1] neighbour,
                      Py_ssize_t n_nodes) except *:
    if row_start.shape[0] != n_nodes + 1:
        raise ValueError("row_start must have one element more than there are nodes")
    need("neighbour", neighbour.shape[0], row_start[n_nodes])
