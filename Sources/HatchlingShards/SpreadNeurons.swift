import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// Looks at the neurons of a whole network, of which every rank has some. All ranks look at the same at the same time, and see the same.
package struct SpreadNeurons: Sendable {
  package let ranks: Ranks
  /// The neurons of every rank, numbered in the whole network.
  package let ofRank: [Range<Int>]

  package init(_ shares: BlockShares, among ranks: Ranks) {
    self.ranks = ranks
    ofRank = (0..<ranks.size).map { shares.neurons(of: $0) }
  }

  /// Those that are here.
  package var own: Range<Int> { ofRank[ranks.rank] }

  /// Where a neuron is among those that are here; nil for another rank's.
  package func place(of neuron: Int) -> Int? {
    own.contains(neuron) ? neuron - own.lowerBound : nil
  }

  /// What particles hold, see `Executor.values(of:channel:entries:)`; `here` says it with the neurons that are here, counted from the first of them.
  package func values<Scalar: NetworkScalar>(
    of quantity: Quantity, _ channel: Channel, _ entries: [Int]?, here: (_ entries: [Int]?) -> [Scalar]?
  ) -> [Scalar]? {
    guard quantity.population == .neurons else {
      // What arrives at hubs comes from neurons of all ranks: nobody has the terms.
      return channel == .net ? here(entries) : nil
    }
    guard here([]) != nil else { return nil }
    guard let entries else { return whole(here(nil) ?? []) }
    return numbers(of: entries) { places in here(places.map { entries[$0] - own.lowerBound }) ?? [] }
  }

  /// Plastic weights, see `Executor.plasticWeights(layer:at:synapses:)`; `here` gives those of the neurons that are here.
  package func plasticWeights<Scalar: NetworkScalar>(
    of synapses: [PlasticSynapse]?, hubs: Int, here: (_ synapses: [PlasticSynapse]?) -> [Scalar]
  ) -> [Scalar] {
    guard let synapses else { return whole(here(nil), width: hubs) }
    return numbers(of: synapses.map(\.postsynaptic)) { places in
      here(
        places.map {
          PlasticSynapse(from: synapses[$0].presynaptic, to: synapses[$0].postsynaptic - own.lowerBound)
        })
    }
  }

  /// A row of every neuron of every rank, `(n, width)`. Cost: all of it passes between ranks.
  ///
  /// - Parameter rows: of the neurons that are here.
  private func whole<Value: BitwiseCopyable>(_ rows: [Value], width: Int = 1) -> [Value] {
    ranks.collect(rows, counts: ofRank.map { $0.count * width })
  }

  /// Numbers of some neurons, in the order in which they are asked for.
  ///
  /// - Parameter read: the numbers of those at the given places, whose neurons are here.
  private func numbers<Value: BitwiseCopyable>(
    of neurons: [Int], _ read: (_ places: [Int]) -> [Value]
  ) -> [Value] {
    let places = ofRank.map { range in neurons.indices.filter { range.contains(neurons[$0]) } }
    let all = ranks.collect(read(places[ranks.rank]), counts: places.map(\.count))
    precondition(all.count == neurons.count, "\(neurons.count - all.count) neurons that no rank has")
    var result = all
    for (place, value) in zip(places.joined(), all) { result[place] = value }
    return result
  }

  /// Who fired on any rank.
  ///
  /// - Parameter here: those that are here, counted from the first that is here.
  package func firing<Scalar>(_ here: Firing<Scalar>) -> Firing<Scalar> {
    let first = Int32(own.lowerBound)
    let counts = ranks.gather(here.neurons.count)
    return Firing(
      neurons: ranks.collect(here.neurons.map { $0 + first }, counts: counts),
      values: ranks.collect(here.values, counts: counts))
  }

  /// What the rank that has a neuron says of it.
  package func knows(_ neuron: Int, _ read: (_ neuron: Int) -> Bool) -> Bool {
    ranks.sum([place(of: neuron).map(read) == true ? 1 : 0])[0] > 0
  }
}
