#if HDF5
  import HatchlingHDF5
  import Foundation
  import HatchlingCheckpoint
  import HatchlingNumerics

  /// NWB 2: events as `Units`, one unit per quantity, layer and neuron; what is recorded in full as one `TimeSeries` per quantity and layer,
  /// in `acquisition`; the tokens that were read as `TimeSeries` too. Times are in seconds.
  ///
  /// Units are written spike by spike only at the end, so events wait in a file without a name beside the recording.
  final class NWBWriter<Scalar: NetworkScalar>: ActivityWriter {
    private let file: HDF5File
    private let description: RecordingDescription
    private let tokens: NWBSeries<Int32>
    private let surprises: NWBSeries<Double>
    private var samples: [Int: NWBSeries<Float>] = [:]
    /// Of series recorded on change, the row as it stands.
    private var rows: [Int: [Float]] = [:]
    private let spool: EventSpool
    /// Tokens that were looked at, and those between them.
    private var read = 0
    /// By series of events, its first unit.
    private var firstUnit: [Int: Int] = [:]

    /// - Throws: `CheckpointError.unwritable`.
    init(path: String, _ description: RecordingDescription) throws {
      self.description = description
      var units = 0
      for (number, series) in description.series.enumerated() where series.kind == .events {
        firstUnit[number] = units
        units += series.population
      }
      spool = try EventSpool(beside: path, units: units)
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
      try file.dataset("general/notes", .text("Time: \(description.time.description)."))
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

    func append(_ frame: ActivityFrame<Scalar>) throws {
      read = frame.number + 1
      try tokens.append([Int32(frame.token)], at: frame.number)
      try surprises.append([frame.surprise ?? .nan], at: frame.number)
      for sample in frame.samples {
        if let first = firstUnit[sample.series] {
          let layer = description.series[sample.series].layer
          try spool.append(
            sample.entries ?? [], first: first, moment: frame.number * description.layers + layer - 1)
          continue
        }
        try samples[sample.series]?.append(row(sample), at: frame.number)
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
      if !firstUnit.isEmpty { try writeUnits() }
      try file.commit()
    }

    private func writeUnits() throws {
      var ends: [UInt64] = []
      for count in spool.counts { ends.append((ends.last ?? 0) + UInt64(count)) }
      var (names, layers, neurons): ([String], [Int32], [Int32]) = ([], [], [])
      for series in description.series where series.kind == .events {
        names += Array(repeating: series.name, count: series.population)
        layers += Array(repeating: Int32(series.layer), count: series.population)
        neurons += (0..<series.population).map { Int32($0) }
      }
      func column(_ description: String, _ type: String = "VectorData") -> [(String, HDF5Value)] {
        [
          ("namespace", .text("hdmf-common")), ("neurodata_type", .text(type)),
          ("object_id", .text(UUID().uuidString.lowercased())),
        ] + (type == "ElementIdentifiers" ? [] : [("description", .text(description))])
      }
      try file.group(
        "units",
        [
          ("colnames", .texts(["quantity", "layer", "neuron", "spike_times", "obs_intervals"])),
          (
            "description",
            .text("A unit is a neuron in a layer; a spike is a token at which the quantity was above zero.")
          ),
          ("namespace", .text("core")), ("neurodata_type", .text("Units")),
          ("object_id", .text(UUID().uuidString.lowercased())),
        ])
      try file.dataset(
        "units/id", .int32s((0..<names.count).map { Int32($0) }), column("", "ElementIdentifiers"))
      try file.dataset("units/quantity", .texts(names), column("x, or y: the gated activation"))
      try file.dataset("units/layer", .int32s(layers), column("the layer, from 1"))
      try file.dataset("units/neuron", .int32s(neurons), column("the neuron's number, from 0"))
      let times = try file.array("units/spike_times", of: Double.self, count: Int(ends.last ?? 0))
      let seconds = description.time.millisecondsPerToken / 1000
      try file.attributes(
        of: "units/spike_times", column("the spike times in seconds") + [("resolution", .double(seconds))])
      let (clock, count) = (description.time, description.layers)
      func time(_ moment: Int) -> Double {
        clock.time(token: moment / count, layer: moment % count + 1, of: count) / 1000
      }
      try spool.forEachRun(time: time) { unit, place, run in
        try times.write(run, at: (unit == 0 ? 0 : Int(ends[unit - 1])) + place)
      }
      try file.dataset(
        "units/spike_times_index", .uint64s(ends),
        column("where each unit's spike times end", "VectorIndex") + [
          ("target", .reference("units/spike_times"))
        ])
      let intervals = try file.column(
        "units/obs_intervals", of: Double.self, width: 2, column("when a unit was looked at, in seconds"))
      for _ in names { try intervals.append([0, clock.time(token: read, layer: 1, of: count) / 1000]) }
      try intervals.flush()
      try file.dataset(
        "units/obs_intervals_index", .uint64s((0..<names.count).map { UInt64($0 + 1) }),
        column("where each unit's intervals end", "VectorIndex") + [
          ("target", .reference("units/obs_intervals"))
        ])
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
      try times?.append(CollectionOfOne(clock.time(token)))
    }

    func flush() throws {
      try data.flush()
      try times?.flush()
    }
  }
#endif
