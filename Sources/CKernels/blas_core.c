#define _GNU_SOURCE
#include "hatchling_blas.h"

#include <cblas.h>
#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static hatchling_blas_choice choice = {.usable = true};

hatchling_blas_choice hatchling_blas_chosen(void) { return choice; }

static bool is_among(const char *core, const char *const *names) {
  for (; *names; names++)
    if (!strcasecmp(core, *names)) return true;
  return false;
}

const char *hatchling_blas_better(const char *core, bool v3, bool v4) {
  static const char *const without_avx2[] = {
      "Unknown", "Katmai",       "Coppermine", "Northwood", "Prescott",    "Banias", "Atom",      "Core2",      "Penryn", "Dunnington", "Nehalem",
      "Athlon",  "Opteron", "Opteron_SSE3", "Barcelona",  "Nano",      "Sandybridge", "Bobcat", "Bulldozer", "Piledriver", NULL};
  static const char *const without_avx512[] = {"Steamroller", "Excavator", "Haswell", "Zen", NULL};
  bool poor = is_among(core, without_avx2);
  if (v4 && (poor || is_among(core, without_avx512))) return "SkylakeX";
  return v3 && poor ? "Haswell" : NULL;
}

const char *hatchling_blas_better_here(const char *core) {
#if defined(__x86_64__)
  // Both ask the operating system too (XGETBV): whether it keeps the wide registers when threads take turns.
  __builtin_cpu_init();
  return hatchling_blas_better(core, __builtin_cpu_supports("x86-64-v3"), __builtin_cpu_supports("x86-64-v4"));
#else
  (void)core;
  return NULL;
#endif
}

/// Lets OpenBLAS choose again: `core`, or for null what it would choose by itself. False where the core is not in this library.
///
/// The two functions are what OpenBLAS itself calls when it is loaded and unloaded; no header has them, and a library built for one
/// processor does not either. The environment is afterwards what it was, so child processes choose for themselves.
static bool choose(const char *core) {
  void (*quit)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "gotoblas_dynamic_quit");
  void (*begin)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "gotoblas_dynamic_init");
  if (!quit || !begin) return false;
  const char *set = getenv("OPENBLAS_CORETYPE");
  char *before = set ? strdup(set) : NULL;
  if (core) setenv("OPENBLAS_CORETYPE", core, 1);
  else unsetenv("OPENBLAS_CORETYPE");
  quit();
  begin();
  if (before) setenv("OPENBLAS_CORETYPE", before, 1);
  else unsetenv("OPENBLAS_CORETYPE");
  free(before);
  return !core || !strcasecmp(core, openblas_get_corename());
}

// Products of small whole numbers are exact in every order of summation, so a right core gives exactly what plain loops give.

/// A, B, C and what C must become; A and B also transposed.
#define DEFINE_CHECK(T, GEMM, GEMV)                                                                                     \
  static bool multiplies_##T(int m, int n, int k, T alpha, T beta) {                                                    \
    size_t size[6] = {m * k, m * k, k * n, k * n, m * n, m * n}, total = 0;                                             \
    for (int i = 0; i < 6; i++) total += size[i];                                                                       \
    T *a = malloc(total * sizeof(T));                                                                                   \
    if (!a) return false;                                                                                               \
    T *at = a + size[0], *b = at + size[1], *bt = b + size[2], *c = bt + size[3], *right = c + size[4];                 \
    unsigned seed = 1;                                                                                                  \
    for (int i = 0; i < m; i++)                                                                                         \
      for (int l = 0; l < k; l++) a[i * k + l] = at[l * m + i] = (T)((seed = seed * 1664525u + 1013904223u) >> 29) - 3; \
    for (int l = 0; l < k; l++)                                                                                         \
      for (int j = 0; j < n; j++) b[l * n + j] = bt[j * k + l] = (T)((seed = seed * 1664525u + 1013904223u) >> 29) - 3; \
    for (int i = 0; i < m * n; i++) right[i] = beta * (T)(i % 7);                                                       \
    for (int i = 0; i < m; i++)                                                                                         \
      for (int l = 0; l < k; l++)                                                                                       \
        for (int j = 0; j < n; j++) right[i * n + j] += alpha * a[i * k + l] * b[l * n + j];                            \
    bool same = true;                                                                                                   \
    for (int turned = 0; turned < 4; turned++) {                                                                        \
      bool ta = turned & 1, tb = turned & 2;                                                                            \
      for (int i = 0; i < m * n; i++) c[i] = beta != 0 ? (T)(i % 7) : (T)NAN;                                           \
      GEMM(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n, k, alpha, ta ? at : a,  \
           ta ? m : k, tb ? bt : b, tb ? k : n, beta, c, n);                                                            \
      for (int i = 0; i < m * n; i++) same &= c[i] == right[i];                                                         \
    }                                                                                                                   \
    /* A times the first column of B, which is the first row of its transpose. */                                       \
    for (int turned = 0; turned < 2; turned++) {                                                                        \
      for (int i = 0; i < m; i++) c[i] = beta != 0 ? (T)(i * n % 7) : (T)NAN;                                           \
      GEMV(CblasRowMajor, turned ? CblasTrans : CblasNoTrans, turned ? k : m, turned ? m : k, alpha, turned ? at : a,   \
           turned ? m : k, bt, 1, beta, c, 1);                                                                          \
      for (int i = 0; i < m; i++) same &= c[i] == right[i * n];                                                         \
    }                                                                                                                   \
    free(a);                                                                                                            \
    return same;                                                                                                        \
  }

DEFINE_CHECK(float, cblas_sgemm, cblas_sgemv)
DEFINE_CHECK(double, cblas_dgemm, cblas_dgemv)

/// Odd sizes, so that every kernel meets its edges; the second is beyond the million products up to which OpenBLAS has kernels of their own.
static bool multiplies(void) {
  return multiplies_float(17, 13, 19, 1, 0) && multiplies_double(17, 13, 19, 1, 0) &&
         multiplies_float(97, 101, 107, 2, -1) && multiplies_double(97, 101, 107, 2, -1);
}

static sigjmp_buf way_out;

static void leave(int signal) { siglongjmp(way_out, signal); }

/// Multiplies with the present core on this thread; a crash is an answer too.
static hatchling_blas_verdict judge(void) {
  static const int crashes[] = {SIGILL, SIGSEGV, SIGBUS, SIGFPE};
  enum { COUNT = sizeof crashes / sizeof *crashes };
  struct sigaction before[COUNT], during = {.sa_handler = leave};
  sigemptyset(&during.sa_mask);
  int threads = openblas_get_num_threads();
  openblas_set_num_threads(1);
  for (int i = 0; i < COUNT; i++) sigaction(crashes[i], &during, &before[i]);
  // Nothing in this frame changes between the two returns.
  hatchling_blas_verdict verdict = sigsetjmp(way_out, 1) ? HATCHLING_BLAS_CRASHED
                                   : multiplies()        ? HATCHLING_BLAS_ACCEPTED
                                                         : HATCHLING_BLAS_WRONG;
  for (int i = 0; i < COUNT; i++) sigaction(crashes[i], &before[i], NULL);
  openblas_set_num_threads(threads);
  return verdict;
}

static void refuse(const char *core, hatchling_blas_verdict verdict) {
  if (choice.refused) return;
  choice.refused = strdup(core);
  choice.verdict = verdict;
}

static bool passes(void) {
  hatchling_blas_verdict verdict = judge();
  if (verdict != HATCHLING_BLAS_ACCEPTED) refuse(openblas_get_corename(), verdict);
  return verdict == HATCHLING_BLAS_ACCEPTED;
}

/// Gives OpenBLAS the core that is wished for, if any, and says who wished for what it then has.
static hatchling_blas_chooser follow_wishes(void) {
  const char *user = getenv("OPENBLAS_CORETYPE"), *forced = getenv("HATCHLING_BLAS_CORE");
  if (user && *user) {
    if (!strcasecmp(user, choice.found)) return HATCHLING_BLAS_CORETYPE;
    refuse(user, HATCHLING_BLAS_MISSING);
  } else if (forced && *forced) {
    if (!strcasecmp(forced, choice.found) || choose(forced)) return HATCHLING_BLAS_FORCED;
    refuse(forced, HATCHLING_BLAS_MISSING);
  }
  const char *better = hatchling_blas_better_here(choice.found);
  if (better) {
    if (choose(better)) return HATCHLING_BLAS_FEATURES;
    refuse(better, HATCHLING_BLAS_MISSING);
  }
  // A name that OpenBLAS does not know may have left it with a poorer core than its own.
  if (choice.refused) choose(NULL);
  return HATCHLING_BLAS_OPENBLAS;
}

/// Runs before `main` and after the libraries' own beginnings: nobody multiplies yet, and no other thread reads the environment.
__attribute__((constructor)) static void choose_core(void) {
  choice.found = openblas_get_corename();
  choice.chooser = follow_wishes();
  if (passes()) return;
  choice.chooser = HATCHLING_BLAS_OPENBLAS;
  choose(NULL);
  if (passes()) return;
  // Every processor of 64 bits runs this one.
  choose("Prescott");
  choice.usable = passes();
}
