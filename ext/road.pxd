# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What the road lets a vehicle do where it is: how hard it brakes, how fast it may go.

Braking changes along the road with friction and grade. Whatever a vehicle's place and speed, it
stops, braking at its hardest, where the work of its brakes along the way has used up its
kinetic energy. That point moves forward while it does not brake at its hardest and stays where
it is while it does; so who stops behind the point where its leader would stop always can.
"""

from libc.math cimport INFINITY, sqrt
from libc.stdint cimport int32_t

from traffic cimport Traffic


cdef inline int piece_at(const Traffic *t, int edge, double offset) noexcept nogil:
    """Return the point that begins the polyline piece in which `offset` lies."""
    cdef int low = t.first_point[edge]
    cdef int high = t.first_point[edge + 1] - 1
    cdef int middle
    while high - low > 1:
        middle = (low + high) // 2
        if t.point_offset[middle] <= offset:
            low = middle
        else:
            high = middle
    return low


cdef inline double fade(const Traffic *t, int f) noexcept nogil:
    """Return the share of the braking that the drums of row `f` still give."""
    cdef int k = t.kind[f]
    cdef double hot = t.brake_rise[f] - t.fade_from[k]
    if hot <= 0.0:
        return 1.0
    return 1.0 - t.fade_loss[k] * min(hot / t.fade_span[k], 1.0)


cdef inline double braking(const Traffic *t, int k, double held, int edge,
                           int piece) noexcept nogil:
    """Return the hardest braking of class `k` on a piece, with brakes of which `held` is left."""
    return max(t.brake[k] * min(t.grip[edge], held) + t.gravity * t.point_grade[piece],
               t.least_braking)


cdef inline double stopping_way(const Traffic *t, int k, double held, int stop, int piece,
                                double offset, double speed) noexcept nogil:
    """Return the distance to where a vehicle of class `k` stops at its hardest."""
    cdef int edge = t.route_edge[stop]
    cdef double b = braking(t, k, held, edge, piece)
    cdef double rest = speed * speed
    cdef double begin = 0.0
    cdef double need = rest / (2.0 * b)
    cdef double start = -offset
    cdef double end, after
    if t.level:
        return need
    while True:
        end = start + t.point_offset[piece + 1]
        if need <= end:
            return need
        piece += 1
        if piece + 1 >= t.first_point[edge + 1]:
            if t.route_after[stop] < 0:
                return need
            start += t.edge_length[edge]
            stop = t.route_after[stop]
            edge = t.route_edge[stop]
            piece = t.first_point[edge]
        after = braking(t, k, held, edge, piece)
        if after != b:
            rest -= 2.0 * b * (end - begin)
            begin = end
            b = after
            need = begin + rest / (2.0 * b)


cdef inline double worth(const Traffic *t, int k, double held, int stop, int piece, double offset,
                         double distance, double enough) noexcept nogil:
    """Return the way on which braking as hard as here does the work of the `distance` ahead.

    Infinite as soon as it is more than `enough`.
    """
    cdef int edge = t.route_edge[stop]
    cdef double here = braking(t, k, held, edge, piece)
    cdef double ratio = 1.0
    cdef double done = 0.0
    cdef double begin = 0.0
    cdef double start = -offset
    cdef double end, after
    if t.level:
        return distance
    while True:
        end = start + t.point_offset[piece + 1]
        if distance <= end:
            return done + (distance - begin) * ratio
        if done + (end - begin) * ratio > enough:
            return INFINITY
        piece += 1
        if piece + 1 >= t.first_point[edge + 1]:
            if t.route_after[stop] < 0:
                return INFINITY
            start += t.edge_length[edge]
            stop = t.route_after[stop]
            edge = t.route_edge[stop]
            piece = t.first_point[edge]
        after = braking(t, k, held, edge, piece) / here
        if after != ratio:
            done += (end - begin) * ratio
            begin = end
            ratio = after


cdef inline int station_at(const Traffic *t, int edge, double offset) noexcept nogil:
    """Return the stretch of an edge in which `offset` lies, -1 if the edge has none."""
    cdef int low = t.first_station[edge]
    cdef int high = t.first_station[edge + 1]
    cdef int middle
    if low == high:
        return -1
    while high - low > 1:
        middle = (low + high) // 2
        if t.station[middle] <= offset:
            low = middle
        else:
            high = middle
    return low


cdef inline double speed_cap(const Traffic *t, int k, double factor, int stop,
                             double offset) noexcept nogil:
    """Return the speed at which limits, turns, bends and what is seen can still be met.

    Drivers take limits as they like, by the factor; what friction and sight allow, only as less.
    """
    cdef int edge = t.route_edge[stop]
    cdef double out = t.route_exit[stop]
    cdef double rest = max(t.edge_length[edge] - offset, 0.0)
    cdef double slow = 2.0 * t.approach[edge]
    cdef double fast = factor * min(t.edge_limit[edge], sqrt(out * out + slow * rest))
    cdef double careful = min(factor, 1.0)
    cdef double hold = t.route_hold[stop * t.n_classes + k]
    cdef int i = station_at(t, edge, offset)
    if hold < INFINITY:
        fast = min(fast, careful * sqrt(hold * hold + slow * rest))
    if i >= 0:
        fast = min(fast, careful * t.cap[k * t.n_stations + i])
        if i + 1 < t.first_station[edge + 1]:
            hold = t.reach[k * t.n_stations + i + 1]
            rest = t.station[i + 1] - offset
            fast = min(fast, careful * sqrt(hold * hold + slow * rest))
    return fast


cdef inline void note_abilities(Traffic *t) noexcept nogil:
    """Note for every vehicle what it can do where it is."""
    cdef int f, k, stop, edge, piece, i
    cdef double held, b
    cdef double *halt
    for f in range(t.n_rows):
        stop = t.stop[f]
        if stop < 0:
            continue
        k = t.kind[f]
        edge = t.route_edge[stop]
        piece = piece_at(t, edge, t.offset[f])
        held = fade(t, f)
        b = braking(t, k, held, edge, piece)
        t.ease[f] = min(t.decel[k], t.comfort_share * b)
        t.sight[f] = t.edge_sight[edge]
        t.delay[f] = t.edge_delay[edge]
        if t.adapting[f] > 0.0:
            t.delay[f] += t.dark_delay
        t.free[f] = min(t.desired[k], t.factor[f] * t.edge_limit[edge])
        i = station_at(t, edge, t.offset[f])
        if i >= 0:
            t.free[f] = min(t.free[f], min(t.factor[f], 1.0) * t.cap[k * t.n_stations + i])
        halt = t.halt + f * t.n_classes
        for i in range(t.n_classes):
            # Classes often share their brakes.
            if i > 0 and t.brake[i] == t.brake[i - 1]:
                halt[i] = halt[i - 1]
            else:
                halt[i] = stopping_way(t, i, 1.0, stop, piece, t.offset[f], t.speed[f])
        t.stop_way[f] = halt[k]
        if held < 1.0:
            t.stop_way[f] = stopping_way(t, k, held, stop, piece, t.offset[f], t.speed[f])


cdef inline double bounded(const Traffic *t, int f, int piece, double wanted, double dt,
                           double *dx) noexcept nogil:
    """Return the speed after `dt`, at most `wanted`, from which `f` can still stop in time.

    The way covered meanwhile goes to `dx`.
    """
    cdef int k = t.kind[f]
    cdef int stop = t.stop[f]
    cdef double held = fade(t, f)
    cdef double b = braking(t, k, held, t.route_edge[stop], piece)
    cdef double v = t.speed[f]
    cdef double fast = max(v, wanted)
    cdef double enough = (0.5 * fast * fast + fast * dt * (t.brake[k] + t.gravity)) / b + 1.0
    cdef double way = t.available[f]
    cdef double here = b
    cdef double half, rest, mean
    cdef double v_new = 0.0
    cdef double least = min(0.5 * v * dt, max(way, 0.0))
    if way > 0.0 and way < INFINITY:
        way = worth(t, k, held, stop, piece, t.offset[f], way, enough)
    # What the brakes do within the step depends on how far it leads.
    for _ in range(3):
        half = 0.5 * here * dt
        rest = way - 0.5 * v * dt if here == b else (b * way - here * 0.5 * v * dt) / here
        if rest <= 0.0:
            dx[0] = least
            return 0.0
        v_new = min(wanted, sqrt(half * half + 2.0 * here * rest) - half)
        dx[0] = 0.5 * (v + v_new) * dt
        if t.level or dx[0] <= 0.0 or not way < INFINITY:
            break
        mean = b * worth(t, k, held, stop, piece, t.offset[f], dx[0], INFINITY) / dx[0]
        if mean == here:
            break
        here = mean
    return v_new
