#include "CStamp.h"

static int count;
static char **values;

// The C library hands every constructor what it hands `main`. Swift's own list is read from /proc, which is not always there.
__attribute__((constructor)) static void keep(int given, char **arguments) {
  count = given;
  values = arguments;
}

int hatchling_argument_count(void) { return count; }

const char *hatchling_argument(int index) { return values[index]; }
