import Foundation
import HatchlingCheckpoint
import HatchlingNumerics

/// Plastic weights that this machine cannot hold.
public enum StateMemoryError: InputError, Equatable {
  /// An engine's state would not fit into half of the machine's memory. Sizes in bytes.
  case tooLarge(layers: Int, needed: Int, limit: Int)

  public var description: String {
    switch self {
    case .tooLarge(let layers, let needed, let limit):
      "the plastic weights of \(layers) layers would need \(Self.size(needed)), more than half of this machine's memory (\(Self.size(limit))); use fewer layers, float instead of double, or a machine with more memory"
    }
  }

  private static func size(_ bytes: Int) -> String {
    String(format: "%.1f GiB", Double(bytes) / Double(1 << 30))
  }
}

extension Hyperparameters {
  /// Bytes of plastic state that one engine takes: per layer and neuron d weights and, in a circuit that defers its writes, the last 16
  /// activities. `Int.max` where that overflows.
  public func stateBytes(bytesPerWeight: Int) -> Int {
    [layers, neurons, synapticDimension + Float.slots, bytesPerWeight].checkedProduct ?? .max
  }

  /// Refuses a network before an engine is made for it: the number of layers is one line of a file, and every layer takes n · d weights.
  /// Half of memory is the limit, because two engines run side by side where they are compared.
  ///
  /// - Parameter memory: bytes of the machine.
  /// - Throws: ``StateMemoryError/tooLarge(layers:needed:limit:)``.
  public func checkState(
    bytesPerWeight: Int, memory: Int = Int(ProcessInfo.processInfo.physicalMemory)
  ) throws(StateMemoryError) {
    let needed = stateBytes(bytesPerWeight: bytesPerWeight)
    guard needed <= memory / 2 else {
      throw .tooLarge(layers: layers, needed: needed, limit: memory / 2)
    }
  }
}
