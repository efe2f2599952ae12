import Foundation
import HatchlingDynamics
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics

/// Why a token of one of several texts could not be read.
public struct TextReadingError: InputError {
  /// The number of the text, from 0, and what it is called.
  public let stream: Int
  public let name: String
  public let cause: any Error

  public var description: String { "\(name): \(cause)" }
}

/// Streams that are read at once and told of one after the other.
extension StreamReader {
  /// A token that has been read, and the engine that did.
  struct ReadToken {
    let stream: Int
    let offset: Int
    let engine: any SteppingEngine<Scalar>
    let activity: StepActivity
  }

  /// Reads streams, each from the beginning, as many at once as pay.
  ///
  /// - Parameters:
  ///   - before: called with a stream, an offset and the engine before that token is read, like `note` in order for one stream, for several at
  ///     the same time.
  ///   - note: what is to be known of a token once it is read.
  ///   - afterTokens: called with the number of tokens read, after each or after some that were read at once.
  ///   - tell: called with what was noted and how long the token took, stream by stream in order. Of tokens that are read at once each took an
  ///     equal part of the time, what was noted of them included.
  /// - Throws: what a step throws, once all that comes before it has been told, and what `tell` throws. With several streams an error of a
  ///   step names its stream.
  func read<Before, Note>(
    _ streams: [TokenStream], before: (Int, Int, any SteppingEngine<Scalar>) -> Before,
    note: (ReadToken, Before) -> Note, afterTokens: (Int) -> Void, tell: (Note, Duration) throws -> Void
  ) throws {
    guard let together = together(streams.count) else {
      return try readInTurn(streams, before: before, note: note, afterTokens: afterTokens, tell: tell)
    }
    let engines: [any SteppingEngine<Scalar>] = together.streams
    var reading = [(stream: Int, offset: Int)?](repeating: nil, count: engines.count)
    var waiting = [[(Note, Duration)]](repeating: [], count: streams.count)
    var (begun, told, end, done, waitingCount) = (0, 0, streams.count, 0, 0)
    var failure: (any Error)?
    while true {
      for slot in engines.indices where reading[slot] == nil && begun < end {
        if begun > 0 { try rewind(engines[slot]) }
        reading[slot] = streams[begun].tokens.isEmpty ? nil : (begun, 0)
        begun += 1
      }
      // What waits to be told takes memory: when it is too much, only the stream goes on that is being told.
      let goesOn = reading.map { place in
        place.map { $0.stream == told || waitingCount < mostWaiting } ?? false
      }
      let passages = zip(reading, goesOn).map { place, goesOn -> ArraySlice<Int> in
        guard let place, goesOn else { return [] }
        return streams[place.stream].tokens[place.offset...].prefix(together.passageLength)
      }
      let start = ContinuousClock.now
      let (notes, errors) = read(passages, at: reading, by: together, before: before, note: note)
      let count = notes.reduce(0) { $0 + $1.count }
      let duration = (ContinuousClock.now - start) / max(1, count)
      (done, waitingCount) = (done + count, waitingCount + count)
      for (slot, place) in reading.enumerated() {
        guard let place, goesOn[slot] else { continue }
        waiting[place.stream] += notes[slot].map { ($0, duration) }
        let offset = place.offset + notes[slot].count
        reading[slot] = offset == streams[place.stream].tokens.count ? nil : (place.stream, offset)
        if let error = errors[slot], place.stream < end {
          // Streams behind the first that fails would never have been read.
          end = place.stream
          failure = TextReadingError(stream: end, name: streams[end].name, cause: error.cause)
        }
      }
      afterTokens(done)
      for slot in reading.indices where reading[slot].map({ $0.stream >= end }) == true {
        reading[slot] = nil
      }
      while told < streams.count {
        for (note, duration) in waiting[told] { try tell(note, duration) }
        waitingCount -= waiting[told].count
        waiting[told] = []
        if told == end || told >= begun || reading.contains(where: { $0?.stream == told }) { break }
        told += 1
      }
      if reading.allSatisfy({ $0 == nil }) && begun >= end { break }
    }
    if let failure { throw failure }
  }

  /// Reads a passage of every stream that is at a place. - Returns: for each engine what was noted, and why it read no further.
  private func read<Before, Note>(
    _ passages: [ArraySlice<Int>], at places: [(stream: Int, offset: Int)?],
    by together: CircuitStreams<Scalar>,
    before: (Int, Int, any SteppingEngine<Scalar>) -> Before, note: (ReadToken, Before) -> Note
  ) -> (notes: [[Note]], errors: [StreamError?]) {
    var known = [Before?](repeating: nil, count: passages.count)
    var notes = [[Note]](repeating: [], count: passages.count)
    let engines = together.streams
    // Threads write to the elements of streams of their own.
    let errors = known.withUnsafeMutableBufferPointer { known in
      notes.withUnsafeMutableBufferPointer { notes in
        together.read(passages) { slot, offset in
          guard let place = places[slot] else { return }
          known[slot] = before(place.stream, place.offset + offset, engines[slot])
        } after: { slot, offset, activity in
          guard let place = places[slot], let before = known[slot] else { return }
          let token = ReadToken(
            stream: place.stream, offset: place.offset + offset, engine: engines[slot], activity: activity)
          notes[slot].append(note(token, before))
        }
      }
    }
    return (notes, errors)
  }

  /// The own engine reads one stream after the other.
  private func readInTurn<Before, Note>(
    _ streams: [TokenStream], before: (Int, Int, any SteppingEngine<Scalar>) -> Before,
    note: (ReadToken, Before) -> Note, afterTokens: (Int) -> Void, tell: (Note, Duration) throws -> Void
  ) throws {
    var done = 0
    for (stream, text) in streams.enumerated() {
      if stream > 0 { try rewind() }
      for (offset, token) in text.tokens.enumerated() {
        let known = before(stream, offset, engine)
        let start = ContinuousClock.now
        let activity: StepActivity
        do { activity = try step(token) } catch {
          throw streams.count > 1
            ? TextReadingError(stream: stream, name: text.name, cause: error) : error
        }
        let duration = ContinuousClock.now - start
        let noted = note(ReadToken(stream: stream, offset: offset, engine: engine, activity: activity), known)
        done += 1
        afterTokens(done)
        try tell(noted, duration)
      }
    }
  }

  /// Engines beside the own one; nil where streams are read one after the other: single ones, with files or interventions, and in other
  /// forms than the circuit.
  private func together(_ count: Int) -> CircuitStreams<Scalar>? {
    guard count > 1, isPlain, let circuit = engine as? CircuitEngine<Scalar>, !circuit.isWatched else {
      return nil
    }
    let bytes = engine.hyperparameters.stateBytes(bytesPerWeight: MemoryLayout<Scalar>.size)
    let possible = Int(ProcessInfo.processInfo.physicalMemory) / 2 / max(1, bytes)
    let most = min(count, possible, Self.mostAtOnce)
    return most > 1 ? CircuitStreams(beside: circuit, count: most) : nil
  }

  /// More streams at once gain little and take a state each.
  private static var mostAtOnce: Int { 16 }
}
