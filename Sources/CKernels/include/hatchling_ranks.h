#pragma once
#include "hatchling_types.h"

// Scores of pairs of neurons on sentences and their ranks, HATCHLING_RANK_COLUMNS pairs at a time, in float32.

HATCHLING_KERNEL_OF(f32, void, pair_scores, pair_scores, (const int32_t *tokens, const int32_t *rows, const float *values,
                     size_t count, const uint8_t *in_window, const float *x, size_t row_count, float *scores),
                    tokens, rows, values, count, in_window, x, row_count, scores)
HATCHLING_KERNEL_OF(f32, void, column_ranks, column_ranks, (const float *scores, size_t rows, size_t silent, float *scratch,
                     float *ranks), scores, rows, silent, scratch, ranks)
HATCHLING_KERNEL_OF(f32, void, column_sums, column_sums, (const float *scores, const uint8_t *with, size_t rows,
                     size_t silent_with, size_t silent, float *scratch, float *sums, float *zeros),
                    scores, with, rows, silent_with, silent, scratch, sums, zeros)
HATCHLING_KERNEL_OF(f32, void, raise_maxima, raise_maxima, (const float *values, size_t rows, float *maxima), values, rows,
                    maxima)
