import Foundation
import HatchlingCompiler
import HatchlingDynamics
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingActivity

/// Spikes inside a token in recordings.
@Suite struct SpikeRecordingTests {
  private static let tokens = NetworkCase.tokens

  func engine(
    _ form: GraphForm = .circuit, code: String = "few:3:8,y=binary:5", threads: Int = 1
  ) throws -> any PhaseWatchable<Float> {
    let weights = Weights.random(NetworkCase.sizes, seed: 11)
    let (workers, options) = (Workers(threads: threads), try SpikingOptions(named: code))
    if form == .circuit {
      let graph = try Compiler().circuit(from: weights).graph
      return try Run(spiking: graph, options, scales: .measured(graph, on: Self.tokens), workers: workers)
    }
    let graph = try Compiler().direct(
      from: weights, options: DirectOptions(kept: .strongest(900)), workers: workers
    ).graph
    return try Run(spiking: graph, options, scales: .measured(graph, on: Self.tokens), workers: workers)
  }

  func request(
    _ spikes: String..., change: (inout RecordingRequest) throws -> Void = { _ in }
  ) rethrows -> RecordingRequest {
    var request = RecordingRequest([])
    request.spikes = spikes
    try change(&request)
    return request
  }

  /// Frames hold all phases and nothing else, by time; nothing of what is computed changes.
  @Test(arguments: [GraphForm.circuit, .direct])
  func framesAreThePhases(form: GraphForm) throws {
    let (recorded, watched, plain) = (try engine(form), try engine(form), try engine(form))
    let recorder = try Recorder<Float>(request("all"), on: recorded)
    let description = recorder.description
    let clock = try #require(description.clock)
    var phases: [SpikePhase<Float>] = []
    watched.phaseObserver = { phases.append($0) }
    var found = 0
    for (number, token) in Self.tokens.enumerated() {
      phases = []
      let seen = try recorder.read(token)
      #expect(try watched.step(token) == seen.activity && plain.step(token) == seen.activity)
      #expect(recorded.logits == plain.logits)
      let samples = try #require(seen.frame).samples
      var expected: [ActivitySample<Float>] = []
      for phase in phases where phase.quantity != .token {
        let series = try #require(
          description.series.firstIndex { $0.spoken == phase.quantity && $0.layer == phase.layer })
        for substep in 0..<phase.substeps where !phase.spikes(at: substep).isEmpty {
          expected.append(
            ActivitySample(
              series: series, entries: Array(phase.entries[phase.spikes(at: substep)]),
              values: Array(phase.weights[phase.spikes(at: substep)]), substep: substep))
        }
      }
      try #require(samples.count == expected.count && !samples.isEmpty)
      for (sample, other) in zip(samples, expected) {
        #expect(sample.series == other.series && sample.substep == other.substep)
        #expect(sample.entries == other.entries && sample.values == other.values)
        found += sample.values.count
      }
      // Inside the token, and later and later.
      let times = samples.map { description.time(of: $0, token: number) }
      #expect(times == times.sorted() && Set(times).count == times.count)
      #expect(times.allSatisfy { $0 >= Double(number) && $0 < Double(number + 1) })
      for sample in samples where description.series[sample.series].layer > 0 {
        let start = description.time.time(
          token: number, layer: description.series[sample.series].layer, of: 3)
        let when = description.time(of: sample, token: number)
        #expect(when >= start && when < start + 1.0 / 3)
      }
    }
    #expect(found > 5000 && clock.stepsPerLayer == (form == .circuit ? 1 + 8 * 5 + 5 : 8 * 6 + 5))
    recorder.detach()
    #expect(recorded.phaseObserver == nil)
  }

  /// On paper: six phases of 1, 8, 8, 8, 8, 5, 8 sub-steps are 46 steps of a third of a token each.
  @Test func theClockIsTheOneInTheFile() throws {
    let engine = try engine()
    let clock = SpikeClock(slots: engine.phaseSlots, layers: 3)
    let (standard, together) = (TimeConvention.standard, try TimeConvention(layers: .simultaneous))
    #expect(clock.slots.map(\.substeps) == [1, 8, 8, 8, 8, 5, 8] && clock.stepsPerLayer == 46)
    #expect(clock.step(of: .token, layer: 0, substep: 0, standard) == 0)
    #expect(clock.step(of: .v, layer: 1, substep: 0, standard) == 1)
    #expect(clock.step(of: .x, layer: 2, substep: 7, standard) == 46 + 1 + 8 + 7)
    #expect(clock.step(of: .x, layer: 2, substep: 7, together) == 1 + 8 + 7)
    #expect(clock.step(of: .v, layer: 0, substep: 7, standard) == 3 * 46 - 1)
    #expect(clock.step(of: .v, layer: 0, substep: 7, together) == 45)
    #expect(clock.step(of: .z, layer: 1, substep: 0, standard) == nil)
    #expect(clock.time(token: 2, step: 69, standard) == 2.5)
    #expect(clock.description.contains("46 steps") && clock.description.contains("v for the readout 8"))
  }

  @Test(
    arguments: FileFormatTests.formats,
    [TimeConvention.Layers.successive, .simultaneous])
  func everyFormatHoldsTheSpikesAndThreadsDoNotMatter(
    format: RecordingFormat, layers: TimeConvention.Layers
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("spikes-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func record(_ threads: Int) throws -> (path: String, frames: [ActivityFrame<Float>], RecordingDescription)
    {
      let wanted = try request("v", "y") {
        $0.quantities = [.x]
        $0.time = try TimeConvention(millisecondsPerToken: 10, layers: layers)
      }
      let recorder = try Recorder<Float>(wanted, on: engine(threads: threads), streams: [("a text", 40)])
      let path = folder.appendingPathComponent("\(threads).\(format.rawValue)").path
      let writer = try format.writer(to: path, recorder.description, Float.self)
      let frames = try Self.tokens.compactMap { try recorder.read($0).frame }
      for frame in frames { try writer.append(frame) }
      try writer.finish()
      return (path, frames, recorder.description)
    }
    let (path, frames, description) = try record(1)
    let other = try record(2)
    let (one, two) = (
      try Data(contentsOf: URL(fileURLWithPath: path)), try Data(contentsOf: URL(fileURLWithPath: other.path))
    )
    // An NWB file has a date, and every object in it a name drawn by lot.
    #expect(one.count > 50_000 && (one == two || format == .nwb))
    let spikes = frames.flatMap { frame in frame.samples.map { (frame.number, $0) } }.filter {
      $1.substep != nil
    }
    let total = spikes.reduce(0) { $0 + $1.1.values.count }
    #expect(total > 3000)
    switch format {
    case .csv:
      let lines = String(decoding: one, as: UTF8.self).split(separator: "\n").map(String.init)
      #expect(lines.contains("token,time_ms,layer,what,entry,value,substep"))
      #expect(lines[1].contains("46 steps") && lines[0].contains("spikes few:3:8, y=binary:5"))
      #expect(
        lines.allSatisfy {
          $0.hasPrefix("#") || $0.split(separator: ",", omittingEmptySubsequences: false).count == 7
        })
      let own = lines.filter { $0.contains(",spikes_") }
      try #require(own.count == total)
      let (number, sample) = spikes[100]
      let before = spikes[..<100].reduce(0) { $0 + $1.1.values.count }
      let series = description.series[sample.series]
      let entries = try #require(sample.entries)
      #expect(
        own[before]
          == "\(number),\(description.time(of: sample, token: number)),\(series.layer),\(series.name),\(entries[0]),\(sample.values[0]),\(sample.substep ?? -1)"
      )
    case .numpy:
      // Records of 26 bytes; the last two are the sub-step.
      #expect(String(decoding: one.prefix(256), as: UTF8.self).contains("('substep', '<i2')"))
      let substeps = stride(from: 256 + 24, to: one.count, by: 26).map {
        Int(Int16(truncatingIfNeeded: Int(one[$0]) | Int(one[$0 + 1]) << 8))
      }
      #expect((one.count - 256) % 26 == 0)
      #expect(
        substeps.filter { $0 >= 0 }
          == spikes.flatMap { spike in spike.1.values.map { _ in spike.1.substep ?? -9 } })
    case .sonata, .nwb: break  // ``FileFormatTests`` reads them.
    }
  }

  @Test func onlyWhatIsAskedFor() throws {
    func frames(_ request: RecordingRequest) throws -> (Recorder<Float>, [ActivityFrame<Float>]) {
      let recorder = try Recorder<Float>(request, on: engine())
      return (recorder, try Self.tokens.compactMap { try recorder.read($0).frame })
    }
    let (all, whole) = try frames(request("v", "x"))
    #expect(all.description.series.map(\.title).contains("spikes_v_layer_0"))
    let (some, part) = try frames(
      request("x") {
        ($0.layers, $0.neurons) = ([2], [3, 5, 8, 21, 34])
        $0.sampling.every = 3
      })
    #expect(some.description.series.map(\.title) == ["spikes_x_layer_2"] && part.count == 14)
    #expect(some.description.series[0].entries == [3, 5, 8, 21, 34])
    var compared = 0
    for frame in part {
      let same = try #require(whole.first { $0.number == frame.number })
      let expected = same.samples.filter { all.description.series[$0.series].title == "spikes_x_layer_2" }
        .flatMap { sample in zip(sample.entries ?? [], sample.values).map { ($0, $1, sample.substep) } }
        .filter { [3, 5, 8, 21, 34].contains($0.0) }
      let seen = frame.samples.flatMap { sample in
        zip(sample.entries ?? [], sample.values).map { ($0, $1, sample.substep) }
      }
      #expect(seen.map(\.0) == expected.map(\.0) && seen.map(\.1) == expected.map(\.1))
      #expect(seen.map(\.2) == expected.map(\.2))
      compared += seen.count
    }
    #expect(compared > 20)
  }

  @Test func whatIsNotThereIsRefused() throws {
    let (spiking, exact) = (
      try engine(), try NetworkCase(form: "circuit", isDamped: false).engine(Float.self)
    )
    #expect(throws: ActivityError.withoutSpikes) { try Recorder<Float>(request("v"), on: exact) }
    #expect(throws: ActivityError.unknownSpikes("z", known: ["v", "x", "rotated", "a", "y"])) {
      try Recorder<Float>(request("x", "z"), on: spiking)
    }
    #expect(throws: ActivityError.unknownSpikes("token", known: ["v", "x", "rotated", "a", "y"])) {
      try Recorder<Float>(request("token"), on: spiking)
    }
    #expect(spiking.phaseObserver == nil)
  }
}
