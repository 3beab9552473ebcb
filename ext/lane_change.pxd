# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Changing lanes: MOBIL by choice, gaps wherever the route demands another lane."""

from libc.math cimport INFINITY
from libc.stdint cimport int32_t

from traffic cimport (
    DRIVEN,
    Sight,
    Traffic,
    controlled,
    idm,
    keeping,
    look_ahead,
    share_lane,
    stopping_of_leader,
)


cdef inline int behind(const Traffic *t, int index, int lane) noexcept nogil:
    """Row of the next vehicle behind presence `index` in `lane` of the same edge, or -1."""
    cdef int edge = t.route_edge[t.at_stop[index]]
    cdef int i = index - 1
    while i >= t.first_present[edge]:
        if share_lane(lane, 0, t.lane[t.row[i]] - t.shift[i], t.from_side[t.row[i]]):
            return t.row[i]
        i -= 1
    return -1


cdef inline double follow(const Traffic *t, int f, int g, double gap) noexcept nogil:
    """Acceleration of `f` behind `g`, or alone if that is -1."""
    cdef double v0 = t.free[f]
    if g < 0:
        return idm(t, f, v0, INFINITY, 0.0)
    return idm(t, f, v0, gap, t.speed[f] - t.speed[g])


cdef inline bint has_way(const Traffic *t, int f) noexcept nogil:
    """Whether a way over a node has been cleared for `f`; it must then keep its lane."""
    cdef int stop = t.stop[f]
    for _ in range(t.cleared[f]):
        if t.route_move[stop] < 0:
            return False
        if controlled(t, t.route_move[stop]):
            return True
        stop = t.route_after[stop]
    return False


cdef inline int new_lane(Traffic *t, int f, int index, int lane, double safe, bint chosen,
                         int32_t *refused_by) noexcept nogil:
    """Return `lane` if `f` may and, when `chosen`, wants to move there, else its own lane.

    Always required: everybody can still stop behind everybody, the new follower brakes no
    harder than `safe` and so does `f`.
    """
    cdef int own = t.lane[f]
    cdef int follower = behind(t, index, lane)
    cdef int old = -1
    cdef int edge = t.route_edge[t.stop[f]]
    cdef double rear = t.offset[f] - t.length[f]
    cdef double gap = INFINITY
    cdef double gain, own_then, side_gain
    cdef Sight here, there
    refused_by[0] = -1
    look_ahead(t, f, index, lane, 0, &there)
    if there.gap < t.clearance or keeping(t, f) > there.available:
        return own
    own_then = there.wish
    if own_then < -safe:
        return own
    if follower >= 0:
        gap = rear - t.offset[follower]
        if gap < t.clearance or (
                keeping(t, follower)
                > gap - t.clearance + stopping_of_leader(t, f, follower)):
            refused_by[0] = follower
            return own
        if follow(t, follower, f, gap) < -safe:
            refused_by[0] = follower
            return own
    elif t.lane_reach[t.lane_base[edge] + lane] > rear - t.clearance:
        return own
    if not chosen:
        return lane
    look_ahead(t, f, index, own, 0, &here)
    gain = own_then - here.wish
    side_gain = 0.0
    # Under the keep-right rule only the follower in the left of the two lanes counts.
    if lane > own:
        if follower >= 0:
            side_gain = follow(t, follower, f, gap) - follow(
                t, follower, there.leader, gap + t.length[f] + there.gap)
        gain += t.politeness * side_gain - t.bias
    else:
        old = behind(t, index, own)
        if old >= 0:
            gap = rear - t.offset[old]
            side_gain = follow(t, old, here.leader, gap + t.length[f] + here.gap) - follow(
                t, old, f, gap)
        gain += t.politeness * side_gain + t.bias
    return lane if gain > t.threshold else own


cdef inline void begin_change(Traffic *t, int f, int lane) noexcept nogil:
    t.from_side[f] = t.lane[f] - lane
    t.lane[f] = lane
    t.change[f] = 0.0
    t.settled[f] = 0.0


cdef inline void change_lanes(Traffic *t, long long count) noexcept nogil:
    """Let every vehicle that needs or wants another lane take it, one after the other."""
    cdef int i, f, stop, edge, lane, to
    cdef int32_t refused_by = -1
    cdef double left, safe
    for f in range(t.n_rows):
        t.lets_in[f] = -1
    for i in range(t.n_present):
        f = t.row[i]
        stop = t.stop[f]
        edge = t.route_edge[stop]
        if (t.place[f] != i or t.edge_lanes[edge] < 2 or t.from_side[f] != 0
                or t.offset[f] < t.length[f] or t.mode[f] != DRIVEN or t.keep_lane[f]
                or has_way(t, f)):
            continue
        lane = t.lane[f]
        left = t.edge_length[edge] - t.offset[f] + t.route_view[stop]
        if left < t.lane_view and (lane < t.route_low[stop] or lane > t.route_high[stop]):
            to = lane + 1 if lane < t.route_low[stop] else lane - 1
            # The nearer the end of the lane, the smaller the gap that will do.
            safe = t.safe_decel if left < 200.0 else 0.5 * t.safe_decel
            to = new_lane(t, f, i, to, safe, False, &refused_by)
            if to != lane:
                begin_change(t, f, to)
            elif refused_by >= 0 and left < 200.0:
                t.lets_in[refused_by] = f
            continue
        if t.lane_wish[f] != 0:
            to = lane + t.lane_wish[f]
            if (0 <= to < t.edge_lanes[edge] and not (
                    left < t.lane_view and (to < t.route_low[stop] or to > t.route_high[stop]))
                    and new_lane(t, f, i, to, t.safe_decel, False, &refused_by) == to):
                begin_change(t, f, to)
            continue
        if (count + f) % t.change_period != 0 or t.settled[f] < t.settle_s:
            continue
        for to in range(lane + 1, lane - 2, -2):
            if to < 0 or to >= t.edge_lanes[edge]:
                continue
            if left < t.lane_view and (to < t.route_low[stop] or to > t.route_high[stop]):
                continue
            if new_lane(t, f, i, to, t.safe_decel, True, &refused_by) != lane:
                begin_change(t, f, to)
                break
