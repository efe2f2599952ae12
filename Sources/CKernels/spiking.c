#include "dispatch.h"

#define NUMBER_KERNELS "spiking.inc"
#define KERNELS "both_numbers.inc"
#include "every_processor.inc"

#include "hatchling_spiking.h"
