import Foundation
import HatchlingCheckpoint

/// One update of a training run, as the log and the progress line show it. Losses in nats per token.
public struct TrainingLine: Sendable {
  public var step: Int
  /// Tokens read up to now.
  public var tokens: Int
  /// Wall-clock seconds of training up to now, those before a resumption included.
  public var seconds: Double
  public var learningRate: Double
  public var loss: Double
  /// Global norm before clipping.
  public var gradientNorm: Double
  /// Fractions of n, mean over layers and tokens.
  public var activeX: Double
  public var activeY: Double
  public var tokensPerSecond: Double
  /// Where the step was validated.
  public var validationLoss: Double?
  /// All planned updates.
  public var steps: Int
}

/// The CSV log of a run: a line per update, written as it happens. A resumed run keeps the lines up to its checkpoint and goes on
/// after them.
public final class TrainingLog {
  /// The first line: names of columns.
  public static let header =
    "step,tokens,seconds,learning_rate,loss,gradient_norm,active_x,active_y,tokens_per_second,validation_loss,steps"

  public let path: String
  private var descriptor: Int32

  /// - Parameter step: how many updates were done before; 0 begins a new log in place of an old one.
  /// - Throws: `CheckpointError` for a file that cannot be written, or one there that is no log.
  public init(path: String, resumingAfter step: Int) throws {
    self.path = path
    let kept = try Self.lines(of: path, upTo: step)
    let file = try AtomicFile(path: path)
    try file.write(([Self.header] + kept).map { $0 + "\n" }.joined())
    try file.commit()
    descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw CheckpointError.unwritable(path: path, reason: String(cString: strerror(errno)))
    }
  }

  deinit { close(descriptor) }

  /// Whether there is a log already; an empty file is none.
  static func isThere(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && (status.st_mode & S_IFMT != S_IFREG || status.st_size > 0)
  }

  private static func lines(of path: String, upTo step: Int) throws -> [String] {
    guard isThere(path) else { return [] }
    let file = try MappedFile(path: path)
    let text = withExtendedLifetime(file) { String(decoding: file.bytes, as: UTF8.self) }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard lines.first == header else {
      throw CheckpointError.unsupported(
        path: path, what: "it is not a log of hatchling train; name another file")
    }
    // The last line may have been cut by a kill; a whole one has all columns.
    let columns = header.split(separator: ",").count
    return lines.dropFirst().filter { line in
      let values = line.split(separator: ",", omittingEmptySubsequences: false)
      guard values.count == columns, let number = Int(values[0]) else { return false }
      return number <= step
    }
  }

  /// Appends a line. - Throws: `CheckpointError.unwritable`, a full disk for example.
  public func append(_ record: TrainingLine) throws {
    let validation = record.validationLoss.map { String(format: "%.6f", $0) } ?? ""
    let line =
      String(
        format: "%d,%d,%.3f,%.6g,%.6f,%.6g,%.5f,%.5f,%.1f,", record.step, record.tokens, record.seconds,
        record.learningRate, record.loss, record.gradientNorm, record.activeX, record.activeY,
        record.tokensPerSecond) + validation + ",\(record.steps)\n"
    var bytes = Array(line.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if written < 0 {
        if errno == EINTR { continue }
        throw CheckpointError.unwritable(path: path, reason: String(cString: strerror(errno)))
      }
      bytes = bytes.dropFirst(written)
    }
  }
}
