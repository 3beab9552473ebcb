"""State of a station, as the contention kernel keeps it."""

from libc.stdint cimport int32_t, int64_t


# The order and alignment of the columns are those of v2x.sim.contention.STATION. What each frame
# touches at all of its receivers comes first, so that it fills one line of the cache.
cdef struct Station:
    double energy
    int64_t above_since
    int64_t frame_end
    int64_t segment_start
    float lock_mw
    float header_log2
    float data_log2
    int32_t lock
    int32_t n_arriving
    int32_t transmitting
    int32_t busy
    int32_t above
    int64_t above_us
    int64_t idle_since
    int64_t busy_since
    int64_t next_ready
    int64_t frame_start
    int64_t own_since
    int64_t own_us
    int64_t here_since
    int64_t ready[4]
    int32_t backoff[4]
    int32_t queue_head[4]
    int32_t queue_length[4]
    int32_t n_waiting
    int32_t draws
    int32_t frame_packet
    int32_t frame_queue
    int32_t header_done
    float frame_weight
