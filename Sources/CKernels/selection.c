#include "dispatch.h"

#define NUMBER_KERNELS "selection.inc"
#define KERNELS "both_numbers.inc"
#include "every_processor.inc"

#include "hatchling_selection.h"
