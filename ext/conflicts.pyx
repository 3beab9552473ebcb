# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Who is about to touch whom: pairs on collision course, and paths that crossed.

The grid of cells, the rectangles and the roads are explained in :mod:`v2x.sim.safety.conflicts`.
"""

from libc.math cimport INFINITY, NAN, copysign, fabs, floor, fmax, fmin, sqrt
from libc.stdint cimport int32_t, int64_t, uint32_t

from lengths cimport need

#: Columns of `motion`, `place`, `pairs` and `values`, and of `trail`, `crossers` and `times`.
MOTION_COLUMNS, PLACE_COLUMNS, PAIR_COLUMNS, VALUE_COLUMNS = 15, 9, 4, 5
TRAIL_COLUMNS, CROSSER_COLUMNS, TIME_COLUMNS = 3, 2, 5

cdef enum:
    NONE = -1
    # motion
    X = 0
    Y = 1
    Z = 2
    HX = 3
    HY = 4
    SPEED = 5
    ACCELERATION = 6
    CLIMB = 7
    HALF_LENGTH = 8
    HALF_WIDTH = 9
    HEIGHT = 10
    DRIFT = 11
    LEADER_GAP = 12
    OFFSET = 13
    EDGE_LENGTH = 14
    # place
    LEVEL = 0
    ROAD = 1
    WAY = 2
    BEGIN = 3
    END = 4
    LEADER = 5
    ON_WHEELS = 6
    ONTO = 7
    LANE = 8
    # relations
    ALONG_SAME = 1
    ALONG_OPPOSITE = 2
    ACROSS = 3
    BESIDE = 4
    INTO_ONE = 5
    # ways between which the trail lists of a cell tell apart
    DIRECTIONS = 4
    # trail
    ROW = 0
    TICK = 1
    NEXT = 2

#: Cosine of 30 degrees: directions that differ by less are alike.
cdef double ALIKE = 0.8660254037844387
#: Cosine of 45 degrees: paths that cross at less of an angle merge rather than cross.
cdef double SQUARE = 0.7071067811865476
#: Where two headings add up to less than this, the road between them is a hairpin.
cdef double STRAIGHTEST = 0.5
#: By how much directions on a polyline may be off those of the road it stands for.
cdef double BENT = 0.15
#: Accelerations below this are none [m/s2]; slack of a contact [m].
cdef double STEADY = 1e-9
cdef double SLACK = 1e-9
#: Roads that share a junction meet no farther from it than this [m] ...
cdef double NEAR_M = 30.0
#: ... and nobody goes straight on beyond it for longer than this [m].
cdef double BEYOND_M = 15.0
#: Speed below which nobody enters a crossing [m/s].
cdef double CREEPING = 0.1
#: Farther from a noted place than this, a path may have bent [m].
cdef double LOCAL_M = 4.0
cdef double NOTED_M = 3.0

cdef struct Encounter:
    int n_axes
    double d[4]       # distance along the axis
    double r[4]       # where bodies begin to overlap on it
    double ui[4]      # share of each vehicle's motion along it
    double uj[4]


cdef inline double nearest(double dx, double period) noexcept nogil:
    if period > 0:
        dx -= period * floor(dx / period + 0.5)
    return dx


cdef double contact(const Encounter *pair, double vi, double vj) noexcept nogil:
    """Return the time until bodies overlap on all axes at constant speeds, or infinity."""
    cdef int k
    cdef double v, one, other, begin = 0.0, end = INFINITY
    for k in range(pair.n_axes):
        v = vj * pair.uj[k] - vi * pair.ui[k]
        if v == 0.0:
            if fabs(pair.d[k]) >= pair.r[k]:
                return INFINITY
            continue
        one = (-pair.r[k] - pair.d[k]) / v
        other = (pair.r[k] - pair.d[k]) / v
        begin = fmax(begin, fmin(one, other))
        end = fmin(end, fmax(one, other))
    return begin if begin < end else INFINITY


cdef bint touching(const Encounter *pair, const double *d, const double *v, const double *a,
                   double t) noexcept nogil:
    cdef int k
    for k in range(pair.n_axes):
        if fabs(d[k] + t * (v[k] + 0.5 * a[k] * t)) > pair.r[k] + SLACK:
            return False
    return True


cdef double contact_within(const Encounter *pair, const double *d, const double *v,
                           const double *a, double limit) noexcept nogil:
    """Return the time until bodies overlap at constant accelerations, or infinity."""
    cdef int k, side, root
    cdef double c, q, disc, t, best = INFINITY
    cdef double[2] roots
    if touching(pair, d, v, a, 0.0):
        return 0.0
    for k in range(pair.n_axes):
        for side in range(2):
            c = d[k] + (pair.r[k] if side else -pair.r[k])
            roots[0] = roots[1] = -1.0
            if fabs(a[k]) < STEADY:
                if v[k] != 0.0:
                    roots[0] = -c / v[k]
            else:
                disc = v[k] * v[k] - 2.0 * a[k] * c
                if disc >= 0.0:
                    q = -(v[k] + copysign(sqrt(disc), v[k]))
                    roots[0] = q / a[k]
                    if q != 0.0:
                        roots[1] = 2.0 * c / q
            for root in range(2):
                t = roots[root]
                if t >= 0.0 and t <= limit and t < best and touching(pair, d, v, a, t):
                    best = t
    return best


cdef double modified_contact(const Encounter *pair, double vi, double vj, double ai, double aj,
                             double limit) noexcept nogil:
    """Return the time to contact at constant accelerations; who has stopped stands."""
    cdef int k, _
    cdef double t = 0.0, step, found
    cdef double[4] d
    cdef double[4] v
    cdef double[4] a
    for k in range(pair.n_axes):
        d[k] = pair.d[k]
    for _ in range(3):
        step = limit - t
        if ai < 0.0:
            if vi <= 0.0:
                ai = 0.0
            else:
                step = fmin(step, -vi / ai)
        if aj < 0.0:
            if vj <= 0.0:
                aj = 0.0
            else:
                step = fmin(step, -vj / aj)
        for k in range(pair.n_axes):
            v[k] = vj * pair.uj[k] - vi * pair.ui[k]
            a[k] = aj * pair.uj[k] - ai * pair.ui[k]
        found = contact_within(pair, d, v, a, step)
        if found < INFINITY:
            return t + found
        for k in range(pair.n_axes):
            d[k] += step * (v[k] + 0.5 * a[k] * step)
        # Who stops in this phase stops for good, whatever rounding leaves.
        vi = 0.0 if ai < 0.0 and step == -vi / ai else vi + ai * step
        vj = 0.0 if aj < 0.0 and step == -vj / aj else vj + aj * step
        t += step
        if t >= limit:
            break
    return INFINITY


cdef bint on_meeting_roads(const int32_t *one, const int32_t *other) noexcept nogil:
    """Whether two road users are on roads that meet, so that they can touch at all."""
    if one[ROAD] < 0 or other[ROAD] < 0:
        return one[LEVEL] == other[LEVEL]
    return (one[ROAD] == other[ROAD]
            or one[BEGIN] == other[BEGIN] or one[BEGIN] == other[END]
            or one[END] == other[BEGIN] or one[END] == other[END])


cdef bint at_one_height(const double *one, const double *other, double t) noexcept nogil:
    """Whether bodies overlap in height at a time, if roads go on as steep as they are."""
    cdef double dz = other[Z] - one[Z]
    if t > 0.0 and t < INFINITY:
        dz += t * (other[CLIMB] - one[CLIMB])
    return dz < one[HEIGHT] and -dz < other[HEIGHT]


cdef int relate(const double *mi, const double *mj, const int32_t *pi, const int32_t *pj,
                double dx, double dy, Encounter *pair) noexcept nogil:
    """Fill in how two vehicles move towards each other; return their relation or 0."""
    cdef double cosine = mi[HX] * mj[HX] + mi[HY] * mj[HY]
    cdef double sine = mi[HX] * mj[HY] - mi[HY] * mj[HX]
    cdef double sense, tx, ty, norm, across, along, beside
    cdef bint same_road = (pi[ROAD] >= 0 and pi[ROAD] == pj[ROAD]
                           and pi[ON_WHEELS] and pj[ON_WHEELS])
    if same_road:
        # In the frame of the road: the chord of an arc has the mean direction of its ends.
        sense = 1.0 if pi[WAY] == pj[WAY] else -1.0
        tx, ty = mi[HX] + sense * mj[HX], mi[HY] + sense * mj[HY]
        norm = sqrt(tx * tx + ty * ty)
        if norm < STRAIGHTEST:
            return 0
        tx /= norm
        ty /= norm
        along = dx * tx + dy * ty
        across = dy * tx - dx * ty
        beside = mi[HALF_WIDTH] + mj[HALF_WIDTH]
        pair.n_axes = 1
        pair.d[0] = along
        pair.r[0] = mi[HALF_LENGTH] + mj[HALF_LENGTH]
        pair.ui[0] = 1.0
        pair.uj[0] = sense
        if fabs(across) < beside + BENT * fabs(along):
            return ALONG_SAME if sense > 0 else ALONG_OPPOSITE
        return BESIDE if sense > 0 else 0
    if cosine > ALIKE and pi[ROAD] >= 0 and pj[ROAD] >= 0 and pi[ON_WHEELS] and pj[ON_WHEELS]:
        # Roads at a small angle overlap on the map where lanes do not yet, or no more.
        if pi[ONTO] < 0 or pi[ONTO] != pj[ONTO] or pi[LANE] != pj[LANE]:
            return 0
        pair.n_axes = 1
        pair.d[0] = (mi[EDGE_LENGTH] - mi[OFFSET]) - (mj[EDGE_LENGTH] - mj[OFFSET])
        pair.r[0] = mi[HALF_LENGTH] + mj[HALF_LENGTH]
        pair.ui[0] = 1.0
        pair.uj[0] = 1.0
        return INTO_ONE
    pair.n_axes = 4
    pair.d[0] = dx * mi[HX] + dy * mi[HY]
    pair.d[1] = dy * mi[HX] - dx * mi[HY]
    pair.d[2] = dx * mj[HX] + dy * mj[HY]
    pair.d[3] = dy * mj[HX] - dx * mj[HY]
    pair.r[0] = mi[HALF_LENGTH] + mj[HALF_LENGTH] * fabs(cosine) + mj[HALF_WIDTH] * fabs(sine)
    pair.r[1] = mi[HALF_WIDTH] + mj[HALF_LENGTH] * fabs(sine) + mj[HALF_WIDTH] * fabs(cosine)
    pair.r[2] = mj[HALF_LENGTH] + mi[HALF_LENGTH] * fabs(cosine) + mi[HALF_WIDTH] * fabs(sine)
    pair.r[3] = mj[HALF_WIDTH] + mi[HALF_LENGTH] * fabs(sine) + mi[HALF_WIDTH] * fabs(cosine)
    pair.ui[0] = 1.0
    pair.ui[1] = 0.0
    pair.ui[2] = cosine
    pair.ui[3] = -sine
    pair.uj[0] = cosine
    pair.uj[1] = sine
    pair.uj[2] = 1.0
    pair.uj[3] = 0.0
    return ACROSS


cdef double into_one(const Encounter *pair, const double *mi, const double *mj) noexcept nogil:
    """Return the time to contact in the lane that both come into, or infinity."""
    cdef double v = mj[SPEED] - mi[SPEED], begin = 0.0, end = INFINITY, one, other, arrival
    one = (mi[EDGE_LENGTH] - mi[OFFSET] - mi[HALF_LENGTH]) / fmax(mi[SPEED], SLACK)
    other = (mj[EDGE_LENGTH] - mj[OFFSET] - mj[HALF_LENGTH]) / fmax(mj[SPEED], SLACK)
    arrival = fmax(one, other)
    if v == 0.0:
        if fabs(pair.d[0]) >= pair.r[0]:
            return INFINITY
    else:
        one = (-pair.r[0] - pair.d[0]) / v
        other = (pair.r[0] - pair.d[0]) / v
        begin, end = fmin(one, other), fmax(one, other)
    begin = fmax(fmax(begin, arrival), 0.0)
    return begin if begin < end else INFINITY


cdef bint near_junction(const double *m, const int32_t *one, const int32_t *other,
                        double ttc) noexcept nogil:
    """Whether contact is where the road of a vehicle meets that of another one."""
    cdef double at = m[OFFSET] + m[SPEED] * ttc
    if one[END] == other[BEGIN] or one[END] == other[END]:
        if at >= m[EDGE_LENGTH] - NEAR_M and at <= m[EDGE_LENGTH] + BEYOND_M:
            return True
    return (one[BEGIN] == other[BEGIN] or one[BEGIN] == other[END]) and at <= NEAR_M


cdef inline bint turning(const double *m, const int32_t *place) noexcept nogil:
    """Whether a body lies across a node, where it is drawn in one direction only."""
    return place[ROAD] >= 0 and place[ON_WHEELS] and m[OFFSET] < m[HALF_LENGTH]


cdef double needed_braking(int relation, const Encounter *pair, const double *mi,
                           const double *mj, double dx, double dy, double ttc,
                           int *yields) noexcept nogil:
    """Return the deceleration that avoids contact [m/s2] and who brakes, 0 for i and 1 for j.

    In the same direction the rear one, who closes in; in opposite directions both alike (and i
    is named); at a crossing who would enter it later, and stops in front of it.
    """
    cdef double cosine = mi[HX] * mj[HX] + mi[HY] * mj[HY]
    cdef double sine = mi[HX] * mj[HY] - mi[HY] * mj[HX]
    cdef double gap, closing, entry_i, entry_j, reach, needed
    cdef const double *rear
    yields[0] = 0
    if relation == ALONG_OPPOSITE:
        gap = fabs(pair.d[0]) - pair.r[0]
        return (mi[SPEED] * mi[SPEED] + mj[SPEED] * mj[SPEED]) / (2.0 * gap) if gap > 0 else NAN
    if relation != ACROSS or cosine > ALIKE:
        # Along the direction of i; the rear one is behind.
        yields[0] = 0 if pair.d[0] > 0 else 1
        gap = fabs(pair.d[0]) - pair.r[0]
        closing = pair.uj[0] * mj[SPEED] - pair.ui[0] * mi[SPEED]
        closing = -closing if pair.d[0] > 0 else closing
        needed = NAN
        if gap > 0:
            needed = closing * closing / (2.0 * gap) if closing > 0 else 0.0
        rear = mj if yields[0] else mi
        reach = rear[EDGE_LENGTH] - rear[OFFSET] - rear[HALF_LENGTH]
        if relation == INTO_ONE and reach > 0:
            # Before lanes become one it is enough to stop in front of the place.
            needed = fmin(needed, rear[SPEED] * rear[SPEED] / (2.0 * reach))
        return needed
    if cosine < -ALIKE:
        gap = mi[SPEED] * ttc + mj[SPEED] * ttc
        return (mi[SPEED] * mi[SPEED] + mj[SPEED] * mj[SPEED]) / (2.0 * gap) if gap > 0 else NAN
    reach = (fabs(sine) * mi[HALF_LENGTH] + fabs(cosine) * mi[HALF_WIDTH] + mj[HALF_WIDTH])
    entry_i = ((dx * mj[HY] - dy * mj[HX]) / sine - reach / fabs(sine)) / fmax(mi[SPEED], SLACK)
    reach = (fabs(sine) * mj[HALF_LENGTH] + fabs(cosine) * mj[HALF_WIDTH] + mi[HALF_WIDTH])
    entry_j = ((dx * mi[HY] - dy * mi[HX]) / sine - reach / fabs(sine)) / fmax(mj[SPEED], SLACK)
    yields[0] = 1 if entry_j > entry_i else 0
    # Who stands cannot give way; the other one has to.
    if mi[SPEED] <= CREEPING or mj[SPEED] <= CREEPING:
        yields[0] = 0 if mi[SPEED] > mj[SPEED] else 1
    if ttc <= 0.0:
        return NAN
    return (mj[SPEED] if yields[0] else mi[SPEED]) / (2.0 * ttc)


def fill_scene(const int32_t[::1] row, const int64_t[::1] identity, const int32_t[::1] kind,
               const double[::1] x_m, const double[::1] y_m, const double[::1] z_m,
               const double[::1] heading_rad, const double[::1] cosine, const double[::1] sine,
               const double[::1] speed_mps, const double[::1] acceleration_mps2,
               const int32_t[::1] edge, const int32_t[::1] lane, const double[::1] offset_m,
               const int32_t[::1] level, const double[::1] length_m, const double[::1] width_m,
               const double[::1] height_m, const int32_t[::1] leader, const double[::1] gap_m,
               const int64_t[::1] last_identity, const double[::1] last_x_m,
               const double[::1] last_y_m, const double[::1] last_heading_rad, double step_s,
               double period_m, double sideways_mps, double corner_rad, double corner_m,
               int last_wheeled_kind, double open_friction, const int32_t[:, ::1] roads,
               const double[:, ::1] surface, const int32_t[::1] first_point,
               const double[::1] point_offset_m, const double[::1] point_grade,
               double[::1] drift_mps, int32_t[::1] compact, double[:, ::1] motion,
               int32_t[:, ::1] place, double[::1] grade, double[::1] friction):
    """Put the road users of a state into the rows that the other functions read.

    Parameters
    ----------
    row : (n,) int32
        Rows of the state that count, ascending.
    identity, kind, ... : (n_rows,)
        Columns of the state, with cosine and sine of the headings; and of the one before.
    step_s, period_m
        Time since then [s]; period of the map in x [m], 0 without.
    sideways_mps, corner_rad, corner_m
        Slower moves sideways are none [m/s]; neither tell any while the heading changes by more
        [rad], nor within a distance after a node [m].
    last_wheeled_kind
        Kinds up to this are vehicles.
    open_friction
        Friction off the road.
    roads : (n_edges, 6) int32
        Road, way, junctions at the beginning and the end, the only edge onwards and its lane less
        the own one.
    surface : (n_edges, 2) float64
        Length [m] and friction.
    first_point, point_offset_m, point_grade
        Grades along the edges.
    drift_mps : (n_rows,) float64
        Speeds to the left, kept from call to call [m/s].
    compact : (n_rows,) int32
        Scratch.
    motion, place
        Get what :func:`find_pairs` reads.
    grade, friction : (n,) float64
        Get those of the road.
    """
    cdef Py_ssize_t n = row.shape[0], n_rows = identity.shape[0]
    cdef int i, k, e, low, high, middle
    cdef double dx, dy, sideways, slope, at
    cdef double *m
    cdef int32_t *p
    if motion.shape[1] != MOTION_COLUMNS or place.shape[1] != PLACE_COLUMNS:
        raise ValueError("motion or place has the wrong number of columns")
    if roads.shape[1] != 6 or surface.shape[1] != 2 or roads.shape[0] != surface.shape[0]:
        raise ValueError("roads or surface has the wrong shape")
    need("first_point", first_point.shape[0], roads.shape[0] + 1)
    need("point_offset_m", point_offset_m.shape[0], first_point[roads.shape[0]])
    need("point_grade", point_grade.shape[0], first_point[roads.shape[0]])
    for length in (motion.shape[0], place.shape[0], grade.shape[0], friction.shape[0]):
        if length != n:
            raise ValueError("motion, place, grade and friction must have a row for each")
    for length in (kind.shape[0], x_m.shape[0], y_m.shape[0], z_m.shape[0],
                   heading_rad.shape[0], cosine.shape[0], sine.shape[0], speed_mps.shape[0],
                   acceleration_mps2.shape[0], edge.shape[0], lane.shape[0], offset_m.shape[0],
                   level.shape[0], length_m.shape[0], width_m.shape[0], height_m.shape[0],
                   leader.shape[0], gap_m.shape[0], last_identity.shape[0], last_x_m.shape[0],
                   last_y_m.shape[0], last_heading_rad.shape[0], drift_mps.shape[0],
                   compact.shape[0]):
        if length != n_rows:
            raise ValueError("columns of the state must be equally long")
    if n and (row[0] < 0 or row[n - 1] >= n_rows):
        raise ValueError("row holds rows that do not exist")
    with nogil:
        for i in range(n_rows):
            compact[i] = NONE
        for k in range(n):
            compact[row[k]] = k
        for k in range(n):
            i = row[k]
            e = edge[i]
            m, p = &motion[k, 0], &place[k, 0]
            at = offset_m[i] - 0.5 * length_m[i]
            slope = 0.0
            friction[k] = open_friction
            p[ROAD] = p[WAY] = p[BEGIN] = p[END] = p[ONTO] = p[LANE] = NONE
            m[EDGE_LENGTH] = 0.0
            if e >= 0:
                p[ROAD], p[WAY], p[BEGIN], p[END] = (
                    roads[e, 0], roads[e, 1], roads[e, 2], roads[e, 3])
                p[ONTO], p[LANE] = roads[e, 4], lane[i] + roads[e, 5]
                m[EDGE_LENGTH], friction[k] = surface[e, 0], surface[e, 1]
                low, high = first_point[e], first_point[e + 1] - 1
                while high - low > 1:
                    middle = (low + high) // 2
                    if point_offset_m[middle] <= at:
                        low = middle
                    else:
                        high = middle
                slope = point_grade[low]
            grade[k] = slope
            p[LEVEL] = level[i]
            p[LEADER] = compact[leader[i]] if leader[i] >= 0 else NONE
            p[ON_WHEELS] = kind[i] <= last_wheeled_kind
            m[X], m[Y], m[Z], m[HX], m[HY] = x_m[i], y_m[i], z_m[i], cosine[i], sine[i]
            m[SPEED], m[ACCELERATION] = speed_mps[i], acceleration_mps2[i]
            m[CLIMB] = speed_mps[i] * slope / sqrt(1.0 + slope * slope)
            m[HALF_LENGTH], m[HALF_WIDTH] = 0.5 * length_m[i], 0.5 * width_m[i]
            m[HEIGHT], m[LEADER_GAP], m[OFFSET] = height_m[i], gap_m[i], at
            if identity[i] != last_identity[i] or not p[ON_WHEELS]:
                drift_mps[i] = 0.0
            elif fabs(heading_rad[i] - last_heading_rad[i]) < corner_rad:
                dx = nearest(x_m[i] - last_x_m[i], period_m)
                dy = y_m[i] - last_y_m[i]
                sideways = (dy * cosine[i] - dx * sine[i]) / step_s
                drift_mps[i] = 0.0 if fabs(sideways) < sideways_mps else sideways
            m[DRIFT] = 0.0 if at < corner_m else drift_mps[i]


def find_pairs(const double[:, ::1] motion, const int32_t[:, ::1] place, double horizon_s,
               double modified_s, double beside_m, double west_m, double south_m, double cell_m,
               int columns, int rows, double period_m, int32_t[::1] head, int32_t[::1] following,
               double[::1] reach, int32_t[:, ::1] pairs, double[:, ::1] values):
    """Find pairs that are on collision course, whoever follows a leader left out.

    Parameters
    ----------
    motion : (n, MOTION_COLUMNS) float64
        x, y, z of the middle [m], unit vector of the direction, speed, acceleration, dz/dt,
        half length, half width, height, speed sideways, gap to the leader, offset of the middle on
        its edge, and length of the edge.
    place : (n, PLACE_COLUMNS) int32
        Level, road, way (road and direction), junctions at the beginning and the end of the edge,
        row of the leader or -1, whether it is a vehicle, the only edge on which its own goes on (or
        -1), and the lane there.
    horizon_s
        Pairs that touch later are left out [s].
    modified_s
        Times to contact with accelerations beyond this are infinite [s].
    beside_m
        Pairs on one road, of whom one moves sideways, are named if they are no farther apart [m].
    west_m, south_m, cell_m, columns, rows
        Grid of cells over the map.
    period_m
        Period of the map in x [m], `columns` cells; 0 without.
    head : (columns * rows,) int32
        Scratch, all -1, and so it is left.
    following : (n,) int32
        Scratch.
    reach : (n,) float64
        Scratch.
    pairs : (capacity, PAIR_COLUMNS) int32
        Gets both rows, the relation, and who has to brake (0 the first, 1 the second).
    values : (capacity, VALUE_COLUMNS) float64
        Gets time to contact at constant speeds and at constant accelerations [s], needed
        deceleration [m/s2], rate at which the distance shrinks [m/s], distance between the
        bodies on the axis on which they are farthest apart [m], negative if they overlap.

    Returns
    -------
    int
        Pairs found; more than `capacity` were not written.
    """
    cdef Py_ssize_t n = motion.shape[0]
    cdef int i, j, k, x, y, column, x_low, x_high, y_low, y_high, n_found = 0
    cdef double own, dx, dy
    cdef const double *mi
    if motion.shape[1] != MOTION_COLUMNS or place.shape[1] != PLACE_COLUMNS:
        raise ValueError("motion or place has the wrong number of columns")
    if place.shape[0] != n or values.shape[0] != pairs.shape[0]:
        raise ValueError("motion and place, pairs and values must be equally long")
    if pairs.shape[1] != PAIR_COLUMNS or values.shape[1] != VALUE_COLUMNS:
        raise ValueError("pairs or values has the wrong number of columns")
    if columns < 1 or rows < 1 or not cell_m > 0:
        raise ValueError("the grid needs cells")
    need("head", head.shape[0], columns * rows)
    need("following", following.shape[0], n)
    need("reach", reach.shape[0], n)
    with nogil:
        for i in range(n):
            k = cell_of(motion[i, X], motion[i, Y], west_m, south_m, cell_m, columns, rows)
            following[i] = head[k]
            head[k] = i
            reach[i] = (motion[i, SPEED] * horizon_s + motion[i, HALF_LENGTH]
                        + motion[i, HALF_WIDTH])
        for i in range(n):
            mi = &motion[i, 0]
            own = reach[i]
            y_low = index_of(mi[Y] - 2.0 * own - south_m, cell_m, rows)
            y_high = index_of(mi[Y] + 2.0 * own - south_m, cell_m, rows)
            if period_m > 0:
                x_low = <int>floor((mi[X] - 2.0 * own - west_m) / cell_m)
                x_high = <int>floor((mi[X] + 2.0 * own - west_m) / cell_m)
                if x_high - x_low >= columns:  # every column once
                    x_low, x_high = 0, columns - 1
            else:
                x_low = index_of(mi[X] - 2.0 * own - west_m, cell_m, columns)
                x_high = index_of(mi[X] + 2.0 * own - west_m, cell_m, columns)
            for y in range(y_low, y_high + 1):
                for x in range(x_low, x_high + 1):
                    column = x
                    if x < 0:
                        column += columns
                    elif x >= columns:
                        column -= columns
                    j = head[y * columns + column]
                    while j != NONE:
                        # Who reaches farther looks; of two alike, the one with the lower row.
                        if reach[j] < own or (reach[j] == own and i < j):
                            dx = nearest(motion[j, X] - mi[X], period_m)
                            dy = motion[j, Y] - mi[Y]
                            if dx * dx + dy * dy <= (own + reach[j]) * (own + reach[j]):
                                n_found = examine(
                                    i, j, motion, place, dx, dy, horizon_s, modified_s,
                                    beside_m, pairs, values, n_found)
                        j = following[j]
        for i in range(n):
            head[cell_of(motion[i, X], motion[i, Y], west_m, south_m, cell_m, columns,
                         rows)] = NONE
    return n_found


cdef inline int index_of(double way, double cell, int n) noexcept nogil:
    """Return the column or row of a place, the outermost one beyond the grid."""
    cdef int index = <int>floor(way / cell)
    return 0 if index < 0 else (n - 1 if index >= n else index)


cdef inline int cell_of(double x, double y, double west, double south, double cell, int columns,
                        int rows) noexcept nogil:
    return index_of(y - south, cell, rows) * columns + index_of(x - west, cell, columns)


cdef int examine(int one, int other, const double[:, ::1] motion, const int32_t[:, ::1] place,
                 double dx, double dy, double horizon_s, double modified_s, double beside_m,
                 int32_t[:, ::1] pairs, double[:, ::1] values, int n_found) noexcept nogil:
    """Append the pair if it is on collision course; return how many there are then."""
    cdef int i = one, j = other, k, relation, yields, rear
    cdef double ttc, gap, distance, closing
    cdef const double *mi
    cdef const double *mj
    cdef Encounter pair
    if place[i, LEADER] == j or place[j, LEADER] == i:
        return n_found
    if not (place[i, ON_WHEELS] or place[j, ON_WHEELS]):
        return n_found
    if not on_meeting_roads(&place[i, 0], &place[j, 0]):
        return n_found
    mi, mj = &motion[i, 0], &motion[j, 0]
    if (place[i, WAY] == place[j, WAY] and place[i, ROAD] >= 0 and place[i, ON_WHEELS]
            and place[j, ON_WHEELS] and mi[DRIFT] == 0.0 and mj[DRIFT] == 0.0):
        # Most pairs follow the same road too far apart: the chord of two on collision course is
        # no longer than this, see `relate`.
        gap = fabs(mi[SPEED] - mj[SPEED]) * horizon_s + mi[HALF_LENGTH] + mj[HALF_LENGTH]
        gap = (1.0 + BENT) * gap + mi[HALF_WIDTH] + mj[HALF_WIDTH]
        if dx * dx + dy * dy > gap * gap:
            return n_found
    if i > j:  # the result must not depend on who looked
        i, j = j, i
        dx, dy = -dx, -dy
    mi, mj = &motion[i, 0], &motion[j, 0]
    relation = relate(mi, mj, &place[i, 0], &place[j, 0], dx, dy, &pair)
    if relation == 0:
        return n_found
    gap = -INFINITY
    for k in range(pair.n_axes):
        gap = fmax(gap, fabs(pair.d[k]) - pair.r[k])
    if relation == BESIDE:
        ttc = INFINITY
    elif relation == INTO_ONE:
        ttc = into_one(&pair, mi, mj)
    else:
        ttc = contact(&pair, mi[SPEED], mj[SPEED])
    if relation == ALONG_SAME and ttc < horizon_s:
        # Others in between hide the one ahead.
        rear = i if pair.d[0] > 0 else j
        if place[rear, LEADER] >= 0 and motion[rear, LEADER_GAP] <= gap:
            ttc = INFINITY
    if not ttc < horizon_s:
        if relation == ALONG_SAME:
            relation = BESIDE
        if (relation != BESIDE or gap >= beside_m
                or (mi[DRIFT] == 0.0 and mj[DRIFT] == 0.0)):
            return n_found
    if relation != INTO_ONE and not at_one_height(mi, mj, ttc):
        return n_found
    if (relation == ACROSS and place[i, ROAD] >= 0 and place[j, ROAD] >= 0
            and place[i, ON_WHEELS] and place[j, ON_WHEELS]
            and not (near_junction(mi, &place[i, 0], &place[j, 0], ttc)
                     and near_junction(mj, &place[j, 0], &place[i, 0], ttc))):
        return n_found
    if relation == ACROSS and ttc <= 0.0 and (turning(mi, &place[i, 0])
                                              or turning(mj, &place[j, 0])):
        return n_found
    if n_found < pairs.shape[0]:
        pairs[n_found, 0] = i
        pairs[n_found, 1] = j
        pairs[n_found, 2] = relation
        yields = 0
        values[n_found, 0] = ttc
        values[n_found, 1] = INFINITY
        values[n_found, 2] = NAN
        if relation != BESIDE:
            values[n_found, 2] = needed_braking(relation, &pair, mi, mj, dx, dy, ttc, &yields)
        if relation != BESIDE and relation != INTO_ONE:
            values[n_found, 1] = modified_contact(&pair, mi[SPEED], mj[SPEED], mi[ACCELERATION],
                                                  mj[ACCELERATION], modified_s)
        pairs[n_found, 3] = yields
        if relation == ACROSS:
            distance = sqrt(dx * dx + dy * dy)
            closing = ((mi[SPEED] * mi[HX] - mj[SPEED] * mj[HX]) * dx
                       + (mi[SPEED] * mi[HY] - mj[SPEED] * mj[HY]) * dy)
            values[n_found, 3] = closing / distance if distance > 0 else 0.0
        else:
            closing = pair.uj[0] * mj[SPEED] - pair.ui[0] * mi[SPEED]
            values[n_found, 3] = -closing if pair.d[0] > 0 else closing
        values[n_found, 4] = gap
    return n_found + 1


cdef class Trails:
    """Remembers who passed where, and tells who follows over the same place on another path.

    Parameters
    ----------
    n_rows
        Road users.
    n_ticks
        Ticks that are remembered.
    tick_s
        Time between two ticks [s].
    west_m, south_m, cell_m, columns, rows, period_m
        Grid of cells, as of :func:`find_pairs`; cells must be longer than any zone in which
        paths cross.
    head : (n_heads,) int32
        First note by a hash of cell and direction, a power of two; all -1 at the beginning.
        Cells that share one only cost time.
    trail : (n_rows * (n_ticks + 2), TRAIL_COLUMNS) int32
        Notes, used in turn: row, tick, next note of the cell.
    history : (n_ticks + 2, n_rows, 5) float64
        Ring of positions and directions: x, y, z, and the unit vector.
    identity : (n_ticks + 2, n_rows) int64
        Who was there, -1 for nobody.
    noted : (n_rows, 2) float64
        Where everybody was last noted [m].
    """

    cdef int n_rows, n_ring, n_ticks, columns, rows, n_notes, at, tick
    cdef uint32_t mask
    cdef double tick_s, west_m, south_m, cell_m, period_m
    cdef int32_t[::1] head
    cdef int32_t[:, ::1] trail
    cdef double[:, :, ::1] history
    cdef int64_t[:, ::1] identity
    cdef double[:, ::1] noted

    def __init__(self, *, int n_rows, int n_ticks, double tick_s, double west_m, double south_m,
                 double cell_m, int columns, int rows, double period_m, int32_t[::1] head,
                 int32_t[:, ::1] trail, double[:, :, ::1] history, int64_t[:, ::1] identity,
                 double[:, ::1] noted):
        if n_ticks < 1 or not tick_s > 0 or not cell_m > 0 or columns < 1 or rows < 1:
            raise ValueError("trails need ticks and cells")
        self.n_ring = n_ticks + 2
        if head.shape[0] < 1 or head.shape[0] & (head.shape[0] - 1):
            raise ValueError("head must have a power of two of elements")
        need("trail", trail.shape[0], n_rows * self.n_ring)
        if trail.shape[1] != TRAIL_COLUMNS:
            raise ValueError("trail has the wrong number of columns")
        if (history.shape[0] != self.n_ring or history.shape[1] != n_rows
                or history.shape[2] != 5):
            raise ValueError("history has the wrong shape")
        if identity.shape[0] != self.n_ring or identity.shape[1] != n_rows:
            raise ValueError("identity has the wrong shape")
        if noted.shape[0] != n_rows or noted.shape[1] != 2:
            raise ValueError("noted has the wrong shape")
        self.n_rows, self.n_ticks, self.tick_s = n_rows, n_ticks, tick_s
        self.west_m, self.south_m, self.cell_m = west_m, south_m, cell_m
        self.columns, self.rows, self.period_m = columns, rows, period_m
        self.head, self.trail, self.history = head, trail, history
        self.identity, self.noted = identity, noted
        self.n_notes = <int>trail.shape[0]
        self.mask = <uint32_t>(head.shape[0] - 1)
        self.at = 0
        self.tick = -1

    def observe(self, const int64_t[::1] identity, const int32_t[::1] row,
                const double[:, ::1] motion, const int32_t[:, ::1] place,
                int32_t[:, ::1] crossers, double[:, ::1] times):
        """Take the state of the next tick and find who entered a path that another one crossed.

        Parameters
        ----------
        identity : (n_rows,) int64
            Identities of all rows; -1 for empty ones.
        row : (n,) int32
            Rows of the road users in `motion` and `place`, ascending.
        motion, place
            As of :func:`find_pairs`.
        crossers : (capacity, CROSSER_COLUMNS) int32
            Gets who crossed first and who entered later, as indices into `row`.
        times : (capacity, TIME_COLUMNS) float64
            Gets how long ago the first left the path of the second and, of this, how long the
            second has been in that of the first; how long the first was in it, NaN if that
            is not known [s]; and where paths cross, x and y [m].

        Returns
        -------
        int
            Encounters found; more than `capacity` were not written.
        """
        cdef Py_ssize_t n = row.shape[0]
        cdef int k, r, slot, n_found = 0
        cdef bint everywhere = False
        if identity.shape[0] != self.n_rows or motion.shape[0] != n or place.shape[0] != n:
            raise ValueError("identity, row, motion and place must be of the sizes agreed on")
        if motion.shape[1] != MOTION_COLUMNS or place.shape[1] != PLACE_COLUMNS:
            raise ValueError("motion or place has the wrong number of columns")
        if (crossers.shape[1] != CROSSER_COLUMNS or times.shape[1] != TIME_COLUMNS
                or times.shape[0] != crossers.shape[0]):
            raise ValueError("crossers or times has the wrong shape")
        if n and (row[0] < 0 or row[n - 1] >= self.n_rows):
            raise ValueError("row holds rows that do not exist")
        self.tick += 1
        slot = self.tick % self.n_ring
        with nogil:
            for r in range(self.n_rows):
                self.identity[slot, r] = NONE
            for k in range(n):
                r = row[k]
                self.identity[slot, r] = identity[r]
                self.history[slot, r, 0] = motion[k, X]
                self.history[slot, r, 1] = motion[k, Y]
                self.history[slot, r, 2] = motion[k, Z]
                self.history[slot, r, 3] = motion[k, HX]
                self.history[slot, r, 4] = motion[k, HY]
            # Vehicles cross at junctions only, but pedestrians wherever they like.
            for k in range(n):
                everywhere |= not place[k, ON_WHEELS]
            for k in range(n):
                if (motion[k, SPEED] > CREEPING and self.was_there(row[k])
                        and (everywhere or may_cross(&motion[k, 0], &place[k, 0]))):
                    n_found = self.look(k, row, motion, place, crossers, times, n_found)
            for k in range(n):
                if everywhere or may_cross(&motion[k, 0], &place[k, 0]):
                    self.note(row[k], motion[k, X], motion[k, Y], motion[k, HX], motion[k, HY])
        return n_found

    cdef inline uint32_t hashed(self, int cell, int way) noexcept nogil:
        """Return where the notes of a cell and a direction begin."""
        cdef uint32_t key = <uint32_t>(cell * DIRECTIONS + way) * <uint32_t>2654435761
        return (key ^ (key >> 15)) & self.mask

    cdef bint was_there(self, int r) noexcept nogil:
        """Whether the road user of a row was there one tick ago."""
        if self.tick == 0:
            return False
        return (self.identity[(self.tick - 1) % self.n_ring, r]
                == self.identity[self.tick % self.n_ring, r])

    cdef void note(self, int r, double x, double y, double hx, double hy) noexcept nogil:
        """Note where a road user is, unless it has hardly moved since the last note."""
        cdef double dx = nearest(x - self.noted[r, 0], self.period_m), dy = y - self.noted[r, 1]
        cdef uint32_t cell
        if self.was_there(r) and dx * dx + dy * dy < NOTED_M * NOTED_M:
            return
        self.noted[r, 0], self.noted[r, 1] = x, y
        cell = self.hashed(cell_of(x, y, self.west_m, self.south_m, self.cell_m, self.columns,
                                   self.rows), direction(hx, hy))
        self.trail[self.at, ROW] = r
        self.trail[self.at, TICK] = self.tick
        self.trail[self.at, NEXT] = self.head[cell]
        self.head[cell] = self.at
        self.at = (self.at + 1) % self.n_notes

    cdef int look(self, int k, const int32_t[::1] row, const double[:, ::1] motion,
                  const int32_t[:, ::1] place, int32_t[:, ::1] crossers, double[:, ::1] times,
                  int n_found) noexcept nogil:
        """Go through the notes around a road user that others left on other paths."""
        cdef int own = direction(motion[k, HX], motion[k, HY])
        cdef int cell = cell_of(motion[k, X], motion[k, Y], self.west_m, self.south_m, self.cell_m,
                                self.columns, self.rows)
        cdef int cx = cell % self.columns, cy = cell // self.columns
        cdef int x, y, column, way, at, before
        for y in range(max(cy - 1, 0), min(cy + 1, self.rows - 1) + 1):
            for x in range(cx - 1, cx + 2):
                column = x
                if self.period_m > 0 and self.columns > 2:
                    column = (x + self.columns) % self.columns
                elif x < 0 or x >= self.columns:
                    continue
                for way in range(DIRECTIONS):
                    if way == own:
                        continue
                    at = self.head[self.hashed(y * self.columns + column, way)]
                    before = self.tick
                    # Newest first; a note younger than the one before it has been used again.
                    while (at != NONE and self.trail[at, TICK] <= before
                           and self.trail[at, TICK] >= self.tick - self.n_ticks):
                        before = self.trail[at, TICK]
                        n_found = self.meet(k, at, row, motion, place, crossers, times, n_found)
                        at = self.trail[at, NEXT]
        return n_found

    cdef int meet(self, int k, int at, const int32_t[::1] row, const double[:, ::1] motion,
                  const int32_t[:, ::1] place, int32_t[:, ::1] crossers, double[:, ::1] times,
                  int n_found) noexcept nogil:
        """Append the encounter if the second enters in this tick a path that the first left."""
        cdef int first = self.trail[at, ROW], noted = self.trail[at, TICK], f, t, step
        cdef int second = row[k], now = self.tick % self.n_ring, then = noted % self.n_ring
        cdef int64_t who = self.identity[then, first]
        cdef const double *one = &self.history[then, first, 0]
        cdef const double *mj = &motion[k, 0]
        cdef const double *mi
        cdef double cosine, sine, dx, dy, along_i, along_j, zone_i, zone_j, s, before
        cdef double left_s = INFINITY, entered_s, occupied_s = NAN, cx, cy
        if first == second or who < 0 or self.identity[now, first] != who:
            return n_found
        cosine = one[3] * mj[HX] + one[4] * mj[HY]
        if fabs(cosine) > SQUARE:
            return n_found
        f = find_row(row, first)
        if f < 0:
            return n_found
        mi = &motion[f, 0]
        if not (place[k, ON_WHEELS] or place[f, ON_WHEELS]):
            return n_found
        # Where the line of the first at the note meets the line of the second now.
        sine = one[3] * mj[HY] - one[4] * mj[HX]
        dx = nearest(mj[X] - one[0], self.period_m)
        dy = mj[Y] - one[1]
        along_i = (dx * mj[HY] - dy * mj[HX]) / sine
        along_j = (dx * one[4] - dy * one[3]) / sine
        if fabs(along_i) > LOCAL_M:
            return n_found
        zone_j = (fabs(sine) * mj[HALF_LENGTH] + fabs(cosine) * mj[HALF_WIDTH]
                  + mi[HALF_WIDTH]) / fabs(sine)
        # along_j is the way to the crossing; it is entered when zone_j is left of it.
        if along_j > zone_j:
            return n_found
        t = (self.tick - 1) % self.n_ring
        before = along_j + (nearest(mj[X] - self.history[t, second, 0], self.period_m) * mj[HX]
                            + (mj[Y] - self.history[t, second, 1]) * mj[HY])
        if before <= zone_j:
            return n_found
        if not (one[2] - mj[Z] < mj[HEIGHT] and mj[Z] - one[2] < mi[HEIGHT]):
            return n_found
        if place[f, LEVEL] != place[k, LEVEL] and not on_meeting_roads(&place[f, 0], &place[k, 0]):
            return n_found
        entered_s = (zone_j - along_j) / (before - along_j) * self.tick_s
        cx, cy = one[0] + along_i * one[3], one[1] + along_i * one[4]
        zone_i = (fabs(sine) * mi[HALF_LENGTH] + fabs(cosine) * mi[HALF_WIDTH]
                  + mj[HALF_WIDTH]) / fabs(sine)
        # How far the first is beyond the crossing, tick by tick, until it has left the zone.
        before = self.beyond(noted, first, cx, cy, one)
        step = noted
        if before <= zone_i:
            while step < self.tick:
                step += 1
                s = self.beyond(step, first, cx, cy, one)
                if s > zone_i:
                    left_s = (self.tick - step + (s - zone_i) / (s - before)) * self.tick_s
                    break
                before = s
        else:
            while step > 0 and step > self.tick - self.n_ticks:
                step -= 1
                if self.identity[step % self.n_ring, first] != who:
                    break
                s = self.beyond(step, first, cx, cy, one)
                if s <= zone_i:
                    left_s = (self.tick - step - (zone_i - s) / (before - s)) * self.tick_s
                    break
                before = s
        if left_s - entered_s > self.n_ticks * self.tick_s or left_s < entered_s:
            return n_found
        step = noted
        before = self.beyond(noted, first, cx, cy, one)
        while before > -zone_i and step > 0 and step > self.tick - self.n_ticks:
            step -= 1
            if self.identity[step % self.n_ring, first] != who:
                break
            s = self.beyond(step, first, cx, cy, one)
            if s <= -zone_i:
                occupied_s = ((self.tick - step - (-zone_i - s) / (before - s)) * self.tick_s
                              - left_s)
            before = s
        if n_found < crossers.shape[0]:
            crossers[n_found, 0] = f
            crossers[n_found, 1] = k
            times[n_found, 0] = left_s
            times[n_found, 1] = entered_s
            times[n_found, 2] = occupied_s
            times[n_found, 3] = cx
            times[n_found, 4] = cy
        return n_found + 1

    cdef double beyond(self, int tick, int r, double cx, double cy,
                       const double *along) noexcept nogil:
        """Return how far a road user was beyond a place at a tick, along a direction."""
        cdef const double *at = &self.history[tick % self.n_ring, r, 0]
        return nearest(at[0] - cx, self.period_m) * along[3] + (at[1] - cy) * along[4]


cdef inline bint may_cross(const double *m, const int32_t *place) noexcept nogil:
    """Whether somebody is near enough to an end of the edge to meet paths across."""
    return (place[ROAD] < 0 or m[OFFSET] < NEAR_M or m[EDGE_LENGTH] - m[OFFSET] < NEAR_M)


cdef inline int direction(double hx, double hy) noexcept nogil:
    """Return which eighth of a turn a direction lies in, opposite ones alike."""
    if fabs(hx) > fabs(hy):
        return 0 if hx * hy >= 0 else 3
    return 1 if hx * hy >= 0 else 2


cdef int find_row(const int32_t[::1] row, int wanted) noexcept nogil:
    """Return the index of a row in an ascending list, or -1."""
    cdef int low = 0, high = <int>row.shape[0], middle
    while low < high:
        middle = (low + high) // 2
        if row[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low if low < row.shape[0] and row[low] == wanted else NONE
