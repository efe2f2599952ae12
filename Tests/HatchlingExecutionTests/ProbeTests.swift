import HatchlingCompiler
import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

@testable import HatchlingExecution

/// Whoever watches a network sees what is true at that moment, and changes nothing.
@Suite struct ProbeTests {
  /// Damped or not, deferred or not, which form, which executor.
  struct Case: Sendable, CustomTestStringConvertible {
    let form: String
    let isDamped: Bool
    var testDescription: String { "\(form), \(isDamped ? "damped" : "undamped")" }
  }

  static let cases = ["circuit", "circuit deferred", "direct", "direct pruned", "tensor"].flatMap { form in
    [false, true].map { Case(form: form, isDamped: $0) }
  }

  private func weights<Scalar: NetworkScalar>(
    _ variant: Variant, damped: Bool, seed: UInt64
  ) -> Weights<Scalar> {
    let sizes = Hyperparameters(
      neurons: 2 * 34, synapticDimension: 12, heads: 2, layers: 3, vocabulary: 7, variant: variant)
    return Weights.random(sizes, seed: seed, damping: damped).converted(to: Scalar.self)
  }

  /// Calls `body` with a run of the case, whatever its executor.
  private func withRun<Scalar: NetworkScalar>(
    _ weights: Weights<Scalar>, _ form: String, threads: Int = 1,
    _ body: (any WatchedRun<Scalar>) throws -> Void
  ) throws {
    let workers = Workers(threads: threads)
    switch form {
    case "tensor": try body(TensorEngine(weights, workers: workers))
    case "direct", "direct pruned":
      let options = form == "direct" ? DirectOptions() : DirectOptions(kept: .strongest(900))
      try body(
        try DirectEngine(
          Compiler().direct(from: weights, options: options, workers: workers).graph, workers: workers))
    default:
      try body(
        try CircuitEngine(
          Compiler().circuit(from: weights).graph, workers: workers,
          options: CircuitEngineOptions(
            screens: form == "circuit deferred", defersWrites: form == "circuit deferred")))
    }
  }

  @Test(arguments: cases)
  func beforeAndAfterHebbDifferByTheOuterProductInFloat(of item: Case) throws {
    try checkHebb(item, Float.self)
  }

  @Test(arguments: cases)
  func beforeAndAfterHebbDifferByTheOuterProductInDouble(of item: Case) throws {
    try checkHebb(item, Double.self)
  }

  /// σ after the write is σ before it plus v x̃ᵀ, rounded once; damping comes behind it.
  private func checkHebb<Scalar: NetworkScalar>(_ item: Case, _: Scalar.Type) throws {
    let weights: Weights<Scalar> = weights(.released, damped: item.isDamped, seed: 11)
    let keep = weights.damping.map { $0.map { Scalar(1 - Double($0)) } }
    try withRun(weights, item.form) { run in
      let presynaptic: Quantity = item.form.hasPrefix("direct") ? .z : .v
      var seen: [String: [[Scalar]]] = [:]
      func watch(_ name: String, _ subject: Probe.Subject, _ part: RoundPart) throws {
        try run.attach(Probe(subject, after: part)) { seen[name, default: []].append($0.values) }
      }
      try watch("before", .plasticWeights(), .end(.read))
      try watch("after", .plasticWeights(), .communication(.reweight))
      try watch("damped", .plasticWeights(), .end(.reweight))
      try watch("v", .quantity(presynaptic), .end(.read))
      try watch("x̃", .quantity(.rotated), .end(.read))
      var changed = 0
      for token in randomTokens(41, vocabulary: 7, seed: 11) {
        seen = [:]
        try run.step(token)
        for layer in 0..<3 {
          let (before, after, damped) = (
            try #require(seen["before"])[layer], try #require(seen["after"])[layer],
            try #require(seen["damped"])[layer]
          )
          let (v, x) = (try #require(seen["v"])[layer], try #require(seen["x̃"])[layer])
          let largest = after.reduce(0) { max($0, abs($1)) }
          for (neuron, activity) in x.enumerated() {
            // What waits in histories is damped term by term: rounded more often.
            let (keep, rounding) = (keep?[neuron] ?? 1, 32 * Scalar.ulpOfOne * largest)
            for (source, value) in v.enumerated() {
              let place = neuron * v.count + source
              let (old, new) = (before[place], after[place])
              let isRight =
                run.hasSynapse(source, neuron)
                ? new == old + value * activity || new == old.addingProduct(value, activity) : new == old
              if !isRight || !(abs(damped[place] - new * keep) <= rounding) {
                Issue.record("neuron \(neuron), source \(source): \(old), \(new), \(damped[place])")
              }
              if new != old { changed += 1 }
            }
          }
        }
      }
      #expect(changed > 10_000)
    }
  }

  /// Everything at every place is watched, by any executor with any number of threads: not a bit of a result moves.
  @Test(arguments: ["circuit", "circuit deferred", "direct", "direct pruned", "tensor"], Variant.allCases)
  func watchingChangesNoBit(form: String, variant: Variant) throws {
    var floats: Weights<Float> = weights(variant, damped: true, seed: 5)
    if !variant.normalises { floats.encoder = floats.encoder.map { $0 * 0.01 } }
    let weights = floats
    let tokens = randomTokens(23, vocabulary: 7, seed: 5)
    try withRun(weights, form) { plain in
      for threads in 1...3 {
        try withRun(weights, form, threads: threads) { watched in
          var samples = 0
          for quantity in Quantity.allCases {
            for place in places {
              for channel in Channel.allCases {
                let probe = Probe(.quantity(quantity, channel: channel), after: place, layers: [1, 3])
                _ = try? watched.attach(probe) { _ in samples += 1 }
              }
            }
          }
          let some = (0..<12).first { watched.hasSynapse($0, 0) }
          let synapse = PlasticSynapse(from: try #require(some), to: 0)
          try watched.attach(Probe(.plasticWeights([synapse]), after: .end(.read))) {
            #expect($0.values.count == 1)
          }
          plain.reset()
          for token in tokens {
            #expect(try watched.step(token) == plain.step(token))
            #expect(watched.logits.map(\.bitPattern) == plain.logits.map(\.bitPattern))
          }
          for layer in 1...3 {
            #expect(
              watched.attentionState(layer: layer).elements == plain.attentionState(layer: layer).elements)
          }
          #expect(samples > 40 * tokens.count, "only \(samples) samples")
        }
      }
      #expect(plain.logits.contains { $0 != 0 })
    }
  }

  /// Who fired: the executors' lists have the neurons whose x or y is not zero, whatever kernels there are.
  @Test(arguments: ["circuit", "circuit deferred", "direct", "direct pruned", "tensor"], Variant.allCases)
  func whoFiredIsWhoIsNotZero(form: String, variant: Variant) throws {
    var weights: Weights<Float> = weights(variant, damped: true, seed: 9)
    if !variant.normalises { weights.encoder = weights.encoder.map { $0 * 0.01 } }
    for threads in 1...2 {
      for isPlain in form == "tensor" ? [false] : [false, true] {
        try withRun(weights, form, threads: threads) { run in
          var (fired, all): ([String: [ProbeSample<Float>]], [String: [ProbeSample<Float>]]) = ([:], [:])
          for quantity in [Quantity.x, .y] {
            try run.attach(Probe(.firing(quantity), after: .end(.gate))) {
              fired["\(quantity)", default: []].append($0)
            }
            try run.attach(Probe(.quantity(quantity), after: .end(.gate))) {
              all["\(quantity)", default: []].append($0)
            }
          }
          // Somebody who looks between any two operations lets the rounds be done by the smallest kernels.
          if isPlain {
            for place in places { _ = try? run.attach(Probe(.quantity(.x), after: place)) { _ in } }
          }
          for token in randomTokens(19, vocabulary: 7, seed: 9) { _ = try run.step(token) }
          for name in ["x", "y"] {
            let (fired, all) = (fired[name] ?? [], all[name] ?? [])
            #expect(fired.count == 19 * 3 && all.count == fired.count)
            for (fired, all) in zip(fired, all) {
              let neurons = all.values.indices.filter { all.values[$0] != 0 }
              #expect(fired.neurons == neurons.map { Int32($0) } && fired.layer == all.layer, "\(name)")
              #expect(fired.values == neurons.map { all.values[$0] })
            }
            let count = fired.reduce(0) { $0 + $1.values.count }
            #expect(count > 0 && count < 19 * 3 * 68, "\(name): \(count)")
          }
        }
      }
    }
  }

  /// Every quantity at every place, against the interpreter of the same graph.
  @Test(arguments: ["circuit", "circuit deferred", "direct", "direct pruned", "tensor"], Variant.allCases)
  func everyQuantityIsWhatTheInterpreterSays(form: String, variant: Variant) throws {
    var wide: Weights<Double> = weights(variant, damped: true, seed: 7)
    if !variant.normalises { wide.encoder = wide.encoder.map { $0 * 0.01 } }
    let weights = wide
    try withRun(weights, form) { run in
      var oracle: any WatchedRun<Double>
      if let direct = run as? DirectEngine<Double> {
        oracle = try Run.interpreting(direct.graph, rules: DragonRules<Double>.self)
      } else {
        oracle = try Run.interpreting(
          Compiler().circuit(from: weights).graph, rules: DragonRules<Double>.self)
      }
      var (found, expected): ([String: [[Double]]], [String: [[Double]]]) = ([:], [:])
      var watched: Set<Quantity> = []
      for quantity in Quantity.allCases {
        for (index, place) in places.enumerated() {
          for channel in Channel.allCases {
            let name = "\(quantity.rawValue), \(channel.rawValue), place \(index)"
            let probe = Probe(.quantity(quantity, channel: channel), after: place)
            guard (try? run.attach(probe) { found[name, default: []].append($0.values) }) != nil else {
              continue
            }
            try oracle.attach(probe) { expected[name, default: []].append($0.values) }
            watched.insert(quantity)
          }
        }
      }
      for token in randomTokens(6, vocabulary: 7, seed: 7) {
        (found, expected) = ([:], [:])
        try run.step(token)
        try oracle.step(token)
        #expect(found.count > 20 && found.count == expected.count)
        for (name, samples) in found {
          for (ours, theirs) in try paired(samples, try #require(expected[name])) {
            if theirs.isEmpty { continue }
            // A drive that no listener hears is not looked at by the tensors.
            if form == "tensor", name.hasPrefix(Quantity.driveY.rawValue) { continue }
            let scale = theirs.reduce(1) { max($0, abs($1)) }
            #expect(absoluteDifference(ours, theirs) <= 1e-9 * scale, "\(name)")
          }
        }
      }
      let all: Set<Quantity> =
        form.hasPrefix("direct")
        ? [.v, .z, .driveX, .x, .rotated, .attention, .a, .driveY, .y, .encoded, .update]
        : [.v, .driveX, .x, .rotated, .a, .heard, .driveY, .y, .encoded]
      #expect(watched.isSuperset(of: all), "missing: \(all.subtracting(watched))")
      #expect(watched.contains(.gains) == variant.normalises)
    }
  }

  /// Fused kernels are replacements: without one of them, or without any, the plain rounds give the same to rounding.
  @Test(arguments: Variant.allCases, [false, true])
  func whatNoKernelReplacesIsDonePlainly(variant: Variant, isDirect: Bool) throws {
    var wide: Weights<Double> = weights(variant, damped: true, seed: 9)
    if !variant.normalises { wide.encoder = wide.encoder.map { $0 * 0.01 } }
    let tokens = randomTokens(8, vocabulary: 7, seed: 9)
    let circuit = try Compiler().circuit(from: wide).graph
    let direct = try Compiler().direct(from: wide).graph
    func run(without: Set<String>) throws -> any WatchedRun<Double> {
      var options = CircuitEngineOptions()
      options.leavingOut = without
      return isDirect
        ? try DirectEngine(direct, leavingOut: without) : try CircuitEngine(circuit, options: options)
    }
    let names =
      isDirect
      ? try DirectExecutor(direct).kernels.map(\.name) : try CircuitExecutor(circuit).kernels.map(\.name)
    // σ is laid out as only its own kernels know.
    let plastic: Set = ["read", "write", "forget"]
    let choices = names.filter { !plastic.contains($0) }.map { Set([$0]) } + [Set(names).subtracting(plastic)]
    for choice in choices {
      let (whole, other) = (try run(without: []), try run(without: choice))
      var fired: [[[Int32]?]] = [[], []]
      for quantity in [Quantity.x, .y] {
        try whole.attach(Probe(.firing(quantity), after: .end(.gate))) { fired[0].append($0.neurons) }
        try other.attach(Probe(.firing(quantity), after: .end(.gate))) { fired[1].append($0.neurons) }
      }
      for token in tokens {
        #expect(try other.step(token) == whole.step(token), "without \(choice)")
        let scale = whole.logits.reduce(1) { max($0, abs($1)) }
        #expect(absoluteDifference(other.logits, whole.logits) <= 1e-9 * scale, "without \(choice)")
      }
      #expect(fired[0] == fired[1] && fired[0].count == 2 * 3 * tokens.count, "without \(choice)")
    }
    #expect(choices.count > 5)
  }

  /// Samples, states and saved runs are values, also those that an observer takes while the network goes on.
  @Test(arguments: ["circuit", "circuit deferred", "direct", "direct pruned", "tensor"])
  func whatAnObserverTookStaysWhatItWas(form: String) throws {
    let weights: Weights<Float> = weights(.released, damped: false, seed: 3)
    try withRun(weights, form) { run in
      var taken: [() -> [String: [UInt64]]] = []
      var copies: [[String: [UInt64]]] = []
      try run.attach(Probe(.plasticWeights(), after: .end(.read), layers: [2])) { [unowned run] sample in
        let (state, saved) = (run.attentionState(layer: 2), run.save())
        func bits() -> [String: [UInt64]] {
          saved.bits.merging([
            "state": state.elements.map { UInt64($0.bitPattern) },
            "sample": sample.values.map { UInt64($0.bitPattern) },
          ]) { $1 }
        }
        taken.append(bits)
        copies.append(bits())
      }
      for token in randomTokens(20, vocabulary: 7, seed: 3) { try run.step(token) }
      #expect(taken.map { $0() } == copies && Set(copies).count == 20)
    }
  }

  /// What an observer of the schedule's rounds 4 and 5 of one token saw as equal: ρ of layer 2 before and after the write.
  @Test(.enabled(if: sharedData != nil, "needs the reference checkpoints"))
  func theUndampedReferenceLearnsBetweenRoundsFourAndFive() throws {
    let file = try #require(sharedData).appendingPathComponent("reference-shakespeare.safetensors")
    let engine = try CircuitEngine(Compiler().circuit(from: Model.load(path: file.path).weights).graph)
    var seen: [Int: [Float]] = [:]
    for kind in [RoundKind.read, .reweight] {
      try engine.attach(Probe(.plasticWeights(), after: .end(kind), layers: [2])) {
        seen[$0.round] = $0.values
      }
    }
    for byte in "To be, or not".utf8 { try engine.step(Int(byte)) }
    let (before, after) = (try #require(seen[4]), try #require(seen[5]))
    #expect(absoluteDifference(before, after) > 1)
    #expect(after == engine.attentionState(layer: 2).elements)
  }

  @Test func whatIsNotThereIsSaid() throws {
    let weights: Weights<Float> = weights(.released, damped: false, seed: 1)
    try withRun(weights, "circuit") { run in
      func refused(_ probe: Probe) -> ProbeError? {
        do throws(ProbeError) { _ = try run.attach(probe) { _ in } } catch { return error }
        return nil
      }
      #expect(
        refused(Probe(.quantity(.z), after: .end(.gate)))?.description.hasPrefix(
          "'z' cannot be watched in the circuit form") == true)
      #expect(
        refused(Probe(.quantity(.y), after: .end(.read))) == .notYet("y", round: "4l"))
      #expect(
        refused(Probe(.quantity(.x, entries: [68]), after: .end(.drive)))
          == .noSuchEntry(68, quantity: "x", count: 68))
      #expect(
        refused(Probe(.plasticWeights([PlasticSynapse(from: 12, to: 0)]), after: .end(.read)))
          == .noSuchSynapse(presynaptic: 12, postsynaptic: 0))
      #expect(refused(Probe(.firing(.x), after: .end(.drive))) == .notYet("x", round: "4l + 3"))
      #expect(refused(Probe(.firing(.a), after: .end(.gate))) != nil)
      #expect(refused(Probe(.quantity(.x), after: .end(.drive), layers: [4])) == .noSuchLayer(4, layers: 3))
      #expect(refused(Probe(.quantity(.x, channel: .excitation), after: .end(.drive))) != nil)
    }
  }
}

/// A run, whatever executes it.
protocol WatchedRun<Scalar>: SteppingEngine {
  @discardableResult
  func attach(
    _ probe: Probe, _ observer: @escaping (ProbeSample<Scalar>) -> Void
  ) throws(ProbeError) -> ProbeHandle
  func hasSynapse(_ source: Int, _ neuron: Int) -> Bool
}

extension Run: WatchedRun {
  func hasSynapse(_ source: Int, _ neuron: Int) -> Bool {
    executor.hasPlasticSynapse(PlasticSynapse(from: source, to: neuron))
  }
}
