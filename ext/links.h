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
    int32_t kind[V2X_N_CODES];                    /* first code with the same law and shadowing */
    int blocks;                                   /* whether vehicles block any code */
    int alike;                                    /* equal antennas, and nobody climbs */
} v2x_law;

/* What a row needs of every node; arrays of n_nodes. */
typedef struct {
    const float *x, *y, *z;        /* antenna position */
    const float *dx, *dy, *dz;     /* displacement since the last update */
    const float *gain_db;          /* antenna gain */
    const uint32_t *word;          /* hash of identity and time */
} v2x_nodes;

/* Fill `kind` and `blocks` from the tables. */
V2X_INLINE void v2x_law_kinds(v2x_law *law)
{
    law->blocks = 0;
    for (int c = 0; c < V2X_N_CODES; c++) {
        int k = 0;
        while (memcmp(law->start + k * V2X_N_PIECES, law->start + c * V2X_N_PIECES,
                      V2X_N_PIECES * sizeof(float))
               || memcmp(law->intercept + k * V2X_N_PIECES, law->intercept + c * V2X_N_PIECES,
                         V2X_N_PIECES * sizeof(float))
               || memcmp(law->slope + k * V2X_N_PIECES, law->slope + c * V2X_N_PIECES,
                         V2X_N_PIECES * sizeof(float))
               || law->min_log2[k] != law->min_log2[c] || law->sigma[k] != law->sigma[c]
               || law->decay[k] != law->decay[c])
            k++;
        law->kind[c] = k;
        /* 15 log10(d) - 41 of the shortest to the longest distances stays far below 1e5 */
        law->blocks |= law->block_mean[c] > -1e5f || law->block_sigma[c] != 0.0f;
    }
}

/* Correlated shadowing and path gain of one row whose codes are all of one kind, of code `base`,
 * if `one_law`. What is known of all links alike is not looked up for each. */
V2X_INLINE void v2x_links_span(int n, int i, const int one_law, const int blocks, const int alike,
                               int base, const int32_t *restrict neighbour,
                               const v2x_nodes *nodes, const v2x_law *law,
                               const uint8_t *restrict code, const float *restrict extra,
                               float *restrict shadow, float *restrict block,
                               float *restrict gain, float *restrict distance)
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
    const int piece = base * V2X_N_PIECES;
    const float start1 = start[piece + 1], start2 = start[piece + 2], start3 = start[piece + 3];
    const float intercept0 = intercept[piece], intercept1 = intercept[piece + 1];
    const float intercept2 = intercept[piece + 2], intercept3 = intercept[piece + 3];
    const float slope0 = slope[piece], slope1 = slope[piece + 1];
    const float slope2 = slope[piece + 2], slope3 = slope[piece + 3];
    const float min0 = min_log2[base], sigma0 = sigma[base], decay0 = decay[base];

    for (int e = 0; e < n; e++) {
        const int j = neighbour[e];
        const int c = one_law && !blocks ? base : code[e];
        float ex = x[j] - xi;
        ex = ex > half ? ex - wrap : ex;
        ex = ex < -half ? ex + wrap : ex;
        const float ey = y[j] - yi, ez = z[j] - zi;
        const float d2 = ex * ex + ey * ey + ez * ez;
        const float mx = dx[j] - dxi, my = dy[j] - dyi, mz = alike ? 0.0f : dz[j] - dzi;
        const float moved = sqrtf(mx * mx + my * my + mz * mz);

        const uint32_t other = word[j];
        const uint32_t h1 = v2x_mix((word_i + other) ^ ((word_i ^ other) * 0x85ebca6bu));
        const uint32_t h2 = v2x_mix(h1 + 0x9e3779b9u);
        float new_shadow, new_block;
        v2x_normal_pair(h1, h2, &new_shadow, &new_block);
        const float decayed = v2x_exp2(-moved * (one_law ? decay0 : decay[c]));
        const float carried = shadow[e] < 1e9f ? decayed : 0.0f;
        const float fresh = sqrtf(1.0f - carried * carried);
        const float s = carried * shadow[e] + fresh * new_shadow;

        const float least = one_law ? min0 : min_log2[c];
        float l = 0.5f * v2x_log2(d2 + 1e-12f);
        l = l < least ? least : l;
        float at_start, per_octave;
        if (one_law) {
            at_start = l >= start1 ? intercept1 : intercept0;
            per_octave = l >= start1 ? slope1 : slope0;
            at_start = l >= start2 ? intercept2 : at_start;
            per_octave = l >= start2 ? slope2 : per_octave;
            at_start = l >= start3 ? intercept3 : at_start;
            per_octave = l >= start3 ? slope3 : per_octave;
        } else {
            const int t = c * V2X_N_PIECES;
            const int k = t + (l >= start[t + 1]) + (l >= start[t + 2]) + (l >= start[t + 3]);
            at_start = intercept[k];
            per_octave = slope[k];
        }
        float blocked = 0.0f, b = 0.0f;
        if (blocks) {
            b = carried * block[e] + fresh * new_block;
            const float far = 4.5154499f * l - 41.0f;        /* 15 log10(d) - 41 */
            blocked = mean[c] + (far > 0.0f ? far : 0.0f) + spread[c] * b;
            blocked = blocked > 0.0f ? blocked : 0.0f;
        }
        const float loss = at_start + per_octave * l + (one_law ? sigma0 : sigma[c]) * s + blocked
                           + extra[e];
        const float both = antenna_i + (alike ? antenna_i : antenna[j]);
        const float g = v2x_exp2((both - loss) * to_log2);

        const int inside = d2 <= range2;
        shadow[e] = inside ? s : 9e9f;
        if (blocks)
            block[e] = inside ? b : 9e9f;
        gain[e] = inside ? g : 0.0f;
        distance[e] = sqrtf(d2);
    }
}

/* Correlated shadowing and path gain of one row; see LinkTable for the meaning of the arrays.
 * `extra` is what obstacles of the map cost [dB]. `shadow` and `block` hold standard normal values,
 * or 9e9 for a link not yet drawn; where no vehicles block, `block` is left alone. */
V2X_CLONES
static void v2x_links_row(int n, int i, const int32_t *restrict neighbour, const v2x_nodes *nodes,
                          const v2x_law *law, const uint8_t *restrict code,
                          const float *restrict extra, float *restrict shadow,
                          float *restrict block, float *restrict gain, float *restrict distance)
{
    const int base = law->kind[code[0]];
    int others = 0;
    for (int e = 0; e < n; e++)
        others += law->kind[code[e]] != base;
#define V2X_SPAN(one_law, blocks, alike)                                                          \
    v2x_links_span(n, i, one_law, blocks, alike, base, neighbour, nodes, law, code, extra,        \
                   shadow, block, gain, distance)
    if (others == 0 && !law->blocks && law->alike)
        V2X_SPAN(1, 0, 1);
    else if (others == 0 && law->blocks && law->alike)
        V2X_SPAN(1, 1, 1);
    else if (others == 0 && law->blocks)
        V2X_SPAN(1, 1, 0);
    else
        V2X_SPAN(0, 1, 0);
#undef V2X_SPAN
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

/* Blockers nearer than the first of these, and all tall ones, are held against every link; those
 * up to the second, and those beyond, only against links that are clear so far. */
enum { V2X_N_BANDS = 3 };
static const float v2x_band_m[V2X_N_BANDS] = {60.0f, 200.0f, 1e30f};

/* Blockers: the directions they cover, from which distance on, and how high (class of height plus
 * 1). One that covers both ends of the circle stands there twice. */
typedef struct {
    int32_t *low, *high, *height;
    float *distance;
    int n;
} v2x_blockers;

/* What one node sees: bins and silhouettes of its neighbours, their classes of height (-1 if they
 * block nothing); the highest class before each, plus 1; and room for its blockers and for the
 * links that are still clear. */
typedef struct {
    int32_t *bin, *low, *high, *height, *top;
    float *distance;
    v2x_blockers band[V2X_N_BANDS];
    int32_t *open, *open_bin, *open_top;
    float *open_distance;
} v2x_sight;

/* Rows of scratch that v2x_lay_out divides. */
enum { V2X_SIGHT_INTS = 5 + 3 * V2X_N_BANDS + 3, V2X_SIGHT_FLOATS = 1 + V2X_N_BANDS + 1 };

V2X_INLINE void v2x_lay_out(v2x_sight *sight, int32_t *ints, float *floats, int64_t room)
{
    int32_t **rows[] = {&sight->bin, &sight->low, &sight->high, &sight->height, &sight->top,
                        &sight->open, &sight->open_bin, &sight->open_top};
    for (int k = 0; k < 8; k++, ints += room)
        *rows[k] = ints;
    sight->distance = floats;
    sight->open_distance = floats + room;
    for (int b = 0; b < V2X_N_BANDS; b++, ints += 3 * room) {
        sight->band[b].low = ints;
        sight->band[b].high = ints + room;
        sight->band[b].height = ints + 2 * room;
        sight->band[b].distance = floats + (2 + b) * room;
    }
}

V2X_INLINE void v2x_note(v2x_blockers *list, int low, int high, int height, float distance)
{
    const int n = list->n++;
    list->low[n] = low;
    list->high[n] = high;
    list->height[n] = height;
    list->distance[n] = distance;
}

/* Raise `top` of links in the directions `bin` to the highest blocker before them. */
V2X_INLINE void v2x_hold(v2x_blockers *list, int n, const int32_t *restrict bin,
                         const float *restrict distance, int32_t *restrict top)
{
    while (list->n % 4)                                   /* the loop takes four at a time */
        v2x_note(list, 1, 0, 0, 0.0f);
    for (int k = 0; k < list->n; k += 4) {
        const int32_t *low = list->low + k, *high = list->high + k, *height = list->height + k;
        const float *from = list->distance + k;
        const int low0 = low[0], low1 = low[1], low2 = low[2], low3 = low[3];
        const int high0 = high[0], high1 = high[1], high2 = high[2], high3 = high[3];
        const int height0 = height[0], height1 = height[1], height2 = height[2];
        const int height3 = height[3];
        const float from0 = from[0], from1 = from[1], from2 = from[2], from3 = from[3];
        for (int e = 0; e < n; e++) {
            const int b = bin[e];
            const float d = distance[e];
            int t = top[e], u;
            u = (low0 <= b) & (b <= high0) ? height0 : 0;
            u = from0 < d ? u : 0;
            t = t > u ? t : u;
            u = (low1 <= b) & (b <= high1) ? height1 : 0;
            u = from1 < d ? u : 0;
            t = t > u ? t : u;
            u = (low2 <= b) & (b <= high2) ? height2 : 0;
            u = from2 < d ? u : 0;
            t = t > u ? t : u;
            u = (low3 <= b) & (b <= high3) ? height3 : 0;
            u = from3 < d ? u : 0;
            t = t > u ? t : u;
            top[e] = t;
        }
    }
}

/* Fill `top` for the neighbours from `upper` on. */
V2X_CLONES
static void v2x_blocked(int n, int upper, v2x_sight *sight)
{
    int32_t *restrict open = sight->open, *restrict open_bin = sight->open_bin;
    int32_t *restrict open_top = sight->open_top, *restrict top = sight->top;
    float *restrict open_distance = sight->open_distance;
    int n_open = 0;

    for (int b = 0; b < V2X_N_BANDS; b++)
        sight->band[b].n = 0;
    for (int e = 0; e < n; e++) {
        const int low = sight->low[e], high = sight->high[e], height = sight->height[e];
        const float d = sight->distance[e];
        if (height < 0 || high < low)
            continue;
        const int b = height > 0 ? 0 : (d > v2x_band_m[0]) + (d > v2x_band_m[1]);
        v2x_note(&sight->band[b], low, high, height + 1, d);
        if (low < 0)
            v2x_note(&sight->band[b], low + V2X_N_BINS, high + V2X_N_BINS, height + 1, d);
        if (high >= V2X_N_BINS)
            v2x_note(&sight->band[b], low - V2X_N_BINS, high - V2X_N_BINS, height + 1, d);
    }
    for (int e = upper; e < n; e++)
        top[e] = 0;
    v2x_hold(&sight->band[0], n - upper, sight->bin + upper, sight->distance + upper, top + upper);
    for (int e = upper; e < n; e++) {
        open[n_open] = e;
        n_open += (top[e] == 0) & (sight->distance[e] > v2x_band_m[0]);
    }
    for (int b = 1; b < V2X_N_BANDS && n_open > 0; b++) {
        int n_left = 0;
        for (int k = 0; k < n_open; k++) {
            open_bin[k] = sight->bin[open[k]];
            open_distance[k] = sight->distance[open[k]];
            open_top[k] = 0;
        }
        v2x_hold(&sight->band[b], n_open, open_bin, open_distance, open_top);
        for (int k = 0; k < n_open; k++) {
            top[open[k]] = open_top[k];
            open[n_left] = open[k];
            n_left += (open_top[k] == 0) & (open_distance[k] > v2x_band_m[b]);
        }
        n_open = n_left;
    }
}

#endif
