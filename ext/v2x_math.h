/* Scalar building blocks of the kernels, written so that compilers vectorise them.
 *
 * Only IEEE-exact operations (+ - * / sqrt, comparisons, integer arithmetic) are used and the
 * build forbids contraction into fused multiply-add, so every vector width and every x86-64
 * machine computes the same bits. The polynomials are minimax fits of our own in float32.
 */
#ifndef V2X_MATH_H
#define V2X_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__)
#define V2X_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define V2X_CLONES
#endif

#define V2X_INLINE static inline __attribute__((always_inline))

/* Ask for memory that will be read soon. */
#if defined(__GNUC__)
#define V2X_PREFETCH(p) __builtin_prefetch(p)
#else
#define V2X_PREFETCH(p) ((void)(p))
#endif

V2X_INLINE uint32_t v2x_bits(float x) { uint32_t u; memcpy(&u, &x, 4); return u; }
V2X_INLINE float v2x_float(uint32_t u) { float x; memcpy(&x, &u, 4); return x; }

/* log2 of a positive normal float; absolute error below 3e-7 (relative to the exponent's ulp
 * for large results). Zero and subnormals give about -127. */
V2X_INLINE float v2x_log2(float x) {
    int32_t shifted = (int32_t)(v2x_bits(x) - 0x3f2aaaabu);   /* mantissa in [2/3, 4/3) */
    float exponent = (float)(shifted >> 23);
    float t = v2x_float((uint32_t)(shifted & 0x007fffff) + 0x3f2aaaabu) - 1.0f;
    float p = -0.19294573f;
    p = p * t + 0.20323834f;
    p = p * t - 0.17398416f;
    p = p * t + 0.20169875f;
    p = p * t - 0.24080634f;
    p = p * t + 0.28871831f;
    p = p * t - 0.3606655f;
    p = p * t + 0.48089582f;
    p = p * t - 0.72134757f;
    p = p * t + 1.442695f;
    return p * t + exponent;
}

/* 2**x for x within [-126, 126] (clamped); relative error below 2e-7. */
V2X_INLINE float v2x_exp2(float x) {
    x = x < -126.0f ? -126.0f : x;
    x = x > 126.0f ? 126.0f : x;
    int32_t whole = (int32_t)(x + 1024.5f) - 1024;            /* floor(x + 1/2) */
    float f = x - (float)whole;
    float p = 1.5478018e-4f;
    p = p * f + 1.34004315e-3f;
    p = p * f + 9.6179945e-3f;
    p = p * f + 5.5503272e-2f;
    p = p * f + 0.24022652f;
    p = p * f + 0.69314718f;
    p = p * f + 1.0f;
    return p * v2x_float((uint32_t)(whole + 127) << 23);
}

/* sin(2 pi b) for b within [-1/4, 1/4]; absolute error below 2e-7. */
V2X_INLINE float v2x_sin_quarter(float b) {
    float q = b * b;
    float p = -14.394304f;
    p = p * q + 42.00983f;
    p = p * q - 76.704285f;
    p = p * q + 81.605225f;
    p = p * q - 41.3417f;
    p = p * q + 6.2831855f;
    return p * b;
}

/* Mixes the bits of a 32-bit word: a bijection in which every input bit moves every output bit. */
V2X_INLINE uint32_t v2x_mix(uint32_t h) {
    h ^= h >> 16;
    h *= 0x7feb352du;
    h ^= h >> 15;
    h *= 0x846ca68bu;
    h ^= h >> 16;
    return h;
}

V2X_INLINE uint32_t v2x_hash2(uint32_t key, uint32_t a) { return v2x_mix(key ^ (a * 0x9e3779b1u + 0x7f4a7c15u)); }

V2X_INLINE uint32_t v2x_hash3(uint32_t key, uint32_t a, uint32_t b) { return v2x_hash2(v2x_hash2(key, a), b); }

V2X_INLINE uint32_t v2x_hash4(uint32_t key, uint32_t a, uint32_t b, uint32_t c) {
    return v2x_hash2(v2x_hash3(key, a, b), c);
}

/* Uniform in (0, 1), never 0 or 1. */
V2X_INLINE float v2x_uniform(uint32_t h) { return ((float)(int32_t)(h >> 9) + 0.5f) * 1.1920929e-7f; }

/* Two independent standard normal values from two independent words (Box and Muller). */
V2X_INLINE void v2x_normal_pair(uint32_t h1, uint32_t h2, float *first, float *second) {
    float radius = sqrtf(v2x_log2(v2x_uniform(h1)) * -1.3862944f);
    float turn = v2x_uniform(h2) - 0.5f;
    float a = turn < 0.0f ? -turn : turn;
    float b = a < 0.25f ? a : 0.5f - a;
    float sine = v2x_sin_quarter(b);
    *first = radius * v2x_sin_quarter(0.25f - a);
    *second = radius * (turn < 0.0f ? -sine : sine);
}

#endif
