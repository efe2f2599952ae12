import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// A direct graph in training: synapses, field, readout and damping, optimiser and streams. ``update()`` is one step of everything.
///
/// Same options, text and graph: the same result, to the last bit, for any number of threads.
public final class DirectTrainer<Scalar: NetworkScalar> {
  public internal(set) var weights: DirectWeights<Scalar>
  public private(set) var options: TrainingOptions
  public let rewiring: Rewiring?
  public let text: [UInt8]
  /// The network that ``keepAsBest()`` kept, or that a checkpoint had.
  public internal(set) var best: DirectWeights<Scalar>?
  let workers: Workers
  let pass: DirectPass<Scalar>
  var optimiser: AdamW<Scalar>
  /// θ of every pair, `(1, n / 2)`; nil unless damping is learned.
  var theta: Matrix<Scalar>?
  var streams: TextStreams
  /// σ between blocks; nil where every block begins with none.
  let states: DirectStates<Scalar>?
  /// Where new synapses are drawn from.
  var random: SeededRandom
  /// Which signs synapses may take, and those they have.
  var signs: SynapseSigns<Scalar>
  private var gradients: DirectGradients<Scalar>

  /// - Throws: ``TrainingError`` for options out of range, text that is too short or tokens beyond the alphabet,
  ///   ``DirectTrainingError`` for a graph with a neuron that nothing reaches, and where a state is to be carried.
  public init(
    _ initial: DirectWeights<Scalar>, text: [UInt8], options: TrainingOptions, rewiring: Rewiring? = nil,
    signs rule: SignRule = .free, workers: Workers = Workers()
  ) throws {
    try options.validate()
    guard initial.keepsPlastic || !options.carry && options.passage == 0 else {
      throw DirectTrainingError.carriesAllPairs
    }
    guard !options.detach else { throw DirectTrainingError.detaches }
    guard options.shareCount == 1 else { throw DirectTrainingError.hasNoShares }
    let sizes = initial.sizes
    try sizes.checkTrainable(hasHubs: initial.gains == .hubs)
    try initial.memory(options, rewires: rewiring != nil).check()
    try TextTokens.check(text, vocabulary: sizes.vocabulary)
    try initial.checkReached()
    try rewiring?.validate()
    (self.options, self.rewiring, self.text, self.workers) = (options, rewiring, text, workers)
    streams = try TextStreams(textCount: text.count, options)
    random = SeededRandom(seed: options.seed ^ 0x7769_7265)
    var beginning = initial
    signs = SynapseSigns(rule, &beginning)
    weights = beginning
    switch options.damping {
    case .kept: break
    case .none: weights.neurons.damping = [Float](repeating: 0, count: sizes.neurons)
    case .fixed(let u): weights.neurons.damping = [Float](repeating: u, count: sizes.neurons)
    case .learned:
      let initialTheta: Matrix<Scalar> = LearnedDamping.initial(
        sizes, damping: initial.neurons.isDamped ? initial.neurons.damping : nil)
      theta = initialTheta
      weights.neurons.damping = LearnedDamping.damping(initialTheta)
    }
    pass = DirectPass(
      weights, batch: options.batch, block: options.block, dropsOut: options.dropout > 0,
      carries: options.carry, workers: workers)
    states = options.carry ? DirectStates(weights, batch: options.batch) : nil
    gradients = DirectGradients(weights)
    optimiser = AdamW(shapesOf: weights.trained + (theta.map { [$0] } ?? []))
  }

  public var step: Int { optimiser.step }
  public var signRule: SignRule { signs.rule }

  /// Reads a block of every stream, updates the weights and, where it is time, exchanges synapses.
  /// - Throws: ``TrainingError/diverged(step:what:)`` when the loss or the gradient is no number; weights stay as they were.
  public func update() throws(TrainingError) -> UpdateReport {
    let batch = streams.next(text, options) { _ in }
    let dropout =
      options.dropout > 0 ? Dropout(rate: options.dropout, seed: options.seed, step: step) : nil
    let result = pass.forward(weights, batch, states: states, dropout: dropout)
    guard result.loss.isFinite else { throw diverged("the loss is \(result.loss)") }
    pass.gradients(weights, into: &gradients)
    var all = gradients.all
    if theta != nil { all.append(LearnedDamping.gradient(gradients.damping, weights.neurons.damping)) }
    let norm = AdamW.norm(all)
    guard norm.isFinite else { throw diverged("the gradient's norm is \(norm) at a loss of \(result.loss)") }
    let rate = options.rate(at: step + 1)
    apply(all, norm, rate)
    states?.turn()
    rewire()
    return UpdateReport(
      step: step, loss: result.loss, gradientNorm: norm, learningRate: rate, activeX: result.activeX,
      activeY: result.activeY)
  }

  private func apply(_ gradients: [Matrix<Scalar>], _ norm: Double, _ rate: Double) {
    var parameters = weights.trained
    weights.trained = parameters.map { _ in Matrix(rows: 0, columns: 0) }  // one owner each: updated in place
    optimiser.update(
      &parameters, &theta, gradients, norm: norm, rate: rate, undecayed: weights.undecayed, options, workers)
    signs.hold(&parameters)
    weights.trained = parameters
    if let theta { weights.neurons.damping = LearnedDamping.damping(theta) }
  }

  /// Exchanges synapses of G_x and of G_y after this update, if it is time. Cost of growth by gradient: n² multiplications per token
  /// and layer, in blocks; nothing of n² is kept.
  private func rewire() {
    guard let rewiring else { return }
    let fraction = rewiring.fraction(after: step, of: options.steps)
    guard fraction > 0 else { return }
    let x = exchange(weights.edgesX, weights.weightsX, fraction, ofX: true)
    let y = exchange(weights.edgesY, weights.weightsY, fraction, ofX: false)
    weights.weightsX = x.movedWeights(weights.weightsX)
    weights.weightsY = y.movedWeights(weights.weightsY)
    (weights.edgesX, weights.edgesY) = (x.edges, y.edges)
    states?.move(x)
    signs.takeSigns(of: weights)
    for (index, exchange) in [x, y].enumerated() {
      optimiser.first[index] = exchange.moved(optimiser.first[index])
      optimiser.second[index] = exchange.moved(optimiser.second[index])
    }
    pass.rewire(weights)
    gradients = DirectGradients(weights)
  }

  private func exchange(
    _ edges: EdgeLists, _ values: Matrix<Scalar>, _ fraction: Double, ofX: Bool
  ) -> SynapseExchange {
    let n = weights.sizes.neurons
    let wanted = min(Int(fraction * Double(edges.count)), n * n - edges.count)
    return SynapseExchange(edges, values, sources: n, dropping: wanted) { taken in
      // As many as went: places without any gradient are filled by lot.
      var grown: [GrownSynapse] = []
      if rewiring?.growth == .gradient {
        grown = pass.steepest(wanted, ofX: ofX, taken: taken, senders: signs.senders)
      }
      if grown.count < wanted {
        let more = SynapseExchange.random(
          wanted - grown.count, among: n * n, taken: taken + grown.map(\.place), &random)
        for place in more {
          grown.append(
            GrownSynapse(place: place, isInhibitory: signs.isInhibitory(from: place % n, &random)))
        }
        grown.sort { $0.place < $1.place }
      }
      return grown
    }
  }

  public func plan(steps: Int) {
    options.steps = steps
    options.warmup = options.warmup.map { min($0, steps) }
  }

  private func diverged(_ what: String) -> TrainingError {
    .diverged(step: step + 1, what: "\(what); the weights' norm is \(AdamW.norm(weights.trained))")
  }
}

extension TrainingMemory {
  /// What training a direct graph holds: linear in synapses, and in neurons times tokens.
  ///
  /// - Parameter edges: between neurons, in G_x and G_y together; all token synapses are counted, where they are pruned too.
  public init(
    direct sizes: Hyperparameters, edges: Int, keepsPlastic: Bool, _ options: TrainingOptions, rewires: Bool,
    bytes: Int = 4
  ) {
    let (n, d, heads) = (Double(sizes.neurons), Double(sizes.synapticDimension), Double(sizes.heads))
    let (vocabulary, layers) = (Double(sizes.vocabulary), Double(sizes.layers))
    let (block, batch, number) = (Double(options.block), Double(options.batch), Double(bytes))
    let carried = options.carry ? vocabulary : 0
    let readout = d > 0 ? (n + 2 * vocabulary) * d : (n + vocabulary) * vocabulary
    let trained = Double(edges) + 2 * n * vocabulary + readout
    let attention = keepsPlastic ? heads * n : 0
    let perToken =
      layers * (5 * n + heads * (block + carried) + attention + (heads + 2) * d) + 13 * n + attention
      + 2 * block + carried + (keepsPlastic ? attention + 2 * n : 0)
    self.init(
      parameters: 5 * trained * number + Double(edges) * (number + 3 * 8 + 12),
      activity: batch * block * perToken * number,
      // Before and after a block, of training streams and of those that read held-out text.
      plasticState: options.carry ? 4 * batch * layers * (Double(edges) / 2 + n * vocabulary) * number : 0,
      workspace: 2 * n * block * number + (rewires ? 256 * n * number : 0))
  }
}

extension DirectPass {
  /// The places (target · n + source) among those not taken at which the gradient of the last pass is largest, ascending, each with the
  /// sign that lowers the loss.
  /// - Parameter senders: the sign of all that a neuron sends, where it has one; places that ask for the other are passed over.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func steepest(_ count: Int, ofX: Bool, taken: [Int], senders: [Scalar] = []) -> [GrownSynapse] {
    guard let sizes = streams.first?.sizes else { return [] }
    let (n, size) = (sizes.neurons, 32)
    let units = (n + size - 1) / size
    let lanes = min(8, units)
    let products = NumberStorage<Scalar>(zeros: lanes * size * n)
    var largest = LargestPlaces<Scalar>(count)
    var next = 0
    for firstUnit in stride(from: 0, to: units, by: lanes) {
      let group = firstUnit..<min(firstUnit + lanes, units)
      workers.run(blocks: group.count) { lane in
        let rows = (firstUnit + lane) * size..<min((firstUnit + lane + 1) * size, n)
        let product = products.base + lane * size * n
        product.update(repeating: 0, count: rows.count * n)
        for stream in streams { stream.addProducts(rows, ofX: ofX, into: product) }
      }
      for place in group.lowerBound * size * n..<min(group.upperBound * size, n) * n {
        while next < taken.count, taken[next] < place { next += 1 }
        if next < taken.count, taken[next] == place { continue }
        let gradient = products.base[place - firstUnit * size * n]
        if !senders.isEmpty, gradient * senders[place % n] >= 0 { continue }
        largest.add(place, gradient)
      }
    }
    return largest.places().map { GrownSynapse(place: $0.place, isInhibitory: $0.value > 0) }
  }
}

extension DirectStream {
  /// Adds the gradient of every synapse into some neurons, `(rows, n)`, kept or not.
  func addProducts(_ rows: Range<Int>, ofX: Bool, into products: UnsafeMutablePointer<Scalar>) {
    let first = rows.lowerBound * block
    for layer in 0..<sizes.layers {
      let (tape, before) = (tapes[layer], input(of: layer))
      guard layer > 0 else { continue }  // no trace and no A on neurons before the first layer
      guard !ofX && keepsPlastic else {
        let change = ofX ? (keepsPlastic ? tape.answers : tape.drive) : tape.answers
        BLAS.multiply(
          change.base + first, by: before.trace.base, transposedB: true, into: products, m: rows.count, n: n,
          k: block, beta: 1)
        continue
      }
      for head in 0..<heads {
        let own = rows.clamped(to: head * perHead..<(head + 1) * perHead)
        guard !own.isEmpty else { continue }
        BLAS.multiply(
          tape.drive.base + own.lowerBound * block, by: tape.attention.base + head * n * block,
          transposedB: true, into: products + (own.lowerBound - rows.lowerBound) * n, m: own.count, n: n,
          k: block, beta: 1)
      }
    }
  }
}

extension DirectWeights {
  /// What training these holds.
  func memory(_ options: TrainingOptions, rewires: Bool) -> TrainingMemory {
    TrainingMemory(
      direct: sizes, edges: edgesX.count + edgesY.count, keepsPlastic: keepsPlastic, options,
      rewires: rewires,
      bytes: MemoryLayout<Scalar>.size)
  }

  /// - Throws: ``DirectTrainingError/unreached(neuron:)`` for a neuron that no synapse of G_x reaches.
  func checkReached() throws(DirectTrainingError) {
    let v = sizes.vocabulary
    for neuron in 0..<sizes.neurons where edgesX.offsets[neuron] == edgesX.offsets[neuron + 1] {
      let row = tokensX.row(neuron)
      guard (0..<v).contains(where: { row[$0] != 0 }) else { throw .unreached(neuron: neuron) }
    }
  }
}
