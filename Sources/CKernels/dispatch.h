#pragma once
// Which processor this is, found once per thread. Sources are compiled for every kind and chosen with `level()`. A source's kernels are
// included between this file and its own header, in which HATCHLING_KERNEL then defines what it declares elsewhere.
#include "hatchling_types.h"

enum level { UNKNOWN, PLAIN, AVX2, AVX512, VNNI };

/// The level that this thread uses; a thread's own, so that a test can take another one while others run. In kernels.c, with
/// `hatchling_find_level`, which fills it.
extern _Thread_local enum level hatchling_level;
enum level hatchling_find_level(void);

static inline enum level level(void) { return hatchling_level != UNKNOWN ? hatchling_level : hatchling_find_level(); }

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

#undef HATCHLING_KERNEL
#define HATCHLING_KERNEL(RESULT, NAME, PARAMETERS, ...) \
  RESULT hatchling_##NAME PARAMETERS {                  \
    if (is_float) {                                     \
      DISPATCH(NAME, f32, __VA_ARGS__)                  \
    } else {                                            \
      DISPATCH(NAME, f64, __VA_ARGS__)                  \
    }                                                   \
  }
#undef HATCHLING_KERNEL_OF
#define HATCHLING_KERNEL_OF(S, RESULT, KERNEL, NAME, PARAMETERS, ...) \
  RESULT hatchling_##NAME PARAMETERS { DISPATCH(KERNEL, S, __VA_ARGS__) }
