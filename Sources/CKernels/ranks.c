#include "dispatch.h"

#define SUFFIX f32
#define KERNELS "ranks.inc"
#include "every_processor.inc"
#undef SUFFIX

#include "hatchling_ranks.h"
