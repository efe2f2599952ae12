// Lets one call of the system fail, for LD_PRELOAD; FaultTests compiles it.
//
//   FAULT_COUNTS   a file of `kinds` 64-bit numbers: how often each kind of call was made
//   FAULT_KIND     the kind that fails, by its place in `enum kind`
//   FAULT_AT       which call of that kind fails, from 0
//   FAULT_ERROR    with which errno; 0 for a write of half the bytes; -1 kills the program, as a power cut would
//
// Only calls of the program itself count, not of what it starts; of writes only those into files, or standard output, each of a kind.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind { writeFile, writeOutput, sync_, rename_, create, close_, seek, map, allocate, remove_, folder, kinds };
/// Smaller memory is not counted: there is too much of it, and nothing else would happen.
enum { leastBytes = 32 << 10 };

static _Atomic long long *counts;
static int failing = -1, error;
static long long at;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULT_COUNTS"), *kind = getenv("FAULT_KIND");
  if (!path || strcmp(program_invocation_short_name, "hatchling") != 0) return;
  int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR);
  void *shared = (void *)syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  syscall(SYS_close, descriptor);
  if (kind) {
    failing = atoi(kind);
    at = atoll(getenv("FAULT_AT"));
    error = atoi(getenv("FAULT_ERROR"));
  }
  if (shared != MAP_FAILED) counts = shared;
}

/// Counts a call; whether it is the one that fails.
static int fails(enum kind kind) {
  if (!counts) return 0;
  long long call = atomic_fetch_add(&counts[kind], 1);
  if (kind != (enum kind)failing || call != at) return 0;
  if (error < 0) syscall(SYS_kill, getpid(), SIGKILL);
  errno = error;
  return 1;
}

static int isFile(int descriptor) {
  struct stat status;
  return descriptor > 2 && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

ssize_t write(int descriptor, const void *bytes, size_t size) {
  int counted = counts && (descriptor == 1 || isFile(descriptor));
  if (counted && fails(descriptor == 1 ? writeOutput : writeFile)) {
    if (error != 0) return -1;
    size = (size + 1) / 2;
  }
  return syscall(SYS_write, descriptor, bytes, size);
}

int fsync(int descriptor) { return fails(sync_) ? -1 : (int)syscall(SYS_fsync, descriptor); }
int close(int descriptor) {
  if (!counts || !isFile(descriptor) || !fails(close_)) return (int)syscall(SYS_close, descriptor);
  int reason = errno;
  syscall(SYS_close, descriptor);  // as Linux does: closed in any case
  errno = reason;
  return -1;
}
int rename(const char *from, const char *to) { return fails(rename_) ? -1 : (int)syscall(SYS_rename, from, to); }
int unlink(const char *path) { return fails(remove_) ? -1 : (int)syscall(SYS_unlink, path); }
int mkdir(const char *path, mode_t mode) { return fails(folder) ? -1 : (int)syscall(SYS_mkdir, path, mode); }
off_t lseek(int descriptor, off_t offset, int from) {
  return counts && isFile(descriptor) && fails(seek) ? -1 : syscall(SYS_lseek, descriptor, offset, from);
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  int mode = va_arg(rest, int);
  va_end(rest);
  if ((flags & O_ACCMODE) != O_RDONLY && fails(create)) return -1;
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset) {
  if (size >= leastBytes && !(protection & PROT_EXEC) && fails(map)) return MAP_FAILED;
  return (void *)syscall(SYS_mmap, address, size, protection, flags, descriptor, offset);
}

// glibc's own names: dlsym would allocate.
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static int lacks(size_t size) { return size >= leastBytes && fails(allocate); }
void *malloc(size_t size) { return lacks(size) ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return lacks(count * size) ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return lacks(size) ? NULL : __libc_realloc(old, size); }
void *aligned_alloc(size_t alignment, size_t size) { return lacks(size) ? NULL : __libc_memalign(alignment, size); }
int posix_memalign(void **result, size_t alignment, size_t size) {
  void *memory = lacks(size) ? NULL : __libc_memalign(alignment, size);
  if (!memory) return ENOMEM;
  *result = memory;
  return 0;
}
