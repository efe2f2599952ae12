#include "dispatch.h"

#define NUMBER_KERNELS "edges.inc"
#define KERNELS "both_numbers.inc"
#include "every_processor.inc"

#include "hatchling_edges.h"
