import Foundation
import HatchlingCheckpoint
import HatchlingCommands
import HatchlingNumerics
import Synchronization

/// Results, on standard output. Buffered; a reader that went away ends the program quietly.
enum Output {
  nonisolated(unsafe) private static var buffer: [UInt8] = []
  /// Set once nobody reads any more and the work ends in good order: what is said then is dropped.
  nonisolated(unsafe) private static var isClosed = false
  /// Whether results were lost, for another reason than that nobody reads any more.
  nonisolated(unsafe) private(set) static var isLost = false

  static func write(_ bytes: some Sequence<UInt8>) {
    buffer.append(contentsOf: bytes)
    if buffer.count >= 1 << 16 { flush() }
  }

  static func line(_ text: String = "") {
    write(text.utf8)
    write(CollectionOfOne(10))
  }

  static func lines(_ texts: [String]) {
    for text in texts { line(text) }
  }

  /// One JSON object on a line of its own; keys in alphabetical order.
  static func json(_ value: some Encodable) throws {
    write(try JSONEncoder.reports().encode(value))
    write(CollectionOfOne(10))
  }

  static func flush() {
    var offset = 0
    while offset < buffer.count && !isClosed {
      let written = buffer.withUnsafeBytes {
        Foundation.write(1, $0.baseAddress.map { $0 + offset }, buffer.count - offset)
      }
      if written >= 0 {
        offset += written
      } else if errno != EINTR {
        lost(errno)
      }
    }
    buffer.removeAll(keepingCapacity: true)
  }

  /// Standard output takes no more. Work that can stop in good order is asked to; all other work ends here.
  private static func lost(_ reason: Int32) {
    isClosed = true
    isLost = reason != EPIPE
    if isLost { note("error: cannot write standard output: \(String(cString: strerror(reason)))") }
    if Interrupts.request(SIGPIPE) || Interrupts.requested != nil { return }
    UnfinishedFiles.removeAll()
    exit(reason == EPIPE ? 0 : 2)
  }
}

/// Progress of long work, on standard error and only when that is a terminal; elsewhere one line may say how long the work will take.
struct Progress {
  private let what: String
  private let total: Int
  private let isShown = isatty(2) != 0
  private let start = ContinuousClock.now
  private var last = ContinuousClock.now
  private var saysHowLong: Bool

  /// - Parameter saysHowLong: estimate the time that is left, from the first second on.
  init(_ what: String, total: Int, saysHowLong: Bool = false) {
    (self.what, self.total, self.saysHowLong) = (what, total, saysHowLong)
  }

  mutating func update(_ done: Int) {
    let now = ContinuousClock.now
    guard done == total || now - last > .milliseconds(200) else { return }
    last = now
    let left = saysHowLong ? timeLeft(done, now - start) : nil
    if isShown {
      let end = done == total ? "\r\u{1B}[K" : left.map { ", \($0) left" } ?? ""
      FileHandle.standardError.write(Data("\r\u{1B}[K\(what) \(done) of \(total)\(end)".utf8))
    } else if let left {
      note("\(what) \(done) of \(total), \(left) left")
      saysHowLong = false
    }
  }

  /// `about 12 min`; nil in the first second and for what is over soon.
  private func timeLeft(_ done: Int, _ taken: Duration) -> String? {
    let left = taken.inSeconds * Double(total - done) / Double(max(1, done))
    guard taken > .seconds(1), left > 5 else { return nil }
    return left < 90
      ? "about \(decimal(left, 0)) s"
      : left < 5400 ? "about \(decimal(left / 60, 0)) min" : "about \(decimal(left / 3600, 0)) h"
  }
}

/// ``Progress`` for work that may report from several threads.
func shownProgress() -> WorkProgress {
  let shown = Mutex<(what: String, progress: Progress)?>(nil)
  return { what, done, total in
    shown.withLock { shown in
      if shown?.what != what { shown = (what, Progress(what, total: total, saysHowLong: true)) }
      shown?.progress.update(done)
    }
  }
}

/// A remark for the person at the terminal, on standard error.
func note(_ text: String) {
  FileHandle.standardError.write(Data("hatchling: \(text)\n".utf8))
}
