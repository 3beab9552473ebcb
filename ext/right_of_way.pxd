# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Who may cross or merge at a node, and whom the others keep clear of.

Every vehicle that approaches a node whose ways meet stops at its line unless the way has
been cleared for it. It is cleared if, measured by the distance to the node, it fits between
those that have been cleared before: it can follow the one ahead and the one behind can follow
it, both without braking hard. Nobody overtakes in that order, so it is simply the order of
distances, and a vehicle keeps clear of all ahead of it whose way meets its own until their
rear has left the node.
"""

from libc.math cimport INFINITY, sqrt
from libc.stdint cimport int32_t, uint64_t

from traffic cimport (
    MAX_BACK,
    STOPPING,
    Traffic,
    controlled,
    idm,
    keeping,
    stopping,
    stopping_of_leader,
)

cdef enum:
    MAX_CLEAR = 8
    #: Node number of one who may pass every red light.
    ALL_NODES = -2
    N_RANKS = 4
    #: Space left in front of one who joins others without priority [m].
    SPARE_M = 10
    #: Approaches per row that the arrays hold.
    APPROACHES_PER_ROW = 24


cdef inline void add_approach(Traffic *t, int f, int m, double distance,
                              int lane) noexcept nogil:
    """Enter row `f`, in `lane` of the edge before movement `m`, at the node."""
    cdef int k = t.n_approaches
    cdef int to = lane + t.move_shift[m]
    if k >= t.n_rows * APPROACHES_PER_ROW:
        return
    t.n_approaches = k + 1
    t.approach_row[k] = f
    t.approach_move[k] = m
    t.approach_m[k] = distance
    t.approach_low[k] = min(to, to + t.from_side[f])
    t.approach_high[k] = max(to, to + t.from_side[f])
    t.approach_next[k] = t.node_first[t.move_node[m]]
    t.node_first[t.move_node[m]] = k


cdef inline void enter_approaches(Traffic *t, int f) noexcept nogil:
    """Enter row `f` at the nodes cleared for it and at those its rear has not left."""
    cdef int stop = t.stop[f]
    cdef int lane = t.lane[f]
    cdef int m
    cdef double distance = t.edge_length[t.route_edge[stop]] - t.offset[f]
    for _ in range(t.cleared[f]):
        m = t.route_move[stop]
        if m < 0:
            break
        if controlled(t, m):
            add_approach(t, f, m, distance, lane)
        lane += t.move_shift[m]
        stop = t.route_after[stop]
        distance += t.edge_length[t.route_edge[stop]]
    stop = t.stop[f]
    lane = t.lane[f]
    distance = -t.offset[f]
    for _ in range(MAX_BACK):
        stop = t.route_before[stop]
        if stop < 0 or distance + t.length[f] < -30.0:
            break
        m = t.route_move[stop]
        lane -= t.move_shift[m]
        if controlled(t, m) and distance + t.length[f] > -t.move_radius[m]:
            add_approach(t, f, m, distance, lane)
        distance -= t.edge_length[t.route_edge[stop]]


cdef inline bint meet(const Traffic *t, int m, int low, int high, int k) noexcept nogil:
    """Whether movement `m` into lanes `low` to `high` meets the way of approach `k`."""
    cdef uint64_t bit = t.move_bit[t.approach_move[k]]
    if t.move_crosses[m] & bit:
        return True
    if not t.move_merges[m] & bit:
        return False
    return low <= t.approach_high[k] and t.approach_low[k] <= high


cdef inline bint crosses(const Traffic *t, int m, int k) noexcept nogil:
    return (t.move_crosses[m] & t.move_bit[t.approach_move[k]]) != 0


cdef inline double margin(const Traffic *t, int m, int k) noexcept nogil:
    """Length of the crossing area between two that meet [m]; nothing in a merge."""
    return 2.0 * t.move_radius[m] if crosses(t, m, k) else 0.0


cdef inline double outlook(const Traffic *t, int g) noexcept nogil:
    """How far `g` will be able to go, as far as is known."""
    return min(t.available[g], t.line[g])


cdef inline bint leaves_in_time(const Traffic *t, int f, double distance, int g,
                                double other, double radius) noexcept nogil:
    """Whether `f` will have crossed a second before `g`, farther away, arrives."""
    cdef double a = t.accel[t.kind[f]]
    cdef double v = t.speed[f]
    cdef double way = distance + radius + t.length[f]
    return ((sqrt(v * v + 2.0 * a * way) - v) / a + 1.0) * t.speed[g] < other - radius


cdef inline bint fits(const Traffic *t, int f, int m, double distance, int lane,
                      double *room) noexcept nogil:
    """Whether `f`, `distance` before its node, fits among those cleared there.

    `room`, how far `f` may go, shrinks to what those leave that enter its lane before it.
    """
    cdef int node = t.move_node[m]
    cdef int k = t.node_first[node]
    cdef int to = lane + t.move_shift[m]
    cdef int low = min(to, to + t.from_side[f])
    cdef int high = max(to, to + t.from_side[f])
    cdef int g, w
    cdef double gap
    while k >= 0:
        g = t.approach_row[k]
        if g != f and meet(t, m, low, high, k):
            if t.approach_m[k] <= distance:
                gap = distance - t.approach_m[k] - t.length[g] - margin(t, m, k)
                if keeping(t, f) > gap - t.clearance + stopping_of_leader(t, g, f):
                    return False
                if idm(t, f, t.desired[t.kind[f]], gap,
                       t.speed[f] - t.speed[g]) < -0.5 * t.safe_decel:
                    return False
                if t.move_merges[m] & t.move_bit[t.approach_move[k]]:
                    room[0] = min(room[0], gap + outlook(t, g))
            else:
                gap = t.approach_m[k] - distance - t.length[f] - margin(t, m, k)
                if keeping(t, g) > gap - t.clearance + stopping_of_leader(t, f, g):
                    return False
                if (idm(t, g, t.desired[t.kind[g]], gap,
                        t.speed[g] - t.speed[f]) < -0.5 * t.safe_decel
                        and not (crosses(t, m, k) and leaves_in_time(
                            t, f, distance, g, t.approach_m[k], t.move_radius[m]))):
                    return False
        k = t.approach_next[k]
    # Somebody who has waited longer goes first; those on the main road give way more slowly.
    w = t.node_waiting[node]
    if w < 0 or w == f:
        return True
    return not yields_to(t, f, m, to, w)


cdef inline int next_controlled(const Traffic *t, int f, double *distance,
                                int32_t *lane) noexcept nogil:
    """Return the first movement not cleared for `f`, with distance and lane before it."""
    cdef int stop = t.stop[f]
    cdef int hop = 0
    cdef int m
    distance[0] = t.edge_length[t.route_edge[stop]] - t.offset[f]
    lane[0] = t.lane[f]
    while True:
        m = t.route_move[stop]
        if m < 0:
            return -1
        if hop >= t.cleared[f] and controlled(t, m):
            return m
        lane[0] += t.move_shift[m]
        stop = t.route_after[stop]
        distance[0] += t.edge_length[t.route_edge[stop]]
        if distance[0] > 400.0:
            return -1
        hop += 1


cdef inline bint yields_to(const Traffic *t, int f, int m, int to, int w) noexcept nogil:
    """Whether `f` leaves the way to `w`, which waits at the node of movement `m`."""
    cdef double distance = 0.0
    cdef int32_t lane = 0
    cdef int waits = next_controlled(t, w, &distance, &lane)
    cdef uint64_t bit
    cdef double patience = 0.0
    if waits < 0 or t.move_node[waits] != t.move_node[m]:
        return False
    bit = t.move_bit[waits]
    if not (t.move_crosses[m] & bit or (
            t.move_merges[m] & bit and lane + t.move_shift[waits] == to)):
        return False
    if t.move_rank[m] > t.move_rank[waits]:
        patience = t.courtesy_s * (1.0 + t.speed[f] / 5.0)
    return t.waited[w] > t.waited[f] + patience


cdef inline double zone(const Traffic *t, int f) noexcept nogil:
    """Distance to a line at which a driver begins to care: comfortable braking and 2 s."""
    cdef double v = t.speed[f]
    return 2.0 * v + v * v / (2.0 * t.ease[f]) + 30.0


cdef inline bint is_red(const Traffic *t, int f, int m) noexcept nogil:
    """Whether row `f` has to wait for the lights of movement `m`."""
    if t.move_signal[m] < 0 or t.green[m]:
        return False
    return t.ignores[f] != ALL_NODES and t.ignores[f] != t.move_node[m]


cdef inline bint behind_waiting(const Traffic *t, int f, int hop) noexcept nogil:
    """Whether the leader of `f` stands before the node `hop` edges on without a way over it."""
    cdef int g = t.leader[f]
    cdef int stop
    if g < 0 or t.leader_hops[f] > hop or t.cleared[g] > hop - t.leader_hops[f]:
        return False
    stop = t.stop[g]
    for _ in range(hop - t.leader_hops[f]):
        if t.route_after[stop] < 0:
            return False
        stop = t.route_after[stop]
    # One that ends its trip there or needs no clearance will not wait.
    return t.route_move[stop] >= 0 and controlled(t, t.route_move[stop])


cdef inline void revoke(Traffic *t, int f) noexcept nogil:
    """Take back ways that are no longer near, red with room to stop, or behind one who waits."""
    cdef int stop = t.stop[f]
    cdef int hop, m
    cdef double v = t.speed[f]
    cdef double room = v + v * v / (2.0 * max(t.ease[f], t.yellow)) + 3.0
    cdef double rest
    cdef double distance = t.edge_length[t.route_edge[stop]] - t.offset[f]
    if t.yellow > t.ease[f]:
        # Never more than wheels and brakes can do.
        room = max(room, keeping(t, f) + 3.0)
    for hop in range(t.cleared[f]):
        m = t.route_move[stop]
        if m < 0:
            return
        rest = distance - t.move_radius[m]
        if (rest > (room if is_red(t, f, m) else zone(t, f))
                or (rest > keeping(t, f) and controlled(t, m) and behind_waiting(t, f, hop))):
            t.cleared[f] = hop
            return
        stop = t.route_after[stop]
        distance += t.edge_length[t.route_edge[stop]]


cdef inline void request_way(Traffic *t, int f) noexcept nogil:
    """Clear the way of row `f` as far as it fits and has room beyond the nodes."""
    cdef int stop = t.stop[f]
    cdef int lane = t.lane[f]
    cdef int hop = 0
    cdef int n = 0
    cdef int held = 0
    cdef int m
    cdef int[MAX_CLEAR] reached
    cdef double[MAX_CLEAR] needed
    cdef double distance = t.edge_length[t.route_edge[stop]] - t.offset[f]
    cdef double view = zone(t, f)
    cdef double room = t.available[f]
    cdef bint refused = False
    if t.leader[f] >= 0:
        room = max(room, t.gap[f] + outlook(t, t.leader[f]))
    while True:
        m = t.route_move[stop]
        if m < 0 or distance - t.move_radius[m] > view:
            break
        if hop < t.cleared[f]:
            held += controlled(t, m)
        elif controlled(t, m):
            if (lane < t.move_low[m] or lane > t.move_high[m] or is_red(t, f, m)
                    or held + n == MAX_CLEAR or behind_waiting(t, f, hop)):
                room = min(room, distance - t.move_radius[m])
                break
            if t.ignores[f] != t.move_node[m] and not fits(t, f, m, distance, lane, &room):
                refused = n == 0
                room = min(room, distance - t.move_radius[m])
                break
            reached[n] = hop + 1
            needed[n] = -INFINITY
            if t.move_radius[m] > 0.0:
                needed[n] = distance + t.move_radius[m] + t.length[f]
                if needed[n] > t.view_m + t.view_s * t.speed[f]:
                    # Whether there is room cannot be seen yet.
                    room = min(room, distance - t.move_radius[m])
                    break
            elif t.move_rank[m] < N_RANKS - 1:
                # A ring that fills up to the last gap can never move again.
                needed[n] = distance + t.length[f] + SPARE_M
            n += 1
        lane += t.move_shift[m]
        stop = t.route_after[stop]
        distance += t.edge_length[t.route_edge[stop]]
        hop += 1
    while n > 0 and needed[n - 1] > room:
        n -= 1
    if refused and t.speed[f] < 1.0:
        t.waited[f] += t.elapsed
    else:
        t.waited[f] = 0.0
    if n == 0:
        return
    stop = t.stop[f]
    lane = t.lane[f]
    distance = t.edge_length[t.route_edge[stop]] - t.offset[f]
    for hop in range(reached[n - 1]):
        m = t.route_move[stop]
        if hop >= t.cleared[f] and controlled(t, m):
            add_approach(t, f, m, distance, lane)
        lane += t.move_shift[m]
        stop = t.route_after[stop]
        distance += t.edge_length[t.route_edge[stop]]
    t.cleared[f] = reached[n - 1]


cdef inline void keep_clear(Traffic *t, int f) noexcept nogil:
    """Bound row `f` by those ahead of it at nodes and by the line before it has no way."""
    cdef int stop = t.stop[f]
    cdef int lane = t.lane[f]
    cdef int hop = 0
    cdef int m, k, g, low, high
    cdef double gap, wish
    cdef double v0 = t.free[f]
    cdef double distance = t.edge_length[t.route_edge[stop]] - t.offset[f]
    cdef double view = zone(t, f)
    t.line[f] = t.lane_end[f]
    while True:
        m = t.route_move[stop]
        if m < 0 or distance - t.move_radius[m] > view:
            return
        if controlled(t, m):
            if hop >= t.cleared[f]:
                gap = distance - t.move_radius[m]
                t.available[f] = min(t.available[f], gap)
                t.line[f] = min(t.line[f], gap)
                t.wish[f] = min(t.wish[f], idm(t, f, v0, gap, t.speed[f]))
                return
            low = lane + t.move_shift[m]
            high = max(low, low + t.from_side[f])
            low = min(low, low + t.from_side[f])
            k = t.node_first[t.move_node[m]]
            while k >= 0:
                g = t.approach_row[k]
                if g != f and t.approach_m[k] < distance and meet(t, m, low, high, k):
                    gap = distance - t.approach_m[k] - t.length[g] - margin(t, m, k)
                    t.available[f] = min(
                        t.available[f], gap - t.clearance + stopping_of_leader(t, g, f))
                    wish = idm(t, f, v0, gap, t.speed[f] - t.speed[g])
                    if crosses(t, m, k):
                        # It will be gone: slowing down is enough, as long as one could stop.
                        wish = max(wish, -2.0 * t.decel[t.kind[f]])
                    t.wish[f] = min(t.wish[f], wish)
                k = t.approach_next[k]
        lane += t.move_shift[m]
        stop = t.route_after[stop]
        distance += t.edge_length[t.route_edge[stop]]
        hop += 1


cdef inline void wait_for_walkers(Traffic *t, int f) noexcept nogil:
    """Bound row `f` by the first crossing ahead that is in use."""
    cdef int stop = t.stop[f]
    cdef int edge = t.route_edge[stop]
    cdef int i
    cdef double start = -t.offset[f]
    cdef double view = zone(t, f)
    cdef double gap
    while start <= view:
        for i in range(t.first_crossing[edge], t.first_crossing[edge + 1]):
            gap = start + t.crossing_at[i]
            if t.crossing_used[i] and 0.0 < gap <= view:
                if stopping(t, f) > gap:
                    # Too late to stop before it: as hard as it goes, over the line.
                    t.wish[f] = -t.brake[t.kind[f]]
                    return
                t.available[f] = min(t.available[f], gap)
                t.line[f] = min(t.line[f], gap)
                t.wish[f] = min(t.wish[f], idm(t, f, t.free[f], gap, t.speed[f]))
                return
        start += t.edge_length[edge]
        stop = t.route_after[stop]
        if stop < 0:
            return
        edge = t.route_edge[stop]


cdef inline void right_of_way(Traffic *t) noexcept nogil:
    """Clear the ways of all that approach nodes and bound everybody accordingly."""
    cdef int i, f, m, rank, node, w
    cdef int32_t lane = 0
    cdef double distance = 0.0
    cdef int32_t *head = t.ranked
    cdef int32_t *after = t.ranked + N_RANKS
    t.n_approaches = 0
    for node in range(t.n_nodes):
        t.node_first[node] = -1
        t.node_waiting[node] = -1
    for rank in range(N_RANKS):
        head[rank] = -1
    for i in range(t.n_present):
        f = t.row[i]
        if t.place[f] != i:
            continue
        if t.mode[f] == STOPPING:
            # It will not go over a node that it has not reached when it stands.
            if t.speed[f] <= 0.0:
                t.cleared[f] = 0
            t.waited[f] = 0.0
            enter_approaches(t, f)
            continue
        revoke(t, f)
        enter_approaches(t, f)
        m = next_controlled(t, f, &distance, &lane)
        if m < 0 or distance - t.move_radius[m] > zone(t, f):
            t.waited[f] = 0.0
            continue
        # Pushed on a stack, so that of one lane the first comes out first.
        after[f] = head[t.move_rank[m]]
        head[t.move_rank[m]] = f
        if t.waited[f] > 0.0:
            node = t.move_node[m]
            w = t.node_waiting[node]
            if w < 0 or t.waited[f] > t.waited[w]:
                t.node_waiting[node] = f
    for rank in range(N_RANKS - 1, -1, -1):
        f = head[rank]
        while f >= 0:
            request_way(t, f)
            f = after[f]
    for i in range(t.n_present):
        f = t.row[i]
        if t.place[f] == i:
            keep_clear(t, f)
            if t.first_crossing != NULL:
                wait_for_walkers(t, f)
