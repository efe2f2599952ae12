#pragma once
#include "hatchling_types.h"

// Elementwise passes of training, for AVX-512, AVX2 and plain processors.

HATCHLING_KERNEL(size_t, relu_list, (bool is_float, void *drive, size_t count, int32_t *list), drive, count, list)
HATCHLING_KERNEL(size_t, positive_list, (bool is_float, const void *x, size_t count, int32_t *list), x, count, list)
HATCHLING_KERNEL(void, rotate, (bool is_float, const void *x, const void *cosines, const void *sines, size_t count, void *out),
                 x, cosines, sines, count, out)
HATCHLING_KERNEL(void, rotate_back, (bool is_float, const void *g, const void *cosines, const void *sines, size_t count,
                  void *out), g, cosines, sines, count, out)
HATCHLING_KERNEL(void, times, (bool is_float, const void *a, const void *b, size_t count, void *out), a, b, count, out)
HATCHLING_KERNEL(void, add_times, (bool is_float, const void *a, const void *b, size_t count, void *sum), a, b, count, sum)
HATCHLING_KERNEL(void, adamw, (bool is_float, void *p, void *m, void *v, const void *g, size_t count,
                  const hatchling_adamw_update *update), p, m, v, g, count, update)
