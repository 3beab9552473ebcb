"""What kernels of conflicts know of each road user, and where it is; SI units."""

from libc.math cimport floor
from libc.stdint cimport int32_t

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
    # columns of each
    N_MOTION = 15
    N_PLACE = 9
    # roads that share a junction meet no farther from it than this [m]
    NEAR_M = 30


cdef inline double nearest(double dx, double period) noexcept nogil:
    """Return a difference in x by the shorter way round, where the map has a period."""
    if period > 0:
        dx -= period * floor(dx / period + 0.5)
    return dx


cdef inline bint on_meeting_roads(const int32_t *one, const int32_t *other) noexcept nogil:
    """Whether two road users are on roads that meet, so that they can touch at all."""
    if one[ROAD] < 0 or other[ROAD] < 0:
        return one[LEVEL] == other[LEVEL]
    return (one[ROAD] == other[ROAD]
            or one[BEGIN] == other[BEGIN] or one[BEGIN] == other[END]
            or one[END] == other[BEGIN] or one[END] == other[END])


cdef inline int index_of(double way, double cell, int n) noexcept nogil:
    """Return the column or row of a place, the outermost one beyond the grid."""
    cdef int index = <int>floor(way / cell)
    return 0 if index < 0 else (n - 1 if index >= n else index)


cdef inline int cell_of(double x, double y, double west, double south, double cell, int columns,
                        int rows) noexcept nogil:
    """Return the cell of a place."""
    return index_of(y - south, cell, rows) * columns + index_of(x - west, cell, columns)
