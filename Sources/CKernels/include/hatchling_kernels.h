#pragma once
#include <stddef.h>
#include <stdint.h>

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

/// Slots in a neuron's history of activity, one cache line of float32; bytes that go through a screen together, to which queries are padded.
enum { HATCHLING_HISTORY = 16, HATCHLING_SCREEN_BYTES = 64 };

#define HATCHLING_KERNELS(S, T)                                                                                     \
  /* out[r] = Σ_c w[r][c] v[c] for r < rows. */                                                                     \
  void hatchling_dot_rows_##S(const T *w, size_t ld, size_t rows, const T *v, size_t d, T *out);                    \
  /* out[k] = Σ_c w[list[k]][c] v[c]. */                                                                            \
  void hatchling_dot_list_##S(const T *w, size_t ld, const int32_t *list, size_t count, const T *v, size_t d,       \
                              T *out);                                                                              \
  /* out[t][r] = Σ_c w[r][c] v[t][c] for r < rows, t < count; rows of v are ldv, of out ldo apart. */                \
  void hatchling_dot_block_##S(const T *w, size_t ld, size_t rows, const T *v, size_t ldv, size_t count, size_t d,  \
                               T *out, size_t ldo);                                                                 \
  /* sum[c] += Σ_k value[k] w[list[k]][c], k ascending. */                                                          \
  void hatchling_add_rows_##S(const T *w, size_t ld, const int32_t *list, const T *value, size_t count, size_t d,   \
                              T *sum);                                                                              \
  /* w[list[k]][c] += value[k] v[c]. */                                                                             \
  void hatchling_hebb_##S(T *w, size_t ld, const int32_t *list, const T *value, size_t count, const T *v,           \
                          size_t d);                                                                                \
  /* add_rows, then hebb, each row touched once. */                                                                 \
  void hatchling_read_hebb_##S(T *w, size_t ld, const int32_t *list, const T *value, size_t count, const T *v,      \
                               size_t d, T *sum);                                                                   \
  /* w[list[k]][c] *= keep[k]. */                                                                                   \
  void hatchling_scale_rows_##S(T *w, size_t ld, const int32_t *list, const T *keep, size_t count, size_t d);       \
  /* sum[c] += Σ_k damped[k] w[list[k]][c]; scores[slot] += Σ_k value[k] history[list[k]][slot] keep[list[k]][slot];  \
     keep rows 2 · HISTORY apart, null for 1. */                                                                         \
  void hatchling_read_plastic_##S(const T *w, size_t ld, const int32_t *list, const T *damped, const T *value,      \
                                  size_t count, const T *history, const T *keep, size_t d, T *sum, T *scores);      \
  /* w[list[k]] += Σ_slot history[list[k]][slot] keep fields[slot], slots from `first` around; empties the history. */ \
  void hatchling_settle_rows_##S(T *w, size_t ld, const int32_t *list, size_t count, T *history, size_t first,      \
                                 const T *fields, const T *keep, size_t d);                                         \
  /* w[r] += Σ_τ keys[τ][r] fields[τ] for r < rows, τ < count; rows of keys are ldk apart; zero keys cost nothing. */ \
  void hatchling_write_chunk_##S(T *w, size_t ld, size_t rows, const T *keys, size_t ldk, size_t count,             \
                                 const T *fields, size_t d);                                                        \
  /* Lists the neurons first … first + count − 1 whose history is not empty; room for count; returns how many. */    \
  size_t hatchling_remembering_##S(const T *history, size_t first, size_t count, int32_t *list);                    \
  /* x of `count` neurons from number `first` on, pairs (2i, 2i + 1) turn; lists who listens (x > 0) and who fired  \
     (turned x ≠ 0), with room for `count` each. `cosines` null: nothing turns. */                                  \
  void hatchling_rotate_and_collect_##S(const T *x, const T *cosines, const T *sines, size_t first, size_t count,   \
                                        int32_t *listening, size_t *listening_count, int32_t *fired, T *sent,       \
                                        size_t *fired_count);                                                       \
  /* cos and sin of 2π · turns · t / 2^64 for `count` clocks. */                                                    \
  void hatchling_phases_##S(const uint64_t *turns, uint64_t t, size_t count, T *cosines, T *sines);

HATCHLING_KERNELS(f32, float)
HATCHLING_KERNELS(f64, double)

/// 8-bit copies of rows of `d` float32 weights: code = round(w / scale) + 128, with what it takes to bound a row's sum.
typedef struct {
  size_t d;
  uint8_t *codes;
  /// Per row: the scale; ‖w − coded w‖ plus the rounding of a float32 sum relative to ‖v‖ = 1; ‖coded w‖; ‖w‖. All rounded up.
  float *scale, *bound, *size, *length;
} hatchling_screen;

/// A vector v ≈ step · p in fixed point, p = 256 high + low; buffers hold `d` numbers and zeros up to a multiple of HATCHLING_SCREEN_BYTES.
typedef struct {
  int8_t *high, *low;
  int16_t *wide;
  /// 128 Σ p.
  int32_t excess;
  /// ‖v‖ and ‖v − step p‖, rounded up; what sums may lose below the normal range.
  double step, norm, residue, smallest;
} hatchling_query;

/// Fills the copies of `rows` rows of `w` from row `first` on.
void hatchling_encode_rows(const float *w, const hatchling_screen *s, size_t first, size_t rows);
/// Fills a query; 0 when v cannot be asked with (not finite, or too long for 32-bit sums).
int hatchling_ask(hatchling_query *q, const float *v, size_t d);
/// Lists the rows, of `list` or from `first` on, whose float32 sum with v is not certainly ≤ 0. `sums` is scratch; both have room
/// for `count`. Returns how many.
size_t hatchling_screen_rows(const hatchling_screen *s, const hatchling_query *q, size_t first, const int32_t *list,
                             size_t count, int32_t *sums, int32_t *possible);

#define HATCHLING_REDUCED(S, W)                                                                                      \
  /* out[k] = scale[row(k)] Σ_c w[row(k)][c] v[c], row(k) of the list, or first + k when it is null; scale null: 1. */ \
  void hatchling_dot_##S(const W *w, const float *scale, size_t first, const int32_t *list, size_t count,            \
                         const float *v, size_t d, float *out);                                                      \
  /* sum[c] += Σ_k value[k] scale[list[k]] w[list[k]][c]. */                                                         \
  void hatchling_add_##S(const W *w, const float *scale, const int32_t *list, const float *value, size_t count,      \
                         size_t d, float *sum);

HATCHLING_REDUCED(bf16, uint16_t)
HATCHLING_REDUCED(int8, int8_t)
