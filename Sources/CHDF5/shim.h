#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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
static inline hid_t hatchling_h5t_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t hatchling_h5t_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t hatchling_h5t_int8(void) { return H5T_NATIVE_INT8; }
static inline hid_t hatchling_h5t_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t hatchling_h5t_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t hatchling_h5t_uint32(void) { return H5T_NATIVE_UINT32; }
static inline hid_t hatchling_h5t_uint64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t hatchling_h5t_reference(void) { return H5T_STD_REF_OBJ; }
static inline hid_t hatchling_h5t_string(void) { return H5T_C_S1; }

// Errors come back as values; nothing is printed, and nothing is written again when the process ends.
static inline void hatchling_h5_be_quiet(void) {
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

// Whether an object lies in this file: a link to somewhere else is never followed.
static inline int hatchling_h5_is_here(hid_t file, const char *path) {
  H5L_info_t info;
  return H5Lget_info(file, path, &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
}

// libhdf5 can be brought down by a damaged file. So a child process reads all of a file first, the way that it will be read afterwards, and only
// one that the child survives is opened here. C alone, because nothing else may run between fork and _exit beside other threads.

static inline void hatchling_h5_try_attributes(hid_t object);

static inline herr_t hatchling_h5_try_attribute(hid_t object, const char *name, const H5A_info_t *info, void *unused) {
  (void)info, (void)unused;
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  if (attribute < 0) return 0;
  hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0 && H5Sget_simple_extent_npoints(space) == 1) {
    char *text = NULL;
    hid_t memory = H5Tcopy(H5T_C_S1);
    H5Tset_size(memory, H5T_VARIABLE);
    H5Tset_cset(memory, H5Tget_cset(type));
    if (H5Aread(attribute, memory, &text) >= 0 && text) {
      volatile size_t length = strlen(text);
      (void)length;
      H5free_memory(text);
    }
    H5Tclose(memory);
  }
  H5Tclose(type);
  H5Sclose(space);
  H5Aclose(attribute);
  return 0;
}

static inline void hatchling_h5_try_attributes(hid_t object) {
  H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, hatchling_h5_try_attribute, NULL);
}

struct hatchling_h5_trial {
  size_t size;
  int depth;
};

static inline herr_t hatchling_h5_try_link(hid_t group, const char *name, const H5L_info_t *info, void *context) {
  struct hatchling_h5_trial trial = *(struct hatchling_h5_trial *)context;
  if (info->type != H5L_TYPE_HARD || trial.depth > 8) return 0;
  hid_t object = H5Oopen(group, name, H5P_DEFAULT);
  if (object < 0) return 0;
  hatchling_h5_try_attributes(object);
  if (H5Iget_type(object) == H5I_GROUP) {
    trial.depth++;
    H5Literate(object, H5_INDEX_NAME, H5_ITER_INC, NULL, hatchling_h5_try_link, &trial);
  } else if (H5Iget_type(object) == H5I_DATASET) {
    hid_t space = H5Dget_space(object), type = H5Dget_type(object), list = H5Dget_create_plist(object);
    H5D_layout_t layout = H5Pget_layout(list);
    hssize_t count = H5Sget_simple_extent_npoints(space);
    size_t width = H5Tget_size(type);
    H5T_class_t kind = H5Tget_class(type);
    if (H5Pget_nfilters(list) == 0 && H5Pget_external_count(list) == 0 && layout >= H5D_COMPACT && layout <= H5D_CHUNKED &&
        (kind == H5T_INTEGER || kind == H5T_FLOAT) && count > 0 && width > 0 && (size_t)count <= trial.size / width) {
      void *numbers = malloc((size_t)count * 8);
      if (numbers) H5Dread(object, kind == H5T_FLOAT ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers);
      free(numbers);
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Pclose(list);
  }
  H5Oclose(object);
  return 0;
}

// Whether a child process has read a file of so many bytes to its end; not whether all of it made sense.
static inline int hatchling_h5_is_survived(const char *path, size_t size) {
  pid_t child = fork();
  if (child < 0) return 0;
  if (child == 0) {
    const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGXCPU};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], SIG_DFL);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    // What libhdf5 or malloc says as it breaks down is for nobody.
    int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0) dup2(nowhere, 2);
    // Many times what reading takes; only what never ends is cut short.
    struct rlimit most = {1 + (rlim_t)(size >> 26), 1 + (rlim_t)(size >> 26)};
    setrlimit(RLIMIT_CPU, &most);
    hatchling_h5_be_quiet();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    H5Pset_file_locking(access, 0, 1);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (file >= 0) {
      struct hatchling_h5_trial trial = {size, 0};
      hatchling_h5_try_attributes(file);
      H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, NULL, hatchling_h5_try_link, &trial);
      H5Fclose(file);
    }
    _exit(0);
  }
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return 0;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
