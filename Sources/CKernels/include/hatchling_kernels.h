#pragma once
#include <stddef.h>
#include <stdint.h>

// Kernels that go through a neuron's contiguous synapses. Every kernel exists for AVX-512, AVX2 and plain processors; the
// fastest that this machine runs is chosen once. A sum over one row always has the same 16 (float) or 8 (double) lanes, so
// results depend neither on the number of threads nor on which rows are asked for together.
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

/// `avx512`, `avx2` or `plain`.
const char *hatchling_kernel_name(void);

#define HATCHLING_KERNELS(S, T)                                                                                     \
  /* out[r] = Σ_c w[r][c] v[c] for r < rows. */                                                                     \
  void hatchling_dot_rows_##S(const T *w, size_t ld, size_t rows, const T *v, size_t d, T *out);                    \
  /* out[k] = Σ_c w[list[k]][c] v[c]. */                                                                            \
  void hatchling_dot_list_##S(const T *w, size_t ld, const int32_t *list, size_t count, const T *v, size_t d,       \
                              T *out);                                                                              \
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
  /* cos and sin of 2π · turns · t / 2^64 for `count` clocks. */                                                    \
  void hatchling_phases_##S(const uint64_t *turns, uint64_t t, size_t count, T *cosines, T *sines);

HATCHLING_KERNELS(f32, float)
HATCHLING_KERNELS(f64, double)
