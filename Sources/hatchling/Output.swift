import Dispatch
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
    guard Job.speaks else { return }
    buffer.append(contentsOf: bytes)
    if buffer.count >= 1 << 16 { flush() }
  }

  /// Text from files and arguments is escaped: nothing in it is taken by a terminal for more than text.
  static func line(_ text: String = "") {
    write(text.escaped.utf8)
    write(CollectionOfOne(10))
  }

  static func lines(_ texts: [String]) {
    for text in texts { line(text) }
  }

  /// One JSON object on a line of its own; keys in alphabetical order. What a terminal could take for more than text is `\u009B` and
  /// the like, which readers of JSON take back.
  static func json(_ value: some Encodable) throws {
    write(try JSONEncoder.reports().text(of: value).utf8)
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

/// Bytes that come one at a time, for a terminal: what it could take for more than text is escaped, line ends and tabs apart.
struct TerminalText {
  /// The beginning of a character.
  private var held: [UInt8] = []

  mutating func take(_ byte: UInt8) -> String {
    let isContinuation = byte & 0xC0 == 0x80
    let before = isContinuation ? "" : end()
    held.append(byte)
    let needed = [0xC0: 2, 0xD0: 2, 0xE0: 3, 0xF0: 4][Int(held[0]) & 0xF0] ?? 1
    return held.count < needed ? before : before + end()
  }

  /// What is held, although more should follow.
  mutating func end() -> String {
    defer { held = [] }
    let text = String(anyBytes: held)
    return text == "\n" || text == "\t" ? text : text.escaped
  }
}

/// Progress of long work and the time that is left, on standard error: a line that changes where that is a terminal; elsewhere one
/// line, once it is clear that the work will take longer than some seconds.
struct Progress {
  private let what: String
  private let total: Int
  private let isShown = isatty(2) != 0 && Job.speaks
  private let start = ContinuousClock.now
  private var last = ContinuousClock.now
  private var isToBeSaid = true
  /// What was done when it began, and so takes no time.
  private let before: Int

  init(_ what: String, total: Int, after before: Int = 0) {
    (self.what, self.total, self.before) = (what, total, before)
  }

  mutating func update(_ done: Int) {
    let now = ContinuousClock.now
    guard done == total || now - last > .milliseconds(200) else { return }
    last = now
    let left = timeLeft(done, now - start)
    if isShown {
      let end = done == total ? "\r\u{1B}[K" : left.map { ", \($0) left" } ?? ""
      FileHandle.standardError.write(Data("\r\u{1B}[K\(what) \(done) of \(total)\(end)".utf8))
    } else if let left, isToBeSaid {
      note("\(what) \(done) of \(total), \(left) left")
      isToBeSaid = false
    }
  }

  /// `about 12 min`; nil in the first second and for what is over soon.
  private func timeLeft(_ done: Int, _ taken: Duration) -> String? {
    let left = taken.inSeconds * Double(total - done) / Double(max(1, done - before))
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
      if shown?.what != what { shown = (what, Progress(what, total: total)) }
      shown?.progress.update(done)
    }
  }
}

/// Work of which nobody can say how far it is: on a terminal it says after a second what it is.
func announced<Result>(_ what: @autoclosure () -> String, _ work: () throws -> Result) rethrows -> Result {
  guard isatty(2) != 0 else { return try work() }
  let text = what()
  let timer = DispatchSource.makeTimerSource(queue: .global())
  timer.schedule(deadline: .now() + 1)
  timer.setEventHandler { note(text) }
  timer.resume()
  defer { timer.cancel() }
  return try work()
}

/// A remark for the person at the terminal, on standard error: one line, whatever is in it, in place of a line of progress. Of several ranks one
/// makes it.
func note(_ text: String) {
  if Job.speaks { say(text) }
}

/// A ``note(_:)`` of whatever rank.
func say(_ text: String) {
  let start = isatty(2) != 0 ? "\r\u{1B}[K" : ""
  FileHandle.standardError.write(Data("\(start)hatchling: \(text.escaped)\n".utf8))
}
