#pragma once
// Which processor this is, found once per file of kernels. Sources are compiled for every kind and chosen with `level()`.

#include <stdlib.h>
#include <string.h>

enum level { UNKNOWN, PLAIN, AVX2, AVX512, VNNI };

static inline enum level level(void) {
#if defined(__x86_64__)
  // The answer never changes, so a race between two first callers is harmless.
  static enum level known = UNKNOWN;
  enum level found = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (found != UNKNOWN) return found;
  __builtin_cpu_init();
  int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  int vnni = avx512 && __builtin_cpu_supports("avx512vnni");
  found = vnni ? VNNI : avx512 ? AVX512 : avx2 ? AVX2 : PLAIN;
  // For comparing the kernels with each other: HATCHLING_KERNELS=avx512, avx2 or plain takes simpler ones.
  const char *wish = getenv("HATCHLING_KERNELS");
  if (wish && !strcmp(wish, "plain")) found = PLAIN;
  if (wish && !strcmp(wish, "avx2") && found > AVX2) found = AVX2;
  if (wish && !strcmp(wish, "avx512") && found > AVX512) found = AVX512;
  __atomic_store_n(&known, found, __ATOMIC_RELAXED);
  return found;
#else
  return PLAIN;
#endif
}

// What a processor with byte products runs: the AVX-512 kernel, unless the file has a version of its own for it.
#if defined(MULTIPLIES_BYTES)
#define VNNI_KERNEL(KERNEL, S) KERNEL##_vnni_##S
#else
#define VNNI_KERNEL(KERNEL, S) KERNEL##_avx512_##S
#endif

// `return f(…)` also where f returns nothing.
#if defined(__x86_64__)
#define DISPATCH(KERNEL, S, ...)                             \
  switch (level()) {                                         \
    case VNNI: return VNNI_KERNEL(KERNEL, S)(__VA_ARGS__);   \
    case AVX512: return KERNEL##_avx512_##S(__VA_ARGS__);    \
    case AVX2: return KERNEL##_avx2_##S(__VA_ARGS__);        \
    default: return KERNEL##_plain_##S(__VA_ARGS__);         \
  }
#else
#define DISPATCH(KERNEL, S, ...) return KERNEL##_plain_##S(__VA_ARGS__);
#endif
