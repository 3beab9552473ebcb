# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Traffic on a lane network: car following, lane changes, right of way, motion."""

from libc.math cimport INFINITY
from libc.stdint cimport int32_t, uint8_t, uint64_t
from libc.string cimport memset

from lane_change cimport change_lanes, follow
from right_of_way cimport APPROACHES_PER_ROW, N_RANKS, right_of_way
from road cimport (
    bounded,
    braking,
    fade,
    note_abilities,
    piece_at,
    speed_cap,
    stopping_way,
)
from traffic cimport (
    BRAKELESS,
    DRIVEN,
    MAX_BACK,
    Sight,
    Traffic,
    controlled,
    look_ahead,
)

cdef double NOWHERE = -1e9


cdef double *reals(object owner, str name, Py_ssize_t n) except? NULL:
    cdef double[::1] view = getattr(owner, name)
    if view.shape[0] != n:
        raise ValueError(f"{name} has {view.shape[0]} elements, not {n}")
    return &view[0] if n else NULL


cdef const double *fixed(object owner, str name, Py_ssize_t n) except? NULL:
    cdef const double[::1] view = getattr(owner, name)
    if view.shape[0] != n:
        raise ValueError(f"{name} has {view.shape[0]} elements, not {n}")
    return &view[0] if n else NULL


cdef int32_t *numbers(object owner, str name, Py_ssize_t n) except? NULL:
    cdef int32_t[::1] view = getattr(owner, name)
    if view.shape[0] != n:
        raise ValueError(f"{name} has {view.shape[0]} elements, not {n}")
    return &view[0] if n else NULL


cdef const int32_t *indices(object owner, str name, Py_ssize_t n) except? NULL:
    cdef const int32_t[::1] view = getattr(owner, name)
    if view.shape[0] != n:
        raise ValueError(f"{name} has {view.shape[0]} elements, not {n}")
    return &view[0] if n else NULL


cdef const uint8_t *switches(const uint8_t[::1] view, str name, Py_ssize_t n) except? NULL:
    if view.shape[0] != n:
        raise ValueError(f"{name} has {view.shape[0]} elements, not {n}")
    return &view[0] if n else NULL


cdef const uint64_t *masks(object owner, str name, Py_ssize_t n) except? NULL:
    cdef const uint64_t[::1] view = getattr(owner, name)
    if view.shape[0] != n:
        raise ValueError(f"{name} has {view.shape[0]} elements, not {n}")
    return &view[0] if n else NULL


cdef class CarFollowing:
    """Steps a fleet on a lane network; all state lives in the caller's arrays.

    A step is :meth:`move`, then :meth:`arrange`, then :meth:`look`; vehicles may be added and
    taken away between the first two.

    Parameters
    ----------
    network
        ``v2x.mobility.junctions.LaneNetwork``.
    conditions
        ``v2x.mobility.conditions.RoadConditions``.
    routes
        ``v2x.mobility.routes.RouteBook``; call :meth:`use_routes` after adding to it.
    classes
        ``v2x.mobility.vehicles.ClassTable``.
    vehicles
        ``v2x.mobility.vehicles.Vehicles``.
    work
        ``v2x.mobility.vehicles.Workspace`` of as many rows.
    settings
        ``v2x.mobility.vehicles.Settings``.
    """

    cdef Traffic traffic
    cdef tuple owners
    cdef object book
    cdef tuple crossings
    cdef Py_ssize_t n_movements

    def __init__(self, network, conditions, routes, classes, vehicles, work, settings):
        cdef Traffic *t = &self.traffic
        road_map = network.road_map
        self.owners = (network, road_map, conditions, classes, vehicles, work)
        cdef Py_ssize_t n = road_map.n_edges
        t.n_edges = n
        t.n_nodes = road_map.n_nodes
        t.edge_length = fixed(road_map, "edge_length_m", n)
        t.edge_limit = fixed(road_map, "edge_limit_mps", n)
        t.edge_lanes = indices(road_map, "edge_lanes", n)
        t.first_point = indices(road_map, "first_point", n + 1)
        t.lane_base = indices(network, "lane_base", n + 1)
        t.n_lanes = t.lane_base[n]
        n = t.first_point[n]
        t.point_offset = fixed(road_map, "point_offset_m", n)
        t.point_grade = fixed(network, "point_grade", n)
        n = t.n_edges
        t.grip = fixed(conditions, "edge_grip", n)
        t.edge_sight = fixed(conditions, "edge_sight_m", n)
        t.edge_delay = fixed(conditions, "edge_delay_s", n)
        t.approach = fixed(conditions, "approach_mps2", n)
        t.edge_dark = indices(conditions, "edge_dark", n)
        t.first_station = indices(conditions, "first_station", n + 1)
        t.n_stations = t.first_station[n]
        t.level = conditions.level
        n = t.n_stations
        t.station = fixed(conditions, "station_m", n)
        n *= classes.n_classes
        t.cap = fixed(conditions, "cap_mps", n)
        t.reach = fixed(conditions, "reach_mps", n)
        n = network.n_movements
        self.n_movements = n
        t.move_node = indices(network, "node", n)
        t.move_low = indices(network, "lane_low", n)
        t.move_high = indices(network, "lane_high", n)
        t.move_shift = indices(network, "lane_shift", n)
        t.move_bit = masks(network, "bit", n)
        t.move_crosses = masks(network, "crosses", n)
        t.move_merges = masks(network, "merges", n)
        t.move_rank = indices(network, "rank", n)
        t.move_signal = indices(network, "signal", n)
        t.move_radius = fixed(network, "radius_m", n)
        n = classes.n_classes
        t.n_classes = n
        t.desired = fixed(classes, "desired_speed_mps", n)
        t.headway = fixed(classes, "headway_s", n)
        t.min_gap = fixed(classes, "min_gap_m", n)
        t.accel = fixed(classes, "acceleration_mps2", n)
        t.decel = fixed(classes, "deceleration_mps2", n)
        t.brake = fixed(classes, "emergency_mps2", n)
        t.power = fixed(classes, "power_w_per_kg", n)
        t.drag = fixed(classes, "drag_per_m", n)
        t.traction = fixed(classes, "traction_mps2", n)
        t.mass = fixed(classes, "mass_kg", n)
        t.heating = fixed(classes, "heating_k_per_j", n)
        t.retarder = fixed(classes, "retarder_w", n)
        t.cooling = fixed(classes, "cooling_w_per_k", n)
        t.cooling_by_speed = fixed(classes, "cooling_w_per_k_per_mps", n)
        t.fade_from = fixed(classes, "fade_from_k", n)
        t.fade_span = fixed(classes, "fade_span_k", n)
        t.fade_loss = fixed(classes, "fade_loss", n)
        n = vehicles.n_rows
        t.n_rows = n
        t.kind = indices(vehicles, "kind", n)
        t.length = fixed(vehicles, "length_m", n)
        t.factor = fixed(vehicles, "speed_factor", n)
        t.stop = numbers(vehicles, "stop", n)
        t.lane = numbers(vehicles, "lane", n)
        t.from_side = numbers(vehicles, "from_side", n)
        t.cleared = numbers(vehicles, "cleared", n)
        t.ignores = indices(vehicles, "ignores", n)
        t.lets_in = numbers(vehicles, "lets_in", n)
        t.offset = reals(vehicles, "offset_m", n)
        t.speed = reals(vehicles, "speed_mps", n)
        t.acceleration = reals(vehicles, "acceleration_mps2", n)
        t.change = reals(vehicles, "change", n)
        t.settled = reals(vehicles, "settled_s", n)
        t.waited = reals(vehicles, "waited_s", n)
        t.stood = reals(vehicles, "stood_s", n)
        t.brake_rise = reals(vehicles, "brake_rise_k", n)
        t.adapting = reals(vehicles, "adapting_s", n)
        t.mode = indices(vehicles, "mode", n)
        t.forced = fixed(vehicles, "forced_mps2", n)
        controls = vehicles.controls
        t.ceiling = fixed(controls, "ceiling_mps2", n)
        t.advised = fixed(controls, "speed_mps", n)
        t.commanded = fixed(controls, "cacc_mps2", n)
        t.keep_lane = switches(controls.keep_lane, "keep_lane", n)
        t.lane_wish = indices(controls, "lane_wish", n)
        t.leader = numbers(vehicles, "leader", n)
        t.leader_hops = numbers(vehicles, "leader_hops", n)
        t.gap = reals(vehicles, "gap_m", n)
        t.available = reals(vehicles, "available_m", n)
        t.lane_end = reals(vehicles, "lane_end_m", n)
        t.line = reals(vehicles, "line_m", n)
        t.wish = reals(vehicles, "wish_mps2", n)
        t.free = reals(vehicles, "free_mps", n)
        t.ease = reals(vehicles, "ease_mps2", n)
        t.sight = reals(vehicles, "sight_m", n)
        t.delay = reals(vehicles, "delay_s", n)
        t.stop_way = reals(vehicles, "stopping_m", n)
        t.halt = reals(work, "halt_m", n * t.n_classes)
        t.order = numbers(work, "order", n)
        t.place = numbers(work, "place", n)
        t.ranked = numbers(work, "ranked", n + N_RANKS)
        t.first_present = numbers(work, "first_present", t.n_edges + 1)
        t.lane_reach = reals(work, "lane_reach_m", t.n_lanes)
        t.node_first = numbers(work, "node_first", t.n_nodes)
        t.node_waiting = numbers(work, "node_waiting", t.n_nodes)
        n = t.n_rows * (MAX_BACK + 1)
        t.row = numbers(work, "row", n)
        t.at_stop = numbers(work, "at_stop", n)
        t.shift = numbers(work, "shift", n)
        t.front = reals(work, "front_m", n)
        n = t.n_rows * APPROACHES_PER_ROW
        t.approach_next = numbers(work, "approach_next", n)
        t.approach_row = numbers(work, "approach_row", n)
        t.approach_move = numbers(work, "approach_move", n)
        t.approach_low = numbers(work, "approach_low", n)
        t.approach_high = numbers(work, "approach_high", n)
        t.approach_m = reals(work, "approach_m", n)
        t.compensation = settings.grade_compensation
        t.clearance = settings.clearance_m
        t.least_gap = settings.least_gap_m
        t.longest = settings.longest_m
        t.view_s = settings.view_s
        t.view_m = settings.view_m
        t.lane_view = settings.lane_view_m
        t.change_period = settings.period_steps
        t.politeness = settings.lane_change.politeness
        t.threshold = settings.lane_change.threshold_mps2
        t.bias = settings.lane_change.right_bias_mps2
        t.safe_decel = settings.lane_change.safe_deceleration_mps2
        t.change_s = settings.lane_change.duration_s
        t.settle_s = settings.lane_change.settle_s
        t.courtesy_s = settings.courtesy_s
        t.gravity = settings.gravity_mps2
        t.rolling = settings.rolling_resistance
        t.least_braking = settings.least_braking_mps2
        t.comfort_share = settings.comfort_share
        t.yellow = settings.yellow_mps2
        t.adaptation = settings.adaptation_s
        t.dark_delay = settings.dark_delay_s
        t.only_sight = settings.only_sight
        t.step = settings.step_s
        t.elapsed = 0.0
        t.green = NULL
        t.first_crossing = NULL
        self.use_routes(routes)

    def use_routes(self, routes):
        """Take the arrays of a book of routes anew."""
        cdef Traffic *t = &self.traffic
        cdef Py_ssize_t n = routes.n_stops
        self.book = (routes.edge, routes.movement, routes.after, routes.before, routes.goal,
                     routes.exit_speed_mps, routes.hold_mps, routes.lane_low, routes.lane_high,
                     routes.lane_view_m)
        t.route_edge = indices(routes, "edge", n)
        t.route_move = indices(routes, "movement", n)
        t.route_after = indices(routes, "after", n)
        t.route_before = indices(routes, "before", n)
        t.route_goal = indices(routes, "goal", n)
        t.route_exit = fixed(routes, "exit_speed_mps", n)
        t.route_hold = fixed(routes, "hold_mps", n * t.n_classes)
        t.route_low = indices(routes, "lane_low", n)
        t.route_high = indices(routes, "lane_high", n)
        t.route_view = fixed(routes, "lane_view_m", n)

    def use_crossings(self, first, at_m, used):
        """Let vehicles stop before crossings on foot that are in use.

        Parameters
        ----------
        first : (n_edges + 1,) int32
            First crossing of each edge.
        at_m : (n_crossings,) float64
            Line on the edge at which vehicles stop [m], rising on each edge.
        used : (n_crossings,) uint8
            Whether vehicles have to stop; read at each :meth:`look`.
        """
        cdef Traffic *t = &self.traffic
        cdef const int32_t[::1] begins = first
        cdef const double[::1] places = at_m
        cdef Py_ssize_t n = at_m.shape[0]
        if begins.shape[0] != t.n_edges + 1 or begins[t.n_edges] != n:
            raise ValueError(f"first must have {t.n_edges + 1} elements, the last {n}")
        if n == 0:
            t.first_crossing = NULL
            return
        self.crossings = (first, at_m, used)
        t.crossing_used = switches(used, "used", n)
        t.crossing_at = &places[0]
        t.first_crossing = &begins[0]

    def arrange(self):
        """Sort vehicles by edge and place, and note what they can do and need of the lanes."""
        with nogil:
            note_abilities(&self.traffic)
            sort_presences(&self.traffic)
            mark_reach(&self.traffic)

    def look(self, long long count, const uint8_t[::1] green):
        """Change lanes, find leaders and clear ways for the next :meth:`move`.

        Parameters
        ----------
        count
            Running number of the step; vehicles take turns in considering lane changes.
        green : (n_movements,) uint8
            Whether the lights let a movement go; of no account where there are none.
        """
        cdef Traffic *t = &self.traffic
        t.green = switches(green, "green", self.n_movements)
        with nogil:
            change_lanes(t, count)
            see(t)
            right_of_way(t)

    def move(self, double step_s):
        """Advance every vehicle by `step_s` [s], not longer than the step of the settings."""
        if not 0.0 < step_s <= self.traffic.step:
            raise ValueError(f"step_s must be in (0, {self.traffic.step}], got {step_s}")
        self.traffic.elapsed = step_s
        with nogil:
            move_all(&self.traffic, step_s)

    def slow_down(self):
        """Take everybody down to the speed at which all that is ahead can still be met."""
        cdef Traffic *t = &self.traffic
        cdef int f
        cdef double fast
        for f in range(t.n_rows):
            if t.stop[f] >= 0:
                fast = speed_cap(t, t.kind[f], t.factor[f], t.stop[f], t.offset[f])
                t.speed[f] = min(t.speed[f], fast)

    def fastest_mps(self, int kind, double factor, int stop, double offset_m):
        """Return the speed at which a vehicle at a place can meet all that is ahead [m/s]."""
        check_place(&self.traffic, kind, stop)
        return speed_cap(&self.traffic, kind, factor, stop, offset_m)

    def stopping_m(self, int kind, int stop, double offset_m, double speed_mps):
        """Return where a vehicle with cold brakes stops at its hardest [m ahead]."""
        cdef Traffic *t = &self.traffic
        check_place(t, kind, stop)
        cdef int piece = piece_at(t, t.route_edge[stop], offset_m)
        return stopping_way(t, kind, 1.0, stop, piece, offset_m, speed_mps)


cdef int check_place(const Traffic *t, int kind, int stop) except -1:
    if not 0 <= kind < t.n_classes:
        raise ValueError(f"there is no class {kind}")
    if stop < 0:
        raise ValueError(f"there is no stop {stop}")
    return 0


cdef void sort_presences(Traffic *t) noexcept nogil:
    """List the vehicles of every edge by their fronts, also those of which only a rear is there."""
    cdef int32_t *first = t.first_present
    cdef int f, k, i, edge, stop, hop, shift
    cdef double front
    memset(first, 0, (t.n_edges + 1) * sizeof(int32_t))
    for f in range(t.n_rows):
        stop = t.stop[f]
        if stop < 0:
            continue
        front = t.offset[f]
        for _ in range(MAX_BACK):
            first[t.route_edge[stop] + 1] += 1
            stop = t.route_before[stop]
            if stop < 0 or front >= t.length[f]:
                break
            front += t.edge_length[t.route_edge[stop]]
    for edge in range(t.n_edges):
        first[edge + 1] += first[edge]
    t.n_present = first[t.n_edges]
    # Rows in the order of the last step: edges are then nearly sorted before they are sorted.
    for k in range(t.n_rows):
        f = t.order[k]
        stop = t.stop[f]
        if stop < 0:
            continue
        front = t.offset[f]
        shift = 0
        for hop in range(MAX_BACK):
            edge = t.route_edge[stop]
            i = first[edge]
            first[edge] += 1
            t.row[i] = f
            t.at_stop[i] = stop if hop == 0 else -1 - stop
            t.shift[i] = shift
            t.front[i] = front
            stop = t.route_before[stop]
            if stop < 0 or front >= t.length[f]:
                break
            shift += t.move_shift[t.route_move[stop]]
            front += t.edge_length[t.route_edge[stop]]
    for edge in range(t.n_edges, 0, -1):
        first[edge] = first[edge - 1]
    first[0] = 0
    for edge in range(t.n_edges):
        for i in range(first[edge] + 1, first[edge + 1]):
            sift_down(t, first[edge], i)
    k = 0
    for i in range(t.n_present):
        if t.at_stop[i] >= 0:
            f = t.row[i]
            t.place[f] = i
            t.order[k] = f
            k += 1
    for f in range(t.n_rows):
        if t.stop[f] < 0:
            t.order[k] = f
            k += 1


cdef inline void sift_down(Traffic *t, int begin, int i) noexcept nogil:
    """Insert presence `i` into the sorted ones from `begin` to it."""
    cdef int row = t.row[i]
    cdef int at_stop = t.at_stop[i]
    cdef int shift = t.shift[i]
    cdef double front = t.front[i]
    while i > begin and t.front[i - 1] > front:
        t.row[i] = t.row[i - 1]
        t.at_stop[i] = t.at_stop[i - 1]
        t.shift[i] = t.shift[i - 1]
        t.front[i] = t.front[i - 1]
        i -= 1
    t.row[i] = row
    t.at_stop[i] = at_stop
    t.shift[i] = shift
    t.front[i] = front


cdef void mark_reach(Traffic *t) noexcept nogil:
    """Note how far on each lane vehicles of earlier edges may come before they can stop."""
    cdef int f, k, stop, edge, lane, m, hop
    cdef double reach, v
    for k in range(t.n_lanes):
        t.lane_reach[k] = NOWHERE
    for f in range(t.n_rows):
        stop = t.stop[f]
        if stop < 0:
            continue
        v = t.speed[f]
        reach = t.offset[f] + v + max(v * v / 6.0, t.stop_way[f]) + 2.0
        edge = t.route_edge[stop]
        lane = t.lane[f]
        hop = 0
        while reach > t.edge_length[edge]:
            m = t.route_move[stop]
            if m < 0 or lane < t.move_low[m] or lane > t.move_high[m]:
                break
            if hop >= t.cleared[f] and controlled(t, m):
                break
            reach -= t.edge_length[edge]
            lane += t.move_shift[m]
            stop = t.route_after[stop]
            edge = t.route_edge[stop]
            hop += 1
            raise_reach(t, edge, lane, reach)
            raise_reach(t, edge, lane + t.from_side[f], reach)


cdef inline void raise_reach(Traffic *t, int edge, int lane, double reach) noexcept nogil:
    cdef int k = t.lane_base[edge] + lane
    if 0 <= lane < t.edge_lanes[edge] and t.lane_reach[k] < reach:
        t.lane_reach[k] = reach


cdef void see(Traffic *t) noexcept nogil:
    """Find the leader of every vehicle and what it would do in view of it."""
    cdef int f, other
    cdef double gap, way
    cdef Sight sight
    for f in range(t.n_rows):
        if t.stop[f] < 0:
            t.leader[f] = -1
            t.gap[f] = INFINITY
            continue
        look_ahead(t, f, t.place[f], t.lane[f], t.from_side[f], &sight)
        t.leader[f] = sight.leader
        t.leader_hops[f] = sight.hops
        t.gap[f] = sight.gap
        t.available[f] = sight.available
        t.lane_end[f] = sight.lane_end
        t.wish[f] = sight.wish
        other = t.lets_in[f]
        if other >= 0 and t.stop[other] >= 0:
            gap = t.offset[other] - t.length[other] - t.offset[f]
            if gap > 0.0:
                way = follow(t, f, other, gap)
                t.wish[f] = min(t.wish[f], max(way, -2.0))


cdef inline void heat_brakes(Traffic *t, int f, double grade, double v, double v_new,
                             double dt) noexcept nogil:
    """Heat the drums of row `f` by what the retarder does not take, and cool them."""
    cdef int k = t.kind[f]
    cdef double pace = 0.5 * (v + v_new)
    cdef double force = (v - v_new) / dt - t.gravity * (t.rolling + grade) \
        - t.drag[k] * pace * pace
    cdef double power = max(t.mass[k] * force * pace - t.retarder[k], 0.0)
    cdef double lost = (t.cooling[k] + t.cooling_by_speed[k] * pace) * t.brake_rise[f]
    t.brake_rise[f] += t.heating[k] * (power - lost) * dt


cdef inline int go_on(Traffic *t, int f, double x) noexcept nogil:
    """Put the front of row `f` to `x` on its edge or on those beyond; return its stop."""
    cdef int stop = t.stop[f]
    cdef int edge = t.route_edge[stop]
    cdef int dark = t.edge_dark[edge]
    while x >= t.edge_length[edge]:
        if t.route_after[stop] < 0:
            stop = -1
            break
        x -= t.edge_length[edge]
        t.lane[f] += t.move_shift[t.route_move[stop]]
        t.cleared[f] = max(t.cleared[f] - 1, 0)
        stop = t.route_after[stop]
        edge = t.route_edge[stop]
        if t.edge_dark[edge] and not dark:
            t.adapting[f] = t.adaptation
        dark = t.edge_dark[edge]
    t.stop[f] = stop
    if stop >= 0:
        t.offset[f] = x
    return stop


cdef inline double towards(const Traffic *t, int f, double v0) noexcept nogil:
    """Return the acceleration with which row `f` takes up `v0` as its limit."""
    cdef double ratio
    if v0 <= 0.0:
        return -t.ease[f]
    ratio = t.speed[f] / v0
    ratio = ratio * ratio
    return max(t.accel[t.kind[f]] * (1.0 - ratio * ratio), -t.ease[f])


cdef inline double driverless(const Traffic *t, int f, double grade, double b, double dt,
                              double *dx) noexcept nogil:
    """Return the speed after `dt` of a row that only its brakes or only the slope move.

    The way covered meanwhile goes to `dx`.
    """
    cdef int k = t.kind[f]
    cdef double v = t.speed[f]
    cdef double a
    if t.mode[f] == BRAKELESS:
        a = -t.gravity * (t.rolling + grade) - t.drag[k] * v * v
    else:
        a = -min(t.forced[f], b)
    if v + a * dt > 0.0:
        dx[0] = (v + 0.5 * a * dt) * dt
        return v + a * dt
    dx[0] = -0.5 * v * v / a if a < 0.0 else 0.0
    return 0.0


cdef void move_all(Traffic *t, double dt) noexcept nogil:
    cdef int f, k, stop, edge, piece
    cdef double v, v_new, a, b, grade
    cdef double dx = 0.0
    for f in range(t.n_rows):
        stop = t.stop[f]
        if stop < 0:
            continue
        k = t.kind[f]
        edge = t.route_edge[stop]
        v = t.speed[f]
        piece = piece_at(t, edge, t.offset[f])
        grade = t.point_grade[piece]
        b = braking(t, k, fade(t, f), edge, piece)
        if t.mode[f] == DRIVEN:
            a = t.wish[f] - (1.0 - t.compensation) * t.gravity * grade
            if t.commanded[f] == t.commanded[f]:
                a = t.commanded[f]
            a = min(a, min(t.power[k] / max(v, 1.0), t.traction[k] * t.grip[edge])
                    - t.gravity * (t.rolling + grade) - t.drag[k] * v * v)
            if t.advised[f] < INFINITY:
                a = min(a, towards(t, f, t.advised[f]))
            a = max(min(a, t.ceiling[f]), -b)
            v_new = bounded(t, f, piece, max(v + a * dt, 0.0), dt, &dx)
        else:
            v_new = driverless(t, f, grade, b, dt, &dx)
        stop = go_on(t, f, t.offset[f] + dx)
        if stop < 0:
            continue
        # Nobody brakes harder for a bend or a sign than the brakes can.
        if t.mode[f] == DRIVEN:
            v_new = min(v_new, max(speed_cap(t, k, t.factor[f], stop, t.offset[f]), v - b * dt))
        if t.heating[k] > 0.0 and t.mode[f] != BRAKELESS:
            heat_brakes(t, f, grade, v, v_new, dt)
        t.adapting[f] = max(t.adapting[f] - dt, 0.0)
        t.speed[f] = v_new
        t.acceleration[f] = (v_new - v) / dt
        t.stood[f] = t.stood[f] + dt if v_new < 0.1 else 0.0
        t.settled[f] += dt
        if t.from_side[f] != 0:
            t.change[f] += dt * min(1.0, 0.5 * v_new) / t.change_s
            if t.change[f] >= 1.0:
                t.from_side[f] = 0
