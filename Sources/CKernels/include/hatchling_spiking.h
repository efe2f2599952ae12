#pragma once
#include "hatchling_types.h"

// Neurons that fire, in every kind of processor the same spikes.

HATCHLING_KERNEL(void, fire_spikes, (bool is_float, const void *values, const void *scales, size_t count,
                  const hatchling_spike_code *code, const void *table, void *numbers, int64_t *words, int32_t first, void *sent,
                  int32_t *who, void *what, int64_t *ends, hatchling_spike_report *report),
                 values, scales, count, code, table, numbers, words, first, sent, who, what, ends, report)
