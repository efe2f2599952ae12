#ifndef FUZZING_H
#define FUZZING_H

#include <stddef.h>
#include <stdint.h>

/// libFuzzer's loop: mutates inputs and calls `run` with each.
int LLVMFuzzerRunDriver(int *count, char ***arguments, int (*run)(const uint8_t *bytes, size_t size));

/// From now on memory is counted: what is allocated, and what is mapped without a file.
void fuzzing_count_memory(void);
/// Forgets the peak: it is what is taken now.
void fuzzing_forget_peak(void);
/// Bytes taken now, and the most that were taken at one time since the peak was forgotten.
size_t fuzzing_bytes(void);
size_t fuzzing_peak(void);

#endif
