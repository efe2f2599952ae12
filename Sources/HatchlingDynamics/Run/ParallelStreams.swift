import HatchlingModel
import HatchlingNumerics

/// Several streams of one network that are read at once, a token of each at a time (``step(_:)``) or a passage (``read(_:before:after:)``).
///
/// Where an executor's kernels work in blocks, a block's synapses are read once for all streams; other executors, and those whose synapses fit a
/// cache, read side by side, a stream to a thread. Each stream is a ``Run`` that may also be read alone, watched, saved, restored or reset
/// between tokens, and holds the same numbers, to the last bit, as if it had always been alone.
public final class ParallelStreams<Engine: Executor> {
  /// The streams, by their numbers.
  public let streams: [Run<Engine>]
  private let workers: Workers
  /// Whether threads share out the streams, not the blocks: fewer hand-outs, but every thread reads all synapses. It pays while they fit a cache.
  package var sharesOutStreams: Bool
  /// A whole token; empty where kernels have no blocks.
  private let stages: [Stage]

  /// What a stream does by itself, then what all do together.
  private struct Stage {
    var alone: [(Run<Engine>, inout Reading) throws -> Void] = []
    var blocks: KernelPart<Engine>.Blocks?
  }

  /// A token on its way through a stream.
  private struct Reading {
    let stream: Int
    let token: Int
    var activity = StepActivity(activeX: [], activeY: [])
    var error: (any Error)?

    var result: Result<StepActivity, StreamError> {
      error.map { .failure(StreamError(stream: stream, cause: $0)) } ?? .success(activity)
    }
  }

  /// - Parameters:
  ///   - streams: runs of one network, each with an executor of its own.
  ///   - workers: whose threads do the work; results do not depend on how many there are. Executors that have no blocks should be made
  ///     with the same.
  public init(_ streams: [Run<Engine>], workers: Workers) {
    precondition(
      streams.allSatisfy { $0.identity == streams[0].identity && $0.kernelNames == streams[0].kernelNames },
      "streams of different networks")
    (self.streams, self.workers) = (streams, workers)
    let sizes = streams.first?.hyperparameters
    sharesOutStreams = sizes.map { $0.neurons * $0.synapticDimension < 1 << 20 } ?? false
    stages = if let first = streams.first { Self.stages(of: first) } else { [] }
  }

  private static func stages(of run: Run<Engine>) -> [Stage] {
    var stages = [Stage()]
    func alone(_ action: @escaping (Run<Engine>, inout Reading) throws -> Void) {
      stages[stages.count - 1].alone.append(action)
    }
    func walk(_ operations: [RoundOperation], layer: Int) {
      for part in Plan.cover(operations, with: run.kernels).flatMap(\.parts) {
        if let before = part.before { alone { before($0.executor, layer, &$1.activity) } }
        if let blocks = part.blocks {
          stages[stages.count - 1].blocks = blocks
          stages.append(Stage())
        }
        if let after = part.after { alone { after($0.executor, layer, &$1.activity) } }
      }
    }
    alone { try $0.begin($1.token) }
    walk(run.schedule.input, layer: 0)
    for layer in 1...run.schedule.layers {
      walk(run.schedule.layerOperations, layer: layer)
      alone { try $0.check(layer: layer, $1.token) }
    }
    walk(run.schedule.readout, layer: 0)
    alone { try $0.end($1.token) }
    return stages.count > 1 ? stages : []
  }

  /// Reads one token of every stream that has one; the others stay as they are.
  ///
  /// - Parameter tokens: one for each stream, nil where a stream pauses or has ended.
  /// - Returns: for each token what it did, or why it could not be read: ``StreamError`` with a `TokenError`, or with a ``NotFiniteError``, after
  ///   which that stream is of no use until it is reset or restored. The other streams go on.
  public func step(_ tokens: [Int?]) -> [Result<StepActivity, StreamError>?] {
    precondition(tokens.count == streams.count, "\(tokens.count) tokens for \(streams.count) streams")
    var readings = tokens.enumerated().compactMap { stream, token in
      token.map { Reading(stream: stream, token: $0) }
    }
    // Whoever looks into a stream needs its kernels to end where they look.
    let joint = stages.isEmpty ? 0 : readings.partition { streams[$0.stream].isLookedInto }
    readings.withUnsafeMutableBufferPointer { readings in
      // Not more than read a block while it is in the nearest cache, and not so many that a thread has none.
      let most = sharesOutStreams ? min(4, (joint + workers.threads - 1) / workers.threads) : joint
      let groups = joint == 0 ? 0 : (joint + most - 1) / most
      workers.run(blocks: groups) { group in
        walkTogether(.init(rebasing: readings[joint * group / groups..<joint * (group + 1) / groups]))
      }
      workers.run(blocks: readings.count - joint) { place in
        Self.attempt(&readings[joint + place]) { $0.activity = try streams[$0.stream].step($0.token) }
      }
    }
    var results = [Result<StepActivity, StreamError>?](repeating: nil, count: streams.count)
    for reading in readings { results[reading.stream] = reading.result }
    return results
  }

  /// Tokens of a passage after which it is time to look at the other streams: many where a thread reads a stream by itself and keeps its
  /// plastic weights near, one where all streams go through the network together.
  public var passageLength: Int { sharesOutStreams ? 64 : 1 }

  /// Reads a passage of every stream. Where threads share out the streams, one thread reads a whole passage; else every stream reads a token
  /// of its passage at a time, see ``step(_:)``.
  ///
  /// - Parameters:
  ///   - passages: tokens for each stream, none where a stream pauses or has ended.
  ///   - before: called with a stream and the place in its passage before that token is read.
  ///   - after: called with what the token did. Both are called in order for one stream, on any thread and for several streams at the same
  ///     time.
  /// - Returns: for each stream why its passage ended early, as for ``step(_:)``; nil where all of it was read.
  public func read(
    _ passages: [ArraySlice<Int>], before: (_ stream: Int, _ place: Int) -> Void,
    after: (_ stream: Int, _ place: Int, _ activity: StepActivity) -> Void
  ) -> [StreamError?] {
    precondition(passages.count == streams.count, "\(passages.count) passages for \(streams.count) streams")
    var errors = [StreamError?](repeating: nil, count: streams.count)
    guard !sharesOutStreams else {
      let reading = streams.indices.filter { !passages[$0].isEmpty }
      errors.withUnsafeMutableBufferPointer { errors in
        workers.run(blocks: reading.count) { block in
          let stream = reading[block]
          for (place, token) in passages[stream].enumerated() where errors[stream] == nil {
            before(stream, place)
            switch step(stream, token) {
            case .success(let activity): after(stream, place, activity)
            case .failure(let error): errors[stream] = error
            }
          }
        }
      }
      return errors
    }
    for place in 0..<(passages.map(\.count).max() ?? 0) {
      let tokens = streams.indices.map { stream in
        errors[stream] == nil ? passages[stream].dropFirst(place).first : nil
      }
      for stream in streams.indices where tokens[stream] != nil { before(stream, place) }
      for (stream, result) in step(tokens).enumerated() {
        switch result {
        case .success(let activity): after(stream, place, activity)
        case .failure(let error): errors[stream] = error
        case nil: break
        }
      }
    }
    return errors
  }

  /// One token of one stream, on the thread that calls.
  private func step(_ stream: Int, _ token: Int) -> Result<StepActivity, StreamError> {
    var reading = Reading(stream: stream, token: token)
    Self.attempt(&reading) { $0.activity = try streams[stream].step(token) }
    return reading.result
  }

  private func walkTogether(_ readings: UnsafeMutableBufferPointer<Reading>) {
    guard !readings.isEmpty else { return }
    for stage in stages {
      workers.run(blocks: readings.count) { place in
        Self.attempt(&readings[place]) { reading in
          for action in stage.alone { try action(streams[reading.stream], &reading) }
        }
      }
      guard let blocks = stage.blocks else { continue }
      readings.filter { $0.error == nil }.map { Unmanaged.passUnretained(streams[$0.stream].executor) }
        .run(blocks, on: workers)
    }
  }

  private static func attempt(_ reading: inout Reading, _ body: (inout Reading) throws -> Void) {
    guard reading.error == nil else { return }
    do { try body(&reading) } catch { reading.error = error }
  }
}

/// Why a token of one of several streams could not be read.
public struct StreamError: InputError {
  /// The stream's number, from 0.
  public let stream: Int
  public let cause: any Error

  public init(stream: Int, cause: any Error) { (self.stream, self.cause) = (stream, cause) }

  public var description: String { "stream \(stream): \(cause)" }
}
