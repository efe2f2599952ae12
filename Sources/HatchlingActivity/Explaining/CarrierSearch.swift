import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// A carrier and what the explained logit owes it: what it would lose without.
public struct CarrierShare: Sendable {
  public let carrier: Carrier
  /// Gradient × value: to first order all the way.
  public let gradient: Double
  /// As ``CutPrediction`` says: exactly through the first normaliser and rectifier. Gradient × value before anybody has asked.
  public internal(set) var share: Double

  init(_ carrier: Carrier, gradient: Double) {
    (self.carrier, self.gradient, share) = (carrier, gradient, gradient)
  }
}

/// Those of one kind that owe most, some drawn at random, and how much all of them make up.
public struct CarrierSearch: Sendable {
  /// Largest |share| first; of equals the first found. Found by gradient × value.
  public private(set) var strongest: [CarrierShare] = []
  /// Largest positive share first: those that speak for what is explained.
  public private(set) var supporting: [CarrierShare] = []
  /// Drawn from all that passed something on, each as likely as any other.
  public private(set) var random: [CarrierShare] = []
  /// How many passed something on.
  public private(set) var count = 0
  /// Σ |gradient × value| over all of them.
  public private(set) var magnitude = 0.0

  private let kept: Int
  private var draw: SeededRandom
  private var least = (strongest: 0.0, supporting: 0.0)

  private init(keeping kept: Int, seed: UInt64) { (self.kept, draw) = (kept, SeededRandom(seed: seed)) }

  private mutating func offer(_ share: Double, _ carrier: @autoclosure () -> Carrier) {
    count += 1
    magnitude += abs(share)
    let place = random.count < kept ? random.count : Int.random(in: 0..<count, using: &draw)
    guard abs(share) > least.strongest || share > least.supporting || place < kept else { return }
    let one = CarrierShare(carrier(), gradient: share)
    if place < random.count { random[place] = one } else if place < kept { random.append(one) }
    if abs(share) > least.strongest {
      strongest.append(one)
      if strongest.count >= 2 * kept + 1024 { settle() }
    }
    if share > least.supporting {
      supporting.append(one)
      if supporting.count >= 2 * kept + 1024 { settle() }
    }
  }

  private mutating func settle() {
    order()
    strongest.removeLast(max(0, strongest.count - kept))
    supporting.removeLast(max(0, supporting.count - kept))
    if strongest.count == kept { least.strongest = strongest.last.map { abs($0.share) } ?? 0 }
    if supporting.count == kept { least.supporting = supporting.last?.share ?? 0 }
  }

  private mutating func finish() {
    settle()
    // Any part of them is as random as all.
    random.shuffle(using: &draw)
  }

  private mutating func order() {
    func sort(_ found: inout [CarrierShare], _ size: (CarrierShare) -> Double) {
      let sizes = found.map(size)
      found = found.indices.sorted { (sizes[$1], $0) < (sizes[$0], $1) }.map { found[$0] }
    }
    sort(&strongest) { abs($0.share) }
    sort(&supporting) { $0.share }
  }

  /// Says of all that were kept what they would be missed for, and orders them by that. Cost: see ``CutPrediction``.
  public mutating func predict(by prediction: CutPrediction, workers: Workers) {
    func predict(_ found: inout [CarrierShare]) {
      let count = found.count
      found.withUnsafeMutableBufferPointer { found in
        nonisolated(unsafe) let found = found
        workers.run(blocks: count) { found[$0].share = prediction.loss(without: found[$0].carrier) }
      }
    }
    predict(&strongest)
    predict(&supporting)
    predict(&random)
    order()
  }

  /// Plastic synapses whose weight and x̃ are not 0. - Parameter layers: only of these; nil for all.
  public static func plastic(
    _ gradient: TokenGradient, at trace: TokenTrace, in network: TokenNetwork, layers: Set<Int>? = nil,
    keeping kept: Int, seed: UInt64 = 1
  ) -> CarrierSearch {
    var search = CarrierSearch(keeping: kept, seed: seed)
    let d = network.sizes.synapticDimension
    for (index, tape) in trace.layers.enumerated() where layers?.contains(index + 1) ?? true {
      let toHubs = gradient.layers[index].a
      for neuron in tape.rotated.indices where tape.rotated[neuron] != 0 {
        let (row, first) = (network.plastic[index].row(neuron), network.head(of: neuron) * d)
        for hub in 0..<d where row[hub] != 0 {
          search.offer(
            toHubs[first + hub] * (row[hub] * tape.rotated[neuron]),
            .plastic(LayerSynapse(layer: index + 1, PlasticSynapse(from: hub, to: neuron))))
        }
      }
    }
    search.finish()
    return search
  }

  /// Fixed synapses of D_x, D_y and E over which something passed to a neuron that fired.
  public static func fixed(
    _ gradient: TokenGradient, at trace: TokenTrace, in network: TokenNetwork, layers: Set<Int>? = nil,
    keeping kept: Int, seed: UInt64 = 1
  ) -> CarrierSearch {
    var search = CarrierSearch(keeping: kept, seed: seed)
    let (weights, d) = (network.weights, network.sizes.synapticDimension)
    for (index, tape) in trace.layers.enumerated() where layers?.contains(index + 1) ?? true {
      let slopes = gradient.layers[index]
      func offer(
        _ kind: FixedSynapse.Kind, _ neuron: Int, _ row: UnsafePointer<Double>, _ factor: (Int) -> Double
      ) {
        for hub in 0..<d where row[hub] != 0 {
          search.offer(
            row[hub] * factor(hub),
            .fixed(FixedSynapse(layer: index + 1, kind: kind, hub: hub, neuron: neuron)))
        }
      }
      for neuron in tape.x.indices where tape.x[neuron] > 0 {
        let (slope, first) = (slopes.driveX[neuron], network.head(of: neuron) * d)
        if tape.driveX[neuron] > 0 {
          offer(.x, neuron, weights.decoderX.row(neuron)) { slope * tape.heardField[$0] }
        }
        guard tape.y[neuron] > 0 else { continue }
        let gate = slopes.driveY[neuron]
        offer(.y, neuron, weights.decoderY.row(neuron)) { gate * tape.heard[first + $0] }
        offer(.encoder, neuron, weights.encoder.row(neuron)) { slopes.encoded[$0] * tape.y[neuron] }
      }
    }
    search.finish()
    return search
  }

  /// Neurons whose x is not 0.
  public static func neurons(
    _ gradient: TokenGradient, at trace: TokenTrace, layers: Set<Int>? = nil, keeping kept: Int,
    seed: UInt64 = 1
  ) -> CarrierSearch {
    var search = CarrierSearch(keeping: kept, seed: seed)
    for (index, tape) in trace.layers.enumerated() where layers?.contains(index + 1) ?? true {
      for neuron in tape.x.indices where tape.x[neuron] != 0 {
        search.offer(
          gradient.layers[index].x[neuron] * tape.x[neuron],
          .neuron(LayerNeuron(layer: index + 1, neuron: neuron)))
      }
    }
    search.finish()
    return search
  }
}
