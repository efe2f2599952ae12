import Foundation
import HatchlingCheckpoint

/// Events on their way to a file that wants them unit by unit: they wait in a file without a name, which the system removes whatever happens.
final class EventSpool {
  private let path: String
  private let descriptor: Int32
  let hasValues: Bool
  private var waiting: [Int32] = []
  /// Events of every unit.
  private(set) var counts: [Int]
  private static let flushAt = 1 << 18

  /// - Parameters:
  ///   - path: beside it the events wait.
  ///   - hasValues: whether each event has a number beside its moment.
  /// - Throws: `CheckpointError.unwritable`.
  init(beside path: String, units: Int, hasValues: Bool = false) throws {
    (self.path, self.hasValues) = (path, hasValues)
    counts = Array(repeating: 0, count: units)
    var name = "\(path).events-XXXXXX".systemPath
    descriptor = mkstemp(&name)
    guard descriptor >= 0 else {
      throw CheckpointError.unwritable(path: path, reason: String(cString: strerror(errno)))
    }
    unlink(name)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  deinit { close(descriptor) }

  /// Events of one moment, which is what the reader makes a time of. Values count only where the spool has them.
  func append(_ units: [Int32], _ values: [Float] = [], moment: Int) throws {
    precondition(!hasValues || values.count == units.count, "a value for every event")
    waiting.append(Int32(truncatingIfNeeded: moment))
    waiting.append(Int32(truncatingIfNeeded: moment >> 32))
    waiting.append(Int32(units.count))
    waiting += units
    if hasValues { waiting += values.lazy.map { Int32(bitPattern: $0.bitPattern) } }
    counts.withUnsafeMutableBufferPointer { counts in
      for unit in units { counts[Int(unit)] += 1 }
    }
    if waiting.count >= Self.flushAt { try flush() }
  }

  private func flush() throws {
    var offset = 0
    while offset < waiting.count * 4 {
      let written = waiting.withUnsafeBytes { bytes in
        write(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
      }
      if written >= 0 {
        offset += written
      } else if errno != EINTR {
        throw CheckpointError.unwritable(path: path, reason: String(cString: strerror(errno)))
      }
    }
    waiting.removeAll(keepingCapacity: true)
  }

  /// Of one unit, events that follow one another.
  struct Run {
    let unit: Int
    /// Among the unit's own events.
    let place: Int
    let times: [Double]
    /// Empty where the spool has none.
    let values: [Float]
  }

  /// Hands over all events in batches, each sorted by unit and in it by time. Memory: 24 bytes per event of a batch.
  func forEachRun(batch: Int = 1 << 20, time: (Int) -> Double, _ body: (Run) throws -> Void) throws {
    try flush()
    lseek(descriptor, 0, SEEK_SET)
    var done = [Int](repeating: 0, count: counts.count)
    var (input, events) = (SpoolReader(descriptor: descriptor), [Event]())
    let cut = CheckpointError.unwritable(path: path, reason: "what waited beside it cannot be read back")
    func number() throws -> Int32 {
      guard let number = input.next() else { throw cut }
      return number
    }
    while let low = input.next() {
      let when = time(Int(try number()) << 32 | Int(UInt32(bitPattern: low)))
      let first = events.count
      for _ in 0..<(try number()) { events.append(Event(unit: try number(), time: when)) }
      if hasValues {
        for place in first..<events.count {
          events[place].value = Float(bitPattern: UInt32(bitPattern: try number()))
        }
      }
      if events.count >= batch { try handOver(&events, &done, body) }
    }
    try handOver(&events, &done, body)
    guard done == counts else { throw cut }
  }

  private struct Event {
    let unit: Int32
    var value: Float = 0
    let time: Double
  }

  private func handOver(_ events: inout [Event], _ done: inout [Int], _ body: (Run) throws -> Void) throws {
    var starts = [Int](repeating: 0, count: counts.count + 1)
    for event in events { starts[Int(event.unit) + 1] += 1 }
    for unit in done.indices { starts[unit + 1] += starts[unit] }
    var (places, times) = (starts, [Double](repeating: 0, count: events.count))
    var values = [Float](repeating: 0, count: hasValues ? events.count : 0)
    for event in events {
      let place = places[Int(event.unit)]
      times[place] = event.time
      if hasValues { values[place] = event.value }
      places[Int(event.unit)] += 1
    }
    for unit in done.indices where starts[unit + 1] > starts[unit] {
      let own = starts[unit]..<starts[unit + 1]
      try body(
        Run(
          unit: unit, place: done[unit], times: Array(times[own]), values: hasValues ? Array(values[own]) : []
        ))
      done[unit] += own.count
    }
    events.removeAll(keepingCapacity: true)
  }
}

/// Reads back numbers one after another.
private struct SpoolReader {
  let descriptor: Int32
  private var numbers = [Int32](repeating: 0, count: 1 << 16)
  private var (place, count) = (0, 0)

  init(descriptor: Int32) { self.descriptor = descriptor }

  mutating func next() -> Int32? {
    if place == count {
      var filled = 0
      while filled < numbers.count * 4 {
        let got = numbers.withUnsafeMutableBytes { bytes in
          read(descriptor, bytes.baseAddress.map { $0 + filled }, bytes.count - filled)
        }
        if got > 0 { filled += got } else if got == 0 || errno != EINTR { break }
      }
      (place, count) = (0, filled / 4)
      if count == 0 { return nil }
    }
    defer { place += 1 }
    return numbers[place]
  }
}
