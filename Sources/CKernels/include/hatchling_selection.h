#pragma once
#include <stddef.h>
#include <stdint.h>

// Kernels that go through a block of a product once: which entries are far from zero, and how all of them are distributed.

/// Histograms that count_entries fills, so that equal neighbours do not wait for each other's increment, and numbers in its `sums`.
enum { HATCHLING_HISTOGRAMS = 4, HATCHLING_ENTRY_SUMS = 7 };

#define HATCHLING_SELECTION(S, T)                                                                                 \
  /* Writes the positions, ascending, of values ≥ high or ≤ low to `places`, which has room for `count + 1`; */   \
  /* returns how many. */                                                                                         \
  size_t hatchling_find_outside_##S(const T *values, size_t count, T low, T high, int32_t *places);               \
  /* counts[HISTOGRAMS][bins]: adds 1 to bin ⌊value · scale⌋ + bins / 2 of any of the histograms, clamped to the outermost; */ \
  /* sums[ENTRY_SUMS] = Σ v, Σ v², Σ v³, min, max, how many are > 0, how many are < 0. Needs count ≥ 1. */                 \
  void hatchling_count_entries_##S(const T *values, size_t count, T scale, int32_t bins, uint32_t *counts,        \
                                   double *sums);

HATCHLING_SELECTION(f32, float)
HATCHLING_SELECTION(f64, double)
