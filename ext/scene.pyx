# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The state of all road users, as the kernels of conflicts want it."""

from libc.math cimport fabs, sqrt
from libc.stdint cimport int32_t, int64_t

from lengths cimport need
from road_users cimport (
    ACCELERATION, BEGIN, CLIMB, DRIFT, EDGE_LENGTH, END, HALF_LENGTH, HALF_WIDTH, HEIGHT, HX,
    HY, LANE, LEADER, LEADER_GAP, LEVEL, NONE, N_MOTION, N_PLACE, OFFSET, ONTO, ON_WHEELS,
    ROAD, SPEED, WAY, X, Y, Z, nearest)

#: Columns of `motion` and `place`.
MOTION_COLUMNS, PLACE_COLUMNS = N_MOTION, N_PLACE


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
