#pragma once
#include <stddef.h>
#include <stdint.h>

// Kernels of the direct form: nodes whose value is not zero send it over their synapses. Every kernel exists for AVX-512, AVX2 and
// plain processors. Every sum is taken in the order of the lists, whatever else is asked for.

// Width of a panel of plastic weights.
enum { HATCHLING_PANEL = 64 };

#define HATCHLING_DELIVERY(S, T)                                                                                    \
  /* sum[c] = Σ_k value[k] w[list[k]][c] for c < width; rows are `ld` apart. */                                     \
  void hatchling_deliver_rows_##S(const T *w, size_t ld, const int32_t *list, const T *value, size_t count,         \
                                  size_t width, T *sum);                                                            \
  /* sum[target] += value[k] weight for every entry of the outgoing lists `list[k]`, k ascending. Targets of one list \
     differ from each other. */                                                                                     \
  void hatchling_deliver_lists_##S(const uint32_t *offsets, const uint16_t *targets, const T *weights,              \
                                   const int32_t *list, const T *value, size_t count, T *sum);                      \
  /* out[k] = Σ weight · heard[source] over the incoming list `list[k]`; returns how many of them heard a value     \
     other than zero. */                                                                                            \
  size_t hatchling_hear_lists_##S(const int64_t *offsets, const int32_t *sources, const T *weights,                 \
                                  const int32_t *list, size_t count, const T *heard, T *out);                       \
  /* Plastic weights, a panel of 64 columns and one row per neuron. For every listed row: w *= keep[k]; sum +=      \
     value[k] w; w += value[k] z. `keep`, `sum` and `z` may be null, then that part is left out. */                 \
  void hatchling_exchange_panel_##S(T *w, const int32_t *list, const T *value, const T *keep, size_t count,         \
                                    const T *z, T *sum);                                                            \
  /* The same on incoming lists: sum and z are indexed by source. Returns the weights that z wrote. */              \
  size_t hatchling_exchange_lists_##S(const int64_t *offsets, const int32_t *sources, T *w, const int32_t *list,    \
                                      const T *value, const T *keep, size_t count, const T *z, T *sum);

HATCHLING_DELIVERY(f32, float)
HATCHLING_DELIVERY(f64, double)
