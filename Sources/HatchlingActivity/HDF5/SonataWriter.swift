#if HDF5
  import HatchlingHDF5
  import HatchlingNumerics

  /// SONATA: `/spikes/x` and `/spikes/y` by time, then layer, then neuron; `/report/NAME_layer_L` for what is recorded in full. Beside them
  /// `/hatchling` holds the convention of time and the tokens that were read, and `/spikes/*/layer` and `value` a spike's layer and size.
  ///
  /// A spike's node is its neuron; layers are told apart by `layer` and, where they follow one another, by time. `/spikes/spikes_v` and its like
  /// are spikes inside tokens: `value` is their signed weight, `substep` the sub-step of their phase.
  final class SonataWriter<Scalar: NetworkScalar>: ActivityWriter {
    private let file: HDF5File
    private let description: RecordingDescription
    private let tokens: HDF5Tokens
    /// By series; those of a population share columns.
    private var spikes: [String: HDF5Spikes] = [:]
    private var reports: [Int: HDF5Rows<Scalar>] = [:]
    private static var sorting: HDF5Value { .choice(["none", "by_id", "by_time"], 2) }

    /// - Throws: ``ActivityError/irregular(path:)``, `CheckpointError.unwritable`.
    init(path: String, _ description: RecordingDescription) throws {
      self.description = description
      let hasReports = description.series.contains { $0.kind == .samples }
      guard description.sampling.isRegular || !hasReports && description.sampling.changeAbove == nil else {
        throw ActivityError.irregular(path: path)
      }
      file = try HDF5File(path: path)
      try file.attributes(of: "/", [("magic", .uint32(0x0A7A)), ("version", .uint32s([0, 1]))])
      try file.group("hatchling", Self.head(description))
      tokens = try HDF5Tokens(file, "hatchling/tokens", units: "ms")
      for (number, series) in description.series.enumerated() {
        switch series.kind {
        case .events where spikes[series.name] == nil:
          let group = "spikes/\(series.name)"
          try file.group(group, [("sorting", Self.sorting), ("meaning", .text(series.meaning))])
          spikes[series.name] = try HDF5Spikes(file, group, hasValues: description.hasEventValues)
        case .spikes where spikes[series.name] == nil:
          let group = "spikes/\(series.name)"
          try file.group(group, [("sorting", Self.sorting), ("meaning", .text(series.meaning))])
          spikes[series.name] = try HDF5Spikes(file, group, hasValues: true, hasSubsteps: true)
        case .events, .spikes: break
        case .samples: reports[number] = try report(series)
        }
      }
    }

    static func head(_ description: RecordingDescription) -> [(String, HDF5Value)] {
      [
        ("model", .text(description.model)), ("sampling", .text(description.summary)),
        ("time", .text(description.timeInWords)), ("layers", .uint32(UInt32(description.layers))),
        ("milliseconds_per_token", .double(description.time.millisecondsPerToken)),
        ("layers_in_time", .text(description.time.layers.rawValue)),
        ("form", .text(description.names.form.rawValue)),
        ("streams", .texts(description.streams.map(\.name))),
        ("tokens_of_streams", .uint64s(description.streams.map { UInt64($0.tokens) })),
      ]
    }

    private func report(_ series: ActivitySeries) throws -> HDF5Rows<Scalar> {
      let group = "report/\(series.title)"
      try file.group("\(group)/mapping")
      // Entries that belong to one node lie side by side.
      let order = series.entries.indices.sorted { (series.entries[$0], $0) < (series.entries[$1], $1) }
      var (nodes, pointers): ([UInt64], [UInt64]) = ([], [])
      for (place, index) in order.enumerated() where nodes.last != UInt64(series.entries[index]) {
        nodes.append(UInt64(series.entries[index]))
        pointers.append(UInt64(place))
      }
      let (time, layers) = (description.time, description.layers)
      let start = time.time(token: 0, layer: series.layer, of: layers)
      let step = Double(description.sampling.every) * time.millisecondsPerToken
      try file.dataset("\(group)/mapping/node_ids", .uint64s(nodes), [("sorted", .uint32(1))])
      try file.dataset("\(group)/mapping/index_pointers", .uint64s(pointers + [UInt64(order.count)]))
      try file.dataset("\(group)/mapping/element_ids", .uint32s(order.map { UInt32($0) }))
      if !series.synapses.isEmpty {
        try file.dataset(
          "\(group)/mapping/presynaptic",
          .texts(order.map { description.names.presynaptic(series.synapses[$0].synapse.presynaptic) }))
      }
      let data = try file.column(
        "\(group)/data", of: Float.self, width: order.count,
        [("units", .text("1")), ("meaning", .text(series.meaning))])
      return HDF5Rows(data, order: order) { [file] rows in
        try file.dataset(
          "\(group)/mapping/time", .doubles([start, start + Double(rows) * step, step]),
          [("units", .text("ms"))])
      }
    }

    @_specialize(where Scalar == Float)
    @_specialize(where Scalar == Double)
    func append(_ frame: ActivityFrame<Scalar>) throws {
      try tokens.append(frame, description)
      for sample in frame.samples {
        let series = description.series[sample.series]
        if let entries = sample.entries, let spikes = spikes[series.name] {
          try spikes.append(
            entries, sample.values, layer: series.layer, substep: sample.substep,
            time: description.time(of: sample, token: frame.number))
        } else {
          try reports[sample.series]?.append(sample.values)
        }
      }
    }

    func finish() throws {
      try tokens.flush()
      // In one order, so that the same recording is the same file.
      for (_, spikes) in spikes.sorted(by: { $0.key < $1.key }) { try spikes.flush() }
      for (_, report) in reports.sorted(by: { $0.key < $1.key }) { try report.finish() }
      try file.commit()
    }
  }

  /// What was read: token, surprise and time of every recorded token.
  final class HDF5Tokens {
    private let tokens: HDF5Column<Int32>
    private let positions: HDF5Column<UInt64>
    private let surprises: HDF5Column<Double>
    private let times: HDF5Column<Double>

    init(_ file: HDF5File, _ group: String, units: String) throws {
      try file.group(group)
      tokens = try file.column("\(group)/token", of: Int32.self)
      positions = try file.column("\(group)/position", of: UInt64.self)
      surprises = try file.column("\(group)/surprise", of: Double.self, [("units", .text("nats"))])
      times = try file.column("\(group)/timestamps", of: Double.self, [("units", .text(units))])
    }

    func append<Scalar>(_ frame: ActivityFrame<Scalar>, _ description: RecordingDescription) throws {
      try tokens.append(Int32(frame.token))
      try positions.append(UInt64(frame.position))
      try surprises.append(frame.surprise ?? .nan)
      try times.append(description.time.time(token: frame.number, layer: 1, of: description.layers))
    }

    func flush() throws {
      try tokens.flush()
      try positions.flush()
      try surprises.flush()
      try times.flush()
    }
  }

  /// Events by time: node, time and layer of each, and on wish its value.
  final class HDF5Spikes {
    private let nodes: HDF5Column<UInt32>
    private let times: HDF5Column<Double>
    private let layers: HDF5Column<UInt8>
    private let values: HDF5Column<Float>?
    private let substeps: HDF5Column<Int32>?

    init(_ file: HDF5File, _ group: String, hasValues: Bool, hasSubsteps: Bool = false) throws {
      nodes = try file.column("\(group)/node_ids", of: UInt32.self)
      times = try file.column(
        "\(group)/timestamps", of: Double.self, [("units", .text("ms"))])
      layers = try file.column("\(group)/layer", of: UInt8.self)
      values = hasValues ? try file.column("\(group)/value", of: Float.self) : nil
      substeps = hasSubsteps ? try file.column("\(group)/substep", of: Int32.self) : nil
    }

    func append<Scalar: NetworkScalar>(
      _ entries: [Int32], _ sizes: [Scalar], layer: Int, substep: Int?, time: Double
    ) throws {
      // Not negative, so that the bits are those of a UInt32.
      try entries.withUnsafeBytes { try nodes.append(bytes: $0) }
      try times.append(time, times: entries.count)
      try layers.append(UInt8(truncatingIfNeeded: layer), times: entries.count)
      try values?.append(rounding: sizes)
      try substeps?.append(Int32(clamping: substep ?? -1), times: entries.count)
    }

    func flush() throws {
      try nodes.flush()
      try times.flush()
      try layers.flush()
      try values?.flush()
      try substeps?.flush()
    }
  }

  /// A report's rows, one per recorded token.
  final class HDF5Rows<Scalar: NetworkScalar> {
    private let data: HDF5Column<Float>
    private let order: [Int]
    private let isPlain: Bool
    private let close: (Int) throws -> Void

    init(_ data: HDF5Column<Float>, order: [Int], close: @escaping (Int) throws -> Void) {
      (self.data, self.order, self.close) = (data, order, close)
      isPlain = order == Array(order.indices)
    }

    func append(_ values: [Scalar]) throws {
      try data.append(rounding: isPlain ? values : order.map { values[$0] })
    }

    func finish() throws {
      try data.flush()
      try close(data.rows)
    }
  }
#endif
