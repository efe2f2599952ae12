#include "dispatch.h"

#define NUMBER_KERNELS "scans.inc"
#define KERNELS "both_numbers.inc"
#include "every_processor.inc"

#include "hatchling_scans.h"
