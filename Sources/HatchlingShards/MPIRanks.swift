import Foundation

#if MPI
  import CMPI

  /// The ranks of a job that `mpirun` started. Made once, by the thread that calls it from then on.
  public final class MPIRanks: Communicator {
    public let rank: Int
    public let size: Int
    public let neighbours: Int

    /// Starts MPI.
    public init() {
      hatchling_mpi_start()
      rank = Int(hatchling_mpi_rank())
      size = Int(hatchling_mpi_size())
      neighbours = Int(hatchling_mpi_neighbours())
    }

    public func gather(_ all: UnsafeMutableRawPointer, counts: [Int32], places: [Int32]) {
      hatchling_mpi_gather(all, counts, places)
    }

    public func exchange(
      _ sent: BytesOfRanks<UnsafeRawPointer>, _ received: BytesOfRanks<UnsafeMutableRawPointer>
    ) {
      hatchling_mpi_exchange(
        sent.base, sent.counts, sent.places, received.base, received.counts, received.places)
    }

    public func meet(
      _ partner: Int, telling: UnsafeRawBufferPointer, hearing: UnsafeMutableRawBufferPointer
    ) {
      hatchling_mpi_meet(
        Int32(partner), telling.baseAddress, Int32(telling.count), hearing.baseAddress, Int32(hearing.count))
    }

    /// In pieces: MPI counts in 32 bits.
    public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {
      guard let base = bytes.baseAddress else { return }
      for first in stride(from: 0, to: bytes.count, by: 1 << 30) {
        hatchling_mpi_broadcast(base + first, Int32(min(1 << 30, bytes.count - first)), Int32(root))
      }
    }

    public func finish() { hatchling_mpi_finish() }
    public func abort(status: Int32) { hatchling_mpi_abort(status) }
  }
#endif

/// How this process was started.
public enum Launch {
  /// How many ranks `mpirun` has started; nil for a process that was started without it. Open MPI's variable and those of launchers that
  /// speak PMI.
  public static var startedRanks: Int? {
    ["OMPI_COMM_WORLD_SIZE", "PMIX_SIZE", "PMI_SIZE"].lazy.compactMap {
      ProcessInfo.processInfo.environment[$0].flatMap { Int($0) }
    }.first
  }

  /// The ranks of this job; nil without `mpirun`. Call once.
  /// - Throws: ``LaunchError/noMPI(ranks:)`` in a program that was built without MPI and started as several ranks.
  public static func ranks() throws(LaunchError) -> Ranks? {
    guard let started = startedRanks else { return nil }
    #if MPI
      return Ranks(MPIRanks())
    #else
      guard started > 1 else { return nil }
      throw .noMPI(ranks: started)
    #endif
  }
}
