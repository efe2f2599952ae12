#pragma once
#include <stddef.h>
#include <stdint.h>

/// Tells the processor that this thread is spinning.
static inline void hatchling_spin_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}
