#include "hatchling_kernels.h"

#define JOIN3(a, b, c) a##_##b##_##c
#define JOIN(a, b, c) JOIN3(a, b, c)
#define NAME(x) JOIN(x, ISA, SUFFIX)

#if defined(__x86_64__)
#define ISA avx512
#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))
#include "numbers.inc"
#undef ISA
#undef TARGET
#define ISA avx2
#define TARGET __attribute__((target("avx2,fma")))
#include "numbers.inc"
#undef ISA
#undef TARGET
#endif
#define ISA plain
#define TARGET
#include "numbers.inc"
#undef ISA
#undef TARGET

enum level { UNKNOWN, PLAIN, AVX2, AVX512 };

static enum level level(void) {
#if defined(__x86_64__)
  // The answer never changes, so a race between two first callers is harmless.
  static enum level known = UNKNOWN;
  enum level found = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (found != UNKNOWN) return found;
  __builtin_cpu_init();
  int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  found = avx512 ? AVX512 : avx2 ? AVX2 : PLAIN;
  __atomic_store_n(&known, found, __ATOMIC_RELAXED);
  return found;
#else
  return PLAIN;
#endif
}

const char *hatchling_kernel_name(void) {
  switch (level()) {
    case AVX512: return "avx512";
    case AVX2: return "avx2";
    default: return "plain";
  }
}

#if defined(__x86_64__)
#define DISPATCH(KERNEL, S, ...)                      \
  switch (level()) {                                  \
    case AVX512: KERNEL##_avx512_##S(__VA_ARGS__); return; \
    case AVX2: KERNEL##_avx2_##S(__VA_ARGS__); return;     \
    default: KERNEL##_plain_##S(__VA_ARGS__);              \
  }
#else
#define DISPATCH(KERNEL, S, ...) KERNEL##_plain_##S(__VA_ARGS__);
#endif

#define DEFINE(S, T)                                                                                                  \
  void hatchling_dot_rows_##S(const T *w, size_t ld, size_t rows, const T *v, size_t d, T *out) {                     \
    DISPATCH(dot_rows, S, w, ld, rows, v, d, out)                                                                     \
  }                                                                                                                   \
  void hatchling_dot_list_##S(const T *w, size_t ld, const int32_t *list, size_t count, const T *v, size_t d,         \
                              T *out) {                                                                               \
    DISPATCH(dot_list, S, w, ld, list, count, v, d, out)                                                              \
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
  void hatchling_phases_##S(const uint64_t *turns, uint64_t t, size_t count, T *cosines, T *sines) {                  \
    DISPATCH(phases, S, turns, t, count, cosines, sines)                                                              \
  }

DEFINE(f32, float)
DEFINE(f64, double)
