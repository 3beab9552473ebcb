# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Who is about to touch whom: pairs of road users on collision course.

The grid of cells, the rectangles and the roads are explained in :mod:`v2x.sim.safety.conflicts`.
"""

from libc.math cimport INFINITY, NAN, copysign, fabs, floor, fmax, fmin, sqrt
from libc.stdint cimport int32_t

from lengths cimport need
from road_users cimport (
    ACCELERATION, BEGIN, CLIMB, DRIFT, EDGE_LENGTH, END, HALF_LENGTH, HALF_WIDTH, HEIGHT, HX,
    HY, LANE, LEADER, LEADER_GAP, NEAR_M, NONE, N_MOTION, N_PLACE, OFFSET, ONTO, ON_WHEELS,
    ROAD, SPEED, WAY, X, Y, Z, cell_of, index_of, nearest, on_meeting_roads)

#: Columns of `pairs` and `values`.
PAIR_COLUMNS, VALUE_COLUMNS = 4, 5

cdef enum:
    # relations
    ALONG_SAME = 1
    ALONG_OPPOSITE = 2
    ACROSS = 3
    BESIDE = 4
    INTO_ONE = 5

#: Cosine of 30 degrees: directions that differ by less are alike.
cdef double ALIKE = 0.8660254037844387
#: Where two headings add up to less than this, the road between them is a hairpin.
cdef double STRAIGHTEST = 0.5
#: By how much directions on a polyline may be off those of the road it stands for.
cdef double BENT = 0.15
#: Accelerations below this are none [m/s2]; slack of a contact [m].
cdef double STEADY = 1e-9
cdef double SLACK = 1e-9
#: Nobody goes straight on beyond a junction for longer than this [m].
cdef double BEYOND_M = 15.0
#: Speed below which nobody enters a crossing [m/s].
cdef double CREEPING = 0.1

cdef struct Encounter:
    int n_axes
    double d[4]       # distance along the axis
    double r[4]       # where bodies begin to overlap on it
    double ui[4]      # share of each vehicle's motion along it
    double uj[4]


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
    is named); at a crossing who would enter it later, and stops in front of it. Where ways that
    cross differ little in direction, the rear one along the middle of both.
    """
    cdef double cosine = mi[HX] * mj[HX] + mi[HY] * mj[HY]
    cdef double sine = mi[HX] * mj[HY] - mi[HY] * mj[HX]
    cdef double gap, closing, entry_i, entry_j, reach, needed, along, half
    cdef const double *rear
    yields[0] = 0
    if relation == ALONG_OPPOSITE:
        gap = fabs(pair.d[0]) - pair.r[0]
        return (mi[SPEED] * mi[SPEED] + mj[SPEED] * mj[SPEED]) / (2.0 * gap) if gap > 0 else NAN
    if relation == ACROSS and cosine > ALIKE:
        half = sqrt(0.5 * (1.0 + cosine))  # cosine of half the angle
        along = 0.5 * (dx * (mi[HX] + mj[HX]) + dy * (mi[HY] + mj[HY])) / half
        yields[0] = 0 if along > 0 else 1
        gap = fabs(along) - (half * (mi[HALF_LENGTH] + mj[HALF_LENGTH])
                             + sqrt(0.5 * (1.0 - cosine)) * (mi[HALF_WIDTH] + mj[HALF_WIDTH]))
        closing = half * (mi[SPEED] - mj[SPEED])
        closing = closing if along > 0 else -closing
        if gap <= 0:
            return NAN
        return closing * closing / (2.0 * gap) if closing > 0 else 0.0
    if relation != ACROSS:
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


def find_pairs(const double[:, ::1] motion, const int32_t[:, ::1] place, double horizon_s,
               double modified_s, double beside_m, double west_m, double south_m, double cell_m,
               int columns, int rows, double period_m, int32_t[::1] head, int32_t[::1] following,
               double[::1] reach, int32_t[:, ::1] pairs, double[:, ::1] values):
    """Find pairs that are on collision course, whoever follows a leader left out.

    Parameters
    ----------
    motion : (n, N_MOTION) float64
        x, y, z of the middle [m], unit vector of the direction, speed, acceleration, dz/dt,
        half length, half width, height, speed sideways, gap to the leader, offset of the middle on
        its edge, and length of the edge.
    place : (n, N_PLACE) int32
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
    if motion.shape[1] != N_MOTION or place.shape[1] != N_PLACE:
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
