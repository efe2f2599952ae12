#pragma once
// Everything that Swift sees. A new header is named here: then builds that know the old ones notice it.
#include "hatchling_blas.h"
#include "hatchling_delivery.h"
#include "hatchling_edges.h"
#include "hatchling_kernels.h"
#include "hatchling_ranks.h"
#include "hatchling_scans.h"
#include "hatchling_selection.h"
#include "hatchling_spiking.h"
#include "hatchling_training.h"
