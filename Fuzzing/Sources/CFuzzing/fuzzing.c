#define _GNU_SOURCE
#include "fuzzing.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t), void (*)(const volatile void *));
size_t __sanitizer_get_allocated_size(const volatile void *);

static _Atomic size_t taken, peak;

static void take(size_t size) {
  size_t now = atomic_fetch_add(&taken, size) + size;
  size_t most = atomic_load(&peak);
  while (now > most && !atomic_compare_exchange_weak(&peak, &most, now)) {}
}

static void onAllocation(const volatile void *pointer, size_t size) {
  if (pointer) take(size);
}

static void onRelease(const volatile void *pointer) {
  if (pointer) atomic_fetch_sub(&taken, __sanitizer_get_allocated_size(pointer));
}

void fuzzing_count_memory(void) { __sanitizer_install_malloc_and_free_hooks(onAllocation, onRelease); }
void fuzzing_forget_peak(void) { atomic_store(&peak, atomic_load(&taken)); }
size_t fuzzing_bytes(void) { return atomic_load(&taken); }
size_t fuzzing_peak(void) { return atomic_load(&peak); }

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
  errno = ENOMEM;
  return MAP_FAILED;
}

void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset) {
  if (descriptor >= 0 && protection == PROT_READ && flags == MAP_PRIVATE) return copyOfFile(size, descriptor, offset);
  if (descriptor < 0) take(size);
  return (void *)syscall(SYS_mmap, address, size, protection, flags, descriptor, offset);
}

int munmap(void *address, size_t size) {
  for (int place = 0; place < mostCopies; place++) {
    void *copy = address;
    if (address && atomic_compare_exchange_strong(&copies[place], &copy, NULL)) {
      free(address);
      return 0;
    }
  }
  int result = (int)syscall(SYS_munmap, address, size);
  if (result == 0) atomic_fetch_sub(&taken, size);
  return result;
}
