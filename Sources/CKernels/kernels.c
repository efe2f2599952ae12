#include "hatchling_kernels.h"
