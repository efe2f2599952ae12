#include "hatchling_kernels.h"

#define MULTIPLIES_BYTES
#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__clang__)
// Vectors wider than the processor's are passed between static functions of this file only.
#pragma clang diagnostic ignored "-Wpsabi"
#endif

#define HISTORY HATCHLING_HISTORY
#define KERNELS "numbers.inc"
#include "every_processor.inc"

_Thread_local enum level hatchling_level;
static const char *const names[] = {"", "plain", "avx2", "avx512", "avx512-vnni"};

static enum level best(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return PLAIN;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl"))
    return AVX2;
  return __builtin_cpu_supports("avx512vnni") ? VNNI : AVX512;
#else
  return PLAIN;
#endif
}

int hatchling_use_kernels(const char *name) {
  for (enum level level = PLAIN; level <= best(); level++)
    if (!strcmp(name, names[level])) return hatchling_level = level, 1;
  return 0;
}

enum level hatchling_find_level(void) {
  // For comparing the kernels with each other: HATCHLING_KERNELS=avx512, avx2 or plain takes simpler ones.
  const char *wish = getenv("HATCHLING_KERNELS");
  if (!wish || !hatchling_use_kernels(wish)) hatchling_level = best();
  return hatchling_level;
}

const char *hatchling_kernel_name(void) { return names[level()]; }

#define DEFINE(S, T)                                                                                                  \
  void hatchling_dot_rows_##S(const T *w, size_t ld, size_t rows, const T *v, size_t d, T *out) {                     \
    DISPATCH(dot_rows, S, w, ld, rows, v, d, out)                                                                     \
  }                                                                                                                   \
  void hatchling_dot_list_##S(const T *w, size_t ld, const int32_t *list, size_t count, const T *v, size_t d,         \
                              T *out) {                                                                               \
    DISPATCH(dot_list, S, w, ld, list, count, v, d, out)                                                              \
  }                                                                                                                   \
  void hatchling_dot_block_##S(const T *w, size_t ld, size_t rows, const T *v, size_t ldv, size_t count, size_t d,    \
                               T *out, size_t ldo) {                                                                  \
    DISPATCH(dot_block, S, w, ld, rows, v, ldv, count, d, out, ldo)                                                   \
  }                                                                                                                   \
  void hatchling_add_rows_##S(const T *w, size_t ld, const int32_t *list, const T *value, size_t count, size_t d,     \
                              T *sum) {                                                                               \
    DISPATCH(add_rows, S, w, ld, list, value, count, d, sum)                                                          \
  }                                                                                                                   \
  void hatchling_hebb_##S(T *w, size_t ld, const int32_t *list, const T *value, size_t count, const T *v, size_t d) { \
    DISPATCH(hebb, S, w, ld, list, value, count, v, d)                                                                \
  }                                                                                                                   \
  void hatchling_read_hebb_##S(T *w, size_t ld, const int32_t *list, const T *value, size_t count, const T *v,        \
                               size_t d, T *sum) {                                                                    \
    DISPATCH(read_hebb, S, w, ld, list, value, count, v, d, sum)                                                      \
  }                                                                                                                   \
  void hatchling_scale_rows_##S(T *w, size_t ld, const int32_t *list, const T *keep, size_t count, size_t d) {        \
    DISPATCH(scale_rows, S, w, ld, list, keep, count, d)                                                              \
  }                                                                                                                   \
  void hatchling_read_plastic_##S(const T *w, size_t ld, const int32_t *list, const T *damped, const T *value,        \
                                  size_t count, const T *history, const T *keep, size_t d, T *sum, T *scores) {       \
    DISPATCH(read_plastic, S, w, ld, list, damped, value, count, history, keep, d, sum, scores)                       \
  }                                                                                                                   \
  void hatchling_settle_rows_##S(T *w, size_t ld, const int32_t *list, size_t count, T *history, size_t first,        \
                                 const T *fields, const T *keep, size_t d) {                                          \
    DISPATCH(settle_rows, S, w, ld, list, count, history, first, fields, keep, d)                                     \
  }                                                                                                                   \
  void hatchling_write_chunk_##S(T *w, size_t ld, size_t rows, const T *keys, size_t ldk, size_t count,              \
                                 const T *fields, size_t d) {                                                         \
    DISPATCH(write_chunk, S, w, ld, rows, keys, ldk, count, fields, d)                                                \
  }                                                                                                                   \
  size_t hatchling_remembering_##S(const T *history, size_t first, size_t count, int32_t *list) {                     \
    DISPATCH(remembering, S, history, first, count, list)                                                             \
  }                                                                                                                   \
  void hatchling_rotate_and_collect_##S(const T *x, const T *cosines, const T *sines, size_t first, size_t count,     \
                                        int32_t *listening, size_t *listening_count, int32_t *fired, T *sent,         \
                                        size_t *fired_count) {                                                        \
    DISPATCH(rotate_and_collect, S, x, cosines, sines, first, count, listening, listening_count, fired, sent,         \
             fired_count)                                                                                             \
  }                                                                                                                   \
  void hatchling_phases_##S(const uint64_t *turns, uint64_t t, size_t count, T *cosines, T *sines) {                  \
    DISPATCH(phases, S, turns, t, count, cosines, sines)                                                              \
  }

DEFINE(f32, float)
DEFINE(f64, double)

void hatchling_encode_rows(const float *w, const hatchling_screen *s, size_t first, size_t rows) {
  DISPATCH(encode_rows, codes, w, s, first, rows)
}

int hatchling_ask(hatchling_query *q, const float *v, size_t d) { DISPATCH(ask, codes, q, v, d) }

size_t hatchling_screen_rows(const hatchling_screen *s, const hatchling_query *q, size_t first, const int32_t *list,
                             size_t count, int32_t *sums, int32_t *possible) {
  DISPATCH(screen, codes, s, q, first, list, count, sums, possible)
}

#define DEFINE_REDUCED(S, W)                                                                                        \
  void hatchling_dot_##S(const W *w, const float *scale, size_t first, const int32_t *list, size_t count,           \
                         const float *v, size_t d, float *out) {                                                    \
    DISPATCH(dot, S, w, scale, first, list, count, v, d, out)                                                       \
  }                                                                                                                 \
  void hatchling_add_##S(const W *w, const float *scale, const int32_t *list, const float *value, size_t count,     \
                         size_t d, float *sum) {                                                                    \
    DISPATCH(add, S, w, scale, list, value, count, d, sum)                                                          \
  }

DEFINE_REDUCED(bf16, uint16_t)
DEFINE_REDUCED(int8, int8_t)
