#pragma once

/// The commit that the program was made from: what `scripts/stage` wrote into it, else "unknown".
const char *hatchling_commit(void);

/// How many arguments the program was started with, its own name included.
int hatchling_argument_count(void);

/// One of them, from 0 up to the count, as it came.
const char *hatchling_argument(int index);
