# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Vehicles on lanes: the state that all parts of the traffic kernel share, and looking ahead.

Only additions, multiplications, divisions and square roots touch the state, so every
x86-64 machine computes the same bits.
"""

from libc.math cimport INFINITY, sqrt
from libc.stdint cimport int32_t, uint8_t, uint64_t

cdef enum:
    #: Edges over which the rear of one vehicle may lie.
    MAX_BACK = 16
    #: What moves a vehicle: its driver, a forced stop, or the slope alone.
    DRIVEN = 0
    STOPPING = 1
    BRAKELESS = 2

cdef struct Traffic:
    # Edges and lanes.
    int n_edges, n_nodes, n_lanes
    const double *edge_length
    const double *edge_limit
    const int32_t *edge_lanes
    const int32_t *lane_base
    const int32_t *first_point
    const double *point_offset
    const double *point_grade
    # What road and weather let drivers do; `level` if braking is the same everywhere.
    bint level
    const double *grip
    const double *edge_sight
    const double *edge_delay
    const double *approach
    const int32_t *edge_dark
    # Stretches of edges with a speed of their own, by class: on them, and at their beginning
    # in view of the next ones.
    int n_stations
    const int32_t *first_station
    const double *station
    const double *cap
    const double *reach
    # Movements.
    const int32_t *move_node
    const int32_t *move_low
    const int32_t *move_high
    const int32_t *move_shift
    const uint64_t *move_bit
    const uint64_t *move_crosses
    const uint64_t *move_merges
    const int32_t *move_rank
    const int32_t *move_signal
    const double *move_radius
    # Which movements the lights let go, and nodes whose red a vehicle passes: -1 for none, -2
    # for all, with care; one that has not noticed the lights of a node looks at nobody there.
    const uint8_t *green
    const int32_t *ignores
    # Crossings on foot: those of each edge, where they are on it, and whether they are in use.
    const int32_t *first_crossing
    const double *crossing_at
    const uint8_t *crossing_used
    # Stops of routes.
    const int32_t *route_edge
    const int32_t *route_move
    const int32_t *route_after
    const int32_t *route_before
    const int32_t *route_goal
    const double *route_exit
    const double *route_hold
    const int32_t *route_low
    const int32_t *route_high
    const double *route_view
    # Vehicle classes.
    int n_classes
    const double *desired
    const double *headway
    const double *min_gap
    const double *accel
    const double *decel
    const double *brake
    const double *power
    const double *drag
    const double *traction
    const double *mass
    const double *heating
    const double *retarder
    const double *cooling
    const double *cooling_by_speed
    const double *fade_from
    const double *fade_span
    const double *fade_loss
    # Vehicles; an empty row has stop -1.
    int n_rows
    const int32_t *kind
    const double *length
    const double *factor
    int32_t *stop
    int32_t *lane
    int32_t *from_side
    int32_t *cleared
    int32_t *lets_in
    double *offset
    double *speed
    double *acceleration
    double *change
    double *settled
    double *waited
    double *stood
    double *brake_rise
    double *adapting
    # What moves it, the deceleration of a forced stop, and what is asked from outside.
    const int32_t *mode
    const double *forced
    const double *ceiling
    const double *advised
    const double *commanded
    const uint8_t *keep_lane
    const int32_t *lane_wish
    # What each vehicle sees.
    int32_t *leader
    int32_t *leader_hops
    double *gap
    double *available
    double *lane_end
    double *line
    double *wish
    # What each can do where it is: its speed on an empty road, its comfortable braking, how far it
    # sees, how much longer it takes to react, where it stops at the hardest, and where it would
    # with the brakes of each class.
    double *free
    double *ease
    double *sight
    double *delay
    double *stop_way
    double *halt
    # Presence of vehicles on edges, sorted by edge and front, and where those of an edge begin.
    int n_present
    int32_t *first_present
    int32_t *row
    int32_t *at_stop
    int32_t *shift
    double *front
    int32_t *order
    int32_t *place
    # Farthest point on each lane up to which somebody on an earlier edge needs it.
    double *lane_reach
    # Approaches to nodes, chained per node.
    int n_approaches
    int32_t *node_first
    int32_t *node_waiting
    int32_t *approach_next
    int32_t *approach_row
    int32_t *approach_move
    int32_t *approach_low
    int32_t *approach_high
    double *approach_m
    int32_t *ranked
    # Settings, and the time since the last look.
    double step
    double elapsed
    double compensation
    double clearance
    double least_gap
    double longest
    double view_s
    double view_m
    double politeness
    double threshold
    double bias
    double safe_decel
    double change_s
    double settle_s
    int change_period
    double lane_view
    double courtesy_s
    double gravity
    double rolling
    double least_braking
    double comfort_share
    double yellow
    double adaptation
    double dark_delay
    # Whether nothing beyond the sight of a driver is seen, also by those who cannot stop within it.
    bint only_sight

cdef struct Sight:
    # Nearest vehicle ahead in the lane, how many edges on, bumper to bumper.
    int leader
    int hops
    double gap
    # Where one must be able to stop: behind leaders, and before the end of the lane.
    double available
    # Distance to the end of the lane, infinite if the lane goes on.
    double lane_end
    # Acceleration in view of all that.
    double wish


cdef inline double idm(const Traffic *t, int f, double v0, double gap,
                       double closing) noexcept nogil:
    """Acceleration of the Intelligent Driver Model for the driver of row `f`."""
    cdef int k = t.kind[f]
    cdef double v = t.speed[f]
    cdef double dynamic = v * (t.headway[k] + t.delay[f]) \
        + v * closing / (2.0 * sqrt(t.accel[k] * t.ease[f]))
    cdef double near = (t.min_gap[k] + max(dynamic, 0.0)) / max(gap, t.least_gap)
    cdef double free = v / v0
    free = free * free
    return t.accel[k] * (1.0 - free * free - near * near)


cdef inline double stopping(const Traffic *t, int f) noexcept nogil:
    return t.stop_way[f]


cdef inline double keeping(const Traffic *t, int f) noexcept nogil:
    """Distance that `f` wants to be able to stop in before it lets itself in for anything."""
    return stopping(t, f) + 0.5 * t.speed[f]


cdef inline double stopping_of_leader(const Traffic *t, int g, int f) noexcept nogil:
    """Braking distance of `g` that `f` counts on: with the better brakes of the two, cold ones.

    With the worse, one could run into the other before both stand.
    """
    cdef int row = g * t.n_classes
    return min(t.halt[row + t.kind[g]], t.halt[row + t.kind[f]])


cdef inline bint share_lane(int lane, int side, int other, int other_side) noexcept nogil:
    """Whether two vehicles, each perhaps between two lanes, are in each other's way."""
    return (lane == other or lane + side == other or lane == other + other_side
            or lane + side == other + other_side)


cdef inline int edges_on(const Traffic *t, int i) noexcept nogil:
    """How many edges the front of the vehicle is beyond that of its presence `i`."""
    cdef int stop = -1 - t.at_stop[i]
    cdef int edges = 0
    if stop >= 0:
        while stop != t.stop[t.row[i]]:
            stop = t.route_after[stop]
            edges += 1
    return edges


cdef inline int comes_from(const Traffic *t, int i) noexcept nogil:
    """Edge from which the vehicle of presence `i` came onto the edge of the presence."""
    cdef int stop = t.at_stop[i] if t.at_stop[i] >= 0 else -1 - t.at_stop[i]
    stop = t.route_before[stop]
    return t.route_edge[stop] if stop >= 0 else -1


cdef inline double end_of_lane(const Traffic *t, int m, int lane, double end,
                               double length) noexcept nogil:
    """Distance to where a vehicle must wait that has to leave its lane before movement `m`.

    Those that have to go left wait farther back, so that two that have to swap lanes do not
    stand beside each other for ever.
    """
    if lane < t.move_low[m] and length > 60.0:
        return end - t.move_radius[m] - 20.0
    return end - t.move_radius[m] - 1.0


cdef inline double look_for_lane_end(const Traffic *t, int f, int lane,
                                     double view) noexcept nogil:
    """Distance to the end of `lane` on the way of row `f`, infinite beyond `view`."""
    cdef int stop = t.stop[f]
    cdef int edge = t.route_edge[stop]
    cdef int m = t.route_move[stop]
    cdef double end = t.edge_length[edge] - t.offset[f]
    while m >= 0 and end <= view:
        if lane < t.move_low[m] or lane > t.move_high[m]:
            return end_of_lane(t, m, lane, end, t.edge_length[edge])
        lane += t.move_shift[m]
        stop = t.route_after[stop]
        edge = t.route_edge[stop]
        end += t.edge_length[edge]
        m = t.route_move[stop]
    return INFINITY


cdef inline void look_ahead(const Traffic *t, int f, int index, int lane, int side,
                            Sight *sight) noexcept nogil:
    """See what row `f`, present at `index`, has ahead if it is in `lane` (and `side`)."""
    cdef double v = t.speed[f]
    cdef double near = stopping(t, f) + v * t.step + 5.0
    # Whoever sees less far than it needs to stop comes from where it saw farther.
    cdef double known = max(t.view_m + t.view_s * v, near)
    cdef double view = min(known, t.sight[f]) if t.only_sight else max(min(known, t.sight[f]), near)
    cdef double start = -t.offset[f]
    cdef double ahead, rear, bound
    cdef int stop = t.stop[f]
    cdef int goal = t.route_goal[stop]
    cdef int edge = t.route_edge[stop]
    cdef double v0 = t.free[f]
    cdef int i = index + 1
    cdef int came = -1
    cdef int hops = 0
    cdef int g, m, other, other_side
    # Whether somebody has been seen in the lane and in that on its side.
    cdef bint seen = False
    cdef bint seen_beside = side == 0
    sight.leader = -1
    sight.hops = 0
    sight.gap = INFINITY
    sight.lane_end = look_for_lane_end(t, f, lane, known)
    sight.available = sight.lane_end
    sight.wish = idm(t, f, v0, sight.lane_end, v)
    while True:
        bound = max(near, sight.gap) if seen and seen_beside else view
        while i < t.first_present[edge + 1]:
            ahead = start + t.front[i]
            # Vehicles are sorted by their fronts; the longest reaches back farthest.
            if ahead - t.longest > bound:
                return
            g = t.row[i]
            other = t.lane[g] - t.shift[i]
            other_side = t.from_side[g]
            if g != f and share_lane(lane, side, other, other_side):
                rear = ahead - t.length[g]
                if rear < start and came >= 0 and comes_from(t, i) != came:
                    # Its rear is still on another approach; only its front is in the way.
                    rear = start
                if rear > view:
                    return
                sight.available = min(
                    sight.available, rear - t.clearance + stopping_of_leader(t, g, f))
                sight.wish = min(sight.wish, idm(t, f, v0, rear, v - t.speed[g]))
                if rear < sight.gap:
                    sight.leader = g
                    sight.hops = hops + edges_on(t, i)
                    sight.gap = rear
                if side == 0 and t.route_goal[t.stop[g]] == goal:
                    # It goes the same way and itself keeps clear of all that follows.
                    return
                seen |= share_lane(lane, 0, other, other_side)
                seen_beside |= share_lane(lane + side, 0, other, other_side)
                bound = max(near, sight.gap) if seen and seen_beside else view
            i += 1
        start += t.edge_length[edge]
        m = t.route_move[stop]
        if m < 0 or start > bound or lane < t.move_low[m] or lane > t.move_high[m]:
            return
        lane += t.move_shift[m]
        came = edge
        stop = t.route_after[stop]
        edge = t.route_edge[stop]
        hops += 1
        i = t.first_present[edge]


cdef inline bint controlled(const Traffic *t, int m) noexcept nogil:
    """Whether a movement may only be made when the way is clear."""
    return (t.move_crosses[m] | t.move_merges[m]) != 0 or t.move_signal[m] >= 0
