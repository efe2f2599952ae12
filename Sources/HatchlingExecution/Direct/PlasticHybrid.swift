import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// σ of one layer of a G_s in which every token reaches every neuron, as in graphs that keep all token synapses: those of tokens lie in
/// panels, a column for every token that was read, and those between neurons in lists.
///
/// A text uses few tokens, so most of the V synapses from tokens into a neuron are never written and cost nothing.
final class PlasticHybrid<Scalar: NetworkScalar>: DirectPlasticity {
  private let neurons: Int
  private let lists: PlasticLists<Scalar>
  private let tokens: PlasticPanels<Scalar>

  /// - Parameter layout: the synapses between neurons.
  init(_ layout: PlasticListLayout, neurons: Int, nodes: Int) {
    self.neurons = neurons
    lists = PlasticLists(layout, nodes: nodes)
    tokens = PlasticPanels(neurons: neurons, nodes: nodes, sources: neurons..<nodes, name: "token_plastic")
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func exchange(
    _ exchange: PlasticExchange<Scalar>, reads: Bool, writes: Bool, workers: Workers
  ) -> Int {
    // Each writes the A of its own nodes.
    lists.exchange(exchange, reads: reads, writes: writes, workers: workers)
      + tokens.exchange(exchange, reads: reads, writes: writes, workers: workers)
  }

  func weight(node: Int, neuron: Int) -> Scalar? {
    node < neurons ? lists.weight(node: node, neuron: neuron) : tokens.weight(node: node, neuron: neuron)
  }

  func setWeight(_ weight: Scalar, node: Int, neuron: Int) -> Bool {
    node < neurons
      ? lists.setWeight(weight, node: node, neuron: neuron)
      : tokens.setWeight(weight, node: node, neuron: neuron)
  }

  func forEachWeight(_ body: (Int, Int, Scalar) -> Void) {
    lists.forEachWeight(body)
    tokens.forEachWeight(body)
  }

  func addThroughHubs(_ field: Matrix<Scalar>, into rho: UnsafeMutablePointer<Scalar>, workers: Workers) {
    lists.addThroughHubs(field, into: rho, workers: workers)
    tokens.addThroughHubs(field, into: rho, workers: workers)
  }

  func reset() {
    lists.reset()
    tokens.reset()
  }

  func save(layer: Int) -> [String: StateArray] {
    lists.save(layer: layer).merging(tokens.save(layer: layer)) { $1 }
  }

  func restoration(from state: SavedState, layer: Int) throws -> () -> Void {
    let restorations = [
      try lists.restoration(from: state, layer: layer), try tokens.restoration(from: state, layer: layer),
    ]
    return { for restoration in restorations { restoration() } }
  }
}
