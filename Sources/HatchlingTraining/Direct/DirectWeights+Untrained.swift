import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

extension DirectWeights {
  /// A random sparse graph: `edges` synapses between neurons in G_x and as many in G_y, anywhere, all of the tokens', F and W_out.
  ///
  /// F and W_out are N(0, 0.02) as the public code begins; token synapses have the spread that D F has then, those between neurons more,
  /// in proportion to how many are missing, so that what arrives at a neuron is as strong as in the complete graph. Frequencies of the
  /// formula, no damping.
  ///
  /// Of a graph without hubs, d = 0, every κ is 1: traces have mean square 1, and synapses, those to readouts among them, the spread at which
  /// they drive neurons as much as d = 64 hubs do.
  /// - Throws: ``DirectTrainingError/tooManyEdges(asked:possible:)``, `TrainingError` for sizes out of range.
  public static func untrained(
    _ sizes: Hyperparameters, edges: Int, keepsPlastic: Bool, seed: UInt64
  ) throws -> DirectWeights {
    let hasHubs = sizes.synapticDimension > 0
    try sizes.checkTrainable(hasHubs: hasHubs)
    let (n, d, v) = (sizes.neurons, sizes.synapticDimension, sizes.vocabulary)
    let (possible, overflow) = n.multipliedReportingOverflow(by: n)
    guard !overflow, edges <= possible else {
      throw DirectTrainingError.tooManyEdges(asked: edges, possible: possible)
    }
    var random = SeededRandom(seed: seed)
    func normal(_ rows: Int, _ columns: Int, _ spread: Double) -> Matrix<Scalar> {
      var matrix = Matrix<Scalar>(rows: rows, columns: columns)
      let values = matrix.mutablePointer()
      for index in 0..<matrix.count { values[index] = Scalar(Float(random.normal() * spread)) }
      return matrix
    }
    func lists() -> EdgeLists {
      // Drawing by lot is slow where nearly everything is taken: then what is missing is drawn.
      let isFull = edges > possible / 2
      let drawn = SynapseExchange.random(
        isFull ? possible - edges : edges, among: possible, taken: [], &random)
      let places = isFull ? Set(0..<possible).subtracting(drawn).sorted() : drawn
      var lists = EdgeLists(offsets: [0], sources: places.map { Int32($0 % n) })
      var next = 0
      for target in 0..<n {
        while next < places.count, places[next] / n == target { next += 1 }
        lists.offsets.append(next)
      }
      return lists
    }
    let spread = hasHubs ? 0.02 * 0.02 * Double(d).squareRoot() : 0.16 / Double(n + v).squareRoot()
    let between = spread * (Double(possible) / Double(max(1, edges))).squareRoot()
    let (x, y) = (lists(), lists())
    var neurons = NeuronPopulation(headSizes: [Int](repeating: sizes.neuronsPerHead, count: sizes.heads))
    let frequencies = Phases.publicFrequencies(neuronsPerHead: sizes.neuronsPerHead)
    for neuron in stride(from: 0, to: n, by: 2) {
      neurons.pair(
        NeuronIndex(neuron), NeuronIndex(neuron + 1), frequency: frequencies[neuron % sizes.neuronsPerHead])
    }
    var weights = DirectWeights(
      sizes, neurons, (x, normal(1, edges, between)), (y, normal(1, edges, between)),
      tokens: (normal(n, v, spread), normal(n, v, spread)), field: normal(n + v, d, 0.02),
      readout: hasHubs ? normal(d, v, 0.02) : normal(n + v, v, spread), keepsPlastic: keepsPlastic)
    if !hasHubs {
      weights.logGains = Matrix(rows: 1, columns: sizes.variant.normaliserCount(heads: sizes.heads))
    }
    return weights
  }

  private init(
    _ sizes: Hyperparameters, _ neurons: NeuronPopulation, _ x: (edges: EdgeLists, weights: Matrix<Scalar>),
    _ y: (edges: EdgeLists, weights: Matrix<Scalar>), tokens: (x: Matrix<Scalar>, y: Matrix<Scalar>),
    field: Matrix<Scalar>, readout: Matrix<Scalar>, keepsPlastic: Bool
  ) {
    (self.sizes, self.neurons, self.keepsPlastic) = (sizes, neurons, keepsPlastic)
    (edgesX, weightsX, edgesY, weightsY) = (x.edges, x.weights, y.edges, y.weights)
    (tokensX, tokensY, self.field, self.readout) = (tokens.x, tokens.y, field, readout)
  }
}
