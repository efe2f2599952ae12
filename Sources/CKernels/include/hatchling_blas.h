#pragma once
#include <stdbool.h>

// Which kernels OpenBLAS multiplies with (its *core*). OpenBLAS chooses by a list of processors when it is loaded and falls back to its
// oldest core on one that is younger than the list. Before `main` this file looks at what the processor can do, chooses again where
// that was poorer, and multiplies two small matrices both ways with the core that remains.

/// Who chose the core: OpenBLAS's own list; the user by OPENBLAS_CORETYPE; the user by HATCHLING_BLAS_CORE; Hatchling by features.
typedef enum {
  HATCHLING_BLAS_OPENBLAS,
  HATCHLING_BLAS_CORETYPE,
  HATCHLING_BLAS_FORCED,
  HATCHLING_BLAS_FEATURES,
} hatchling_blas_chooser;

/// Why a core that was asked for is not used.
typedef enum {
  HATCHLING_BLAS_ACCEPTED,
  HATCHLING_BLAS_MISSING,
  HATCHLING_BLAS_WRONG,
  HATCHLING_BLAS_CRASHED,
} hatchling_blas_verdict;

typedef struct {
  /// What OpenBLAS had when this program began.
  const char *found;
  hatchling_blas_chooser chooser;
  /// The first core that was refused and the reason; null and `ACCEPTED` where none was.
  const char *refused;
  hatchling_blas_verdict verdict;
  /// False where no core at all multiplies rightly.
  bool usable;
} hatchling_blas_choice;

hatchling_blas_choice hatchling_blas_chosen(void);

/// The core that a processor which knows all of x86-64-v3 (AVX2, FMA, …) or x86-64-v4 (AVX-512 F, BW, CD, DQ, VL) should have instead of
/// `core`; null where `core` is as good, or unknown here and so younger than this list.
const char *hatchling_blas_better(const char *core, bool v3, bool v4);

/// The same for this processor.
const char *hatchling_blas_better_here(const char *core);

/// C ← α op(A) op(B) + β C with row-major numbers, float or double; op(A) is m × k, op(B) k × n, C m × n; stored rows lie lda, ldb, ldc apart.
void hatchling_gemm(bool is_float, bool transpose_a, bool transpose_b, int m, int n, int k, double alpha, const void *a, int lda,
                    const void *b, int ldb, double beta, void *c, int ldc);
/// y ← α op(A) x + β y with a row-major stored A of rows × columns.
void hatchling_gemv(bool is_float, bool transpose, int rows, int columns, double alpha, const void *a, int lda, const void *x,
                    double beta, void *y);
