#define MULTIPLIES_BYTES
#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

#if defined(__linux__)
#include <sys/auxv.h>
#endif

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__clang__)
// Vectors wider than the processor's are passed between static functions of this file only.
#pragma clang diagnostic ignored "-Wpsabi"
#endif

#define HISTORY HATCHLING_HISTORY
#define NUMBER_KERNELS "passes.inc"
#define KERNELS "numbers.inc"
#include "every_processor.inc"

#include "hatchling_kernels.h"

_Thread_local enum level hatchling_level;
static const char *const names[] = {"", "plain", "avx2", "avx512", "avx512-vnni"};

static enum level best(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return PLAIN;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl"))
    return AVX2;
  return __builtin_cpu_supports("avx512vnni") ? VNNI : AVX512;
#else
  return PLAIN;
#endif
}

int hatchling_use_kernels(const char *name) {
  for (enum level level = PLAIN; level <= best(); level++)
    if (!strcmp(name, names[level])) return hatchling_level = level, 1;
  return 0;
}

enum level hatchling_find_level(void) {
  // For comparing the kernels with each other: HATCHLING_KERNELS=avx512, avx2 or plain takes simpler ones.
  const char *wish = getenv("HATCHLING_KERNELS");
  if (!wish || !hatchling_use_kernels(wish)) hatchling_level = best();
  return hatchling_level;
}

const char *hatchling_kernel_name(void) {
  return names[hatchling_level != UNKNOWN ? hatchling_level : hatchling_find_level()];
}

const char *hatchling_executable(void) {
#if defined(__linux__)
  return (const char *)getauxval(AT_EXECFN);
#else
  return NULL;
#endif
}
