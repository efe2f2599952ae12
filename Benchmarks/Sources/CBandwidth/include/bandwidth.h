#pragma once
#include <stddef.h>

// Memory traffic at the widest vectors that this processor has, for measuring bandwidth. `bytes` is a multiple of 4096.

enum bandwidth_pattern {
  READ_STREAM,        // one stream of loads
  READ_FOUR_STREAMS,  // four streams at once, a quarter of the memory each
  READ_PREFETCHED,    // one stream, fetched ahead by software
  WRITE_STORES,       // ordinary stores: a line is fetched before it is overwritten, unless the processor avoids it
  WRITE_PAST_CACHE,   // non-temporal stores
  WRITE_LIBRARY,      // memset
  WRITE_COPIES,       // the processor's block copy (rep movsb) of 4 KiB that stay in the cache, so of computed numbers
  UPDATE,             // read and written in place, as plastic weights are
  BANDWIDTH_PATTERNS
};

/// Goes through `memory` once. What is returned depends on the memory, so that no load can be left out.
float bandwidth_pass(enum bandwidth_pattern pattern, float *memory, size_t bytes);

const char *bandwidth_pattern_name(enum bandwidth_pattern pattern);
