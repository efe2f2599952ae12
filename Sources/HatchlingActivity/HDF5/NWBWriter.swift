#if HDF5
  import HatchlingHDF5
  import Foundation
  import HatchlingCheckpoint
  import HatchlingNumerics

  /// NWB 2: events and spikes as `Units` (``NWBUnits``); what is recorded in full as one `TimeSeries` per quantity and layer, in `acquisition`;
  /// the tokens that were read as `TimeSeries` too. Times are in seconds.
  final class NWBWriter<Scalar: NetworkScalar>: ActivityWriter {
    private let file: HDF5File
    private let description: RecordingDescription
    private let tokens: NWBSeries<Int32>
    private let surprises: NWBSeries<Double>
    private var samples: [Int: NWBSeries<Float>] = [:]
    /// Of series recorded on change, the row as it stands.
    private var rows: [Int: [Float]] = [:]
    private let units: NWBUnits?
    /// Tokens that were looked at, and those between them.
    private var read = 0

    /// - Throws: `CheckpointError.unwritable`.
    init(path: String, _ description: RecordingDescription) throws {
      self.description = description
      units = try NWBUnits(beside: path, description)
      file = try HDF5File(path: path)
      try Self.writeHead(file, description)
      let clock = NWBClock(description, layer: 1)
      tokens = try NWBSeries(
        file, "tokens", "tokens that were read; bytes where V is 256", unit: "1", width: nil, clock)
      surprises = try NWBSeries(
        file, "surprise", "loss of the token under the prediction before it; NaN where there was none",
        unit: "nat",
        width: nil, clock)
      for (number, series) in description.series.enumerated() where series.kind == .samples {
        samples[number] = try NWBSeries(
          file, series.title,
          "\(series.meaning), layer \(series.layer). Columns: \(Self.columns(series, description))",
          unit: "1", width: series.entries.count, NWBClock(description, layer: series.layer))
      }
    }

    private static func columns(_ series: ActivitySeries, _ description: RecordingDescription) -> String {
      if !series.synapses.isEmpty {
        return series.synapses.map(description.names.name).joined(separator: " ")
      }
      if series.entries == Array(series.entries.indices) { return "0 to \(series.entries.count - 1)" }
      return series.entries.map(String.init).joined(separator: " ")
    }

    private static func writeHead(_ file: HDF5File, _ description: RecordingDescription) throws {
      try file.attributes(
        of: "/",
        [
          ("namespace", .text("core")), ("neurodata_type", .text("NWBFile")), ("nwb_version", .text("2.7.0")),
          ("object_id", .text(UUID().uuidString.lowercased())),
        ])
      for group in [
        "acquisition", "analysis", "general", "processing", "stimulus/presentation", "stimulus/templates",
      ] {
        try file.group(group)
      }
      let now = ISO8601DateFormatter().string(from: Date())
      try file.dataset("file_create_date", .texts([now]))
      try file.dataset("session_start_time", .text(now))
      try file.dataset("timestamps_reference_time", .text(now))
      try file.dataset("identifier", .text(UUID().uuidString.lowercased()))
      try file.dataset(
        "session_description",
        .text("Activity of the Dragon Hatchling network \(description.model): \(description.summary)."))
      try file.dataset("general/notes", .text("Time: \(description.timeInWords)."))
      let streams = description.streams.map { "\($0.name), \($0.tokens) tokens" }
      try file.dataset("general/stimulus", .text("Read: \(streams.joined(separator: "; "))."))
      try file.dataset(
        "general/experiment_description", .text("Activity of a network while it reads a text."))
      try writeSubject(file, description)
    }

    /// Archives of recordings ask for an animal. NCBI's taxon for what was never alive is "synthetic construct".
    private static func writeSubject(_ file: HDF5File, _ description: RecordingDescription) throws {
      let group = "general/subject"
      try file.group(
        group,
        [
          ("namespace", .text("core")), ("neurodata_type", .text("Subject")),
          ("object_id", .text(UUID().uuidString.lowercased())),
        ])
      for (name, text) in [
        ("subject_id", description.model.nameInPath), ("age", "P0D"), ("sex", "O"),
        ("species", "http://purl.obolibrary.org/obo/NCBITaxon_32630"),
        ("description", "A network, simulated; no animal."),
      ] {
        try file.dataset("\(group)/\(name)", .text(text))
      }
    }

    @_specialize(where Scalar == Float)
    @_specialize(where Scalar == Double)
    func append(_ frame: ActivityFrame<Scalar>) throws {
      read = frame.number + 1
      try tokens.append([Int32(frame.token)], at: frame.number)
      try surprises.append([frame.surprise ?? .nan], at: frame.number)
      for sample in frame.samples {
        if let series = samples[sample.series] {
          try series.append(row(sample), at: frame.number)
        } else {
          try units?.append(sample, token: frame.number)
        }
      }
    }

    private func row(_ sample: ActivitySample<Scalar>) -> [Float] {
      let values = sample.values.map { Float($0) }
      guard description.sampling.changeAbove != nil else { return values }
      guard let entries = sample.entries, var row = rows[sample.series] else {
        rows[sample.series] = values
        return values
      }
      for (entry, value) in zip(entries, values) { row[Int(entry)] = value }
      rows[sample.series] = row
      return row
    }

    func finish() throws {
      for (_, series) in samples.sorted(by: { $0.key < $1.key }) { try series.flush() }
      try tokens.flush()
      try surprises.flush()
      try units?.write(to: file, tokens: read)
      try file.commit()
    }
  }

  /// When rows of a series are: at a constant rate, or at times of their own.
  private struct NWBClock {
    let start, rate: Double
    let isRegular: Bool
    let time: (Int) -> Double

    init(_ description: RecordingDescription, layer: Int) {
      let (convention, layers) = (description.time, description.layers)
      time = { convention.time(token: $0, layer: layer, of: layers) / 1000 }
      start = time(0)
      rate = 1000 / (Double(description.sampling.every) * convention.millisecondsPerToken)
      isRegular = description.sampling.isRegular
    }
  }

  /// One `TimeSeries`.
  private final class NWBSeries<Number: HDF5Number> {
    private let data: HDF5Column<Number>
    private let times: HDF5Column<Double>?
    private let clock: NWBClock

    init(
      _ file: HDF5File, _ name: String, _ description: String, unit: String, width: Int?, _ clock: NWBClock
    ) throws {
      self.clock = clock
      let group = "acquisition/\(name)"
      try file.group(
        group,
        [
          ("namespace", .text("core")), ("neurodata_type", .text("TimeSeries")),
          ("object_id", .text(UUID().uuidString.lowercased())), ("description", .text(description)),
          ("comments", .text("no comments")),
        ])
      data = try file.column(
        "\(group)/data", of: Number.self, width: width,
        [
          ("unit", .text(unit)), ("conversion", .double(1)), ("resolution", .double(-1)),
          ("offset", .double(0)),
        ])
      guard clock.isRegular else {
        times = try file.column(
          "\(group)/timestamps", of: Double.self, [("unit", .text("seconds")), ("interval", .int32(1))])
        return
      }
      times = nil
      try file.dataset(
        "\(group)/starting_time", .double(clock.start),
        [("rate", .double(clock.rate)), ("unit", .text("seconds"))])
    }

    func append(_ row: [Number], at token: Int) throws {
      try data.append(row)
      try times?.append(clock.time(token))
    }

    func flush() throws {
      try data.flush()
      try times?.flush()
    }
  }
#endif
