// Reading HDF5 files that nobody vouches for. libhdf5 can be brought down by a damaged file, or write beyond its memory and go on. So it reads
// in a child process that is asked for one object after the other and hands over numbers and texts; what it breaks is its own.
// C alone, because nothing else may run between fork and _exit beside other threads.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum hatchling_h5_question { HATCHLING_H5_TEXT, HATCHLING_H5_COUNT, HATCHLING_H5_NUMBERS };

enum hatchling_h5_status {
  HATCHLING_H5_FINE,
  HATCHLING_H5_NO_FILE,
  HATCHLING_H5_MISSING,
  HATCHLING_H5_NOT_OPENED,
  HATCHLING_H5_NO_TEXT,
  HATCHLING_H5_NO_DATASET,
  HATCHLING_H5_NOT_PLAIN,
  HATCHLING_H5_NO_ROW,
  HATCHLING_H5_TOO_MANY,
  HATCHLING_H5_UNREADABLE,
  // The child has said something else, or nothing more.
  HATCHLING_H5_BROKEN,
};

enum hatchling_h5_number {
  HATCHLING_H5_DOUBLE,
  HATCHLING_H5_FLOAT,
  HATCHLING_H5_UINT8,
  HATCHLING_H5_INT32,
  HATCHLING_H5_UINT32,
  HATCHLING_H5_UINT64
};

enum {
  HATCHLING_H5_NAME = 512,
  // Bytes that the reading process may ask for beyond what the file accounts for; malloc takes room in pieces of 2^26.
  HATCHLING_H5_SPARE = 1 << 28
};

struct hatchling_h5_request {
  int32_t question, number;
  char object[HATCHLING_H5_NAME], key[HATCHLING_H5_NAME];
};

// What comes back first; `count` numbers or bytes of text follow where they were asked for and all is fine.
struct hatchling_h5_reply {
  int32_t status;
  uint64_t count;
};

// A child that reads one file, and this end of the way to it.
struct hatchling_h5_reader {
  pid_t child;
  int way;
};

static inline int hatchling_h5_send(int way, const void *bytes, size_t count) {
  for (const char *next = (const char *)bytes; count > 0;) {
    ssize_t sent = send(way, next, count, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return 0;
    next += sent;
    count -= (size_t)sent;
  }
  return 1;
}

static inline int hatchling_h5_receive(int way, void *bytes, size_t count) {
  for (char *next = (char *)bytes; count > 0;) {
    ssize_t received = recv(way, next, count, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return 0;
    next += received;
    count -= (size_t)received;
  }
  return 1;
}

// MARK: In the child

static inline int hatchling_h5_answer(int way, enum hatchling_h5_status status, uint64_t count) {
  struct hatchling_h5_reply reply;
  memset(&reply, 0, sizeof reply);
  reply.status = status;
  reply.count = count;
  return hatchling_h5_send(way, &reply, sizeof reply);
}

// Whether an object lies in this file, every group above it included: a link to somewhere else is never followed.
static inline int hatchling_h5_is_here(hid_t file, const char *name) {
  char path[HATCHLING_H5_NAME];
  H5L_info_t info;
  if (strcmp(name, "/") == 0) return 1;
  for (size_t end = 1;; end++) {
    if (name[end] != '/' && name[end] != 0) continue;
    memcpy(path, name, end);
    path[end] = 0;
    if (H5Lget_info(file, path, &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_HARD) return 0;
    if (name[end] == 0) return 1;
  }
}

// A text of variable length.
static inline int hatchling_h5_answer_text(int way, hid_t file, const struct hatchling_h5_request *request) {
  if (!hatchling_h5_is_here(file, request->object) || H5Aexists_by_name(file, request->object, request->key, H5P_DEFAULT) <= 0)
    return hatchling_h5_answer(way, HATCHLING_H5_MISSING, 0);
  hid_t attribute = H5Aopen_by_name(file, request->object, request->key, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0) return hatchling_h5_answer(way, HATCHLING_H5_NOT_OPENED, 0);
  hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  char *text = NULL;
  enum hatchling_h5_status status = HATCHLING_H5_NO_TEXT;
  if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0 && H5Sget_simple_extent_npoints(space) == 1) {
    hid_t memory = H5Tcopy(H5T_C_S1);
    H5Tset_size(memory, H5T_VARIABLE);
    H5Tset_cset(memory, H5Tget_cset(type));
    status = H5Aread(attribute, memory, &text) >= 0 && text ? HATCHLING_H5_FINE : HATCHLING_H5_UNREADABLE;
    H5Tclose(memory);
  }
  H5Tclose(type);
  H5Sclose(space);
  H5Aclose(attribute);
  size_t length = status == HATCHLING_H5_FINE ? strlen(text) : 0;
  int went = hatchling_h5_answer(way, status, length) && hatchling_h5_send(way, text, length);
  if (text) H5free_memory(text);
  return went;
}

// Whether a dataset is a row of numbers in this file, neither packed nor virtual nor elsewhere, and no longer than the file has room for; and how many.
static inline enum hatchling_h5_status hatchling_h5_plain_count(hid_t set, uint64_t size, uint64_t *count) {
  hid_t space = H5Dget_space(set), type = H5Dget_type(set), list = H5Dget_create_plist(set);
  H5D_layout_t layout = H5Pget_layout(list);
  H5T_class_t kind = H5Tget_class(type);
  hssize_t points = H5Sget_simple_extent_npoints(space);
  size_t width = H5Tget_size(type);
  enum hatchling_h5_status status = HATCHLING_H5_FINE;
  if (H5Pget_nfilters(list) != 0 || H5Pget_external_count(list) != 0 || layout < H5D_COMPACT || layout > H5D_CHUNKED)
    status = HATCHLING_H5_NOT_PLAIN;
  else if ((kind != H5T_INTEGER && kind != H5T_FLOAT) || H5Sget_simple_extent_ndims(space) != 1)
    status = HATCHLING_H5_NO_ROW;
  else if (points < 0 || width == 0 || (uint64_t)points > size / width)
    status = HATCHLING_H5_TOO_MANY;
  *count = points < 0 ? 0 : (uint64_t)points;
  H5Sclose(space);
  H5Tclose(type);
  H5Pclose(list);
  return status;
}

static inline size_t hatchling_h5_width(int32_t number) {
  return number == HATCHLING_H5_UINT8 ? 1 : number == HATCHLING_H5_DOUBLE || number == HATCHLING_H5_UINT64 ? 8 : 4;
}

static inline hid_t hatchling_h5_native(int32_t number) {
  switch (number) {
    case HATCHLING_H5_DOUBLE: return H5T_NATIVE_DOUBLE;
    case HATCHLING_H5_FLOAT: return H5T_NATIVE_FLOAT;
    case HATCHLING_H5_UINT8: return H5T_NATIVE_UINT8;
    case HATCHLING_H5_INT32: return H5T_NATIVE_INT32;
    case HATCHLING_H5_UINT32: return H5T_NATIVE_UINT32;
    default: return H5T_NATIVE_UINT64;
  }
}

// How many numbers a dataset has, and the numbers themselves, converted, where they are asked for.
static inline int hatchling_h5_answer_numbers(int way, hid_t file, uint64_t size, const struct hatchling_h5_request *request) {
  if (!hatchling_h5_is_here(file, request->object)) return hatchling_h5_answer(way, HATCHLING_H5_MISSING, 0);
  hid_t set = H5Dopen2(file, request->object, H5P_DEFAULT);
  if (set < 0) return hatchling_h5_answer(way, HATCHLING_H5_NO_DATASET, 0);
  uint64_t count;
  enum hatchling_h5_status status = hatchling_h5_plain_count(set, size, &count);
  void *numbers = NULL;
  size_t bytes = 0;
  if (status == HATCHLING_H5_FINE && request->question == HATCHLING_H5_NUMBERS) {
    bytes = count * hatchling_h5_width(request->number);
    numbers = malloc(bytes ? bytes : 1);
    if (!numbers || H5Dread(set, hatchling_h5_native(request->number), H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) < 0)
      status = HATCHLING_H5_UNREADABLE;
  }
  H5Dclose(set);
  int went = hatchling_h5_answer(way, status, count) && (status != HATCHLING_H5_FINE || hatchling_h5_send(way, numbers, bytes));
  free(numbers);
  return went;
}

// Numbers are converted to 8 bytes at most, and what libhdf5 keeps of a file is no more than the file. Without /proc there is no limit: what a
// process takes already, a sanitizer's shadow for one, is in what the system counts.
static inline void hatchling_h5_limit_memory(uint64_t size) {
  char text[64];
  int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  ssize_t count = file < 0 ? 0 : read(file, text, sizeof text - 1);
  if (file >= 0) close(file);
  if (count <= 0) return;
  text[count] = 0;
  rlim_t taken = strtoul(text, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE), most = taken + HATCHLING_H5_SPARE + 9 * (rlim_t)size;
  struct rlimit limit = {most, most};
  setrlimit(RLIMIT_AS, &limit);
}

// Answers questions until nobody asks.
static inline void hatchling_h5_serve(const char *path, uint64_t size, int way) {
  hatchling_h5_be_quiet();
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  H5Pset_file_locking(access, 0, 1);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
  int goes = hatchling_h5_answer(way, file < 0 ? HATCHLING_H5_NO_FILE : HATCHLING_H5_FINE, 0) && file >= 0;
  struct hatchling_h5_request request;
  while (goes && hatchling_h5_receive(way, &request, sizeof request))
    goes = request.question == HATCHLING_H5_TEXT ? hatchling_h5_answer_text(way, file, &request)
                                                 : hatchling_h5_answer_numbers(way, file, size, &request);
}

// MARK: In the parent

// Starts a child that reads a file of so many bytes; its first answer says whether libhdf5 has opened it. A child of 0 or less is none.
static inline struct hatchling_h5_reader hatchling_h5_start(const char *path, uint64_t size) {
  struct hatchling_h5_reader reader = {-1, -1};
  int ways[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ways) != 0) return reader;
  reader.child = fork();
  if (reader.child == 0) {
    const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGXCPU, SIGTERM};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], SIG_DFL);
    // Who interrupts the parent asks the parent; this child ends with it.
    signal(SIGINT, SIG_IGN);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    // Many times what reading takes; only what never ends is cut short.
    struct rlimit most = {1 + (rlim_t)(size >> 26), 1 + (rlim_t)(size >> 26)};
    setrlimit(RLIMIT_CPU, &most);
    hatchling_h5_limit_memory(size);
    // What libhdf5 or malloc says as it breaks down is for nobody, and what the parent has open is none of its business.
    int nowhere = open("/dev/null", O_RDWR);
    dup2(ways[1], 0);
    dup2(nowhere, 1);
    dup2(nowhere, 2);
    close_range(3, ~0U, 0);
    hatchling_h5_serve(path, size, 0);
    _exit(0);
  }
  close(ways[1]);
  reader.way = ways[0];
  if (reader.child < 0) close(ways[0]);
  return reader;
}

static inline int hatchling_h5_copy_name(char *to, const char *name) {
  size_t length = strlen(name);
  if (length >= HATCHLING_H5_NAME) return 0;
  memcpy(to, name, length + 1);
  return 1;
}

// Waits for what the child says first.
static inline struct hatchling_h5_reply hatchling_h5_reply_of(struct hatchling_h5_reader reader) {
  struct hatchling_h5_reply reply;
  if (!hatchling_h5_receive(reader.way, &reply, sizeof reply) || reply.status < HATCHLING_H5_FINE || reply.status > HATCHLING_H5_UNREADABLE) {
    reply.status = HATCHLING_H5_BROKEN;
    reply.count = 0;
  }
  return reply;
}

// Asks for an object by its path from "/" on, and for an attribute of it by its key.
static inline struct hatchling_h5_reply hatchling_h5_ask(struct hatchling_h5_reader reader, enum hatchling_h5_question question,
                                                         enum hatchling_h5_number number, const char *object, const char *key) {
  struct hatchling_h5_request request;
  struct hatchling_h5_reply missing = {HATCHLING_H5_MISSING, 0}, broken = {HATCHLING_H5_BROKEN, 0};
  memset(&request, 0, sizeof request);
  request.question = question;
  request.number = number;
  if (!hatchling_h5_copy_name(request.object, object) || !hatchling_h5_copy_name(request.key, key)) return missing;
  return hatchling_h5_send(reader.way, &request, sizeof request) ? hatchling_h5_reply_of(reader) : broken;
}

static inline void hatchling_h5_end(struct hatchling_h5_reader reader) {
  close(reader.way);
  kill(reader.child, SIGKILL);
  while (waitpid(reader.child, NULL, 0) < 0 && errno == EINTR) continue;
}
