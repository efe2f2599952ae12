#include "dispatch.h"

#define NUMBER_KERNELS "training.inc"
#define KERNELS "both_numbers.inc"
#include "every_processor.inc"

#include "hatchling_training.h"
