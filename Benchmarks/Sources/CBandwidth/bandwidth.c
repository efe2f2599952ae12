#include "bandwidth.h"
#include <string.h>

typedef float line __attribute__((vector_size(64), aligned(64)));

static float write_copies(line *m, size_t lines) {
  line source[64];
  for (int i = 0; i < 64; i++) source[i] = (line){i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  for (size_t i = 0; i + 64 <= lines; i += 64) {
#if defined(__x86_64__)
    void *to = m + i;
    const void *from = source;
    size_t count = sizeof(source);
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
#else
    memcpy(m + i, source, sizeof(source));
#endif
  }
  return m[lines - 1][0];
}

// One source for every vector width; the compiler splits a line into what the target has.
#define PASSES(ISA, TARGET)                                                                        \
  TARGET static float read_stream_##ISA(const line *m, size_t lines, int prefetch) {               \
    line s[8] = {{0}};                                                                             \
    for (size_t i = 0; i + 8 <= lines; i += 8)                                                     \
      for (int k = 0; k < 8; k++) {                                                                \
        if (prefetch) __builtin_prefetch((const char *)(m + i + k) + 4096, 0, 3);                  \
        s[k] += m[i + k];                                                                          \
      }                                                                                            \
    line t = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));                    \
    return t[0] + t[7] + t[15];                                                                    \
  }                                                                                                \
  TARGET static float read_four_##ISA(const line *m, size_t lines) {                               \
    line s[8] = {{0}};                                                                             \
    size_t q = lines / 4;                                                                          \
    for (size_t i = 0; i + 2 <= q; i += 2)                                                         \
      for (int k = 0; k < 4; k++) {                                                                \
        s[2 * k] += m[k * q + i];                                                                  \
        s[2 * k + 1] += m[k * q + i + 1];                                                          \
      }                                                                                            \
    line t = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));                    \
    return t[0] + t[7] + t[15];                                                                    \
  }                                                                                                \
  TARGET static float write_stores_##ISA(line *m, size_t lines) {                                  \
    line v = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};                              \
    for (size_t i = 0; i < lines; i++) *(volatile line *)(m + i) = v;                              \
    return m[lines - 1][0];                                                                        \
  }                                                                                                \
  TARGET static float write_past_cache_##ISA(line *m, size_t lines) {                              \
    line v = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};                              \
    for (size_t i = 0; i < lines; i++) __builtin_nontemporal_store(v, m + i);                      \
    __sync_synchronize();                                                                          \
    return m[lines - 1][0];                                                                        \
  }                                                                                                \
  TARGET static float update_##ISA(line *m, size_t lines) {                                        \
    line one = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};                                   \
    for (size_t i = 0; i < lines; i++) m[i] += one;                                                \
    return m[lines - 1][0];                                                                        \
  }                                                                                                \
  static float pass_##ISA(enum bandwidth_pattern pattern, line *m, size_t lines) {                 \
    switch (pattern) {                                                                             \
      case READ_STREAM: return read_stream_##ISA(m, lines, 0);                                     \
      case READ_FOUR_STREAMS: return read_four_##ISA(m, lines);                                    \
      case READ_PREFETCHED: return read_stream_##ISA(m, lines, 1);                                 \
      case WRITE_STORES: return write_stores_##ISA(m, lines);                                      \
      case WRITE_PAST_CACHE: return write_past_cache_##ISA(m, lines);                              \
      case WRITE_LIBRARY: memset(m, 63 ^ ((int)lines & 1), lines * sizeof(line)); return m[lines - 1][0];\
      case WRITE_COPIES: return write_copies(m, lines);                                            \
      default: return update_##ISA(m, lines);                                                      \
    }                                                                                              \
  }

#if defined(__x86_64__)
PASSES(avx512, __attribute__((target("avx512f"))))
PASSES(avx2, __attribute__((target("avx2"))))
#endif
PASSES(plain, )

float bandwidth_pass(enum bandwidth_pattern pattern, float *memory, size_t bytes) {
  size_t lines = bytes / sizeof(line);
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return pass_avx512(pattern, (line *)memory, lines);
  if (__builtin_cpu_supports("avx2")) return pass_avx2(pattern, (line *)memory, lines);
#endif
  return pass_plain(pattern, (line *)memory, lines);
}

const char *bandwidth_pattern_name(enum bandwidth_pattern pattern) {
  static const char *const names[] = {"one stream", "four streams", "one stream, prefetched", "stores",
                                      "non-temporal stores", "memset", "block copies", "read and written in place"};
  return pattern < BANDWIDTH_PATTERNS ? names[pattern] : "";
}
