#pragma once
#include "hatchling_types.h"

// Kernels of the direct form: nodes whose value is not zero send it over their synapses. Every kernel exists for AVX-512, AVX2 and
// plain processors. Every sum is taken in the order of the lists, whatever else is asked for.

HATCHLING_KERNEL(void, deliver_rows, (bool is_float, const void *w, size_t ld, const int32_t *list, const void *value,
                  size_t count, size_t width, void *sum), w, ld, list, value, count, width, sum)
HATCHLING_KERNEL(void, deliver_lists, (bool is_float, const uint32_t *offsets, const uint16_t *targets, const void *weights,
                  const int32_t *list, const void *value, size_t count, void *sum),
                 offsets, targets, weights, list, value, count, sum)
HATCHLING_KERNEL(size_t, hear_lists, (bool is_float, const int64_t *offsets, const int32_t *sources, const void *weights,
                  const int32_t *list, size_t count, const void *heard, void *out),
                 offsets, sources, weights, list, count, heard, out)
HATCHLING_KERNEL(void, exchange_panel, (bool is_float, void *w, const int32_t *list, const void *value, const void *keep,
                  size_t count, const void *z, void *sum), w, list, value, keep, count, z, sum)
HATCHLING_KERNEL(size_t, exchange_lists, (bool is_float, const int64_t *offsets, const int32_t *sources, void *w,
                  const int32_t *list, const void *value, const void *keep, size_t count, const void *z, void *sum),
                 offsets, sources, w, list, value, keep, count, z, sum)
