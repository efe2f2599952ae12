import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Which plastic synapses a random graph has.
public enum RandomPlasticity: CaseIterable, Sendable { case complete, asX, lists }

extension DirectGraph where Scalar == Float {
  /// A small graph that comes from no weights: odd sizes, heads of different sizes, neurons without a partner.
  public static func random(
    seed: UInt64, variant: Variant = .released, plasticity: RandomPlasticity = .asX, damping: Bool = false,
    density: Double? = nil, hasHubs: Bool = true
  ) -> DirectGraph<Float> {
    var random = SeededRandom(seed: seed &* 6151 &+ 5)
    let headSizes = (0..<Int.random(in: 1...3, using: &random)).map { _ in
      Int.random(in: 1...13, using: &random)
    }
    let (d, tokens) = (Int.random(in: 3...11, using: &random), Int.random(in: 2...9, using: &random))
    var neurons = NeuronPopulation(headSizes: headSizes)
    let (n, m) = (neurons.count, neurons.count + tokens)
    if seed % 3 != 0 {
      for head in neurons.heads {
        let free = Array(head).shuffled(using: &random)
        for place in stride(from: 0, to: free.count - 1, by: 2)
        where Double.random(in: 0..<1, using: &random) < 0.8 {
          neurons.pair(
            NeuronIndex(free[place]), NeuronIndex(free[place + 1]),
            frequency: Float.random(in: 0.001...0.2, using: &random))
        }
      }
    }
    if damping { neurons.damping = (0..<n).map { _ in Float.random(in: 0...0.4, using: &random) } }
    let scale = variant.normalises ? 0.6 : 0.1
    func matrix(_ rows: Int, _ columns: Int, _ scale: Double) -> Matrix<Float> {
      Matrix(rows: rows, columns: columns, (0..<rows * columns).map { _ in Float(random.normal() * scale) })
    }
    let kept = density ?? Double.random(in: 0.1...0.9, using: &random)
    func synapses(_ rows: Int, _ columns: Int) -> Matrix<Float> {
      matrix(rows, columns, scale).map { Double.random(in: 0..<1, using: &random) < kept ? $0 : 0 }
    }
    let (x, y) = (synapses(m, n), synapses(n, m))
    var graph = DirectGraph(
      layers: Int.random(in: 1...4, using: &random), variant: variant, neurons: neurons, tokenCount: tokens,
      field: matrix(m, d, variant.normalises ? 0.5 : 0.1), readout: matrix(d, tokens, 0.5),
      drivesX: Projection(dense: x).laidOut, drivesY: Projection(dense: y).laidOut)
    if !hasHubs {
      graph.field = Matrix(rows: m, columns: 0)
      graph.readout = matrix(m, tokens, 0.5)
      graph.localGains = (0..<variant.normaliserCount(heads: headSizes.count)).map { _ in
        Float.random(in: 0.3...4, using: &random)
      }
    }
    switch plasticity {
    case .complete: break
    case .asX: graph.plastic = .lists(SparseRows(x).transposing().edges)
    case .lists: graph.plastic = .lists(SparseRows(synapses(n, m)).edges)
    }
    return graph
  }
}
