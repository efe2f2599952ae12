#pragma once
#include "hatchling_types.h"

// Kernels that go through numbers once: which entries are far from zero, how all of them are distributed, how many have which sign.

HATCHLING_KERNEL(size_t, find_outside, (bool is_float, const void *values, size_t count, double low, double high,
                  int32_t *places), values, count, low, high, places)
HATCHLING_KERNEL(void, count_entries, (bool is_float, const void *values, size_t count, double scale, int32_t bins,
                  uint32_t *counts, double *sums), values, count, scale, bins, counts, sums)
/// counts[3] = how many are above zero, how many below, how many are infinite or no number; these count by their sign bit too.
HATCHLING_KERNEL(void, census, (bool is_float, const void *values, size_t count, size_t *counts), values, count, counts)
