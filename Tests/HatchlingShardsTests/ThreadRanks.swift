import Foundation
import HatchlingModel
import HatchlingNumerics
import HatchlingShards
import Synchronization

/// Ranks that are threads of one process and exchange through its memory.
final class ThreadRank: Communicator {
  let rank: Int
  private let shared: SharedMemory
  var size: Int { shared.size }
  var neighbours: Int { size }

  private init(_ rank: Int, _ shared: SharedMemory) { (self.rank, self.shared) = (rank, shared) }

  func gather(_ all: UnsafeMutableRawPointer, counts: [Int32], places: [Int32]) {
    let own = UnsafeRawBufferPointer(start: all + Int(places[rank]), count: Int(counts[rank]))
    shared.exchange(Array(own), of: rank) { pieces in
      for (rank, piece) in pieces.enumerated() where rank != self.rank {
        precondition(piece.count == counts[rank], "ranks disagree about what rank \(rank) gives")
        piece.withUnsafeBytes { bytes in
          guard let base = bytes.baseAddress, bytes.count > 0 else { return }
          (all + Int(places[rank])).copyMemory(from: base, byteCount: bytes.count)
        }
      }
    }
  }

  func exchange(_ sent: BytesOfRanks<UnsafeRawPointer>, _ received: BytesOfRanks<UnsafeMutableRawPointer>) {
    // What everybody has for everybody, in order of receivers.
    let own = (0..<size).flatMap { rank in
      Array(
        UnsafeRawBufferPointer(start: sent.base + Int(sent.places[rank]), count: Int(sent.counts[rank])))
    }
    let lengths = sent.counts.withUnsafeBytes(Array.init)
    shared.exchange(lengths + own, of: rank) { pieces in
      for (sender, piece) in pieces.enumerated() {
        let counts = piece.withUnsafeBytes { bytes in
          (0..<size).map { Int(bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)) }
        }
        precondition(
          counts[rank] == received.counts[sender], "ranks disagree about what rank \(sender) gives")
        let start = 4 * size + counts[..<rank].reduce(0, +)
        piece[start..<start + counts[rank]].withUnsafeBytes { bytes in
          guard let base = bytes.baseAddress, bytes.count > 0 else { return }
          (received.base + Int(received.places[sender])).copyMemory(from: base, byteCount: bytes.count)
        }
      }
    }
  }

  func meet(_ partner: Int, telling: UnsafeRawBufferPointer, hearing: UnsafeMutableRawBufferPointer) {
    if !telling.isEmpty { shared.post(Array(telling), from: rank, to: partner) }
    guard !hearing.isEmpty else { return }
    let letter = shared.letter(from: partner, to: rank)
    precondition(
      letter.count == hearing.count, "ranks disagree about what rank \(partner) tells rank \(rank)")
    hearing.copyBytes(from: letter)
  }

  func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {
    shared.exchange(rank == root ? Array(bytes) : [], of: rank) { pieces in
      if rank != root { bytes.copyBytes(from: pieces[root]) }
    }
  }

  func finish() {}
  func abort(status: Int32) { preconditionFailure("rank \(rank) gives up with \(status)") }

  /// Runs the same on all ranks of a job of `size`; what each returned, in order.
  static func run<Result: Sendable>(
    _ size: Int, way: ExchangeWay? = nil, _ work: @escaping @Sendable (Ranks) -> Result
  ) -> [Result] {
    let shared = SharedMemory(size)
    let results = Mutex([Result?](repeating: nil, count: size))
    let group = DispatchGroup()
    for rank in 0..<size {
      group.enter()
      let thread = Thread {
        let result = work(Ranks(ThreadRank(rank, shared), way))
        results.withLock { $0[rank] = result }
        group.leave()
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    group.wait()
    return results.withLock { $0.compactMap(\.self) }
  }
}

/// What the threads share: everybody puts its bytes down, and looks at all of them when all are there.
private final class SharedMemory: @unchecked Sendable {
  let size: Int
  private let condition = NSCondition()
  private var pieces: [[UInt8]]
  private var (arrived, left, round) = (0, 0, 0)
  /// What one rank has told another that has not heard it yet.
  private var letters: [[Int]: [UInt8]] = [:]

  init(_ size: Int) {
    self.size = size
    pieces = Array(repeating: [], count: size)
  }

  func post(_ letter: [UInt8], from sender: Int, to receiver: Int) {
    condition.lock()
    defer { condition.unlock() }
    while letters[[sender, receiver]] != nil { condition.wait() }
    letters[[sender, receiver]] = letter
    condition.broadcast()
  }

  func letter(from sender: Int, to receiver: Int) -> [UInt8] {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if let letter = letters.removeValue(forKey: [sender, receiver]) {
        condition.broadcast()
        return letter
      }
      condition.wait()
    }
  }

  func exchange(_ own: [UInt8], of rank: Int, _ look: ([[UInt8]]) -> Void) {
    condition.lock()
    defer { condition.unlock() }
    while left > 0 { condition.wait() }
    pieces[rank] = own
    arrived += 1
    let own = round
    if arrived == size {
      (arrived, left, round) = (0, size, round + 1)
      condition.broadcast()
    }
    while round == own { condition.wait() }
    look(pieces)
    left -= 1
    if left == 0 { condition.broadcast() }
  }
}

extension Weights {
  /// What a rank has of them.
  func part(of rank: Int, ranks: Int) -> Weights {
    selecting(BlockShares(hyperparameters, ranks: ranks).neurons(of: rank))
  }
}
