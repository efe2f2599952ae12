#pragma once
// Which processor this is, found once per thread. Sources are compiled for every kind; DISPATCH chooses. A source's kernels are
// included between this file and its own header, in which HATCHLING_KERNEL then defines what it declares elsewhere.
#include "hatchling_types.h"

enum level { UNKNOWN, PLAIN, AVX2, AVX512, VNNI };

/// The level that this thread uses; a thread's own, so that a test can take another one while others run. In kernels.c, with
/// `hatchling_find_level`, which fills it. Found by an offset: a call for its address would make every kernel save its parameters first.
extern __attribute__((tls_model("initial-exec"))) _Thread_local enum level hatchling_level;
enum level hatchling_find_level(void);

// What a processor with byte products runs: the AVX-512 kernel, unless the file has a version of its own for it.
#if defined(MULTIPLIES_BYTES)
#define VNNI_KERNEL(KERNEL, S) KERNEL##_vnni_##S
#else
#define VNNI_KERNEL(KERNEL, S) KERNEL##_avx512_##S
#endif

// `return f(…)` also where f returns nothing. Blocks are small and kernels called often, so the way to them is a few tests and a jump: what
// a thread does the first time, and the plain kernel, which would be inlined here, are kept apart in OTHERWISE.
#if defined(__x86_64__)
#define DISPATCH(KERNEL, S, OTHERWISE, ...)                  \
  switch (hatchling_level) {                                 \
    case VNNI: return VNNI_KERNEL(KERNEL, S)(__VA_ARGS__);   \
    case AVX512: return KERNEL##_avx512_##S(__VA_ARGS__);    \
    case AVX2: return KERNEL##_avx2_##S(__VA_ARGS__);        \
    default: return OTHERWISE;                               \
  }
#else
#define DISPATCH(KERNEL, S, OTHERWISE, ...) return OTHERWISE;
#endif

#undef HATCHLING_KERNEL
#define HATCHLING_KERNEL(RESULT, NAME, PARAMETERS, ...)                      \
  RESULT hatchling_##NAME PARAMETERS;                                        \
  __attribute__((noinline)) static RESULT NAME##_otherwise PARAMETERS {      \
    if (hatchling_level == UNKNOWN) {                                        \
      hatchling_find_level();                                                \
      return hatchling_##NAME(is_float, __VA_ARGS__);                        \
    }                                                                        \
    if (is_float) return NAME##_plain_f32(__VA_ARGS__);                      \
    return NAME##_plain_f64(__VA_ARGS__);                                    \
  }                                                                          \
  RESULT hatchling_##NAME PARAMETERS {                                       \
    if (is_float) {                                                          \
      DISPATCH(NAME, f32, NAME##_otherwise(is_float, __VA_ARGS__), __VA_ARGS__) \
    } else {                                                                 \
      DISPATCH(NAME, f64, NAME##_otherwise(is_float, __VA_ARGS__), __VA_ARGS__) \
    }                                                                        \
  }
#undef HATCHLING_KERNEL_OF
#define HATCHLING_KERNEL_OF(S, RESULT, KERNEL, NAME, PARAMETERS, ...)        \
  RESULT hatchling_##NAME PARAMETERS;                                        \
  __attribute__((noinline)) static RESULT NAME##_otherwise PARAMETERS {      \
    if (hatchling_level == UNKNOWN) {                                        \
      hatchling_find_level();                                                \
      return hatchling_##NAME(__VA_ARGS__);                                  \
    }                                                                        \
    return KERNEL##_plain_##S(__VA_ARGS__);                                  \
  }                                                                          \
  RESULT hatchling_##NAME PARAMETERS { DISPATCH(KERNEL, S, NAME##_otherwise(__VA_ARGS__), __VA_ARGS__) }
