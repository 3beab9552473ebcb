# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Rows of the link table: neighbours, blockage by vehicles, shadowing and path gain."""

from libc.math cimport fabs
from libc.stdint cimport int32_t, uint8_t, uint32_t
from libc.string cimport memcpy

from lengths cimport need

cdef extern from "links.h":
    enum:
        V2X_N_CODES
        V2X_N_PIECES

    ctypedef struct v2x_law:
        float start[40]
        float intercept[40]
        float slope[40]
        float min_log2[10]
        float sigma[10]
        float decay[10]
        float block_mean[10]
        float block_sigma[10]
        float range2
        float wrap
        float half_wrap
        float db_to_log2
        int alike

    ctypedef struct v2x_nodes:
        const float *x
        const float *y
        const float *z
        const float *dx
        const float *dy
        const float *dz
        const float *gain_db
        const uint32_t *word

    void v2x_law_kinds(v2x_law *law) nogil
    void v2x_links_row(
        int n, int i, const int32_t *neighbour, const v2x_nodes *nodes, const v2x_law *law,
        const uint8_t *code, const float *extra, float *shadow, float *block, float *gain,
        float *distance) nogil
    void v2x_silhouettes(
        int n, int i, const int32_t *neighbour, const float *x, const float *y, const float *z,
        const float *cosine, const float *sine, const float *half_length,
        const float *half_width, float wrap, float half_wrap, float gap, float grade,
        int32_t *bin, int32_t *low, int32_t *high, float *distance) nogil
    enum:
        V2X_SIGHT_INTS
        V2X_SIGHT_FLOATS

    ctypedef struct v2x_sight:
        int32_t *bin
        int32_t *low
        int32_t *high
        int32_t *height
        int32_t *top
        float *distance

    void v2x_lay_out(v2x_sight *sight, int32_t *ints, float *floats, Py_ssize_t room) nogil
    void v2x_blocked(int n, int upper, v2x_sight *sight) nogil
    uint32_t v2x_hash2(uint32_t key, uint32_t a) nogil
    uint32_t v2x_hash3(uint32_t key, uint32_t a, uint32_t b) nogil
    uint32_t v2x_mix(uint32_t h) nogil
    float v2x_uniform(uint32_t h) nogil
    float v2x_log2(float x) nogil
    float v2x_exp2(float x) nogil
    void v2x_normal_pair(uint32_t h1, uint32_t h2, float *first, float *second) nogil


#: Rows of scratch of :func:`classify_geometric`.
SIGHT_INTS, SIGHT_FLOATS = V2X_SIGHT_INTS, V2X_SIGHT_FLOATS

cdef enum:
    MAX_HEIGHTS = 8


cdef int need_rows(
        const int32_t[::1] row_start, const int32_t[::1] neighbour, Py_ssize_t n_values,
        Py_ssize_t n_nodes) except -1:
    """Raise ValueError unless there are rows for all nodes and values for all links."""
    need("row_start", row_start.shape[0], n_nodes + 1)
    if row_start.shape[0] != n_nodes + 1:
        raise ValueError(f"row_start has {row_start.shape[0]} elements for {n_nodes} nodes")
    need("neighbour", neighbour.shape[0], row_start[n_nodes])
    need("link arrays", n_values, row_start[n_nodes])
    return 0


def neighbours(
        const float[::1] x, const float[::1] y, const int32_t[::1] cell,
        const int32_t[::1] cell_start, const int32_t[::1] cell_node,
        int n_cells_x, int n_cells_y, double reach_m, double wrap_m,
        int32_t[::1] row_start, int32_t[::1] neighbour):
    """Count or list the nodes within `reach_m` of each node.

    With an empty `neighbour`, counts: fills `row_start` with the row boundaries. Otherwise
    fills `neighbour`; every row comes out in ascending order. A node with cell -1 has none.
    """
    cdef Py_ssize_t n = x.shape[0]
    cdef bint counting = neighbour.shape[0] == 0
    cdef Py_ssize_t i, j, k, total
    cdef int cx, cy, ix, iy, jx, first_x, last_x
    cdef float dx, dy
    cdef float reach2 = <float>(reach_m * reach_m)
    cdef float wrap = <float>wrap_m
    cdef float half = <float>(0.5 * wrap_m)
    if (y.shape[0] != n or cell.shape[0] != n or row_start.shape[0] != n + 1
            or cell_start.shape[0] != n_cells_x * n_cells_y + 1):
        raise ValueError("arrays have different lengths")
    need("cell_node", cell_node.shape[0], cell_start[n_cells_x * n_cells_y])
    if not counting:
        need("neighbour", neighbour.shape[0], row_start[n])
    with nogil:
        if counting:
            for i in range(n + 1):
                row_start[i] = 0
        for j in range(n):
            if cell[j] < 0:
                continue
            cx = cell[j] % n_cells_x
            cy = cell[j] // n_cells_x
            first_x = cx - 1
            last_x = cx + 1
            if wrap_m > 0.0:
                if n_cells_x <= 3:
                    first_x = 0
                    last_x = n_cells_x - 1
            else:
                first_x = max(first_x, 0)
                last_x = min(last_x, n_cells_x - 1)
            for iy in range(max(cy - 1, 0), min(cy + 1, n_cells_y - 1) + 1):
                for ix in range(first_x, last_x + 1):
                    jx = ix
                    if jx < 0:
                        jx += n_cells_x
                    elif jx >= n_cells_x:
                        jx -= n_cells_x
                    for k in range(cell_start[iy * n_cells_x + jx],
                                   cell_start[iy * n_cells_x + jx + 1]):
                        i = cell_node[k]
                        dx = x[j] - x[i]
                        if wrap_m > 0.0:
                            if dx > half:
                                dx = dx - wrap
                            elif dx < -half:
                                dx = dx + wrap
                        dy = y[j] - y[i]
                        if i != j and dx * dx + dy * dy <= reach2:
                            if counting:
                                row_start[i + 1] += 1
                            else:
                                neighbour[row_start[i]] = <int32_t>j
                                row_start[i] += 1
        if counting:
            total = 0
            for i in range(n + 1):
                total += row_start[i]
                row_start[i] = <int32_t>total
        else:
            for i in range(n, 0, -1):
                row_start[i] = row_start[i - 1]
            row_start[0] = 0


def replace_neighbours(
        const int32_t[::1] old_start, const int32_t[::1] old_neighbour,
        const float[::1] x, const float[::1] y, const uint8_t[::1] active,
        const int32_t[::1] replaced, const uint8_t[::1] fresh, double reach_m, double wrap_m,
        int32_t[::1] new_start, int32_t[::1] new_neighbour, int32_t[:, ::1] runs):
    """Take the nodes `replaced` out of all rows and put them in where they stand now.

    Gives the rows that :func:`neighbours` would, if only these nodes have moved. `replaced`
    ascends; links of `fresh` nodes among them are not those of before. `new_neighbour` has room
    for the old links and twice the number of nodes more for each replaced one. `runs` gets where
    links of the old table went: first new and first old position and length; it has room for as
    many as there are nodes, and twice that for each replaced one.

    Returns
    -------
    (n_links, n_runs)
    """
    cdef Py_ssize_t n = old_start.shape[0] - 1
    cdef Py_ssize_t i, at = 0, c, k, found, cursor, end
    cdef Py_ssize_t m = replaced.shape[0]
    cdef Py_ssize_t n_runs = 0
    cdef int j
    cdef bint own
    cdef float reach2 = <float>(reach_m * reach_m)
    cdef float wrap = <float>wrap_m
    for name, length in (("x", x.shape[0]), ("y", y.shape[0]), ("active", active.shape[0]),
                         ("fresh", fresh.shape[0])):
        need(name, length, n)
    if new_start.shape[0] != n + 1 or x.shape[0] != n:
        raise ValueError("old_start, new_start and x have different numbers of nodes")
    need("old_neighbour", old_neighbour.shape[0], old_start[n])
    need("new_neighbour", new_neighbour.shape[0], old_start[n] + 2 * m * n)
    need("runs", runs.shape[0], n * (2 * m + 1))
    if runs.shape[1] != 3:
        raise ValueError("runs needs three columns")
    for c in range(m):
        if not 0 <= replaced[c] < n or (c > 0 and replaced[c] <= replaced[c - 1]):
            raise ValueError("replaced must be ascending rows")
    with nogil:
        c = 0
        for i in range(n):
            new_start[i] = <int32_t>at
            own = c < m and replaced[c] == i
            if own:
                c += 1
                cursor = old_start[i]
                for j in range(<int>n):
                    while cursor < old_start[i + 1] and old_neighbour[cursor] < j:
                        cursor += 1
                    if active[i] and active[j] and j != i and near(x, y, i, j, reach2, wrap):
                        if (cursor < old_start[i + 1] and old_neighbour[cursor] == j
                                and not fresh[i] and not fresh[j]):
                            at = copy_run(old_neighbour, cursor, cursor + 1, new_neighbour, at,
                                          runs, &n_runs)
                        else:
                            new_neighbour[at] = j
                            at += 1
                continue
            cursor = old_start[i]
            end = old_start[i + 1]
            for k in range(m):
                j = replaced[k]
                found = position_of(old_neighbour, cursor, end, j)
                at = copy_run(old_neighbour, cursor, found, new_neighbour, at, runs, &n_runs)
                cursor = found
                own = cursor < end and old_neighbour[cursor] == j
                if active[i] and active[j] and near(x, y, i, j, reach2, wrap):
                    if own and not fresh[j]:
                        at = copy_run(old_neighbour, cursor, cursor + 1, new_neighbour, at, runs,
                                      &n_runs)
                    else:
                        new_neighbour[at] = j
                        at += 1
                cursor += own
            at = copy_run(old_neighbour, cursor, end, new_neighbour, at, runs, &n_runs)
        new_start[n] = <int32_t>at
    return at, n_runs


cdef inline bint near(const float[::1] x, const float[::1] y, Py_ssize_t i, Py_ssize_t j,
                      float reach2, float wrap) noexcept nogil:
    """Whether two nodes are within reach, by the nearest copy on a wrapped road."""
    cdef float dx = x[j] - x[i]
    cdef float dy = y[j] - y[i]
    if wrap > 0:
        if dx > <float>0.5 * wrap:
            dx = dx - wrap
        elif dx < -<float>0.5 * wrap:
            dx = dx + wrap
    return dx * dx + dy * dy <= reach2


cdef inline Py_ssize_t position_of(const int32_t[::1] values, Py_ssize_t low, Py_ssize_t high,
                                   int value) noexcept nogil:
    """Return the first position in [low, high) whose value is not below `value`."""
    cdef Py_ssize_t middle
    while low < high:
        middle = (low + high) // 2
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


cdef inline Py_ssize_t copy_run(
        const int32_t[::1] old, Py_ssize_t begin, Py_ssize_t end, int32_t[::1] new,
        Py_ssize_t at, int32_t[:, ::1] runs, Py_ssize_t *n_runs) noexcept nogil:
    """Copy old[begin:end] to new[at:] and note the run; returns where the next one goes."""
    cdef Py_ssize_t k = n_runs[0]
    cdef Py_ssize_t length = end - begin
    if length <= 0:
        return at
    memcpy(&new[at], &old[begin], length * sizeof(int32_t))
    if k > 0 and runs[k - 1, 0] + runs[k - 1, 2] == at and runs[k - 1, 1] + runs[k - 1, 2] == begin:
        runs[k - 1, 2] += <int32_t>length
        return at + length
    runs[k, 0] = <int32_t>at
    runs[k, 1] = <int32_t>begin
    runs[k, 2] = <int32_t>length
    n_runs[0] = k + 1
    return at + length


def carry_runs(
        const int32_t[:, ::1] runs, int n_runs, const uint8_t[::1] old, uint8_t[::1] new,
        const uint8_t[::1] fill):
    """Copy a column of links, given as bytes, by `runs`; what they leave out gets `fill`."""
    cdef Py_ssize_t size = fill.shape[0]
    cdef Py_ssize_t k, at = 0, n = new.shape[0] // size
    if size < 1 or n_runs > runs.shape[0] or runs.shape[1] != 3:
        raise ValueError("runs needs three columns, fill one value")
    for k in range(n_runs):
        if (runs[k, 2] < 0 or runs[k, 0] < at or runs[k, 0] + runs[k, 2] > n or runs[k, 1] < 0
                or (runs[k, 1] + runs[k, 2]) * size > old.shape[0]):
            raise ValueError("runs do not fit the column")
        at = runs[k, 0] + runs[k, 2]
    at = 0
    with nogil:
        for k in range(n_runs + 1):
            while at < (runs[k, 0] if k < n_runs else n):
                memcpy(&new[at * size], &fill[0], size)
                at += 1
            if k < n_runs and runs[k, 2] > 0:
                memcpy(&new[at * size], &old[runs[k, 1] * size], runs[k, 2] * size)
                at += runs[k, 2]


def carry_positions(
        const int32_t[::1] old_start, const int32_t[::1] old_neighbour,
        const int32_t[::1] new_start, const int32_t[::1] new_neighbour,
        const uint8_t[::1] fresh, int32_t[::1] source):
    """Find where each new link stood in the old table, by merging the sorted rows.

    `source` gets the old position, or -1 for a new link and for links of `fresh` nodes.
    """
    cdef Py_ssize_t n = old_start.shape[0] - 1
    cdef Py_ssize_t i, e, o
    if (new_start.shape[0] != n + 1 or fresh.shape[0] != n
            or source.shape[0] != new_neighbour.shape[0]):
        raise ValueError("arrays have different lengths")
    need("old_neighbour", old_neighbour.shape[0], old_start[n])
    need("new_neighbour", new_neighbour.shape[0], new_start[n])
    with nogil:
        for i in range(n):
            o = old_start[i]
            for e in range(new_start[i], new_start[i + 1]):
                while o < old_start[i + 1] and old_neighbour[o] < new_neighbour[e]:
                    o += 1
                source[e] = -1
                if o < old_start[i + 1] and old_neighbour[o] == new_neighbour[e]:
                    if not fresh[i] and not fresh[new_neighbour[e]]:
                        source[e] = <int32_t>o


def classify_geometric(
        const int32_t[::1] row_start, const int32_t[::1] neighbour,
        const float[::1] x, const float[::1] y, const float[::1] z,
        const float[::1] cosine, const float[::1] sine,
        const float[::1] half_length, const float[::1] half_width,
        const float[::1] antenna_m, const int32_t[::1] height_class,
        const float[::1] class_height_m, double wrap_m, double level_gap_m, double max_grade,
        int32_t[:, ::1] seen, float[:, ::1] distance, int32_t[::1] cursor, uint8_t[::1] code):
    """Set the link code of each link from the vehicles that stand between its ends.

    Looks once around each node: every vehicle covers the directions of its silhouette from its
    distance on, and a neighbour is blocked if something nearer covers its direction. Links are
    judged from the end with the lower row, so both directions agree. Codes: 0 clear, 1 blocked
    by a vehicle no higher than the higher antenna (TR 37.885 case 3), 2 by a higher one
    (case 2). Code 3 (buildings) is left as it is.

    `height_class` is -1 for nodes that block nothing; `class_height_m` ascends. `seen`
    (SIGHT_INTS, k) and `distance` (SIGHT_FLOATS, k) are scratch, with k at least twice the
    longest row and 4; `cursor` has room for one number per node.
    """
    cdef Py_ssize_t n = row_start.shape[0] - 1
    cdef Py_ssize_t i, e, m, first, upper
    cdef int n_classes = <int>class_height_m.shape[0]
    cdef int j
    cdef float height
    cdef float wrap = <float>wrap_m if wrap_m > 0.0 else <float>1e30
    cdef float half = <float>0.5 * wrap
    cdef float gap = <float>level_gap_m
    cdef float grade = <float>max_grade
    cdef v2x_sight sight
    if n_classes > MAX_HEIGHTS:
        raise ValueError(f"at most {MAX_HEIGHTS} height classes")
    need_rows(row_start, neighbour, code.shape[0], height_class.shape[0])
    for name, length in (("x", x.shape[0]), ("y", y.shape[0]), ("z", z.shape[0]),
                         ("cosine", cosine.shape[0]), ("sine", sine.shape[0]),
                         ("half_length", half_length.shape[0]),
                         ("half_width", half_width.shape[0]),
                         ("antenna_m", antenna_m.shape[0]), ("cursor", cursor.shape[0])):
        need(name, length, n)
    if (seen.shape[0] != SIGHT_INTS or distance.shape[0] != SIGHT_FLOATS
            or seen.shape[1] != distance.shape[1]):
        raise ValueError("seen and distance have the wrong number of rows, or of columns")
    for i in range(n):
        if distance.shape[1] < 2 * (row_start[i + 1] - row_start[i]) + 4:
            raise ValueError("distance is too short for the longest row")
    if n == 0 or neighbour.shape[0] == 0:
        return
    with nogil:
        sight.bin = &seen[0, 0]
        sight.low = &seen[1, 0]
        sight.high = &seen[2, 0]
        sight.height = &seen[3, 0]
        v2x_lay_out(&sight, &seen[0, 0], &distance[0, 0], seen.shape[1])
        for i in range(n):
            first = row_start[i]
            m = row_start[i + 1] - first
            upper = first_upper(row_start, neighbour, i) - first
            if m == upper:
                continue
            v2x_silhouettes(<int>m, <int>i, &neighbour[first], &x[0], &y[0], &z[0], &cosine[0],
                            &sine[0], &half_length[0], &half_width[0], wrap, half, gap, grade,
                            sight.bin, sight.low, sight.high, sight.distance)
            for e in range(m):
                sight.height[e] = height_class[neighbour[first + e]]
            v2x_blocked(<int>m, <int>upper, &sight)
            for e in range(upper, m):
                if code[first + e] == 3:
                    continue
                code[first + e] = 0
                if sight.top[e] > 0:
                    j = neighbour[first + e]
                    height = class_height_m[sight.top[e] - 1]
                    if max(antenna_m[i], antenna_m[j]) < height:
                        code[first + e] = 2
                    elif min(antenna_m[i], antenna_m[j]) <= height:
                        code[first + e] = 1
        mirror_codes(row_start, neighbour, cursor, code)


def classify_statistical(
        const int32_t[::1] row_start, const int32_t[::1] neighbour,
        const float[::1] x, const float[::1] y, const float[::1] antenna_m,
        const uint32_t[::1] identity, uint32_t key, const float[::1] p_los,
        double step_m, double wrap_m, double tall_share, double low_height_m,
        double tall_height_m, uint8_t[::1] code):
    """Set the link code by the probability of line of sight at the link's distance.

    Each pair keeps one uniform number for the run, so a link changes state only as its
    probability passes that number. `p_los` is tabulated every `step_m` from 0. Blockers are
    `tall_height_m` high with probability `tall_share`, else `low_height_m`. Code 3 stays.
    """
    cdef Py_ssize_t n = row_start.shape[0] - 1
    cdef Py_ssize_t i, e, k
    cdef Py_ssize_t last = p_los.shape[0] - 1
    cdef int j
    cdef uint32_t h, lo, hi
    cdef double dx, dy, where, p
    # as precise as the antennas, so that equal heights stay equal
    cdef float low = <float>low_height_m
    cdef float tall = <float>tall_height_m
    cdef float height
    need("p_los", last + 1, 2)
    need_rows(row_start, neighbour, code.shape[0], x.shape[0])
    for name, length in (("y", y.shape[0]), ("antenna_m", antenna_m.shape[0]),
                         ("identity", identity.shape[0])):
        need(name, length, x.shape[0])
    with nogil:
        for i in range(n):
            for e in range(row_start[i], row_start[i + 1]):
                if code[e] == 3:
                    continue
                j = neighbour[e]
                dx = fabs(x[j] - x[i])
                if wrap_m > 0.0 and dx > 0.5 * wrap_m:
                    dx = wrap_m - dx
                dy = y[j] - y[i]
                where = (dx * dx + dy * dy) ** 0.5 / step_m
                k = min(<Py_ssize_t>where, last - 1)
                p = p_los[k] + (p_los[k + 1] - p_los[k]) * min(where - k, 1.0)
                lo = min(identity[i], identity[j])
                hi = max(identity[i], identity[j])
                h = v2x_hash3(key, lo, hi)
                code[e] = 0
                if v2x_uniform(h) >= p:
                    h = v2x_mix(h + <uint32_t>0x9e3779b9)
                    height = tall if v2x_uniform(h) < tall_share else low
                    if max(antenna_m[i], antenna_m[j]) < height:
                        code[e] = 2
                    elif min(antenna_m[i], antenna_m[j]) <= height:
                        code[e] = 1


def classify_corridors(
        const int32_t[::1] row_start, const int32_t[::1] neighbour,
        const int32_t[::1] corridor_x, const int32_t[::1] corridor_y, uint8_t[::1] code):
    """Set code 3 where two nodes share no street, 0 where they do.

    A corridor of -1 belongs to no street of that direction.
    """
    cdef Py_ssize_t n = row_start.shape[0] - 1
    cdef Py_ssize_t i, e
    cdef int j
    need_rows(row_start, neighbour, code.shape[0], corridor_x.shape[0])
    need("corridor_y", corridor_y.shape[0], n)
    with nogil:
        for i in range(n):
            for e in range(row_start[i], row_start[i + 1]):
                j = neighbour[e]
                if ((corridor_x[i] >= 0 and corridor_x[i] == corridor_x[j])
                        or (corridor_y[i] >= 0 and corridor_y[i] == corridor_y[j])):
                    code[e] = 0
                else:
                    code[e] = 3


def obstruct(
        const int32_t[::1] row_start, const int32_t[::1] neighbour,
        const uint8_t[::1] obstacle, int32_t[::1] cursor, uint8_t[::1] code):
    """Turn link codes of vehicles (0 to 3) into those of the obstacles of the map.

    `obstacle` holds a LinkState per link and is read in the row of the lower node: 0 leaves the
    code, 2 (buildings) gives 3, 3 (tunnel) 4 to 6 after the vehicles between, 4 (deck) 7,
    5 (terrain) 8 and 6 (rock) 9.
    """
    cdef Py_ssize_t n = row_start.shape[0] - 1
    cdef Py_ssize_t i, e
    cdef uint8_t o
    need_rows(row_start, neighbour, min(code.shape[0], obstacle.shape[0]), cursor.shape[0])
    with nogil:
        for i in range(n):
            for e in range(first_upper(row_start, neighbour, i), row_start[i + 1]):
                o = obstacle[e]
                if o == 2:
                    code[e] = 3
                elif o == 3:
                    code[e] = 4 + (code[e] if code[e] < 3 else 0)
                elif o > 3:
                    code[e] = 3 + o
        mirror_codes(row_start, neighbour, cursor, code)


cdef Py_ssize_t first_upper(
        const int32_t[::1] row_start, const int32_t[::1] neighbour, Py_ssize_t i) noexcept nogil:
    """Return where the neighbours above i begin in row i."""
    cdef Py_ssize_t low = row_start[i]
    cdef Py_ssize_t high = row_start[i + 1]
    cdef Py_ssize_t middle
    while low < high:
        middle = (low + high) // 2
        if neighbour[middle] < i:
            low = middle + 1
        else:
            high = middle
    return low


cdef void mirror_codes(
        const int32_t[::1] row_start, const int32_t[::1] neighbour, int32_t[::1] cursor,
        uint8_t[::1] code) noexcept nogil:
    """Copy the code of each link judged from its lower row to the opposite direction.

    Rows ascend, so the rows above j meet the upper part of row j in its order.
    """
    cdef Py_ssize_t i, e, upper
    cdef int j
    for i in range(row_start.shape[0] - 1):
        upper = first_upper(row_start, neighbour, i)
        cursor[i] = <int32_t>upper
        for e in range(row_start[i], upper):
            j = neighbour[e]
            code[e] = code[cursor[j]]
            cursor[j] += 1


cdef void mirror_gains(
        const int32_t[::1] row_start, const int32_t[::1] neighbour, int32_t[::1] cursor,
        float[::1] gain, float[::1] distance) noexcept nogil:
    """Copy gain and distance of each link to the opposite direction."""
    cdef Py_ssize_t i, e, upper
    cdef int j
    for i in range(row_start.shape[0] - 1):
        upper = first_upper(row_start, neighbour, i)
        cursor[i] = <int32_t>upper
        for e in range(row_start[i], upper):
            j = neighbour[e]
            gain[e] = gain[cursor[j]]
            distance[e] = distance[cursor[j]]
            cursor[j] += 1


def update(
        const int32_t[::1] row_start, const int32_t[::1] neighbour,
        const float[:, ::1] position, const float[:, ::1] moved, const float[::1] gain_db,
        const uint32_t[::1] identity, uint32_t key, uint32_t tick,
        const float[:, ::1] piece_start, const float[:, ::1] piece_intercept,
        const float[:, ::1] piece_slope, const float[::1] min_log2, const float[::1] sigma,
        const float[::1] decay, const float[::1] block_mean, const float[::1] block_sigma,
        double range_m, double wrap_m, uint32_t[::1] word, int32_t[::1] cursor,
        const uint8_t[::1] code, const float[::1] extra, float[::1] shadow, float[::1] block,
        float[::1] gain, float[::1] distance):
    """Advance shadowing by one step and compute the path gain of every link.

    `position` and `moved` have shape (3, n_nodes); the law's tables (n_codes, n_pieces) or
    (n_codes,); the link arrays (n_links,). `extra` adds to the loss [dB]. Links beyond
    `range_m` get gain 0 and forget their shadowing. Each pair is computed once, in the row of
    its lower node, and copied; only there are `extra`, `shadow` and `block` read and kept. See
    :class:`v2x.channel.link_table.LinkTable`.
    """
    cdef Py_ssize_t n = row_start.shape[0] - 1
    cdef Py_ssize_t i, c, k, first, m
    cdef v2x_law law
    cdef v2x_nodes nodes
    if (position.shape[0] != 3 or moved.shape[0] != 3 or position.shape[1] != n
            or moved.shape[1] != n or gain_db.shape[0] != n or identity.shape[0] != n
            or word.shape[0] != n or cursor.shape[0] != n):
        raise ValueError("node arrays have different lengths")
    m = neighbour.shape[0]
    if (code.shape[0] < m or extra.shape[0] < m or shadow.shape[0] < m
            or block.shape[0] < m or gain.shape[0] < m
            or distance.shape[0] < m or row_start[n] > m):
        raise ValueError("link arrays are too short")
    if piece_start.shape[0] != V2X_N_CODES or piece_start.shape[1] != V2X_N_PIECES:
        raise ValueError("the law must have 10 codes of 4 pieces")
    for name, table in (("piece_intercept", piece_intercept), ("piece_slope", piece_slope)):
        need(name, table.shape[0] * table.shape[1], V2X_N_CODES * V2X_N_PIECES)
    for name, values in (("min_log2", min_log2), ("sigma", sigma), ("decay", decay),
                         ("block_mean", block_mean), ("block_sigma", block_sigma)):
        need(name, values.shape[0], V2X_N_CODES)
    if n == 0 or m == 0:
        return
    with nogil:
        for c in range(V2X_N_CODES):
            for k in range(V2X_N_PIECES):
                law.start[c * V2X_N_PIECES + k] = piece_start[c, k]
                law.intercept[c * V2X_N_PIECES + k] = piece_intercept[c, k]
                law.slope[c * V2X_N_PIECES + k] = piece_slope[c, k]
            law.min_log2[c] = min_log2[c]
            law.sigma[c] = sigma[c]
            law.decay[c] = decay[c]
            law.block_mean[c] = block_mean[c]
            law.block_sigma[c] = block_sigma[c]
        law.range2 = <float>(range_m * range_m)
        law.wrap = <float>wrap_m if wrap_m > 0.0 else <float>1e30
        law.half_wrap = <float>0.5 * law.wrap
        law.db_to_log2 = <float>0.33219280948873626
        v2x_law_kinds(&law)
        law.alike = True
        for i in range(n):
            law.alike &= gain_db[i] == gain_db[0] and moved[2, i] == 0
        nodes.x = &position[0, 0]
        nodes.y = &position[1, 0]
        nodes.z = &position[2, 0]
        nodes.dx = &moved[0, 0]
        nodes.dy = &moved[1, 0]
        nodes.dz = &moved[2, 0]
        nodes.gain_db = &gain_db[0]
        nodes.word = &word[0]
        for i in range(n):
            word[i] = v2x_hash3(key, tick, identity[i])
        for i in range(n):
            first = first_upper(row_start, neighbour, i)
            m = row_start[i + 1] - first
            if m > 0:
                v2x_links_row(<int>m, <int>i, &neighbour[first], &nodes, &law, &code[first],
                              &extra[first], &shadow[first], &block[first], &gain[first],
                              &distance[first])
        mirror_gains(row_start, neighbour, cursor, gain, distance)


def log2_of(const float[::1] x, float[::1] out):
    """Fill `out` with the kernels' log2 of `x`."""
    cdef Py_ssize_t i
    if out.shape[0] != x.shape[0]:
        raise ValueError("out must have the length of x")
    for i in range(x.shape[0]):
        out[i] = v2x_log2(x[i])


def exp2_of(const float[::1] x, float[::1] out):
    """Fill `out` with the kernels' 2 ** `x`."""
    cdef Py_ssize_t i
    if out.shape[0] != x.shape[0]:
        raise ValueError("out must have the length of x")
    for i in range(x.shape[0]):
        out[i] = v2x_exp2(x[i])


def normals(uint32_t key, float[:, ::1] out):
    """Fill `out` (n, 2) with the normal pairs that the kernels draw for counters 0 to n - 1."""
    cdef Py_ssize_t i
    cdef uint32_t h
    for i in range(out.shape[0]):
        h = v2x_hash2(key, <uint32_t>i)
        v2x_normal_pair(h, v2x_mix(h + <uint32_t>0x9e3779b9), &out[i, 0], &out[i, 1])


def uniforms(uint32_t key, float[:, ::1] out):
    """Fill `out` (n, m) with the uniform numbers of the pairs of counters (i, j)."""
    cdef Py_ssize_t i, j
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = v2x_uniform(v2x_hash3(key, <uint32_t>i, <uint32_t>j))
