#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What kernels and their callers share besides the kernels themselves.

/// Slots in a neuron's history of activity, one cache line of float32; bytes that go through a screen together, to which queries are padded.
enum { HATCHLING_HISTORY = 16, HATCHLING_SCREEN_BYTES = 64 };
/// Width of a panel of plastic weights.
enum { HATCHLING_PANEL = 64 };
/// Histograms that count_entries fills, so that equal neighbours do not wait for each other's increment, and numbers in its `sums`.
enum { HATCHLING_HISTOGRAMS = 4, HATCHLING_ENTRY_SUMS = 7 };

/// Columns that are scored and ranked together.
enum { HATCHLING_RANK_COLUMNS = 256 };

/// 8-bit copies of rows of `d` float32 weights: code = round(w / scale) + 128, with what it takes to bound a row's sum.
typedef struct {
  size_t d;
  uint8_t *codes;
  /// Per row: the scale; ‖w − coded w‖ plus the rounding of a float32 sum relative to ‖v‖ = 1; ‖coded w‖; ‖w‖. All rounded up.
  float *scale, *bound, *size, *length;
} hatchling_screen;

/// A vector v ≈ step · p in fixed point, p = 256 high + low; buffers hold `d` numbers and zeros up to a multiple of HATCHLING_SCREEN_BYTES.
typedef struct {
  int8_t *high, *low;
  int16_t *wide;
  /// 128 Σ p.
  int32_t excess;
  /// ‖v‖ and ‖v − step p‖, rounded up; what sums may lose below the normal range.
  double step, norm, residue, smallest;
} hatchling_query;

/// A code of spikes: how many sub-steps a phase has, and the most spikes of a value. `flows`: input comes in every sub-step, not all at once; `both`: a
/// value may fire on both channels; `limited`: `most` are fewer than there are sub-steps. Values below `least` of their scale are silent, those beyond
/// `largest` are cut short.
typedef struct {
  size_t substeps;
  int32_t most, flows, both, limited;
  double least, largest;
} hatchling_spike_code;

/// Of a block of neurons in a phase: values that were cut short, and whether all were finite.
typedef struct {
  int64_t saturated;
  bool is_finite;
} hatchling_spike_report;

/// The numbers of one AdamW update, the same for all parameters. `scale` multiplies the gradient first: clipping. The decay is decoupled:
/// p ← p (1 − rate · decay). Corrections are 1 / (1 − βᵏ) after k updates.
typedef struct {
  double scale, beta1, beta2, rate, decay, correction1, correction2, epsilon;
} hatchling_adamw_update;

/// Declares a kernel once for float and double, whose numbers are untyped memory: its result, its name, its parameters, and those that go
/// on to the form for this processor. dispatch.h makes the same lines definitions. What it computes is said once, at the function of
/// HatchlingNumerics that calls it: `deliverRows` for deliver_rows, `readAndHebb` for read_hebb.
#ifndef HATCHLING_KERNEL
#define HATCHLING_KERNEL(RESULT, NAME, PARAMETERS, ...) RESULT hatchling_##NAME PARAMETERS;
// The same for one kind S of numbers; the form for a processor is called KERNEL.
#define HATCHLING_KERNEL_OF(S, RESULT, KERNEL, NAME, PARAMETERS, ...) RESULT hatchling_##NAME PARAMETERS;
#endif
