import HatchlingNumerics

/// What a neuron is while a phase lasts; in units of its scale.
public struct SpikingCell<Scalar: NetworkScalar>: Sendable, BitwiseCopyable {
  public var membrane: Scalar
  /// Sub-steps for which it cannot fire.
  public var rest: Int32

  @inlinable public init(membrane: Scalar = 0, rest: Int32 = 0) {
    (self.membrane, self.rest) = (membrane, rest)
  }
}

/// How a membrane turns into spikes. Another neuron is another type that conforms.
public protocol NeuronModel: Sendable {
  /// What tells it from all others, with its numbers, as in a saved state; empty for the standard neuron.
  var name: String { get }
  /// One sub-step.
  ///
  /// - Parameters:
  ///   - input: what flows in.
  ///   - threshold: how large a membrane must be to fire.
  ///   - weight: what a spike weighs.
  /// - Returns: 1 for a spike on the excitatory channel, −1 on the inhibitory one, 0 for silence.
  func advance<Scalar: NetworkScalar>(
    _ cell: inout SpikingCell<Scalar>, input: Scalar, threshold: Scalar, weight: Scalar
  ) -> Scalar
}

/// Integrate and fire, reset by subtraction: what is above the weight of a spike stays.
public struct IntegrateAndFire: NeuronModel, Equatable {
  /// The part of the membrane that is lost in a sub-step, 0 ≤ leak < 1.
  public let leak: Double
  /// For how many sub-steps a neuron rests that has fired.
  public var refractory: Int { Int(rest) }
  @usableFromInline let rest: Int32

  public init(leak: Double = 0, refractory: Int = 0) {
    (self.leak, rest) = (leak, Int32(clamping: refractory))
  }

  public var name: String {
    leak == 0 && refractory == 0 ? "" : "leak \(leak), refractory \(refractory)"
  }

  @inlinable @inline(__always)
  public func advance<Scalar: NetworkScalar>(
    _ cell: inout SpikingCell<Scalar>, input: Scalar, threshold: Scalar, weight: Scalar
  ) -> Scalar {
    cell.membrane += leak == 0 ? input : input - Scalar(leak) * cell.membrane
    let fires = cell.rest == 0 && cell.membrane.magnitude >= threshold && cell.membrane != 0
    let sign = Scalar(signOf: cell.membrane, magnitudeOf: fires ? 1 : 0)
    cell.membrane -= sign * weight
    cell.rest = fires ? rest : cell.rest &- (cell.rest > 0 ? 1 : 0)
    return sign
  }
}
