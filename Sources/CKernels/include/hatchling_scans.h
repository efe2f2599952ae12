#pragma once
#include "hatchling_types.h"

// Plastic synapses through a block of tokens, all of one neuron's at a time, for AVX-512, AVX2 and plain processors.

HATCHLING_KERNEL(void, to_lanes, (bool is_float, const void *rows, size_t count, size_t columns, void *lanes),
                 rows, count, columns, lanes)
HATCHLING_KERNEL(void, from_lanes, (bool is_float, const void *lanes, size_t count, size_t columns, bool added, void *rows),
                 lanes, count, columns, added, rows)
HATCHLING_KERNEL(void, scan_edges, (bool is_float, const void *x, size_t columns, const void *keeps, const int32_t *sources, size_t count,
                  const void *z, const void *before, void *heard, void *after, void *scratch),
                 x, columns, keeps, sources, count, z, before, heard, after, scratch)
HATCHLING_KERNEL(void, scan_edges_back, (bool is_float, const void *x, size_t columns, const void *keeps, const int32_t *sources,
                  size_t count, const void *z, const void *before, const void *heard, void *to_z, void *to_x, void *to_keep,
                  void *scratch),
                 x, columns, keeps, sources, count, z, before, heard, to_z, to_x, to_keep, scratch)
