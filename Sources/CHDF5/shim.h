#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

// Constants that HDF5 declares as macros with casts or calls in them, which Swift does not import.
static inline unsigned hatchling_h5f_truncate(void) { return H5F_ACC_TRUNC; }
static inline unsigned hatchling_h5f_read_only(void) { return H5F_ACC_RDONLY; }
static inline hid_t hatchling_h5p_default(void) { return H5P_DEFAULT; }
static inline hid_t hatchling_h5p_dataset(void) { return H5P_DATASET_CREATE; }
static inline hid_t hatchling_h5p_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t hatchling_h5p_link(void) { return H5P_LINK_CREATE; }
static inline hid_t hatchling_h5s_all(void) { return H5S_ALL; }
static inline hsize_t hatchling_h5s_unlimited(void) { return H5S_UNLIMITED; }
static inline size_t hatchling_h5t_variable(void) { return H5T_VARIABLE; }
static inline hid_t hatchling_h5t_int8(void) { return H5T_NATIVE_INT8; }
static inline hid_t hatchling_h5t_reference(void) { return H5T_STD_REF_OBJ; }
static inline hid_t hatchling_h5t_string(void) { return H5T_C_S1; }

// Errors come back as values; nothing is printed, and nothing is written again when the process ends.
static inline void hatchling_h5_be_quiet(void) {
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static inline herr_t hatchling_h5_note_errno(unsigned place, const H5E_error2_t *error, void *number) {
  (void)place;
  const char *found = error->desc ? strstr(error->desc, "errno = ") : NULL;
  if (found) *(int *)number = atoi(found + strlen("errno = "));
  return 0;
}

// What the system said in the call that has just failed; 0 where it said nothing. errno itself is changed before libhdf5 returns.
static inline int hatchling_h5_errno(void) {
  int number = 0;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, hatchling_h5_note_errno, &number);
  return number;
}

#include "reader.h"
