#include "hatchling_delivery.h"

#include "dispatch.h"

#define KERNELS "delivery_numbers.inc"
#include "every_processor.inc"

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
