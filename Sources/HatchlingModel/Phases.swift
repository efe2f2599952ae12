import Foundation
import HatchlingNumerics

/// The clocks of the neurons: φ_i(t) = 2π · frac(t · f_i), one per neuron of a head, the same in every head.
///
/// A frequency is a float32 and exact: it is widened to 64-bit fixed point (turns · 2⁶⁴) and multiplied by `t` in wrapping
/// integer arithmetic, so phases are right to 2⁻⁴⁰ of a turn in a stream of any length (t < 2²⁴ for the smallest bit of
/// the smallest public frequency; error t · 2⁻⁶⁵ turns otherwise).
public struct Phases: Sendable {
  /// f_i in turns per token, modulo 1, scaled by 2⁶⁴.
  public let turnsPerToken: [UInt64]
  /// False when every frequency is zero: then R_t is the identity.
  public let rotates: Bool

  public init(frequencies: [Float]) {
    turnsPerToken = frequencies.map(Phases.fixedPoint)
    rotates = turnsPerToken.contains { $0 != 0 }
  }

  private static func fixedPoint(_ frequency: Float) -> UInt64 {
    let turns = Double(frequency)
    let fraction = turns - turns.rounded(.down)  // exact: same or finer exponent
    let scaled = (fraction * 0x1p64).rounded()
    return scaled >= 0x1p64 ? 0 : UInt64(scaled)
  }

  /// Writes cos φ_i(t) and sin φ_i(t) of all N neurons of a head.
  public func fill<Scalar: NetworkScalar>(
    cosines: UnsafeMutablePointer<Scalar>, sines: UnsafeMutablePointer<Scalar>, at position: Int
  ) {
    Scalar.phases(
      turnsPerToken, at: UInt64(truncatingIfNeeded: position), count: turnsPerToken.count, cosines: cosines,
      sines: sines)
  }

  /// f_i = 1 / (θ^(q_i / N) · 2π), q_i = 2⌊i/2⌋, θ = 2¹⁶, in float32 as PyTorch computes it; for files without frequencies.
  public static func publicFrequencies(neuronsPerHead: Int) -> [Float] {
    (0..<neuronsPerHead).map { index in
      let exponent = Float(index / 2 * 2) / Float(neuronsPerHead)
      return 1 / Foundation.pow(Float(65536), exponent) / Float(2 * Double.pi)
    }
  }
}
