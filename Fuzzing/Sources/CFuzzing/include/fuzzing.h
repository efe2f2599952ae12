#ifndef FUZZING_H
#define FUZZING_H

#include <stddef.h>
#include <stdint.h>

/// libFuzzer's loop: mutates inputs and calls `run` with each.
int LLVMFuzzerRunDriver(int *count, char ***arguments, int (*run)(const uint8_t *bytes, size_t size));

/// From now on memory is counted, per thread: what is allocated and what is mapped. Not under the thread sanitizer.
void fuzzing_count_memory(void);
/// Forgets the peak: it is what is taken now.
void fuzzing_forget_peak(void);
/// Bytes that this thread has taken and not given back, and the most since the peak was forgotten.
long fuzzing_bytes(void);
long fuzzing_peak(void);

#endif
