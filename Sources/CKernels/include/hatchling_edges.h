#pragma once
#include "hatchling_types.h"

// Training on synapse lists: rows are neurons or nodes, columns the tokens of one stream, for AVX-512, AVX2 and plain processors.

HATCHLING_KERNEL(void, edge_sums, (bool is_float, const int64_t *offsets, const int32_t *sources, const void *weights, size_t rows,
                  const void *in, size_t columns, const void *base, const void *share, void *out),
                 offsets, sources, weights, rows, in, columns, base, share, out)
HATCHLING_KERNEL(void, edge_products, (bool is_float, const int64_t *offsets, const int32_t *sources, size_t rows, const void *d,
                  const void *in, size_t columns, void *gradient), offsets, sources, rows, d, in, columns, gradient)
HATCHLING_KERNEL(void, rotate_rows, (bool is_float, const void *x, const void *cosines, const void *sines, size_t columns, void *out),
                 x, cosines, sines, columns, out)
HATCHLING_KERNEL(void, rotate_rows_back, (bool is_float, const void *g, const void *cosines, const void *sines, size_t columns,
                  void *sum), g, cosines, sines, columns, sum)
HATCHLING_KERNEL(void, fire, (bool is_float, const void *drive, const void *x, const void *gains, size_t columns, void *y),
                 drive, x, gains, columns, y)
HATCHLING_KERNEL(void, fire_back, (bool is_float, void *drive, const void *x, const void *gains, const void *g, size_t columns,
                  void *to_x, void *to_gains), drive, x, gains, g, columns, to_x, to_gains)
HATCHLING_KERNEL(void, keep_trace, (bool is_float, const void *z, const void *y, const void *y_gains, const void *gains, size_t columns,
                  void *out), z, y, y_gains, gains, columns, out)
