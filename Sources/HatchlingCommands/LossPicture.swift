import Foundation
import HatchlingCheckpoint
import HatchlingPictures

/// The loss curve of a log as a picture: training loss thin, validation loss with points.
public struct LossPicture {
  private var training: [(step: Int, loss: Double)] = []
  private var validation: [(step: Int, loss: Double)] = []
  /// More points than a picture has columns are averaged.
  private static let points = 1000

  /// Reads a log that ``TrainingLog`` wrote. - Throws: `CheckpointError`.
  public init(log path: String) throws {
    let file = try MappedFile(path: path)
    let text = withExtendedLifetime(file) { String(decoding: file.bytes, as: UTF8.self) }
    for line in text.split(separator: "\n").dropFirst() {
      let values = line.split(separator: ",", omittingEmptySubsequences: false)
      guard values.count == 11, let step = Int(values[0]) else { continue }
      if let loss = Double(values[4]), loss.isFinite { training.append((step, loss)) }
      if let loss = Double(values[9]), loss.isFinite { validation.append((step, loss)) }
    }
  }

  public var isEmpty: Bool { training.isEmpty }

  /// Draws `NAME.svg` and `NAME.png` beside the log `NAME.csv`, with data and commands; says where, or why not.
  public func draw(besideLog path: String) throws -> String {
    let url = URL(fileURLWithPath: path)
    let picture = picture(url.deletingPathExtension().lastPathComponent)
    let folder = url.deletingLastPathComponent().path
    let files = "\(folder)/\(picture.name)"
    switch try picture.draw(into: folder) {
    case .drawn: return "loss curve written to \(files).svg and .png"
    case .gnuplotMissing:
      return "no picture of the loss: gnuplot is not installed; \(files).gp holds its commands"
    case .failed(let reason): return "no picture of the loss: gnuplot says: \(reason)"
    }
  }

  private func picture(_ name: String) -> Picture {
    var picture = Picture(name)
    let group = max(1, training.count / Self.points)
    let averaged = stride(from: 0, to: training.count, by: group).map { first in
      let part = training[first..<min(first + group, training.count)]
      return [
        Double(part[first + part.count / 2].step), part.reduce(0) { $0 + $1.loss } / Double(part.count),
      ]
    }
    picture.tables = [.init("training", columns: ["step", "loss"], rows: averaged)]
    var plots = [
      "\(picture.reference(to: "training")) with lines linewidth 1 linecolor rgb '#8aa9c9' title 'training'"
    ]
    if !validation.isEmpty {
      picture.tables.append(
        .init("held-out", columns: ["step", "loss"], rows: validation.map { [Double($0.step), $0.loss] }))
      plots.append(
        "\(picture.reference(to: "held-out")) with linespoints linewidth 2 pointtype 7 pointsize 0.5 linecolor rgb '#c0392b' title 'held out'"
      )
    }
    picture.commands = [
      "set xlabel 'step'", "set ylabel 'loss, nats per byte'", "set grid linecolor rgb '#dddddd'",
      "plot " + plots.joined(separator: ", "),
    ]
    return picture
  }
}
