#pragma once

/// The commit that the program was made from: what `scripts/stage` wrote into it, else "unknown".
const char *hatchling_commit(void);
