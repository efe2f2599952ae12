import Foundation
import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingActivity

#if HDF5
  import CHDF5
  import HatchlingHDF5
#endif

/// Every format holds the frames that were appended, and a file is whole or not there.
@Suite struct FileFormatTests {
  static let formats: [RecordingFormat] = {
    #if HDF5
      RecordingFormat.allCases
    #else
      [.csv, .numpy]
    #endif
  }()

  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "activity-\(UUID().uuidString)")

  private func withFolder(_ body: (URL) throws -> Void) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  /// Records x and σ of a small network. - Returns: the frames that were written.
  private func record(
    to path: String, _ format: RecordingFormat, finish: Bool = true
  ) throws -> (frames: [ActivityFrame<Float>], description: RecordingDescription) {
    let engine = try NetworkCase(form: "circuit", isDamped: true).engine(Float.self)
    var request = RecordingRequest([.x, .v])
    request.synapses = [
      try ParticleNames(of: engine).synapse("2:h3:n12"), try ParticleNames(of: engine).synapse("2:h4:n2"),
    ]
    let recorder = try Recorder(request, on: engine, model: "small", streams: [("a text", 40)])
    let writer = try format.writer(to: path, recorder.description, Float.self)
    var frames: [ActivityFrame<Float>] = []
    for token in NetworkCase.tokens {
      let frame = try #require(try recorder.read(token).frame)
      try writer.append(frame)
      frames.append(frame)
    }
    if finish { try writer.finish() }
    return (frames, recorder.description)
  }

  @Test(arguments: formats)
  func aFileIsWholeOrNotThere(in format: RecordingFormat) throws {
    try withFolder { folder in
      let path = folder.appendingPathComponent("run.\(format.rawValue)").path
      _ = try record(to: path, format, finish: false)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
      _ = try record(to: path, format)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      #expect(names == (format == .numpy ? ["run.json", "run.npy"] : ["run.\(format.rawValue)"]))
    }
  }

  @Test func linesOfTextHoldTheNumbers() throws {
    try withFolder { folder in
      let path = folder.appendingPathComponent("run.csv").path
      let (frames, description) = try record(to: path, .csv)
      let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      #expect(lines[0].hasPrefix("# Hatchling") && lines[1].contains("read at t * 1.0 ms"))
      #expect(
        lines[2] == "# stream from token 0 on: a text, 40 tokens"
          && lines[3] == "token,time_ms,layer,what,entry,value")
      var expected: [String] = []
      for frame in frames {
        expected.append(
          "\(frame.number),\(Double(frame.number)),0,token,\(frame.token),\(frame.surprise.map { "\($0)" } ?? "")"
        )
        for sample in frame.samples {
          let series = description.series[sample.series]
          let time = Double(frame.number) + Double(series.layer - 1) / 3
          for (place, value) in sample.values.enumerated() {
            let name =
              sample.entries.map { "\($0[place])" }
              ?? (series.name == "sigma" ? ["h4:n2", "h3:n12"][place] : "\(place)")
            expected.append("\(frame.number),\(time),\(series.layer),\(series.name),\(name),\(value)")
          }
        }
      }
      #expect(lines.dropFirst(4).map(String.init) == expected && expected.count > 2000)
    }
  }

  #if HDF5
    /// Reads a dataset by libhdf5.
    private func numbers(_ path: String, _ name: String) -> [Double] {
      hdf5Lock.lock()
      defer { hdf5Lock.unlock() }
      let file = H5Fopen(path, hatchling_h5f_read_only(), hatchling_h5p_default())
      let set = H5Dopen2(file, name, hatchling_h5p_default())
      let space = H5Dget_space(set)
      var found = [Double](repeating: .nan, count: Int(max(0, H5Sget_simple_extent_npoints(space))))
      let status = H5Dread(
        set, Double.type, hatchling_h5s_all(), hatchling_h5s_all(), hatchling_h5p_default(), &found
      )
      H5Sclose(space)
      H5Dclose(set)
      H5Fclose(file)
      return status < 0 ? [] : found
    }

    @Test(arguments: [TimeConvention.Layers.successive, .simultaneous])
    func sonataHoldsSpikesInsideTokensByTime(layers: TimeConvention.Layers) throws {
      try withFolder { folder in
        let (path, tests) = (folder.appendingPathComponent("run.h5").path, SpikeRecordingTests())
        let request = try tests.request("x", "v") { $0.time = try TimeConvention(layers: layers) }
        let recorder = try Recorder<Float>(request, on: tests.engine())
        let description = recorder.description
        let writer = try RecordingFormat.sonata.writer(to: path, description, Float.self)
        var (nodes, times, values, substeps, levels): ([Double], [Double], [Double], [Double], [Double]) = (
          [], [], [], [], []
        )
        for token in NetworkCase.tokens {
          let frame = try #require(try recorder.read(token).frame)
          try writer.append(frame)
          for sample in frame.samples where description.series[sample.series].name == "spikes_v" {
            let entries = try #require(sample.entries)
            nodes += entries.map(Double.init)
            values += sample.values.map(Double.init)
            times += entries.map { _ in description.time(of: sample, token: frame.number) }
            substeps += try entries.map { _ in Double(try #require(sample.substep)) }
            levels += entries.map { _ in Double(description.series[sample.series].layer) }
          }
        }
        try writer.finish()
        #expect(nodes.count > 2000 && times == times.sorted() && values.contains { $0 < 0 })
        #expect(numbers(path, "spikes/spikes_v/node_ids") == nodes)
        #expect(numbers(path, "spikes/spikes_v/timestamps") == times)
        #expect(numbers(path, "spikes/spikes_v/value") == values)
        #expect(numbers(path, "spikes/spikes_v/substep") == substeps)
        #expect(numbers(path, "spikes/spikes_v/layer") == levels && levels.contains(0))
        #expect(numbers(path, "spikes/spikes_x/node_ids").count > 2000)
      }
    }

    @Test func sonataHoldsTheNumbers() throws {
      try withFolder { folder in
        let path = folder.appendingPathComponent("run.h5").path
        let (frames, description) = try record(to: path, .sonata)
        var (nodes, times): ([Double], [Double]) = ([], [])
        for frame in frames {
          for sample in frame.samples {
            guard let entries = sample.entries else { continue }
            nodes += entries.map(Double.init)
            let layer = description.series[sample.series].layer
            times += entries.map { _ in Double(frame.number) + Double(layer - 1) / 3 }
          }
        }
        #expect(numbers(path, "spikes/x/node_ids") == nodes && nodes.count > 1000)
        #expect(numbers(path, "spikes/x/timestamps") == times && times == times.sorted())
        #expect(numbers(path, "hatchling/tokens/token") == NetworkCase.tokens.map(Double.init))
        let sigma = frames.flatMap { frame in
          frame.samples.filter { description.series[$0.series].name == "sigma" }.flatMap(\.values)
        }
        // Columns by node: neuron 2 before neuron 12, as they were recorded.
        #expect(numbers(path, "report/sigma_layer_2/data") == sigma.map(Double.init) && sigma.count == 80)
        #expect(numbers(path, "report/sigma_layer_2/mapping/node_ids") == [2, 12])
        #expect(numbers(path, "report/sigma_layer_2/mapping/index_pointers") == [0, 1, 2])
        let time = numbers(path, "report/sigma_layer_2/mapping/time")
        #expect(
          time.count == 3 && abs(time[0] - 1.0 / 3) < 1e-12 && abs(time[1] - time[0] - 40) < 1e-9
            && time[2] == 1)
      }
    }

    @Test func unitsOfNWBHoldTheTimes() throws {
      try withFolder { folder in
        let path = folder.appendingPathComponent("run.nwb").path
        let (frames, description) = try record(to: path, .nwb)
        var trains = [[Double]](repeating: [], count: 3 * 68)
        for frame in frames {
          for sample in frame.samples {
            let layer = description.series[sample.series].layer
            for entry in sample.entries ?? [] {
              trains[(layer - 1) * 68 + Int(entry)].append(
                (Double(frame.number) + Double(layer - 1) / 3) / 1000)
            }
          }
        }
        #expect(numbers(path, "units/spike_times") == trains.flatMap(\.self) && trains.joined().count > 1000)
        var end = 0.0
        let ends = trains.map { train in
          end += Double(train.count)
          return end
        }
        #expect(numbers(path, "units/spike_times_index") == ends)
      }
    }

    /// Of every particle one train of each sign, with the weights of its spikes beside their times; x of some neurons in the same table.
    @Test(arguments: [TimeConvention.Layers.successive, .simultaneous])
    func unitsOfNWBHoldSpikesInsideTokens(layers: TimeConvention.Layers) throws {
      try withFolder { folder in
        let (path, tests) = (folder.appendingPathComponent("run.nwb").path, SpikeRecordingTests())
        let request = try tests.request("x", "v") {
          ($0.quantities, $0.neurons) = ([.x], [2, 3, 5, 60])
          $0.time = try TimeConvention(millisecondsPerToken: 7, layers: layers)
        }
        let recorder = try Recorder<Float>(request, on: tests.engine())
        let description = recorder.description
        let writer = try RecordingFormat.nwb.writer(to: path, description, Float.self)
        var (first, count) = ([Int](), 0)
        for series in description.series {
          first.append(count)
          count += series.entries.count * (series.kind == .spikes ? 2 : 1)
        }
        var trains = [[(time: Double, value: Double)]](repeating: [], count: count)
        for token in NetworkCase.tokens {
          let frame = try #require(try recorder.read(token).frame)
          try writer.append(frame)
          for sample in frame.samples {
            let series = description.series[sample.series]
            let time = description.time(of: sample, token: frame.number) / 1000
            for (entry, value) in zip(try #require(sample.entries), sample.values) {
              let place = try #require(series.entries.firstIndex(of: Int(entry)))
              let unit = series.kind == .spikes ? 2 * place + (value < 0 ? 1 : 0) : place
              trains[first[sample.series] + unit].append((time, Double(value)))
            }
          }
        }
        try writer.finish()
        let events = trains.flatMap(\.self)
        #expect(events.count > 2500 && events.contains { $0.value < 0 })
        #expect(numbers(path, "units/spike_times") == events.map(\.time))
        #expect(numbers(path, "units/spike_values") == events.map(\.value))
        for index in ["units/spike_times_index", "units/spike_values_index"] {
          let ends = numbers(path, index)
          #expect(zip([0] + ends, ends).map { Int($1 - $0) } == trains.map(\.count))
        }
        for train in trains {
          #expect(zip(train, train.dropFirst()).allSatisfy { $0.time < $1.time && $0.value * $1.value > 0 })
        }
        let neurons = description.series.flatMap { series in
          series.entries.flatMap { series.kind == .spikes ? [$0, $0] : [$0] }
        }
        #expect(numbers(path, "units/neuron") == neurons.map(Double.init))
        // What was not recorded is no unit, and has not been silent.
        #expect(!neurons.contains(61) && numbers(path, "units/obs_intervals").count == 2 * count)
      }
    }

    @Test(arguments: [false, true]) func eventsAreSortedByUnitInBatches(hasValues: Bool) throws {
      try withFolder { folder in
        let spool = try EventSpool(
          beside: folder.appendingPathComponent("run").path, units: 5, hasValues: hasValues)
        var (random, trains) = (SeededRandom(seed: 3), [[Double]](repeating: [], count: 5))
        for moment in 0..<2000 {
          let entries = (0..<3).filter { _ in Bool.random(using: &random) }
          for entry in entries { trains[2 + entry].append(Double(moment) / 2) }
          try spool.append(
            entries.map { Int32(2 + $0) }, entries.map { Float(10 * moment + $0) }, moment: moment)
        }
        #expect(spool.counts == trains.map(\.count))
        var read = [[Double]](repeating: [], count: 5)
        func half(_ moment: Int) -> Double { Double(moment) / 2 }
        var runs = 0
        try spool.forEachRun(batch: 100, time: half) { run in
          #expect(run.place == read[run.unit].count)
          #expect(run.values == (hasValues ? run.times.map { Float(20 * $0) + Float(run.unit - 2) } : []))
          read[run.unit] += run.times
          runs += 1
        }
        #expect(read == trains && runs > 60)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
      }
    }

    @Test func sonataRefusesWhatHasNoConstantStep() throws {
      let engine = try NetworkCase(form: "circuit", isDamped: false).engine(Float.self)
      var request = RecordingRequest([.v])
      request.sampling.surpriseAbove = 1
      let recorder = try Recorder(request, on: engine)
      #expect(throws: ActivityError.irregular(path: "run.h5")) {
        _ = try RecordingFormat.sonata.writer(to: "run.h5", recorder.description, Float.self)
      }
    }
  #endif
}
