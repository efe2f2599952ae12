#include <cblas.h>

#include "hatchling_blas.h"

static enum CBLAS_TRANSPOSE turn(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }

void hatchling_gemm(bool is_float, bool transpose_a, bool transpose_b, int m, int n, int k, double alpha, const void *a, int lda,
                    const void *b, int ldb, double beta, void *c, int ldc) {
  if (is_float)
    cblas_sgemm(CblasRowMajor, turn(transpose_a), turn(transpose_b), m, n, k, (float)alpha, a, lda, b, ldb, (float)beta, c, ldc);
  else
    cblas_dgemm(CblasRowMajor, turn(transpose_a), turn(transpose_b), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void hatchling_gemv(bool is_float, bool transpose, int rows, int columns, double alpha, const void *a, int lda, const void *x,
                    double beta, void *y) {
  if (is_float)
    cblas_sgemv(CblasRowMajor, turn(transpose), rows, columns, (float)alpha, a, lda, x, 1, (float)beta, y, 1);
  else
    cblas_dgemv(CblasRowMajor, turn(transpose), rows, columns, alpha, a, lda, x, 1, beta, y, 1);
}
