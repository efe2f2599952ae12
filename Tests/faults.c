// A library for LD_PRELOAD that lets chosen calls of a program fail, or the program die in one: Tests/ProgramTests/FaultTests.
//
//   HATCHLING_FAULT="KIND AT HOW [on]"   the AT-th call of KIND, from 1; HOW is an errno, `short` (half is written) or `kill`; with `on`
//                                        all later ones of KIND too
//   HATCHLING_FAULT_COUNTS=file          is written at the end: a line "KIND calls" each
//
// Programs that this one starts are left alone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind { WRITE, SYNC, CLOSE, RENAME, CREATE, MAP, ALLOCATE, KINDS };
static const char *const names[KINDS] = {"write", "sync", "close", "rename", "create", "map", "allocate"};
enum { SHORT = -1, KILL = -2 };

static _Atomic long calls[KINDS];
static enum kind failing = KINDS;
static long from, to;
static int how;
static int isReady;
static const char *counts;

__attribute__((constructor)) static void begin(void) {
  const char *fault = getenv("HATCHLING_FAULT");
  counts = getenv("HATCHLING_FAULT_COUNTS");
  char kind[16] = "", manner[16] = "", more[4] = "";
  if (fault && sscanf(fault, "%15s %ld %15s %3s", kind, &from, manner, more) >= 3) {
    for (int k = 0; k < KINDS; k++) {
      if (!strcmp(kind, names[k])) failing = (enum kind)k;
    }
    how = !strcmp(manner, "short") ? SHORT : !strcmp(manner, "kill") ? KILL : atoi(manner);
    to = more[0] ? __LONG_MAX__ : from;
    if (failing == KINDS || how == 0) abort();
  }
  unsetenv("LD_PRELOAD");
  isReady = 1;
}

__attribute__((destructor)) static void end(void) {
  if (!counts) return;
  isReady = 0;
  FILE *file = fopen(counts, "w");
  for (int k = 0; file && k < KINDS; k++) fprintf(file, "%s %ld\n", names[k], atomic_load(&calls[k]));
  if (file) fclose(file);
}

// Whether this call is to fail; errno is set then.
static int fails(enum kind kind) {
  if (!isReady) return 0;
  long call = atomic_fetch_add(&calls[kind], 1) + 1;
  if (kind != failing || call < from || call > to) return 0;
  if (how == KILL) syscall(SYS_kill, getpid(), SIGKILL);
  if (how > 0) errno = how;
  return 1;
}

// Results: files, pipes to other programs, standard output; not what the runtime tells itself, nor what is said of an error.
static int isResult(int descriptor) {
  struct stat status;
  if (descriptor == 2 || fstat(descriptor, &status)) return 0;
  return descriptor == 1 || S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode);
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
  if (isResult(descriptor) && fails(WRITE)) {
    if (how != SHORT) return -1;
    count = (count + 1) / 2;
  }
  return syscall(SYS_write, descriptor, bytes, count);
}

static ssize_t placed(int descriptor, const void *bytes, size_t count, off64_t offset) {
  if (isResult(descriptor) && fails(WRITE)) {
    if (how != SHORT) return -1;
    count = (count + 1) / 2;
  }
  return syscall(SYS_pwrite64, descriptor, bytes, count, offset);
}
ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) { return placed(descriptor, bytes, count, offset); }
ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) { return placed(descriptor, bytes, count, offset); }

int fsync(int descriptor) { return fails(SYNC) ? -1 : (int)syscall(SYS_fsync, descriptor); }
int fdatasync(int descriptor) { return fails(SYNC) ? -1 : (int)syscall(SYS_fdatasync, descriptor); }

int close(int descriptor) {
  int isWritten = isReady && isResult(descriptor) && (fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_WRONLY;
  int failed = isWritten && fails(CLOSE), reason = errno;
  int result = (int)syscall(SYS_close, descriptor);
  if (failed) errno = reason;
  return failed ? -1 : result;
}

int rename(const char *before, const char *after) {
  return fails(RENAME) ? -1 : (int)syscall(SYS_rename, before, after);
}

static int opened(int folder, const char *path, int flags, mode_t mode) {
  if ((flags & O_CREAT) && fails(CREATE)) return -1;
  return (int)syscall(SYS_openat, folder, path, flags, mode);
}

#define OPEN(name)                                                                                                     \
  int name(const char *path, int flags, ...) {                                                                         \
    va_list rest;                                                                                                      \
    va_start(rest, flags);                                                                                             \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;                                                          \
    va_end(rest);                                                                                                      \
    return opened(AT_FDCWD, path, flags, mode);                                                                        \
  }
OPEN(open)
OPEN(open64)

int mkdir(const char *path, mode_t mode) { return fails(CREATE) ? -1 : (int)syscall(SYS_mkdir, path, mode); }

void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset) {
  if (fails(MAP)) return MAP_FAILED;
  return (void *)syscall(SYS_mmap, address, size, protection, flags, descriptor, offset);
}

void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
void *malloc(size_t size) { return fails(ALLOCATE) ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails(ALLOCATE) ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return fails(ALLOCATE) ? NULL : __libc_realloc(old, size); }
int posix_memalign(void **place, size_t alignment, size_t size) {
  *place = fails(ALLOCATE) ? NULL : __libc_memalign(alignment, size);
  return *place ? 0 : ENOMEM;
}
void *aligned_alloc(size_t alignment, size_t size) { return fails(ALLOCATE) ? NULL : __libc_memalign(alignment, size); }
