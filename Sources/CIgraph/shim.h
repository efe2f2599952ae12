// igraph.h asks for GNU extensions; the C library settled its features before that for all other modules, and so it must here.
#include <features.h>

#include <igraph.h>

// Handlers are declared through a function typedef, which Swift does not import.
static inline void hatchling_igraph_be_quiet(void) {
  igraph_set_error_handler(igraph_error_handler_ignore);
  igraph_set_warning_handler(igraph_warning_handler_ignore);
}
