import HatchlingModel
import HatchlingNumerics

/// A named replacement of a run of operations.
public struct Kernel<Owner: RoundPerformer> {
  public let name: String
  /// The operations that it does, in the schedule's order.
  public let operations: [RoundOperation]
  let parts: [KernelPart<Owner>]

  /// - Parameter body: does them for a layer (from 1; 0 before the first round and after the last).
  public init(_ name: String, _ operations: [RoundOperation], _ body: @escaping KernelPart<Owner>.Work) {
    self.init(name, operations, parts: [KernelPart(before: body)])
  }

  public init(_ name: String, _ operations: [RoundOperation], parts: [KernelPart<Owner>]) {
    self.name = name
    self.operations = operations
    self.parts = parts
  }

  /// All that it does for one stream as plain calls: what is generic is settled here, not at every token.
  func actions(on executor: Owner) -> [Plan.Action] {
    let alone = Alone(executor)
    return parts.flatMap { part in
      var actions: [Plan.Action] = []
      if let before = part.before { actions.append { before(executor, $0, &$1) } }
      if let blocks = part.blocks {
        let (count, workers, work) = (blocks.count, blocks.workers, blocks.work)
        actions.append { _, _ in workers.run(blocks: count) { work(alone.streams, $0) } }
      }
      if let after = part.after { actions.append { after(executor, $0, &$1) } }
      return actions
    }
  }
}

/// A stream that is alone.
private final class Alone<Owner: AnyObject> {
  private let owner: Owner
  private let place = UnsafeMutablePointer<Unmanaged<Owner>>.allocate(capacity: 1)
  let streams: Streams<Owner>

  init(_ owner: Owner) {
    self.owner = owner
    place.initialize(to: .passUnretained(owner))
    streams = Streams(executors: UnsafeBufferPointer(start: place, count: 1))
  }

  deinit { place.deallocate() }
}

/// A part of a kernel: what an executor does by itself, then work in blocks, then what it does by itself with what the blocks found.
///
/// Work in blocks is written for several streams of one network at once, each with an executor of its own. So a block's synapses are read for
/// all streams while they are in the cache. Streams know nothing of each other: what one computes does not depend on who else is there.
public struct KernelPart<Owner: RoundPerformer> {
  public typealias Work = (_ executor: Owner, _ layer: Int, _ activity: inout StepActivity) -> Void

  let before: Work?
  let blocks: Blocks?
  let after: Work?

  public init(before: Work? = nil, blocks: Blocks? = nil, after: Work? = nil) {
    (self.before, self.blocks, self.after) = (before, blocks, after)
  }

  /// Blocks that may run side by side, cut by the size of the network alone.
  public struct Blocks {
    let count: Int
    /// Whose threads run the blocks of a stream that is alone.
    let workers: Workers
    let work: (_ streams: Streams<Owner>, _ block: Int) -> Void

    public init(
      count: Int, on workers: Workers, _ work: @escaping (_ streams: Streams<Owner>, _ block: Int) -> Void
    ) {
      (self.count, self.workers, self.work) = (count, workers, work)
    }
  }
}

/// The executors of some streams while a block of theirs is worked on. No references are counted: threads would fight for the counts.
public struct Streams<Owner: AnyObject> {
  @usableFromInline let executors: UnsafeBufferPointer<Unmanaged<Owner>>

  @inlinable @inline(__always)
  public func each(_ body: (Owner) -> Void) {
    for executor in executors { executor._withUnsafeGuaranteedRef { body($0) } }
  }
}

extension Array {
  /// Runs all blocks of a part for these executors, which live longer.
  func run<Owner>(_ blocks: KernelPart<Owner>.Blocks, on workers: Workers) where Element == Unmanaged<Owner> {
    let work = blocks.work
    withUnsafeBufferPointer { executors in
      workers.run(blocks: blocks.count) { work(Streams(executors: executors), $0) }
    }
  }
}
