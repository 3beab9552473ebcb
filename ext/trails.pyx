# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Paths that crossed: who passed where, and who follows over the same place on another path.

Trails and their cells are explained in :mod:`v2x.sim.safety.conflicts`.
"""

from libc.math cimport INFINITY, NAN, fabs
from libc.stdint cimport int32_t, int64_t, uint32_t

from lengths cimport need
from road_users cimport (
    EDGE_LENGTH, HALF_LENGTH, HALF_WIDTH, HEIGHT, HX, HY, LEVEL, NEAR_M, NONE, N_MOTION,
    N_PLACE, OFFSET, ON_WHEELS, ROAD, SPEED, X, Y, Z, cell_of, nearest, on_meeting_roads)

#: Columns of `trail`, `crossers` and `times`.
TRAIL_COLUMNS, CROSSER_COLUMNS, TIME_COLUMNS = 3, 2, 5

cdef enum:
    # ways between which the trail lists of a cell tell apart
    DIRECTIONS = 4
    # trail
    ROW = 0
    TICK = 1
    NEXT = 2

#: Cosine of 45 degrees: paths that cross at less of an angle merge rather than cross.
cdef double SQUARE = 0.7071067811865476
#: Speed below which nobody enters a crossing [m/s].
cdef double CREEPING = 0.1
#: Farther from a noted place than this, a path may have bent [m].
cdef double LOCAL_M = 4.0
#: Nobody is noted again before having moved so far [m].
cdef double NOTED_M = 3.0


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
        if motion.shape[1] != N_MOTION or place.shape[1] != N_PLACE:
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
        cdef int last
        if self.was_there(r) and dx * dx + dy * dy < NOTED_M * NOTED_M:
            return
        self.noted[r, 0], self.noted[r, 1] = x, y
        cell = self.hashed(cell_of(x, y, self.west_m, self.south_m, self.cell_m, self.columns,
                                   self.rows), direction(hx, hy))
        # Notes that are no longer of interest may be used again: linking to one could close a ring.
        last = self.head[cell]
        if last != NONE and self.trail[last, TICK] < self.tick - self.n_ticks:
            last = NONE
        self.trail[self.at, ROW] = r
        self.trail[self.at, TICK] = self.tick
        self.trail[self.at, NEXT] = last
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
