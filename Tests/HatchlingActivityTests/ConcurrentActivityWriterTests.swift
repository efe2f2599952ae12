import Foundation
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingActivity

/// Another thread writes the same, and what goes wrong there is told.
@Suite struct ConcurrentActivityWriterTests {
  /// What was written, and when its writer ended.
  private final class Log: @unchecked Sendable {
    let lock = NSLock()
    var numbers: [Int] = []
    var (isFinished, isGone) = (false, false)
    /// On which threads frames were written.
    var threads: Set<ObjectIdentifier> = []
  }

  private struct DiskFull: Error {}

  private final class LoggingWriter: ActivityWriter {
    private let log: Log
    private let failsAt: Int?
    /// For a frame, in seconds.
    private let takes: Double

    init(_ log: Log, failsAt: Int? = nil, takes: Double = 0) {
      (self.log, self.failsAt, self.takes) = (log, failsAt, takes)
    }
    deinit { log.lock.withLock { log.isGone = true } }

    func append(_ frame: ActivityFrame<Float>) throws {
      if frame.number == failsAt { throw DiskFull() }
      if takes > 0 { Thread.sleep(forTimeInterval: takes) }
      log.lock.withLock {
        log.numbers.append(frame.number)
        log.threads.insert(ObjectIdentifier(Thread.current))
      }
    }

    func finish() { log.lock.withLock { log.isFinished = true } }
  }

  private func frame(_ number: Int, values: Int) -> ActivityFrame<Float> {
    var frame = ActivityFrame<Float>(number: number, position: number, token: 65, surprise: nil)
    frame.samples = [
      ActivitySample(series: 0, entries: nil, values: Array(repeating: 1, count: values))
    ]
    return frame
  }

  @Test(arguments: [0, 1, 500], [0, 40, 30_000])
  func everyFrameIsWrittenOnceAndInOrder(frames: Int, values: Int) throws {
    let log = Log()
    let writer = ConcurrentActivityWriter(LoggingWriter(log))
    for number in 0..<frames { try writer.append(frame(number, values: values)) }
    try writer.finish()
    #expect(log.numbers == Array(0..<frames))
    #expect(log.isFinished)
    #expect(!log.threads.contains(ObjectIdentifier(Thread.current)))
    #expect(log.threads.isEmpty == (frames == 0))
    #expect(frames == 0 || writer.writingSeconds > 0)
  }

  @Test(arguments: [0, 3, 999])
  func aFailureIsToldAndNothingIsFinished(failsAt: Int) {
    let log = Log()
    let writer = ConcurrentActivityWriter(LoggingWriter(log, failsAt: failsAt))
    #expect(throws: DiskFull.self) {
      for number in 0..<1000 { try writer.append(frame(number, values: 3000)) }
      try writer.finish()
    }
    #expect(throws: DiskFull.self) { try writer.finish() }
    #expect(log.numbers == Array(0..<failsAt), "nothing is written behind a gap")
    #expect(!log.isFinished)
  }

  @Test func whatIsGivenUpIsGoneAtOnce() throws {
    for frames in [0, 1, 100] {
      let log = Log()
      var writer: ConcurrentActivityWriter<Float>? = ConcurrentActivityWriter(
        LoggingWriter(log, takes: 0.001))
      for number in 0..<frames { try writer?.append(frame(number, values: 3000)) }
      writer = nil
      #expect(log.lock.withLock { log.isGone }, "an unfinished file is still there after \(frames) frames")
      #expect(!log.isFinished)
    }
  }
}
