# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What every receiver gets in a slot: interference, outcomes, sensing history, counts."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from counting cimport (
    CONTROL_LOST, COUNTED, N_DIRECTIONS, N_OUTCOMES, OUT_OF_BUDGET, RECEIVED, ROADSIDE,
    distance_bin)
from lengths cimport need
from transmission cimport Transmission

cdef extern from "reception.h":
    enum:
        V2X_PIECE

    ctypedef struct v2x_transmission:
        float power_mw
        float data_share
        float control_share
        float noise_mw
        float sensitivity_mw
        float limit_m
        float floor_gain
        int first_data
        int n_data
        int control
        int n_bins
        uint32_t data_word
        uint32_t control_word
        const int32_t *curve_row
        int control_curve
        int n_grid
        const float *curves
        float bin_width

    ctypedef struct v2x_piece:
        int32_t near[512]
        int32_t far[512]
        int32_t node[512]
        float gain[512]
        int32_t curve[512]
        float distance[512]
        float soft[512]
        float sinr[512]
        int32_t outcome[512]
        int32_t decoded[512]
        int32_t bin[512]
        int32_t ends[512]

    void v2x_spread(int n, const int32_t *neighbour, const float *gain, float power_mw,
                    const float *profile, int n_bins, float *energy, int32_t *touched,
                    int32_t slot) nogil
    void v2x_open(int64_t n, int n_sub, const int32_t *touched, const int32_t *transmitting,
                  int32_t slot, const float *energy, int n_bins, float data_rb, float control_rb,
                  float noise, float *record, int64_t stride) nogil
    void v2x_sift(int n, const v2x_transmission *tx, const float *gain, const float *distance,
                  v2x_piece *piece, int *n_near, int *n_far) nogil
    void v2x_take(int n, const int32_t *at, const int32_t *neighbour, const float *gain,
                  const float *distance, v2x_piece *piece) nogil
    void v2x_take_data(int n, const int32_t *at, const int32_t *node, const uint8_t *code,
                       const int32_t *curve_row, const uint8_t *flags, const float *earlier,
                       v2x_piece *piece) nogil
    void v2x_decide(int n, const v2x_transmission *tx, const float *energy, const uint32_t *word,
                    const int32_t *transmitting, const int32_t *node, const float *gain,
                    const float *distance, const int32_t *curve, const float *soft,
                    int32_t *outcome, int32_t *decoded, int32_t *bin, float *sinr) nogil
    void v2x_overhear(int n, const v2x_transmission *tx, const float *energy,
                      const uint32_t *word, const int32_t *transmitting, const int32_t *node,
                      const float *gain, int32_t *decoded) nogil
    uint32_t v2x_hash2(uint32_t key, uint32_t a) nogil
    uint32_t v2x_hash3(uint32_t key, uint32_t a, uint32_t b) nogil
    float v2x_uniform(uint32_t h) nogil
    float v2x_curve(const float *curves, int at, float sinr) nogil
    float v2x_exp2(float x) nogil

cdef str BYTE = "u1"

#: Steps of an error curve: 128 per octave of linear SINR, from 2**-9 to 2**20.
CURVE_FIRST_LOG2, CURVE_PER_OCTAVE, CURVE_POINTS = -9, 128, 29 * 128

cdef enum:
    # answers of receivers
    ACK = 1
    NACK = 2
    # in `first_outcome`: received by an attempt that was neither the first nor the last
    RECEIVED_LATER = 16
    # in `fates`, beside outcomes (v2x.sim.link_memory.Fate)
    NOT_ADDRESSED = 13
    NOT_JUDGED = 14
    # fates that a link keeps
    N_FATES = 16


cdef class SlotReceiver:
    """Receives slot after slot; all arrays are lent by :class:`v2x.sim.medium.Medium`.

    Nothing is allocated after construction. `bind_*` methods take the arrays again whenever
    their owner has replaced them.
    """

    # pool and radio
    cdef int n_subchannels, n_bins, n_grid, window, record
    cdef float noise_mw, sensitivity_mw, power_mw
    cdef float control_rb, data_rb
    cdef const float[:, :, ::1] profile
    cdef const float[::1] data_share
    cdef const float[::1] control_share
    cdef const float[:, ::1] curves
    cdef const int32_t[::1] curve_row
    cdef int control_curve, n_codes, n_mcs
    cdef uint32_t data_key, control_key
    # links
    cdef const int32_t[::1] row_start
    cdef const int32_t[::1] neighbour
    cdef const float[::1] gain
    cdef const float[::1] distance
    cdef const uint8_t[::1] code
    cdef int32_t[::1] last_slot
    cdef int64_t[::1] last_generated
    cdef float[::1] soft
    cdef uint8_t[::1] first_outcome
    cdef float[::1] soft_once
    cdef uint8_t[::1] first_outcome_once
    # nodes
    cdef const uint32_t[::1] word
    cdef const uint8_t[::1] flags
    cdef int32_t[::1] transmitting
    cdef int32_t[::1] touched
    cdef float[:, ::1] energy
    cdef float[:, ::1] noticed
    cdef int32_t[:, :, :] history
    cdef float[:, :, :] history_power
    cdef Py_ssize_t node_stride, slot_stride
    cdef uint16_t[:, :, ::1] further
    cdef int32_t[::1] urgency
    # packets
    cdef const int64_t[::1] generated_us
    cdef int32_t[::1] n_intended
    cdef int32_t[::1] n_received
    cdef int32_t[::1] n_received_first
    # counts
    cdef int64_t[:, :, ::1] counts
    cdef int64_t[::1] gaps
    cdef float bin_width, awareness_m
    cdef int n_distance_bins, slot_us
    # below this SINR control information is lost for certain
    cdef float least_control_sinr
    cdef v2x_piece piece
    # columns of the links under judgement: those of the row, or what was taken of it
    cdef const int32_t *node
    cdef const float *gain_of
    cdef const float *away
    # what was on air
    cdef int64_t[::1] first_slot_us
    cdef int64_t[::1] last_slot_us
    cdef int32_t[::1] n_sent
    cdef int32_t[::1] n_used
    cdef uint8_t[::1] resolved
    cdef bint logs, tells_urgency, any_roadside
    # who is meant, and answers; second stage of the control information
    cdef const uint8_t[::1] intended
    cdef const uint8_t[::1] responds
    cdef bint nack_only
    cdef int32_t[:, ::1] answers
    cdef readonly int n_answers
    cdef const int32_t[::1] second_row
    cdef uint32_t second_key
    # what is delivered one by one
    cdef const int32_t[::1] topic
    cdef int64_t[:, ::1] deliveries
    cdef readonly Py_ssize_t n_deliveries
    # what became of the last packets
    cdef uint64_t[::1] fates
    cdef int32_t[:, ::1] recent
    cdef int64_t[::1] n_finished

    def __init__(self, *, int n_subchannels, int window, const float[:, :, ::1] profile,
                 const float[::1] data_share, const float[::1] control_share,
                 double data_rb, double control_rb, double noise_mw, double sensitivity_mw,
                 double power_mw, const float[:, ::1] curves, const int32_t[::1] curve_row,
                 int control_curve, uint32_t data_key, uint32_t control_key, double bin_width_m,
                 double awareness_m, int slot_us, int n_mcs=1):
        if profile.shape[2] % 8:
            raise ValueError("the number of bins must be a multiple of 8")
        if profile.shape[0] != n_subchannels or profile.shape[1] != n_subchannels + 1:
            raise ValueError("profile must have shape (n_subchannels, n_subchannels + 1, n_bins)")
        if profile.shape[2] < 2 * n_subchannels:
            raise ValueError("profile needs two bins per subchannel")
        if (data_share.shape[0] != n_subchannels + 1
                or control_share.shape[0] != n_subchannels + 1):
            raise ValueError("shares must have one value per number of subchannels")
        need("curve_row", curve_row.shape[0], 4)
        if n_mcs < 1 or curve_row.shape[0] % n_mcs:
            raise ValueError("curve_row must have one value per MCS and link code")
        if curves.shape[1] != CURVE_POINTS:
            raise ValueError(f"error curves need {CURVE_POINTS} points")
        self.n_subchannels = n_subchannels
        self.window = window
        self.record = 1 + 3 * n_subchannels
        self.profile = profile
        self.n_bins = <int>profile.shape[2]
        self.data_share = data_share
        self.control_share = control_share
        self.data_rb = <float>data_rb
        self.control_rb = <float>control_rb
        self.noise_mw = <float>noise_mw
        self.sensitivity_mw = <float>sensitivity_mw
        self.power_mw = <float>power_mw
        self.curves = curves
        self.curve_row = curve_row
        self.control_curve = control_curve
        self.n_mcs = n_mcs
        self.n_codes = <int>curve_row.shape[0] // n_mcs
        self.n_grid = <int>curves.shape[1]
        self.data_key = data_key
        self.control_key = control_key
        self.bin_width = <float>bin_width_m
        self.awareness_m = <float>awareness_m
        self.slot_us = slot_us
        self.logs = self.tells_urgency = False
        self.least_control_sinr = <float>least_sinr(curves, control_curve)
        self.intended = self.responds = None
        self.answers = None
        self.second_row = None
        self.topic = None
        self.deliveries = None
        self.n_deliveries = 0
        self.fates = None

    def bind_nodes(self, const uint32_t[::1] word, const uint8_t[::1] flags,
                   int32_t[::1] transmitting, int32_t[::1] touched, float[:, ::1] energy,
                   float[:, ::1] noticed, int32_t[:, :, :] history,
                   float[:, :, :] history_power, uint16_t[:, :, ::1] further=None,
                   int32_t[::1] urgency=None):
        """Take the per-node arrays; `history` and `history_power` share their memory.

        Records of the history are contiguous; nodes and slots may be in either order.

        `flags` is 1 for nodes that enter the statistics, plus 2 for roadside units.
        `energy` collects all power, `noticed` what reaches the sensitivity; they may be the
        same array where there is no sensitivity. `further` is needed where control information
        announces two further transmissions; otherwise it may be missing or empty. `urgency` gets
        the highest priority on air in each slot of the window, if it is given.
        """
        if history.shape[1] != self.window or history.shape[2] != self.record:
            raise ValueError("history has the wrong shape")
        for name, length in (("word", word.shape[0]), ("flags", flags.shape[0]),
                             ("transmitting", transmitting.shape[0]),
                             ("touched", touched.shape[0]), ("energy", energy.shape[0]),
                             ("noticed", noticed.shape[0]),
                             ("history_power", history_power.shape[0])):
            if length != history.shape[0]:
                raise ValueError(f"{name} has {length} rows, history {history.shape[0]}")
        if history_power.shape[1] != self.window or history_power.shape[2] != self.record:
            raise ValueError("history_power has the wrong shape")
        if history.strides[2] != 4 or (
                history.strides[0] != history_power.strides[0]
                or history.strides[1] != history_power.strides[1]):
            raise ValueError("history and history_power must be views of contiguous records")
        if energy.shape[1] != self.n_bins or noticed.shape[1] != self.n_bins:
            raise ValueError("energy has the wrong number of bins")
        if further is not None and further.shape[0] == 0:
            further = None
        if further is not None and (further.shape[0] != history.shape[0]
                                    or further.shape[1] != self.window
                                    or further.shape[2] != self.n_subchannels):
            raise ValueError("further has the wrong shape")
        if urgency is not None:
            need("urgency", urgency.shape[0], self.window)
        self.urgency = urgency
        self.tells_urgency = urgency is not None
        self.further = further
        self.word = word
        self.flags = flags
        self.transmitting = transmitting
        self.touched = touched
        self.energy = energy
        self.noticed = noticed
        self.history = history
        self.history_power = history_power
        self.node_stride = history.strides[0] // 4
        self.slot_stride = history.strides[1] // 4

    def bind_links(self, const int32_t[::1] row_start, const int32_t[::1] neighbour,
                   const float[::1] gain, const float[::1] distance, const uint8_t[::1] code,
                   int32_t[::1] last_slot, int64_t[::1] last_generated, float[::1] soft,
                   uint8_t[::1] first_outcome, float[::1] soft_once=None,
                   uint8_t[::1] first_outcome_once=None):
        """Take the link arrays.

        `soft_once` and `first_outcome_once` are those of what goes once (process 1), where
        there is such.
        """
        cdef Py_ssize_t n_links
        if row_start.shape[0] != self.word.shape[0] + 1:
            raise ValueError("row_start must have one element more than there are nodes")
        n_links = row_start[row_start.shape[0] - 1]
        for name, length in (("neighbour", neighbour.shape[0]), ("gain", gain.shape[0]),
                             ("distance", distance.shape[0]), ("code", code.shape[0]),
                             ("last_slot", last_slot.shape[0]),
                             ("last_generated", last_generated.shape[0]),
                             ("soft", soft.shape[0]),
                             ("first_outcome", first_outcome.shape[0])):
            need(name, length, n_links)
        if soft_once is not None:
            need("soft_once", soft_once.shape[0], n_links)
            need("first_outcome_once", first_outcome_once.shape[0], n_links)
        self.row_start = row_start
        self.neighbour = neighbour
        self.gain = gain
        self.distance = distance
        self.code = code
        self.last_slot = last_slot
        self.last_generated = last_generated
        self.soft = soft
        self.first_outcome = first_outcome
        self.soft_once = soft_once
        self.first_outcome_once = first_outcome_once

    def bind_packets(self, const int64_t[::1] generated_us, int32_t[::1] n_intended,
                     int32_t[::1] n_received, int32_t[::1] n_received_first):
        """Take the packet columns after they have grown."""
        if not (generated_us.shape[0] == n_intended.shape[0] == n_received.shape[0]
                == n_received_first.shape[0]):
            raise ValueError("packet columns have different lengths")
        self.generated_us = generated_us
        self.n_intended = n_intended
        self.n_received = n_received
        self.n_received_first = n_received_first

    def bind_log(self, int64_t[::1] first_slot_us, int64_t[::1] last_slot_us,
                 int32_t[::1] n_attempts, int32_t[::1] n_subchannels, uint8_t[::1] resolved):
        """Take the columns of packets that tell what was on air; without, nothing is told."""
        if not (first_slot_us.shape[0] == last_slot_us.shape[0] == n_attempts.shape[0]
                == n_subchannels.shape[0] == resolved.shape[0]):
            raise ValueError("packet columns have different lengths")
        self.first_slot_us = first_slot_us
        self.last_slot_us = last_slot_us
        self.n_sent = n_attempts
        self.n_used = n_subchannels
        self.resolved = resolved
        self.logs = True

    def bind_topics(self, const int32_t[::1] topic, int64_t[:, ::1] deliveries):
        """Take the topic of each packet, and the place for deliveries of those that have one.

        A delivery is packet, receiver and slot. Those noted before stay where they are; without
        this call all packets tell of states and nothing is noted.
        """
        need("topic", topic.shape[0], self.generated_us.shape[0])
        if deliveries.shape[1] != 3:
            raise ValueError("deliveries needs three columns")
        self.topic = topic
        self.deliveries = deliveries

    def clear_deliveries(self):
        """Begin to note deliveries again from the first row on."""
        self.n_deliveries = 0

    def bind_fates(self, uint64_t[::1] fates, int32_t[:, ::1] recent, int64_t[::1] n_finished):
        """Take for each link the fates of the last packets of its sender, four bits each.

        `recent` names these packets for each node, the k-th that was finished in column k modulo
        16; `n_finished` says how many there were.
        """
        need("fates", fates.shape[0], self.neighbour.shape[0])
        need("n_finished", n_finished.shape[0], self.word.shape[0])
        if recent.shape[0] != n_finished.shape[0] or recent.shape[1] != N_FATES:
            raise ValueError(f"recent needs {N_FATES} packets for each node")
        self.fates = fates
        self.recent = recent
        self.n_finished = n_finished

    def bind_counts(self, int64_t[:, :, ::1] counts, int64_t[::1] gaps):
        """Take the counters: packets by direction, distance bin and outcome; gaps by ms."""
        if counts.shape[0] != N_DIRECTIONS:
            raise ValueError("counts needs one plane per direction")
        if counts.shape[2] != N_OUTCOMES:
            raise ValueError("counts needs one column per outcome")
        self.counts = counts
        self.gaps = gaps
        self.n_distance_bins = <int>counts.shape[1]

    def set_second_stage(self, const int32_t[::1] curve_row, uint32_t key):
        """Let the second stage of control information fail by curves of its own, by link code."""
        need("curve_row", curve_row.shape[0], 4)
        self.second_row = curve_row
        self.second_key = key

    def bind_audience(self, const uint8_t[::1] intended, const uint8_t[::1] responds,
                      bint nack_only):
        """Take for each link whether the receiver is meant, and who of them answers.

        `responds` is one more than the number of the receiver in the group, 0 for silence; with
        `nack_only` there is no ACK. Without this call everybody is meant and nobody answers.
        """
        need("intended", intended.shape[0], self.neighbour.shape[0])
        need("responds", responds.shape[0], self.neighbour.shape[0])
        self.intended = intended
        self.responds = responds
        self.nack_only = nack_only

    def bind_answers(self, int32_t[:, ::1] answers):
        """Take the place for answers to a slot: transmission, node, member, ACK 1 or NACK 2."""
        if answers.shape[1] != 4:
            raise ValueError("answers needs four columns")
        self.answers = answers

    def receive(self, int slot, rows, int64_t counted_from_us):
        """Receive all transmissions of `slot`; packets generated earlier do not count.

        `rows` is an array of :data:`v2x.access.base.TRANSMISSION`.
        """
        cdef Py_ssize_t t, n = len(rows), n_links = 0, n_told = 0, n_row
        cdef const uint8_t[::1] memory
        cdef const Transmission *transmissions
        if n == 0:
            return
        # as bytes, for asking for the layout of the rows takes longer than a short slot
        memory = rows.view(BYTE)
        if memory.shape[0] != n * <Py_ssize_t>sizeof(Transmission):
            raise ValueError("rows are not of the layout of TRANSMISSION")
        transmissions = <const Transmission *>&memory[0]
        for t in range(n):
            if not 0 <= transmissions[t].mcs_raise < self.n_mcs:
                raise ValueError("there is no error curve of this MCS")
            if transmissions[t].process and self.soft_once is None:
                raise ValueError("there is no memory of what goes once")
            n_row = (self.row_start[transmissions[t].node + 1]
                     - self.row_start[transmissions[t].node])
            n_links += n_row
            if self.tells(transmissions[t].packet):
                n_told += n_row
        if n_told > 0 and self.deliveries.shape[0] < self.n_deliveries + n_told:
            raise ValueError("deliveries is too short")
        if self.answers is not None and (self.responds is None
                                         or self.answers.shape[0] < n_links):
            raise ValueError("answers is too short, or nobody was asked")
        self.n_answers = 0
        with nogil:
            self.look_for_roadside()
            for t in range(n):
                self.transmitting[transmissions[t].node] = 1
            self.spread(slot, transmissions, n)
            self.open_records(slot)
            if self.tells_urgency:
                self.urgency[slot % self.window] = transmissions[0].priority
                for t in range(1, n):
                    self.urgency[slot % self.window] = min(self.urgency[slot % self.window],
                                                           transmissions[t].priority)
            for t in range(n):
                self.decide(slot, <int>t, &transmissions[t], counted_from_us)
            for t in range(n):
                self.transmitting[transmissions[t].node] = 0
                if self.logs:
                    self.log(slot, &transmissions[t])

    cdef void log(self, int slot, const Transmission *tx) noexcept nogil:
        """Note a transmission in the columns of packets."""
        cdef int64_t start_us = <int64_t>slot * self.slot_us
        if tx.attempt == 0:
            self.first_slot_us[tx.packet] = start_us
        self.last_slot_us[tx.packet] = start_us
        self.n_sent[tx.packet] += 1
        self.n_used[tx.packet] = tx.n_subchannels
        self.resolved[tx.packet] = tx.attempt == tx.n_attempts - 1

    def drop(self, int node, int packet, int64_t counted_from_us):
        """Count a packet that was never transmitted at its intended receivers."""
        cdef Py_ssize_t e
        cdef int j, k
        cdef int sender = self.flags[node]
        if self.fates is not None and not self.tells(packet):
            self.finish(node, packet)
            for e in range(self.row_start[node], self.row_start[node + 1]):
                self.note_fate(e, OUT_OF_BUDGET)
        if self.generated_us[packet] < counted_from_us or not sender & COUNTED:
            return
        with nogil:
            for e in range(self.row_start[node], self.row_start[node + 1]):
                j = self.neighbour[e]
                k = distance_bin(self.distance[e], self.bin_width)
                if k < self.n_distance_bins and self.flags[j] & COUNTED and self.means(e):
                    self.counts[(sender & ROADSIDE) + (self.flags[j] >> 1), k, OUT_OF_BUDGET] += 1
                    self.n_intended[packet] += not self.flags[j] & ROADSIDE

    def conclude(self, const int32_t[:, ::1] ended, int64_t counted_from_us):
        """Count packets whose reserved repetitions will not be sent: node, packet in each row."""
        cdef Py_ssize_t i
        if ended.shape[1] < 2:
            raise ValueError("ended needs node and packet")
        with nogil:
            for i in range(ended.shape[0]):
                if self.fates is not None and not self.tells(ended[i, 1]):
                    self.note_concluded(ended[i, 0], ended[i, 1])
                if (self.generated_us[ended[i, 1]] >= counted_from_us
                        and self.flags[ended[i, 0]] & COUNTED):
                    self.conclude_one(ended[i, 0], ended[i, 1])

    cdef void note_concluded(self, int node, int packet) noexcept nogil:
        """Note the fates of a packet that ends before its last repetition."""
        cdef Py_ssize_t e
        self.finish(node, packet)
        for e in range(self.row_start[node], self.row_start[node + 1]):
            self.note_fate(e, RECEIVED if self.heard_before(e) else self.first_outcome[e])

    cdef void conclude_one(self, int node, int packet) noexcept nogil:
        cdef Py_ssize_t e
        cdef int j, k, o
        cdef int sender = self.flags[node]
        for e in range(self.row_start[node], self.row_start[node + 1]):
            j = self.neighbour[e]
            k = distance_bin(self.distance[e], self.bin_width)
            if k >= self.n_distance_bins or not self.flags[j] & COUNTED or not self.means(e):
                continue
            o = RECEIVED if self.heard_before(e) else self.first_outcome[e]
            self.counts[(sender & ROADSIDE) + (self.flags[j] >> 1), k, o] += 1
            if not self.flags[j] & ROADSIDE:
                self.n_intended[packet] += 1
                self.n_received[packet] += o == RECEIVED
                self.n_received_first[packet] += self.first_outcome[e] == RECEIVED

    cdef inline bint means(self, Py_ssize_t e) noexcept nogil:
        """Whether the receiver of a link is meant."""
        return self.intended is None or self.intended[e] != 0

    cdef inline bint answers_to(self, Py_ssize_t e) noexcept nogil:
        """Whether the receiver of a link is to answer."""
        return self.responds is not None and self.responds[e] != 0

    cdef inline bint heard_before(self, Py_ssize_t e) noexcept nogil:
        """Whether an earlier attempt reached the receiver of a link."""
        return self.first_outcome[e] == RECEIVED or self.first_outcome[e] == RECEIVED_LATER

    cdef inline bint tells(self, int packet) noexcept nogil:
        """Whether a packet is to be delivered, rather than telling of a state."""
        return self.topic is not None and self.topic[packet] > 0

    cdef void finish(self, int node, int packet) noexcept nogil:
        """Make room for the fates of a packet, which nobody has judged yet."""
        cdef Py_ssize_t e
        self.recent[node, self.n_finished[node] % N_FATES] = packet
        self.n_finished[node] += 1
        for e in range(self.row_start[node], self.row_start[node + 1]):
            self.fates[e] = (self.fates[e] << 4) | NOT_JUDGED

    cdef inline void note_fate(self, Py_ssize_t e, int fate) noexcept nogil:
        """Note the fate of the last packet over link e."""
        if not self.means(e):
            fate = NOT_ADDRESSED
        self.fates[e] = (self.fates[e] & ~<uint64_t>15) | <uint64_t>fate

    cdef void note_fates(self, Py_ssize_t first, int n) noexcept nogil:
        """Note the outcomes of the last attempt of a packet."""
        cdef int k
        for k in range(n):
            self.note_fate(first + self.piece.near[k], self.piece.outcome[k])

    cdef void deliver(self, int slot, const Transmission *tx, Py_ssize_t first,
                      int n) noexcept nogil:
        """Note who decoded a packet by this attempt, and by none before."""
        cdef int k
        cdef bint single = tx.n_attempts == 1
        cdef bint heard
        for k in range(n):
            heard = self.piece.outcome[k] == RECEIVED if single else self.piece.decoded[k] == 1
            if heard and self.means(first + self.piece.near[k]):
                self.deliveries[self.n_deliveries, 0] = tx.packet
                self.deliveries[self.n_deliveries, 1] = self.node[k]
                self.deliveries[self.n_deliveries, 2] = slot
                self.n_deliveries += 1

    cdef float power_of(self, const Transmission *tx) noexcept nogil:
        """Return the total transmit power of one transmission [mW]."""
        if tx.power_offset_db == 0:
            return self.power_mw
        # log2(10) / 10
        return self.power_mw * v2x_exp2(tx.power_offset_db * <float>0.33219281)

    cdef float *soft_of(self, const Transmission *tx, Py_ssize_t first) noexcept nogil:
        """Return what receivers keep of the SINR of earlier attempts, from link `first` on."""
        return &self.soft_once[first] if tx.process else &self.soft[first]

    cdef uint8_t *outcome_of(self, const Transmission *tx, Py_ssize_t first) noexcept nogil:
        """Return the outcomes of earlier attempts, from link `first` on."""
        return &self.first_outcome_once[first] if tx.process else &self.first_outcome[first]

    cdef void spread(self, int slot, const Transmission *transmissions,
                     Py_ssize_t n_transmissions) noexcept nogil:
        """Collect at every node the power of everything on air."""
        cdef Py_ssize_t t, e, first, n, n_links = 0
        cdef Py_ssize_t n_nodes = self.energy.shape[0]
        cdef int node
        cdef float power_mw
        cdef const float *profile
        cdef int32_t *touched = &self.touched[0]
        for t in range(n_transmissions):
            node = transmissions[t].node
            n_links += self.row_start[node + 1] - self.row_start[node]
        # few nodes reached: clear these; many: clear all at once
        if 2 * n_links >= n_nodes:
            memset(&self.energy[0, 0], 0, n_nodes * self.n_bins * sizeof(float))
            if self.sensitivity_mw > 0:
                memset(&self.noticed[0, 0], 0, n_nodes * self.n_bins * sizeof(float))
        else:
            for t in range(n_transmissions):
                node = transmissions[t].node
                self.touch(slot, node)
                for e in range(self.row_start[node], self.row_start[node + 1]):
                    if touched[self.neighbour[e]] != slot:
                        self.touch(slot, self.neighbour[e])
        for t in range(n_transmissions):
            node = transmissions[t].node
            first = self.row_start[node]
            n = self.row_start[node + 1] - first
            touched[node] = slot
            if n == 0:
                continue
            power_mw = self.power_of(&transmissions[t])
            profile = &self.profile[transmissions[t].first_subchannel,
                                    transmissions[t].n_subchannels, 0]
            v2x_spread(<int>n, &self.neighbour[first], &self.gain[first], power_mw, profile,
                       self.n_bins, &self.energy[0, 0], touched, slot)
            if self.sensitivity_mw > 0:
                self.spread_noticed(slot, first, n, power_mw, profile)

    cdef void spread_noticed(self, int slot, Py_ssize_t first, Py_ssize_t n, float power_mw,
                             const float *profile) noexcept nogil:
        """Collect the power of one transmission where it reaches the sensitivity."""
        cdef Py_ssize_t e, k, begin, m
        cdef const float *gain
        cdef float *noticed = &self.piece.gain[0]
        for e in range((n + V2X_PIECE - 1) // V2X_PIECE):
            begin = first + e * V2X_PIECE
            m = min(<Py_ssize_t>V2X_PIECE, first + n - begin)
            gain = &self.gain[begin]
            for k in range(m):
                noticed[k] = gain[k] if gain[k] * power_mw >= self.sensitivity_mw else 0
            v2x_spread(<int>m, &self.neighbour[begin], noticed, power_mw, profile, self.n_bins,
                       &self.noticed[0, 0], &self.touched[0], slot)

    cdef inline void touch(self, int slot, int node) noexcept nogil:
        """Clear what `node` collected in an earlier slot."""
        self.touched[node] = slot
        memset(&self.energy[node, 0], 0, self.n_bins * sizeof(float))
        if self.sensitivity_mw > 0:
            memset(&self.noticed[node, 0], 0, self.n_bins * sizeof(float))

    cdef void open_records(self, int slot) noexcept nogil:
        """Write what every node in reach of somebody measured in `slot`."""
        v2x_open(self.energy.shape[0], self.n_subchannels, &self.touched[0],
                 &self.transmitting[0], slot,
                 &self.noticed[0, 0] if self.sensitivity_mw > 0 else &self.energy[0, 0],
                 self.n_bins, self.data_rb, self.control_rb,
                 self.noise_mw * (self.data_rb + self.control_rb),
                 &self.history_power[0, slot % self.window, 0], self.node_stride)

    cdef void decide(self, int slot, int number, const Transmission *tx,
                     int64_t counted_from_us) noexcept nogil:
        """Judge the transmission of this number at all its neighbours, piece by piece."""
        cdef Py_ssize_t p, begin
        cdef Py_ssize_t first = self.row_start[tx.node]
        cdef Py_ssize_t end = self.row_start[tx.node + 1]
        cdef int m, n_near, n_far
        cdef int node = tx.node
        cdef int64_t generated = self.generated_us[tx.packet]
        cdef bint counting = generated >= counted_from_us and self.flags[node] & COUNTED
        cdef bint tells = self.tells(tx.packet)
        cdef bint finishes = (self.fates is not None and not tells
                              and tx.attempt == tx.n_attempts - 1)
        cdef v2x_piece *piece = &self.piece
        cdef v2x_transmission f
        f.power_mw = self.power_of(tx)
        f.data_share = self.data_share[tx.n_subchannels]
        f.control_share = self.control_share[tx.n_subchannels]
        f.noise_mw = self.noise_mw
        f.sensitivity_mw = self.sensitivity_mw
        f.limit_m = self.limit_of(tx, counting)
        f.floor_gain = self.floor_of(&f)
        f.first_data = tx.first_subchannel
        f.n_data = tx.n_subchannels
        f.control = self.n_subchannels + tx.first_subchannel
        f.n_bins = self.n_bins
        f.data_word = v2x_hash3(self.data_key, self.word[node], <uint32_t>generated)
        f.control_word = v2x_hash3(self.control_key, self.word[node], <uint32_t>slot)
        f.curve_row = &self.curve_row[tx.mcs_raise * self.n_codes]
        f.control_curve = self.control_curve
        f.n_grid = self.n_grid
        f.curves = &self.curves[0, 0]
        f.bin_width = self.bin_width
        if finishes:
            self.finish(node, tx.packet)
        for p in range((end - first + V2X_PIECE - 1) // V2X_PIECE):
            begin = first + p * V2X_PIECE
            m = <int>min(<Py_ssize_t>V2X_PIECE, end - begin)
            v2x_sift(m, &f, &self.gain[begin], &self.distance[begin], piece, &n_near, &n_far)
            if n_near > 0:
                self.take(begin, m, n_near, piece.near)
                v2x_take_data(n_near, piece.near, self.node, &self.code[begin], f.curve_row,
                              &self.flags[0],
                              self.soft_of(tx, begin) if tx.attempt > 0 else NULL, piece)
                v2x_decide(n_near, &f, &self.energy[0, 0], &self.word[0], &self.transmitting[0],
                           self.node, self.gain_of, self.away, piece.curve, piece.soft,
                           piece.outcome, piece.decoded, piece.bin, piece.sinr)
                self.remember(slot, tx, n_near, &f)
                if self.second_row is not None:
                    self.decide_second(slot, tx, begin, n_near)
                if self.answers is not None and tx.n_attempts > 1 and tx.process == 0:
                    self.answer(tx, number, begin, n_near)
                if tx.n_attempts > 1:
                    self.combine(tx, begin, n_near)
                if tells:
                    self.deliver(slot, tx, begin, n_near)
                if finishes:
                    self.note_fates(begin, n_near)
                self.account(slot, tx, begin, n_near, generated, counting)
            if n_far > 0:
                self.take(begin, m, n_far, piece.far)
                v2x_overhear(n_far, &f, &self.energy[0, 0], &self.word[0], &self.transmitting[0],
                             self.node, self.gain_of, piece.decoded)
                self.remember(slot, tx, n_far, &f)

    cdef void decide_second(self, int slot, const Transmission *tx, Py_ssize_t begin,
                            int n) noexcept nogil:
        """Let SCI-2 fail at receivers that have SCI-1; it is not combined over attempts.

        It lies among the data, so it has their SINR. `decoded` becomes 0 where it is lost.
        """
        cdef Py_ssize_t e
        cdef int k
        cdef float before
        cdef float *soft = self.soft_of(tx, begin)
        cdef int32_t *outcome = self.piece.outcome
        cdef int32_t *decoded = self.piece.decoded
        cdef float *sinr = self.piece.sinr
        cdef uint32_t word = v2x_hash3(self.second_key, self.word[tx.node], <uint32_t>slot)
        for k in range(n):
            e = self.piece.near[k]
            if not decoded[k] or not (self.means(begin + e) or self.answers_to(begin + e)):
                continue
            before = 0 if tx.attempt == 0 else soft[e]
            if (v2x_uniform(v2x_hash2(word, self.word[self.node[k]]))
                    < v2x_curve(&self.curves[0, 0],
                                self.second_row[self.code[begin + e]] * self.n_grid,
                                sinr[k] - before)):
                decoded[k] = 0
                sinr[k] = before
                if outcome[k] == RECEIVED:
                    outcome[k] = CONTROL_LOST

    cdef void answer(self, const Transmission *tx, int number, Py_ssize_t begin,
                     int n) noexcept nogil:
        """Note what the receivers that are asked have to say of one transmission.

        Whoever lost its control information does not know of it and says nothing.
        """
        cdef Py_ssize_t e
        cdef int k, value
        for k in range(n):
            e = begin + self.piece.near[k]
            if not self.responds[e] or not self.piece.decoded[k]:
                continue
            value = NACK
            if self.piece.outcome[k] == RECEIVED or (tx.attempt > 0 and self.heard_before(e)):
                value = ACK
            if value == ACK and self.nack_only:
                continue
            self.answers[self.n_answers, 0] = number
            self.answers[self.n_answers, 1] = self.node[k]
            self.answers[self.n_answers, 2] = self.responds[e] - 1
            self.answers[self.n_answers, 3] = value
            self.n_answers += 1

    cdef void take(self, Py_ssize_t begin, int n, int n_taken, const int32_t *at) noexcept nogil:
        """Judge the links `at` of the `n` from `begin` on; all of them stay where they are."""
        if n_taken == n:
            self.node = &self.neighbour[begin]
            self.gain_of = &self.gain[begin]
            self.away = &self.distance[begin]
            return
        v2x_take(n_taken, at, &self.neighbour[begin], &self.gain[begin], &self.distance[begin],
                 &self.piece)
        self.node = self.piece.node
        self.gain_of = self.piece.gain
        self.away = self.piece.distance

    cdef void look_for_roadside(self) noexcept nogil:
        """Find out whether there are roadside units."""
        cdef Py_ssize_t j
        cdef int ends = 0
        for j in range(self.flags.shape[0]):
            ends |= self.flags[j]
        self.any_roadside = ends & ROADSIDE

    cdef float limit_of(self, const Transmission *tx, bint counting) noexcept nogil:
        """Return the distance beyond which nobody counts or remembers a packet [m].

        There is none for packets in several attempts, which may be counted after a receiver has
        come nearer, none where roadside units listen, which remember everybody, and none for what
        is delivered.
        """
        if tx.n_attempts > 1 or self.any_roadside or self.tells(tx.packet):
            return <float>3e38
        if not counting:
            return self.awareness_m
        # with a margin for the rounding of distances to bins
        return max(self.awareness_m, self.n_distance_bins * self.bin_width * <float>1.00001)

    cdef float floor_of(self, const v2x_transmission *f) noexcept nogil:
        """Return a gain below which no control information can be decoded, whatever chance says."""
        cdef float least = max(f.sensitivity_mw, <float>1e-30) * <float>0.9999
        if f.control_share > 0:
            least = max(least, self.least_control_sinr * f.noise_mw / f.control_share
                        * <float>0.9999)
        return least / f.power_mw

    cdef void remember(self, int slot, const Transmission *tx, int n,
                       const v2x_transmission *f) noexcept nogil:
        """Put decoded control information into the sensing history; the strongest stays."""
        cdef Py_ssize_t at
        cdef int k
        cdef int32_t *record = &self.history[0, slot % self.window, 0]
        cdef float *power = &self.history_power[0, slot % self.window, 0]
        cdef const int32_t *node = self.node
        cdef const float *gain = self.gain_of
        cdef const int32_t *decoded = self.piece.decoded
        cdef float per_element = f.power_mw * f.data_share / 12
        cdef float rsrp
        cdef int32_t pack = (tx.reservation_ms | (tx.n_subchannels << 10) | (tx.priority << 15)
                             | ((tx.gap_slots + 32) << 19) | (tx.other_subchannel << 25))
        cdef bint two = self.further is not None
        cdef uint16_t further = <uint16_t>(tx.gap2_slots | (tx.other2_subchannel << 5))
        for k in range(n):
            if decoded[k]:
                at = node[k] * self.node_stride + 1 + self.n_subchannels + tx.first_subchannel
                rsrp = per_element * gain[k]
                if rsrp > power[at]:
                    power[at] = rsrp
                    record[at + self.n_subchannels] = pack
                    if two:
                        self.further[node[k], slot % self.window, tx.first_subchannel] = further

    cdef void combine(self, const Transmission *tx, Py_ssize_t first, int n) noexcept nogil:
        """Merge the outcomes of the attempts of a packet; see Medium for the rule.

        Afterwards `decoded` is 1 where this attempt was the first to succeed, 2 where the
        initial one had, and 3 where another had.
        """
        cdef Py_ssize_t e
        cdef int k, o
        cdef int attempt = tx.attempt
        cdef bint between = 0 < attempt < tx.n_attempts - 1
        cdef int32_t *outcome = self.piece.outcome
        cdef int32_t *decoded = self.piece.decoded
        cdef uint8_t *before = self.outcome_of(tx, first)
        cdef float *soft = self.soft_of(tx, first)
        for k in range(n):
            e = self.piece.near[k]
            o = outcome[k]
            decoded[k] = o == RECEIVED
            if attempt > 0:
                if before[e] == RECEIVED or before[e] == RECEIVED_LATER:
                    decoded[k] = 2 if before[e] == RECEIVED else 3
                    o = RECEIVED
                elif o != RECEIVED:
                    # the attempt that came furthest names the cause
                    o = max(o, <int>before[e])
            outcome[k] = o
            if between and o == RECEIVED and decoded[k] != 2:
                before[e] = RECEIVED_LATER
            else:
                before[e] = <uint8_t>o
            soft[e] = self.piece.sinr[k]

    cdef void account(self, int slot, const Transmission *tx, Py_ssize_t first, int n,
                      int64_t generated, bint counting) noexcept nogil:
        """Count outcomes, and note what each receiver now knows of the sender."""
        cdef Py_ssize_t e, longest_gap = self.gaps.shape[0] - 1
        cdef int k, m, known, n_news = 0
        cdef int32_t *news = self.piece.curve
        cdef bint single = tx.n_attempts == 1
        cdef bint final = tx.attempt == tx.n_attempts - 1
        cdef bint heard, counts_here
        cdef int sender = self.flags[tx.node]
        cdef int ends
        cdef int64_t gap
        cdef int n_intended = 0
        cdef int n_received = 0
        cdef int n_first = 0
        cdef int limit = self.n_distance_bins
        cdef int slot_us = self.slot_us
        cdef float awareness = self.awareness_m
        cdef const int32_t *outcome = self.piece.outcome
        cdef const int32_t *decoded = self.piece.decoded
        cdef const int32_t *bin_ = self.piece.bin
        cdef Py_ssize_t plane = <Py_ssize_t>limit * N_OUTCOMES
        cdef int64_t *counts = &self.counts[0, 0, 0] + (sender & ROADSIDE) * plane
        cdef int64_t *gaps = &self.gaps[0]
        cdef int32_t *last_slot = &self.last_slot[first]
        cdef int64_t *last_generated = &self.last_generated[first]
        # What is delivered by itself says nothing of the state of its sender.
        cdef bint informs = not self.tells(tx.packet)
        cdef const uint8_t *intended = NULL
        if self.intended is not None:
            intended = &self.intended[first]
        for k in range(n):
            if intended != NULL and not intended[self.piece.near[k]]:
                continue
            ends = self.piece.ends[k]
            counts_here = counting and bin_[k] < limit and ends & COUNTED
            heard = outcome[k] == RECEIVED if single else decoded[k] == 1
            if counts_here and final:
                if ends & ROADSIDE:
                    counts[plane + bin_[k] * N_OUTCOMES + outcome[k]] += 1
                else:
                    n_intended += 1
                    n_received += outcome[k] == RECEIVED
                    n_first += heard if single else decoded[k] == 2
                    counts[bin_[k] * N_OUTCOMES + outcome[k]] += 1
            news[n_news] = k
            n_news += heard & informs & ((self.away[k] <= awareness)
                                         | (((ends | sender) & ROADSIDE) != 0))
        for m in range(n_news):
            k = news[m]
            e = self.piece.near[k]
            known = last_slot[e]
            last_slot[e] = slot
            last_generated[e] = generated
            ends = self.piece.ends[k]
            if (known >= 0 and counting and bin_[k] < limit and ends & COUNTED
                    and not (ends | sender) & ROADSIDE):
                gap = <int64_t>(slot - known) * slot_us // 1000
                gaps[min(gap, longest_gap)] += 1
        self.n_intended[tx.packet] += n_intended
        self.n_received[tx.packet] += n_received
        self.n_received_first[tx.packet] += n_first


cdef double least_sinr(const float[:, ::1] curves, int curve):
    """Return the linear SINR below which an error curve leaves no chance."""
    cdef Py_ssize_t i = 0
    while i < curves.shape[1] and curves[curve, i] >= 1:
        i += 1
    if i == 0:
        return 0.0
    octave, step = divmod(i, CURVE_PER_OCTAVE)
    return 2.0 ** (CURVE_FIRST_LOG2 + octave) * (1.0 + step / CURVE_PER_OCTAVE)
