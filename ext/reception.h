/* Innermost loops of reception: one transmission and its neighbours at a time. */
#ifndef V2X_RECEPTION_H
#define V2X_RECEPTION_H

#include "v2x_math.h"

/* Links are judged in pieces whose scratch stays in the first-level cache. */
enum { V2X_PIECE = 512 };

/* One transmission, as the loops need it. */
typedef struct {
    float power_mw;              /* total transmit power */
    float data_share;            /* share of it in each resource block of the data */
    float control_share;         /* ... of the control information; 0 if it has none */
    float noise_mw;              /* noise in one resource block */
    float sensitivity_mw;        /* least received power that is noticed */
    float limit_m;               /* data matter to nobody farther away */
    float floor_gain;            /* control information is lost for certain below this gain */
    int first_data, n_data;      /* data bins it fills */
    int control;                 /* bin of its control information */
    int n_bins;                  /* bins per receiver in `energy` */
    uint32_t data_word, control_word;
    const int32_t *curve_row;    /* error curve by link code */
    int control_curve;
    int n_grid;                  /* points of a curve */
    const float *curves;
    float bin_width;             /* width of a distance bin, m */
} v2x_transmission;

/* A piece of a row: the links that are judged, side by side, and what becomes of them. */
typedef struct {
    int32_t near[V2X_PIECE], far[V2X_PIECE];       /* places in the piece */
    int32_t node[V2X_PIECE], curve[V2X_PIECE];
    float gain[V2X_PIECE], distance[V2X_PIECE], soft[V2X_PIECE], sinr[V2X_PIECE];
    int32_t outcome[V2X_PIECE], decoded[V2X_PIECE], bin[V2X_PIECE], ends[V2X_PIECE];
} v2x_piece;

/* Error tables have 128 steps per octave of linear SINR from 2**-9 to 2**20, so that the bits of
 * a float are its place in the table: exponent and seven bits of mantissa. A step is 0.024 dB. */
enum { V2X_CURVE_LOW = (127 - 9) << 23, V2X_CURVE_HIGH = (127 + 20) << 23, V2X_CURVE_SHIFT = 16 };

V2X_INLINE float v2x_curve(const float *curves, int at, float sinr)
{
    int32_t bits = (int32_t)v2x_bits(sinr);
    bits = bits > V2X_CURVE_LOW ? bits : V2X_CURVE_LOW;
    bits = bits < V2X_CURVE_HIGH ? bits : V2X_CURVE_HIGH - 1;
    return curves[at + ((bits - V2X_CURVE_LOW) >> V2X_CURVE_SHIFT)];
}

/* Spread the power of one transmission over the bins of all its neighbours, and mark them as
 * reached. `profile` holds, for each bin, the share of the transmit power that falls into one
 * resource block there. */
V2X_INLINE void v2x_spread_bins(int n, const int32_t *restrict neighbour,
                                const float *restrict gain, float power_mw,
                                const float *restrict profile, const int n_bins,
                                float *restrict energy, int32_t *restrict touched, int32_t slot)
{
    for (int e = 0; e < n; e++) {
        const int j = neighbour[e];
        const float p = power_mw * gain[e];
        float *restrict target = energy + (int64_t)j * n_bins;
        for (int b = 0; b < n_bins; b += 8) {
            float sum[8];                              /* a vector */
            for (int k = 0; k < 8; k++)
                sum[k] = target[b + k] + p * profile[b + k];
            for (int k = 0; k < 8; k++)
                target[b + k] = sum[k];
        }
        touched[j] = slot;
    }
}

V2X_CLONES
static void v2x_spread(int n, const int32_t *restrict neighbour, const float *restrict gain,
                       float power_mw, const float *restrict profile, int n_bins,
                       float *restrict energy, int32_t *restrict touched, int32_t slot)
{
    /* with a known number of bins the profile stays in registers */
    switch (n_bins) {
#define V2X_SPREAD(n_bins)                                                                         \
    v2x_spread_bins(n, neighbour, gain, power_mw, profile, n_bins, energy, touched, slot)
    case 8: V2X_SPREAD(8); break;
    case 16: V2X_SPREAD(16); break;
    case 24: V2X_SPREAD(24); break;
    default: V2X_SPREAD(n_bins);
#undef V2X_SPREAD
    }
}

/* Write what the nodes [0, n) that were reached in `slot` measured: n_sub values of S-RSSI, then
 * no control information. A transmitting node measured nothing. Records are `stride` words
 * apart. */
V2X_INLINE void v2x_open_subchannels(int64_t n, const int n_sub, const int32_t *restrict touched,
                                     const int32_t *restrict transmitting, int32_t slot,
                                     const float *restrict energy, int n_bins, float data_rb,
                                     float control_rb, float noise, float *restrict record,
                                     int64_t stride)
{
    for (int64_t j = 0; j < n; j++, record += stride, energy += n_bins) {
        if (touched[j] != slot)
            continue;
        float rssi[32];
        for (int s = 0; s < n_sub; s++) {
            rssi[s] = energy[s] * data_rb + energy[n_sub + s] * control_rb + noise;
            rssi[s] = transmitting[j] ? -1.0f : rssi[s];
        }
        memcpy(record, &slot, 4);
        for (int s = 0; s < n_sub; s++)
            record[1 + s] = rssi[s];
        for (int s = 0; s < 2 * n_sub; s++)
            record[1 + n_sub + s] = 0.0f;
    }
}

V2X_CLONES
static void v2x_open(int64_t n, int n_sub, const int32_t *restrict touched,
                     const int32_t *restrict transmitting, int32_t slot,
                     const float *restrict energy, int n_bins, float data_rb, float control_rb,
                     float noise, float *restrict record, int64_t stride)
{
    switch (n_sub) {
    case 5:
        v2x_open_subchannels(n, 5, touched, transmitting, slot, energy, n_bins, data_rb,
                             control_rb, noise, record, stride);
        break;
    case 10:
        v2x_open_subchannels(n, 10, touched, transmitting, slot, energy, n_bins, data_rb,
                             control_rb, noise, record, stride);
        break;
    default:
        v2x_open_subchannels(n, n_sub, touched, transmitting, slot, energy, n_bins, data_rb,
                             control_rb, noise, record, stride);
    }
}

/* Sort the links of a piece: those near enough for the data to matter, and those beyond from which
 * control information may still be decoded. The others only interfere. */
V2X_CLONES
static void v2x_sift(int n, const v2x_transmission *tx, const float *restrict gain,
                     const float *restrict distance, v2x_piece *piece, int *n_near,
                     int *n_far)
{
    const float limit = tx->limit_m, floor = tx->floor_gain;
    int32_t *restrict near_at = piece->near, *restrict far_at = piece->far;
    int near = 0, far = 0;
    for (int e = 0; e < n; e++) {
        const int inside = distance[e] <= limit;
        near_at[near] = e;
        near += inside;
        far_at[far] = e;
        far += !inside & (gain[e] >= floor);
    }
    *n_near = near;
    *n_far = far;
}

/* Put the links `at` of a piece side by side: the columns, and what data need besides. */
V2X_CLONES
static void v2x_take(int n, const int32_t *restrict at, const int32_t *restrict neighbour,
                     const float *restrict gain, const float *restrict distance, v2x_piece *piece)
{
    int32_t *restrict node = piece->node;
    float *restrict taken = piece->gain, *restrict away = piece->distance;
    for (int k = 0; k < n; k++) {
        node[k] = neighbour[at[k]];
        taken[k] = gain[at[k]];
        away[k] = distance[at[k]];
    }
}

V2X_CLONES
static void v2x_take_data(int n, const int32_t *restrict at, const int32_t *restrict node,
                          const uint8_t *restrict code, const int32_t *restrict curve_row,
                          const uint8_t *restrict flags, const float *restrict earlier,
                          v2x_piece *piece)
{
    int32_t *restrict curve = piece->curve, *restrict ends = piece->ends;
    float *restrict soft = piece->soft;
    for (int k = 0; k < n; k++) {
        curve[k] = curve_row[code[at[k]]];
        ends[k] = flags[node[k]];
    }
    if (earlier)
        for (int k = 0; k < n; k++)
            soft[k] = earlier[at[k]];
    else
        for (int k = 0; k < n; k++)
            soft[k] = 0.0f;
}

/* Fate of one attempt at each link that was taken.
 *
 * outcome: 0 received, 1 the node transmits itself, 2 below sensitivity, 3 propagation,
 * 4 collision, 5 control lost. decoded: not 0 where control information was decoded. sinr: of
 * the data, linear, combined with `soft` of an earlier attempt. */
V2X_CLONES
static void v2x_decide(int n, const v2x_transmission *tx, const float *restrict energy,
                       const uint32_t *restrict word, const int32_t *restrict transmitting,
                       const int32_t *restrict node, const float *restrict gain,
                       const float *restrict distance, const int32_t *restrict curve,
                       const float *restrict soft, int32_t *restrict outcome,
                       int32_t *restrict decoded, int32_t *restrict bin, float *restrict sinr)
{
    const float power = tx->power_mw, data = tx->data_share, control = tx->control_share;
    const float noise = tx->noise_mw, sensitivity = tx->sensitivity_mw;
    const int n_bins = tx->n_bins, n_data = tx->n_data, n_grid = tx->n_grid;
    const int first_data = tx->first_data, control_bin = tx->control;
    const float per_bin = 1.0f / (float)n_data, per_noise = 1.0f / noise;
    const uint32_t data_word = tx->data_word, control_word = tx->control_word;
    const float *restrict curves = tx->curves;
    const int control_curve = tx->control_curve * n_grid;
    const int lost_control = 5;
    const float has_control = control > 0.0f ? 1.0f : 0.0f;
    const float least = sensitivity > 1e-30f ? sensitivity : 1e-30f;
    const float bin_width = tx->bin_width;

    /* mean over the data bins of the linear SINR, first summed in `sinr` */
    for (int k = 0; k < n; k++)
        sinr[k] = 0.0f;
    for (int b = first_data; b < first_data + n_data; b++) {
        for (int k = 0; k < n; k++) {
            const float signal = power * gain[k] * data;
            float other = energy[node[k] * n_bins + b] - signal;
            other = other > 0.0f ? other : 0.0f;
            sinr[k] += signal / (other + noise);
        }
    }
    for (int k = 0; k < n; k++) {
        const int j = node[k];
        const float p = power * gain[k];
        const float signal = p * data;
        const float total = sinr[k] * per_bin + soft[k];
        const float clear = signal * per_noise + soft[k];
        const float bler_total = v2x_curve(curves, curve[k] * n_grid, total);
        const float bler_clear = v2x_curve(curves, curve[k] * n_grid, clear);
        const float u = v2x_uniform(v2x_hash2(data_word, word[j]));

        const float control_signal = p * control;
        float control_other = energy[j * n_bins + control_bin] - control_signal;
        control_other = control_other > 0.0f ? control_other : 0.0f;
        const float control_sinr = control_signal / (control_other + noise);
        const float bler_control = has_control * v2x_curve(curves, control_curve, control_sinr);
        const float v = v2x_uniform(v2x_hash2(control_word, word[j]));
        /* plain selects: compilers do not vectorise logic on mixed comparisons */
        const int deaf = transmitting[j];
        int o = v < bler_control ? lost_control : 0;
        int heard = lost_control - o;
        heard = p < least ? 0 : heard;
        heard = deaf ? 0 : heard;
        o = u < bler_total ? 4 : o;
        o = u < bler_clear ? 3 : o;
        o = p < least ? 2 : o;
        outcome[k] = deaf ? 1 : o;
        decoded[k] = heard;
        sinr[k] = heard ? total : soft[k];

        const float scaled = distance[k] / bin_width;
        int at = (int)scaled;
        at = (float)at == scaled ? at - 1 : at;            /* bins are (lower, upper] */
        bin[k] = at < 0 ? 0 : at;
    }
}

/* The control information alone of one attempt at each link that was taken, as v2x_decide. */
V2X_CLONES
static void v2x_overhear(int n, const v2x_transmission *tx, const float *restrict energy,
                         const uint32_t *restrict word, const int32_t *restrict transmitting,
                         const int32_t *restrict node, const float *restrict gain,
                         int32_t *restrict decoded)
{
    const float power = tx->power_mw, control = tx->control_share;
    const float noise = tx->noise_mw, sensitivity = tx->sensitivity_mw;
    const int n_bins = tx->n_bins, control_bin = tx->control;
    const uint32_t control_word = tx->control_word;
    const float *restrict curves = tx->curves;
    const int control_curve = tx->control_curve * tx->n_grid;
    const float has_control = control > 0.0f ? 1.0f : 0.0f;
    const float least = sensitivity > 1e-30f ? sensitivity : 1e-30f;

    for (int k = 0; k < n; k++) {
        const int j = node[k];
        const float p = power * gain[k];
        const float signal = p * control;
        float other = energy[j * n_bins + control_bin] - signal;
        other = other > 0.0f ? other : 0.0f;
        const float bler = has_control * v2x_curve(curves, control_curve, signal / (other + noise));
        const float v = v2x_uniform(v2x_hash2(control_word, word[j]));
        int heard = v < bler ? 0 : 1;
        heard = p < least ? 0 : heard;
        decoded[k] = transmitting[j] ? 0 : heard;
    }
}

#endif
