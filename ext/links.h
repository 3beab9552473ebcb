/* Innermost loops of the link table: one row (a node and its neighbours) at a time. */
#ifndef V2X_LINKS_H
#define V2X_LINKS_H

#include "v2x_math.h"

enum { V2X_N_CODES = 10, V2X_N_PIECES = 4, V2X_N_BINS = 4096 };

/* Tables by link code; see LINK_CODES of link_table.py. */
typedef struct {
    float start[V2X_N_CODES * V2X_N_PIECES];      /* where a piece begins, log2 of metres */
    float intercept[V2X_N_CODES * V2X_N_PIECES];  /* dB */
    float slope[V2X_N_CODES * V2X_N_PIECES];      /* dB per octave */
    float min_log2[V2X_N_CODES];                  /* shortest distance, log2 of metres */
    float sigma[V2X_N_CODES];                     /* shadowing, dB */
    float decay[V2X_N_CODES];                     /* log2(e) / decorrelation distance, 1/m */
    float block_mean[V2X_N_CODES];                /* vehicle blockage at short range, dB */
    float block_sigma[V2X_N_CODES];               /* dB */
    float range2;                                 /* square of the interaction range, m^2 */
    float wrap, half_wrap;                        /* period in x; huge when there is none */
    float db_to_log2;                             /* log2(10) / 10 */
} v2x_law;

/* What a row needs of every node; arrays of n_nodes. */
typedef struct {
    const float *x, *y, *z;        /* antenna position */
    const float *dx, *dy, *dz;     /* displacement since the last update */
    const float *gain_db;          /* antenna gain */
    const uint32_t *word;          /* hash of identity and time */
} v2x_nodes;

/* Correlated shadowing and path gain of one row; see LinkTable for the meaning of the arrays.
 * `extra` is what obstacles of the map cost [dB]. `shadow` and `block` hold standard normal values, or 9e9 for a link not yet drawn. */
V2X_CLONES
static void v2x_links_row(int n, int i, const int32_t *restrict neighbour, const v2x_nodes *nodes,
                          const v2x_law *law, const uint8_t *restrict code,
                          const float *restrict extra, float *restrict shadow,
                          float *restrict block, float *restrict gain, float *restrict distance)
{
    const float *restrict x = nodes->x, *restrict y = nodes->y, *restrict z = nodes->z;
    const float *restrict dx = nodes->dx, *restrict dy = nodes->dy, *restrict dz = nodes->dz;
    const float *restrict antenna = nodes->gain_db;
    const uint32_t *restrict word = nodes->word;
    const float xi = x[i], yi = y[i], zi = z[i], dxi = dx[i], dyi = dy[i], dzi = dz[i];
    const float antenna_i = antenna[i];
    const uint32_t word_i = word[i];
    const float wrap = law->wrap, half = law->half_wrap, range2 = law->range2;
    const float to_log2 = law->db_to_log2;
    const float *restrict start = law->start, *restrict intercept = law->intercept;
    const float *restrict slope = law->slope, *restrict min_log2 = law->min_log2;
    const float *restrict sigma = law->sigma, *restrict decay = law->decay;
    const float *restrict mean = law->block_mean, *restrict spread = law->block_sigma;

    for (int e = 0; e < n; e++) {
        const int j = neighbour[e];
        const int c = code[e];
        float ex = x[j] - xi;
        ex = ex > half ? ex - wrap : ex;
        ex = ex < -half ? ex + wrap : ex;
        const float ey = y[j] - yi, ez = z[j] - zi;
        const float d2 = ex * ex + ey * ey + ez * ez;
        const float mx = dx[j] - dxi, my = dy[j] - dyi, mz = dz[j] - dzi;
        const float moved = sqrtf(mx * mx + my * my + mz * mz);

        const uint32_t other = word[j];
        const uint32_t h1 = v2x_mix((word_i + other) ^ ((word_i ^ other) * 0x85ebca6bu));
        const uint32_t h2 = v2x_mix(h1 + 0x9e3779b9u);
        float new_shadow, new_block;
        v2x_normal_pair(h1, h2, &new_shadow, &new_block);
        const float decayed = v2x_exp2(-moved * decay[c]);
        const float carried = shadow[e] < 1e9f ? decayed : 0.0f;
        const float fresh = sqrtf(1.0f - carried * carried);
        const float s = carried * shadow[e] + fresh * new_shadow;
        const float b = carried * block[e] + fresh * new_block;

        float l = 0.5f * v2x_log2(d2 + 1e-12f);
        l = l < min_log2[c] ? min_log2[c] : l;
        const int t = c * V2X_N_PIECES;
        const int k = t + (l >= start[t + 1]) + (l >= start[t + 2]) + (l >= start[t + 3]);
        const float far = 4.5154499f * l - 41.0f;            /* 15 log10(d) - 41 */
        float blocked = mean[c] + (far > 0.0f ? far : 0.0f) + spread[c] * b;
        blocked = blocked > 0.0f ? blocked : 0.0f;
        const float loss = intercept[k] + slope[k] * l + sigma[c] * s + blocked + extra[e];
        const float g = v2x_exp2((antenna_i + antenna[j] - loss) * to_log2);

        const int inside = d2 <= range2;
        shadow[e] = inside ? s : 9e9f;
        block[e] = inside ? b : 9e9f;
        gain[e] = inside ? g : 0.0f;
        distance[e] = sqrtf(d2);
    }
}

/* Direction of (x, y) as a pseudo-angle in [0, 4): monotone in the angle, a unit per quadrant. */
V2X_INLINE float v2x_turn(float x, float y)
{
    const float ax = x < 0.0f ? -x : x, ay = y < 0.0f ? -y : y;
    const float p = ay / (ax + ay + 1e-6f);
    const float turn = x >= 0.0f ? p : 2.0f - p;
    return y >= 0.0f ? turn : 4.0f - turn;
}

/* How far a corner is turned from the middle of its vehicle, within half a circle. */
V2X_INLINE float v2x_turned(float corner, float middle)
{
    float d = corner - middle;
    d = d > 2.0f ? d - 4.0f : d;
    return d < -2.0f ? d + 4.0f : d;
}

/* What each neighbour of node i hides. Directions are bins [0, V2X_N_BINS) of the pseudo-angle,
 * finest along the axes. A neighbour stands in direction `bin` and covers the bins `low` to
 * `high` whose middles lie inside its silhouette, spanned by the corners of its rectangle; they
 * may run over either end of the circle. Those too far above or below cover nothing
 * (high < low). */
V2X_CLONES
static void v2x_silhouettes(int n, int i, const int32_t *restrict neighbour,
                            const float *restrict x, const float *restrict y,
                            const float *restrict z, const float *restrict cosine,
                            const float *restrict sine, const float *restrict half_length,
                            const float *restrict half_width, float wrap, float half_wrap,
                            float gap, float grade, int32_t *restrict bin, int32_t *restrict low,
                            int32_t *restrict high, float *restrict distance)
{
    const float xi = x[i], yi = y[i], zi = z[i];
    const float quarter = V2X_N_BINS / 4;
    for (int e = 0; e < n; e++) {
        const int j = neighbour[e];
        float ex = x[j] - xi;
        ex = ex > half_wrap ? ex - wrap : ex;
        ex = ex < -half_wrap ? ex + wrap : ex;
        const float ey = y[j] - yi, ez = z[j] - zi;
        const float az = ez < 0.0f ? -ez : ez;
        const float d = sqrtf(ex * ex + ey * ey);
        const float turn = v2x_turn(ex, ey);
        /* half the vehicle along and across its heading */
        const float lx = half_length[j] * cosine[j], ly = half_length[j] * sine[j];
        const float wx = -half_width[j] * sine[j], wy = half_width[j] * cosine[j];
        const float a = v2x_turned(v2x_turn(ex + lx + wx, ey + ly + wy), turn);
        const float b = v2x_turned(v2x_turn(ex + lx - wx, ey + ly - wy), turn);
        const float c = v2x_turned(v2x_turn(ex - lx + wx, ey - ly + wy), turn);
        const float f = v2x_turned(v2x_turn(ex - lx - wx, ey - ly - wy), turn);
        const float ab_low = a < b ? a : b, ab_high = a < b ? b : a;
        const float cf_low = c < f ? c : f, cf_high = c < f ? f : c;
        const float begin = quarter * (turn + (ab_low < cf_low ? ab_low : cf_low));
        const float end = quarter * (turn + (ab_high > cf_high ? ab_high : cf_high));
        /* rounding by truncation of positive numbers */
        const int32_t first = 2 * V2X_N_BINS - (int32_t)(2.0f * V2X_N_BINS + 0.5f - begin);
        const int32_t last = (int32_t)(end - 0.5f + V2X_N_BINS) - V2X_N_BINS;
        int32_t k = (int32_t)(quarter * turn);
        k = k < V2X_N_BINS ? k : V2X_N_BINS - 1;
        bin[e] = k;
        low[e] = first;
        high[e] = az > gap + grade * d ? first - 1 : last;
        distance[e] = d;
    }
}

/* Note in `line` that directions [low, high] are covered from distance d on. */
V2X_CLONES
static void v2x_cover(float *restrict line, int low, int high, float d)
{
    for (int b = low; b <= high; b++)
        line[b] = d < line[b] ? d : line[b];
}

/* Forget all cover. */
V2X_CLONES
static void v2x_uncover(float *restrict line, int n)
{
    for (int b = 0; b < n; b++)
        line[b] = 1e30f;
}

#endif
