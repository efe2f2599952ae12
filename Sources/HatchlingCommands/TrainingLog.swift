import Foundation
import HatchlingPictures

/// The CSV log of a run, a line per update, and the loss curve beside it.
struct TrainingLog {
  private let log: RunLog
  private static let header =
    "step,tokens,seconds,learning_rate,loss,gradient_norm,active_x,active_y,tokens_per_second,validation_loss,steps"
  private static let columns = (step: 0, loss: 4, validation: 9)
  /// More points than a picture has columns are averaged.
  private static let points = 1000

  /// Begins or goes on; throws as `RunLog` does.
  init(path: String, resumingAfter step: Int) throws {
    log = try RunLog(path: path, header: Self.header, kind: "a log", resumingAfter: step)
  }

  func append(_ line: TrainingLine) throws {
    let numbers = String(
      format: "%d,%d,%.3f,%.6g,%.6f,%.6g,%.5f,%.5f,%.1f", line.step, line.tokens, line.seconds,
      line.learningRate, line.loss, line.gradientNorm, line.activeX, line.activeY, line.tokensPerSecond)
    let validation = line.validationLoss.map { String(format: "%.6f", $0) } ?? ""
    try log.append("\(numbers),\(validation),\(line.steps)")
  }

  /// The loss curve: training loss thin, validation loss with points. Nil before the first update.
  func draw() throws -> String? {
    let rows = try log.rows()
    func points(_ column: Int) -> [[Double]] {
      rows.map { [$0[Self.columns.step], $0[column]] }.filter { $0[1].isFinite }
    }
    let (training, validation) = (points(Self.columns.loss), points(Self.columns.validation))
    guard !training.isEmpty else { return nil }
    var picture = Picture(log.pictureName)
    let group = max(1, training.count / Self.points)
    let averaged = stride(from: 0, to: training.count, by: group).map { first in
      let part = training[first..<min(first + group, training.count)]
      return [part[first + part.count / 2][0], part.reduce(0) { $0 + $1[1] } / Double(part.count)]
    }
    picture.tables = [.init("training", columns: ["step", "loss"], rows: averaged)]
    var plots = [
      "\(picture.reference(to: "training")) with lines linewidth 1 linecolor rgb '#8aa9c9' title 'training'"
    ]
    if !validation.isEmpty {
      picture.tables.append(.init("held-out", columns: ["step", "loss"], rows: validation))
      plots.append(
        "\(picture.reference(to: "held-out")) with linespoints linewidth 2 pointtype 7 pointsize 0.5 linecolor rgb '#c0392b' title 'held out'"
      )
    }
    picture.commands = [
      "set xlabel 'step'", "set ylabel 'loss, nats per byte'", "set grid linecolor rgb '#dddddd'",
      "plot " + plots.joined(separator: ", "),
    ]
    return try log.draw(picture, of: "the loss", done: "loss curve written to")
  }
}
