#include "hatchling_delivery.h"

#include "dispatch.h"

#define JOIN3(a, b, c) a##_##b##_##c
#define JOIN(a, b, c) JOIN3(a, b, c)
#define NAME(x) JOIN(x, ISA, SUFFIX)

#if defined(__x86_64__)
#define ISA avx512
#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))
#include "delivery_numbers.inc"
#undef ISA
#undef TARGET
#define ISA avx2
#define TARGET __attribute__((target("avx2,fma")))
#include "delivery_numbers.inc"
#undef ISA
#undef TARGET
#endif
#define ISA plain
#define TARGET
#include "delivery_numbers.inc"
#undef ISA
#undef TARGET

#if defined(__x86_64__)
#define DISPATCH(KERNEL, S, ...)                          \
  switch (level()) {                                      \
    case VNNI:                                            \
    case AVX512: return KERNEL##_avx512_##S(__VA_ARGS__); \
    case AVX2: return KERNEL##_avx2_##S(__VA_ARGS__);     \
    default: return KERNEL##_plain_##S(__VA_ARGS__);      \
  }
#else
#define DISPATCH(KERNEL, S, ...) return KERNEL##_plain_##S(__VA_ARGS__);
#endif

#define DEFINE(S, T)                                                                                                   \
  void hatchling_deliver_rows_##S(const T *w, size_t ld, const int32_t *list, const T *value, size_t count,            \
                                  size_t width, T *sum) {                                                              \
    DISPATCH(deliver_rows, S, w, ld, list, value, count, width, sum)                                                   \
  }                                                                                                                    \
  void hatchling_deliver_lists_##S(const uint32_t *offsets, const uint16_t *targets, const T *weights,                 \
                                   const int32_t *list, const T *value, size_t count, T *sum) {                        \
    DISPATCH(deliver_lists, S, offsets, targets, weights, list, value, count, sum)                                     \
  }                                                                                                                    \
  size_t hatchling_hear_lists_##S(const int64_t *offsets, const int32_t *sources, const T *weights,                    \
                                  const int32_t *list, size_t count, const T *heard, T *out) {                         \
    DISPATCH(hear_lists, S, offsets, sources, weights, list, count, heard, out)                                        \
  }                                                                                                                    \
  void hatchling_exchange_panel_##S(T *w, const int32_t *list, const T *value, const T *keep, size_t count,            \
                                    const T *z, T *sum) {                                                              \
    DISPATCH(exchange_panel, S, w, list, value, keep, count, z, sum)                                                   \
  }                                                                                                                    \
  size_t hatchling_exchange_lists_##S(const int64_t *offsets, const int32_t *sources, T *w, const int32_t *list,       \
                                      const T *value, const T *keep, size_t count, const T *z, T *sum) {               \
    DISPATCH(exchange_lists, S, offsets, sources, w, list, value, keep, count, z, sum)                                 \
  }

DEFINE(f32, float)
DEFINE(f64, double)
