/* Innermost loops of reception: one transmission and its neighbours at a time. */
#ifndef V2X_RECEPTION_H
#define V2X_RECEPTION_H

#include "v2x_math.h"

/* One transmission, as the loops need it. */
typedef struct {
    float power_mw;              /* total transmit power */
    float data_share;            /* share of it in each resource block of the data */
    float control_share;         /* ... of the control information; 0 if it has none */
    float noise_mw;              /* noise in one resource block */
    float sensitivity_mw;        /* least received power that is noticed */
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

/* Spread the power of one transmission over the bins of all its neighbours. `profile` holds,
 * for each bin, the share of the transmit power that falls into one resource block there. */
V2X_CLONES
static void v2x_spread(int n, const int32_t *restrict neighbour, const float *restrict gain,
                       float power_mw, const float *restrict profile, int n_bins,
                       float *restrict energy)
{
    /* n_bins is a multiple of 8, so the inner loop is one or a few whole vectors */
    for (int e = 0; e < n; e++) {
        const float p = power_mw * gain[e];
        float *restrict target = energy + (int64_t)neighbour[e] * n_bins;
        for (int b = 0; b < n_bins; b += 8)
            for (int k = 0; k < 8; k++)
                target[b + k] += p * profile[b + k];
    }
}

/* Fate of one attempt at each neighbour, as if it were listening.
 *
 * outcome: 0 received, 2 below sensitivity, 3 propagation, 4 collision,
 * 5 control lost. decoded: not 0 where control information was decoded. sinr: of the data, linear, combined
 * with `soft` of an earlier attempt. */
V2X_CLONES
static void v2x_decide(int n, const v2x_transmission *tx, const int32_t *restrict neighbour,
                       const float *restrict gain, const uint8_t *restrict code,
                       const float *restrict distance, const float *restrict energy,
                       const uint32_t *restrict word,
                       const float *restrict soft, int32_t *restrict outcome,
                       int32_t *restrict decoded, int32_t *restrict bin, float *restrict sinr)
{
    const float power = tx->power_mw, data = tx->data_share, control = tx->control_share;
    const float noise = tx->noise_mw, sensitivity = tx->sensitivity_mw;
    const int n_bins = tx->n_bins, n_data = tx->n_data, n_grid = tx->n_grid;
    const int first_data = tx->first_data, control_bin = tx->control;
    const float per_bin = 1.0f / (float)n_data, per_noise = 1.0f / noise;
    const uint32_t data_word = tx->data_word, control_word = tx->control_word;
    const int32_t *restrict curve_row = tx->curve_row;
    const float *restrict curves = tx->curves;
    const int control_curve = tx->control_curve * n_grid;
    const int lost_control = 5;
    const float has_control = control > 0.0f ? 1.0f : 0.0f;
    const float least = sensitivity > 1e-30f ? sensitivity : 1e-30f;
    const float bin_width = tx->bin_width;

    /* mean over the data bins of the linear SINR, first summed in `sinr` */
    for (int e = 0; e < n; e++)
        sinr[e] = 0.0f;
    for (int b = first_data; b < first_data + n_data; b++) {
        for (int e = 0; e < n; e++) {
            const float signal = power * gain[e] * data;
            float other = energy[neighbour[e] * n_bins + b] - signal;
            other = other > 0.0f ? other : 0.0f;
            sinr[e] += signal / (other + noise);
        }
    }
    for (int e = 0; e < n; e++) {
        const int j = neighbour[e];
        const int at = j * n_bins;
        const float p = power * gain[e];
        const float signal = p * data;
        const float now = sinr[e] * per_bin;
        const float total = now + soft[e];
        const float clear = signal * per_noise + soft[e];

        const int curve = curve_row[code[e]] * n_grid;
        const float bler_total = v2x_curve(curves, curve, total);
        const float bler_clear = v2x_curve(curves, curve, clear);
        const float u = v2x_uniform(v2x_hash2(data_word, word[j]));

        const float control_signal = p * control;
        float control_other = energy[at + control_bin] - control_signal;
        control_other = control_other > 0.0f ? control_other : 0.0f;
        const float control_sinr = control_signal / (control_other + noise);
        const float bler_control = has_control * v2x_curve(curves, control_curve, control_sinr);
        const float v = v2x_uniform(v2x_hash2(control_word, word[j]));
        /* plain selects: compilers do not vectorise logic on mixed comparisons */
        int o = v < bler_control ? lost_control : 0;
        int heard = lost_control - o;
        heard = p < least ? 0 : heard;
        o = u < bler_total ? 4 : o;
        o = u < bler_clear ? 3 : o;
        o = p < least ? 2 : o;
        outcome[e] = o;
        decoded[e] = heard;
        sinr[e] = heard ? total : soft[e];

        const float scaled = distance[e] / bin_width;
        int k = (int)scaled;
        k = (float)k == scaled ? k - 1 : k;                /* bins are (lower, upper] */
        bin[e] = k < 0 ? 0 : k;
    }
}

#endif
