import HatchlingCheckpoint
import HatchlingNumerics

/// One line per number: `token,time_ms,layer,what,entry,value`. Lines that start with # say what the file holds; the line `token` of every
/// token gives its byte as entry and its surprise in nats as value. A synapse's entry is `h3:n12`. Where spikes are recorded every line ends with
/// its sub-step, which only they have.
final class CSVActivityWriter<Scalar: NetworkScalar>: ActivityWriter {
  private let file: AtomicFile
  private let description: RecordingDescription
  /// Of each series, what stands between token and entry, and the names of its entries.
  private let labels: [(what: String, entries: [String])]

  /// - Throws: `CheckpointError.unwritable`.
  init(path: String, _ description: RecordingDescription) throws {
    self.description = description
    file = try AtomicFile(path: path)
    labels = description.series.map { series in
      let names = series.synapses.map { description.names.name($0).drop { $0 != ":" }.dropFirst() }
      return (series.name, names.isEmpty ? series.entries.map(String.init) : names.map(String.init))
    }
    var head = [
      "# Hatchling, activity of \(description.model.escaped): \(description.summary)"
    ]
    head.append("# time: \(description.timeInWords)")
    var first = 0
    for stream in description.streams {
      head.append("# stream from token \(first) on: \(stream.name.escaped), \(stream.tokens) tokens")
      first += stream.tokens
    }
    try file.write(
      head.joined(separator: "\n") + "\ntoken,time_ms,layer,what,entry,value\(hasSpikes ? ",substep" : "")\n")
  }

  private var hasSpikes: Bool { description.clock != nil }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func append(_ frame: ActivityFrame<Scalar>) throws {
    let (time, layers) = (description.time, description.layers)
    let surprise = frame.surprise.map { "\($0)" } ?? ""
    var text = Array(
      "\(frame.number),\(time.time(token: frame.number, layer: 1, of: layers)),0,token,\(frame.token),\(surprise)\(hasSpikes ? "," : "")\n"
        .utf8)
    for sample in frame.samples {
      let (series, label) = (description.series[sample.series], labels[sample.series])
      let when = description.time(of: sample, token: frame.number)
      let start = Array("\(frame.number),\(when),\(series.layer),\(label.what),".utf8)
      let end = Array((hasSpikes ? ",\(sample.substep.map(String.init) ?? "")\n" : "\n").utf8)
      for (place, value) in sample.values.enumerated() {
        let entry = sample.entries.map { Int($0[place]) } ?? place
        text += start
        text += (series.kind == .samples ? label.entries[entry] : String(entry)).utf8
        text.append(UInt8(ascii: ","))
        // Not "\(value)", which looks up at run time how a number is written.
        text += (Scalar.self == Float.self ? Float(value).description : Double(value).description).utf8
        text += end
      }
    }
    try file.write(text)
  }

  func finish() throws { try file.commit() }
}
