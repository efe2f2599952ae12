#if HDF5
  import HatchlingHDF5
  import Foundation
  import HatchlingModel
  import HatchlingNumerics

  /// The table `Units` of an NWB file: of events one unit per quantity, layer and neuron; of spikes inside tokens two per particle, one whose
  /// spikes are excitatory and one whose spikes are inhibitory, because a spike train of NWB has times alone. Where events have values, a ragged
  /// column beside the times holds them.
  ///
  /// Units are written one after the other, so what happens waits in a file without a name beside the recording.
  final class NWBUnits {
    private let description: RecordingDescription
    private let spool: EventSpool
    private var rows: [Row] = []
    /// By series and entry, the unit, or the first of two; −1 for what is not recorded.
    private var units: [Int: [Int32]] = [:]

    private struct Row {
      let quantity: String
      let layer, particle: Int32
      /// Of spikes.
      let sign: Sign?
    }

    /// Nil where a recording has no events. - Throws: `CheckpointError.unwritable`.
    init?(beside path: String, _ description: RecordingDescription) throws {
      guard description.series.contains(where: { $0.kind != .samples }) else { return nil }
      self.description = description
      for (number, series) in description.series.enumerated() where series.kind != .samples {
        var first = [Int32](repeating: -1, count: series.population)
        for entry in series.entries {
          first[entry] = Int32(rows.count)
          for sign in series.kind == .spikes ? [Sign.excitatory, .inhibitory] : [nil] {
            rows.append(
              Row(quantity: series.name, layer: Int32(series.layer), particle: Int32(entry), sign: sign))
          }
        }
        units[number] = first
      }
      spool = try EventSpool(
        beside: path, units: rows.count, hasValues: description.hasEventValues || description.clock != nil)
    }

    private var hasValues: Bool { spool.hasValues }

    @_specialize(where Scalar == Float)
    @_specialize(where Scalar == Double)
    func append<Scalar: NetworkScalar>(_ sample: ActivitySample<Scalar>, token: Int) throws {
      guard let units = units[sample.series], let entries = sample.entries else { return }
      let series = description.series[sample.series]
      let isSpikes = series.kind == .spikes
      let own = entries.indices.map { place in
        units[Int(entries[place])] + (isSpikes && sample.values[place] < 0 ? 1 : 0)
      }
      try spool.append(
        own, hasValues ? sample.values.map { Float($0) } : [],
        moment: moment(token: token, layer: series.layer, step: description.step(of: sample)))
    }

    /// Of a token first its layers, then the steps of its spikes.
    private var momentsPerToken: Int {
      description.layers + (description.clock?.steps(description.time) ?? 0)
    }

    private func moment(token: Int, layer: Int, step: Int?) -> Int {
      token * momentsPerToken + (step.map { description.layers + $0 } ?? layer - 1)
    }

    /// In seconds.
    private func time(_ moment: Int) -> Double {
      let (token, place) = moment.quotientAndRemainder(dividingBy: momentsPerToken)
      let layers = description.layers
      guard place >= layers, let clock = description.clock else {
        return description.time.time(token: token, layer: place + 1, of: layers) / 1000
      }
      return clock.time(token: token, step: place - layers, description.time) / 1000
    }

    /// - Parameter tokens: that were read. - Throws: `CheckpointError`.
    func write(to file: HDF5File, tokens: Int) throws {
      try writeHead(to: file)
      var ends: [UInt64] = []
      for count in spool.counts { ends.append((ends.last ?? 0) + UInt64(count)) }
      try writeEvents(to: file, ends)
      let intervals = try file.column(
        "units/obs_intervals", of: Double.self, width: 2, column("when a unit was looked at, in seconds"))
      let end = description.time.time(token: tokens, layer: 1, of: description.layers) / 1000
      for _ in rows { try intervals.append([0, end]) }
      try intervals.flush()
      try file.dataset(
        "units/obs_intervals_index", .uint64s(rows.indices.map { UInt64($0 + 1) }),
        column("where each unit's intervals end", "VectorIndex") + [
          ("target", .reference("units/obs_intervals"))
        ])
    }

    private func writeHead(to file: HDF5File) throws {
      let hasSpikes = description.clock != nil
      let names =
        ["quantity", "layer", "neuron"] + (hasSpikes ? ["sign"] : []) + ["spike_times"]
        + (hasValues ? ["spike_values"] : []) + ["obs_intervals"]
      let meaning =
        "A unit is a neuron in a layer; a spike is a token at which the quantity was above zero."
        + (hasSpikes
          ? " Where the quantity begins with spikes_, a particle has two units, one for each sign of its spikes inside tokens."
          : "")
      try file.group(
        "units",
        [
          ("colnames", .texts(names)), ("description", .text(meaning)), ("namespace", .text("core")),
          ("neurodata_type", .text("Units")), ("object_id", .text(UUID().uuidString.lowercased())),
        ])
      try file.dataset(
        "units/id", .int32s(rows.indices.map { Int32($0) }), column(nil, "ElementIdentifiers"))
      try file.dataset(
        "units/quantity", .texts(rows.map(\.quantity)),
        column(
          hasSpikes
            ? "x, or y: the gated activation; spikes_v and its like: what spikes say"
            : "x, or y: the gated activation"))
      try file.dataset(
        "units/layer", .int32s(rows.map(\.layer)),
        column("the layer, from 1" + (hasSpikes ? "; 0 for what the readout hears" : "")))
      try file.dataset(
        "units/neuron", .int32s(rows.map(\.particle)),
        column("the neuron's number, from 0" + (hasSpikes ? "; a hub's where hubs speak" : "")))
      guard hasSpikes else { return }
      try file.dataset(
        "units/sign", .texts(rows.map { $0.sign?.rawValue ?? "none" }),
        column("of the spikes; none for what has no sign"))
    }

    private func writeEvents(to file: HDF5File, _ ends: [UInt64]) throws {
      let count = Int(ends.last ?? 0)
      let times = try file.array("units/spike_times", of: Double.self, count: count)
      let steps = description.clock?.steps(description.time) ?? 1
      let resolution = description.time.millisecondsPerToken / 1000 / Double(steps)
      try file.attributes(
        of: "units/spike_times", column("the spike times in seconds") + [("resolution", .double(resolution))])
      let values = hasValues ? try file.array("units/spike_values", of: Float.self, count: count) : nil
      try spool.forEachRun(time: time) { run in
        let place = (run.unit == 0 ? 0 : Int(ends[run.unit - 1])) + run.place
        try times.write(run.times, at: place)
        try values?.write(run.values, at: place)
      }
      for (name, meaning) in [("spike_times", "spike times"), ("spike_values", "values")] {
        if name == "spike_values" && !hasValues { continue }
        try file.dataset(
          "units/\(name)_index", .uint64s(ends),
          column("where each unit's \(meaning) end", "VectorIndex") + [
            ("target", .reference("units/\(name)"))
          ])
      }
      guard hasValues else { return }
      try file.attributes(
        of: "units/spike_values",
        column("of an event how large the quantity was, of a spike inside a token its signed weight"))
    }

    private func column(_ description: String?, _ type: String = "VectorData") -> [(String, HDF5Value)] {
      [
        ("namespace", .text("hdmf-common")), ("neurodata_type", .text(type)),
        ("object_id", .text(UUID().uuidString.lowercased())),
      ] + (description.map { [("description", .text($0))] } ?? [])
    }
  }
#endif
