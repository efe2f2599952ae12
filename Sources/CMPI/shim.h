#pragma once
#include <mpi.h>
#include <stdlib.h>

// MPI's constants are macros with casts in them, which Swift does not import. Bytes travel as they are: all ranks run on processors of one
// kind. Only the thread that started MPI calls it. Errors end the job, as MPI does unless told otherwise.

static inline void hatchling_mpi_start(void) {
  // A rank that waits lets others run, like idle threads here: where other programs want the processors, spinning makes ranks wait for one
  // another's time slices. Only where nobody has said how Open MPI waits.
  setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
  int provided;
  MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
}

static inline int hatchling_mpi_rank(void) {
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

static inline int hatchling_mpi_size(void) {
  int size;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

// How many ranks share this machine's memory.
static inline int hatchling_mpi_neighbours(void) {
  MPI_Comm here;
  int size;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here);
  MPI_Comm_size(here, &size);
  MPI_Comm_free(&here);
  return size;
}

// Everybody's bytes to everybody; the own ones lie in their place already.
static inline void hatchling_mpi_gather(void *all, const int *counts, const int *places) {
  MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, counts, places, MPI_BYTE, MPI_COMM_WORLD);
}

// To every rank its own bytes.
static inline void hatchling_mpi_exchange(const void *sent, const int *sent_counts, const int *sent_places, void *received,
                                          const int *received_counts, const int *received_places) {
  MPI_Alltoallv(sent, sent_counts, sent_places, MPI_BYTE, received, received_counts, received_places, MPI_BYTE, MPI_COMM_WORLD);
}

// Something to one other rank and something from it; what is empty does not travel.
static inline void hatchling_mpi_meet(int partner, const void *told, int told_count, void *heard, int heard_count) {
  MPI_Sendrecv(told, told_count, MPI_BYTE, told_count ? partner : MPI_PROC_NULL, 0, heard, heard_count, MPI_BYTE,
               heard_count ? partner : MPI_PROC_NULL, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static inline void hatchling_mpi_broadcast(void *bytes, int count, int root) {
  MPI_Bcast(bytes, count, MPI_BYTE, root, MPI_COMM_WORLD);
}

static inline void hatchling_mpi_finish(void) { MPI_Finalize(); }

static inline void hatchling_mpi_abort(int status) { MPI_Abort(MPI_COMM_WORLD, status); }
