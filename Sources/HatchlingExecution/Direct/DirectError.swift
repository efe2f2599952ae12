import HatchlingModel
import HatchlingNumerics

/// A direct graph that cannot be run here.
public enum DirectError: InputError, Equatable {
  /// σ would not fit into half of the machine's memory. Sizes in bytes.
  case stateTooLarge(needed: Int, limit: Int)

  public var description: String {
    switch self {
    case .stateTooLarge(let needed, let limit):
      "the plastic weights σ of the direct form would need \(Self.size(needed)), more than half of this machine's memory (\(Self.size(limit))); keep fewer synapses and let only those learn, or run the circuit"
    }
  }

  private static func size(_ bytes: Int) -> String {
    let gibibytes = Double(bytes) / Double(1 << 30)
    return gibibytes >= 0.1
      ? "\((gibibytes * 10).rounded() / 10) GiB" : "\((Double(bytes) / 1024 * 10).rounded() / 10) KiB"
  }
}

extension DirectError {
  /// Bytes that σ of all layers takes when everything that can be written has been written.
  ///
  /// A complete G_s has a weight from each of `nodes` to each neuron, but layer 1 only writes token rows: L − 1 times n (n + V) and
  /// once n V. `plasticSynapses` is the size of a G_s given as lists, nil for a complete one.
  public static func stateBytes(_ sizes: Hyperparameters, plasticSynapses: Int?, bytesPerWeight: Int) -> Int {
    func product(_ a: Int, _ b: Int) -> Int {
      let (value, overflow) = a.multipliedReportingOverflow(by: b)
      return overflow ? .max : value
    }
    if let plasticSynapses { return product(product(sizes.layers, plasticSynapses), bytesPerWeight) }
    let later = product(sizes.layers - 1, product(sizes.neurons, sizes.neurons + sizes.vocabulary))
    let (all, overflow) = later.addingReportingOverflow(product(sizes.neurons, sizes.vocabulary))
    return overflow ? .max : product(all, bytesPerWeight)
  }

  /// - Throws: ``stateTooLarge(needed:limit:)`` when σ takes more than half of `memory` bytes.
  public static func checkState(
    _ sizes: Hyperparameters, plasticSynapses: Int?, bytesPerWeight: Int, memory: Int
  ) throws(DirectError) {
    let needed = stateBytes(sizes, plasticSynapses: plasticSynapses, bytesPerWeight: bytesPerWeight)
    guard needed <= memory / 2 else { throw .stateTooLarge(needed: needed, limit: memory / 2) }
  }
}
