#include "hatchling_selection.h"

#include "dispatch.h"

#define KERNELS "selection_numbers.inc"
#include "every_processor.inc"

#define DEFINE(S, T)                                                                                                   \
  size_t hatchling_find_outside_##S(const T *values, size_t count, T low, T high, int32_t *places) {                   \
    DISPATCH(find_outside, S, values, count, low, high, places)                                                        \
  }                                                                                                                    \
  void hatchling_count_entries_##S(const T *values, size_t count, T scale, int32_t bins, uint32_t *counts,             \
                                   double *sums) {                                                                     \
    DISPATCH(count_entries, S, values, count, scale, bins, counts, sums)                                               \
  }

DEFINE(f32, float)
DEFINE(f64, double)
