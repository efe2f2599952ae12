import Foundation
import HatchlingCheckpoint
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Everything beside numbers that a direct training run needs to go on.
struct DirectTrainingRecord: Codable {
  var sizes: Hyperparameters
  var options: TrainingOptions
  var rewiring: Rewiring?
  var streams: TextStreams
  var random: SeededRandom
  var keepsPlastic: Bool
  /// Nil where gains go through hubs.
  var gains: Gains?
  /// Nil in checkpoints of a time when signs were free.
  var signs: SignRule?
  var textBytes: Int
  var textDigest: String
  var progress: TrainingProgress
}

extension DirectTrainer {
  /// Writes a checkpoint, whole or not at all: synapses and where they are, optimiser, streams and what they carry, random state, options,
  /// and the best network so far. O(synapses). - Throws: `CheckpointError.unwritable`.
  public func saveCheckpoint(
    to path: String, progress: TrainingProgress = TrainingProgress(), best: DirectWeights<Scalar>? = nil
  ) throws {
    let record = DirectTrainingRecord(
      sizes: weights.sizes, options: options, rewiring: rewiring, streams: streams, random: random,
      keepsPlastic: weights.keepsPlastic, gains: weights.gains == .hubs ? nil : weights.gains,
      signs: signs.rule, textBytes: text.count,
      textDigest: TextTokens.digest(of: text),
      progress: progress)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let identity = StateIdentity(
      model: "training", engine: TrainingProgress.directEngine, form: "direct",
      precision: Scalar.precisionName,
      variant: weights.sizes.variant, options: String(decoding: try encoder.encode(record), as: UTF8.self))
    var arrays = weights.arrays()
    if let best { arrays.merge(best.arrays("best.")) { $1 } }
    arrays["theta"] = theta.map(StateArray.make)
    if signs.rule == .neuron {
      arrays["senders"] = .make(Matrix(rows: 1, columns: signs.senders.count, signs.senders))
    }
    if let states { arrays.merge(states.arrays()) { $1 } }
    for index in optimiser.first.indices where optimiser.first[index].count > 0 {
      arrays["first.\(index)"] = .make(optimiser.first[index])
      arrays["second.\(index)"] = .make(optimiser.second[index])
    }
    try StateFile.write(SavedState(identity: identity, position: step, arrays: arrays), to: path)
  }

  /// Goes on from a checkpoint over the same text.
  /// - Throws: `CheckpointError`, `StateError` or ``TrainingError`` when the file is damaged, of another precision, of another kind of
  ///   training, or the text differs.
  public static func resume(
    from path: String, text: [UInt8], workers: Workers = Workers()
  ) throws -> (trainer: DirectTrainer, progress: TrainingProgress) {
    let state = try StateFile.read(path)
    guard state.identity.engine == TrainingProgress.directEngine else {
      throw TrainingError.damagedCheckpoint(path: path, problem: "it is no training of a direct graph")
    }
    guard state.identity.precision == Scalar.precisionName else {
      throw StateError.mismatch(
        field: "precision", saved: state.identity.precision, expected: Scalar.precisionName)
    }
    guard
      let record = try? JSONDecoder().decode(
        DirectTrainingRecord.self, from: Data(state.identity.options.utf8))
    else { throw TrainingError.damagedCheckpoint(path: path, problem: "its record cannot be read") }
    guard record.textBytes == text.count, record.textDigest == TextTokens.digest(of: text) else {
      throw TrainingError.otherText(path: path, bytes: record.textBytes, given: text.count)
    }
    try record.sizes.checkTrainable(hasHubs: record.gains != .local)
    let weights = try DirectWeights<Scalar>(state, record, path)
    let trainer = try DirectTrainer(
      weights, text: text, options: record.options, rewiring: record.rewiring,
      signs: record.signs ?? .free, workers: workers)
    try trainer.restore(state, record, path)
    if state.arrays["best.readout"] != nil { trainer.best = try DirectWeights(state, record, path, "best.") }
    return (trainer, record.progress)
  }

  private func restore(_ state: SavedState, _ record: DirectTrainingRecord, _ path: String) throws {
    if let theta {
      let saved: Matrix<Scalar> = try state.matrix("theta", rows: 1, columns: theta.count)
      self.theta = saved
      weights.neurons.damping = LearnedDamping.damping(saved)
    }
    if signs.rule == .neuron {
      let senders: Matrix<Scalar> = try state.matrix("senders", rows: 1, columns: weights.neuronCount)
      guard senders.elements.allSatisfy({ $0 == 1 || $0 == -1 }) else {
        throw TrainingError.damagedCheckpoint(path: path, problem: "its neurons' signs are not 1 or -1")
      }
      signs = SynapseSigns(.neuron, &weights, senders: Array(senders.elements))
    }
    for index in optimiser.first.indices where optimiser.first[index].count > 0 {
      let (rows, columns) = (optimiser.first[index].rows, optimiser.first[index].columns)
      optimiser.first[index] = try state.matrix("first.\(index)", rows: rows, columns: columns)
      optimiser.second[index] = try state.matrix("second.\(index)", rows: rows, columns: columns)
    }
    try states?.restore(state)
    optimiser.step = state.position
    guard record.streams.fits(textCount: text.count, options) else {
      throw TrainingError.damagedCheckpoint(path: path, problem: "its streams do not fit the text")
    }
    (streams, random) = (record.streams, record.random)
  }
}

extension DirectWeights {
  /// Every number, and where the synapses are, under names that begin with `prefix`.
  func arrays(_ prefix: String = "") -> [String: StateArray] {
    func integers(_ values: some Collection<Int64>) -> StateArray {
      .int(Matrix(rows: 1, columns: values.count, values))
    }
    var arrays: [String: StateArray] = [
      "x": .make(weightsX), "y": .make(weightsY), "tokens_x": .make(tokensX), "tokens_y": .make(tokensY),
      "readout": .make(readout),
      "frequencies": .float(Matrix(rows: 1, columns: neurons.count, neurons.frequencies)),
      "damping": .float(Matrix(rows: 1, columns: neurons.count, neurons.damping)),
      "pairs": integers(neurons.partners.map { $0 < 0 ? 0 : 1 }),
      "offsets_x": integers(edgesX.offsets.map { Int64($0) }),
      "offsets_y": integers(edgesY.offsets.map { Int64($0) }),
      "sources_x": integers(edgesX.sources.map { Int64($0) }),
      "sources_y": integers(edgesY.sources.map { Int64($0) }),
    ]
    if gains == .hubs { arrays["field"] = .make(field) }
    if let logGains, logGains.count > 0 { arrays["log_gains"] = .make(logGains) }
    arrays["mask_x"] = tokenMaskX.map(StateArray.make)
    arrays["mask_y"] = tokenMaskY.map(StateArray.make)
    return Dictionary(uniqueKeysWithValues: arrays.map { (prefix + $0, $1) })
  }

  /// From a checkpoint, hostile until parsed.
  init(
    _ state: SavedState, _ record: DirectTrainingRecord, _ path: String, _ prefix: String = ""
  ) throws {
    let s = record.sizes
    let (n, d, v) = (s.neurons, s.synapticDimension, s.vocabulary)
    func damaged(_ what: String) -> TrainingError { .damagedCheckpoint(path: path, problem: what) }
    func integers(_ name: String) throws -> [Int64] {
      guard case .int(let matrix) = state.arrays[prefix + name] else { throw StateError.missingArray(name) }
      return Array(matrix.elements)
    }
    func lists(_ name: String) throws -> EdgeLists {
      let (offsets, sources) = (try integers("offsets_\(name)"), try integers("sources_\(name)"))
      let bound = Int64(sources.count)
      guard offsets.count == n + 1, offsets.allSatisfy({ (0...bound).contains($0) }),
        sources.allSatisfy({ (0..<Int64(n)).contains($0) })
      else { throw damaged("its synapses of G_\(name) do not fit its neurons") }
      let lists = EdgeLists(offsets: offsets.map { Int($0) }, sources: sources.map { Int32($0) })
      if let wrong = lists.violation(sourceCount: n) { throw damaged("G_\(name): \(wrong)") }
      return lists
    }
    func floats(_ name: String) throws -> [Float] {
      guard case .float(let matrix) = state.arrays[prefix + name], matrix.count == n,
        matrix.elements.allSatisfy(\.isFinite)
      else { throw StateError.missingArray(name) }
      return Array(matrix.elements)
    }
    func mask(_ name: String) throws -> Matrix<Scalar>? {
      guard state.arrays[prefix + name] != nil else { return nil }
      let mask: Matrix<Scalar> = try state.matrix(prefix + name, rows: n, columns: v)
      guard mask.elements.allSatisfy({ $0 == 0 || $0 == 1 }) else { throw damaged("\(name) is not 0 or 1") }
      return mask
    }
    (sizes, keepsPlastic) = (s, record.keepsPlastic)
    (edgesX, edgesY) = (try lists("x"), try lists("y"))
    weightsX = try state.matrix(prefix + "x", rows: 1, columns: edgesX.count)
    weightsY = try state.matrix(prefix + "y", rows: 1, columns: edgesY.count)
    tokensX = try state.matrix(prefix + "tokens_x", rows: n, columns: v)
    tokensY = try state.matrix(prefix + "tokens_y", rows: n, columns: v)
    (tokenMaskX, tokenMaskY) = (try mask("mask_x"), try mask("mask_y"))
    let hasHubs = record.gains != .local
    field =
      hasHubs ? try state.matrix(prefix + "field", rows: n + v, columns: d) : Matrix(rows: n + v, columns: 0)
    readout = try state.matrix(prefix + "readout", rows: hasHubs ? d : n + v, columns: v)
    let normalisers = s.variant.normaliserCount(heads: s.heads)
    if !hasHubs {
      logGains =
        normalisers > 0
        ? try state.matrix(prefix + "log_gains", rows: 1, columns: normalisers)
        : Matrix(rows: 1, columns: 0)
    }
    let (frequencies, damping, pairs) = (
      try floats("frequencies"), try floats("damping"), try integers("pairs")
    )
    guard damping.allSatisfy({ (0...1).contains($0) }), pairs.count == n else {
      throw damaged("its neurons' damping or pairs are out of range")
    }
    neurons = NeuronPopulation(headSizes: [Int](repeating: s.neuronsPerHead, count: s.heads))
    neurons.damping = damping
    for neuron in stride(from: 0, to: n, by: 2) where pairs[neuron] != 0 {
      neurons.pair(NeuronIndex(neuron), NeuronIndex(neuron + 1), frequency: frequencies[neuron])
    }
  }
}
