// What an input takes of memory, counted on the thread that runs it, and copies of mapped files. Part of the fuzzer and of the tests that
// replay its inputs.
#define _GNU_SOURCE
#include "fuzzing.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static __thread long taken, peak;

__attribute__((unused)) static void take(size_t size) {
  taken += (long)size;
  if (taken > peak) peak = taken;
}

long fuzzing_bytes(void) { return taken; }
long fuzzing_peak(void) { return peak; }
void fuzzing_forget_peak(void) { peak = taken; }

#if __has_feature(address_sanitizer)

int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t), void (*)(const volatile void *));
size_t __sanitizer_get_allocated_size(const volatile void *);

static void onAllocation(const volatile void *pointer, size_t size) {
  if (pointer) take(size);
}

static void onRelease(const volatile void *pointer) {
  if (pointer) taken -= (long)__sanitizer_get_allocated_size(pointer);
}

void fuzzing_count_memory(void) {
  static _Atomic int isCounting;
  if (!atomic_exchange(&isCounting, 1)) __sanitizer_install_malloc_and_free_hooks(onAllocation, onRelease);
}

#endif

#if FUZZING

// A page of a mapped file goes on behind the file's last byte, where the sanitizer sees nothing wrong. Here a file that is mapped for
// reading alone is copied into memory of just its size instead.
enum { mostCopies = 64 };
static void *_Atomic copies[mostCopies];

static void *copyOfFile(size_t size, int descriptor, off_t offset) {
  char *copy = malloc(size);
  size_t done = 0;
  while (copy && done < size) {
    ssize_t count = pread(descriptor, copy + done, size - done, offset + (off_t)done);
    if (count <= 0) break;
    done += (size_t)count;
  }
  for (int place = 0; done == size && place < mostCopies; place++) {
    void *none = NULL;
    if (atomic_compare_exchange_strong(&copies[place], &none, copy)) return copy;
  }
  free(copy);
  return NULL;
}

static int isCopy(void *address) {
  for (int place = 0; place < mostCopies; place++) {
    void *copy = address;
    if (address && atomic_compare_exchange_strong(&copies[place], &copy, NULL)) return 1;
  }
  return 0;
}

#else

#define copyOfFile(size, descriptor, offset) NULL
#define isCopy(address) 0

#endif

#if !__has_feature(address_sanitizer)
void fuzzing_count_memory(void) {}
#endif

// Tests under a sanitizer keep to what it provides.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
#define PLAIN 1

void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static void *taking(void *block) {
  if (block) take(malloc_usable_size(block));
  return block;
}

static void leave(void *block) {
  if (block) taken -= (long)malloc_usable_size(block);
}

void *malloc(size_t size) { return taking(__libc_malloc(size)); }
void *calloc(size_t count, size_t size) { return taking(__libc_calloc(count, size)); }
void *memalign(size_t alignment, size_t size) { return taking(__libc_memalign(alignment, size)); }
void *aligned_alloc(size_t alignment, size_t size) { return taking(__libc_memalign(alignment, size)); }
int posix_memalign(void **place, size_t alignment, size_t size) {
  void *block = taking(__libc_memalign(alignment, size));
  if (block) *place = block;
  return block ? 0 : ENOMEM;
}
void *realloc(void *old, size_t size) {
  long before = old ? (long)malloc_usable_size(old) : 0;
  void *block = __libc_realloc(old, size);
  if (block || size == 0) taken -= before;
  return taking(block);
}
void free(void *block) {
  leave(block);
  __libc_free(block);
}

#endif

#if FUZZING || PLAIN

void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset) {
  if (descriptor >= 0 && protection == PROT_READ && flags == MAP_PRIVATE) {
    void *copy = copyOfFile(size, descriptor, offset);
    if (copy) return copy;
  }
  void *result = (void *)syscall(SYS_mmap, address, size, protection, flags, descriptor, offset);
  if (result != MAP_FAILED) take(size);
  return result;
}

int munmap(void *address, size_t size) {
  if (isCopy(address)) {
    free(address);
    return 0;
  }
  int result = (int)syscall(SYS_munmap, address, size);
  if (result == 0) taken -= (long)size;
  return result;
}

#endif
