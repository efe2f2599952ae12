#pragma once
// Which processor this is, found once. Include `numbers`-style sources once per ISA and choose with `level()`.

enum level { UNKNOWN, PLAIN, AVX2, AVX512 };

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
  found = avx512 ? AVX512 : avx2 ? AVX2 : PLAIN;
  __atomic_store_n(&known, found, __ATOMIC_RELAXED);
  return found;
#else
  return PLAIN;
#endif
}
