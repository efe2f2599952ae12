#pragma once
#include "hatchling_types.h"

// Kernels that go through a neuron's contiguous synapses. Every kernel exists for AVX-512 (with and without byte products), AVX2
// and plain processors; the fastest that this machine runs is chosen once per thread. A sum over one row always has the same 16 (float) or 8
// (double) lanes, so results depend neither on the number of threads nor on which rows are asked for together.
//
// Rows are `d` numbers, `ld` apart. `list` holds `count` row numbers. Nothing is aligned unless it says so.

/// Tells the processor that this thread is spinning.
static inline void hatchling_spin_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/// `avx512-vnni`, `avx512`, `avx2` or `plain`.
const char *hatchling_kernel_name(void);
/// Takes the kernels of that name on this thread from now on; 0, and nothing changes, where the machine has not got them. For tests, which
/// hold all of them in one process.
int hatchling_use_kernels(const char *name);

HATCHLING_KERNEL(void, dot_rows, (bool is_float, const void *w, size_t ld, size_t rows, const void *v, size_t d, void *out),
                 w, ld, rows, v, d, out)
HATCHLING_KERNEL(void, dot_list, (bool is_float, const void *w, size_t ld, const int32_t *list, size_t count, const void *v,
                  size_t d, void *out), w, ld, list, count, v, d, out)
HATCHLING_KERNEL(void, dot_block, (bool is_float, const void *w, size_t ld, size_t rows, const void *v, size_t ldv, size_t count,
                  size_t d, void *out, size_t ldo), w, ld, rows, v, ldv, count, d, out, ldo)
HATCHLING_KERNEL(void, add_rows, (bool is_float, const void *w, size_t ld, const int32_t *list, const void *value, size_t count,
                  size_t d, void *sum), w, ld, list, value, count, d, sum)
HATCHLING_KERNEL(void, hebb, (bool is_float, void *w, size_t ld, const int32_t *list, const void *value, size_t count,
                  const void *v, size_t d), w, ld, list, value, count, v, d)
HATCHLING_KERNEL(void, read_hebb, (bool is_float, void *w, size_t ld, const int32_t *list, const void *value, const void *keep,
                  size_t count, const void *v, size_t d, void *sum), w, ld, list, value, keep, count, v, d, sum)
HATCHLING_KERNEL(void, scale_rows, (bool is_float, void *w, size_t ld, const int32_t *list, const void *keep, size_t count,
                  size_t d), w, ld, list, keep, count, d)
HATCHLING_KERNEL(void, read_plastic, (bool is_float, const void *w, size_t ld, const int32_t *list, const void *damped,
                  const void *value, size_t count, const void *history, const void *keep, size_t d, void *sum, void *scores),
                 w, ld, list, damped, value, count, history, keep, d, sum, scores)
HATCHLING_KERNEL(void, settle_rows, (bool is_float, void *w, size_t ld, const int32_t *list, size_t count, void *history,
                  size_t first, const void *fields, const void *keep, size_t d),
                 w, ld, list, count, history, first, fields, keep, d)
HATCHLING_KERNEL(void, write_chunk, (bool is_float, void *w, size_t ld, size_t rows, const void *keys, size_t ldk, size_t count,
                  const void *fields, size_t d), w, ld, rows, keys, ldk, count, fields, d)
HATCHLING_KERNEL(void, add_blocks, (bool is_float, void *rows, size_t first, size_t end, size_t d), rows, first, end, d)
HATCHLING_KERNEL(bool, are_finite, (bool is_float, const void *x, size_t count), x, count)
HATCHLING_KERNEL(size_t, remembering, (bool is_float, const void *history, size_t first, size_t count, int32_t *list),
                 history, first, count, list)
HATCHLING_KERNEL(void, rotate_and_collect, (bool is_float, const void *x, const void *cosines, const void *sines, size_t first,
                  size_t count, int32_t *listening, size_t *listening_count, int32_t *fired, void *sent, size_t *fired_count),
                 x, cosines, sines, first, count, listening, listening_count, fired, sent, fired_count)
HATCHLING_KERNEL(void, phases, (bool is_float, const uint64_t *turns, uint64_t t, size_t count, void *cosines, void *sines),
                 turns, t, count, cosines, sines)

/// Fills the copies of `rows` rows of `w` from row `first` on.
HATCHLING_KERNEL_OF(codes, void, encode_rows, encode_rows, (const float *w, const hatchling_screen *s, size_t first, size_t rows),
                 w, s, first, rows)
/// Fills a query; 0 when v cannot be asked with (not finite, or too long for 32-bit sums).
HATCHLING_KERNEL_OF(codes, int, ask, ask, (hatchling_query *q, const float *v, size_t d), q, v, d)
/// Lists the rows, of `list` or from `first` on, whose float32 sum with v is not certainly ≤ 0. `sums` is scratch; both have room
/// for `count`. Returns how many.
HATCHLING_KERNEL_OF(codes, size_t, screen, screen_rows, (const hatchling_screen *s, const hatchling_query *q, size_t first,
                  const int32_t *list, size_t count, int32_t *sums, int32_t *possible), s, q, first, list, count, sums, possible)

#define HATCHLING_REDUCED(S, W)                                                                                      \
  /* out[k] = scale[row(k)] Σ_c w[row(k)][c] v[c], row(k) of the list, or first + k when it is null; scale null: 1. */ \
  HATCHLING_KERNEL_OF(S, void, dot, dot_##S,                                                                         \
                      (const W *w, const float *scale, size_t first, const int32_t *list, size_t count,              \
                       const float *v, size_t d, float *out),                                                        \
                      w, scale, first, list, count, v, d, out)                                                       \
  /* sum[c] += Σ_k value[k] scale[list[k]] w[list[k]][c]. */                                                         \
  HATCHLING_KERNEL_OF(S, void, add, add_##S,                                                                         \
                      (const W *w, const float *scale, const int32_t *list, const float *value, size_t count,        \
                       size_t d, float *sum),                                                                        \
                      w, scale, list, value, count, d, sum)

HATCHLING_REDUCED(bf16, uint16_t)
HATCHLING_REDUCED(int8, int8_t)

/// The file that this program was started from, as the system was asked for it; null where that is not known.
const char *hatchling_executable(void);
