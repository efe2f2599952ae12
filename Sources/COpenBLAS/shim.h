#pragma once
#include <cblas.h>

// LAPACK is inside the same library; its headers are a package of their own.
void dsyevd_(const char *job, const char *triangle, const int *n, double *a, const int *leading, double *values,
             double *work, const int *work_size, int *integers, const int *integers_size, int *info);
