import HatchlingDynamics
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingActivity

/// What is recorded is what the network did, and the network does not notice.
@Suite struct RecordingTests {
  private func everything(_ form: GraphForm) -> RecordingRequest {
    var request = RecordingRequest(
      RecordedQuantity.allCases.filter { form == .direct || $0 != .z }, neurons: [0, 3, 17, 34, 67])
    request.synapses = (1...3).flatMap { layer in
      [(0, 3), (5, 3), (11, 40)].map { LayerSynapse(layer: layer, PlasticSynapse(from: $0.0, to: $0.1)) }
    }
    request.synapseQuantities = SynapseQuantity.allCases
    return request
  }

  /// Only synapses that a pruned graph has.
  private func everything(of engine: some WatchableEngine) -> RecordingRequest {
    var request = everything(engine.schedule.form)
    request.synapses.removeAll { !engine.hasPlasticSynapse($0.synapse) }
    return request
  }

  private func frames<Scalar: NetworkScalar>(
    _ request: RecordingRequest, _ engine: any WatchableEngine<Scalar>, _ tokens: [Int] = NetworkCase.tokens
  ) throws -> [ActivityFrame<Scalar>] {
    let recorder = try Recorder(request, on: engine)
    defer { recorder.detach() }
    return try tokens.compactMap { try recorder.read($0).frame }
  }

  @Test(arguments: NetworkCase.all, [1, 2])
  func recordingChangesNoBit(of item: NetworkCase, threads: Int) throws {
    let (watched, alone) = (
      try item.engine(Float.self, threads: threads), try item.engine(Float.self, threads: threads)
    )
    let recorder = try Recorder(everything(of: watched), on: watched)
    var compared = 0
    for token in NetworkCase.tokens {
      let frame = try recorder.read(token).frame
      try alone.step(token)
      #expect(watched.logits.map(\.bitPattern) == alone.logits.map(\.bitPattern))
      compared += frame?.samples.count ?? 0
    }
    #expect(compared >= 40 * 3 * 12)
    for layer in 1...3 {
      #expect(watched.attentionState(layer: layer).elements == alone.attentionState(layer: layer).elements)
    }
  }

  @Test(arguments: NetworkCase.all)
  func aRecordedWeightIsTheStateAndTheSumOfItsIncrements(of item: NetworkCase) throws {
    // 40 sums in float, each rounded at the size that the weight has then.
    try checkWeights(item, Float.self, tolerance: 1e-5)
    try checkWeights(item, Double.self, tolerance: 1e-14)
  }

  private func checkWeights<Scalar: NetworkScalar>(
    _ item: NetworkCase, _ scalar: Scalar.Type, tolerance: Double
  ) throws {
    let engine = try item.engine(scalar)
    var request = RecordingRequest([])
    request.synapses = try SynapseChoice.matching { synapse, _ in
      (synapse.synapse.presynaptic + 3 * synapse.synapse.postsynaptic) % 7 == 0
    }.synapses(of: engine)
    request.synapseQuantities = SynapseQuantity.allCases
    let recorder = try Recorder(request, on: engine)
    let series = recorder.description.series
    let damping = item.weights(scalar).damping
    var sums = series.map { [Double](repeating: 0, count: $0.entries.count) }
    var compared = 0
    for token in NetworkCase.tokens {
      let frame = try #require(try recorder.read(token).frame)
      func values(_ what: SynapseQuantity, _ layer: Int) throws -> [Scalar] {
        try #require(
          frame.samples.first { series[$0.series].layer == layer && series[$0.series].name == what.rawValue }
        ).values
      }
      for layer in 1...3 {
        let number = try #require(series.firstIndex { $0.layer == layer && $0.name == "sigma" })
        let (sigma, written) = (try values(.sigma, layer), try values(.written, layer))
        #expect(
          try zip(values(.presynaptic, layer), values(.postsynaptic, layer)).map { $0 * $1 } == written)
        let synapses = series[number].synapses.map(\.synapse)
        #expect(sigma == engine.plasticWeights(layer: layer, of: synapses))
        if engine.schedule.form == .circuit {
          let state = engine.attentionState(layer: layer)
          #expect(sigma == synapses.map { state[$0.postsynaptic, $0.presynaptic] })
        }
        for (place, synapse) in synapses.enumerated() {
          let keep = damping.map { 1 - Double($0[synapse.postsynaptic]) } ?? 1
          sums[number][place] = (sums[number][place] + Double(written[place])) * keep
          let difference = abs(sums[number][place] - Double(sigma[place]))
          #expect(difference <= tolerance * max(1, abs(sums[number][place])), "\(synapse)")
          compared += sigma[place] != 0 ? 1 : 0
        }
      }
    }
    #expect(compared > 1000)
  }

  @Test(arguments: NetworkCase.all)
  func eventsAreTheNeuronsThatFiredInOrder(of item: NetworkCase) throws {
    let (engine, other) = (try item.engine(Float.self), try item.engine(Float.self))
    let recorder = try Recorder(RecordingRequest([.x, .y]), on: engine)
    let series = recorder.description.series
    #expect(series.map(\.layer) == [1, 1, 2, 2, 3, 3])
    var found = 0
    for token in NetworkCase.tokens {
      let seen = try recorder.read(token)
      let (activity, layers) = try other.stepRecording(token)
      let frame = try #require(seen.frame)
      #expect(frame.samples.map(\.series) == Array(series.indices))
      for sample in frame.samples {
        let (layer, isX) = (series[sample.series].layer - 1, series[sample.series].name == "x")
        let all = isX ? layers[layer].x : layers[layer].y
        let fired = all.indices.filter { all[$0] != 0 }
        #expect(sample.entries == fired.map { Int32($0) } && sample.values == fired.map { all[$0] })
        #expect(sample.values.count == (isX ? activity.activeX[layer] : activity.activeY[layer]))
        found += fired.count
      }
    }
    #expect(found > 1000)
  }

  @Test func samplingLeavesOutTokensAndNumbers() throws {
    let item = NetworkCase(form: "circuit", isDamped: true)
    func record(_ quantities: [RecordedQuantity], _ change: (inout Sampling) -> Void) throws
      -> [ActivityFrame<Float>]
    {
      var request = RecordingRequest(quantities, layers: [2])
      change(&request.sampling)
      return try frames(request, try item.engine(Float.self))
    }
    let all = try record([.v]) { _ in }
    #expect(all.count == 40 && all[0].surprise == nil)
    #expect(try record([.v]) { $0.every = 7 }.map(\.number) == [0, 7, 14, 21, 28, 35])
    let surprises = all.compactMap(\.surprise).sorted()
    let bound = surprises[20]
    let rare = try record([.v]) { $0.surpriseAbove = bound }
    #expect(rare.map(\.number) == all.filter { $0.surprise ?? .infinity > bound }.map(\.number))
    #expect((2..<39).contains(rare.count))
    // What changed since it was last recorded, and nothing else; the last recorded numbers are never further off.
    var held = try #require(all.first?.samples.first).values
    var numbers = 0
    for (frame, full) in zip(try record([.v]) { $0.changeAbove = 0.5 }, all) {
      for sample in frame.samples {
        numbers += sample.values.count
        for (place, value) in sample.values.enumerated() {
          held[sample.entries.map { Int($0[place]) } ?? place] = value
        }
      }
      for (last, now) in zip(held, full.samples[0].values) { #expect(abs(last - now) <= 0.5) }
    }
    #expect(numbers > 12 && numbers < 40 * 12)
    let counts = try record([.x, .y]) { $0.countsOnly = true }
    let events = try record([.x, .y]) { _ in }
    for (count, event) in zip(counts, events) {
      #expect(count.samples.map(\.values) == event.samples.map { [Float($0.values.count)] })
    }
  }

  @Test(arguments: NetworkCase.all)
  func synapsesAreChosenByStrengthNeuronAndPredicate(of item: NetworkCase) throws {
    let engine = try item.engine(Float.self)
    for token in NetworkCase.tokens { try engine.step(token) }
    let sources = engine.plasticSources
    let all = (1...3).flatMap { layer in
      engine.plasticWeights(layer: layer, of: nil).enumerated().map { place, weight in
        (LayerSynapse(layer: layer, PlasticSynapse(from: place % sources, to: place / sources)), weight)
      }.filter { engine.hasPlasticSynapse($0.0.synapse) }
    }
    let strongest = all.sorted { ($1.1.magnitude, $0.0) < ($0.1.magnitude, $1.0) }.prefix(9).map(\.0)
    #expect(try SynapseChoice.strongest(9).synapses(of: engine) == strongest.sorted())
    let least = Double(all.map(\.1.magnitude).max() ?? 0) / 2
    let matching = try SynapseChoice.matching { $1.magnitude > least }.synapses(of: engine)
    #expect(matching == all.filter { Double($0.1.magnitude) > least }.map(\.0).sorted() && !matching.isEmpty)
    let into = try SynapseChoice.into([40, 2]).synapses(of: engine, layers: [2])
    #expect(
      into == all.map(\.0).filter { $0.layer == 2 && [2, 40].contains($0.synapse.postsynaptic) }.sorted()
        && !into.isEmpty)
    #expect(throws: ActivityError.noSuchNeuron(68, neurons: 68)) {
      try SynapseChoice.into([68]).synapses(of: engine)
    }
  }

  @Test func aRingKeepsTheLastFrames() throws {
    let item = NetworkCase(form: "circuit", isDamped: false)
    let all = try frames(RecordingRequest([.x]), try item.engine(Float.self))
    let ring = ActivityRing<Float>(capacity: 16)
    for (done, frame) in all.enumerated() {
      ring.append(frame)
      #expect(ring.frames.map(\.number) == Array(max(0, done - 15)...done))
    }
  }

  @Test func namesAreReadAndRefused() throws {
    let circuit = ParticleNames(of: try NetworkCase(form: "circuit", isDamped: false).engine(Float.self))
    let direct = ParticleNames(of: try NetworkCase(form: "direct", isDamped: false).engine(Float.self))
    for (names, text) in [(circuit, "2:h3:n12"), (direct, "1:n67:n0"), (direct, "3:t6:n12")] {
      #expect(names.name(try names.synapse(text)) == text)
    }
    #expect(try circuit.synapse("2:3:12") == circuit.synapse("2:h3:n12"))
    #expect(try direct.synapse("2:3:12") == direct.synapse("2:n3:n12"))
    #expect(try circuit.neurons("3,n7,10-12,11") == [3, 7, 10, 11, 12])
    #expect(throws: ActivityError.noSuchLayer(4, layers: 3)) { try circuit.synapse("4:h3:n12") }
    #expect(throws: ActivityError.noSuchNeuron(68, neurons: 68)) { try circuit.synapse("1:h3:n68") }
    for text in [
      "", "1", "1:h3", "1:n3:n4", "1:h-1:n4", "x:h3:n4", "1:h3:h4", "1:h3:n4:n5",
      "1:h3:n99999999999999999999",
    ] {
      #expect(throws: ActivityError.self, "\(text)") { try circuit.synapse(text) }
    }
    for text in ["", "3,", "5-3", "x", "1-2-3", "68", "0-68"] {
      #expect(throws: ActivityError.self, "\(text)") { try circuit.neurons(text) }
    }
  }

  @Test func whatIsNotThereIsRefusedAndLeavesNoProbe() throws {
    let engine = try NetworkCase(form: "circuit", isDamped: false).engine(Float.self)
    func refused(_ change: (inout RecordingRequest) -> Void) -> String {
      var request = RecordingRequest([.x])
      change(&request)
      do {
        _ = try Recorder(request, on: engine)
        return "nothing was refused"
      } catch { return "\(error)" }
    }
    #expect(refused { $0.layers = [0] }.contains("no layer 0"))
    #expect(refused { $0.neurons = [68] }.contains("no neuron 68"))
    #expect(refused { $0.quantities = [.x, .z] }.contains("'z'"))
    #expect(refused { $0.sampling.every = 0 }.contains("k = 0"))
    #expect(refused { $0.sampling.changeAbove = .nan }.contains("change"))
    let absent = LayerSynapse(layer: 1, PlasticSynapse(from: 12, to: 0))
    #expect(refused { $0.synapses = [absent] }.contains("no plastic synapse 1:h12:n0"))
    #expect((engine as? CircuitEngine<Float>)?.isWatched == false)
  }
}
