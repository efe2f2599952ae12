import HatchlingModel
import HatchlingNumerics

// What a rule may see. Definition 2: a rule touches one particle, or two particles and the synapse between them, and nothing else.
// Rules are static functions of these values; a value holds no reference to the graph, the engine or any other particle, so a rule
// that reaches further cannot be written.

/// A fixed synapse as a rule sees it.
public struct SynapseView<Scalar: NetworkScalar>: Sendable {
  /// At least 0.
  public let weight: Scalar
  /// The channel of the postsynaptic particle that it feeds.
  public let sign: Sign

  @inlinable public init(weight: Scalar, sign: Sign) {
    self.weight = weight
    self.sign = sign
  }
}

/// Two non-negative channels of which at most one is non-zero after they competed.
public struct Channels<Scalar: NetworkScalar>: Sendable {
  public var excitation: Scalar
  public var inhibition: Scalar

  @inlinable public init(excitation: Scalar = 0, inhibition: Scalar = 0) {
    self.excitation = excitation
    self.inhibition = inhibition
  }
}

/// A neuron's own clock: cos and sin of its phase φ(t).
public struct ClockView<Scalar: NetworkScalar>: Sendable {
  public let cosine: Scalar
  public let sine: Scalar

  @inlinable public init(cosine: Scalar, sine: Scalar) {
    self.cosine = cosine
    self.sine = sine
  }
}

/// What a normaliser broadcasts to the hubs that asked it.
public struct Broadcast<Scalar: NetworkScalar>: Sendable {
  public let mean: Scalar
  public let gain: Scalar

  @inlinable public init(mean: Scalar, gain: Scalar) {
    self.mean = mean
    self.gain = gain
  }
}

/// The kernels of the rounds of Table 1, as local rules.
///
/// Signed arguments and results (`X̃`, `a`, hub values, plastic weights) are pairs of channels that have competed, stored as one number
/// whose sign says which channel it is.
public protocol LocalRules<Scalar>: Sendable {
  associatedtype Scalar: NetworkScalar

  /// Any round: what a value sent over a fixed synapse adds to the postsynaptic particle's channels.
  static func deliver(_ sent: Scalar, over synapse: SynapseView<Scalar>) -> Channels<Scalar>
  /// Any round: the channels of a particle compete; the positive part of the difference survives on one of them.
  static func compete(_ sums: Channels<Scalar>) -> Scalar
  /// Round 4l: what a neuron's rotated activity sends back over a plastic synapse.
  static func read(_ activity: Scalar, over weight: Scalar) -> Scalar
  /// Round 4l+1: Hebb; `presynaptic` wrote, `postsynaptic` was active.
  static func reweight(_ weight: Scalar, presynaptic: Scalar, postsynaptic: Scalar) -> Scalar
  /// Round 4l+1, after the write: damping, `keep` = 1 − u of the postsynaptic neuron.
  static func forget(_ weight: Scalar, keep: Scalar) -> Scalar
  /// Round 4l+2: the gate of a neuron that listens.
  static func activateY(drive: Scalar, x: Scalar) -> Scalar
  /// Round 4l+3: `previous` is what the neuron accumulated in earlier layers, 0 in `released`.
  static func activateX(drive: Scalar, previous: Scalar) -> Scalar
  /// Round 4l+3, over a partner edge: X̃ of a neuron from its own X and its partner's.
  static func rotate(own: Scalar, partner: Scalar, edge: Sign, clock: ClockView<Scalar>) -> Scalar
  /// A hub applies what its normaliser answered.
  static func normalise(_ value: Scalar, _ answer: Broadcast<Scalar>) -> Scalar
}

/// The rules of the Dragon Hatchling.
public enum DragonRules<Scalar: NetworkScalar>: LocalRules {
  @inlinable @inline(__always)
  public static func deliver(_ sent: Scalar, over synapse: SynapseView<Scalar>) -> Channels<Scalar> {
    let strength = synapse.weight * sent.magnitude
    return (synapse.sign == .excitatory) == (sent > 0)
      ? Channels(excitation: strength) : Channels(inhibition: strength)
  }

  @inlinable @inline(__always)
  public static func compete(_ sums: Channels<Scalar>) -> Scalar { sums.excitation - sums.inhibition }

  @inlinable @inline(__always)
  public static func read(_ activity: Scalar, over weight: Scalar) -> Scalar { weight * activity }

  @inlinable @inline(__always)
  public static func reweight(_ weight: Scalar, presynaptic: Scalar, postsynaptic: Scalar) -> Scalar {
    weight + presynaptic * postsynaptic
  }

  @inlinable @inline(__always)
  public static func forget(_ weight: Scalar, keep: Scalar) -> Scalar { weight * keep }

  @inlinable @inline(__always)
  public static func activateY(drive: Scalar, x: Scalar) -> Scalar { drive > 0 ? drive * x : 0 }

  @inlinable @inline(__always)
  public static func activateX(drive: Scalar, previous: Scalar) -> Scalar {
    drive > 0 ? previous + drive : previous
  }

  @inlinable @inline(__always)
  public static func rotate(own: Scalar, partner: Scalar, edge: Sign, clock: ClockView<Scalar>) -> Scalar {
    let across = partner * clock.sine
    return own * clock.cosine + (edge == .excitatory ? across : -across)
  }

  @inlinable @inline(__always)
  public static func normalise(_ value: Scalar, _ answer: Broadcast<Scalar>) -> Scalar {
    (value - answer.mean) * answer.gain
  }
}

/// A normaliser node: hears the values of its hubs one after the other and answers with mean and gain, ε = 1e-5.
///
/// It hears values first and squared deviations from the mean second, so that nothing cancels; sums are kept in double.
public struct NormaliserNode: Sendable {
  public static let epsilon = 1e-5

  /// The answer to hubs. In a centred graph the mean is not asked for.
  ///
  /// - Parameter strength: κ² of a normaliser that hears neurons, by which the mean square counts (divisive normalisation by a pool).
  @inlinable
  public static func answer<Scalar: NetworkScalar>(
    to values: Span<Scalar>, isCentred: Bool, strength: Double = 1
  ) -> Broadcast<Scalar> {
    let count = Double(values.count)
    let mean = isCentred ? 0 : sum(values) { $0 } / count
    let squares = sum(values) { ($0 - mean) * ($0 - mean) }
    return Broadcast(
      mean: Scalar(mean), gain: Scalar(1 / (strength * squares / count + epsilon).squareRoot()))
  }

  /// Eight hubs at a time, the eight sums in a fixed tree.
  @inlinable @inline(__always)
  static func sum<Scalar: NetworkScalar>(
    _ values: Span<Scalar>, _ term: (SIMD8<Double>) -> SIMD8<Double>
  ) -> Double {
    var sums = SIMD8<Double>()
    var hub = 0
    while hub + 8 <= values.count {
      var lanes = SIMD8<Double>()
      for lane in 0..<8 { lanes[lane] = Double(values[unchecked: hub + lane]) }
      sums += term(lanes)
      hub += 8
    }
    let pairs = sums.lowHalf + sums.highHalf
    var total = (pairs[0] + pairs[2]) + (pairs[1] + pairs[3])
    while hub < values.count {
      total += term(SIMD8(repeating: Double(values[hub])))[0]
      hub += 1
    }
    return total
  }
}
