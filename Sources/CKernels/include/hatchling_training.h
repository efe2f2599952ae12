#pragma once
#include <stddef.h>
#include <stdint.h>

// Elementwise passes of training, for AVX-512, AVX2 and plain processors.

#define HATCHLING_TRAINING(S, T)                                                                                    \
  /* drive <- max(0, drive); list <- numbers of the positive elements, at most `count`; returns how many. */         \
  size_t hatchling_relu_list_##S(T *drive, size_t count, int32_t *list);                                            \
  /* list <- numbers of the positive elements; returns how many. */                                                 \
  size_t hatchling_positive_list_##S(const T *x, size_t count, int32_t *list);                                      \
  /* R_t x on neighbouring pairs, and its transpose. */                                                             \
  void hatchling_rotate_##S(const T *x, const T *cosines, const T *sines, size_t count, T *out);                    \
  void hatchling_rotate_back_##S(const T *g, const T *cosines, const T *sines, size_t count, T *out);               \
  /* out = a b; sum += a b. */                                                                                      \
  void hatchling_times_##S(const T *a, const T *b, size_t count, T *out);                                           \
  void hatchling_add_times_##S(const T *a, const T *b, size_t count, T *sum);                                       \
  /* One AdamW update; `scale` multiplies the gradient, corrections are 1 / (1 - beta^step). */                     \
  void hatchling_adamw_##S(T *p, T *m, T *v, const T *g, size_t count, T scale, T beta1, T beta2, T rate, T decay,  \
                           T correction1, T correction2, T epsilon);

HATCHLING_TRAINING(f32, float)
HATCHLING_TRAINING(f64, double)
