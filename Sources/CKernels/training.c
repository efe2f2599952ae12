#include "hatchling_training.h"

#include "dispatch.h"

#define KERNELS "training_numbers.inc"
#include "every_processor.inc"

#define DEFINE(S, T)                                                                                               \
  size_t hatchling_relu_list_##S(T *drive, size_t count, int32_t *list) { DISPATCH(relu_list, S, drive, count, list) } \
  size_t hatchling_positive_list_##S(const T *x, size_t count, int32_t *list) {                                    \
    DISPATCH(positive_list, S, x, count, list)                                                                     \
  }                                                                                                                \
  void hatchling_rotate_##S(const T *x, const T *cosines, const T *sines, size_t count, T *out) {                  \
    DISPATCH(rotate, S, x, cosines, sines, count, out)                                                             \
  }                                                                                                                \
  void hatchling_rotate_back_##S(const T *g, const T *cosines, const T *sines, size_t count, T *out) {             \
    DISPATCH(rotate_back, S, g, cosines, sines, count, out)                                                        \
  }                                                                                                                \
  void hatchling_times_##S(const T *a, const T *b, size_t count, T *out) { DISPATCH(times, S, a, b, count, out) }  \
  void hatchling_add_times_##S(const T *a, const T *b, size_t count, T *sum) {                                     \
    DISPATCH(add_times, S, a, b, count, sum)                                                                       \
  }                                                                                                                \
  void hatchling_adamw_##S(T *p, T *m, T *v, const T *g, size_t count, T scale, T beta1, T beta2, T rate, T decay, \
                           T correction1, T correction2, T epsilon) {                                              \
    DISPATCH(adamw, S, p, m, v, g, count, scale, beta1, beta2, rate, decay, correction1, correction2, epsilon)     \
  }

DEFINE(f32, float)
DEFINE(f64, double)
