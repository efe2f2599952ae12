import HatchlingCompiler
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

@testable import HatchlingExecution

/// Writing later must change nothing but the order in which a read is summed.
@Suite struct DeferralTests {
  private func engine<Scalar>(_ weights: Weights<Scalar>, defers: Bool) throws -> CircuitEngine<Scalar> {
    let graph = try Compiler().circuit(from: weights).graph
    return try CircuitEngine(
      graph, workers: Workers(threads: 2), options: CircuitEngineOptions(defersWrites: defers))
  }

  /// A history settled at any token leaves the bits that writing at every token would have left.
  @Test(arguments: 0..<16)
  func settlingWritesTheSameBitsAsWritingAtOnce(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    let (n, d, slots) = (40, [5, 16, 33, 64, 160, 256][seed % 6], Float.slots)
    let (atOnce, later) = (NumberStorage<Float>(zeros: n * d), NumberStorage<Float>(zeros: n * d))
    let history = NumberStorage<Float>(zeros: n * slots)
    let fields = NumberStorage<Float>(zeros: slots * d)
    let all = (0..<n).map { Int32($0) }
    for token in 0..<70 {
      if (token + seed) % slots == 0 {
        Float.settleRows(
          later.base, all, count: n, history: history.base, from: token % slots, fields: fields.base,
          keep: nil, d: d)
      }
      let v = (0..<d).map { _ in Float(random.normal() * Double.random(in: 0...1e3, using: &random)) }
      let fired = all.filter { _ in random.uniform() < 0.4 }
      let sent = fired.map { _ in Float(random.normal()) }
      Float.hebb(atOnce.base, fired, sent, count: fired.count, v, d: d)
      for (neuron, value) in zip(fired, sent) { history.base[Int(neuron) * slots + token % slots] = value }
      for c in 0..<d { fields.base[token % slots * d + c] = v[c] }
    }
    Float.settleRows(
      later.base, all, count: n, history: history.base, from: 70 % slots, fields: fields.base, keep: nil, d: d
    )
    #expect((0..<n * d).contains { atOnce.base[$0] != 0 })
    #expect((0..<n * d).allSatisfy { atOnce.base[$0] == later.base[$0] }, "seed \(seed)")
    #expect((0..<n * slots).allSatisfy { history.base[$0] == 0 })
  }

  @Test(arguments: Variant.allCases, 0..<8)
  func deferredAndImmediateWritesAgreeInDouble(variant: Variant, seed: Int) throws {
    var weights = Weights.random(
      .random(seed: UInt64(seed), variant: variant), seed: UInt64(seed), rotates: seed % 4 != 1,
      damping: seed % 2 == 0)
    if !variant.normalises { weights.encoder = weights.encoder.map { $0 * 0.01 } }
    let wide = weights.converted(to: Double.self)
    let (deferred, immediate) = (try engine(wide, defers: true), try engine(wide, defers: false))
    #expect(deferred.executor.plastic[0].history != nil && immediate.executor.plastic[0].history == nil)
    var wasSilent = true
    for token in randomTokens(60, vocabulary: weights.hyperparameters.vocabulary, seed: UInt64(seed)) {
      let (activity, layers) = try deferred.stepRecording(token)
      let (expectedActivity, expected) = try immediate.stepRecording(token)
      #expect(activity == expectedActivity, "seed \(seed)")
      for (layer, other) in try paired(layers, expected) {
        #expect(relativeDifference(layer.a, other.a) <= 1e-10, "a, seed \(seed)")
      }
      #expect(relativeDifference(deferred.logits, immediate.logits) <= 1e-10, "seed \(seed)")
      wasSilent = wasSilent && deferred.logits.allSatisfy { $0 == 0 }
      for layer in 1...weights.hyperparameters.layers {
        let (ours, theirs) = (
          deferred.attentionState(layer: layer), immediate.attentionState(layer: layer)
        )
        #expect(relativeDifference(ours.elements, theirs.elements) <= 1e-10, "ρ, seed \(seed)")
      }
    }
    #expect(!wasSilent)
  }

  /// What layer 1 writes does not depend on what was read, so its ρ is the same to the last bit.
  @Test(arguments: 0..<4)
  func theFirstLayersStateIsTheSameBitForBit(seed: Int) throws {
    let sizes = Hyperparameters(
      neurons: 2 * 200, synapticDimension: 40, heads: 2, layers: 2, vocabulary: 9)
    let weights = Weights.random(sizes, seed: UInt64(seed))
    let (deferred, immediate) = (try engine(weights, defers: true), try engine(weights, defers: false))
    for token in randomTokens(45, vocabulary: 9, seed: UInt64(seed)) {
      try deferred.step(token)
      try immediate.step(token)
      #expect(
        deferred.attentionState(layer: 1).elements == immediate.attentionState(layer: 1).elements,
        "seed \(seed), token \(deferred.position)")
    }
    #expect(relativeDifference(deferred.logits, immediate.logits) <= 1e-4)
  }

  @Test(arguments: [false, true])
  func lookingAtASynapseSeesWhatIsNotWrittenYet(damped: Bool) throws {
    let weights = Weights.random(
      Hyperparameters(neurons: 24, synapticDimension: 9, heads: 2, layers: 2, vocabulary: 7), seed: 3,
      damping: damped)
    let engine = try engine(weights, defers: true)
    for token in randomTokens(21, vocabulary: 7, seed: 3) {
      try engine.step(token)
      let (state, before) = (engine.attentionState(layer: 2), engine.save())
      for neuron in 0..<24 {
        for hub in 0..<9 {
          #expect(
            engine.plasticWeight(layer: 2, from: HubIndex(hub), to: NeuronIndex(neuron)) == state[neuron, hub]
          )
        }
      }
      #expect(engine.save().bits == before.bits, "looking changed the state")
    }
  }

  /// A state is the same whether a text was read at one go or in two, at any split: nothing is settled by saving.
  @Test(arguments: [false, true])
  func splittingAStreamChangesNoBitOfItsState(damped: Bool) throws {
    let sizes = Hyperparameters(neurons: 2 * 70, synapticDimension: 12, heads: 2, layers: 2, vocabulary: 7)
    let weights = Weights.random(sizes, seed: 5, damping: damped)
    let tokens = randomTokens(50, vocabulary: 7, seed: 5)
    let whole = try engine(weights, defers: true)
    for token in tokens { try whole.step(token) }
    for split in [1, 15, 16, 17, 31, 33, 48] {
      let (first, second) = (try engine(weights, defers: true), try engine(weights, defers: true))
      for token in tokens[..<split] { try first.step(token) }
      try second.restore(first.save())
      for token in tokens[split...] { try second.step(token) }
      #expect(second.save().bits == whole.save().bits, "split at \(split)")
    }
    #expect(throws: StateError.self) { try engine(weights, defers: false).restore(whole.save()) }
    // Clearing leaves nothing behind.
    let state = whole.save()
    whole.reset()
    for token in tokens { try whole.step(token) }
    #expect(whole.save().bits == state.bits)
  }
}

/// A prompt read by the tensors in chunks, then stepped on by the graph.
@Suite struct AdoptionTests {
  @Test(arguments: [Variant.released, .definition4], 0..<4)
  func theGraphGoesOnFromWhatTensorsRead(variant: Variant, seed: Int) throws {
    let weights = Weights.random(
      .random(seed: UInt64(seed), variant: variant), seed: UInt64(seed), damping: seed % 2 == 0
    ).converted(to: Double.self)
    let tokens = randomTokens(120, vocabulary: weights.hyperparameters.vocabulary, seed: UInt64(seed))
    let graph = try Compiler().circuit(from: weights).graph
    let (stepped, adopted) = (
      try CircuitEngine(graph),
      try CircuitEngine(graph, options: CircuitEngineOptions(defersWrites: seed < 2))
    )
    let tensors = TensorEngine(weights)
    _ = try tensors.read(Array(tokens[..<83]))
    adopted.adopt(
      attention: (1...graph.layers).map { tensors.attentionState(layer: $0) }, logits: tensors.logits,
      position: tensors.position)
    for token in tokens[..<83] { try stepped.step(token) }
    #expect(adopted.position == 83 && relativeDifference(adopted.logits, stepped.logits) <= 1e-10)
    for token in tokens[83...] {
      #expect(try adopted.step(token) == stepped.step(token))
      #expect(relativeDifference(adopted.logits, stepped.logits) <= 1e-10, "seed \(seed)")
    }
  }
}

extension SavedState {
  /// Every array as bit patterns.
  var bits: [String: [UInt64]] {
    arrays.mapValues {
      switch $0 {
      case .float(let matrix): matrix.elements.map { UInt64($0.bitPattern) }
      case .double(let matrix): matrix.elements.map(\.bitPattern)
      case .int(let matrix): matrix.elements.map { UInt64(bitPattern: $0) }
      }
    }
  }
}
