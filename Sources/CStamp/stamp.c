#include "CStamp.h"

// In a section of its own. `scripts/stage` replaces it in a finished program, so no build depends on the commit, and none can show an old one.
__attribute__((section(".hatchling_commit"), used)) static const char commit[64] = "unknown";

const char *hatchling_commit(void) { return commit; }
