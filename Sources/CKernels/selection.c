#include "hatchling_selection.h"

// One source, compiled for three levels of processor; the loader takes the best one that this machine has.
#if defined(__x86_64__) && defined(__linux__)
#define FOR_EVERY_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EVERY_PROCESSOR
#endif

enum { CHUNK = 64, LANES = 16 };

#define DEFINE(S, T)                                                                                            \
  FOR_EVERY_PROCESSOR                                                                                           \
  size_t hatchling_find_outside_##S(const T *values, size_t count, T low, T high, int32_t *places) {            \
    size_t found = 0, start = 0;                                                                                \
    for (; start + CHUNK <= count; start += CHUNK) {                                                            \
      const T *chunk = values + start;                                                                          \
      int any = 0;                                                                                              \
      for (int i = 0; i < CHUNK; i++) any |= (chunk[i] >= high) | (chunk[i] <= low);                            \
      if (!any) continue;                                                                                       \
      for (int i = 0; i < CHUNK; i++) {                                                                         \
        places[found] = (int32_t)(start + i);                                                                   \
        found += (chunk[i] >= high) | (chunk[i] <= low);                                                        \
      }                                                                                                         \
    }                                                                                                           \
    for (; start < count; start++) {                                                                            \
      places[found] = (int32_t)start;                                                                           \
      found += (values[start] >= high) | (values[start] <= low);                                                \
    }                                                                                                           \
    return found;                                                                                               \
  }                                                                                                             \
                                                                                                                \
  FOR_EVERY_PROCESSOR                                                                                           \
  void hatchling_count_entries_##S(const T *values, size_t count, T scale, int32_t bins, uint32_t *counts,      \
                                   double *sums) {                                                              \
    double first[LANES] = {0}, second[LANES] = {0}, third[LANES] = {0}, low[LANES], high[LANES];                \
    uint32_t positive[LANES] = {0}, negative[LANES] = {0};                                                      \
    for (int l = 0; l < LANES; l++) low[l] = 1.0 / 0.0, high[l] = -1.0 / 0.0;                                   \
    const T offset = (T)(bins / 2), last = (T)(bins - 1);                                                       \
    size_t start = 0;                                                                                               \
    for (; start + LANES <= count; start += LANES) {                                                            \
      const T *chunk = values + start;                                                                          \
      int32_t bin[LANES];                                                                                       \
      for (int l = 0; l < LANES; l++) {                                                                         \
        double value = (double)chunk[l];                                                                        \
        first[l] += value;                                                                                      \
        second[l] += value * value;                                                                             \
        third[l] += value * value * value;                                                                      \
        low[l] = value < low[l] ? value : low[l];                                                               \
        high[l] = value > high[l] ? value : high[l];                                                            \
        positive[l] += chunk[l] > 0, negative[l] += chunk[l] < 0;                                               \
        T place = chunk[l] * scale + offset;                                                                    \
        place = place > 0 ? place : 0;                                                                          \
        bin[l] = (int32_t)(place < last ? place : last);                                                        \
      }                                                                                                         \
      /* Four histograms, so that equal neighbours do not wait for each other's increment. */                   \
      for (int l = 0; l < LANES; l++) counts[(l & 3) * bins + bin[l]]++;                                        \
    }                                                                                                           \
    for (int l = 0; start < count; start++, l++) {                                                              \
      double value = (double)values[start];                                                                     \
      first[l] += value, second[l] += value * value, third[l] += value * value * value;                         \
      low[l] = value < low[l] ? value : low[l];                                                                 \
      high[l] = value > high[l] ? value : high[l];                                                              \
      positive[l] += values[start] > 0, negative[l] += values[start] < 0;                                       \
      T place = values[start] * scale + offset;                                                                 \
      place = place > 0 ? place : 0;                                                                            \
      counts[(int32_t)(place < last ? place : last)]++;                                                         \
    }                                                                                                           \
    sums[0] = sums[1] = sums[2] = 0, sums[3] = 1.0 / 0.0, sums[4] = -1.0 / 0.0, sums[5] = sums[6] = 0;          \
    for (int l = 0; l < LANES; l++) {                                                                           \
      sums[0] += first[l], sums[1] += second[l], sums[2] += third[l];                                           \
      sums[3] = low[l] < sums[3] ? low[l] : sums[3];                                                            \
      sums[4] = high[l] > sums[4] ? high[l] : sums[4];                                                          \
      sums[5] += positive[l], sums[6] += negative[l];                                                           \
    }                                                                                                           \
  }

DEFINE(f32, float)
DEFINE(f64, double)
