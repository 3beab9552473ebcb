"""One transport block on air, as access hands it to reception."""

from libc.stdint cimport int32_t


# The order of the columns is that of v2x.access.base.TRANSMISSION.
cdef packed struct Transmission:
    int32_t node
    int32_t packet
    int32_t first_subchannel
    int32_t n_subchannels
    int32_t attempt
    int32_t n_attempts
    int32_t reservation_ms
    int32_t priority
    int32_t gap_slots
    int32_t other_subchannel
    int32_t gap2_slots
    int32_t other2_subchannel
    int32_t process
    int32_t mcs_raise
    float power_offset_db
