#include "dispatch.h"

#define NUMBER_KERNELS "delivery.inc"
#define KERNELS "both_numbers.inc"
#include "every_processor.inc"

#include "hatchling_delivery.h"
