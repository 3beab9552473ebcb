# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What the map puts between two antennas: rock, decks, ground, walls, water and rain.

The fast twin of :mod:`v2x.channel.obstacles`, which explains the physics. Geometry is in double
precision; logarithms are those of the other kernels, so that results do not depend on the
machine.
"""

from libc.math cimport ceil, fabs, floor, sqrt
from libc.stdint cimport int32_t, uint8_t

from lengths cimport need

cdef extern from "v2x_math.h":
    float v2x_log2(float x) nogil
    float v2x_exp2(float x) nogil
    float v2x_sin_quarter(float b) nogil

cdef enum:
    NONE = 0
    NLOS = 2
    TUNNEL = 3
    DECK = 4
    TERRAIN = 5
    BLOCKED = 6
    UNKNOWN = 255

cdef enum:
    NO_METHOD = 0
    BULLINGTON = 1
    DEYGOUT = 2

# Below anything that counts as received, at any distance.
cdef double BLOCKED_DB = 300.0
cdef double NO_WAY = 1e9


cdef double log10_(double x) noexcept nogil:
    return 0.30102999566398120 * v2x_log2(<float>x)


cdef double power(double db) noexcept nogil:
    """Return 10 ** (-db / 10)."""
    return v2x_exp2(<float>(-0.33219280948873623 * db))


cdef double knife_edge(double nu) noexcept nogil:
    """J of ITU-R P.526 4.1 [dB]."""
    cdef double v
    if nu <= -0.78:
        return 0.0
    v = nu - 0.1
    return 6.9 + 20.0 * log10_(sqrt(v * v + 1.0) + v)


cdef double cosine_of_turns(double turns) noexcept nogil:
    """Return cos(2 pi turns)."""
    cdef double b = fabs(turns - floor(turns + 0.5))
    return v2x_sin_quarter(<float>(0.25 - b))


cdef double arc_tangent(double x) noexcept nogil:
    """Return atan(x) [rad]; absolute error below 1e-7."""
    cdef double a = fabs(x)
    cdef double y = 1.0 / a if a > 1.0 else a
    cdef double q = y * y
    cdef double p = -0.00405455
    p = p * q + 0.02186291
    p = p * q - 0.05591227
    p = p * q + 0.09642193
    p = p * q - 0.13908628
    p = p * q + 0.19946565
    p = p * q - 0.33329861
    p = (p * q + 0.99999934) * y
    if a > 1.0:
        p = 1.5707963267948966 - p
    return p if x >= 0.0 else -p


cdef struct End:
    double x, y, z     # antenna
    double ground      # height of the ground under it
    int tube
    double axis_x, axis_y, width
    bint pattern


cdef struct Walk:
    double t, last                   # share of the way into the cell, and to the end
    double t_column, t_row           # share of the way to the next cell of either direction
    double dt_column, dt_row
    int column, row, step_column, step_row


cdef class Grid:
    """A uniform grid of cells and the items in each."""

    cdef double west, south, cell
    cdef int n_columns, n_rows
    cdef const int32_t[::1] first
    cdef const int32_t[::1] item

    def __init__(self, *, double west_m, double south_m, double cell_m, int n_columns, int n_rows,
                 const int32_t[::1] first_item, const int32_t[::1] item):
        need("first_item", first_item.shape[0], n_columns * n_rows + 1)
        need("item", item.shape[0], first_item[n_columns * n_rows])
        if n_columns < 1 or n_rows < 1 or not cell_m > 0:
            raise ValueError("a grid needs cells")
        self.west, self.south, self.cell = west_m, south_m, cell_m
        self.n_columns, self.n_rows = n_columns, n_rows
        self.first, self.item = first_item, item

    cdef bint start(self, Walk *w, double ax, double ay, double bx, double by) noexcept nogil:
        """Clip the line to the grid and stand in its first cell; False if they do not meet."""
        cdef double x = (ax - self.west) / self.cell
        cdef double y = (ay - self.south) / self.cell
        cdef double dx = (bx - ax) / self.cell
        cdef double dy = (by - ay) / self.cell
        cdef double t0 = 0.0, t1 = 1.0
        if not clip(x, dx, 0.0, self.n_columns, &t0, &t1):
            return False
        if not clip(y, dy, 0.0, self.n_rows, &t0, &t1):
            return False
        w.t = t0
        w.last = t1
        w.column = min(max(<int>floor(x + t0 * dx), 0), self.n_columns - 1)
        w.row = min(max(<int>floor(y + t0 * dy), 0), self.n_rows - 1)
        w.step_column = 1 if dx > 0 else -1
        w.step_row = 1 if dy > 0 else -1
        w.dt_column = 1.0 / fabs(dx) if dx != 0 else 1e30
        w.dt_row = 1.0 / fabs(dy) if dy != 0 else 1e30
        w.t_column = (w.column + (1 if dx > 0 else 0) - x) / dx if dx != 0 else 1e30
        w.t_row = (w.row + (1 if dy > 0 else 0) - y) / dy if dy != 0 else 1e30
        return True

    cdef bint forward(self, Walk *w) noexcept nogil:
        """Step into the next cell on the line; False behind its end."""
        if min(w.t_column, w.t_row) > w.last:
            return False
        if w.t_column < w.t_row:
            w.t = w.t_column
            w.column += w.step_column
            w.t_column += w.dt_column
        else:
            w.t = w.t_row
            w.row += w.step_row
            w.t_row += w.dt_row
        return 0 <= w.column < self.n_columns and 0 <= w.row < self.n_rows


cdef bint clip(double p, double d, double low, double high, double *t0,
               double *t1) noexcept nogil:
    """Narrow [t0, t1] to where p + t d lies within [low, high]; False if nothing is left."""
    cdef double a, b, swap
    if d == 0.0:
        return low <= p <= high
    a = (low - p) / d
    b = (high - p) / d
    if a > b:
        swap = a
        a = b
        b = swap
    t0[0] = max(t0[0], a)
    t1[0] = min(t1[0], b)
    return t0[0] <= t1[0]


cdef class ObstacleTracer:
    """Finds obstacle and extra loss of links; see :mod:`v2x.channel.obstacles`.

    Parameters
    ----------
    height, water : (n_rows, n_columns) float32 and uint8
        Terrain grid; empty without terrain.
    west_m, south_m, step_m
        Its south-western point and spacing [m].
    decks : (n_decks, 7) float64
        Deck segments: x, y, z of both ends and half width [m].
    deck_grid, wall_grid
        Cells of decks and walls.
    deck_range : (2, n_cells) float64
        Lowest and highest deck in each cell of `deck_grid` [m].
    walls : (n_walls, 5) float64
        x, y of both ends and height of the roof [m].
    portals : (n_portals, 6) float64
        x, y, z of each mouth, its outward unit vector and half width [m].
    portal_tube : (n_portals,) int32
        Tube behind it.
    slab_db : (n,) float64
        Loss through a deck, tabulated over the cosine of incidence from 0 to 1 [dB].
    reflection : (2, n) float64
        Real and imaginary part of the reflection coefficient of rough water by the sine of the
        grazing angle from 0 to 1, n at least 2; n = 1 switches reflections off.
    heights, seen
        Scratch for the longest profile and one number per deck. Ways through a mouth whose
        profile is longer count as none.
    carrier_ghz, terrain_method, deygout_c_db, deck_cap_db, tunnel_exponent,
    tunnel_bend_db_per_m, mouth_m, on_axis_db, off_axis_low_db, off_axis_high_db,
    water_limit_db, air_db_per_m, beamwidth_deg, downtilt_deg, side_lobe_db
        As in :class:`v2x.channel.obstacle_params.ObstacleParams`; methods 0 none,
        1 Bullington, 2 Deygout.
    """

    cdef const float[:, ::1] height
    cdef const uint8_t[:, ::1] water
    cdef const double[:, ::1] decks
    cdef const double[:, ::1] deck_range
    cdef const double[:, ::1] walls
    cdef const double[:, ::1] portals
    cdef const int32_t[::1] portal_tube
    cdef const double[::1] slab
    cdef const double[:, ::1] reflection
    cdef double[::1] heights
    cdef int32_t[::1] seen
    cdef int mark
    cdef Grid deck_grid, wall_grid
    cdef double west, south, step, longest, wavelength, c_db, cap, exponent, bend, mouth
    cdef double on_axis, off_low, off_high, limit, air
    cdef double beamwidth, downtilt, side_lobe
    cdef int method
    cdef bint has_terrain, has_decks, has_walls, has_water

    def __init__(self, *, const float[:, ::1] height, const uint8_t[:, ::1] water,
                 double west_m, double south_m, double step_m, const double[:, ::1] decks,
                 Grid deck_grid, const double[:, ::1] deck_range,
                 const double[:, ::1] walls, Grid wall_grid,
                 const double[:, ::1] portals, const int32_t[::1] portal_tube,
                 const double[::1] slab_db, const double[:, ::1] reflection,
                 double[::1] heights, int32_t[::1] seen, double carrier_ghz,
                 int terrain_method, double deygout_c_db, double deck_cap_db,
                 double tunnel_exponent, double tunnel_bend_db_per_m, double mouth_m,
                 double on_axis_db, double off_axis_low_db, double off_axis_high_db,
                 double water_limit_db, double air_db_per_m,
                 double beamwidth_deg, double downtilt_deg, double side_lobe_db):
        if decks.shape[0] and decks.shape[1] != 7:
            raise ValueError("decks must have 7 columns")
        if deck_range.shape[0] != 2:
            raise ValueError("deck_range must have two rows")
        need("deck_range", deck_range.shape[1], deck_grid.n_columns * deck_grid.n_rows)
        if walls.shape[0] and walls.shape[1] != 5:
            raise ValueError("walls must have 5 columns")
        if portals.shape[0] and portals.shape[1] != 6:
            raise ValueError("portals must have 6 columns")
        if water.shape[0] != height.shape[0] or water.shape[1] != height.shape[1]:
            raise ValueError("height and water have different shapes")
        if reflection.shape[0] != 2:
            raise ValueError("reflection must have two rows")
        need("portal_tube", portal_tube.shape[0], portals.shape[0])
        need("seen", seen.shape[0], decks.shape[0])
        need("slab_db", slab_db.shape[0], 2)
        need("heights", heights.shape[0], 2)
        self.height, self.water = height, water
        self.west, self.south, self.step = west_m, south_m, step_m
        self.decks, self.deck_grid, self.deck_range = decks, deck_grid, deck_range
        self.walls, self.wall_grid = walls, wall_grid
        self.portals, self.portal_tube = portals, portal_tube
        self.slab, self.reflection = slab_db, reflection
        self.heights, self.seen = heights, seen
        self.mark = 0
        self.longest = step_m * (heights.shape[0] - 2)
        self.wavelength = 0.299792458 / carrier_ghz
        self.method, self.c_db, self.cap = terrain_method, deygout_c_db, deck_cap_db
        self.exponent, self.bend, self.mouth = tunnel_exponent, tunnel_bend_db_per_m, mouth_m
        self.on_axis, self.off_low, self.off_high = on_axis_db, off_axis_low_db, off_axis_high_db
        self.limit, self.air = water_limit_db, air_db_per_m
        self.beamwidth, self.downtilt = beamwidth_deg, downtilt_deg
        self.side_lobe = side_lobe_db
        self.has_terrain = height.shape[0] >= 2 and height.shape[1] >= 2
        self.has_decks = decks.shape[0] > 0
        self.has_walls = walls.shape[0] > 0
        self.has_water = self.has_terrain and reflection.shape[1] > 1

    def ground(self, const float[::1] x, const float[::1] y, double[::1] out):
        """Fill `out` with the height of the ground at positions [m]; 0 without terrain."""
        cdef Py_ssize_t i
        need("y", y.shape[0], x.shape[0])
        need("out", out.shape[0], x.shape[0])
        with nogil:
            for i in range(x.shape[0]):
                out[i] = self.ground_at(x[i], y[i]) if self.has_terrain else 0.0

    def judge(self, const int32_t[::1] row_start, const int32_t[::1] neighbour,
              const float[:, ::1] position, const double[::1] ground, const int32_t[::1] tube,
              const double[:, ::1] axis, const double[::1] width, const uint8_t[::1] pattern,
              const uint8_t[::1] stale, double range_m, uint8_t[::1] obstacle,
              float[::1] extra):
        """Judge the links of `stale` nodes, and those not judged yet, in the lower node's row.

        Parameters
        ----------
        row_start, neighbour
            Rows of the link table, ascending.
        position : (3, n_nodes)
            Antennas [m].
        ground, tube, width, pattern, stale : (n_nodes,)
            Ground below, tube or -1, width of the carriageway [m], whether the node has the
            vertical pattern, whether its links are to be judged again.
        axis : (2, n_nodes)
            Unit vector along the road.
        range_m
            Longer links become unknown again.
        obstacle, extra : (n_links,)
            Get the LinkState of the obstacle (0 none, 255 unknown) and the extra loss [dB].

        Returns
        -------
        int
            Links judged.
        """
        cdef Py_ssize_t n = row_start.shape[0] - 1
        cdef Py_ssize_t i, e, judged = 0
        cdef int j
        cdef double dx, dy, dz, d2, range2 = range_m * range_m
        cdef End a, b
        need("neighbour", neighbour.shape[0], row_start[n])
        need("obstacle", obstacle.shape[0], row_start[n])
        need("extra", extra.shape[0], row_start[n])
        for name, length in (("position", position.shape[1]), ("ground", ground.shape[0]),
                             ("tube", tube.shape[0]), ("axis", axis.shape[1]),
                             ("width", width.shape[0]), ("pattern", pattern.shape[0]),
                             ("stale", stale.shape[0])):
            need(name, length, n)
        if position.shape[0] != 3 or axis.shape[0] != 2:
            raise ValueError("position needs three rows and axis two")
        if self.has_terrain and range_m > self.longest:
            raise ValueError("heights is too short for the longest profile")
        with nogil:
            for i in range(n):
                self.stand(&a, i, position, ground, tube, axis, width, pattern)
                for e in range(row_start[i], row_start[i + 1]):
                    j = neighbour[e]
                    if j <= i:
                        continue
                    if not (stale[i] or stale[j] or obstacle[e] == UNKNOWN):
                        continue
                    dx = position[0, j] - position[0, i]
                    dy = position[1, j] - position[1, i]
                    dz = position[2, j] - position[2, i]
                    d2 = dx * dx + dy * dy + dz * dz
                    if d2 > range2:
                        obstacle[e] = UNKNOWN
                        extra[e] = 0.0
                        continue
                    self.stand(&b, j, position, ground, tube, axis, width, pattern)
                    extra[e] = <float>self.between(&a, &b, sqrt(d2), &obstacle[e])
                    judged += 1
        return judged

    cdef void stand(self, End *end, Py_ssize_t i, const float[:, ::1] position,
                    const double[::1] ground, const int32_t[::1] tube,
                    const double[:, ::1] axis, const double[::1] width,
                    const uint8_t[::1] pattern) noexcept nogil:
        end.x = position[0, i]
        end.y = position[1, i]
        end.z = position[2, i]
        end.ground = ground[i]
        end.tube = tube[i]
        end.axis_x = axis[0, i]
        end.axis_y = axis[1, i]
        end.width = width[i]
        end.pattern = pattern[i]

    cdef double between(self, const End *a, const End *b, double d,
                        uint8_t *state) noexcept nogil:
        """Judge one link; returns its extra loss [dB]."""
        cdef double loss
        if a.tube >= 0 or b.tube >= 0:
            if a.tube == b.tube:
                state[0] = TUNNEL
                loss = self.bend_db(a, b, d)
            elif a.tube >= 0 and b.tube >= 0:
                state[0] = BLOCKED
                return BLOCKED_DB
            elif a.tube >= 0:
                loss = self.portal_db(a, b, d)
                state[0] = TUNNEL if loss < NO_WAY else BLOCKED
            else:
                loss = self.portal_db(b, a, d)
                state[0] = TUNNEL if loss < NO_WAY else BLOCKED
            if state[0] == BLOCKED:
                return BLOCKED_DB
        else:
            loss = self.open_db(a, b, state) + self.air * d
        return loss + self.pattern_db(a, b)

    cdef double pattern_db(self, const End *a, const End *b) noexcept nogil:
        """Return the losses of the vertical patterns at both ends [dB]."""
        cdef double dx, dy, run, up, loss = 0.0
        if not (a.pattern or b.pattern):
            return 0.0
        dx = b.x - a.x
        dy = b.y - a.y
        run = sqrt(dx * dx + dy * dy)
        up = 57.29577951308232 * arc_tangent((b.z - a.z) / max(run, 1e-9))
        if a.pattern:
            loss += self.off_beam_db(up)
        if b.pattern:
            loss += self.off_beam_db(-up)
        return loss

    cdef double off_beam_db(self, double elevation) noexcept nogil:
        cdef double off = (elevation + self.downtilt) / self.beamwidth
        return min(12.0 * off * off, self.side_lobe)

    # Tubes

    cdef double bend_db(self, const End *a, const End *b, double d) noexcept nogil:
        """Loss behind a bend: beyond the longest sight in a curve as sharp as between the ends."""
        cdef double turn = fabs(a.axis_x * b.axis_y - a.axis_y * b.axis_x)
        cdef double along = fabs(a.axis_x * b.axis_x + a.axis_y * b.axis_y)
        cdef double psi = arc_tangent(turn / max(along, 1e-12))
        cdef double sight
        if psi <= 1e-9:
            return 0.0
        sight = 2.0 * sqrt(2.0 * (d / psi) * min(a.width, b.width))
        return self.bend * (d - sight) if d > sight else 0.0

    cdef double portal_db(self, const End *inside, const End *out, double d) noexcept nogil:
        """Least loss through a mouth of the tube, NO_WAY if none looks at the other end."""
        cdef Py_ssize_t k
        cdef double best = NO_WAY
        cdef double mx, my, mz, ox, oy, ahead, plan, theta, dx, dy, across, t, loss, way
        cdef bint cut
        for k in range(self.portals.shape[0]):
            if self.portal_tube[k] != inside.tube:
                continue
            mx = self.portals[k, 0]
            my = self.portals[k, 1]
            mz = self.portals[k, 2] + self.mouth
            ox = self.portals[k, 3]
            oy = self.portals[k, 4]
            dx = out.x - mx
            dy = out.y - my
            ahead = dx * ox + dy * oy
            if ahead <= 0.0:
                continue
            plan = sqrt(dx * dx + dy * dy)
            if self.has_terrain and plan > self.longest:
                continue
            # where the plan line between the ends crosses the plane of the portal
            t = (inside.x - mx) * ox + (inside.y - my) * oy
            across = NO_WAY
            if t <= 0.0:
                t = t / (t - ahead)
                across = fabs((inside.x + t * (out.x - inside.x) - mx) * oy
                              - (inside.y + t * (out.y - inside.y) - my) * ox)
            if across <= self.portals[k, 5]:
                loss = self.on_axis
            else:
                theta = 0.6366197723675814 * arc_tangent(
                    fabs(dx * oy - dy * ox) / max(ahead, 1e-12))
                loss = self.off_low + (self.off_high - self.off_low) * theta
            way = (sqrt((inside.x - mx) ** 2 + (inside.y - my) ** 2 + (inside.z - mz) ** 2)
                   + sqrt(plan * plan + (out.z - mz) ** 2))
            # The law of the tube holds from one metre on.
            loss += 10.0 * self.exponent * log10_(max(way, 1.0) / max(d, 1.0))
            if self.has_terrain and self.method != NO_METHOD:
                loss += self.ground_db(mx, my, mz, self.ground_at(mx, my), out.x, out.y, out.z,
                                       out.ground, &cut)
            best = min(best, loss)
        return best

    # Under the sky

    cdef double open_db(self, const End *a, const End *b, uint8_t *state) noexcept nogil:
        cdef double loss = 0.0
        cdef bint cut = False
        state[0] = NONE
        if self.has_terrain and self.method != NO_METHOD:
            loss = self.ground_db(a.x, a.y, a.z, a.ground, b.x, b.y, b.z, b.ground, &cut)
            if cut:
                state[0] = TERRAIN
        if self.has_decks:
            loss += self.decks_db(a.x, a.y, a.z, b.x, b.y, b.z, False, &cut)
            if cut:
                state[0] = DECK
        # Last, for its law is the only one that holds what buildings cost.
        if self.has_walls and self.behind_wall(a, b):
            state[0] = NLOS
        if state[0] == NONE and self.has_water:
            loss += self.water_db(a, b)
        return loss

    cdef double ground_at(self, double x, double y) noexcept nogil:
        return self.ground_cell((y - self.south) / self.step, (x - self.west) / self.step)

    cdef double ground_cell(self, double row, double column) noexcept nogil:
        """Height by grid coordinates; outside the grid its rim holds."""
        return self.ground_within(min(max(row, 0.0), self.height.shape[0] - 1.0),
                                  min(max(column, 0.0), self.height.shape[1] - 1.0))

    cdef inline double ground_within(self, double row, double column) noexcept nogil:
        """Height by coordinates on the grid: bilinear, and level between equal heights."""
        cdef Py_ssize_t i = min(<Py_ssize_t>row, self.height.shape[0] - 2)
        cdef Py_ssize_t j = min(<Py_ssize_t>column, self.height.shape[1] - 2)
        cdef double right = column - j
        cdef const float *low = &self.height[i, j]
        cdef const float *high = &self.height[i + 1, j]
        cdef double lower = low[0] + right * (<double>low[1] - low[0])
        cdef double upper = high[0] + right * (<double>high[1] - high[0])
        return lower + (row - i) * (upper - lower)

    cdef bint on_grid(self, double row, double column) noexcept nogil:
        return (0.0 <= row <= self.height.shape[0] - 1.0
                and 0.0 <= column <= self.height.shape[1] - 1.0)

    cdef double ground_db(self, double ax, double ay, double az, double ga, double bx, double by,
                          double bz, double gb, bint *cut) noexcept nogil:
        """Loss by the ground beyond that of a straight line between the ground at both ends."""
        cdef double run = sqrt((bx - ax) ** 2 + (by - ay) ** 2)
        # The slack keeps lengths of whole steps from gaining a point by rounding.
        cdef int n = <int>ceil(run / self.step - 1e-6)
        cdef int k
        cdef double row, column, row_step, column_step, share, loss, bound
        cdef bint plain_cut
        cut[0] = False
        if n < 2:
            return 0.0
        share = 1.0 / n
        row = (ay - self.south) / self.step
        column = (ax - self.west) / self.step
        row_step = (by - ay) / self.step * share
        column_step = (bx - ax) / self.step * share
        if (self.on_grid(row, column)
                and self.on_grid(row + n * row_step, column + n * column_step)):
            for k in range(1, n):
                self.heights[k] = self.ground_within(row + k * row_step, column + k * column_step)
        else:
            for k in range(1, n):
                self.heights[k] = self.ground_cell(row + k * row_step, column + k * column_step)
        loss = self.profile_db(n, run, az, bz, cut)
        if loss <= 0.0:
            return 0.0
        # A plane under antennas that stand high enough over it costs nothing: its largest nu is
        # below -2 sqrt(2 h_a h_b / (lambda d)).
        bound = (az - ga) * (bz - gb)
        if az > ga and bz > gb and 2.0 * sqrt(2.0 * bound / (self.wavelength * run)) >= 0.78:
            return loss
        for k in range(1, n):
            self.heights[k] = ga + k * share * (gb - ga)
        return max(0.0, loss - self.profile_db(n, run, az, bz, &plain_cut))

    cdef double profile_db(self, int n, double d, double za, double zb,
                           bint *cut) noexcept nogil:
        if self.method == DEYGOUT:
            return self.deygout_db(n, d, za, zb, cut)
        return self.bullington_db(n, d, za, zb, cut)

    cdef double bullington_db(self, int n, double d, double za, double zb,
                              bint *cut) noexcept nogil:
        """ITU-R P.526 4.5.1 over a flat Earth, lengths in metres.

        Past the horizon nu is sqrt(2 d alpha beta / lambda), the slopes being those of the
        horizon rays above the straight line.
        """
        cdef int k
        cdef double s, over, nu, luc, square, spread
        cdef double alpha = -1.0, beta = -1.0
        # the least clearance squared over s (1 - s), as a fraction that needs no division
        cdef double nearest = 1e30, nearest_spread = 1.0
        cdef double share = 1.0 / n, rise = zb - za
        for k in range(1, n):
            s = k * share
            over = self.heights[k] - za - s * rise
            if over > 0.0:
                alpha = max(alpha, over / s)
                beta = max(beta, over / (1.0 - s))
            else:
                square = over * over
                spread = s * (1.0 - s)
                if square * nearest_spread < nearest * spread:
                    nearest = square
                    nearest_spread = spread
        cut[0] = alpha > 0.0
        if cut[0]:
            nu = sqrt(2.0 * alpha * beta / (self.wavelength * d))
        else:
            nu = -sqrt(2.0 * nearest / (nearest_spread * self.wavelength * d))
        luc = knife_edge(nu)
        if luc <= 0.0:
            return 0.0
        return luc + (1.0 - v2x_exp2(<float>(-0.24044917348149390 * luc))) * (10.0 + 2e-5 * d)

    cdef double deygout_db(self, int n, double d, double za, double zb,
                           bint *cut) noexcept nogil:
        """Three edges, ITU-R P.526-11 and earlier."""
        cdef double nu, nu_left, nu_right, main, loss
        cdef int p, side
        p = self.main_edge(0, n, n, d, za, zb, &nu)
        cut[0] = p > 0 and nu >= 0.0
        if p <= 0 or nu <= -0.78:
            return 0.0
        main = knife_edge(nu)
        loss = self.c_db + 4e-5 * d
        side = self.main_edge(0, p, n, d, za, self.heights[p], &nu_left)
        if side > 0:
            loss += knife_edge(nu_left)
        side = self.main_edge(p, n, n, d, self.heights[p], zb, &nu_right)
        if side > 0:
            loss += knife_edge(nu_right)
        return main + (1.0 - v2x_exp2(<float>(-0.24044917348149390 * main))) * loss

    cdef int main_edge(self, int first, int last, int n, double d, double z0, double z1,
                       double *nu) noexcept nogil:
        """Return the point between with the largest nu, -1 if there is none."""
        cdef int k, best = -1
        cdef double s, over, v, length = d * (last - first) / n
        nu[0] = -1e30
        for k in range(first + 1, last):
            s = <double>(k - first) / (last - first)
            over = self.heights[k] - z0 - s * (z1 - z0)
            v = over * sqrt(2.0 / (self.wavelength * length * s * (1.0 - s)))
            if v > nu[0]:
                nu[0] = v
                best = k
        return best

    cdef bint behind_wall(self, const End *a, const End *b) noexcept nogil:
        cdef Walk w
        cdef int k, item
        cdef Py_ssize_t cell
        cdef double dx = b.x - a.x, dy = b.y - a.y
        cdef double wx, wy, ex, ey, cross, t, u
        if not self.wall_grid.start(&w, a.x, a.y, b.x, b.y):
            return False
        while True:
            cell = <Py_ssize_t>w.row * self.wall_grid.n_columns + w.column
            for k in range(self.wall_grid.first[cell], self.wall_grid.first[cell + 1]):
                item = self.wall_grid.item[k]
                wx = self.walls[item, 2] - self.walls[item, 0]
                wy = self.walls[item, 3] - self.walls[item, 1]
                cross = dx * wy - dy * wx
                if cross == 0.0:
                    continue
                ex = self.walls[item, 0] - a.x
                ey = self.walls[item, 1] - a.y
                t = (ex * wy - ey * wx) / cross
                u = (ex * dy - ey * dx) / cross
                if 0.0 <= t <= 1.0 and 0.0 <= u <= 1.0:
                    if a.z + t * (b.z - a.z) < self.walls[item, 4]:
                        return True
            if not self.wall_grid.forward(&w):
                return False

    cdef double decks_db(self, double ax, double ay, double az, double bx, double by, double bz,
                         bint only_whether, bint *cut) noexcept nogil:
        """Loss by all decks that the line pierces; 0 and at once if asked `only_whether`."""
        cdef Walk w
        cdef int k, item
        cdef Py_ssize_t cell
        cdef double one, enter, leave, low, high, loss = 0.0
        cdef double d = sqrt((bx - ax) ** 2 + (by - ay) ** 2 + (bz - az) ** 2)
        cut[0] = False
        if not self.deck_grid.start(&w, ax, ay, bx, by):
            return 0.0
        self.mark += 1
        while True:
            cell = <Py_ssize_t>w.row * self.deck_grid.n_columns + w.column
            # A cut lies in the cell of its point: at the height of the line there.
            enter = az + w.t * (bz - az)
            leave = az + min(min(w.t_column, w.t_row), w.last) * (bz - az)
            low = min(enter, leave) - 1e-6
            high = max(enter, leave) + 1e-6
            if self.deck_range[0, cell] < high and self.deck_range[1, cell] > low:
                for k in range(self.deck_grid.first[cell], self.deck_grid.first[cell + 1]):
                    item = self.deck_grid.item[k]
                    if (max(self.decks[item, 2], self.decks[item, 5]) <= low
                            or min(self.decks[item, 2], self.decks[item, 5]) >= high
                            or self.seen[item] == self.mark):
                        continue
                    self.seen[item] = self.mark
                    one = self.deck_db(&self.decks[item, 0], ax, ay, az, bx, by, bz, d,
                                       only_whether)
                    if one >= 0.0:
                        cut[0] = True
                        if only_whether:
                            return 0.0
                        loss += one
            if not self.deck_grid.forward(&w):
                return min(loss, self.cap)

    cdef double deck_db(self, const double *deck, double ax, double ay, double az, double bx,
                        double by, double bz, double d, bint only_whether) noexcept nogil:
        """Loss by one deck segment, -1 if the line does not pierce it."""
        cdef double ux = deck[3] - deck[0], uy = deck[4] - deck[1]
        cdef double length = sqrt(ux * ux + uy * uy)
        cdef double half = deck[6]
        cdef double slope = (deck[5] - deck[2]) / length
        cdef double sa, sb, ca, cb, t0 = 0.0, t1 = 1.0, f0, f1, where, sum_
        ux /= length
        uy /= length
        sa = (ax - deck[0]) * ux + (ay - deck[1]) * uy
        ca = (ay - deck[1]) * ux - (ax - deck[0]) * uy
        sb = (bx - deck[0]) * ux + (by - deck[1]) * uy
        cb = (by - deck[1]) * ux - (bx - deck[0]) * uy
        if not clip(sa, sb - sa, 0.0, length, &t0, &t1):
            return -1.0
        if not clip(ca, cb - ca, -half, half, &t0, &t1):
            return -1.0
        f0 = az + t0 * (bz - az) - deck[2] - slope * (sa + t0 * (sb - sa))
        f1 = az + t1 * (bz - az) - deck[2] - slope * (sa + t1 * (sb - sa))
        if not f0 * f1 < 0.0:
            return -1.0
        if only_whether:
            return 0.0
        where = fabs(bz - az) / max(d, 1e-9) * (self.slab.shape[0] - 1)
        sum_ = power(self.slab_at(where))
        sum_ += power(self.edge_db(sa, ca - half, az - deck[2], sb, cb - half, bz - deck[2],
                                   slope, d))
        sum_ += power(self.edge_db(sa, ca + half, az - deck[2], sb, cb + half, bz - deck[2],
                                   slope, d))
        return max(0.0, -10.0 * log10_(sum_))

    cdef double slab_at(self, double where) noexcept nogil:
        cdef Py_ssize_t k = min(<Py_ssize_t>where, self.slab.shape[0] - 2)
        return self.slab[k] + (self.slab[k + 1] - self.slab[k]) * (where - k)

    cdef double edge_db(self, double sa, double ca, double za, double sb, double cb, double zb,
                        double slope, double d) noexcept nogil:
        """Knife edge along a line through the origin, rising by `slope` along s."""
        cdef double norm = 1.0 + slope * slope
        cdef double along_a = (sa + slope * za) / sqrt(norm)
        cdef double along_b = (sb + slope * zb) / sqrt(norm)
        cdef double pa = sqrt(max(sa * sa + ca * ca + za * za - along_a * along_a, 0.0))
        cdef double pb = sqrt(max(sb * sb + cb * cb + zb * zb - along_b * along_b, 0.0))
        cdef double way = sqrt((pa + pb) ** 2 + (along_a - along_b) ** 2)
        return knife_edge(2.0 * sqrt(max(way - d, 0.0) / self.wavelength))

    cdef double water_db(self, const End *a, const End *b) noexcept nogil:
        """Loss by the ray that water reflects, where it reaches the other end."""
        cdef double share = 0.5
        cdef double x, y, z, ha, hb, run, direct, reflected, sine, turns, in_phase, in_quadrature
        cdef double re, im, where
        cdef Py_ssize_t k
        cdef bint hidden
        cdef int turn
        # The point of reflection depends on the level of the water, which is that of the ground
        # there; rivers are level, so that two rounds are enough.
        for turn in range(3):
            x = a.x + share * (b.x - a.x)
            y = a.y + share * (b.y - a.y)
            z = self.ground_at(x, y)
            ha = a.z - z
            hb = b.z - z
            if turn < 2:
                share = ha / (ha + hb) if ha > 0.0 and hb > 0.0 else 0.5
        if ha <= 0.0 or hb <= 0.0 or not self.wet(x, y):
            return 0.0
        if self.has_decks:
            # Two vehicles on one bridge do not see the river: their own deck hides it.
            self.decks_db(a.x, a.y, a.z, x, y, z, True, &hidden)
            if hidden:
                return 0.0
            self.decks_db(b.x, b.y, b.z, x, y, z, True, &hidden)
            if hidden:
                return 0.0
        run = (b.x - a.x) ** 2 + (b.y - a.y) ** 2
        direct = sqrt(run + (ha - hb) ** 2)
        reflected = sqrt(run + (ha + hb) ** 2)
        sine = (ha + hb) / reflected
        where = sine * (self.reflection.shape[1] - 1)
        k = min(<Py_ssize_t>where, self.reflection.shape[1] - 2)
        where -= k
        re = self.reflection[0, k] + where * (self.reflection[0, k + 1] - self.reflection[0, k])
        im = self.reflection[1, k] + where * (self.reflection[1, k + 1] - self.reflection[1, k])
        turns = 4.0 * ha * hb / (direct + reflected) / self.wavelength
        in_phase = cosine_of_turns(turns)
        in_quadrature = cosine_of_turns(turns + 0.25)        # -sin
        share = direct / reflected
        x = 1.0 + share * (re * in_phase - im * in_quadrature)
        y = share * (re * in_quadrature + im * in_phase)
        return min(-10.0 * log10_(max(x * x + y * y, 1e-12)), self.limit)

    cdef bint wet(self, double x, double y) noexcept nogil:
        """Whether the nearest terrain point lies on water."""
        cdef Py_ssize_t row = <Py_ssize_t>floor((y - self.south) / self.step + 0.5)
        cdef Py_ssize_t column = <Py_ssize_t>floor((x - self.west) / self.step + 0.5)
        return (0 <= row < self.water.shape[0] and 0 <= column < self.water.shape[1]
                and self.water[row, column] != 0)
