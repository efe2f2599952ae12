import Foundation
import HatchlingModel
import HatchlingNumerics
import Testing

/// Clocks stay right in streams of any length.
@Suite struct PhasesTests {
  /// A float32 frequency times a token below 2²⁹ is exact in float64, and so is its fraction.
  @Test(arguments: [1, 77, 1000, 99_999, 100_000, 123_456_789])
  func phasesAreExactAtAnyPosition(position: Int) {
    let frequencies = Phases.publicFrequencies(neuronsPerHead: 512)
    var (cosines, sines) = ([Double](repeating: 9, count: 512), [Double](repeating: 9, count: 512))
    cosines.withUnsafeMutableBufferPointer { cosines in
      sines.withUnsafeMutableBufferPointer { sines in
        guard let cosine = cosines.baseAddress, let sine = sines.baseAddress else { return }
        Phases(frequencies: frequencies).fill(cosines: cosine, sines: sine, at: position)
      }
    }
    for (index, frequency) in frequencies.enumerated() {
      let turns = Double(position) * Double(frequency)
      let angle = 2 * Double.pi * (turns - turns.rounded(.down))
      let error = Foundation.atan2(
        sines[index] * Foundation.cos(angle) - cosines[index] * Foundation.sin(angle),
        cosines[index] * Foundation.cos(angle) + sines[index] * Foundation.sin(angle))
      #expect(abs(error) <= 1e-12, "neuron \(index) at token \(position)")
      #expect(abs(cosines[index] * cosines[index] + sines[index] * sines[index] - 1) <= 1e-12)
    }
  }
}
